package tera

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// summed are the parts of a node that the shell computes.
func (f *flows) summed(n syntax.Node) (list []syntax.Node) {
	add := func(x syntax.ArithmExpr) {
		if x != nil {
			list = append(list, x)
		}
	}
	switch n := n.(type) {
	case *syntax.ArithmExp, *syntax.ArithmCmd, *syntax.LetClause, *syntax.CStyleLoop:
		list = append(list, n)
	case *syntax.BinaryTest:
		if compares(n.Op) {
			list = append(list, n)
		}
	case *syntax.ArrayElem:
		add(n.Index)
	case *syntax.Assign:
		if n.Index != nil && !f.facts.text(n.Name, n) {
			add(n.Index)
		}
	case *syntax.ParamExp:
		if n.Index != nil && !f.facts.text(n.Param, n) {
			add(n.Index)
		}
		if n.Slice != nil {
			add(n.Slice.Offset)
			add(n.Slice.Length)
		}
	}
	return list
}

// number notes what is read where the shell computes: what is expanded there, and
// every name, quoted or not, which needs no $.
func (f *flows) number(n syntax.Node) {
	f.read(n, byNumber)
	for _, name := range namesOf(n) {
		f.note(name, n, byNumber)
	}
}

// namesOf are the names in the text of a node. What a command in it prints may be
// one, too, but its words are none.
func namesOf(n syntax.Node) (names []string) {
	syntax.Walk(n, func(m syntax.Node) bool {
		switch m := m.(type) {
		case *syntax.CmdSubst:
			return false
		case *syntax.ParamExp:
			return m.Index != nil || m.Slice != nil || m.Exp != nil
		case *syntax.Lit:
			names = appendNames(names, m.Value)
		case *syntax.SglQuoted:
			names = appendNames(names, m.Value)
		}
		return true
	})
	return names
}

func appendNames(names []string, text string) []string {
	for _, name := range strings.FieldsFunc(text, func(r rune) bool { return r > 0x7f || !letter(byte(r)) && !digit(byte(r)) && r != '_' }) {
		if syntax.ValidName(name) {
			names = append(names, name)
		}
	}
	return names
}

// subscript notes the names between [ and ] in a word that names a variable.
func (f *flows) subscript(n syntax.Node) {
	array, index, ok := strings.Cut(f.s.src[n.Pos().Offset():n.End().Offset()], "[")
	if !ok || f.facts.text(&syntax.Lit{Value: strings.Trim(array, `"'`)}, n) {
		return
	}
	index, _, _ = strings.Cut(index, "=")
	for _, name := range appendNames(nil, index) {
		f.note(name, n, byNumber)
	}
}

// numbers goes back from what is read as a number: the text that gets there may
// name a variable, which is read as one as well.
func (f *flows) numbers() {
	at := map[holder]syntax.Node{}
	var next []holder
	note := func(h holder, n syntax.Node) bool {
		_, known := at[h]
		if !known {
			at[h], next = n, append(next, h)
		}
		return !known
	}
	for _, h := range slices.SortedFunc(maps.Keys(f.reads), holder.compare) {
		if i := slices.IndexFunc(f.reads[h], func(r reading) bool { return r.by == byNumber }); i >= 0 {
			note(h, f.reads[h][i].node)
		}
	}
	if len(next) == 0 {
		return
	}
	f.index()
	from, before := map[holder][]syntax.Node{}, map[holder][]holder{}
	held, seen := map[syntax.Node][]holder{}, map[syntax.Node]bool{}
	for n, to := range f.goes {
		for _, h := range to {
			from[h] = append(from[h], n)
		}
	}
	for h, nodes := range f.in {
		for _, n := range nodes {
			held[n] = append(held[n], h)
		}
	}
	for h, list := range f.passes {
		for _, to := range list {
			before[to] = append(before[to], h)
		}
	}
	for len(next) > 0 {
		h := next[len(next)-1]
		next = next[:len(next)-1]
		for _, b := range before[h] {
			note(b, at[h])
		}
		for _, n := range from[h] {
			if seen[n] {
				continue
			}
			seen[n] = true
			for _, m := range held[n] {
				note(m, at[h])
			}
			for _, name := range textOf(n) {
				if f.sets[name] && note(variableNamed(name), at[h]) {
					f.note(name, at[h], byNumber)
				}
			}
		}
	}
}

// textOf are the names in the text that a node gives to a variable.
func textOf(n syntax.Node) (names []string) {
	switch n := n.(type) {
	case *syntax.Assign, *syntax.Word:
		names = namesOf(n)
		syntax.Walk(n, func(m syntax.Node) bool { // a name that is printed is one
			if subst, ok := m.(*syntax.CmdSubst); ok {
				for _, stmt := range subst.Stmts {
					names = append(names, namesOf(stmt)...)
				}
			}
			return true
		})
	case *syntax.Stmt:
		for _, r := range n.Redirs {
			for _, w := range []*syntax.Word{r.Word, r.Hdoc} {
				if w != nil {
					names = append(names, namesOf(w)...)
				}
			}
		}
	}
	return names
}

// numeric reports whether a $(…) gives a number and nothing of what is in it: that of
// wc -l <FILE does.
func (s *script) numeric(n *syntax.CmdSubst) bool {
	call := lastCommand(n)
	if call == nil {
		return false
	}
	args := s.args(call)
	prints, ok := numbersOf[args[0].text]
	if !ok || s.function(args[0].text) != nil {
		return false
	}
	options := " "
	operands := 0
	for i, a := range args[1:] {
		switch {
		case a.static && a.text == "--":
			operands += len(args[1:]) - i - 1
			return operands <= prints.operands && prints.options.MatchString(options)
		case prints.data != "" && strings.HasSuffix(options, prints.data) && !a.fades && !several(a.word) && !exposed(a.word):
			options += "_ "
		case !a.static: // which may be an option
			return false
		case strings.HasPrefix(a.text, "-"), strings.HasPrefix(a.text, "+"), prints.operands == 0:
			options += a.text + " "
		case operands == 0 && prints.taking != "" && strings.HasSuffix(options, prints.taking):
			options += a.text + " "
		default:
			operands++
		}
	}
	return operands <= prints.operands && prints.options.MatchString(options)
}

// numbersOf are commands that print a number, given such options and no more files
// than that.
var numbersOf = map[string]struct {
	options  *regexp.Regexp
	taking   string // the option that something follows
	data     string // one that anything follows
	operands int
}{
	"wc":   {options: regexp.MustCompile(`^( -[clmwL]| --(bytes|chars|lines|words))* $`)},
	"grep": {options: regexp.MustCompile(`^( -[ivwxEFP]*c[ivwxEFP]*| -[ivwxEFP]+)+ $`), operands: 2},
	"stat": {options: regexp.MustCompile(`^( -L)? -c %[sYXWZabBhiu] $`), taking: " -c ", operands: 1},
	"date": {options: regexp.MustCompile(`^( -u| -d _)* \+%[sYmdHMSjuwV]+( -u| -d _)* $`), data: " -d "},
	"tr":   {options: regexp.MustCompile(`^ (-cd|-dc|-d -c|-c -d) (0-9|\[:digit:\]) $`)},
	"jq":   {options: regexp.MustCompile(`^( -r)? length $`)},
}
