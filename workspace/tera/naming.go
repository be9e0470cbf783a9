package tera

import (
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// naming is what a script's own names stand for, in one reading of it.
type naming struct {
	files int
	words map[string][][]string // the fixed words that a variable is given
	runs  map[string]bool       // whether a function runs its arguments
	feeds map[string]string     // what a function runs that reads code on its input
}

// names notes once what the script's names stand for.
func (s *script) names() *naming {
	if s.naming != nil && s.naming.files == len(s.files) {
		return s.naming
	}
	n := &naming{files: len(s.files), words: map[string][][]string{}, runs: map[string]bool{}, feeds: map[string]string{}}
	for _, file := range s.files {
		syntax.Walk(file, n.note)
	}
	s.naming = n
	return n
}

func (n *naming) note(node syntax.Node) bool {
	give := func(name string, words ...string) {
		if len(words) > 0 && len(n.words[name]) < maxArgs {
			n.words[name] = append(n.words[name], words)
		}
	}
	switch node := node.(type) {
	case *syntax.Assign:
		if node.Name != nil && node.Value != nil {
			give(node.Name.Value, strings.Fields(fixed(node.Value))...)
		}
		if node.Name != nil && node.Array != nil {
			var words []string
			for _, e := range node.Array.Elems {
				words = append(words, fixed(e.Value))
			}
			give(node.Name.Value, words...)
		}
	case *syntax.WordIter:
		for _, w := range node.Items {
			give(node.Name.Value, strings.Fields(fixed(w))...)
		}
	case *syntax.CallExpr:
		if len(node.Args) > 2 && node.Args[0].Lit() == "set" && node.Args[1].Lit() == "--" {
			var words []string
			for _, w := range node.Args[2:] {
				words = append(words, fixed(w))
			}
			give("@", words...)
			give("1", words[0])
		}
	}
	return true
}

// fixed is the text of a word that has nothing but text; "" where it has more.
func fixed(w *syntax.Word) string {
	if w == nil || len(w.Parts) == 0 {
		return ""
	}
	if a := argsOf([]*syntax.Word{w}, nil)[0]; a.static {
		return a.text
	}
	return ""
}

// spellings are the words that a command's first word may come to be: what is fixed of
// it, what a variable in its place is given, and what its braces make.
func (s *script) spellings(a arg) (list [][]string) {
	if braced(a.word) {
		return [][]string{slices.DeleteFunc(braces(a.text, 0), func(word string) bool { return word == "" })}
	}
	if a.static {
		return nil
	}
	if a.text != "" && a.mark < 0 {
		list = append(list, []string{a.text})
	}
	syntax.Walk(a.word, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.ParamExp:
			if n.Param != nil {
				list = append(list, s.names().words[n.Param.Value]...)
				if name := calledAs(n.Param.Value); name != "" {
					list = append(list, []string{name})
				}
			}
			if n.Exp != nil && n.Exp.Word != nil {
				list = append(list, strings.Fields(fixed(n.Exp.Word)))
			}
		case *syntax.CmdSubst:
			if namesProgram(n) {
				call := n.Stmts[0].Cmd.(*syntax.CallExpr)
				list = append(list, []string{fixed(call.Args[len(call.Args)-1])})
			}
			return false
		}
		return true
	})
	return list
}

// otherwise judges a command by what each of the words before the value may come to
// be.
func (s *script) otherwise(args []arg, head, at int) (o objection) {
	for i := 0; i <= head && o == (objection{}); i++ {
		for _, words := range s.spellings(args[i]) {
			if len(words) > 0 && words[0] != "" && o == (objection{}) {
				o = command(slices.Concat(fixedArgs(args[i].word, words), args[i+1:]), at-i+len(words)-1, true)
			}
		}
	}
	for i := head + 1; i < at && o == (objection{}); i++ {
		for _, words := range s.spellings(args[i]) {
			if len(words) > 0 && o == (objection{}) {
				o = command(slices.Concat(args[head:i], fixedArgs(args[i].word, words), args[i+1:]), at-head+len(words)-1, true)
			}
		}
	}
	return o
}

// calledAs is the interpreter that a variable is called after: $NODE, $PHP_BIN.
func calledAs(variable string) string {
	name := strings.ToLower(variable)
	for _, end := range []string{"_bin", "_cmd", "_exe", "_path", "_command"} {
		name = strings.TrimSuffix(name, end)
	}
	if !interpreter(name) {
		return ""
	}
	return name
}

func fixedArgs(word *syntax.Word, texts []string) []arg {
	args := make([]arg, len(texts))
	for i, text := range texts {
		args[i] = arg{word: word, text: text, static: true, mark: -1}
	}
	return args
}

// braced reports whether bash makes several words of one: {a,b}.
func braced(w *syntax.Word) bool {
	for _, part := range w.Parts {
		if lit, ok := part.(*syntax.Lit); ok && strings.Contains(lit.Value, "{") {
			return true
		}
	}
	return false
}

var brace = regexp.MustCompile(`^(.*?)\{([^{}]*,[^{}]*)\}(.*)$`)

// braces are the words that bash makes of one, as far as it is worth to know.
func braces(text string, depth int) (words []string) {
	m := brace.FindStringSubmatch(text)
	if m == nil || depth > 3 {
		return []string{text}
	}
	for _, middle := range strings.SplitN(m[2], ",", maxArgs) {
		words = append(words, braces(m[1]+middle+m[3], depth+1)...)
	}
	return words
}
