package tera

import (
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// arg is an argument of a command, as far as it is known before it runs.
type arg struct {
	word   *syntax.Word
	text   string // without its quotes; marks and expansions are left out
	static bool   // the text is all there is
	mark   int    // where a value begins in the text, or -1
	fades  bool   // it is nothing but unquoted expansions and may be no argument at all
	whole  bool   // it is one value and nothing else
	timed  bool   // or one with a unit of time behind it
}

// anyValue stands for a value of which nothing is known. It is the name of nothing.
const anyValue = "Zqx"

// counts reports whether an expansion is always one word, a number: $#, $?, ${#NAME},
// $(( )).
func counts(n syntax.Node) bool {
	if sum, ok := n.(*syntax.ArithmExp); ok {
		return !sum.Bracket
	}
	e, ok := n.(*syntax.ParamExp)
	return ok && (e.Length || e.Param != nil && strings.Contains("#?$!", e.Param.Value) && e.Exp == nil && !e.Excl)
}

// several reports whether a word is as many as there are arguments, or elements of an
// array: "$@", "${a[@]}".
func several(w *syntax.Word) (yes bool) {
	syntax.Walk(w, func(n syntax.Node) bool {
		if e, ok := n.(*syntax.ParamExp); ok && e.Param != nil && !e.Length {
			index, _ := e.Index.(*syntax.Word)
			yes = yes || e.Param.Value == "@" || litOf(index) == "@"
		}
		_, command := n.(*syntax.CmdSubst)
		return !yes && !command
	})
	return yes
}

func argsOf(words []*syntax.Word, places []*place) []arg {
	args := make([]arg, len(words))
	for i, w := range words {
		a := arg{word: w, static: true, fades: len(w.Parts) > 0}
		var b strings.Builder
		for _, p := range pieces(w.Parts, false) {
			if p.node != nil {
				a.static = false
				a.fades = a.fades && !p.quoted && !counts(p.node)
				continue
			}
			a.fades = false
			a.static = a.static && !p.dollar
			b.WriteString(p.read())
		}
		a.text = b.String()
		a.mark = -1
		if len(places) > 0 {
			a.mark = strings.Index(a.text, places[0].stem())
		}
		a.whole = a.static && a.mark == 0 && len(a.text) == len(places[0].mark)
		a.timed = a.static && a.mark == 0 && len(a.text) == len(places[0].mark)+1 && strings.Contains("smhd", a.text[len(a.text)-1:])
		a.static = a.static && a.mark < 0
		args[i] = a
	}
	return args
}

// args are the arguments of a command, worked out once for all its places.
func (s *script) args(call *syntax.CallExpr) []arg {
	const each = 64 // as much as looking at so many bytes of text costs, see mostWork
	s.work += each * len(call.Args)
	if s.calls == nil {
		s.calls = map[*syntax.CallExpr][]arg{}
	}
	args, ok := s.calls[call]
	if !ok {
		args = argsOf(call.Args, s.places)
		s.calls[call] = args
	}
	return args
}

// assigns returns the name that an argument like NAME=… assigns to, before any
// value; it is empty where there is none.
func assigns(a arg) string {
	name, _, ok := strings.Cut(a.text, "=")
	if !ok || !syntax.ValidName(name) || a.mark >= 0 && a.mark <= len(name) || !literalName(a.word, name) {
		return ""
	}
	return name
}

// literalName reports whether a word begins with NAME= outside of quotes and of
// values.
func literalName(w *syntax.Word, name string) bool {
	lit, ok := w.Parts[0].(*syntax.Lit)
	return ok && strings.HasPrefix(lit.Value, name+"=")
}

// before is the text of an argument up to the first value in it.
func before(a arg) string {
	if a.mark >= 0 {
		return a.text[:a.mark]
	}
	return a.text
}

// echoOption reports whether echo takes a text for an option: -n, -e, -E or a few of them.
func echoOption(text string) bool {
	return len(text) > 1 && text[0] == '-' && strings.Trim(text[1:], "neE") == ""
}

// expands reports whether a command's arguments are printed with their
// backslashes expanded: echo in sh, echo -e, printf %b.
func (s *script) expands(args []arg, at int, d Dialect) bool {
	switch program(args[0].text) {
	case "echo":
		if d == POSIX || strings.Contains(s.src, "xpg") {
			return true
		}
		for _, a := range args[1:at] {
			for _, words := range s.spellings(a) {
				if words = strings.Fields(s.filled(strings.Join(words, " "))); len(words) > 0 && echoOption(words[0]) && strings.Contains(strings.Join(words, ""), "e") {
					return true
				}
			}
			text := s.filled(a.text)
			if !a.fades && !echoOption(text) {
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
