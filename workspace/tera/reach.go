package tera

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// unknown stands for the variable whose name the script itself only learns when it
// runs: read "$1", printf -v "$name". It may be any.
const unknown = "\x00any variable"

// takesText reports whether an option of read takes something other than a name.
func takesText(option string) bool {
	return strings.HasPrefix(option, "-") && strings.ContainsAny(option[len(option)-1:], "dinNptu")
}

// evaluated notes what a variable is given by an eval that is put together as in
// eval "$1=\$2": the names in it are those that it reads when it runs.
func (f *flows) evaluated(args []arg) {
	for _, a := range args[1:] {
		if a.static || !strings.Contains(a.text, "=") {
			continue
		}
		for _, m := range namesIn.FindAllStringSubmatch(a.text, -1) {
			f.moves = append(f.moves, move{to: unknown, name: m[1]})
		}
	}
}

var namesIn = regexp.MustCompile(`\$\{?([A-Za-z0-9_@*]+)`)

// all adds every variable that the script reads to those that were reached.
func (f *flows) all(got map[string]bool, next []string) []string {
	for _, names := range [][]string{slices.Collect(maps.Keys(f.users)), slices.Collect(maps.Keys(f.reads)), slices.Collect(maps.Keys(f.rereads))} {
		for _, name := range names {
			if !got[name] && !strings.HasPrefix(name, "\x00") {
				got[name], next = true, append(next, name)
			}
		}
	}
	return next
}

// index notes what gets from where, once.
func (f *flows) index() {
	if f.users != nil {
		return
	}
	f.users, f.begins = map[string][]string{}, map[syntax.Node][]string{}
	for _, m := range f.moves {
		names := []string{m.name}
		if m.from != nil {
			names = expanded(m.from)
			f.begins[m.from] = append(f.begins[m.from], m.to)
		}
		for _, name := range names {
			f.users[name] = append(f.users[name], m.to)
		}
	}
}

// reached returns the variables that a value in those nodes, or in those
// variables, may get into.
func (f *flows) reached(nodes []syntax.Node, vars ...string) map[string]bool {
	f.index()
	got, every := map[string]bool{}, false
	var next []string
	reach := func(names ...string) {
		for _, name := range names {
			if !got[name] {
				got[name], next = true, append(next, name)
			}
			if name == unknown && !every {
				every = true
				next = f.all(got, next)
			}
		}
	}
	reach(vars...)
	for _, n := range nodes {
		reach(f.begins[n]...)
	}
	for len(next) > 0 {
		name := next[len(next)-1]
		next = next[:len(next)-1]
		reach(f.users[name]...)
		if !strings.HasPrefix(name, "\x00") {
			reach(allHeld)
		}
	}
	return got
}
