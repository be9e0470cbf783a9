package tera

import (
	"crypto/rand"
	"fmt"
	"sort"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// newMark returns the words that stand for values while a script is parsed: all
// letters and digits, so they are legal wherever a word is, and found neither in
// the template nor in a value.
func newMark(pieces []segment) (func(int) string, error) {
	for {
		raw := make([]byte, 16)
		if _, err := rand.Read(raw); err != nil {
			return nil, fmt.Errorf("choose a mark: %w", err)
		}
		// It begins and ends with a letter so that it is no number and no descriptor.
		stem := fmt.Sprintf("Zq%xx", raw)
		if occurs(stem, pieces) {
			continue
		}
		return func(i int) string { return fmt.Sprintf("%s%07dz", stem, i) }, nil
	}
}

func occurs(stem string, pieces []segment) bool {
	for _, n := range pieces {
		if strings.Contains(n.text, stem) || strings.Contains(n.val.text, stem) {
			return true
		}
	}
	return false
}

// stem is what all marks of a script begin with.
func (p *place) stem() string { return p.mark[:len(p.mark)-len("0000000z")] }

// cut splits a text at its first mark; p is nil where it has none.
func (s *script) cut(text string) (before string, p *place, after string) {
	if len(s.places) == 0 {
		return text, nil, ""
	}
	stem := s.places[0].stem()
	i := strings.Index(text, stem)
	if i < 0 {
		return text, nil, ""
	}
	number := text[i+len(stem):]
	n, err := strconv.Atoi(number[:min(7, len(number))])
	if err != nil || n >= len(s.places) || !strings.HasPrefix(text[i:], s.places[n].mark) {
		return text, nil, ""
	}
	return text[:i], s.places[n], text[i+len(s.places[n].mark):]
}

// replace puts something in the place of each mark.
func (s *script) replace(text string, with func(*place) string) string {
	before, p, after := s.cut(text)
	if p == nil {
		return text
	}
	var b strings.Builder
	b.Grow(len(text))
	for ; p != nil; before, p, after = s.cut(after) {
		b.WriteString(before)
		b.WriteString(with(p))
	}
	b.WriteString(before)
	return b.String()
}

// locate finds the literal that holds each mark, and what stands above it. A
// mark that is in no literal stays without a stack and is refused.
func (s *script) locate(file *syntax.File) {
	var stack []syntax.Node
	syntax.Walk(file, func(n syntax.Node) bool {
		if n == nil {
			stack = stack[:len(stack)-1]
			return true
		}
		stack = append(stack, n)
		switch n := n.(type) {
		case *syntax.Redirect:
			if n.Hdoc != nil {
				s.heres[n.Hdoc] = expanding(n)
			}
		case *syntax.Lit:
			s.hold(n.Value, n.Pos(), n.End(), stack)
		case *syntax.SglQuoted:
			s.hold(n.Value, n.Pos(), n.End(), stack)
		case *syntax.Comment:
			s.hold(n.Text, n.Pos(), n.End(), stack)
		}
		return true
	})
}

// hold gives the stack to the places inside one literal.
func (s *script) hold(text string, from, to syntax.Pos, stack []syntax.Node) {
	first := sort.Search(len(s.places), func(i int) bool { return s.places[i].at >= int(from.Offset()) })
	if first == len(s.places) || s.places[first].at >= int(to.Offset()) || !strings.Contains(text, s.places[first].stem()) {
		return
	}
	for _, p := range s.places[first:] {
		if p.at+len(p.mark) > int(to.Offset()) {
			return
		}
		if p.stack == nil {
			p.stack = append([]syntax.Node(nil), stack...)
			p.kind = s.quotingOf(p, stack)
		}
	}
}

// quotingOf tells the quoting from the last nodes of a stack; it is zero where
// nothing is known to be safe.
func (s *script) quotingOf(p *place, stack []syntax.Node) quoting {
	leaf, above := stack[len(stack)-1], syntax.Node(nil)
	if len(stack) > 1 {
		above = stack[len(stack)-2]
	}
	switch leaf := leaf.(type) {
	case *syntax.SglQuoted:
		if leaf.Dollar {
			return dollar
		}
		return single
	case *syntax.Comment:
		return comment
	case *syntax.Lit:
		switch above := above.(type) {
		case *syntax.Word:
			expanded, here := s.heres[above]
			switch {
			case here && expanded:
				return expands
			case here:
				return asIs
			case leaf.Value == p.mark && len(above.Parts) == 1 && sums(stack[len(stack)-3], above):
				return summed
			case len(stack) > 3 && inQuotes(stack[len(stack)-4], stack[len(stack)-3]):
				return fallback
			}
			return bare
		case *syntax.DblQuoted:
			if !above.Dollar {
				return double
			}
		}
	}
	return 0
}
