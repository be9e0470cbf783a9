package tera

import (
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// guard is a case of the script's own that ends it unless a value is what it should
// be: case $N in ”|*[!0-9]*) exit 1;; esac.
type guard struct {
	of     string // $NAME, or an expression of the template
	after  uint   // from where on it holds
	digits bool   // nothing but digits gets past it; else nothing that begins with -
}

// guarded reports whether a guard before an offset sees to it that a reading of what is
// so called does no harm. Of a variable that is given anything else, none is believed,
// and none that is there for a - where the value may be cut.
func (s *script) guarded(of string, h holder, r reading) bool {
	if !strings.Contains(s.src, "case") || s.function("exit") != nil {
		return false
	}
	at := r.node.Pos().Offset()
	return slices.ContainsFunc(s.guards(), func(g guard) bool {
		return g.of == of && g.after <= at && (g.digits || r.by == byOptions && !r.many && h.String() == of && onlyPlainly(r.node, of))
	})
}

// guardsPlace reports whether one before a place sees to it that a value there is no
// option.
func (s *script) guardsPlace(p *place) bool {
	return !p.names && strings.Contains(s.src, "case") && s.function("exit") == nil && slices.ContainsFunc(s.guards(), func(g guard) bool {
		return g.of == p.node.tag && g.after <= uint(p.at)
	})
}

// guards are those that every run of the script comes by, found once for a reading.
func (s *script) guards() []guard {
	f := s.flows()
	if !f.asked {
		f.asked, f.guards = true, s.findGuards(s.files[len(s.files)-1])
	}
	return f.guards
}

func (s *script) findGuards(file *syntax.File) (list []guard) {
	for _, stmt := range file.Stmts {
		c, ok := stmt.Cmd.(*syntax.CaseClause)
		if !ok || stmt.Background || stmt.Coprocess || len(stmt.Redirs) > 0 || len(c.Items) == 0 || !leaves(c.Items[0].Stmts) {
			continue
		}
		of := ""
		if a := argsOf([]*syntax.Word{c.Word}, s.places)[0]; a.whole && !strings.Contains(s.t.src, "{% set") && !strings.Contains(s.t.src, "{%- set") {
			_, p, _ := s.cut(a.text)
			of = p.node.tag
		} else if name := wholeVariable(c.Word); name != "" && letter(name[0]) && s.givenOnce(file, name, stmt.Pos().Offset()) {
			of = "$" + name
		}
		for _, pattern := range c.Items[0].Patterns {
			switch text := s.src[pattern.Pos().Offset():pattern.End().Offset()]; text {
			case "*[!0-9]*", "*[!0123456789]*", "-*", "[-]*":
				list = append(list, guard{of, stmt.End().Offset(), strings.HasPrefix(text, "*")})
			}
		}
	}
	return list
}

// givenOnce reports whether a variable is given nothing but what it has before an
// offset: by one plain assignment at most.
func (s *script) givenOnce(file *syntax.File, name string, before uint) bool {
	f := s.flows()
	if f.facts.arrays[""] || f.facts.functions["read"] {
		return false
	}
	given, plain := 0, 0
	for _, nodes := range f.goes {
		for _, h := range nodes {
			if h == variableNamed(name) || h.kind == someSet {
				given++
			}
		}
	}
	for _, stmt := range file.Stmts {
		if call, ok := stmt.Cmd.(*syntax.CallExpr); ok && len(call.Args) == 0 && len(call.Assigns) == 1 && call.Assigns[0].Name != nil && call.Assigns[0].Name.Value == name && stmt.End().Offset() <= before {
			plain++
		}
	}
	return given <= 1 && given == plain
}

// wholeVariable is the variable whose text a word is, and nothing more.
func wholeVariable(w *syntax.Word) string {
	parts := pieces(w.Parts, false)
	name := ""
	for _, p := range parts {
		switch e, ok := p.node.(*syntax.ParamExp); {
		case p.node == nil && p.text == "":
		case !ok || name != "" || e.Exp != nil || e.Index != nil || e.Slice != nil || e.Repl != nil || e.Excl || e.Length:
			return ""
		default:
			name = p.variable()
		}
	}
	return name
}

// onlyPlainly reports whether what a node expands of a variable is its whole text.
func onlyPlainly(n syntax.Node, variable string) bool {
	plain := true
	syntax.Walk(n, func(m syntax.Node) bool {
		if e, ok := m.(*syntax.ParamExp); ok && e.Param != nil && "$"+e.Param.Value == variable {
			plain = plain && e.Exp == nil && e.Slice == nil && e.Repl == nil
		}
		return true
	})
	return plain
}

// leaves reports whether statements end the script.
func leaves(list []*syntax.Stmt) bool {
	if len(list) == 0 {
		return false
	}
	last := list[len(list)-1]
	call, ok := last.Cmd.(*syntax.CallExpr)
	return ok && !last.Background && !last.Coprocess && len(last.Redirs) == 0 && len(call.Args) > 0 && len(call.Args) < 3 && call.Args[0].Lit() == "exit"
}
