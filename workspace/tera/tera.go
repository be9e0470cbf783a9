package tera

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Vars are the variables a template may name. Values are JSON-shaped: nil, bool,
// string, json.Number, int, int64, uint64, float64, []any, map[string]any or Vars.
type Vars map[string]any

// Options are what a rendering may know besides its variables.
type Options struct {
	// Env looks up an environment variable for get_env; an error says that the
	// name is not allowed. Without it every name is refused.
	Env func(name string) (value string, set bool, err error)
	// Now is the clock, and its location the local time; without it time.Now.
	Now func() time.Time
	// Random returns a number below n for get_random; without it it is truly one.
	Random func(n uint64) uint64
	// ForbidRaw refuses raw in a script, and what a program like eval would read as
	// code, for whatever is not a secret or the template's own text.
	ForbidRaw bool
}

// Template is a parsed template. It never changes, so any number of goroutines
// may render it.
type Template struct {
	src     string
	nodes   []stmt
	macros  map[string]*macro
	refs    []Ref
	choices int // the ifs and fors, which number themselves
	raws    []*output
	options Options
}

// Ref is a variable that a template reads from outside, and where: lines and
// columns count from 1 inside the template's text, columns in characters.
type Ref struct {
	Path         []string
	Line, Column int
	// Optional says that the template copes without it: it stands under default
	// or is defined, is a condition, or a part of the template may set it.
	Optional bool
	// Hyphens is the path that is meant if the hyphens right behind it are no
	// subtraction: my-step.output for {{ my-step.output }}, whose Path is my. What
	// stands behind the hyphens is optional then.
	Hyphens []string
}

// Error says what is wrong with a template, where, and what to do about it.
type Error struct {
	Line, Column int    // 1-based place inside the template's text
	Expr         string // the faulty expression as it is written, where there is one
	What, Fix    string // what is wrong; what to do
	Unsupported  bool   // it is good Tera that cannot be used here
}

// Error reads "3:14: what is wrong; what to do".
func (e *Error) Error() string {
	s := strconv.Itoa(e.Line) + ":" + strconv.Itoa(e.Column) + ": " + e.What
	if e.Fix != "" {
		s += "; " + e.Fix
	}
	return s
}

// With returns the template with other options for its renderings.
func (t *Template) With(o Options) *Template {
	u := *t
	u.options = o
	return &u
}

// Plain is a template that is nothing but a text, whatever it looks like.
func Plain(s string) *Template { return &Template{src: s, nodes: []stmt{&text{s: s}}} }

// Lone is the variable of a template that is {{ a.b }} and nothing else; nil where
// there is more to it.
func (t *Template) Lone() []string {
	if n, ok := t.lone(); ok {
		if v, ok := n.x.(*variable); ok {
			return v.names()
		}
	}
	return nil
}

// Static reports whether the template is nothing but text, so that every
// rendering of it is the same.
func (t *Template) Static() bool {
	for _, n := range t.nodes {
		if _, ok := n.(*text); !ok {
			return false
		}
	}
	return true
}

// Refs lists every variable that the template reads from outside, in order.
func (t *Template) Refs() []Ref {
	refs := make([]Ref, len(t.refs))
	for i, r := range t.refs {
		r.Path = append([]string(nil), r.Path...)
		r.Hyphens = append([]string(nil), r.Hyphens...)
		refs[i] = r
	}
	return refs
}

// Text renders the template with every value printed as Tera prints it.
func (t *Template) Text(v Vars) (string, error) {
	r := newRun(t, v)
	if err := r.all(); err != nil {
		return "", err
	}
	return r.page.b.String(), nil
}

// Value renders the template, except that a lone {{ expression }} which is a list
// or an object stays one. A variable's value is the caller's own, not a copy.
func (t *Template) Value(v Vars) (any, error) {
	if n, ok := t.lone(); ok {
		return t.alone(n, v)
	}
	s, err := t.Text(v)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// alone is the value of a lone expression, or the text that it makes with the
// white space around it.
func (t *Template) alone(n *output, v Vars) (any, error) {
	r := newRun(t, v)
	r.tag = n.tag
	val, err := n.x.eval(r)
	if err != nil {
		return nil, err
	}
	if m, ok := object(val); ok {
		val = m
	}
	switch val.(type) {
	case []any, map[string]any:
		if _, ok := n.x.(*variable); !ok {
			if what := r.measure(val); what != "" {
				return nil, t.fault(n, n.inner+" "+what, fixLess)
			}
		}
		return val, nil
	}
	for _, m := range t.nodes {
		if m == stmt(n) {
			err = r.write(n, val)
		} else {
			_, err = m.exec(r)
		}
		if err != nil {
			return nil, err
		}
	}
	return r.page.b.String(), nil
}

// lone returns the only expression of a template that has nothing else but
// white space, such as the line break YAML puts after a block of text.
func (t *Template) lone() (out *output, ok bool) {
	for _, m := range t.nodes {
		switch m := m.(type) {
		case *text:
			if strings.TrimSpace(m.s) != "" {
				return nil, false
			}
		case *output:
			if out != nil {
				return nil, false
			}
			out = m
		default:
			return nil, false
		}
	}
	return out, out != nil
}

// fault is an error about what the expression of a tag gives.
func (t *Template) fault(n *output, what, fix string) *Error {
	line, col := position(t.src, n.x.where().at)
	return &Error{Line: line, Column: col, Expr: clip(n.tag), What: what, Fix: fix}
}

// position turns a byte offset into a line and a column, both from 1.
func position(src string, off int) (line, col int) {
	before := src[:min(off, len(src))]
	start := strings.LastIndexByte(before, '\n') + 1
	return 1 + strings.Count(before, "\n"), 1 + utf8.RuneCountInString(before[start:])
}

func trimLeft(s string) string  { return strings.TrimLeftFunc(s, unicode.IsSpace) }
func trimRight(s string) string { return strings.TrimRightFunc(s, unicode.IsSpace) }
