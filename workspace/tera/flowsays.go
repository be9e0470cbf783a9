package tera

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"mvdan.cc/sh/v3/syntax"
)

const fixReread = "run the commands in this script itself, and hand the value over as an argument"

// said is what a reading of a holder is in the words of the script.
func (f *flows) said(h holder, r reading) string {
	n := r.node
	if r.call != nil {
		n = r.call
	}
	text := f.s.replace(f.s.src[n.Pos().Offset():n.End().Offset()], func(p *place) string { return p.node.tag })
	text = clip(strings.Join(strings.Fields(text), " "))
	switch r.by {
	case byList:
		return fmt.Sprintf("the value gets into %s, in which %s runs what there is in brackets", h, text)
	case byForm:
		return fmt.Sprintf("the value gets into %s, which %s reads", h, text)
	case byProgram:
		if codeFile(h) {
			return fmt.Sprintf("the value gets into %s, which is code by its name", h)
		}
		return fmt.Sprintf("the value gets into %s, which %s would read as code", h, text)
	case byOptions:
		if r.many {
			return fmt.Sprintf("the value gets into %s, of which %s would take any word that begins with - for an option", h, text)
		}
		return fmt.Sprintf("the value gets into %s, which %s would take for an option if it begins with -", h, text)
	}
	return fmt.Sprintf("the value gets into %s, which %s runs or reads as a number", h, text)
}

// onlyDigits reports whether a value is digits behind at most one sign. There is
// nothing in them to run, whether or not they are a number that a shell can hold.
func onlyDigits(v string) bool {
	digits := strings.TrimLeft(v, "+-")
	return digits != "" && len(v)-len(digits) <= 1 && strings.Trim(digits, "0123456789") == ""
}

// followed gives each place of those that are asked for with the readings that a
// value there gets to.
func (s *script) followed(asked func(*place) bool, each func(*place, holder, reading)) *Error {
	f := s.flows()
	if len(f.reads) > 0 {
		f.index()
	}
	if f.lost {
		return &Error{Line: 1, Column: 1, What: "the script is too large to follow values through it", Fix: "keep it in a file of its own, and " + fixEnv}
	}
	for _, p := range s.places {
		if len(f.reads) == 0 || p.want != anything || p.kind == summed || !asked(p) {
			continue // what must be a number or a name is nothing else
		}
		var plain map[holder]bool
		f.readsOf(f.reached(s.uncounted(p)), func(h holder, r reading) {
			if r.by == byOptions && plain == nil {
				plain = f.reached(s.plainly(p))
			}
			if r.by != byOptions || plain[h] {
				each(p, h, r)
			}
		})
	}
	return nil
}

// uncounted are the nodes that a place is in, from the last of which only a number
// comes out.
func (s *script) uncounted(p *place) []syntax.Node {
	for i, n := range slices.Backward(p.stack) {
		if subst, ok := n.(*syntax.CmdSubst); ok && s.numeric(subst) {
			return p.stack[i+1:]
		}
	}
	return p.stack
}

// reevaluated refuses values that get to where the shell reads them as code, and an
// agent's also where a program does.
func (s *script) reevaluated() (errs []*Error) {
	risky := func(p *place) bool { return !onlyDigits(p.value.text) }
	if !slices.ContainsFunc(s.places, risky) {
		return nil
	}
	err := s.followed(risky, func(p *place, h holder, r reading) {
		switch what := s.flow.said(h, r); {
		case r.by == byList && strings.ContainsAny(p.value.text, "($`"):
			errs = append(errs, s.t.fault(p.node, what, "assign it on a line of its own: NAME=…"))
		case r.by == byForm && !demands[r.want].form.MatchString(p.value.text):
			errs = append(errs, s.t.fault(p.node, what+": "+demands[r.want].what, demands[r.want].fix))
		case r.by == byOptions && s.t.options.ForbidRaw && p.value.foreign && s.givesOption(p.value.text, r):
			errs = append(errs, s.t.fault(p.node, what, r.fixOption()))
		case r.by == byShell && r.runs:
			errs = append(errs, s.t.fault(p.node, what, `write the command itself before what varies, as in git clone "${args[@]}"; only a whole number can stand here`))
		case r.by == byShell || r.by == byNumber:
			errs = append(errs, s.t.fault(p.node, what, fixNumber))
		case r.by == byProgram && s.t.options.ForbidRaw && p.value.foreign:
			errs = append(errs, s.t.fault(p.node, what+", and this action does not allow it", fixReread+"; "+fixAllow))
		}
	})
	if err != nil {
		errs = append(errs, err)
	}
	return errs
}

// givesOption reports whether a value, or where the shell makes words of it one of
// those, may be an option.
func (s *script) givesOption(value string, r reading) bool {
	if r.many && s.flow.sets["IFS"] { // any character may part its words
		value = strings.Map(func(c rune) rune {
			if c != '-' && !unicode.IsLetter(c) && !unicode.IsDigit(c) {
				return ' '
			}
			return c
		}, value)
	}
	return beginsOption(value, r.many) || r.names && !onlyDigits(value)
}

// beginsOption reports whether a value begins as an option does, or if it is many
// words one of them.
func beginsOption(value string, many bool) bool {
	words := []string{value}
	if many {
		words = strings.Fields(value)
	}
	return slices.ContainsFunc(words, func(w string) bool { return isOption(arg{text: strings.TrimLeft(w, `"'\`)}) })
}

// fixOption says what to write so that what a variable holds is no option.
func (r reading) fixOption() string {
	name := ""
	if r.call != nil {
		name = program(litOf(r.call.Args[0]))
	}
	if r.many && name != "xargs" {
		return `put "…" around it, and ` + fixOption(name)
	}
	return fixOption(name)
}

// warnedAfar adds what there is to know of places that a value leaves.
func (s *script) warnedAfar(note func(kind Kind, p *place, what, fix string)) {
	_ = s.followed(func(p *place) bool { return !harmless(p.node.x) && p.again == nil }, func(p *place, h holder, r reading) {
		switch what := s.flow.said(h, r); {
		case s.guarded(h.String(), h, r) || s.guarded(p.node.tag, h, r):
		case r.by == byProgram:
			note(Again, p, what, fixReread)
		case r.by == byShell || r.by == byNumber:
			note(Counted, p, what+": any but a whole number will be refused", "declare the input as type: integer")
		case r.by == byOptions && p.option == "":
			note(Option, p, what, r.fixOption())
		}
	})
}
