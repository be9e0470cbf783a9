package tera

import (
	"regexp"
	"slices"
	"strings"
)

var (
	// fedName is a name by which a program's input is written.
	fedName = regexp.MustCompile(`(^|\.)([sS]tdin|communicate|StdinPipe)(\.|\(|$)`)
	// programLiteral is a literal that may name a program, behind one that starts it,
	// and with options.
	programLiteral = regexp.MustCompile("['\"`](?:(?:/usr/bin/)?(?:env|nice|sudo|nohup|exec|time|timeout [\\w.]+) (?:-\\S+ )*)?([\\w./-]{1,64})((?: [-+][\\w-]+)*)['\"`]")
	// nextLiteral is the literal that comes right behind it.
	nextLiteral = regexp.MustCompile("^[\\s,\\[({]*[a-z]{0,2}['\"`]([^'\"`]*)['\"`]")
	// inputNames are names for the input of a program.
	inputNames = regexp.MustCompile(`(?m)(\w+)\s*(?:,\s*\w+\s*)?(?::\s*\w+\s*)?:?=\s*([\w.]+)\.(?:stdin\s*(?:[;,)]|$)|StdinPipe\()|\w+\s*,\s*(\w+)\s*=\s*os\.pipe\(`)
	// intoInput is what comes behind a value that is written to one.
	intoInput = regexp.MustCompile(`\.pipe\([^;\n]*\bstdin\b|\bfile\s*=\s*(\w+)\b(\.stdin\b)?`)
	// inputWrite are the methods that write to one, and inputLast is one at the end of a pipeline.
	inputWrite = regexp.MustCompile(`\.([wW]rite\w*|end)$`)
	inputLast  = regexp.MustCompile(`\bstdin\s*[,)]`)
)

// feeding reports whether a script may start an interpreter that is told its
// program by its input.
func feeding(src string) bool {
	for _, m := range programLiteral.FindAllStringSubmatchIndex(src, -1) {
		if name := src[m[2]:m[3]]; interpreter(name) && readsInput(known(name).lang == nil, strings.Fields(src[m[4]:m[5]]), src[m[1]:]) {
			return true
		}
	}
	return false
}

// readsInput reports whether an interpreter, which may be a shell, is not told its
// program by these arguments and by the literals that come first in rest.
func readsInput(shell bool, args []string, rest string) bool {
	const most = 16
	for i := 0; i < most; i++ {
		for len(args) <= i {
			m := nextLiteral.FindStringSubmatch(rest[:min(len(rest), 512)])
			if m == nil {
				return true
			}
			args, rest = append(args, m[1]), rest[len(m[0]):]
		}
		long, letters := strings.HasPrefix(args[i], "--"), "cem"
		if shell {
			letters = "c"
		}
		switch arg := args[i]; {
		case arg == "-" || arg == "/dev/stdin" || arg == "pipefail":
		case !strings.HasPrefix(arg, "-") && !strings.HasPrefix(arg, "+"):
			return false
		case long && shell:
		case strings.ContainsAny(arg, letters):
			return false
		}
	}
	return true
}

// findInputs finds the names that the script gives to inputs of programs.
func (c *coder) findInputs() {
	if c.inputs = nil; !c.feeds {
		return
	}
	c.inputs = map[string]bool{}
	for _, m := range inputNames.FindAllStringSubmatch(c.src, -1) {
		if m[2] != "sys" && m[2] != "process" {
			c.inputs[m[1]+m[3]] = true
		}
	}
}

// fed says that a value is written to the input of an interpreter.
func (c *coder) fed() string {
	if !c.feeds && !c.pipes {
		return ""
	}
	input := fedName.MatchString(c.now.target) || c.feeds && c.handsToInput()
	for _, b := range c.opens {
		input = input || c.pipes && strings.HasSuffix(b.callee, ".write") || c.feeds && b.key == "input" || fedName.MatchString(b.callee) || fedName.MatchString(b.outer.target) || c.inputs[root(b.callee)] && inputWrite.MatchString(b.callee)
	}
	if !input || strings.HasPrefix(c.now.target, "sys.") {
		return ""
	}
	return "a shell or an interpreter that this script starts may read the value as its program, by its input"
}

// handsToInput reports whether what stands here is written to the input of a program
// by a call that is told which: print(…, file=p.stdin), io.WriteString(w, …).
func (c *coder) handsToInput() bool {
	rest := c.src[c.at:min(len(c.src), c.at+256)]
	if i := strings.IndexByte(rest, '\n'); i >= 0 {
		rest = rest[:i]
	}
	if m := intoInput.FindStringSubmatch(rest); m != nil && (m[1] == "" || m[2] != "" && m[1] != "sys" || c.inputs[m[1]]) {
		return true
	}
	return slices.ContainsFunc(c.opens, func(b bracket) bool {
		if b.sign != '(' || b.callee == "" {
			return false
		}
		if last(b.callee) == "pipeline" && inputLast.MatchString(rest) {
			return true
		}
		if len(b.elements) < 2 {
			return false
		}
		first := strings.Trim(c.src[b.elements[0].at:b.elements[1].at], "(, \t\n")
		return c.inputs[first] || len(first) < 64 && fedName.MatchString(first)
	})
}
