package tera

import (
	"fmt"
	"slices"
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
	var errs []*Error
	for _, n := range t.raws {
		errs = append(errs, t.fault(n, notCode, fixInput))
	}
	seen := map[string]bool{}
	t.eachSpot(lang, func(n *output, sp spot) {
		if e := t.fault(n, sp.what, sp.fix); sp.what != "" && !seen[e.Error()] {
			seen[e.Error()] = true
			errs = append(errs, e)
		}
	}, func(err error) { errs = append(errs, &Error{Line: 1, Column: 1, What: err.Error()}) })
	sort.SliceStable(errs, func(i, j int) bool { return errs[i].before(errs[j]) })
	return errs
}

// WarnCode finds the places of such a script where a value is a literal, and is
// read as code by a program or a function that it is handed to.
func (t *Template) WarnCode(lang Language) []*Warning {
	var warnings []*Warning
	seen := map[string]bool{}
	t.eachSpot(lang, func(n *output, sp spot) {
		var w *Warning
		switch {
		case sp.what != "" || harmless(n.x):
			return
		case sp.again != nil:
			w = &Warning{Error: *t.fault(n, sp.again.what, sp.again.fix), Kind: Again}
		case sp.option != "":
			w = &Warning{Error: *t.fault(n, sp.option+" would take a value that begins with - for an option", fixOption(sp.option)), Kind: Option}
		default:
			return
		}
		if v, ok := n.x.(*variable); ok {
			w.Path = v.names()
		}
		if !seen[w.Error.Error()] {
			seen[w.Error.Error()] = true
			warnings = append(warnings, w)
		}
	}, func(error) {})
	sort.SliceStable(warnings, func(i, j int) bool { return warnings[i].before(&warnings[j].Error) })
	return warnings
}

func (e *Error) before(f *Error) bool {
	return e.Line < f.Line || e.Line == f.Line && e.Column < f.Column
}

// eachSpot visits the places of a script in each branch of the template.
func (t *Template) eachSpot(lang Language, visit func(*output, spot), fail func(error)) {
	if t.Static() {
		return
	}
	t.ways(func(w way, _ bool) bool {
		s, err := t.script(w.pieces, false)
		if err != nil {
			fail(err)
			return true
		}
		for i, sp := range s.spots(lang) {
			visit(s.places[i].node, sp)
		}
		return true
	})
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
			sp.what, sp.fix = s.literal(&p, sp, pl, lang)
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

// literal writes a value at a spot, or says why not.
func (s *script) literal(p *printer, sp spot, pl *place, lang Language) (what, fix string) {
	if sp.kind != inNote && sp.json == noJSON && !harmless(pl.node.x) && (forges(sp.begun+pl.value.text) || s.completes(pl)) {
		return forged, fixForged
	}
	if agent := s.t.options.ForbidRaw && pl.value.foreign; agent && !wholeNumber(pl.value.text) {
		switch {
		case sp.again != nil:
			return sp.again.what + ", and this action does not allow it", sp.again.fix + "; " + fixAllow
		case sp.option != "" && isOption(arg{text: pl.value.text}):
			return sp.option + " would read the value as an option", fixOption(sp.option)
		}
	}
	if sp.lined != "" && linedBadly(pl.value.text) {
		return "the value would become JSON that the server reads, by way of " + sp.lined, fixLined
	}
	if sp.key && lang.ecma() {
		whole := s.replace(s.src[sp.from:sp.to], func(p *place) string { return p.value.text })
		if whole == "__proto__" || strings.Contains(whole, `\`) && strings.Trim(pl.value.text, "_prot") == "" {
			return "an object's key __proto__ is more than a key", fixInput
		}
	}
	v, what, fix := sp.rewritten(pl)
	if what != "" {
		return what, fix
	}
	return sp.write(p, v, lang)
}

// spots reads the script and says of each place what it is.
func (s *script) spots(lang Language) []spot {
	c := &coder{s: s, lang: lang, src: s.src, spots: make([]spot, 0, len(s.places))}
	c.starts, c.feeds = startWord.MatchString(s.src), feeding(s.src)
	c.outputs = strings.Contains(s.src, "OUTPUT:") || strings.Contains(s.src, "STATE:") || (strings.Contains(s.src, "OUT") || strings.Contains(s.src, "STA") || strings.Contains(s.src, "GLOBAL")) && halfOutput.MatchString(s.src)
	c.shell, c.loads = shelly(s.src), lang == Python && loadWord.MatchString(s.src)
	c.yamls = c.loads && unsafeLoader.MatchString(s.src)
	switch lang { // comments of the others that are orders are known by how they begin
	case Python:
		c.ordered = strings.Contains(s.src, "# ///")
		c.pipes = strings.Contains(s.src, "popen(") && popenWrite.MatchString(s.src)
		c.hints = slices.ContainsFunc(hintWords, func(word string) bool { return strings.Contains(s.src, word) })
	case Go:
		c.ordered = strings.Contains(s.src, `"C"`)
	}
	for range 2 {
		i := strings.IndexByte(s.src[c.thirdLine:], '\n')
		if i < 0 {
			c.thirdLine = len(s.src) + 1
			break
		}
		c.thirdLine += i + 1
	}
	c.define()
	c.findStarts()
	if c.code(0); c.uncertain == "" {
		c.settle()
	}
	if c.allUncertain {
		c.spots = c.spots[:0]
	}
	for len(c.spots) < len(s.places) {
		c.refuse("it is not certain what stands here: "+c.uncertain, "write that part more plainly, or "+fixInput)
	}
	return c.spots
}
