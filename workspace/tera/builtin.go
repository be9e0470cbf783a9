package tera

import (
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// exported checks export, local and readonly where they are plain commands.
func exported(args []arg, at int) objection {
	name := assigns(args[at])
	options := slices.ContainsFunc(args[1:at], func(a arg) bool { return a.fades || strings.HasPrefix(a.text, "-") })
	if name == "" || options {
		return no(args[0].text+" takes a value only as NAME={{ … }}", "write the name itself")
	}
	return no(special(name))
}

// comparisons are the operators of test between two words; none of them computes.
var comparisons = []string{"=", "==", "!=", "<", ">", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot", "-ef"}

// tested checks test and [, where a value may not be taken for an operator and
// may not name a variable.
func tested(args []arg, at int) objection {
	if args[0].text == "[" && args[len(args)-1].text == "]" {
		args = args[:len(args)-1]
	}
	if at >= len(args) {
		return no("a value stands where ] is expected", "end the test with ]")
	}
	args, at = args[1:], at-1
	if len(args) > 1 && args[0].static && args[0].text == "!" && at > 0 {
		args, at = args[1:], at-1
	}
	unknown := slices.ContainsFunc(args, func(a arg) bool { return a.fades })
	switch {
	case unknown:
	case len(args) == 1:
		return objection{}
	case len(args) == 2 && at == 1 && args[0].static && args[1].whole && (args[0].text == "-v" || args[0].text == "-R"):
		return objection{want: aName}
	case len(args) == 2 && at == 1 && args[0].static && len(args[0].text) == 2 && strings.Contains("abcdefghknprstuwxzLNOGS", args[0].text[1:]) && args[0].text[0] == '-':
		return objection{}
	case len(args) == 3 && at != 1 && args[1].static && slices.Contains(comparisons, args[1].text):
		return objection{}
	}
	return no("a value in this test may be read as an operator or as a variable's name", `write one comparison for each [ ], with quotes around "$VARIABLES", and join them by && and ||`)
}

// halfConversion and halfEscape end where the next character would belong to them.
var (
	halfConversion = regexp.MustCompile(`(^|[^%])(%%)*%[-+ #0-9.*'hlLjzt]*(\([^)]*)?$`)
	halfEscape     = regexp.MustCompile(`(^|[^\\])(\\\\)*\\([0-7]{0,4}|[xuU][0-9a-fA-F]{0,8})$`)
)

// formatted checks printf: the name behind -v, and half a conversion before a
// value in the format.
func formatted(args []arg, at int) objection {
	format, ok := formatOf(args)
	if ok && at < format && args[at].whole && args[at-1].text == "-v" {
		return objection{want: aName}
	}
	if !ok || at < format {
		return no("a value may be read as an option of printf or as a variable's name", `write the format first: printf '%s\n' {{ … }}`)
	}
	if at == format {
		static := before(args[at])
		if halfConversion.MatchString(static) || halfEscape.MatchString(static) {
			return no("the value would be a part of printf's conversion", `print it by %s: printf '%s\n' {{ … }}`)
		}
	}
	if format < at && args[format].static && strings.Contains(strings.ReplaceAll(args[format].text, "%%", ""), "%n") {
		return no("printf's %n "+takesName, "use another conversion")
	}
	return objection{}
}

// formatOf returns the index of printf's format; ok is false where an expansion
// hides it.
func formatOf(args []arg) (i int, ok bool) {
	i = 1
	for ; i < len(args); i++ {
		a := args[i]
		switch {
		case a.fades:
			return i, false
		case a.static && a.text == "--":
			return i + 1, true
		case a.static && a.text == "-v":
			i++
		case strings.HasPrefix(before(a), "-"):
			return i, false
		default:
			return i, true
		}
	}
	return i, true
}

// named checks read and unset, whose arguments are names. What follows an option
// of read that takes something else is none.
func named(args []arg, at int) objection {
	last := args[at-1]
	option := strings.HasPrefix(last.text, "-") && strings.ContainsAny(last.text[len(last.text)-1:], "dinNptu")
	unsure := slices.ContainsFunc(args[1:at], func(a arg) bool { return !a.static && !a.whole })
	if args[at].whole && !option && !unsure {
		return objection{want: aName}
	}
	return no(args[0].text+" "+takesName, "write the name itself")
}

// filtered checks jq, whose program can read the environment.
func filtered(args []arg, at int) objection {
	for i := 1; i <= at; i++ {
		switch text := args[i].text; {
		case !args[i].static && i < at:
		case slices.Contains([]string{"--arg", "--argjson", "--slurpfile", "--rawfile", "--argfile"}, text):
			i += 2
		case text == "--indent" || text == "-L":
			i++
		case text == "-f" || text == "--from-file":
			return objection{}
		case strings.HasPrefix(text, "-"):
		case i < at:
			return objection{}
		default:
			return objection{"jq would read the value as a part of its program", `write jq --arg x {{ … }} and $x in the program`, true, anything}
		}
	}
	return objection{}
}

// sourced checks source, whose first argument is a script and the others data for it.
func sourced(args []arg, at int) objection {
	if at > 1 && args[1].static {
		return objection{}
	}
	return objection{args[0].text + " would run the file that the value names", fixData, true, anything}
}

// started checks xargs, whose command a value cannot be, and may be a part of.
func started(args []arg, at int) objection {
	if (wrapper{flags: "0rtpxo"}).skip(args) >= at {
		return commandPosition()
	}
	return objection{args[0].text + " would read the value as words or run it", "loop instead: for x in …; do …; done", true, anything}
}

// found checks find, which may run commands.
func found(args []arg, at int) objection {
	if slices.Contains(runFlags, args[at-1].text) {
		return commandPosition()
	}
	for _, a := range args[1:] {
		if a.static && slices.Contains([]string{"-exec", "-execdir", "-ok", "-okdir", "-x", "-X", "--exec", "--exec-batch"}, a.text) {
			return objection{args[0].text + " " + a.text + " runs a command that the value may become a part of", "loop over what find prints, or " + fixEnv, true, anything}
		}
	}
	return objection{}
}

// remote checks rsync, whose -e takes a command.
func remote(args []arg, at int) objection {
	if last := args[at-1].text; strings.HasPrefix(last, "-") && !strings.HasPrefix(last, "--") && strings.HasSuffix(last, "e") {
		return no("rsync would run what the value says", "write the command of -e itself")
	}
	if strings.HasPrefix(args[at].text, "-") && !strings.HasPrefix(args[at].text, "--") {
		return no("rsync would run what the value says", "write the command of -e itself")
	}
	return objection{}
}

// queried checks the clients of databases, whose languages can start programs.
func queried(args []arg, at int) objection {
	for _, a := range args[1 : at+1] {
		text := before(a)
		if strings.HasPrefix(text, "--command") || strings.HasPrefix(text, "--execute") || strings.HasPrefix(text, "--init-command") ||
			strings.HasPrefix(text, "-") && !strings.HasPrefix(text, "--") && strings.ContainsAny(text, "ce") {
			return no(args[0].text+" would read the value as a part of its language", "use the client's own variables")
		}
	}
	return objection{}
}

// expands reports whether a command's arguments are printed with their
// backslashes expanded: echo in sh, echo -e, printf %b.
func (s *script) expands(args []arg, at int, d Dialect) bool {
	switch program(args[0].text) {
	case "echo":
		if d == POSIX || strings.Contains(s.src, "xpg_echo") {
			return true
		}
		for _, a := range args[1:at] {
			text := s.filled(a.text)
			if !a.fades && (!strings.HasPrefix(text, "-") || strings.Trim(text[1:], "neE") != "") {
				return false
			}
			if a.fades || strings.Contains(text, "e") {
				return true
			}
		}
	case "printf":
		format, _ := formatOf(args)
		return format < at && (!args[format].static || strings.Contains(args[format].text, "b"))
	}
	return false
}

// filled puts the values where a text has marks.
func (s *script) filled(text string) string {
	return s.replace(text, func(p *place) string { return p.value.text })
}

// call returns the innermost command that a place is an argument of, and which;
// nil where it is something else, such as an assignment.
func (p *place) call() (call *syntax.CallExpr, at int) {
	for i := len(p.stack) - 1; i > 0; i-- {
		switch n := p.stack[i].(type) {
		case *syntax.CallExpr:
			at = slices.IndexFunc(n.Args, func(w *syntax.Word) bool { return syntax.Node(w) == p.stack[i+1] })
			if at >= 0 {
				return n, at
			}
			return nil, 0
		case *syntax.Stmt:
			return nil, 0
		}
	}
	return nil, 0
}
