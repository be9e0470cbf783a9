package tera

import (
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// piece is a part of a word: text, or something that the shell expands.
type piece struct {
	text   string
	quoted bool
	dollar bool // it stands in $'…', with its escapes
	node   syntax.Node
}

// join merges neighbours of one kind. An empty quoted piece stays when it is all
// there is, for it makes a word of nothing.
func join(in []piece) []piece {
	out := make([]piece, 0, len(in))
	var texts []string // of the last piece of out, to be put together
	empty := false
	flush := func() {
		if len(texts) > 0 {
			out[len(out)-1].text = strings.Join(texts, "")
			texts = nil
		}
	}
	for _, p := range in {
		switch n := len(out); {
		case p.node == nil && p.text == "":
			empty = empty || p.quoted
		case n > 0 && p.node == nil && out[n-1].node == nil && out[n-1].quoted == p.quoted && out[n-1].dollar == p.dollar:
			texts = append(texts, p.text)
		default:
			flush()
			out = append(out, p)
			if p.node == nil {
				texts = append(texts, p.text)
			}
		}
	}
	flush()
	if len(out) == 0 && empty {
		out = append(out, piece{quoted: true})
	}
	return out
}

// pieces takes the quotes of a word away and remembers what they covered.
func pieces(parts []syntax.WordPart, inDouble bool) []piece {
	return appendPieces(make([]piece, 0, len(parts)+1), parts, inDouble)
}

func appendPieces(out []piece, parts []syntax.WordPart, inDouble bool) []piece {
	for _, part := range parts {
		switch part := part.(type) {
		case *syntax.Lit:
			if inDouble {
				out = append(out, piece{text: unescapeDouble(part.Value), quoted: true})
			} else {
				out = unescapeBare(out, part.Value)
			}
		case *syntax.SglQuoted:
			out = append(out, piece{text: part.Value, quoted: true, dollar: part.Dollar})
		case *syntax.DblQuoted:
			if part.Dollar {
				out = append(out, piece{node: part, quoted: inDouble})
			} else {
				out = appendPieces(append(out, piece{quoted: true}), part.Parts, true)
			}
		default:
			out = append(out, piece{node: part, quoted: inDouble})
		}
	}
	return out
}

// unescapeDouble reads the backslashes inside "…".
func unescapeDouble(v string) string { return unescape(v, "$`\"\\\n") }

// unescape reads the backslashes before the characters that they escape.
func unescape(v, escaped string) string {
	if strings.IndexByte(v, '\\') < 0 {
		return v
	}
	var b strings.Builder
	for i := 0; i < len(v); i++ {
		if v[i] == '\\' && i+1 < len(v) && strings.IndexByte(escaped, v[i+1]) >= 0 {
			i++
			if v[i] == '\n' {
				continue
			}
		}
		b.WriteByte(v[i])
	}
	return b.String()
}

// unescapeBare reads the backslashes outside of quotes, and adds what there is to
// out; what they precede is quoted.
func unescapeBare(out []piece, v string) []piece {
	for {
		i := strings.IndexByte(v, '\\')
		if i < 0 || i+1 >= len(v) {
			return append(out, piece{text: v})
		}
		out = append(out, piece{text: v[:i]})
		if v[i+1] != '\n' {
			out = append(out, piece{text: v[i+1 : i+2], quoted: true})
		}
		v = v[i+2:]
	}
}

// herePieces is pieces for a here-document, in which quotes are text.
func herePieces(parts []syntax.WordPart, expanded bool) []piece {
	var out []piece
	for _, part := range parts {
		lit, ok := part.(*syntax.Lit)
		switch {
		case !ok:
			out = append(out, piece{node: part, quoted: true})
		case expanded:
			out = append(out, piece{text: unescape(lit.Value, "$`\\\n"), quoted: true})
		default:
			out = append(out, piece{text: lit.Value, quoted: true})
		}
	}
	return out
}

// read is the text of a piece without its escapes, as far as they are known.
func (p piece) read() string {
	if !p.dollar || !strings.Contains(p.text, `\`) {
		return p.text
	}
	var b strings.Builder
	for v := p.text; v != ""; {
		if v[0] != '\\' || len(v) < 2 {
			b.WriteByte(v[0])
			v = v[1:]
			continue
		}
		n := 0
		switch c := v[1]; {
		case strings.IndexByte("xuU", c) >= 0:
			for n = 2; n < len(v) && n < 2+map[byte]int{'x': 2, 'u': 4, 'U': 8}[c] && strings.IndexByte("0123456789abcdefABCDEF", v[n]) >= 0; n++ {
			}
			r, _ := strconv.ParseUint(v[2:n], 16, 32)
			b.WriteRune(rune(r))
		case '0' <= c && c <= '7':
			for n = 1; n < len(v) && n < 4 && '0' <= v[n] && v[n] <= '7'; n++ {
			}
			r, _ := strconv.ParseUint(v[1:n], 8, 32)
			b.WriteByte(byte(r))
		case c == 'c' && len(v) > 2:
			n = 3
			b.WriteByte(v[2] & 0x1f)
		default:
			n = 2
			if i := strings.IndexByte("abeEfnrtv", c); i >= 0 {
				c = "\a\b\x1b\x1b\f\n\r\t\v"[i]
			}
			b.WriteByte(c)
		}
		v = v[n:]
	}
	return b.String()
}
