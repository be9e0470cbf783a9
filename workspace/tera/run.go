package tera

import (
	"strings"
)

// run is one rendering of a template.
type run struct {
	t     *Template
	vars  Vars
	in    *frame
	page  *page
	tag   string // the tag that is being worked out
	taken string // the text inside the filter section that is being worked out
	// What was used of the limits:
	steps, made, loops, calls, out int
	patterns                       map[string]*pattern
}

// frame holds the variables that a loop, a macro or the template itself has set.
type frame struct {
	parent *frame // nil at the bottom, where a macro or the template begins
	macro  bool
	names  map[string]any
	loop   *loop
}

// loop is where a for stands.
type loop struct {
	name, with string
	item       any
	key        string // the first variable, where there is a second
	index, n   int
}

// page is where a rendering goes. A script is kept in pieces, so that it is known
// later which of them are values.
type page struct {
	b      strings.Builder
	script bool
	code   bool // of another language than a shell's
	pieces []segment
}

// segment is a piece of a rendered script: text of the template, or a value.
type segment struct {
	at   int
	text string
	out  *output // what wrote the value; nil for text
	raw  bool    // the text is a value, written as it is
	val  value
}

func newRun(t *Template, v Vars) *run {
	return &run{t: t, vars: v, in: &frame{}, page: &page{}}
}

// all renders the whole template.
func (r *run) all() error {
	if _, err := r.list(r.t.nodes); err != nil {
		return err
	}
	return nil
}

func (r *run) list(list []stmt) (signal, *Error) {
	for _, n := range list {
		if s, err := n.exec(r); err != nil || s != onward {
			return s, err
		}
	}
	return onward, nil
}

// wrote counts what comes out.
func (r *run) wrote(at span, n int) *Error {
	if r.out += n; r.out > maxOutput || len(r.page.pieces) > maxNodes {
		return r.fail(at, "the template makes too much text", fixLess)
	}
	return r.spend(at, 1+n>>10)
}

// spend counts work.
func (r *run) spend(at span, n int) *Error {
	if what := r.step(n); what != "" {
		return r.fail(at, what, fixLess)
	}
	return nil
}

func (r *run) fail(at span, what, fix string) *Error {
	line, col := position(r.t.src, at.at)
	return &Error{Line: line, Column: col, Expr: clip(r.tag), What: what, Fix: fix}
}

func (n *text) exec(r *run) (signal, *Error) {
	if err := r.wrote(span{at: n.at}, len(n.s)); err != nil {
		return onward, err
	}
	if r.page.script {
		r.page.pieces = append(r.page.pieces, segment{at: n.at, text: n.s})
	} else {
		r.page.b.WriteString(n.s)
	}
	return onward, nil
}

func (n *output) exec(r *run) (signal, *Error) {
	r.tag = n.tag
	v, err := n.x.eval(r)
	if err != nil {
		return onward, err
	}
	return onward, r.write(n, v)
}

// write is the one place where a value is written out.
func (r *run) write(n *output, v any) *Error {
	p := printer{r: r, left: maxOutput}
	s, ok := v.(string)
	if !ok {
		if p.show(v, 0); p.what != "" {
			return r.t.fault(n, n.inner+" "+p.what, p.fix)
		}
		s = p.b.String()
	}
	if err := r.wrote(n.x.where(), len(s)); err != nil {
		return err
	}
	if !r.page.script {
		r.page.b.WriteString(s)
		return nil
	}
	if !r.page.code && strings.IndexByte(s, 0) >= 0 {
		return r.t.fault(n, n.inner+" has a NUL character, which a shell cannot hold", "take it out of the value")
	}
	if n.raw {
		if err := r.naked(n); err != nil {
			return err
		}
		r.page.pieces = append(r.page.pieces, segment{at: n.x.where().at, text: s, raw: true})
		return nil
	}
	r.page.pieces = append(r.page.pieces, segment{at: n.x.where().at, out: n, val: value{any: v, text: s, foreign: r.t.options.ForbidRaw && r.foreign(n)}})
	return nil
}

func (n *choose) exec(r *run) (signal, *Error) {
	for _, b := range n.branches {
		if b.cond != nil {
			r.tag = b.tag
			yes, err := r.truth(b.cond)
			if err != nil {
				return onward, err
			}
			if !yes {
				continue
			}
		}
		return r.list(b.body)
	}
	return onward, nil
}

func (n *assign) exec(r *run) (signal, *Error) {
	r.tag = n.tag
	v, err := n.x.eval(r)
	if err != nil {
		return onward, err
	}
	f := r.in
	for n.global && f.parent != nil {
		f = f.parent
	}
	if f.names == nil {
		f.names = map[string]any{}
	}
	f.names[n.name] = v
	return onward, nil
}

func (n *jump) exec(*run) (signal, *Error) { return n.how, nil }

func (n *section) exec(r *run) (signal, *Error) {
	s, how, err := r.capture(n.out.x.where(), n.body)
	if err != nil {
		return onward, err
	}
	outer := r.taken
	r.taken, r.tag = s, n.out.tag
	v, err := n.out.x.eval(r)
	r.taken = outer
	if err != nil {
		return onward, err
	}
	return how, r.write(n.out, v)
}

// capture renders a piece of the template to a text of its own: a value.
func (r *run) capture(at span, list []stmt) (string, signal, *Error) {
	outer := r.page
	r.page = &page{}
	how, err := r.list(list)
	s := r.page.b.String()
	r.page = outer
	if err != nil {
		return "", how, err
	}
	if what := r.make(len(s)); what != "" {
		return "", how, r.fail(at, what, fixLess)
	}
	return s, how, nil
}

func (n *each) exec(r *run) (signal, *Error) {
	r.tag = n.tag
	in, err := n.in.eval(r)
	if err != nil {
		return onward, err
	}
	keys, items, err := r.turns(n, in)
	if err != nil {
		return onward, err
	}
	if len(items) == 0 {
		return r.list(n.none)
	}
	outer := r.in
	defer func() { r.in = outer }()
	l := &loop{name: n.name, with: n.with, n: len(items)}
	for i, v := range items {
		if r.loops++; r.loops > maxLoops {
			r.tag = n.tag
			return onward, r.fail(n.in.where(), "the loops take more than 100000 turns", fixLess)
		}
		if err := r.spend(n.in.where(), 1); err != nil {
			return onward, err
		}
		l.index, l.item = i, v
		if keys != nil {
			l.key = keys[i]
		}
		r.in = &frame{parent: outer, loop: l}
		how, err := r.list(n.body)
		if err != nil {
			return onward, err
		}
		if how == leave {
			break
		}
	}
	return onward, nil
}

// turns lists what a loop goes through: items, characters, or keys and values.
func (r *run) turns(n *each, in any) (keys []string, items []any, err *Error) {
	const objects = "loop through it with a key and a value: {% for key, value in … %}"
	if m, ok := object(in); ok {
		if n.with == "" {
			return nil, nil, r.fail(n.in.where(), "this is an object and no list", objects)
		}
		if err := r.spend(n.in.where(), len(m)); err != nil {
			return nil, nil, err
		}
		keys = sortedKeys(m)
		for _, k := range keys {
			items = append(items, m[k])
		}
		return keys, items, nil
	}
	switch in := in.(type) {
	case []any:
		items = in
	case string:
		if len(in) > maxLoops {
			return nil, nil, r.fail(n.in.where(), "the text is too long to loop through its characters", fixLess)
		}
		for _, c := range in {
			items = append(items, string(c))
		}
	default:
		return nil, nil, r.fail(n.in.where(), "a loop goes through a list, an object or a text, and this is "+typeName(in), "")
	}
	if n.with != "" {
		return nil, nil, r.fail(n.in.where(), "this is "+typeName(in)+" and has no keys", "loop with one variable; loop.index counts")
	}
	return nil, items, nil
}

// eval renders a macro with its own variables: it sees none of those outside.
func (c *call) eval(r *run) (any, *Error) {
	m := r.t.macros[c.name]
	if r.calls >= maxCalls {
		return nil, r.fail(c.span, "the macro "+m.name+" calls itself too deeply", "let it end: {% if … %} around the call")
	}
	if err := r.spend(c.span, 1); err != nil {
		return nil, err
	}
	f := &frame{macro: true, names: map[string]any{}}
	for i, name := range m.params {
		x := c.arg(name)
		if x == nil {
			x = m.defaults[i]
		}
		v, err := x.eval(r)
		if err != nil {
			return nil, err
		}
		f.names[name] = v
	}
	outer, tag := r.in, r.tag
	r.in = f
	r.calls++
	s, _, err := r.capture(c.span, m.body)
	r.calls--
	r.in = outer
	if err != nil {
		return nil, err
	}
	r.tag = tag
	return s, nil
}
