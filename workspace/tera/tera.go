// Package tera renders the templates of a workspace, and quotes what they write
// into a shell script so that a value is always data and never code.
//
// The language is Tera's (https://keats.github.io/tera/docs/), as far as
// {{ dotted.path }}, {# comments #} and the whitespace marks {{- and -}}. The
// rest of Tera is known and refused with [Error.Unsupported]. One difference is
// meant: ${# is text, because shell scripts write the length of a variable so.
package tera

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Vars are the variables a template may name. Values are JSON-shaped: nil, bool,
// string, json.Number, int, int64, float64, []any, map[string]any or Vars.
type Vars map[string]any

// Template is a parsed template. It never changes, so any number of goroutines
// may render it.
type Template struct {
	src   string
	nodes []node
	refs  []Ref
}

// Ref is a variable that a template names, and where: lines and columns count
// from 1 inside the template's text, columns in characters.
type Ref struct {
	Path         []string
	Line, Column int
}

// Error says what is wrong with a template, where, and what to do about it.
type Error struct {
	Line, Column int    // 1-based place inside the template's text
	Expr         string // the faulty expression as it is written, where there is one
	What, Fix    string // what is wrong; what to do
	Unsupported  bool   // it is good Tera that cannot be used yet
}

// Error reads "3:14: what is wrong; what to do".
func (e *Error) Error() string {
	s := strconv.Itoa(e.Line) + ":" + strconv.Itoa(e.Column) + ": " + e.What
	if e.Fix != "" {
		s += "; " + e.Fix
	}
	return s
}

// Static reports whether there is no expression in the template, so that every
// rendering of it is the same.
func (t *Template) Static() bool { return len(t.refs) == 0 }

// Refs lists every variable that the template names, in order.
func (t *Template) Refs() []Ref {
	refs := make([]Ref, len(t.refs))
	for i, r := range t.refs {
		r.Path = append([]string(nil), r.Path...)
		refs[i] = r
	}
	return refs
}

// Text renders the template with every value printed as Tera prints it.
func (t *Template) Text(v Vars) (string, error) {
	var b strings.Builder
	for _, n := range t.nodes {
		if n.path == nil {
			b.WriteString(n.text)
			continue
		}
		_, s, err := t.value(n, v)
		if err != nil {
			return "", err
		}
		b.WriteString(s)
	}
	return b.String(), nil
}

// Value renders the template, except that a lone {{ path }} which is a list or an
// object stays one. The value is the caller's own, not a copy.
func (t *Template) Value(v Vars) (any, error) {
	if n, ok := t.lone(); ok {
		val, s, err := t.value(n, v)
		if err != nil {
			return nil, err
		}
		switch val := val.(type) {
		case []any, map[string]any:
			return val, nil
		case Vars:
			return map[string]any(val), nil
		}
		if len(t.nodes) == 1 {
			return s, nil
		}
	}
	s, err := t.Text(v)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// lone returns the only expression of a template that has nothing else but
// white space, such as the line break YAML puts after a block of text.
func (t *Template) lone() (n node, ok bool) {
	for _, m := range t.nodes {
		switch {
		case m.path == nil && strings.TrimSpace(m.text) == "":
		case m.path == nil || ok:
			return node{}, false
		default:
			n, ok = m, true
		}
	}
	return n, ok
}

// value evaluates one expression and prints it.
func (t *Template) value(n node, v Vars) (val any, s string, err error) {
	val, what, fix := lookup(n.path, v)
	if what == "" {
		if s, what = show(val); what == "" {
			return val, s, nil
		}
		what = strings.Join(n.path, ".") + " " + what
	}
	return nil, "", t.fault(n, what, fix)
}

// fault is an error about the expression n.
func (t *Template) fault(n node, what, fix string) *Error {
	line, col := position(t.src, n.at)
	return &Error{Line: line, Column: col, Expr: n.expr, What: what, Fix: fix}
}

// position turns a byte offset into a line and a column, both from 1.
func position(src string, off int) (line, col int) {
	before := src[:min(off, len(src))]
	start := strings.LastIndexByte(before, '\n') + 1
	return 1 + strings.Count(before, "\n"), 1 + utf8.RuneCountInString(before[start:])
}

// node is a piece of a template: text, or an expression when path is set.
type node struct {
	at   int      // byte offset of the text or of the path in the template
	text string   // text to copy
	path []string // the variable to write
	expr string   // the expression as it is written, braces and all
}

func trimLeft(s string) string  { return strings.TrimLeftFunc(s, unicode.IsSpace) }
func trimRight(s string) string { return strings.TrimRightFunc(s, unicode.IsSpace) }

func unknownType(v any) string {
	return fmt.Sprintf("has a value of type %T, which cannot be printed", v)
}
