package tera

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// Warning is a place where a value is quoted, and where some values still do
// more than their author may think.
type Warning struct {
	Error
	Kind Kind
	// Path is the variable that is written there, if it is one as it is; for Counted
	// of the environment it is the variable's name alone.
	Path []string
}

// Kind is why there is a warning.
type Kind int

// The kinds of warnings.
const (
	Again   Kind = iota + 1 // a program reads the value as code
	Option                  // a command may take the value for an option
	Counted                 // the value gets to where only a whole number may
	Number                  // only a whole number may stand there: an error where it is known to be a text
)

// warned are the warnings about the places of a script that is all right.
func (s *script) warned() (list []*Warning) {
	note := func(kind Kind, p *place, what, fix string) {
		w := &Warning{Error: *s.t.fault(p.node, what, fix), Kind: kind}
		if v, ok := p.node.x.(*variable); ok {
			w.Path = v.names()
		}
		list = append(list, w)
	}
	for _, p := range s.places {
		switch {
		case harmless(p.node.x):
		case p.number != nil:
			note(Number, p, p.number.what, p.number.fix)
		case p.again != nil:
			note(Again, p, p.again.what, p.again.fix)
		case p.want != anything || p.kind == summed:
			// Whatever else comes is refused, and says so.
		case p.number == nil && p.again == nil && s.guardsPlace(p):
		case p.names:
			note(Option, p, "the value chooses an option of "+p.option, "write the option itself, or choose with case")
		case p.option != "":
			note(Option, p, p.option+" would take a value that begins with - for an option", p.fixOption())
		}
	}
	s.warnedAfar(note)
	return list
}

// harmless reports whether an expression gives nothing but numbers and the
// template's own texts.
func harmless(x expr) bool {
	if u, ok := x.(*use); ok && u.x != nil && slices.Contains([]string{"length", "int", "wordcount"}, u.name) {
		return true
	}
	known := true
	variables(x, func(*variable) { known = false })
	_, literal := x.(*literal)
	return known && literal
}

// optioned notes that a command may take the value for an option. In an agent's job
// that holds for every program that is no part of the script, unless the value is a
// number or another option stands before it.
func (s *script) optioned(p *place, args []arg, at int) {
	if choosesOption(args[0].text, before(args[at])) {
		p.option, p.names = cmp.Or(args[0].text, "the command"), true
	}
	if p.option != "" {
		return
	}
	switch inside, many := s.printedInto(p, args[at]); {
	case many: // an option may take the first of its words, but not the next
		p.many = true
		p.option = s.takenForOption(append(slices.Clone(args[:at]), nextWord(args[at]), nextWord(args[at])), at+1, p.value.text)
	case inside || s.begins(p, args[at]):
		p.option = s.takenForOption(args, at, p.value.text)
	}
}

// printedInto reports whether a value is in a $(…) that an argument begins with, and
// whether one stands outside of quotes, so that the shell makes words of what it prints.
func (s *script) printedInto(p *place, a arg) (begins, many bool) {
	for i, part := range pieces(a.word.Parts, false) {
		subst, ok := part.node.(*syntax.CmdSubst)
		if !ok || !slices.Contains(p.stack, syntax.Node(subst)) || !s.copies(subst) {
			continue
		}
		return i == 0 || i == 1 && pieces(a.word.Parts, false)[0].text == "", !part.quoted
	}
	return false, false
}

// takenForOption names the command that may take a value at args[at] for an option;
// it is empty where none does.
func (s *script) takenForOption(args []arg, at int, value string) string {
	sh, code := codeOf(args)
	rest, to, _, ok := unwrap(args, at)
	t := known(rest[0].text)
	for ok && t != nil && t.door != nil {
		inner, place, _ := t.opened(rest, to)
		if len(inner) == 0 {
			break
		}
		if place == 0 {
			return ""
		}
		rest, to, _, ok = unwrap(inner, place)
		t = known(rest[0].text)
	}
	switch {
	case handedOver(args, sh, code, at): // and followed
	case !ok || endsOptions(rest[1:to]) || t != nil && to > 1 && t.takesNext(rest, to-1):
	case t != nil && t.is&takesOptions != 0:
		return t.name
	case t.own() || t != nil && t.is&quiet != 0 || !s.known || !args[at].whole:
	case !(to > 1 && strings.HasPrefix(rest[to-1].text, "-")) && !negative.MatchString(value):
		return cmp.Or(rest[0].text, "the command")
	}
	return ""
}

// begins reports whether nothing stands before a value in its argument, or nothing
// but values that are empty; in "${name:-…}" it may come to be so.
func (s *script) begins(p *place, a arg) bool {
	from := int(a.word.Pos().Offset())
	if from >= p.at {
		return from == p.at
	}
	return bareLead.MatchString(s.filled(s.src[from:p.at]))
}

var bareLead = regexp.MustCompile(`^["']*(\$\{\w+:?[-+]["']*)?$`)

var negative = regexp.MustCompile(`^-[0-9]+([.][0-9]+)?$`)

// fixOption says what to write so that the value there is no option.
func (p *place) fixOption() string {
	if p.many && p.option != "xargs" {
		return `put "…" around it, and ` + fixOption(p.option)
	}
	return fixOption(p.option)
}

// fixOption says what to write so that a value is no option.
func fixOption(command string) string {
	if command == "xargs" {
		return "write -- at the end of the command that xargs runs"
	}
	if command == "git" || command == "find" { // to one -- says that files come, to the other nothing
		return `see first that it does not: case {{ … }} in -*) exit 1;; esac`
	}
	return "write -- before it and behind all options, or ./ if it is a file"
}
