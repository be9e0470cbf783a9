package tera

import (
	"fmt"
	"sort"
	"strings"
)

// Language is a programming language that a script is written in, other than a shell's.
type Language int

// The languages whose literals are known.
const (
	Python Language = iota
	JavaScript
	TypeScript
	Go
)

// String is the language as an action names it.
func (l Language) String() string {
	return [...]string{"python", "javascript", "typescript", "go"}[l]
}

// LanguageOf is the language that an action names; ok is false for a shell.
func LanguageOf(name string) (l Language, ok bool) {
	for l = Python; l <= Go; l++ {
		if l.String() == name {
			return l, true
		}
	}
	return 0, false
}

// ecma reports whether a script is read as JavaScript is.
func (l Language) ecma() bool { return l == JavaScript || l == TypeScript }

const fixInput = "read the variable INPUT_<NAME>, or the JSON in STROEM_INPUT"

// Code renders a script with every value written as a literal of its language,
// escaped where it stands in a literal of the script, or refuses. A script without
// expressions is not even looked at.
func (t *Template) Code(v Vars, lang Language) (string, error) {
	if t.Static() {
		return t.Text(v)
	}
	r := newRun(t, v)
	r.page.script, r.page.code = true, true
	if err := r.all(); err != nil {
		return "", err
	}
	s, err := t.script(r.page.pieces, true)
	if err != nil {
		return "", err
	}
	return s.code(lang)
}

// CheckCode finds the places of a script where no value can stand, in each branch
// of the template, as far as the limits allow.
func (t *Template) CheckCode(lang Language) []*Error {
	if t.Static() {
		return nil
	}
	var errs []*Error
	for _, n := range t.raws {
		errs = append(errs, t.fault(n, notCode, fixInput))
	}
	seen := map[string]bool{}
	t.ways(func(w way, _ bool) bool {
		s, err := t.script(w.pieces, false)
		if err != nil {
			errs = append(errs, &Error{Line: 1, Column: 1, What: err.Error()})
			return true
		}
		for i, sp := range s.spots(lang) {
			if sp.what == "" {
				continue
			}
			if e := s.t.fault(s.places[i].node, sp.what, sp.fix); !seen[e.Error()] {
				seen[e.Error()] = true
				errs = append(errs, e)
			}
		}
		return true
	})
	sort.SliceStable(errs, func(i, j int) bool {
		a, b := errs[i], errs[j]
		return a.Line < b.Line || a.Line == b.Line && a.Column < b.Column
	})
	return errs
}

// code writes the script with its values.
func (s *script) code(lang Language) (string, error) {
	p := printer{left: maxOutput}
	last := 0
	for i, sp := range s.spots(lang) {
		pl := s.places[i]
		if sp.what == "" {
			p.write(s.src[last:pl.at])
			last = pl.at + len(pl.mark)
			if sp.kind != inNote && !harmless(pl.node.x) && (forges(pl.value.text) || s.completes(pl)) {
				return "", s.t.fault(pl.node, forged, fixForged)
			}
			sp.what, sp.fix = sp.write(&p, pl.value, lang)
		}
		if sp.what != "" {
			return "", s.t.fault(pl.node, sp.what, sp.fix)
		}
	}
	if p.write(s.src[last:]); p.what != "" {
		return "", fmt.Errorf("the script with its values %s", p.what)
	}
	return p.b.String(), nil
}

// spots reads the script and says of each place what it is.
func (s *script) spots(lang Language) []spot {
	c := &coder{s: s, lang: lang, src: s.src, spots: make([]spot, 0, len(s.places))}
	c.shell, c.loads = shellWord.MatchString(s.src), lang == Python && loadWord.MatchString(s.src)
	c.ordered = strings.Contains(s.src, map[Language]string{Python: "# ///", Go: `"C"`}[lang])
	for range 2 {
		i := strings.IndexByte(s.src[c.third:], '\n')
		if i < 0 {
			c.third = len(s.src) + 1
			break
		}
		c.third += i + 1
	}
	c.code(0)
	if c.wrong {
		c.spots = c.spots[:0]
	}
	for len(c.spots) < len(s.places) {
		c.refuse("it is not certain what stands here: "+c.lost, "write that part more plainly, or "+fixInput)
	}
	return c.spots
}
