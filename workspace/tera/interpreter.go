package tera

import (
	"slices"
	"strings"
)

// language is how an interpreter is told its program.
type language struct {
	code string // the short options that a program follows
	arg  string // those that something else follows
	word string // a subcommand or an option that a program follows
}

var languages = map[string]language{
	"python": {code: "c", arg: "WXQ"}, "pypy": {code: "c", arg: "WXQ"}, "ipython": {code: "c", arg: "W"},
	"perl": {code: "eE", arg: "IMmFiCxD"}, "ruby": {code: "e", arg: "IrCEFKxTW"},
	"node": {code: "ep", arg: "rC"}, "nodejs": {code: "ep", arg: "rC"}, "bun": {code: "ep", arg: "r", word: "x"}, "deno": {word: "eval"},
	"tsx": {code: "ep", arg: "r"}, "ts-node": {code: "ep", arg: "rOP"},
	"php": {code: "rBREF", arg: "dcfzS"}, "lua": {code: "e", arg: "l"}, "luajit": {code: "e", arg: "lj"}, "tclsh": {}, "wish": {}, "expect": {code: "c"},
	"Rscript": {code: "e"}, "R": {code: "e"}, "julia": {code: "eE", arg: "JCpLHO"}, "osascript": {code: "e", arg: "ls"}, "groovy": {code: "e"},
	"scala": {code: "e"}, "elixir": {code: "e", arg: "r"}, "erl": {word: "-eval"}, "pwsh": {code: "ceC", word: "-Command"}, "powershell": {code: "ceC", word: "-Command"},
	"gdb": {code: "e", arg: "x"}, "emacs": {code: "l"}, "guile": {code: "cls"}, "racket": {code: "e"}, "sbcl": {}, "ocaml": {code: "e"}, "octave": {}, "dc": {code: "e"},
}

func interpreter(name string) bool {
	_, ok := languages[program(name)]
	return ok || slices.Contains(shells, program(name))
}

// readers run what they read on their input, besides the interpreters.
var readers = []string{"at", "batch", "crontab", "ssh", "parallel", "ed", "ex", "m4", "mysql", "psql", "sqlite", "duckdb", "sftp", "ftp", "lftp", "gnuplot"}

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
				return objection{name + " " + text + " hands the value to a script in which nothing is quoted for it", `pass it by env: and write "$NAME" there`, true, anything}
			}
			return objection{name + " " + text + " " + runsTwice, `leave the value out of the code: pass it by env: and write "$NAME" in '…'`, true, anything}
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
		return objection{name + " " + option + " may read the value as a program", "keep the program in a file, or " + fixEnv, true, anything}
	}
	for i := 1; i <= at; i++ {
		if before(args[i]) == l.word && l.word != "" {
			return code(l.word)
		}
	}
	for i := 1; i < at; i++ {
		text := args[i].text
		switch {
		case args[i].fades:
		case text == "--":
			if i+1 < at {
				return objection{}
			}
		case !strings.HasPrefix(text, "-"), name == "python" && text == "-m":
			return objection{}
		case strings.HasPrefix(text, "--"):
			if strings.HasPrefix(text, "--eval") || strings.HasPrefix(text, "--print") || strings.HasPrefix(text, "--run") {
				return code(text)
			}
			if !strings.Contains(text, "=") {
				i++
			}
		case strings.ContainsAny(text[1:], l.code):
			if program(name) == "python" && strings.HasSuffix(text, "c") && i+1 < at && args[i+1].static {
				return objection{} // the others open what is behind the program, or take it for options
			}
			return code(text)
		case text != "-" && strings.ContainsAny(text[len(text)-1:], l.arg):
			i++
		}
	}
	return no("a value cannot choose what "+name+" runs", "write the name of the program itself")
}
