package tera

import (
	"strings"
	"unicode/utf8"
)

// resolve finds the variables that a template reads from outside, and the macros
// that it calls.
func resolve(t *Template) *Error {
	r := &resolver{t: t, in: &scope{names: map[string]bool{}}}
	r.stmts(t.nodes)
	for _, m := range t.macros {
		r.macro(m)
	}
	return r.err
}

// resolver walks a template as its rendering would, without values.
type resolver struct {
	t      *Template
	in     *scope
	tag    string   // the tag that is looked at
	guards []string // paths that a condition around this has asked for
	err    *Error   // the first in the template
	errAt  int
	here   cursor
}

// scope is what a part of the template has named. A name is true when it is set
// for certain, and false when it may be.
type scope struct {
	parent *scope
	names  map[string]bool
	macro  string // its name, if this is one: nothing outside is seen
}

func (r *resolver) open() { r.in = &scope{parent: r.in, names: map[string]bool{}} }

// close leaves a scope; what it set may be set behind it, or is forgotten.
func (r *resolver) close(forget bool) {
	inner := r.in
	r.in = inner.parent
	for name := range inner.names {
		if !forget && !r.in.names[name] {
			r.in.names[name] = false
		}
	}
}

// global notes a set_global: behind the loops around it the name may be set.
func (r *resolver) global(name string) {
	r.in.names[name] = true
	s := r.in
	for s.parent != nil && s.macro == "" {
		s = s.parent
	}
	if !s.names[name] {
		s.names[name] = s == r.in
	}
}

// bound looks a name up; macro is the macro in which that is, if it is one.
func (r *resolver) bound(name string) (known, certain bool, macro string) {
	for s := r.in; s != nil; s = s.parent {
		if sure, ok := s.names[name]; ok && !known {
			known, certain = true, sure
		}
		macro = s.macro // the outermost scope is the macro
	}
	return known, certain, macro
}

func (r *resolver) stmts(list []stmt) {
	for _, n := range list {
		switch n := n.(type) {
		case *output:
			r.tag = n.tag
			r.visit(n.x, false)
		case *assign:
			r.tag = n.tag
			r.visit(n.x, false)
			if r.in.names[n.name] = true; n.global {
				r.global(n.name)
			}
		case *section:
			r.tag = n.out.tag
			r.visit(n.out.x, false)
			r.stmts(n.body)
		case *choose:
			r.choose(n)
		case *each:
			r.tag = n.tag
			r.visit(n.in, false)
			r.open()
			r.in.names["loop"], r.in.names[n.name] = true, true
			if n.with != "" {
				r.in.names[n.with] = true
			}
			r.stmts(n.body)
			r.close(true)
			r.open()
			r.stmts(n.none)
			r.close(false)
		}
	}
}

func (r *resolver) choose(n *choose) {
	before := len(r.guards)
	for _, b := range n.branches {
		r.guards = append(r.guards, asked(b.cond)...)
	}
	for _, b := range n.branches {
		if b.cond != nil {
			r.tag = b.tag
			r.visit(b.cond, true)
		}
		r.open()
		r.stmts(b.body)
		r.close(false)
	}
	r.guards = r.guards[:before]
}

func (r *resolver) macro(m *macro) {
	r.in = &scope{names: map[string]bool{}, macro: m.name}
	for _, p := range m.params {
		r.in.names[p] = true
	}
	r.stmts(m.body)
}

// asked are the paths that a condition asks for: behind it they may be missing.
func asked(x expr) []string {
	switch x := x.(type) {
	case *variable:
		return []string{key(x.names())}
	case *not:
		return asked(x.x)
	case *operation:
		if x.op == "and" || x.op == "or" {
			return append(asked(x.l), asked(x.r)...)
		}
	case *use:
		if x.def == tests["defined"] || x.def == tests["undefined"] || filters[x.name] == x.def {
			return asked(x.x)
		}
	}
	return nil
}

func key(path []string) string { return strings.Join(path, "\x00") + "\x00" }

// visit notes the variables of an expression. One that may be missing is one
// whose value is only asked for being there.
func (r *resolver) visit(x expr, missing bool) {
	switch x := x.(type) {
	case *variable:
		r.variable(x, missing)
	case *list:
		for _, e := range x.items {
			r.visit(e, false)
		}
	case *concat:
		for _, e := range x.parts {
			r.visit(e, false)
		}
	case *not:
		r.visit(x.x, true)
	case *operation:
		condition := x.op == "and" || x.op == "or"
		r.visit(x.l, condition)
		before := len(r.guards)
		if condition {
			r.guards = append(r.guards, asked(x.l)...)
		}
		r.visit(x.r, condition || x.op == "-" && hyphened(x.l))
		r.guards = r.guards[:before]
	case *use:
		if x.x != nil {
			r.visit(x.x, missing && filters[x.name] == x.def || x.copes())
		}
		for _, a := range x.args {
			if a != nil {
				r.visit(a, false)
			}
		}
	case *call:
		r.call(x)
		for _, a := range x.args {
			r.visit(a, false)
		}
	}
}

// hyphened reports whether what is to the left of a - may be one name with what
// is to its right: then only the left is to be asked for.
func hyphened(x expr) bool {
	for {
		switch n := x.(type) {
		case *operation:
			x = n.r
		case *variable:
			return n.hyphens != nil
		default:
			return false
		}
	}
}

// copes reports whether a filter or a test is one that a missing variable may have.
func (u *use) copes() bool {
	if _, ok := u.x.(*variable); !ok {
		return false
	}
	return u.def == filters["default"] || u.def == tests["defined"] || u.def == tests["undefined"]
}

// names is the path as far as it is written in the template.
func (v *variable) names() []string {
	path := []string{v.name}
	for _, h := range v.steps {
		if h.x != nil {
			break
		}
		path = append(path, h.name)
	}
	return path
}

func (r *resolver) variable(v *variable, missing bool) {
	for _, h := range v.steps {
		if h.x != nil {
			r.visit(h.x, false)
		}
	}
	known, certain, macro := r.bound(v.name)
	path := v.names()
	for _, g := range r.guards {
		missing = missing || strings.HasPrefix(key(path), g)
	}
	switch {
	case certain:
		return
	case macro != "":
		if !known && !missing {
			r.fail(v.span, "there is no variable "+v.name+" in the macro "+macro+", which sees nothing but its arguments", "hand it over as an argument")
		}
		return
	case !known && v.hyphens != nil && len(path) == 1 && len(v.hyphens) > 1 && v.hyphens[1] == "output":
		r.fail(v.span, noHyphens, fixHyphens(v.hyphens))
	}
	line, col := r.here.to(r.t.src, v.at)
	r.t.refs = append(r.t.refs, Ref{Path: path, Line: line, Column: col, Optional: missing || known, Hyphens: v.hyphens})
}

const noHyphens = "a name in a template has no hyphens"

func fixHyphens(path []string) string {
	name := strings.ReplaceAll(path[0], "-", "_")
	return "a step name's hyphens are written as underscores: " + strings.Join(append([]string{name}, path[1:]...), ".")
}

// call checks that a macro is there and takes the arguments.
func (r *resolver) call(c *call) {
	m := r.t.macros[c.name]
	if m == nil {
		var known []string
		for name := range r.t.macros {
			known = append(known, name)
		}
		r.fail(c.span, "there is no macro "+clip(c.name), near(c.name, known, "define it: {% macro "+clip(c.name)+"() %}…{% endmacro %}"))
		return
	}
	for _, name := range c.names {
		if m.param(name) < 0 {
			r.fail(c.span, "the macro "+m.name+" takes no argument "+clip(name), near(name, m.params, "add it to the macro"))
		}
	}
	for i, name := range m.params {
		if m.defaults[i] == nil && c.arg(name) == nil {
			r.fail(c.span, "the macro "+m.name+" needs the argument "+name, "write self::"+m.name+"("+name+"=…)")
		}
	}
}

func (m *macro) param(name string) int {
	for i, p := range m.params {
		if p == name {
			return i
		}
	}
	return -1
}

// arg is the argument of that name, or nil.
func (c *call) arg(name string) expr {
	for i, n := range c.names {
		if n == name {
			return c.args[i]
		}
	}
	return nil
}

// fail keeps the error that stands first in the template.
func (r *resolver) fail(at span, what, fix string) {
	if r.err != nil && r.errAt <= at.at {
		return
	}
	line, col := position(r.t.src, at.at)
	r.err, r.errAt = &Error{Line: line, Column: col, Expr: clip(r.tag), What: what, Fix: fix}, at.at
}

// cursor turns offsets into places, fast when they come in order.
type cursor struct{ at, line, col int }

func (c *cursor) to(src string, at int) (line, col int) {
	if at < c.at {
		*c = cursor{}
	}
	piece := src[c.at:at]
	if i := strings.LastIndexByte(piece, '\n'); i >= 0 {
		c.line += strings.Count(piece, "\n")
		c.col, piece = 0, piece[i+1:]
	}
	c.col += utf8.RuneCountInString(piece)
	c.at = at
	return c.line + 1, c.col + 1
}
