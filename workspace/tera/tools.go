package tera

import (
	"path"
	"slices"
	"strings"
)

// tool is what is known of a command: one row in the table of its family.
type tool struct {
	name  string                // the first of its names
	also  string                // the others
	is    trait                 // what it is besides
	rule  ruling                // what speaks against a value among its arguments
	lang  *language             // it is an interpreter, and told its program like that
	runs  *wrapper              // it runs the command among its arguments
	door  *door                 // it does so behind some words
	code  string                // its options behind which comes a command, a library or a file that names commands
	reads string                // its options whose argument it reads as code, which is what they are for
	takes string                // its short options that something follows; * is all of its options
	flags string                // its long options that nothing follows
	subs  map[string]string     // the same of its commands, where it has some
	input func(args []arg) bool // whether it runs what it reads on its input, given its arguments
}

// trait is what a command may be besides.
type trait uint16

const (
	quiet        trait = 1 << iota // it never runs one of its arguments, which may well say "bash" before a value
	everyday                       // its name is a word of every day, and counts only where a command stands for certain
	shellish                       // it is a shell: it reads a program by -c, from a file or from its input
	takesOptions                   // it would take a value for an option
	assigning                      // NAME=value may stand before the command that it runs
	fed                            // it runs what it reads on its input
	ordinary                       // nothing else is known of it
	lonely                         // without a command it starts a shell
)

// tools is the whole table, under every name.
var tools = table()

var families = []map[string]tool{
	ownTools, shellTools, wrapperTools, fileTools, textTools, languageTools, buildTools, hostTools, boxTools, dataTools, plainTools(),
}

func table() map[string]*tool {
	all := map[string]*tool{}
	for _, family := range families {
		for name, row := range family {
			row.name = name
			for _, n := range append(strings.Fields(row.also), name) {
				all[n] = &row
			}
		}
	}
	return all
}

// own reports whether the command is one of the shell's own.
func (t *tool) own() bool {
	if t == nil {
		return false
	}
	_, own := ownTools[t.name]
	return own
}

// Columns of the table, under every name.
var (
	shells    = shellNames()
	languages = column(func(t *tool) *language { return t.lang })
)

func shellNames() (names []string) {
	for name, t := range tools {
		if t.is&shellish != 0 {
			names = append(names, name)
		}
	}
	return names
}

func column[T any](of func(*tool) *T) map[string]T {
	m := map[string]T{}
	for name, t := range tools {
		if v := of(t); v != nil {
			m[name] = *v
		}
	}
	return m
}

// known finds the row of a command; it is nil where there is none.
func known(command string) *tool { return tools[program(command)] }

// program is the name of a command without its folder and its version, and the
// first of its names if it has others: /usr/bin/python3.12 is python.
func program(command string) string {
	name := command
	if strings.Contains(name, "/") {
		name = path.Base(command)
	}
	name = strings.TrimSuffix(name, ".exe")
	if t := tools[name]; t != nil {
		return t.name
	}
	bare := name
	for _, built := range []string{"-dbg", "-debug", "-static"} {
		bare = strings.TrimSuffix(bare, built)
	}
	if n := len(bare); n > 1 && bare[n-1] == 't' && digit(bare[n-2]) { // python3.13t has no lock
		bare = bare[:n-1]
	}
	if bare = strings.TrimRight(bare, "0123456789.-"); bare == "" {
		bare = name
	}
	if t := tools[bare]; t != nil {
		return t.name
	}
	// On macOS the programs of GNU have a g before their names. Whatever has a name of
	// its own that begins so, such as git, has a row.
	if t := tools[strings.TrimPrefix(bare, "g")]; t != nil && len(bare) > 2 {
		if _, own := ownTools[t.name]; !own {
			return t.name
		}
	}
	return bare
}

// rulingOf finds what is known of a command that speaks against a value.
func rulingOf(command string) (ruling, bool) {
	t := known(command)
	if t == nil || t.rule == nil && t.lang == nil && t.is&shellish == 0 && t.code == "" && t.reads == "" && t.door == nil {
		return nil, false
	}
	return func(args []arg, at int) objection {
		if o := t.objects(args, at); o != (objection{}) {
			return o
		}
		return t.inside(args, at)
	}, true
}

// objects is what speaks against a value at args[at] of the command args[0], as
// far as it is not a part of a command that stands among them.
func (t *tool) objects(args []arg, at int) (o objection) {
	switch {
	case t.rule != nil:
		o = t.rule(args, at)
	case t.is&shellish != 0:
		o = shell(args, at)
	case t.lang != nil:
		o = t.lang.ruling(args, at)
	}
	if o == (objection{}) && (t.code != "" || t.reads != "") {
		o = t.launched(args, at)
	}
	return o
}

// launched checks a program that runs what one of its options says.
func (t *tool) launched(args []arg, at int) objection {
	return launched(t.name, t.code, t.reads, args, at)
}

func launched(name, code, reads string, args []arg, at int) objection {
	for o := range strings.FieldsSeq(code) {
		if behind(args, at, o) {
			return no(name+" would run what the value behind "+o+" says", "write that part itself")
		}
	}
	for o := range strings.FieldsSeq(reads) {
		if behind(args, at, o) {
			return twice(name+" would read the value behind "+o+" as code", fixData)
		}
	}
	return objection{}
}

// behind reports whether args[at] holds what an option takes, in the same
// argument or in the next. Long options may be cut short.
func behind(args []arg, at int, option string) bool {
	last, same := args[at-1].text, before(args[at])
	if strings.HasPrefix(option, "--") {
		name, _, joined := strings.Cut(same, "=")
		return short(last, option) && at > 1 || joined && short(name, option)
	}
	if at > 1 && last == option || strings.HasPrefix(same, option+"=") {
		return true
	}
	if len(option) > 2 {
		return false
	}
	cluster := at > 1 && strings.HasPrefix(last, "-") && !strings.HasPrefix(last, "--") && strings.HasSuffix(last, option[1:])
	joined := args[at].mark > 0 && strings.HasPrefix(same, "-") && !strings.HasPrefix(same, "--") && strings.HasSuffix(same, option[1:])
	return cluster || joined || strings.HasPrefix(same, option)
}

// short reports whether a text is a long option, or enough of one to be taken for it.
func short(text, option string) bool {
	return len(text) > len("--x") && strings.HasPrefix(option, text)
}

// takesNext reports whether what follows args[i] is the argument of that option, or
// may be.
func (t *tool) takesNext(args []arg, i int) bool {
	text := args[i].text
	switch {
	case args[i].fades:
		return true
	case t.name == "tar" && i == 1 && !strings.HasPrefix(text, "-"): // tar xzf FILE
		return strings.HasSuffix(text, "f")
	case !strings.HasPrefix(text, "-") || text == "-" || text == "--":
		return false
	case t.takes == "*" || !args[i].static:
		return true
	case strings.HasPrefix(text, "--"):
		return !strings.Contains(text, "=") && !listed(t.flags, text)
	}
	takes := t.takes
	if sub := t.command(args[:i]); sub != "" {
		takes = t.subs[sub]
	}
	first := strings.IndexAny(text[1:], takes)
	return takes != "" && first == len(text)-2
}

// choosesOption reports whether a value behind a text would choose an option of a
// command: -{{ x }}, or tar -c{{ x }}.
func choosesOption(command, text string) bool {
	return text == "-" || text == "--" || known(command).mayFollow(text)
}

// mayFollow reports whether what is joined to a few short options may be more of them,
// since none of them takes anything.
func (t *tool) mayFollow(options string) bool {
	return t != nil && t.is&takesOptions != 0 && t.takes != "*" && t.subs == nil && len(options) > 1 && options[0] == '-' && options[1] != '-' &&
		!strings.ContainsAny(options[1:], t.takes+"=")
}

// operands counts the arguments that are neither options nor what they take.
func (t *tool) operands(args []arg) (n int) {
	for i := 1; i < len(args); i++ {
		switch {
		case t.takesNext(args, i):
			i++
		case !isOption(args[i]):
			n++
		}
	}
	return n
}

// command is the first word of a program's own language: log of git log.
func (t *tool) command(args []arg) string {
	if t.subs == nil {
		return ""
	}
	for i := 1; i < len(args); i++ {
		switch {
		case !strings.HasPrefix(args[i].text, "-"):
			return args[i].text
		case len(args[i].text) == 2 && strings.Contains(t.takes, args[i].text[1:]):
			i++
		}
	}
	return ""
}

// listed reports whether a text is one of the words of a list.
func listed(list, text string) bool {
	for word := range strings.FieldsSeq(list) {
		if word == text {
			return true
		}
	}
	return false
}

// isOption reports whether an argument may be an option.
func isOption(a arg) bool { return strings.HasPrefix(a.text, "-") && a.text != "-" }

// doubleDash is where a -- stands among the arguments; -1 where there is none.
func doubleDash(args []arg) int {
	return slices.IndexFunc(args, func(a arg) bool { return a.static && a.text == "--" })
}

// endsOptions reports whether a -- stands among the arguments, behind which none is an option.
func endsOptions(args []arg) bool {
	return slices.ContainsFunc(args, func(a arg) bool { return a.static && (a.text == "--" || a.text == "--end-of-options") })
}
