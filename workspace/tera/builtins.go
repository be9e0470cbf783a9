package tera

import (
	"regexp"
	"slices"
	"strings"
)

// exported checks export, local and readonly where they are plain commands.
func exported(args []arg, at int) objection {
	name := assigns(args[at])
	options := slices.ContainsFunc(args[1:at], func(a arg) bool { return a.fades || strings.HasPrefix(a.text, "-") })
	if name == "" || options {
		return no(args[0].text+" takes a value only as NAME={{ … }}", "write the name itself, and no quotes around it")
	}
	return no(special(name))
}

// parametric checks set, which takes arguments for the script behind --, and before it
// options that change the shell.
func parametric(args []arg, at int) objection {
	if endsOptions(args[:at]) {
		return objection{}
	}
	return no("set would change the shell or its parameters", "write set -- before it, or assign a variable")
}

// comparisons are the operators of test between two words; none of them computes.
var comparisons = []string{"=", "==", "!=", "<", ">", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot", "-ef"}

// asks are the operators of test before a word; none of them computes.
var asks = regexp.MustCompile(`^-[abcdefghknprstuwxzLNOGS]$`)

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
	unknown := slices.ContainsFunc(args, func(a arg) bool { return a.fades || several(a.word) })
	switch {
	case unknown:
	case len(args) == 1:
		return objection{}
	case len(args) == 2 && at == 1 && args[0].static && args[1].whole && (args[0].text == "-v" || args[0].text == "-R"):
		return objection{want: aName}
	case len(args) == 2 && at == 1 && args[0].static && asks.MatchString(args[0].text):
		return objection{}
	case len(args) == 3 && at != 1 && args[1].static && slices.Contains(comparisons, args[1].text):
		return objection{}
	}
	return no("a value in this test may be read as an operator or as a variable's name",
		`write one comparison for each [ ], with quotes around "$VARIABLES", and join them by && and ||`)
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
// of read that takes something else is none, and is refused all the same: what an
// option takes differs from shell to shell.
func named(args []arg, at int) objection {
	last := args[at-1]
	if args[0].text == "read" && at > 1 && last.static && takesText(last.text) {
		return no("read takes names, and not all shells know what "+last.text+" takes", `write it itself; a prompt is printed by printf '%s' {{ … }}`)
	}
	unsure := slices.ContainsFunc(args[1:at], func(a arg) bool { return !a.static && !a.whole })
	if args[at].whole && !unsure {
		return objection{want: aName}
	}
	return no(args[0].text+" "+takesName, "write the name itself")
}

// sourced checks source, whose first argument is a script and the others data for it.
func sourced(args []arg, at int) objection {
	if at > 1 && args[1].static {
		return objection{}
	}
	return twice(args[0].text+" would run the file that the value names", fixData)
}
