package tera

import (
	"maps"
	"strconv"
	"strings"
)

func (l *literal) eval(*run) (any, *Error)    { return l.v, nil }
func (c *captured) eval(r *run) (any, *Error) { return r.taken, nil }

func (l *list) eval(r *run) (any, *Error) {
	if what := r.make(item * len(l.items)); what != "" {
		return nil, r.fail(l.span, what, fixLess)
	}
	items := make([]any, len(l.items))
	for i, x := range l.items {
		var err *Error
		if items[i], err = x.eval(r); err != nil {
			return nil, err
		}
	}
	return items, nil
}

// miss is a variable that is not there. It becomes an error only where one is
// wanted, for a default asks for many.
type miss struct {
	parent string
	name   string
	in     any
}

func (v *variable) eval(r *run) (any, *Error) {
	val, m, err := v.find(r)
	if err != nil {
		return nil, err
	}
	if m != nil {
		return nil, v.missing(r, m)
	}
	return val, nil
}

// find looks the variable up.
func (v *variable) find(r *run) (val any, m *miss, err *Error) {
	if err := r.spend(v.span, 1+len(v.steps)); err != nil {
		return nil, nil, err
	}
	val, ok := r.lookup(v.name)
	if !ok {
		return nil, &miss{name: v.name, in: r.known()}, nil
	}
	for i, h := range v.steps {
		name := h.name
		if h.x != nil {
			if name, err = v.index(r, h.x); err != nil {
				return nil, nil, err
			}
		}
		next, ok := descend(val, name)
		if !ok {
			return nil, &miss{parent: v.upTo(r, i), name: name, in: val}, nil
		}
		val = next
	}
	if l, ok := val.(*loop); ok {
		val = l.all()
	}
	return val, nil, nil
}

// index works out what is in brackets.
func (v *variable) index(r *run, x expr) (string, *Error) {
	val, err := x.eval(r)
	if err != nil {
		return "", err
	}
	if s, ok := val.(string); ok {
		return s, nil
	}
	if n, ok := whole64(val); ok {
		return strconv.FormatInt(n, 10), nil
	}
	return "", r.fail(x.where(), "a text or a whole number stands in brackets, and this is "+typeName(val), "")
}

// upTo shows the path before its step i.
func (v *variable) upTo(r *run, i int) string {
	names := []string{v.name}
	for _, h := range v.steps[:i] {
		name := h.name
		if h.x != nil {
			name, _ = v.index(r, h.x)
		}
		names = append(names, name)
	}
	return dotted(names)
}

// dotted writes a path as a template would.
func dotted(names []string) string {
	var b strings.Builder
	for i, n := range names {
		switch {
		case i == 0:
			b.WriteString(n)
		case n != "" && count(n, wordly) == len(n):
			b.WriteString("." + n)
		default:
			b.WriteString("[" + strconv.Quote(n) + "]")
		}
	}
	return clip(b.String())
}

// lookup finds a name in the frames and then among the variables.
func (r *run) lookup(name string) (any, bool) {
	for f := r.in; f != nil; f = f.parent {
		if v, ok := f.names[name]; ok {
			return v, true
		}
		if l := f.loop; l != nil {
			switch {
			case name == "loop":
				return l, true
			case l.with == "" && name == l.name, l.with != "" && name == l.with:
				return l.item, true
			case l.with != "" && name == l.name:
				return l.key, true
			}
		}
		if f.macro {
			return nil, false
		}
	}
	v, ok := r.vars[name]
	return v, ok
}

// known are the names that a template could have meant.
func (r *run) known() map[string]any {
	for f := r.in; f != nil; f = f.parent {
		if f.names == nil && f.loop == nil && !f.macro {
			continue
		}
		all := map[string]any{}
		for f := r.in; f != nil; f = f.parent {
			maps.Copy(all, f.names)
			if f.loop != nil {
				all[f.loop.name], all["loop"] = nil, nil
				if f.loop.with != "" {
					all[f.loop.with] = nil
				}
			}
			if f.macro {
				return all
			}
		}
		maps.Copy(all, r.vars)
		return all
	}
	return r.vars
}

// missing is the error of a variable that is not there.
func (v *variable) missing(r *run, m *miss) *Error {
	what, fix := lost(m.parent, m.name, m.in)
	if v.hyphens != nil {
		if better := v.hyphenated(r, m); better != "" {
			what, fix = noHyphens, better
		}
	}
	return r.fail(v.span, what, fix)
}

// hyphenated says how to write a name with a hyphen, if that is what is missing.
func (v *variable) hyphenated(r *run, m *miss) string {
	last := len(v.steps)
	name := v.hyphens[last]
	if last > 0 {
		if in, ok := object(m.in); ok {
			if _, ok := in[name]; ok {
				return "write " + dotted(append(v.names()[:last:last], name))
			}
		}
		return ""
	}
	_, known := r.lookup(strings.ReplaceAll(name, "-", "_"))
	if known || len(v.hyphens) > 1 && v.hyphens[1] == "output" {
		return fixHyphens(v.hyphens)
	}
	return ""
}

func (l *loop) field(name string) (any, bool) {
	switch name {
	case "index":
		return int64(l.index + 1), true
	case "index0":
		return int64(l.index), true
	case "first":
		return l.index == 0, true
	case "last":
		return l.index == l.n-1, true
	}
	return nil, false
}

func (l *loop) all() map[string]any {
	m := map[string]any{}
	for _, name := range []string{"index", "index0", "first", "last"} {
		m[name], _ = l.field(name)
	}
	return m
}

func (c *concat) eval(r *run) (any, *Error) {
	var b strings.Builder
	for _, x := range c.parts {
		v, err := x.eval(r)
		if err != nil {
			return nil, err
		}
		s, ok := v.(string)
		if !ok {
			if !isNumber(v) {
				return nil, r.fail(x.where(), "~ joins texts and numbers, and this is "+typeName(v), "make a text of it: … | as_str")
			}
			var what string
			if s, what = showNumber(v); what != "" {
				return nil, r.fail(x.where(), "this "+what, "")
			}
		}
		if what := r.make(len(s)); what != "" || b.Len()+len(s) > maxText {
			return nil, r.fail(x.where(), "the text grows too long", fixLess)
		}
		b.WriteString(s)
	}
	return b.String(), nil
}

func (n *not) eval(r *run) (any, *Error) {
	yes, err := r.truth(n.x)
	return !yes, err
}

// truth works out a condition, in which a missing variable is false.
func (r *run) truth(x expr) (bool, *Error) {
	base := x
	for {
		u, ok := base.(*use)
		if !ok || filters[u.name] != u.def {
			break
		}
		if u.def.lenient {
			base = nil
			break
		}
		base = u.x
	}
	if v, ok := base.(*variable); ok {
		val, m, err := v.find(r)
		if err != nil || m != nil {
			return false, err
		}
		if x == base {
			return truthy(val), nil
		}
	}
	val, err := x.eval(r)
	if err != nil {
		return false, err
	}
	return truthy(val), nil
}

func (u *use) eval(r *run) (any, *Error) {
	if err := r.spend(u.span, 2); err != nil {
		return nil, err
	}
	if u.def.lenient {
		return u.cope(r)
	}
	a := arguing{r: r, u: u}
	var in any
	var err *Error
	if u.x != nil {
		if in, err = u.x.eval(r); err != nil {
			return nil, err
		}
	}
	a.given = make([]any, len(u.args))
	for i, x := range u.args {
		if x == nil {
			continue
		}
		if a.given[i], err = x.eval(r); err != nil {
			return nil, err
		}
	}
	if s, ok := in.(string); ok && u.x != nil {
		a.cost(4 * len(s))
	}
	out := u.def.do(&a, in)
	if s, ok := out.(string); ok {
		a.room(len(s))
	}
	if a.err != nil {
		return nil, a.err
	}
	if u.negated {
		out = !out.(bool)
	}
	return out, nil
}

// cope does what a missing variable may be given to: default, defined, undefined.
func (u *use) cope(r *run) (val any, err *Error) {
	there := true
	if v, ok := u.x.(*variable); ok {
		var m *miss
		if val, m, err = v.find(r); err != nil {
			return nil, err
		}
		there = m == nil
	} else if val, err = u.x.eval(r); err != nil {
		return nil, err
	}
	switch u.name {
	case "defined":
		return there != u.negated, nil
	case "undefined":
		return there == u.negated, nil
	}
	if there && val != nil {
		return val, nil
	}
	return u.args[0].eval(r)
}
