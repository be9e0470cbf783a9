package tera

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// printer writes values out, as Tera prints them or as JSON. It stops when there
// is too much: a list may hold one list twice, and that one another.
type printer struct {
	r         *run // whose work it is; nil for nobody's
	b         strings.Builder
	left      int // bytes it may still write
	what, fix string
}

func (p *printer) write(s string) {
	if p.left -= len(s); p.left < 0 {
		p.stop("is too large to be written out")
		return
	}
	p.b.WriteString(s)
}

func (p *printer) stop(what string) {
	if p.what == "" {
		p.what, p.fix = what, fixLess
	}
}

// enter counts a value, and refuses one that is nested too deeply.
func (p *printer) enter(depth int) bool {
	if depth > maxDeep {
		p.stop("is nested too deeply to be written out")
	}
	if p.r != nil && p.what == "" {
		if what := p.r.step(1); what != "" {
			p.stop("takes too long to be written out")
		}
	}
	return p.what == ""
}

// show prints a value as Tera does: an object is [object], null is nothing.
func (p *printer) show(v any, depth int) {
	if !p.enter(depth) {
		return
	}
	switch v := v.(type) {
	case nil:
	case string:
		p.write(v)
	case bool:
		p.write(strconv.FormatBool(v))
	case map[string]any, Vars:
		p.write("[object]")
	case []any:
		p.write("[")
		for i, e := range v {
			if i > 0 {
				p.write(", ")
			}
			if p.show(e, depth+1); p.what != "" {
				return
			}
		}
		p.write("]")
	default:
		s, what := showNumber(v)
		if p.write(s); what != "" {
			p.stop(what)
			p.fix = ""
		}
	}
}

// json writes a value as JSON: in one line, or indented where indent is a line
// break and the spaces of this depth.
func (p *printer) json(v any, indent string, depth int) {
	if !p.enter(depth) {
		return
	}
	if m, ok := object(v); ok {
		keys := sortedKeys(m)
		p.members("{", "}", len(keys), indent, func(i int, indent string) {
			p.text(keys[i])
			p.write(colon(indent))
			p.json(m[keys[i]], indent, depth+1)
		})
		return
	}
	switch v := v.(type) {
	case nil:
		p.write("null")
	case bool:
		p.write(strconv.FormatBool(v))
	case string:
		p.text(v)
	case []any:
		p.members("[", "]", len(v), indent, func(i int, indent string) { p.json(v[i], indent, depth+1) })
	case json.Number:
		if !json.Valid([]byte(v)) {
			p.stop("has a number that JSON does not have")
		}
		p.write(string(v))
	case float64:
		s, what := showNumber(v)
		if what == "" && v == math.Trunc(v) && math.Abs(v) < 1e16 {
			s += ".0"
		}
		if p.write(s); what != "" {
			p.stop(what)
		}
	default:
		s, what := showNumber(v)
		if p.write(s); what != "" {
			p.stop(what)
		}
	}
}

func colon(indent string) string {
	if indent == "" {
		return ":"
	}
	return ": "
}

// members writes the inside of a list or an object.
func (p *printer) members(open, shut string, n int, indent string, member func(i int, indent string)) {
	inner := indent
	if indent != "" {
		inner += "  "
	}
	p.write(open)
	for i := range n {
		if i > 0 {
			p.write(",")
		}
		p.write(inner)
		if member(i, inner); p.what != "" {
			return
		}
	}
	if n > 0 {
		p.write(indent)
	}
	p.write(shut)
}

// text writes a text as a JSON string, escaping no more than JSON asks for.
func (p *printer) text(s string) {
	if p.left < len(s) {
		p.stop("is too large to be written out")
		return
	}
	s = strings.ToValidUTF8(s, "\uFFFD")
	p.write(`"`)
	last := 0
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		p.write(s[last:i])
		last = i + 1
		if short := strings.IndexByte("\"\\\b\f\n\r\t", c); short >= 0 {
			p.write(`\` + `"\bfnrt`[short:short+1])
		} else {
			p.write(`\u00` + string("0123456789abcdef"[c>>4]) + string("0123456789abcdef"[c&15]))
		}
	}
	p.write(s[last:])
	p.write(`"`)
}
