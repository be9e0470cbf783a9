package tera

import (
	"regexp"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// hazards are pieces of a script that bash reads otherwise than our parser does,
// or otherwise in one place than in another.
var hazards = []struct {
	sign      string // what is in all of them
	pattern   *regexp.Regexp
	what, fix string
}{
	{"$$", regexp.MustCompile(`\$\$[({'"\[]`), "bash reads the second $ of $$ together with what follows it", "write ${$} for the number of the process"},
	{"$\\\n", regexp.MustCompile(`\$\\\n`), "a line is broken off behind a $, which shells read together with the next line", "write it in one line"},
	{"((", regexp.MustCompile(`[<>]\(\(`), "bash takes <(( for arithmetic at first, and other shells do not", "put a space between the brackets: <( ("},
	{"BASH_ALIASES", regexp.MustCompile("BASH_ALIASES"), fixedNames, "write a function"},
	{"alias", regexp.MustCompile(`\balias\s+["']?\$|\beval\b.*\balias\b`), fixedNames, "write a function"},
	{"&-", regexp.MustCompile(`[<>]&-[^\s;&|)]`), "bash reads >&- by itself, and other shells together with what follows it", "put a space behind >&-"},
	{"\\\\`", regexp.MustCompile("(^|[^\\\\])(\\\\\\\\)+`"), "shells do not agree on whether a backquote behind two backslashes ends a command", "write $(…)"},
	{"]}", regexp.MustCompile(`\{\w+\[[^\]}]*\]\}[<>]`), "bash computes what is between [ and ] in front of a redirection", "write {name}> with a plain name"},
	{"\r", regexp.MustCompile(`\r`), "there is a carriage return, which a shell takes for a part of a word", "end the lines with a line feed alone"},
}

const fixedNames = "an alias is made whose name only the shell will know"

// ambiguous finds static text that shells read differently, so that nobody could
// say where the quotes around a value begin and end.
func (s *script) ambiguous(file *syntax.File) *Error {
	for _, h := range hazards {
		if !strings.Contains(s.src, h.sign) {
			continue
		}
		for _, at := range h.pattern.FindAllStringIndex(s.src, -1) {
			if !s.closes(file, at[1]-1) {
				return s.static(at[0], h.what, h.fix)
			}
		}
	}
	var found syntax.Node
	var array *syntax.ArrayExpr
	var here *syntax.Redirect
	var joined, stuck *syntax.Comment
	var stack []syntax.Node
	syntax.Walk(file, func(n syntax.Node) bool {
		if n == nil {
			stack = stack[:len(stack)-1]
			return true
		}
		if q, ok := n.(*syntax.SglQuoted); ok && found == nil && inQuotedExpansion(stack) {
			found = q
		}
		if r, ok := n.(*syntax.Redirect); ok && here == nil && (r.Op == syntax.Hdoc || r.Op == syntax.DashHdoc) && (!s.bounded(r) || outlasts(r, stack)) {
			here = r
		}
		if a, ok := n.(*syntax.ArrayExpr); ok && array == nil && substitutes(stack) && strings.Contains(s.src[a.Pos().Offset():a.End().Offset()], `\`) {
			array = a
		}
		if c, ok := n.(*syntax.Comment); ok && joined == nil && strings.HasSuffix(strings.TrimSuffix(c.Text, "\n"), `\`) {
			joined = c
		}
		if c, ok := n.(*syntax.Comment); ok && stuck == nil && !s.apart(int(c.Pos().Offset())) {
			stuck = c
		}
		stack = append(stack, n)
		return true
	})
	switch {
	case stuck != nil: // in bash # is a part of the word in a=(b)#c
		return s.static(int(stuck.Pos().Offset()), "it is not clear whether a comment begins here", "put a space before the #")
	case joined != nil: // our parser reads the next line on, and no shell does
		return s.static(int(joined.Pos().Offset()), "a comment ends in a backslash", "take the backslash away")
	case here != nil:
		return s.static(int(here.OpPos.Offset()), "it is not clear where this here-document ends", "end it with its word on a line of its own, and only there")
	case array != nil:
		return s.static(int(array.Pos().Offset()), "bash reads a backslash in an array inside $(…) otherwise", "take the array out of the $(…), or the backslash out of the array")
	case found == nil:
		return nil
	}
	return s.static(int(found.Pos().Offset()), `shells differ on a single quote inside "${…}"`, "assign that text to a variable first")
}

// closes reports whether a character is the end of a double-quoted text, as in
// "/tmp/a.$$".
func (s *script) closes(file *syntax.File, at int) (yes bool) {
	if s.src[at] != '"' {
		return false
	}
	syntax.Walk(file, func(n syntax.Node) bool {
		q, ok := n.(*syntax.DblQuoted)
		yes = yes || ok && int(q.Right.Offset()) == at
		return !yes
	})
	return yes
}

// apart reports whether a # begins a comment for certain.
func (s *script) apart(at int) bool {
	if at == 0 {
		return true
	}
	before := s.src[:at-1]
	return strings.IndexByte(" \t\n;(", s.src[at-1]) >= 0 && !odd(before)
}

// static is an error about the script's own text.
func (s *script) static(off int, what, fix string) *Error {
	line, col := position(s.t.src, s.source(off))
	return &Error{Line: line, Column: col, What: what + ", so no value can be quoted in this script", Fix: fix}
}

// inQuotedExpansion reports whether the innermost list of commands has an open
// ${…} inside of double quotes or a here-document.
func inQuotedExpansion(stack []syntax.Node) bool {
	param := false
	for i := len(stack) - 1; i >= 0; i-- {
		switch n := stack[i].(type) {
		case *syntax.ParamExp:
			param = true
		case *syntax.DblQuoted:
			if param {
				return true
			}
		case *syntax.Redirect:
			return param && n.Hdoc != nil
		case *syntax.CmdSubst, *syntax.ProcSubst:
			return false
		}
	}
	return false
}
