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
// so called does no harm.
func (s *script) guarded(file *syntax.File, of string, r reading, at uint) bool {
	if !strings.Contains(s.src, "case") || s.function("exit") != nil {
		return false
	}
	return slices.ContainsFunc(s.guards(file), func(g guard) bool {
		return g.of == of && g.after <= at && (g.digits || r.by == byOptions && !r.many)
	})
}

// guards are those that every run of the script comes by.
func (s *script) guards(file *syntax.File) (list []guard) {
	for _, stmt := range file.Stmts {
		c, ok := stmt.Cmd.(*syntax.CaseClause)
		if !ok || stmt.Background || len(c.Items) == 0 || !leaves(c.Items[0].Stmts) {
			continue
		}
		of := ""
		if a := argsOf([]*syntax.Word{c.Word}, s.places)[0]; a.whole {
			_, p, _ := s.cut(a.text)
			of = p.node.tag
		} else if parts := pieces(c.Word.Parts, false); len(parts) == 1 && parts[0].variable() != "" && plainly(parts[0]) {
			of = "$" + parts[0].variable()
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

// plainly reports whether a piece is the whole text of a variable.
func plainly(p piece) bool {
	e, ok := p.node.(*syntax.ParamExp)
	return ok && e.Exp == nil && e.Index == nil && e.Slice == nil && e.Repl == nil && !e.Excl && !e.Length
}

// leaves reports whether statements end the script.
func leaves(list []*syntax.Stmt) bool {
	if len(list) == 0 {
		return false
	}
	call, ok := list[len(list)-1].Cmd.(*syntax.CallExpr)
	return ok && len(call.Args) > 0 && call.Args[0].Lit() == "exit"
}
