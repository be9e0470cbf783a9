package workspace

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// source is the text of one YAML file, kept to say where in it something is.
type source struct {
	name  string
	text  string
	lines []int // offset of each line's first byte
}

func newSource(name, text string) *source {
	// The mark that some editors put first is no part of the text.
	text = strings.TrimPrefix(text, "\uFEFF")
	s := &source{name: name, text: text, lines: []int{0}}
	for i := 0; i < len(text); i++ {
		if text[i] == '\n' {
			s.lines = append(s.lines, i+1)
		}
	}
	return s
}

// line is the text of a line, without its break; "" where there is none.
func (s *source) line(n int) string {
	if n < 1 || n > len(s.lines) {
		return ""
	}
	text := s.text[s.lines[n-1]:]
	if i := strings.IndexByte(text, '\n'); i >= 0 {
		text = text[:i]
	}
	return strings.TrimSuffix(text, "\r")
}

// offset is where a line and column (in characters) lie in the text.
func (s *source) offset(line, column int) int {
	if line < 1 {
		return 0
	}
	if line > len(s.lines) {
		return len(s.text)
	}
	at := s.lines[line-1]
	for column > 1 && at < len(s.text) && s.text[at] != '\n' {
		_, n := utf8.DecodeRuneInString(s.text[at:])
		at += n
		column--
	}
	return at
}

// pos is the place of an offset. line is one at or before it, to count from.
func (s *source) pos(offset, line int) Pos {
	line = max(line, 1)
	for line < len(s.lines) && s.lines[line] <= offset {
		line++
	}
	start := s.lines[min(line, len(s.lines))-1]
	column := 1
	if offset > start {
		column += utf8.RuneCountInString(s.text[start:min(offset, len(s.text))])
	}
	return Pos{File: s.name, Line: line, Column: column}
}

// unreadable finds what no YAML parser should be shown, with its place: bytes
// that are not UTF-8 and control characters that YAML does not allow.
func (s *source) unreadable() (Pos, string, string) {
	for i := 0; i < len(s.text); {
		r, n := utf8.DecodeRuneInString(s.text[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			return s.pos(i, 1), fmt.Sprintf("byte 0x%02X is not UTF-8 text", s.text[i]), "save the file as UTF-8"
		case r == '\t', r == '\n', r == '\r', r == 0x85:
		case r < ' ', r >= 0x7F && r < 0xA0, r == 0xFFFE, r == 0xFFFF:
			return s.pos(i, 1), fmt.Sprintf("control character U+%04X does not belong in YAML", r),
				`remove it, or write it as an escape in double quotes`
		}
		i += n
	}
	return Pos{}, "", ""
}

// Bounds on the characters that can begin a value of YAML. The parser makes a
// node of some hundred bytes for each, and we a task for few, so these bound
// memory and time as the size of the files alone does not.
const (
	maxMarks    = 50_000  // of a file
	maxAllMarks = 250_000 // of a workspace
)

// marks counts such characters, and says where the count passes maxMarks; -1
// where it does not.
func marks(text string) (n, over int) {
	over = -1
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case ',', ':', '[', '{':
			n++
		case '-', '?':
			if i+1 == len(text) || blank(text[i+1]) {
				n++
			}
		}
		if n > maxMarks && over < 0 {
			over = i
		}
	}
	return n, over
}

// scalar is a text as it stands in a file, in whatever of YAML's styles, and
// knows where each of its characters stands.
type scalar struct {
	src    *source
	line   int
	column int
	style  yaml.Style
	value  string

	// How far the last place was, so that many places cost one walk.
	in, raw, lastLine, valueLine, valueColumn int
}

// first is the place of the first character of the text.
func (s *scalar) first() Pos { return s.place(1, 1) }

// place is where the character at a line and column of the text stands in the file.
func (s *scalar) place(line, column int) Pos {
	if s.valueLine == 0 || line < s.valueLine || line == s.valueLine && column < s.valueColumn {
		s.in, s.raw, s.valueLine, s.valueColumn = 0, 0, 1, 1
	}
	at := s.in
	for s.valueLine < line {
		i := strings.IndexByte(s.value[at:], '\n')
		if i < 0 {
			break
		}
		at += i + 1
		s.valueLine++
		s.valueColumn = 1
	}
	for s.valueColumn < column && at < len(s.value) && s.value[at] != '\n' {
		_, n := utf8.DecodeRuneInString(s.value[at:])
		at += n
		s.valueColumn++
	}
	return s.at(at)
}

// at is the place of the character at an offset of the text. It reads text and
// file side by side: exact for plain, quoted and literal text, and for folded
// text exact wherever a character is not a space.
func (s *scalar) at(offset int) Pos {
	if s.raw == 0 || offset < s.in {
		s.in, s.raw = 0, s.begin()
		s.lastLine = s.line
	}
	for s.in < len(s.value) {
		s.raw = s.skip(s.raw, s.value[s.in])
		if s.in >= offset {
			break
		}
		s.in, s.raw = s.step(s.in, s.raw)
	}
	p := s.src.pos(s.raw, s.lastLine)
	s.lastLine = p.Line
	return p
}

// begin is the offset in the file at which the text itself begins: after the
// quote, or on the line after | or >.
func (s *scalar) begin() int {
	raw := s.src.offset(s.line, s.column)
	text := s.src.text
	// Anchors and tags stand before the text.
	for raw < len(text) && (text[raw] == '&' || text[raw] == '!') {
		for raw < len(text) && !blank(text[raw]) {
			raw++
		}
		for raw < len(text) && blank(text[raw]) {
			raw++
		}
	}
	switch {
	case s.style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0:
		return min(raw+1, len(text))
	case s.style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		if i := strings.IndexByte(text[raw:], '\n'); i >= 0 {
			return raw + i + 1
		}
		return len(text)
	}
	return raw
}

// skip passes what stands in the file but not in the text before its next
// character c: indentation, and the breaks of folded lines.
func (s *scalar) skip(raw int, c byte) int {
	text := s.src.text
	for raw < len(text) {
		switch {
		case s.style&yaml.DoubleQuotedStyle != 0 && text[raw] == '\\' && raw+1 < len(text) && (text[raw+1] == '\n' || text[raw+1] == '\r'):
			raw += 2 // an escaped break joins two lines
			for raw < len(text) && blank(text[raw]) {
				raw++
			}
		case blank(text[raw]) && !blank(c):
			raw++
		default:
			return raw
		}
	}
	return raw
}

// step passes one character in text and file.
func (s *scalar) step(in, raw int) (int, int) {
	text := s.src.text
	_, n := utf8.DecodeRuneInString(s.value[in:])
	if raw >= len(text) {
		return in + n, raw
	}
	_, m := utf8.DecodeRuneInString(text[raw:])
	switch {
	case s.style&yaml.DoubleQuotedStyle != 0 && text[raw] == '\\':
		return in + n, min(raw+escape(text[raw:]), len(text))
	case s.style&yaml.SingleQuotedStyle != 0 && strings.HasPrefix(text[raw:], "''"):
		return in + n, raw + 2
	case blank(s.value[in]) && s.value[in] != text[raw]:
		return in + n, raw // a folded break: the rest of it is skipped later
	}
	return in + n, raw + m
}

// escape is the length of an escape of a double-quoted text.
func escape(text string) int {
	if len(text) < 2 {
		return 1
	}
	switch text[1] {
	case 'x':
		return 4
	case 'u':
		return 6
	case 'U':
		return 10
	}
	_, n := utf8.DecodeRuneInString(text[1:])
	return 1 + n
}

func blank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }
