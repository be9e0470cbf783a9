package tera

import "strings"

// guessed checks a program of which nothing is known: what stands behind an option
// that is named like code may be code.
func guessed(args []arg, at int) objection {
	option, joined := "", before(args[at])
	if at > 1 && args[at-1].static {
		option = args[at-1].text
	}
	own := ownScript(args[0].text)
	switch name, _, ok := strings.Cut(joined, "="); {
	case strings.HasPrefix(joined, "--"):
		if option = name; !ok || !codeName(name) {
			return objection{}
		}
	case !own && args[at].mark > 0 && codeLetters(name):
		option = name
	case !codeName(option) && (own || !codeLetters(option)):
		return objection{}
	}
	return objection{what: args[0].text + " may read the value behind " + option + " as code", fix: fixRead, again: true, guess: true}
}

// ownScript reports whether a program is named by a path from where the script runs:
// its author wrote it as well, and knows what its -c and -e are.
func ownScript(command string) bool {
	return strings.Contains(command, "/") && !strings.HasPrefix(command, "/") && !strings.HasSuffix(command, "manage.py")
}

// codeOption reports whether an option is named like code, long or short.
func codeOption(option string) bool { return codeLetters(option) || codeName(option) }

// codeLetters reports whether an option, or a few in one, ends in the letter by which
// interpreters take their program: -c, -lc, -ne.
func codeLetters(option string) bool {
	n := len(option)
	if n < 2 || n > 4 || option[0] != '-' || option[n-1] != 'c' && option[n-1] != 'e' {
		return false
	}
	for i := 1; i < n; i++ {
		if !letter(option[i]) {
			return false
		}
	}
	return true
}

// codeNames are long options that take code or a command, whoever has them; of the
// others the first or the last of their words says it.
const codeNames = "command commands cmd cmds run script scripts code expression expr program print shell preview callback post-renderer"

// codeName reports whether a long option is named like code: --eval, --exec-start,
// --on-change-cmd.
func codeName(option string) bool {
	name, ok := strings.CutPrefix(option, "--")
	if !ok || name == "" {
		return false
	}
	if listed(codeNames, name) {
		return true
	}
	first, _, _ := strings.Cut(name, "-")
	last := name[strings.LastIndex(name, "-")+1:]
	return listed("eval evaluate exec execute hook", first) || listed("command cmd exec script shell hook callback", last)
}
