package tera

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// alternative reports whether a place is in the word of ${name:-word} or one of
// its kind, outside of other expansions. Inside of double quotes shells read
// quotes and backslashes each in its own way: there may be none.
func alternative(p *place, i int, n *syntax.ParamExp) bool {
	if n.Exp == nil || n.Exp.Word == nil || p.stack[i+1] != syntax.Node(n.Exp.Word) || n.Index != nil || n.Excl || n.Length || n.Width || n.Param == nil {
		return false
	}
	switch n.Exp.Op {
	case syntax.AlternateUnset, syntax.AlternateUnsetOrNull, syntax.DefaultUnset, syntax.DefaultUnsetOrNull:
	default:
		return false
	}
	for j := i + 1; j < len(p.stack); j++ {
		switch p.stack[j].(type) {
		case *syntax.ParamExp, *syntax.CmdSubst, *syntax.ProcSubst, *syntax.ArithmExp:
			return false
		}
	}
	if p.kind == fallback {
		for _, part := range n.Exp.Word.Parts {
			if lit, ok := part.(*syntax.Lit); !ok || strings.ContainsAny(lit.Value, "\\'\"") {
				return false
			}
		}
		i--
	}
	for j := i - 1; j >= 0; j-- {
		switch p.stack[j].(type) {
		case *syntax.Word:
		case *syntax.CallExpr, *syntax.Assign, *syntax.WordIter:
			return true
		default:
			return false
		}
	}
	return false
}

// substituted is what insideFallback makes of a value, read by itself.
func substituted(v string) []piece {
	if plainest(v) {
		return []piece{{text: v}}
	}
	file, err := parseShell(insideFallback(v), syntax.LangPOSIX)
	if err != nil {
		return []piece{{}} // which nothing is the same as
	}
	core := strings.TrimRight(v, "\n")
	return []piece{{node: file.Stmts[0].Cmd.(*syntax.CallExpr).Args[0].Parts[0]}, {text: v[len(core):]}}
}

// inQuotes reports whether an expansion stands right inside of double quotes.
func inQuotes(above, n syntax.Node) bool {
	_, quoted := above.(*syntax.DblQuoted)
	_, expansion := n.(*syntax.ParamExp)
	return quoted && expansion
}
