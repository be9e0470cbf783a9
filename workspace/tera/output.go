package tera

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// protocol are the beginnings of lines that the server reads in what a script prints.
var protocol = []string{"OUTPUT:", "STATE:", "GLOBAL_STATE:"}

const (
	forged    = "the value holds what the server reads as the step's output on a line of its own"
	fixForged = "pass it by env:, and write the step's output to the file $STROEM_OUTPUT, which no printed line changes"
)

// within finds such a line inside of a text, where something may cut it off: cut,
// basename, a loop over its words.
var within = regexp.MustCompile(`(^|[^A-Za-z0-9_])(OUTPUT|STATE|GLOBAL_STATE):[ \t]*([{\["0-9-]|true|false|null)`)

// forges reports whether a line of a text would be read by the server if it were
// printed: it begins as one of the protocol and goes on as JSON does.
func forges(text string) bool {
	if !strings.Contains(text, "STATE:") && !strings.Contains(text, "OUTPUT:") {
		return false
	}
	for _, line := range strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' }) {
		rest, ok := protocolLine(line)
		if rest = strings.TrimSpace(rest); ok && (rest == "" || strings.IndexByte(`{["-0123456789`, rest[0]) >= 0 || rest == "true" || rest == "false" || rest == "null") {
			return true
		}
	}
	return false
}

// completes reports whether a value goes on where another value of the script may
// have begun such a line: T: {"a": 1}.
func (s *script) completes(p *place) bool {
	if len(s.places) < 2 || !strings.Contains(p.value.text, ":") {
		return false
	}
	line, _, _ := strings.Cut(p.value.text, "\n")
	begin, rest, _ := strings.Cut(line, ":")
	if !strings.HasSuffix("OUTPUT", begin) {
		return false
	}
	switch rest = strings.TrimSpace(rest); {
	case rest == "":
		return len(begin) > 1
	case begin == "":
		return strings.IndexByte(`{["`, rest[0]) >= 0 && json.Valid([]byte(rest))
	}
	return json.Valid([]byte(rest))
}

// behind is what is printed behind a value that may be the beginning of a line
// that the server reads.
func (s *script) behind(word *syntax.Word, p *place) string {
	if !strings.HasSuffix(p.value.text, "OUTPUT") && !strings.HasSuffix(p.value.text, "STATE") {
		return ""
	}
	_, text, _ := strings.Cut(s.words[word], p.mark)
	if call, at := p.call(); call != nil {
		for _, a := range s.args(call)[at+1:] {
			text += " " + a.text
		}
	}
	return s.filled(text)
}

// putTogether finds a part of a line of a script that makes lines of the protocol out of parts:
// P=OUTPUT:, P=OUTPUT, printf 'OUTPUT: ', sed 's/^/OUTPUT: /'.
var putTogether = regexp.MustCompile(`(^|[^\w${])(OUTPUT|STATE|GLOBAL_STATE)($|[^\w:=])|(\w=|\bprintf\s|\becho\s+-n\s|\bsed\s.*)["']?[^"'\n{]*(OUTPUT|STATE):\s*["'/]?\s*($|[\s;&|})])`)

func (s *script) putTogether() bool {
	for line := range strings.Lines(s.src) {
		if (strings.Contains(line, "OUTPUT") || strings.Contains(line, "STATE")) && putTogether.MatchString(strings.TrimSuffix(line, "\n")) {
			return true
		}
	}
	return false
}

// protocolLine returns the last line of a text when the server reads it, less
// its first word.
func protocolLine(text string) (rest string, ok bool) {
	line := strings.TrimLeft(text[strings.LastIndexAny(text, "\n\r")+1:], " \t")
	for _, prefix := range protocol {
		if rest, ok := strings.CutPrefix(line, prefix); ok {
			return rest, true
		}
	}
	return "", false
}

// output writes a value into JSON that the server reads: as a part of a string
// where it stands in one, else as JSON of its own. before is the JSON ahead of it.
func (s *script) output(p *place, w printing, before string) (what, fix string) {
	inside, half := inString(before)
	switch {
	case w.inside:
		return "a value inside ${…} cannot be a part of what the server reads", `assign it first: NAME={{ … }}, then "$NAME"`
	case (w.format || w.expands) && strings.Contains(w.ahead, `\`):
		return "the backslash before the value may be expanded", fixPrintf
	case half:
		return "a backslash of the JSON stands before the value", "take it out"
	case !s.known:
		return "", ""
	case inside:
		p.plain, p.json = escapeJSON(p.value.text), true
	default:
		if p.plain, what = asJSON(p); what != "" {
			return what, `put it in the quotes of a JSON string: OUTPUT: {"name": "{{ … }}"}`
		}
	}
	if w.unicode && strings.Contains(p.plain, `\`) || w.format && strings.ContainsAny(p.plain, `%\`) {
		return "this " + w.name + " would expand the escapes in the JSON", `write printf '%s\n' 'OUTPUT: …'`
	}
	return "", ""
}

// asJSON is a value as JSON of its own, on one line.
func asJSON(p *place) (text, what string) {
	if u, ok := p.node.x.(*use); ok && u.def == filters["json_encode"] && !strings.Contains(p.value.text, "\n") {
		return unicodeOnly(p.value.text), "" // it is JSON already
	}
	return bareJSON(p.value.any)
}

// inString reports whether a JSON text ends inside a string, and whether it ends
// in half an escape there.
func inString(text string) (inside, half bool) {
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			inside = !inside
		case c == '\\' && inside:
			width := 2
			if i+1 < len(text) && text[i+1] == 'u' {
				width = 6
			}
			if i+width > len(text) {
				return true, true
			}
			i += width - 1
		}
	}
	return inside, false
}

// escapeJSON writes a text as the inside of a JSON string. It uses \u00XX alone:
// an echo may expand a backslash and a letter.
func escapeJSON(v string) string {
	var b strings.Builder
	for i := range len(v) {
		if c := v[i]; c < ' ' || c == '"' || c == '\\' || c == 0x7f {
			fmt.Fprintf(&b, `\u%04x`, c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// bareJSON writes a value that is no string as JSON on one line.
func bareJSON(v any) (s, what string) {
	switch v := v.(type) {
	case string:
		return "", "a string outside of the quotes of the JSON could be anything"
	case map[string]any, Vars, []any, nil, bool:
		p := printer{left: maxText}
		if p.json(v, "", 0); p.what != "" {
			return "", "the value cannot be written as JSON, for it " + p.what
		}
		return unicodeOnly(p.b.String()), ""
	default:
		return showNumber(v)
	}
}

// unicodeOnly turns the short escapes of a JSON text into \u00XX.
func unicodeOnly(raw string) string {
	var b strings.Builder
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			b.WriteByte(raw[i])
			continue
		}
		i++
		switch raw[i] {
		case 'u':
			b.WriteString(`\u`)
		case 'n':
			b.WriteString(`\u000a`)
		case 'r':
			b.WriteString(`\u000d`)
		case 't':
			b.WriteString(`\u0009`)
		case 'b':
			b.WriteString(`\u0008`)
		case 'f':
			b.WriteString(`\u000c`)
		default:
			fmt.Fprintf(&b, `\u%04x`, raw[i])
		}
	}
	return b.String()
}
