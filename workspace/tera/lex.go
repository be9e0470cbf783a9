package tera

import "strings"

// kind is what a token is.
type kind int

const (
	eof    kind = iota
	plain       // everything between the delimiters
	open        // {{ {% {#, with or without a -
	shut        // }} %} #}, with or without a -
	ident       // a name or a keyword
	number      // 1 2.5
	quoted      // "…" '…' `…`
	op          // operators and punctuation
	bad         // a character that Tera has no use for, or a string without an end
)

// token is a piece of the source; src[at:at+len(text)] is the token itself.
type token struct {
	kind kind
	at   int
	text string
}

func (t token) end() int         { return t.at + len(t.text) }
func (t token) is(s string) bool { return (t.kind == op || t.kind == ident) && t.text == s }

// lexer cuts a template into tokens. The parser says in which of the two worlds
// it is: between the delimiters (next) or outside of them (text).
type lexer struct {
	src string
	at  int
}

// text returns the text up to the next opening delimiter or the end.
func (l *lexer) text() token {
	start := l.at
	for l.at < len(l.src) {
		i := strings.IndexByte(l.src[l.at:], '{')
		if i < 0 {
			l.at = len(l.src)
			break
		}
		l.at += i
		if l.opens() {
			break
		}
		l.at++
	}
	return token{kind: plain, at: start, text: l.src[start:l.at]}
}

// opens reports whether an opening delimiter begins here. ${# is the length of
// a shell variable and no comment.
func (l *lexer) opens() bool {
	rest := l.src[l.at:]
	if len(rest) < 2 {
		return false
	}
	switch rest[1] {
	case '{', '%':
		return true
	case '#':
		return l.at == 0 || l.src[l.at-1] != '$'
	}
	return false
}

// open returns the opening delimiter that begins here, or the end.
func (l *lexer) open() token {
	if l.at >= len(l.src) {
		return token{kind: eof, at: l.at}
	}
	n := 2
	if strings.HasPrefix(l.src[l.at+2:], "-") {
		n = 3
	}
	return l.take(open, n)
}

// comment goes to the end of a comment whose opening has been read; ok is false
// when it has none.
func (l *lexer) comment() (shutting token, ok bool) {
	i := strings.Index(l.src[l.at:], "#}")
	if i < 0 {
		return token{kind: eof, at: len(l.src)}, false
	}
	n := 2
	if i > 0 && l.src[l.at+i-1] == '-' {
		i, n = i-1, 3
	}
	l.at += i
	return l.take(shut, n), true
}

// next returns the next token between the delimiters.
func (l *lexer) next() token {
	for l.at < len(l.src) && strings.IndexByte(" \t\r\n", l.src[l.at]) >= 0 {
		l.at++
	}
	if l.at >= len(l.src) {
		return token{kind: eof, at: l.at}
	}
	rest := l.src[l.at:]
	for _, s := range []string{"-}}", "-%}", "}}", "%}"} {
		if strings.HasPrefix(rest, s) {
			return l.take(shut, len(s))
		}
	}
	switch c := rest[0]; {
	case letter(c):
		return l.take(ident, count(rest, wordly))
	case digit(c):
		n := count(rest, digit)
		if n+1 < len(rest) && rest[n] == '.' && digit(rest[n+1]) {
			n += 1 + count(rest[n+1:], digit)
		}
		return l.take(number, n)
	case c == '"' || c == '\'' || c == '`':
		if i := strings.IndexByte(rest[1:], c); i >= 0 {
			return l.take(quoted, i+2)
		}
		return l.take(bad, 1)
	}
	for _, s := range []string{"::", "==", "!=", "<=", ">="} {
		if strings.HasPrefix(rest, s) {
			return l.take(op, 2)
		}
	}
	if strings.IndexByte("|()[].,=<>+-*/%~", rest[0]) >= 0 {
		return l.take(op, 1)
	}
	return l.take(bad, 1)
}

// segment returns the part of a path that follows a dot; it is empty where none does.
func (l *lexer) segment() token {
	return l.take(ident, count(l.src[l.at:], wordly))
}

func (l *lexer) take(k kind, n int) token {
	t := token{kind: k, at: l.at, text: l.src[l.at : l.at+n]}
	l.at += n
	return t
}

func letter(c byte) bool { return c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }
func digit(c byte) bool  { return '0' <= c && c <= '9' }
func wordly(c byte) bool { return letter(c) || digit(c) }

// count counts the bytes at the front of s that are in the class.
func count(s string, class func(byte) bool) int {
	n := 0
	for n < len(s) && class(s[n]) {
		n++
	}
	return n
}
