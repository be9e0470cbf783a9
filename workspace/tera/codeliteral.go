package tera

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// write writes a value at a spot.
func (sp spot) write(p *printer, v value, lang Language) (what, fix string) {
	switch {
	case sp.spoils != nil && sp.spoils.MatchString(v.text):
		return "the value has a character that would be read as a part of the format", fixFormat
	case sp.kind == inNote:
		p.write(plainNote(v.text))
	case !utf8.ValidString(v.text):
		return "the value has bytes that are no UTF-8, which a literal cannot hold", fixInput
	case sp.kind == inRaw:
		if strings.ContainsAny(v.text, "`\r\x00\ufeff") {
			return "the value has a character that `…` cannot hold", `write it in "…", or ` + fixInput
		}
		p.write(v.text)
	case sp.kind == operand:
		l := literals{p: p, lang: lang}
		if l.value(v.any, sp, 0); l.what != "" {
			return l.what, fixInput
		}
	case sp.betweenQuotes && v.text == "":
		return "the value is empty, and the quotes beside it would be read together", "take the quotes away, or " + fixInput
	default:
		p.escape(v.text, lang, sp.kind == inBytes)
	}
	if p.what != "" {
		return "the value " + p.what, fixInput
	}
	return "", ""
}

// plainNote leaves of a value in a comment what no tool takes for an order.
func plainNote(v string) string {
	return strings.Map(func(r rune) rune {
		if r < utf8.RuneSelf && (wordly(byte(r)) || strings.ContainsRune(" .,-()", r)) {
			return r
		}
		return ' '
	}, v)
}

// escape writes a text for the inside of a literal, in ASCII and without any
// character that means something to some language: no quote, no brace, no slash.
func (p *printer) escape(v string, lang Language, bytes bool) {
	if p.left < len(v) {
		p.stop("is too large to be written out")
		return
	}
	var b strings.Builder
	for i, r := range v {
		switch {
		case r < utf8.RuneSelf && (wordly(byte(r)) || strings.ContainsRune(" .,:;-=", r)):
			b.WriteByte(byte(r))
		case bytes:
			for _, c := range []byte(v[i : i+utf8.RuneLen(r)]) {
				fmt.Fprintf(&b, `\x%02x`, c)
			}
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		case lang.ecma():
			r -= 0x10000
			fmt.Fprintf(&b, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	p.write(b.String())
}

// literals writes values as literals of a language.
type literals struct {
	p    *printer
	lang Language
	what string
}

func (l *literals) value(v any, sp spot, depth int) {
	if depth > maxNesting {
		l.what = "the value is nested too deeply for a literal"
	}
	if l.what != "" || l.p.what != "" {
		return
	}
	if m, ok := object(v); ok {
		l.object(m, depth)
		return
	}
	switch v := v.(type) {
	case nil:
		if l.lang == Go {
			l.what = "null is no value in go"
		}
		l.p.write(map[bool]string{true: "None", false: "null"}[l.lang == Python])
	case bool:
		s := strconv.FormatBool(v)
		if l.lang == Python {
			s = strings.ToUpper(s[:1]) + s[1:]
		}
		l.p.write(s)
	case string:
		l.text(v)
	case []any:
		if l.lang == Go {
			l.what = "a list has no literal of its own in go"
			return
		}
		l.p.write("[")
		for i, e := range v {
			if i > 0 {
				l.p.write(", ")
			}
			if l.value(e, spot{}, depth+1); l.what != "" || l.p.what != "" {
				return
			}
		}
		l.p.write("]")
	default:
		l.number(v, sp)
	}
}

func (l *literals) text(v string) {
	if !utf8.ValidString(v) {
		l.what = "the value has bytes that are no UTF-8, which a literal cannot hold"
		return
	}
	l.p.write(`"`)
	l.p.escape(v, l.lang, false)
	l.p.write(`"`)
}

func (l *literals) object(m map[string]any, depth int) {
	if l.lang == Go {
		l.what = "an object has no literal of its own in go"
		return
	}
	open, shut := "{", "}"
	if l.lang.ecma() && depth == 0 {
		open, shut = "({", "})" // at the beginning of a statement { is a block
	}
	l.p.write(open)
	for i, k := range sortedKeys(m) {
		if i > 0 {
			l.p.write(", ")
		}
		own := l.lang.ecma() && k == "__proto__" // as a plain key it would be the prototype
		if own {
			l.p.write("[")
		}
		if l.text(k); own {
			l.p.write("]")
		}
		l.p.write(": ")
		if l.value(m[k], spot{}, depth+1); l.what != "" || l.p.what != "" {
			return
		}
	}
	l.p.write(shut)
}

var numeral = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)

// number writes a number that the language reads as the same.
func (l *literals) number(v any, sp spot) {
	var s string
	if n, ok := v.(json.Number); ok {
		s = string(n)
	} else {
		one := printer{left: maxText}
		one.json(v, "", 0)
		if s = one.b.String(); one.what != "" {
			l.what = "the value " + one.what
			return
		}
	}
	f, err := strconv.ParseFloat(s, 64)
	const exact = 1 << 53
	switch {
	case !numeral.MatchString(s) || err != nil || len(s) > 400:
		l.what = "the value is no number that a literal can be"
	case l.lang.ecma() && !strings.ContainsAny(s, ".eE") && math.Abs(f) >= exact:
		l.what = "the number is larger than javascript can tell apart; hand it over as a text"
	case s[0] == '-' || sp.dotted:
		s = "(" + s + ")"
	}
	l.p.write(s)
}
