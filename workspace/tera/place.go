package tera

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// refusal says why no value, or not this one, can stand at a place; what is
// empty when it can. Whatever is not known to be safe is refused.
func (s *script) refusal(p *place, d Dialect) (what, fix string) {
	if p.stack == nil {
		return "a value cannot stand here: the shell expects a word of its own", fixEnv
	}
	for i := range len(p.stack) - 1 {
		if what, fix = s.under(p, i); what != "" {
			return what, fix
		}
	}
	switch p.kind {
	case 0:
		return "a value cannot stand inside $\"…\"", "put it in \"…\" without the $"
	case comment:
		return s.commented(p)
	case summed:
		return s.counted(p)
	}
	if p.want != anything {
		if what, fix = s.demanded(p); what != "" || demands[p.want].form == nil {
			return what, fix
		}
	}
	if what, fix = s.edge(p); what != "" {
		return what, fix
	}
	if what, fix = s.asList(p); what != "" {
		return what, fix
	}
	if what, fix = s.printed(p, d); what != "" {
		return what, fix
	}
	switch p.kind {
	case dollar:
		return s.dollared(p)
	case expands, asIs:
		return s.held(p)
	}
	return "", ""
}

// edge looks at what touches the value: a backslash would take the first
// character of its quoting away.
func (s *script) edge(p *place) (what, fix string) {
	if p.kind == single || p.kind == asIs {
		return "", ""
	}
	before := s.src[:p.at]
	if strings.HasSuffix(before, "$") && !odd(before[:len(before)-1]) {
		return "a $ stands right before the value", `write \$ for a dollar sign`
	}
	joined := strings.HasSuffix(before, "\n") && odd(before[:len(before)-1])
	if joined || odd(before) {
		return "a backslash stands right before the value", `write "…" around the value and put the backslash elsewhere`
	}
	return "", ""
}

// odd reports whether s ends in an odd number of backslashes.
func odd(s string) bool {
	return (len(s)-len(strings.TrimRight(s, `\`)))%2 == 1
}

// under checks one step of the way down to a place: p.stack[i+1] inside p.stack[i].
func (s *script) under(p *place, i int) (what, fix string) {
	child := p.stack[i+1]
	switch n := p.stack[i].(type) {
	case *syntax.Stmt:
		return s.poured(n)
	case *syntax.File, *syntax.Subshell, *syntax.Block, *syntax.IfClause,
		*syntax.WhileClause, *syntax.DblQuoted, *syntax.ProcSubst, *syntax.TimeClause, *syntax.CaseClause:
		return "", ""
	case *syntax.ArrayExpr:
		if substitutes(p.stack[:i]) {
			return "a value cannot stand in an array inside $(…), where bash reads its quotes otherwise", `assign it first: NAME={{ … }}, then ("$NAME")`
		}
		return "", ""
	case *syntax.BinaryCmd:
		return s.piped(p, n, child)
	case *syntax.ForClause:
		if _, ok := n.Loop.(*syntax.CStyleLoop); ok && child == syntax.Node(n.Loop) {
			return arithmetic(p, i+1)
		}
		return "", ""
	case *syntax.WordIter:
		if child == syntax.Node(n.Name) {
			return "a value cannot stand as the variable of a for loop", "write the name itself"
		}
		return special(n.Name.Value)
	case *syntax.FuncDecl:
		return unless(child == syntax.Node(n.Body), "the name of a function")
	case *syntax.CaseItem:
		for _, w := range n.Patterns {
			if child == syntax.Node(w) {
				return "a value cannot stand in a pattern of case", `compare instead: [ "$X" = {{ … }} ]`
			}
		}
		return "", ""
	case *syntax.CoprocClause:
		return unless(child == syntax.Node(n.Stmt), "the name of a coprocess")
	case *syntax.CmdSubst:
		if n.Backquotes {
			return "a value cannot stand inside backquotes", "write $(…)"
		}
		return unless(!n.TempFile && !n.ReplyVar, "this kind of substitution")
	}
	return s.underWord(p, i)
}

// underWord is under for what commands are made of.
func (s *script) underWord(p *place, i int) (what, fix string) {
	child := p.stack[i+1]
	switch n := p.stack[i].(type) {
	case *syntax.Word:
		if _, here := s.heres[n]; here {
			return "", "" // nothing in it is a pattern
		}
		_, inside := p.stack[max(i-1, 0)].(*syntax.ParamExp)
		return inWord(n, inside)
	case *syntax.Redirect:
		return s.redirected(p, i, n)
	case *syntax.Assign:
		return s.assigned(p, i, n)
	case *syntax.ArrayElem:
		if child == syntax.Node(n.Index) {
			return arithmetic(p, i+1)
		}
		return "", ""
	case *syntax.DeclClause:
		return declared(p, n, child)
	case *syntax.CallExpr:
		return s.called(p, n, child)
	case *syntax.ParamExp:
		return s.inExpansion(p, i, n)
	case *syntax.TestClause:
		return conditional(p, i)
	case *syntax.BinaryTest, *syntax.UnaryTest, *syntax.ParenTest:
		return "", "" // the clause that they are in was asked
	case *syntax.ExtGlob:
		return "a value cannot stand in a pattern", fixEnv
	case *syntax.LetClause:
		if computed(p, i) {
			return "", ""
		}
		return arithmetic(p, i)
	case *syntax.ArithmExp, *syntax.ArithmCmd, *syntax.CStyleLoop,
		*syntax.BinaryArithm, *syntax.UnaryArithm, *syntax.ParenArithm:
		return arithmetic(p, i)
	}
	return "a value cannot stand here", fixEnv
}

func unless(ok bool, place string) (what, fix string) {
	if ok {
		return "", ""
	}
	return "a value cannot stand as " + place, fixEnv
}

func (s *script) inExpansion(p *place, i int, n *syntax.ParamExp) (what, fix string) {
	if sums(n, p.stack[i+1]) {
		return arithmetic(p, i+1)
	}
	if alternative(p, i, n) {
		return "", ""
	}
	if n.Short && n.Param != nil {
		if name, _, _ := strings.Cut(n.Param.Value, p.stem()); name != "" {
			return "the value follows $" + name + " and would be read as a part of that name", "write ${" + name + "} there"
		}
		return "the value follows a $ and would be read as the name of a variable", `write \$ for a dollar sign`
	}
	return "a value cannot stand inside ${…}", `assign it first: NAME={{ … }}, then "$NAME"`
}

// inWord refuses words that the shell expands beyond their quotes. Beside a * or a ?
// that matches files quotes are enough, but not inside of ${…}.
func inWord(w *syntax.Word, inside bool) (what, fix string) {
	for i, part := range w.Parts {
		if _, ok := part.(*syntax.ExtGlob); ok {
			return "a value cannot stand in a pattern", `assign it first: NAME={{ … }}, then use "$NAME"`
		}
		lit, ok := part.(*syntax.Lit)
		if !ok {
			continue
		}
		for _, p := range unescapeBare(nil, lit.Value) {
			switch {
			case p.quoted:
			case strings.Contains(p.text, "["), inside && strings.ContainsAny(p.text, "*?"):
				return "a value cannot stand in a word with this pattern", `assign it first: NAME={{ … }}, then "$NAME"`
			case strings.Contains(p.text, "{"):
				return "a value cannot stand in a word with a brace", `put the word in quotes, or assign it first: NAME={{ … }}, then "$NAME"/{a,b}`
			case strings.Contains(strings.ReplaceAll(p.text, "~/", ""), "~"):
				return "a value cannot stand in a word with a ~", `write "$HOME" for ~, or put the word in quotes`
			}
		}
		if strings.HasSuffix(lit.Value, "$") && !odd(lit.Value[:len(lit.Value)-1]) && i+1 < len(w.Parts) {
			return "a $ before a quote means something else in every shell", `write \$ for a dollar sign`
		}
	}
	return "", ""
}

// redirected checks the target of a redirection.
func (s *script) redirected(p *place, i int, r *syntax.Redirect) (what, fix string) {
	switch child := p.stack[i+1]; {
	case r.Hdoc != nil && child == syntax.Node(r.Hdoc):
		if i+3 != len(p.stack) {
			return "a value cannot stand in a command or an expansion inside a here-document", `assign it first: NAME={{ … }}, then "$NAME"`
		}
		if name := s.feeds(p.stack[i-1]); name != "" {
			return name + " would run what the value says", "run the commands in this script itself"
		}
		if halfQuoted(r) {
			return "a value cannot stand in a here-document whose word is quoted in part", "quote all of it: <<'EOF'"
		}
		return "", ""
	case child != syntax.Node(r.Word):
		return "a value cannot stand as a descriptor", "write the number"
	case r.N != nil && strings.HasPrefix(r.N.Value, "{"):
		return "a value cannot stand behind {name}>", "write the number of the descriptor"
	}
	switch r.Op {
	case syntax.RdrIn, syntax.WordHdoc, syntax.RdrInOut:
		if name := s.feeds(p.stack[i-1]); name != "" {
			return name + " would run what the value says", "run the commands in this script itself"
		}
		return "", ""
	case syntax.RdrOut, syntax.AppOut, syntax.RdrClob, syntax.RdrAll, syntax.AppAll:
		return "", ""
	}
	return "a value cannot stand behind " + r.Op.String(), "write the file or the number itself"
}

// poured checks a value in a statement that prints into >(…), as into a pipe.
func (s *script) poured(n *syntax.Stmt) (what, fix string) {
	if name := s.poursInto(n); name != "" {
		return name + " in >(…) would run what the value says", fixData
	}
	return "", ""
}

// assigned checks an assignment, with or without a command behind it.
func (s *script) assigned(p *place, i int, a *syntax.Assign) (what, fix string) {
	child := p.stack[i+1]
	switch {
	case a.Index != nil && child == syntax.Node(a.Index):
		return arithmetic(p, i+1)
	case a.Index != nil && !simple(a.Index):
		return "a value cannot stand behind this subscript", "write a number or a variable in the [ ]"
	case a.Name == nil || child == syntax.Node(a.Name):
		return "a value cannot stand as the name of a variable", "write the name itself"
	}
	if configures[a.Name.Value] && s.known && s.t.options.ForbidRaw && p.value.foreign && !demands[aLabel].form.MatchString(p.value.text) {
		return "the value could name another file for " + a.Name.Value + ", which decides what runs, and this action does not allow it", "let a plain name be a part of the path; " + fixAllow
	}
	return special(a.Name.Value)
}

// asList refuses a value that makes NAME=… of declare and its kin a list in
// brackets: of an array bash assigns the elements, and runs what is in them.
func (s *script) asList(p *place) (what, fix string) {
	var assigned string
	for i, n := range p.stack[:len(p.stack)-1] {
		switch n := n.(type) {
		case *syntax.DeclClause:
			if a, ok := p.stack[i+1].(*syntax.Assign); ok && a.Value != nil {
				assigned = "=" + s.wordWithValues(a.Value)
			}
		case *syntax.CallExpr:
			assigned = ""
			if w, ok := p.stack[i+1].(*syntax.Word); ok && slices.ContainsFunc(n.Args, func(w *syntax.Word) bool { return slices.Contains(declaring, w.Lit()) }) {
				assigned = s.wordWithValues(w)
			}
		}
	}
	if _, list, ok := strings.Cut(assigned, "="); ok && strings.HasPrefix(list, "(") && s.arrays() {
		return "bash would read what begins with ( as the elements of an array, and run what is in them", "assign it on a line of its own: NAME={{ … }}"
	}
	return "", ""
}

// fillsArrays finds whatever may make a variable an array: (…), a subscript, -a and -A,
// commands that fill one, and code from elsewhere.
var fillsArrays = regexp.MustCompile(`=\(|\]\+?=|-[a-zA-Z]*[aA]|\b(mapfile|readarray|coproc|eval|source)\b|(^|[\s;&|(])\.\s`)

// declaring are the commands that give variables their attributes.
var declaring = []string{"declare", "typeset", "local", "export", "readonly"}

// wordWithValues is the text of a word with its values, less what the shell expands.
func (s *script) wordWithValues(w *syntax.Word) string {
	var b strings.Builder
	for _, p := range pieces(w.Parts, false) {
		if p.node == nil {
			b.WriteString(s.filled(p.read()))
		}
	}
	return b.String()
}

// simple reports whether a subscript is a number or a name alone.
func simple(index syntax.ArithmExpr) bool {
	w, ok := index.(*syntax.Word)
	if !ok || len(w.Parts) != 1 {
		return false
	}
	switch part := w.Parts[0].(type) {
	case *syntax.Lit:
		return !strings.ContainsFunc(part.Value, func(r rune) bool { return r > 0x7f || !letter(byte(r)) && !digit(byte(r)) && r != '_' })
	case *syntax.ParamExp:
		return part.Short && part.Index == nil
	}
	return false
}

// declared checks declare, local, export, readonly and typeset.
func declared(p *place, n *syntax.DeclClause, child syntax.Node) (what, fix string) {
	for _, a := range n.Args {
		if syntax.Node(a) == child && a.Array != nil { // older versions of bash expand them twice
			return "a value cannot stand among the elements behind " + n.Variant.Value, fmt.Sprintf("declare it first, and write %s=(…) on a line of its own", a.Name.Value)
		}
		if syntax.Node(a) == child && (a.Naked || a.Name == nil) {
			return n.Variant.Value + " takes a value only as NAME={{ … }}", "write the name itself, and no quotes around it"
		}
	}
	for _, a := range n.Args {
		if !a.Naked || a.Name != nil && !strings.HasPrefix(a.Name.Value, "-") {
			continue
		}
		option := litOf(a.Value)
		if !strings.HasPrefix(option, "-") || strings.Trim(option[1:], "girtx") != "" {
			return "a value cannot stand behind an option of " + n.Variant.Value, "assign it on a line of its own: NAME={{ … }}"
		}
		if strings.Contains(option, "i") {
			p.want = aNumber
			if assign := child.(*syntax.Assign); !p.alone(assign.Value) {
				return "a value in a sum cannot stand behind " + option, "assign it on a line of its own: NAME={{ … }}"
			}
		}
	}
	return "", ""
}
