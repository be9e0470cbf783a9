package tera

import (
	"strconv"

	"mvdan.cc/sh/v3/syntax"
)

// arithmetical reports whether a node's operands are numbers.
func arithmetical(n syntax.Node) bool {
	switch n := n.(type) {
	case *syntax.ArithmExp:
		return !n.Bracket
	case *syntax.ArithmCmd, *syntax.CStyleLoop, *syntax.BinaryArithm, *syntax.UnaryArithm, *syntax.ParenArithm:
		return true
	}
	return false
}

// arithmetic refuses a place below p.stack[i] unless a number may stand there,
// with nothing but operators above it.
func arithmetic(p *place, i int) (what, fix string) {
	ok := p.kind == summed
	for _, n := range p.stack[i : len(p.stack)-2] {
		ok = ok && arithmetical(n)
	}
	if ok {
		return "", ""
	}
	return "a value cannot stand in arithmetic but as a number of its own, for the shell would run what is in it", "put spaces around it inside $(( )), or compute in another language"
}

// counted checks a value in arithmetic, where a shell would run what is no number.
func (s *script) counted(p *place) (what, fix string) {
	if !s.known {
		return "", ""
	}
	n, err := strconv.ParseInt(p.value.text, 10, 64)
	if err != nil || strconv.FormatInt(n, 10) != p.value.text || n == -1<<63 {
		return "the value is no whole number, and the shell would run what is in it", "only a whole number can stand here: declare the input as type: integer"
	}
	p.plain = p.value.text
	if n < 0 {
		p.plain = " " + p.plain // two minus signs in a row mean something else
	}
	return "", ""
}
