package tera

import (
	"slices"
	"strings"
)

// language is how an interpreter is told its program.
type language struct {
	code  string // the short options that a program follows
	arg   string // those that something else follows
	word  string // subcommands and options that a program follows
	verbs string // subcommands that the file of a program follows
	// module: -m runs the one behind it; files: it opens the files that it is given,
	// and runs those that end in a |.
	module, files bool
}

// interpreter reports whether a command is a shell or runs a program of a language.
func interpreter(name string) bool {
	t := known(name)
	return t != nil && (t.lang != nil || t.is&shellish != 0)
}

// shell checks the arguments of sh, bash and their like. The file they run, and
// what comes after it, is all that may have a value; the file itself may not.
func shell(args []arg, at int) objection {
	name := args[0].text
	for i := 1; i < at; i++ {
		text := args[i].text
		switch {
		case text == "--":
			i++
			fallthrough
		case !args[i].fades && !strings.HasPrefix(text, "-") && !strings.HasPrefix(text, "+"):
			if i < at {
				return objection{}
			}
		case strings.HasPrefix(text, "--"):
			i++ // --rcfile FILE; others take nothing, but then too much is refused, not too little
		case strings.Contains(text, "c"):
			if i+1 < at && args[i+1].static {
				return twice(name+" "+text+" hands the value to a script in which nothing is quoted for it", "let bash or sh run it")
			}
			return twice(name+" "+text+" "+runsTwice, `leave the value out of the code and hand it over behind it: `+name+` -c '… "$1" …' _ {{ … }}`)
		case strings.Contains(text, "s"):
			return no(name+" "+text+" "+runsTwice, fixData)
		case strings.ContainsAny(text, "oO"):
			i++
		}
	}
	return no("a value cannot choose what "+name+" runs", "write the name of the script itself")
}

// ruling checks the arguments of an interpreter: a value may come only after the
// file or module it runs.
func (l language) ruling(args []arg, at int) objection {
	name := args[0].text
	code := func(option string) objection {
		return twice(name+" "+option+" may read the value as a program", "keep the program in a file, or "+fixRead)
	}
	for i := 1; i <= at; i++ {
		if l.word != "" && listed(l.word, before(args[i])) {
			return code(before(args[i]))
		}
	}
	for i := 1; i < at; i++ {
		text := args[i].text
		switch {
		case args[i].fades:
		case text == "--":
			if i+1 < at {
				return l.handed(args, i+1, at)
			}
		case text == "-": // its input is the program
			return l.handed(args, i, at)
		case listed(l.verbs, text):
		case !strings.HasPrefix(text, "-"):
			return l.handed(args, i, at)
		case l.module && strings.HasSuffix(text, "m") && !strings.HasPrefix(text, "--"):
			if i+1 < at {
				return ofModule(name, args[i+1:], at-i-1)
			}
		case strings.HasPrefix(text, "--"):
			if slices.ContainsFunc([]string{"--eval", "--print", "--run", "--exec"}, func(o string) bool { return strings.HasPrefix(text, o) }) {
				return code(text)
			}
			if !strings.Contains(text, "=") {
				i++
			}
		case strings.ContainsAny(text[1:], l.code):
			if l.module && strings.HasSuffix(text, "c") && i+1 < at && args[i+1].static {
				return objection{} // the others open what is behind the program, or take it for options
			}
			return code(text)
		case text != "-" && strings.ContainsAny(text[len(text)-1:], l.arg):
			i++
		}
	}
	return no("a value cannot choose what "+name+" runs", "write the name of the program itself")
}

// handed checks what the program in the file args[file] is given.
func (l language) handed(args []arg, file, at int) objection {
	words := args[file+1 : at]
	switch {
	case l.files:
		return objection{want: aFile}
	case strings.HasSuffix(args[file].text, "manage.py") && len(words) > 1 && words[0].text == "shell" && codeOption(words[len(words)-1].text),
		args[file].text == "artisan" && len(words) > 0 && words[0].text == "tinker":
		return twice(args[0].text+" "+args[file].text+" "+words[0].text+" would read the value as a program", fixRead)
	}
	return objection{}
}

// running are the modules of python that run a program that they are told.
const running = "pdb runpy cProfile profile trace bdb coverage"

// ofModule checks the arguments of a module of python, args[0].
func ofModule(name string, args []arg, at int) objection {
	module := args[0].text
	if listed("unittest doctest pydoc pytest", module) && !isOption(args[at]) {
		return twice(name+" -m "+module+" would run what the value names", "write the names of the modules themselves")
	}
	if module == "timeit" || module == "pdb" && args[at-1].text == "-c" {
		return twice(name+" -m "+module+" would read the value as a program", fixRead)
	}
	if listed(running, module) && !slices.ContainsFunc(args[1:at], func(a arg) bool { return a.static && !strings.HasPrefix(a.text, "-") }) {
		return no("a value cannot choose what "+name+" -m "+module+" runs", "write the name of the program itself")
	}
	return objection{}
}
