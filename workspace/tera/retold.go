package tera

import (
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// telling is where a script prints what variables hold, in a way that changes it.
type telling struct {
	word    syntax.Node
	names   []string // the variables
	spoils  string   // the characters of a value that would not arrive
	what    string
	json    bool             // it is inside of JSON that the server reads
	unicode bool             // the backslashes that are expanded may be those of \u00XX
	whole   bool             // and outside of its strings
	subst   *syntax.CmdSubst // the $(…) that stands there, if one does
	begins  *regexp.Regexp   // what a value may be neither, for it would be an option or the beginning of a line that the server reads
}

const fixRetold = `print it by printf '%s\n' "$NAME", and write the step's output to the file $STROEM_OUTPUT`

// retold refuses values that get into a variable and are printed from there so
// that they come out as something else: by an echo that expands backslashes, as the
// format of printf, or inside a string of the JSON that the server reads.
func (s *script) retold() (errs []*Error) {
	if !slices.ContainsFunc(s.places, func(p *place) bool {
		return strings.ContainsFunc(p.value.text, func(r rune) bool { return r <= ' ' || strings.ContainsRune(`"\%-*?[`, r) }) || beginsOutput.MatchString(p.value.text)
	}) {
		return nil
	}
	list := s.tellings()
	if len(list) == 0 {
		return nil
	}
	f := s.flows()
	for _, p := range s.places {
		got := f.reached(s.plainly(p))
		var all map[holder]bool // once asked for
		for _, t := range list {
			if t.whole && (p.json || p.isJSON()) || p.json && t.spoils == `\` && !t.unicode {
				continue
			}
			within := !t.json && inCommand(p, t.word) || t.json && !t.whole && slices.Contains(s.plainly(p), syntax.Node(t.subst))
			spoilt := strings.ContainsAny(p.value.text, t.spoils) && (within || t.any(got) || t.subst != nil && f.gives(t.subst, p, got))
			if !spoilt && t.begins != nil && t.begins.MatchString(p.value.text) {
				if all == nil {
					all = f.reached(p.stack)
				}
				spoilt = within || t.any(all)
			}
			if spoilt {
				errs = append(errs, s.t.fault(p.node, t.what, fixRetold))
				break
			}
		}
	}
	return errs
}

// any reports whether one of the variables is among those.
func (t telling) any(got map[holder]bool) bool {
	return got[holder{kind: someSet}] && len(t.names) > 0 || slices.ContainsFunc(t.names, func(name string) bool { return got[variableNamed(name)] })
}

// gives reports whether a $(…) prints a file that was reached, or what a function of
// the script makes of the value.
func (f *flows) gives(subst *syntax.CmdSubst, p *place, got map[holder]bool) bool {
	call := lastCommand(subst)
	own := call != nil && f.s.function(call.Args[0].Lit()) != nil
	return own && slices.Contains(p.stack, syntax.Node(subst)) ||
		len(got) > 0 && (own || f.facts.files) && slices.ContainsFunc(f.holders(subst), func(h holder) bool { return (own || h.kind == inFile) && got[h] })
}

// plainly are the nodes that a place is in with no command between that might make
// anything of the value.
func (s *script) plainly(p *place) []syntax.Node {
	i := len(p.stack)
	for i > 0 {
		if n, ok := p.stack[i-1].(*syntax.CmdSubst); ok && !s.copies(n) {
			break
		}
		i--
	}
	return p.stack[i:]
}

// inCommand reports whether a place is in a command substitution inside of a node.
func inCommand(p *place, n syntax.Node) bool {
	i := slices.Index(p.stack, n)
	return i >= 0 && slices.ContainsFunc(p.stack[i:], isCommand)
}

func isCommand(n syntax.Node) bool {
	_, ok := n.(*syntax.CmdSubst)
	return ok
}

// tellings finds where a reading of the script prints variables in such a way, once.
func (s *script) tellings() []telling {
	file := s.files[len(s.files)-1]
	if s.toldOf == file {
		return s.told
	}
	s.toldOf, s.told = file, nil // what is printed inside of $(…) asks for those found so far
	var stack []syntax.Node
	syntax.Walk(file, func(n syntax.Node) bool {
		if n == nil {
			stack = stack[:len(stack)-1]
			return true
		}
		stack = append(stack, n)
		switch n := n.(type) {
		case *syntax.CallExpr:
			if len(n.Args) > 1 {
				filed := s.outputs && s.filed(stack)
				s.told = append(s.told, s.tell(s.args(n), filed)...)
				s.told = append(s.told, s.tellInside(s.args(n), filed)...)
			}
		case *syntax.Redirect:
			if n.Hdoc != nil {
				s.told = append(s.told, inJSON(n.Hdoc, "", s.outputs && catted(append(stack, n.Hdoc)) && s.filed(append(stack, n.Hdoc)), s.joins)...)
			}
		}
		return true
	})
	return s.told
}

// tellInside finds them in the fixed code of a sh -c.
func (s *script) tellInside(args []arg, filed bool) (list []telling) {
	sh, code := codeOf(args)
	args = lessBuiltin(args)
	if own := args[0].text == "eval" || args[0].text == "trap"; own && len(args) > 1 {
		sh, code = 0, 1
	}
	if code == 0 || !args[code].static || tooLarge(args[code].text) {
		return nil
	}
	file, err := parseShell(args[code].text, syntax.LangBash)
	if err != nil {
		return nil
	}
	g := &script{t: s.t, src: args[code].text, files: []*syntax.File{file}, work: s.work, dialect: POSIX, known: s.known}
	switch program(args[sh].text) {
	case "bash":
		g.dialect = Bash
	case "eval", "trap":
		g.dialect = s.dialect
	}
	g.outputs = s.outputs || strings.Contains(g.src, "OUTPUT") || strings.Contains(g.src, "STATE")
	g.joins = func() bool { return filed || s.joins() }
	list = slices.Clone(g.tellings())
	for i := range list {
		list[i].word, list[i].subst = args[code].word, nil
	}
	s.work = g.work
	return list
}

// tell finds them in one command; filed says that it prints JSON that the server reads.
func (s *script) tell(args []arg, filed bool) (list []telling) {
	args, _ = s.printer(lessBuiltin(args), len(args)-1)
	name := program(args[0].text)
	if name == "test" || name == "[" {
		return unquoted(args)
	}
	if name != "echo" && name != "printf" {
		return nil
	}
	format, _ := formatOf(args)
	list = append(list, s.optional(name, args, format)...)
	before := ""
	for i, a := range args[1:] {
		at := i + 1
		if names := held(a.word.Parts); !a.static && (len(names) > 0 || name == "echo" || at == format) {
			switch {
			case name == "printf" && at == format:
				list = append(list, telling{word: a.word, names: names, spoils: `%\`,
					what: "printf would expand the % or the \\ in the value, which is a part of its format, or read it as an option", begins: optioned(a, args[at-1])})
			case s.expands(args, at, s.dialect) && (name == "echo" || !strings.Contains(args[format].text, "%s")):
				list = append(list, telling{word: a.word, names: names, spoils: `\`, unicode: s.expands(args, at, Bash), what: "this " + name + " would expand the backslash in the value, which gets there by a variable or a command"})
			}
		}
		if name == "printf" && at > format && !a.static {
			before = beforeConversion(args[format].text, at-format-1)
		}
		list = append(list, inJSON(a.word, before, filed, s.joins)...)
		if name == "echo" {
			before += a.text + " "
		}
	}
	return list
}

// beforeConversion is what printf prints of its format right before its nth
// argument, as far as it is known.
func beforeConversion(format string, n int) string {
	format = strings.ReplaceAll(breaks.ReplaceAllString(format, "\n"), "%%", "  ")
	all := conversion.FindAllStringIndex(format, -1)
	if len(all) == 0 {
		return format
	}
	return conversion.ReplaceAllString(format[:all[n%len(all)][0]], "")
}

// unquoted finds the variables of a test that may be several words of it, for want of
// quotes: one of them may be an operator, or a name that it runs.
func unquoted(args []arg) (list []telling) {
	for _, a := range args[1:] {
		for _, p := range pieces(a.word.Parts, false) {
			if name := p.variable(); name != "" && !p.quoted {
				list = append(list, telling{word: a.word, names: []string{name}, spoils: " \t\n*?[", what: "the value would be several words of this test, for there are no quotes around $" + name})
			}
		}
	}
	return list
}

// What a value must not be where printf takes it for an option, of which -v runs
// what is in a[$(…)]; where echo takes it for one, after which it expands
// backslashes; and where a colon and another value follow.
var (
	dashed       = regexp.MustCompile(`^-`)
	dashE        = regexp.MustCompile(`^[ \t\n]*-[nE]*e[neE]*([ \t\n]|$)`)
	beginsOutput = regexp.MustCompile(`(^|\n)OUTPUT$`)
)

// optional finds the variables that echo may take for its -e, and those that a
// colon follows.
func (s *script) optional(name string, args []arg, format int) (list []telling) {
	options, colon := name == "echo", false
	for i, a := range args[1:] {
		names := held(a.word.Parts)
		options = options && (leads(a) || echoOption(a.text))
		if options && (len(names) > 0 || leads(a)) {
			list = append(list, telling{word: a.word, names: names, begins: dashE, what: "echo would read the value as an option"})
		}
		colon = colon || name == "echo" && len(names) > 0 && strings.Contains(a.text, ":") || i+1 == format && strings.Contains(a.text, "%s:")
	}
	if !colon {
		return list
	}
	for _, a := range args[1:] {
		if names := held(a.word.Parts); len(names) > 0 {
			list = append(list, telling{word: a.word, names: names, begins: beginsOutput, what: "with what follows it the server would read the value as the step's output"})
		}
	}
	return list
}

// optioned is what a value must not be in an argument that begins with what the shell
// expands, unless it is behind a -- that says that it is no option.
func optioned(a, before arg) *regexp.Regexp {
	if before.text != "--" && leads(a) {
		return dashed
	}
	return nil
}

// leads reports whether an argument begins with what the shell expands.
func leads(a arg) bool {
	for _, p := range pieces(a.word.Parts, false) {
		if p.node != nil || p.text != "" {
			return p.node != nil
		}
	}
	return false
}

// variable is the variable that a piece of a word expands to the text of; "" where
// it does not.
func (p piece) variable() string {
	if e, ok := p.node.(*syntax.ParamExp); ok && e.Param != nil && !e.Length {
		return e.Param.Value
	}
	return ""
}

// held are the variables that a word expands itself, outside of commands in it.
func held(parts []syntax.WordPart) (names []string) {
	for _, p := range pieces(parts, false) {
		if name := p.variable(); name != "" {
			names = append(names, name)
		}
		if e, ok := p.node.(*syntax.ParamExp); ok && e.Exp != nil && e.Exp.Word != nil {
			names = append(names, held(e.Exp.Word.Parts)...)
		}
	}
	return names
}
