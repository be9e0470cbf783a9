package tera

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// wrapper is a command that runs the command among its arguments.
type wrapper struct {
	flags    string // the short options that take no argument; all others may
	operands int    // the arguments before the command
	numbers  bool   // these, and what follows an option, are numbers
	words    string // the short options that a plain word follows: the name of a user
}

// skip returns the index of the command that is run, or of what may be it. It may
// come out too late, never too early: a value before that index is refused, so that
// none is taken for an argument that may be the command.
func (w wrapper) skip(args []arg) int {
	i := 1
	for ; i < len(args); i++ {
		a := args[i]
		text := a.text
		if a.fades {
			continue
		}
		if name, _, ok := strings.Cut(text, "="); ok && syntax.ValidName(name) {
			continue // NAME=value of env and sudo
		}
		if !a.static || !strings.HasPrefix(text, "-") {
			break
		}
		if text == "--" {
			i++
			break
		}
		if text != "-" && w.takesNext(text) {
			i++
		}
	}
	i += w.operands
	if i < len(args) && args[i].static && strings.HasPrefix(args[i].text, "-") {
		return len(args)
	}
	return i
}

// word reports whether a plain word follows an option, which nothing reads as code.
func (w wrapper) word(option arg) bool {
	return option.static && len(option.text) == 2 && option.text[0] == '-' && strings.Contains(w.words, option.text[1:])
}

// takesNext reports whether an option may take the next argument.
func (w wrapper) takesNext(option string) bool {
	if strings.HasPrefix(option, "--") {
		return !strings.Contains(option, "=")
	}
	for i, c := range option[1:] {
		if !strings.ContainsRune(w.flags, c) {
			return i == len(option)-2
		}
	}
	return false
}
