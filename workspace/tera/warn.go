package tera

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"sort"
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
)

// warned are the warnings about the places of a script that is all right.
func (s *script) warned(file *syntax.File) (list []*Warning) {
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
		case p.again != nil:
			note(Again, p, p.again.what, p.again.fix)
		case p.want != anything || p.kind == summed:
			// Whatever else comes is refused, and says so.
		case p.option != "":
			note(Option, p, p.option+" would take a value that begins with - for an option", fixOption(p.option))
		}
	}
	f := s.flows(file)
	if len(f.reads)+len(f.rereads) == 0 {
		return list
	}
	for _, p := range s.places {
		if harmless(p.node.x) || p.again != nil || p.want != anything || p.kind == summed {
			continue
		}
		for _, r := range f.readsOf(f.reached(p.stack)) {
			if r.again {
				note(Again, p, r.code(), fixReread)
				continue
			}
			note(Counted, p, fmt.Sprintf("the value gets into %s, which %s runs or reads as a number: any but a whole number will be refused",
				shown(r.name), r.text), "declare the input as type: integer")
		}
	}
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

// Read is where a script reads a variable of its environment as code or as a
// number.
type Read struct {
	Name         string
	Line, Column int
}

// CodeReads finds where a shell script reads variables that come to it from the
// environment or as its arguments (1, 2, @) as code: in arithmetic, in eval and
// the like.
func (t *Template) CodeReads(d Dialect, names []string) (list []Read) {
	seen := map[Read]bool{}
	t.ways(func(w way, _ bool) bool {
		s, err := t.script(w.pieces, false)
		if err != nil || tooLarge(s.src) {
			return true
		}
		file, err := parseShell(s.src, syntax.LangBash)
		if err != nil {
			return true
		}
		f := s.flows(file)
		for _, name := range names {
			if f.sets[name] || len(f.reads)+len(f.rereads) == 0 {
				continue // what the script gives it is looked at where it does so
			}
			for _, r := range f.readsOf(f.reached(nil, argumentNames(name)...)) {
				line, column := position(t.src, s.source(r.at))
				if read := (Read{name, line, column}); !seen[read] {
					seen[read] = true
					list = append(list, read)
				}
			}
		}
		return true
	})
	sort.SliceStable(list, func(i, j int) bool {
		a, b := list[i], list[j]
		return a.Line < b.Line || a.Line == b.Line && a.Column < b.Column
	})
	return list
}

// argumentNames are the names under which a script reads a variable: for its
// first argument "$@" as a command is one.
func argumentNames(name string) []string {
	if name == "1" {
		return []string{name, first}
	}
	return []string{name}
}

// optioned notes that a command may take the value for an option. In an agent's job
// that holds for every program that is no part of the script, unless the value is a
// number or another option stands before it.
func (s *script) optioned(p *place, args []arg, at int) {
	if p.option != "" || !s.begins(p, args[at]) {
		return
	}
	rest, to, _, ok := unwrap(args, at)
	t := known(rest[0].text)
	for ok && t != nil && t.door != nil {
		inner, place, _ := t.opened(rest, to)
		if len(inner) == 0 {
			break
		}
		if place == 0 {
			return
		}
		rest, to, _, ok = unwrap(inner, place)
		t = known(rest[0].text)
	}
	switch {
	case !ok || endsOptions(rest[1:to]):
	case t != nil && t.is&takesOptions != 0 && !(to > 1 && t.takesNext(rest, to-1)):
		p.option = t.name
	case t != nil && t.is&ordinary == 0 || !s.known || !args[at].whole:
	case !(to > 1 && strings.HasPrefix(rest[to-1].text, "-")) && !negative.MatchString(p.value.text):
		p.option = cmp.Or(rest[0].text, "the command")
	}
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

// fixOption says what to write so that a value is no option.
func fixOption(command string) string {
	if command == "git" || command == "find" { // to one -- says that files come, to the other nothing
		return `see first that it does not: case {{ … }} in -*) exit 1;; esac`
	}
	return "write -- before it"
}
