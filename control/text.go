package control

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Clean makes text from scripts fit to be read: terminal sequences, control
// characters and invisible or direction-changing ones are removed or written
// as escapes, and invalid UTF-8 is replaced, so that a line can neither hide
// nor pretend to be another.
func Clean(s string) string {
	if plain(s) {
		return s
	}
	s = strings.ToValidUTF8(s, string(utf8.RuneError))
	var b strings.Builder
	for len(s) > 0 {
		if n := terminalSequence(s); n > 0 {
			s = s[n:]
			continue
		}
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == '\n' || r == '\t' || !unseen(r):
			b.WriteRune(r)
		case r < 0x80:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			fmt.Fprintf(&b, `\u{%x}`, r)
		}
		s = s[n:]
	}
	return b.String()
}

// CleanLine is Clean for what must stay one line. The return of a progress
// bar that merely ends a line is dropped.
func CleanLine(s string) string {
	return strings.ReplaceAll(Clean(strings.TrimRight(s, "\r")), "\n", `\n`)
}

// CleanJSON is a JSON document in which the characters that Clean takes out
// are escaped, as JSON does it: it means the same, and shows what it holds.
func CleanJSON(doc []byte) []byte {
	if plain(string(doc)) {
		return doc
	}
	var out []byte
	for _, r := range string(doc) {
		switch {
		case r < 0x80 || !unseen(r):
			out = utf8.AppendRune(out, r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
	}
	return out
}

func plain(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x7f || s[i] < 0x20 && s[i] != '\n' && s[i] != '\t' {
			return false
		}
	}
	return true
}

// unseen reports characters that show nothing or change how others show:
// controls, bidirectional marks, zero-width characters, line separators, tags
// and private use.
func unseen(r rune) bool {
	return unicode.Is(unicode.C, r) || r == 0x2028 || r == 0x2029 || r == 0x115f || r == 0x1160 || r == 0x3164
}

// terminalSequence is the length of the ECMA-48 control sequence (CSI, OSC and
// their like) at the start of s, 0 if there is none.
func terminalSequence(s string) int {
	if len(s) < 2 || s[0] != 0x1b {
		return 0
	}
	switch s[1] {
	case '[':
		for i := 2; i < len(s); i++ {
			if s[i] >= 0x40 && s[i] <= 0x7e {
				return i + 1
			}
		}
		return len(s)
	case ']', 'P', '_', '^', 'X': // strings, ended by BEL or ESC \
		for i := 2; i < len(s); i++ {
			switch {
			case s[i] == 0x07:
				return i + 1
			case s[i] == 0x1b && i+1 < len(s) && s[i+1] == '\\':
				return i + 2
			case s[i] == '\n':
				return i
			}
		}
		return len(s)
	}
	return 2
}
