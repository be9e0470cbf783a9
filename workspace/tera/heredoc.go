package tera

import (
	"slices"
	"strings"
	"unicode/utf8"

	"mvdan.cc/sh/v3/syntax"
)

// expanding reports whether the shell expands a here-document: no part of its
// word is quoted.
func expanding(r *syntax.Redirect) bool {
	for _, p := range pieces(r.Word.Parts, false) {
		if p.quoted || p.node != nil {
			return false
		}
	}
	return true
}

// halfQuoted reports whether the parser, which looks at the last part of a
// here-document's word alone, takes it for one that is expanded, and shells do not.
func halfQuoted(r *syntax.Redirect) bool {
	last, bare := r.Word.Parts[len(r.Word.Parts)-1].(*syntax.Lit)
	return bare && !strings.Contains(last.Value, `\`) && !expanding(r)
}

// held checks a value in a here-document, which must not end it.
func (s *script) held(p *place) (what, fix string) {
	r, ok := p.stack[len(p.stack)-3].(*syntax.Redirect)
	if !ok {
		return "a value cannot stand in this here-document", fixEnv
	}
	behind := s.src[p.at+len(p.mark):]
	if r.Op == syntax.DashHdoc && (strings.Contains(p.plain, "\t") || strings.HasSuffix(p.plain, "\n") && strings.HasPrefix(behind, "\t")) {
		return "a here-document of <<- may take the tab away that is in the value, or behind it", "write << and no tabs"
	}
	inner := substitutes(p.stack)
	if inner && p.kind == asIs && strings.ContainsAny(p.plain, "\x01\x7f") {
		return "bash takes control characters of the value away in a here-document inside $(…)", "print it: printf '%s\\n' {{ … }}"
	}
	if p.kind == expands && blurred(s.src[:p.at], p.plain, behind) {
		return "some shells may take a byte of the value together with the backslash behind it", `quote the word: <<'` + "EOF'"
	}
	if !s.known {
		return "", ""
	}
	word := ""
	for _, w := range pieces(r.Word.Parts, false) {
		word += w.text
	}
	lines := s.around(r, p)
	if s.work += len(lines); s.work > mostWork {
		return "there are too many or too long values in one here-document", "split it"
	}
	text := s.replace(lines, func(q *place) string { return q.value.text })
	s.work += len(text)
	if p.kind == expands && strings.Contains(lines, "\\\n") {
		// bash joins what a backslash breaks before it looks for the end, dash does not.
		text += "\n" + unescape(s.replace(lines, func(q *place) string { return insideHere.Replace(q.value.text) }), "\\\n")
	}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		for _, l := range []string{line, strings.TrimLeft(line, "\t"), insideHere.Replace(line)} {
			switch {
			case l == word, inner && strings.HasPrefix(l, word): // there bash is content with EOF…)
				return "the value has a line that ends the here-document", fixEnding
			case s.dialect == POSIX && swallowed(l, word):
				return "a line begins like the end of the here-document, and some shells take a byte of it away", fixEnding
			}
		}
	}
	return "", ""
}

// around is the lines of a here-document that a value is a part of, with those
// that a backslash joins to them.
func (s *script) around(r *syntax.Redirect, p *place) string {
	body := s.src[r.Hdoc.Pos().Offset():r.Hdoc.End().Offset()]
	at := p.at - int(r.Hdoc.Pos().Offset())
	from := strings.LastIndexByte(body[:at], '\n') + 1
	for from > 0 && odd(body[:from-1]) {
		from = strings.LastIndexByte(body[:from-1], '\n') + 1
	}
	to := at
	for {
		i := strings.IndexByte(body[to:], '\n')
		if i < 0 {
			return body[from:]
		}
		if to += i; !odd(body[:to]) {
			return body[from:to]
		}
		to++
	}
}

const fixEnding = "end the here-document with a word that no value has, or print it: printf '%s\\n' {{ … }}"

// swallowed reports whether dash loses a byte of a line: the one that tells it
// from the word that ends the document, if it is none of ASCII.
func swallowed(line, word string) bool {
	n := 0
	for n < len(line) && n < len(word) && line[n] == word[n] {
		n++
	}
	return n > 0 && n < len(line) && line[n] >= utf8.RuneSelf
}

// substitutes reports whether a place is in a $(…) or <(…), whose commands bash
// writes out anew before it runs them.
func substitutes(stack []syntax.Node) bool {
	return slices.ContainsFunc(stack, func(n syntax.Node) bool {
		switch n.(type) {
		case *syntax.CmdSubst, *syntax.ProcSubst:
			return true
		}
		return false
	})
}

// blurred reports whether a backslash that escapes something in a value, or one
// that stands behind it, follows a byte that may be half a character in some
// locale.
func blurred(before, v, after string) bool {
	last := byte(0)
	if before != "" {
		last = before[len(before)-1]
	}
	for i := range len(v) {
		if last >= utf8.RuneSelf && strings.IndexByte("\\$`", v[i]) >= 0 {
			return true
		}
		last = v[i]
	}
	return last >= utf8.RuneSelf && after != "" && strings.IndexByte("\\`", after[0]) >= 0
}

// commented checks a value in a comment, and takes out its line breaks and what
// could join lines.
func (s *script) commented(p *place) (what, fix string) {
	if substitutes(p.stack) {
		return "a value cannot stand in a comment inside $(…), which older shells read otherwise", "take it out of the comment"
	}
	if strings.HasPrefix(s.src, "#!") && !strings.Contains(s.src[:p.at], "\n") {
		return "a value cannot choose what runs the script", "write the first line itself"
	}
	p.plain = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\\' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(p.value.text, "?"))
	return "", ""
}

// dollared checks a value inside $'…', where it may follow half an escape.
func (s *script) dollared(p *place) (what, fix string) {
	leaf := p.stack[len(p.stack)-1].(*syntax.SglQuoted)
	before, _, _ := strings.Cut(leaf.Value, p.mark)
	if i := strings.LastIndexByte(before, '\\'); i >= 0 && odd(before[:i+1]) && halfDollar(before[i+1:]) {
		return "a backslash stands before the value, which would become a part of its escape", "put something between them"
	}
	return "", ""
}

func halfDollar(tail string) bool {
	return tail == "" || tail == "c" || len(tail) <= 9 && strings.Trim(tail, "0123456789abcdefABCDEFxuU") == ""
}

// outlasts reports whether a here-document stands behind the $(…) that it belongs
// to, where dash takes its lines for commands.
func outlasts(r *syntax.Redirect, stack []syntax.Node) bool {
	for _, n := range slices.Backward(stack) {
		switch n.(type) {
		case *syntax.CmdSubst, *syntax.ProcSubst:
			return r.Hdoc == nil || len(r.Hdoc.Parts) == 0 || r.Hdoc.End().Offset() > n.End().Offset()
		}
	}
	return false
}

// bounded reports whether a here-document ends where a shell ends it: at the first
// line that is its word and nothing else. Our parser may see its word in the
// middle of a line, or not see it inside of an expansion.
func (s *script) bounded(r *syntax.Redirect) bool {
	word, quoted := "", false
	for _, p := range pieces(r.Word.Parts, false) {
		if p.node != nil || p.dollar {
			return false
		}
		word, quoted = word+p.text, quoted || p.quoted
	}
	// Where our parser says that it begins and ends, its last line included. An
	// empty document has no place; then it is the line after this one.
	from, to := int(r.Word.End().Offset()), -1
	if r.Hdoc != nil && len(r.Hdoc.Parts) > 0 {
		from, to = int(r.Hdoc.Pos().Offset()), int(r.Hdoc.End().Offset())
	} else if i := strings.IndexByte(s.src[from:], '\n'); i >= 0 {
		from += i + 1
	}
	before, joined := "", "" // the line before; this one with those that a backslash joins to it
	for l := range strings.Lines(s.src[from:]) {
		line := strings.TrimSuffix(l, "\n")
		if r.Op == syntax.DashHdoc {
			line = strings.TrimLeft(line, "\t")
		}
		if joined = strings.TrimSuffix(joined, `\`) + line; !odd(before) {
			joined = line
		}
		if word == "" || joined == word && line != word && !quoted || line != word && strings.HasPrefix(line, word) && strings.Contains(line, ")") {
			return false // bash reads these otherwise inside of $(…)
		}
		if line == word {
			end := from + len(strings.TrimSuffix(l, "\n"))
			return (end == to || to < 0 && before == "") && (quoted || !odd(before))
		}
		before = strings.TrimSuffix(l, "\n")
		if to < 0 {
			return false
		}
		from += len(l)
	}
	return false
}
