package tera

import (
	"cmp"
	"maps"
	"slices"

	"mvdan.cc/sh/v3/syntax"
)

// flows is where values go in a script when the shell runs it: from the words in
// which they stand into variables, files and the like, and from those to where
// something reads them as code. It takes no account of order: a name is one
// variable, whoever sets it and whenever.
//
// This file is the map and the way through it; flowmoves.go draws what moves
// where, flowreads.go what is read as code, and flowsays.go is what is said of it.
type flows struct {
	s      *script
	facts  facts
	goes   map[syntax.Node][]holder // where the text of a node goes
	in     map[holder][]syntax.Node // those of these nodes that a holder's text is in, once asked for
	passes map[holder][]holder      // where the text of a holder goes as it is
	reads  map[holder][]reading
	sets   map[string]bool // the variables that are assigned to
	lost   bool            // there is too much to follow
	guards []guard         // those of the script's own, once asked for
	asked  bool            // they were
}

// holder is something that a value may get into.
type holder struct {
	kind holding
	name string
}

// holding is what kind of thing holds a text.
type holding int

const (
	inFile       holding = iota + 1 // name is its path as the script writes it
	inDescriptor                    // a number that a redirection gave a file
	inAlias
	inOutput   // what a function prints
	inInput    // what a called function, or all behind an exec, may read
	inList     // what set, env and their like print: all variables
	someSet    // a variable that is set, whose name only the run knows
	someRead   // a variable that is read, whose name only the run knows
	someNumber // one of a function's arguments, where it is not known which
	inFirst    // the first of "$@", which is the command where that is run
	inVariable
)

func variableNamed(name string) holder { return holder{inVariable, name} }

// String names a holder to the script's author.
func (h holder) String() string {
	switch h.kind {
	case inFile:
		return "the file " + h.name
	case inDescriptor:
		return "the descriptor " + h.name
	case inAlias:
		return "the alias " + h.name
	case inOutput:
		return "the output of " + h.name
	case inList:
		return "the list of the variables"
	case someSet, someRead:
		return "any variable"
	case inFirst:
		return "$@"
	}
	return "$" + h.name
}

func (h holder) compare(to holder) int {
	return cmp.Or(cmp.Compare(h.kind, to.kind), cmp.Compare(h.name, to.name))
}

// reading is where something reads as code what a holder holds.
type reading struct {
	node  syntax.Node
	by    reader
	call  *syntax.CallExpr // the command that it is an argument of, if it is one
	want  demand           // what the value must be there
	runs  bool             // it chooses what runs
	names bool             // it chooses an option
	many  bool             // it stands outside of quotes, where the shell makes words of it
}

// reader is who reads a value.
type reader int

const (
	byShell   reader = iota // as code or as a name, which it may run
	byNumber                // the shell, as a number, in which it runs what is in a[$(…)]
	byList                  // the shell, as the elements of an array, if it is (…)
	byProgram               // as code, a second time
	byForm                  // a program, that takes some values for more than they are
	byOptions               // as an option, if it begins with -
)

// flows follows the values through the reading of the script that was looked at
// last, once.
func (s *script) flows() *flows {
	if s.flow == nil {
		file := s.files[len(s.files)-1]
		f := &flows{s: s, goes: map[syntax.Node][]holder{}, passes: map[holder][]holder{}, reads: map[holder][]reading{}, sets: map[string]bool{}}
		f.facts = s.factsOf(file)
		for _, stmt := range file.Stmts {
			syntax.Walk(stmt, func(n syntax.Node) bool {
				f.moves(stmt, n)
				f.readings(n)
				return true
			})
		}
		f.forget()
		f.numbers()
		s.flow = f
	}
	return s.flow
}

// move notes that the text of a node goes into a holder.
func (f *flows) move(from syntax.Node, to holder) {
	f.goes[from] = append(f.goes[from], to)
}

// pass notes that what a holder holds goes into another as it is.
func (f *flows) pass(from, to holder) { f.passes[from] = append(f.passes[from], to) }

// set notes that a variable is given what is in a node.
func (f *flows) set(name string, from syntax.Node) {
	h := variableNamed(name)
	f.move(from, h)
	f.sets[name] = true
	if listed(integers, name) {
		f.number(from)
	}
	if what, _ := special(name); what != "" && !slices.Contains(filled, name) {
		f.reads[h] = append(f.reads[h], reading{node: from, by: byShell})
	}
}

// integers are the variables that are numbers from the start.
const integers = "RANDOM SRANDOM SECONDS OPTIND LINENO HISTSIZE FUNCNEST TMOUT"

// filled are the variables among those that decide what runs that the shell itself
// fills with a text.
var filled = []string{"REPLY", "MAPFILE", "OPTARG", "COPROC"}

// read notes that what is in a node is read as code.
func (f *flows) read(n syntax.Node, by reader) {
	for _, h := range f.holders(n) {
		f.reads[h] = append(f.reads[h], reading{node: n, by: by})
	}
}

// index finds what is in the nodes from which something goes anywhere.
func (f *flows) index() {
	if f.in != nil {
		return
	}
	f.in = map[holder][]syntax.Node{}
	for n := range f.goes {
		for _, h := range f.holders(n) {
			f.in[h] = append(f.in[h], n)
		}
	}
}

// reached returns what a value in those nodes, or in those holders, may get into.
func (f *flows) reached(nodes []syntax.Node, held ...holder) map[holder]bool {
	var got map[holder]bool
	var next []holder
	reach := func(list ...holder) {
		for _, h := range list {
			if !got[h] {
				if got == nil {
					got = map[holder]bool{}
				}
				got[h], next = true, append(next, h)
			}
		}
	}
	reach(held...)
	for _, n := range nodes {
		reach(f.goes[n]...)
	}
	if len(next) == 0 {
		return nil
	}
	f.index()
	var seen map[syntax.Node]bool
	for len(next) > 0 {
		h := next[len(next)-1]
		next = next[:len(next)-1]
		reach(f.passes[h]...)
		for _, n := range f.in[h] {
			if !seen[n] {
				if seen == nil {
					seen = map[syntax.Node]bool{}
				}
				seen[n] = true
				reach(f.goes[n]...)
			}
		}
		switch h.kind {
		case inVariable, inFirst:
			reach(holder{kind: inList}, holder{kind: someRead})
		case someSet:
			reach(f.variables(func(holder) bool { return true })...)
		case someNumber:
			reach(f.variables(func(h holder) bool { return h.name != "" && digit(h.name[0]) })...)
		}
	}
	return got
}

// variables are those of the script's variables that are read or go anywhere.
func (f *flows) variables(which func(holder) bool) (list []holder) {
	for _, all := range [][]holder{slices.Collect(maps.Keys(f.in)), slices.Collect(maps.Keys(f.passes)), slices.Collect(maps.Keys(f.reads))} {
		for _, h := range all {
			if h.kind >= inFirst && which(h) {
				list = append(list, h)
			}
		}
	}
	return list
}

// forget drops what is read of files that the script does not write.
func (f *flows) forget() {
	written := map[holder]bool{}
	for _, list := range f.goes {
		for _, h := range list {
			written[h] = true
		}
	}
	for _, list := range f.passes {
		for _, h := range list {
			written[h] = true
		}
	}
	maps.DeleteFunc(f.reads, func(h holder, _ []reading) bool { return h.kind <= inDescriptor && !written[h] })
}

// readsOf calls each for what is read of the holders that were reached.
func (f *flows) readsOf(got map[holder]bool, each func(holder, reading)) {
	var list []holder
	for h := range got {
		if len(f.reads[h]) > 0 {
			list = append(list, h)
		}
	}
	slices.SortFunc(list, holder.compare)
	for _, h := range list {
		for _, r := range f.reads[h] {
			each(h, r)
		}
	}
}
