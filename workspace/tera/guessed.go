package tera

import (
	"path"
	"strings"
)

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

// ownScript reports whether a program is named by a path from where the script runs,
// or as a script: its author wrote it as well, and knows what its -c and -e are.
func ownScript(command string) bool {
	if strings.HasSuffix(command, "manage.py") {
		return false
	}
	return strings.Contains(command, "/") && !strings.HasPrefix(command, "/") || listed(".sh .bash .py .rb .pl .js", path.Ext(command))
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

// aboutCode are the last words of options that say something of code, and are none.
const aboutCode = "timeout url id ids name mode dir path file user group role " +
	"limit count retries delay interval format type level log key token port host size memory version env only"

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
	if listed(aboutCode, last) {
		return false
	}
	return listed("eval evaluate exec execute hook", first) || listed("command cmd exec script shell hook callback", last)
}
