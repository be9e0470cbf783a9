package tera

import (
	"slices"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

const fixNumber = "only a whole number can stand here: declare the input as type: integer, or print nothing but digits: $(… | tr -dc 0-9)"

// arithmetical reports whether a node's operands are numbers.
func arithmetical(n syntax.Node) bool {
	switch n := n.(type) {
	case *syntax.ArithmExp:
		return !n.Bracket
	case *syntax.ArithmCmd, *syntax.CStyleLoop, *syntax.LetClause, *syntax.BinaryArithm, *syntax.UnaryArithm, *syntax.ParenArithm:
		return true
	}
	return false
}

// sums reports whether a shell computes what is in a child of n.
func sums(n, child syntax.Node) bool {
	is := func(x syntax.ArithmExpr) bool { return x != nil && syntax.Node(x) == child }
	switch n := n.(type) {
	case *syntax.ParamExp:
		return is(n.Index) || n.Slice != nil && (is(n.Slice.Offset) || is(n.Slice.Length))
	case *syntax.Assign:
		return is(n.Index)
	case *syntax.ArrayElem:
		return is(n.Index)
	}
	return arithmetical(n)
}

// arithmetic refuses a place below p.stack[i] unless a number may stand there,
// with nothing but operators and subscripts above it.
func arithmetic(p *place, i int) (what, fix string) {
	if p.want == aNumber {
		return "", "" // the let around it has seen that
	}
	ok := p.kind == summed
	for ; ok && i < len(p.stack)-2; i++ {
		switch n := p.stack[i].(type) {
		case *syntax.Word:
			_, ok = p.stack[i+1].(*syntax.ParamExp)
		default:
			ok = sums(n, p.stack[i+1])
		}
	}
	if ok {
		return "", ""
	}
	return "a value cannot stand in arithmetic but as a number of its own, for the shell would run what is in it", "put spaces around it inside $(( )), or compute in another language"
}

// computed reports whether a value is a number of its own in the quoted argument
// of a let at p.stack[i].
func computed(p *place, i int) bool {
	last := len(p.stack) - 1
	if p.kind != single && p.kind != double {
		return false
	}
	word := last - 1
	for ; word > i; word-- {
		if w, ok := p.stack[word].(*syntax.Word); ok && len(w.Parts) == 1 {
			break
		}
	}
	for _, n := range p.stack[i:word] {
		if !arithmetical(n) {
			return false
		}
	}
	text := ""
	switch leaf := p.stack[last].(type) {
	case *syntax.Lit:
		if quotes, ok := p.stack[last-1].(*syntax.DblQuoted); !ok || len(quotes.Parts) > 1 {
			return false
		}
		text = leaf.Value
	case *syntax.SglQuoted:
		text = leaf.Value
	}
	before, after, _ := strings.Cut(text, p.mark)
	const operators = " \t+-*/%<>=&|^!~?:,()"
	if word == i || before != "" && strings.IndexByte(operators, before[len(before)-1]) < 0 || after != "" && strings.IndexByte(operators, after[0]) < 0 {
		return false
	}
	p.want = aNumber
	return true
}

// conditional checks a value inside the [[ … ]] at p.stack[i], where words are
// neither split nor matched with files: as a number beside -eq and its kind, as a
// name behind -v, and as text wherever bash reads no more than that in it.
func conditional(p *place, i int) (what, fix string) {
	for i++; i < len(p.stack)-1; i++ {
		operand := p.stack[i+1]
		switch n := p.stack[i].(type) {
		case *syntax.Word:
			return "", ""
		case *syntax.ParenTest:
			continue
		case *syntax.UnaryTest:
			switch n.Op {
			case syntax.TsNot:
				continue
			case syntax.TsVarSet:
				if p.alone(operand) {
					p.want = aName
					return "", ""
				}
			case syntax.TsEmpStr, syntax.TsNempStr, syntax.TsExists, syntax.TsRegFile, syntax.TsDirect, syntax.TsSmbLink, syntax.TsRead, syntax.TsWrite, syntax.TsExec, syntax.TsNoEmpty:
				return "", ""
			}
		case *syntax.BinaryTest:
			switch {
			case n.Op == syntax.AndTest, n.Op == syntax.OrTest:
				continue
			case compares(n.Op):
				if p.alone(operand) {
					p.want = aNumber
					return "", ""
				}
			case n.Op != syntax.TsReMatch, operand == syntax.Node(n.X):
				return "", "" // quotes make text of a pattern, and in old versions of bash not of an expression
			}
		}
		break
	}
	return "a value cannot stand here inside [[ … ]]", `write [ "$NAME" = … ], and ` + fixEnv
}

// compares reports whether an operator of [[ computes its operands.
func compares(op syntax.BinTestOperator) bool {
	switch op {
	case syntax.TsEql, syntax.TsNeq, syntax.TsLeq, syntax.TsGeq, syntax.TsLss, syntax.TsGtr:
		return true
	}
	return false
}

// alone reports whether a node is a word that is the value and nothing else.
func (p *place) alone(n syntax.Node) bool {
	w, ok := n.(*syntax.Word)
	if !ok || w == nil || len(w.Parts) != 1 {
		return false
	}
	switch part := w.Parts[0].(type) {
	case *syntax.Lit:
		return part.Value == p.mark
	case *syntax.SglQuoted:
		return part.Value == p.mark && !part.Dollar
	case *syntax.DblQuoted:
		return !part.Dollar && len(part.Parts) == 1 && p.alone(&syntax.Word{Parts: part.Parts})
	}
	return false
}

// wholeNumber reports whether a text is a whole number that every shell can hold, as
// it writes it itself.
func wholeNumber(text string) bool {
	n, err := strconv.ParseInt(text, 10, 64)
	return err == nil && strconv.FormatInt(n, 10) == text && n != -1<<63
}

// counted checks a value in arithmetic, where a shell would run what is no number.
func (s *script) counted(p *place) (what, fix string) {
	if !s.known {
		return "", ""
	}
	if !wholeNumber(p.value.text) {
		return "the value is no whole number, and the shell would run what is in it", fixNumber
	}
	p.plain = p.value.text
	if p.plain[0] != '-' || strings.HasSuffix(s.src[:p.at], "[") {
		return "", "" // to an array with names for subscripts a space would be a part of one
	}
	p.plain = " " + p.plain // two minus signs in a row mean something else
	if p.let() {
		p.plain = "'" + p.plain + "'" // each of its words is an argument
	}
	return "", ""
}

// let reports whether a value is in an argument of let.
func (p *place) let() bool {
	return slices.ContainsFunc(p.stack, func(n syntax.Node) bool { _, ok := n.(*syntax.LetClause); return ok })
}

// demanded checks a value in quotes that must be a number or a name.
func (s *script) demanded(p *place) (what, fix string) {
	p.plain = p.value.text
	switch {
	case demands[p.want].form != nil:
		return s.meets(p)
	case !s.known:
	case p.want == aNumber && !wholeNumber(p.plain):
		return "the value is no whole number, and the shell would run what is in it", fixNumber
	case p.want == aNumber:
		if p.let() && p.plain[0] == '-' {
			p.plain = " " + p.plain
		}
	case !syntax.ValidName(p.plain):
		return "the value is no name of a variable, and the shell would run what is in it", "only letters, digits and _ can stand here"
	case decisive(p.plain):
		return "a value cannot choose the variable " + p.plain + ", which decides what runs, or how", "choose among names of its own"
	}
	return "", ""
}
