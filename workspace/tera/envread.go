package tera

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// Read is where a script reads a variable of its environment as code or as a
// number, or as more than the text it is.
type Read struct {
	Name         string
	Line, Column int
	// Option names the command that may take the value for an option: that is all then.
	Option string
	want   demand
	many   bool
	names  bool
	told   *telling // it is printed so
}

// Allows reports whether nothing speaks against a value there.
func (r Read) Allows(value string) bool {
	switch {
	case r.Option != "":
		return !beginsOption(value, r.many) && !(r.names && !onlyDigits(value))
	case r.want != anything:
		return demands[r.want].form.MatchString(value)
	case r.told != nil:
		return !strings.ContainsAny(value, r.told.spoils) && !(r.told.begins != nil && r.told.begins.MatchString(value))
	}
	return false
}

// String says what is wrong with a value that is not allowed.
func (r Read) String() string {
	switch {
	case r.Option != "":
		return fmt.Sprintf("%s would take what is in $%s for an option", r.Option, r.Name)
	case r.want != anything:
		return fmt.Sprintf("the script reads $%s: %s", r.Name, demands[r.want].what)
	case r.told != nil:
		return fmt.Sprintf("the script prints what is in $%s, and %s", r.Name, r.told.what)
	}
	return fmt.Sprintf("the script runs what is in $%s, or reads it as a number, where a shell would run it too", r.Name)
}

// Fix says what to write instead.
func (r Read) Fix() string {
	switch {
	case r.Option != "":
		return reading{many: r.many}.fixOption()
	case r.want != anything:
		return demands[r.want].fix
	case r.told != nil:
		return fixRetold
	}
	return "hand the value to a program as an argument"
}

// asRead is a reading of a variable as others are told of it.
func (f *flows) asRead(name string, r reading) (read Read) {
	read.Name = name
	switch {
	case r.by == byOptions:
		read.Option, read.many, read.names = "the command", r.many, r.names
		if r.call != nil {
			read.Option = cmp.Or(program(litOf(r.call.Args[0])), read.Option)
		}
	case r.by == byForm:
		read.want = r.want
	}
	read.Line, read.Column = position(f.s.t.src, f.s.source(int(r.node.Pos().Offset())))
	return read
}

// overwritten are the variables that a script gives something of its own before
// anything else can happen, and from where on they have that.
func overwritten(file *syntax.File) map[string]uint {
	gone := map[string]uint{}
	for _, stmt := range file.Stmts {
		call, ok := stmt.Cmd.(*syntax.CallExpr)
		if !ok || stmt.Background {
			continue
		}
		var names []string
		switch {
		case len(call.Args) == 0:
			for _, a := range call.Assigns {
				if a.Name != nil && a.Index == nil && !a.Append && !mentions(a, a.Name.Value) {
					names = append(names, a.Name.Value)
				}
			}
		case call.Args[0].Lit() == "read":
			for _, w := range call.Args[1:] {
				names = append(names, w.Lit())
			}
		}
		for _, name := range names {
			if _, ok := gone[name]; !ok {
				gone[name] = stmt.End().Offset()
			}
		}
	}
	return gone
}

// printsOf notes where the script prints a variable that it does not give something of
// its own first, so that it comes out as something else.
func (s *script) printsOf(name string, gone uint, note func(Read)) {
	got := s.flow.reached(nil, variableNamed(name))
	for _, t := range s.tellings() {
		given := t.subst != nil && s.copies(t.subst) && slices.ContainsFunc(s.flow.holders(t.subst), func(h holder) bool { return got[h] })
		if (given || t.any(got)) && !(gone > 0 && gone <= t.word.Pos().Offset()) {
			line, column := position(s.t.src, s.source(int(t.word.Pos().Offset())))
			note(Read{Name: name, Line: line, Column: column, told: &t})
		}
	}
}

// CodeReads finds where a shell script reads variables that come to it from the
// environment or as its arguments (1, 2, @) as code: in arithmetic, in eval and
// the like; and where a command may take them for more than a text.
func (t *Template) CodeReads(d Dialect, names []string) (list []Read) {
	seen := map[Read]bool{}
	note := func(read Read) {
		if !seen[read] {
			seen[read] = true
			list = append(list, read)
		}
	}
	t.ways(func(w way, _ bool) bool {
		s, err := t.script(w.pieces, false)
		if err != nil || tooLarge(s.src) {
			return true
		}
		file, err := parseShell(s.src, syntax.LangBash)
		if err != nil {
			return true
		}
		s.files, s.dialect = []*syntax.File{file}, d
		s.prepare()
		gone := overwritten(file)
		for _, name := range names {
			held := []holder{variableNamed(name)}
			if name == "1" { // run as a command, "$@" is its first
				held = append(held, holder{kind: inFirst})
			}
			s.flows().readsOf(s.flow.reached(nil, held...), func(h holder, r reading) {
				at := r.node.Pos().Offset()
				if over, ok := gone[name]; r.by == byList || ok && over <= at && h == variableNamed(name) || !s.flow.sets[name] && s.guarded("$"+name, h, r) {
					return
				}
				note(s.flow.asRead(name, r))
			})
			s.printsOf(name, gone[name], note)
		}
		return true
	})
	sort.SliceStable(list, func(i, j int) bool {
		a, b := list[i], list[j]
		return a.Line < b.Line || a.Line == b.Line && a.Column < b.Column
	})
	return list
}
