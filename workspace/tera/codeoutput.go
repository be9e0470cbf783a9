package tera

import (
	"regexp"
	"slices"
	"strings"
)

// jsonSpot is what a value is in a line of JSON that the server reads.
type jsonSpot int

const (
	noJSON     jsonSpot = iota
	jsonInside          // a part of a string of it
	jsonBare            // JSON of its own
)

// opened begins to read the text of a literal.
func (c *coder) opened() {
	if c.last != "x" {
		c.operand = operandAt{len(c.spots), c.at}
	}
	c.unsaid = c.at
	c.own = len(c.now.said)
}

// begins is what the statement says, if no more than a word is missing for it to
// begin a line that the server reads.
func (c *coder) begins() string {
	said := strings.TrimLeft(c.now.said, " \t")
	if said != "" && slices.ContainsFunc(protocol, func(word string) bool { return len(said) < len(word) && strings.HasPrefix(word, said) }) {
		return said
	}
	return ""
}

// halfOutput is a word that a value may make a line of which the server reads.
var halfOutput = regexp.MustCompile(`\b(OU?T?P?U?T?|GLOBAL_|(GLOBAL_)?ST?A?T?E?)(['"` + "`" + `]|Zq[0-9a-f]{32}x)`)

// writing are functions that print no end of a line.
var writing = regexp.MustCompile(`(^|\.)(write|Print|Printf|Fprint|Fprintf|WriteString)$`)

// unended is what the statement prints of a line that the server reads and that the
// next may go on with.
func (c *coder) unended() string {
	said := strings.TrimLeft(c.now.said, " \t")
	if _, ok := protocolLine(said); c.now.writes && ok {
		return said
	}
	return ""
}

// closed ends reading it: the literal began at start, with the value of this
// number the first that may be in it, and ends before the cursor.
func (c *coder) closed(start, first int, raw bool) {
	c.say(raw)
	text, plain := c.src[start:c.at], first == len(c.spots)
	if c.arg.add(text, true); !plain {
		c.token("x")
		return
	}
	n := len(c.opens)
	if n > 0 && c.evaluates(text) && (c.opens[n-1].sign == '[' && c.opens[n-1].callee != "" || last(c.opens[n-1].callee) == "getattr") {
		c.refers(text)
	}
	c.token("x")
	c.text = text
}

// say adds what a literal says up to the cursor to what its statement does. Of
// that the last line is all that matters.
func (c *coder) say(raw bool) {
	if !c.outputs {
		return
	}
	text := c.src[c.unsaid:c.at]
	c.unsaid = c.at
	if !raw {
		text = readEscapes(text)
	}
	if i := strings.LastIndexAny(text, "\n\r"); i >= 0 {
		for _, line := range strings.FieldsFunc(c.now.said+text[:i], lineEnd) {
			if rest, ok := protocolLine(line); ok && filledIn.MatchString(rest) {
				c.now.filled = rest
			}
		}
		c.now.said, c.own, text = "", 0, text[i+1:]
	}
	c.now.said += text
	if c.s.work += len(c.now.said); c.s.work > mostWork {
		c.lose("too much is printed in one line")
	}
}

func lineEnd(r rune) bool { return r == '\n' || r == '\r' }

// readEscapes reads those escapes that matter to where lines and the strings of
// JSON begin and end.
func readEscapes(text string) string {
	if !strings.Contains(text, `\`) {
		return text
	}
	return escapes.ReplaceAllStringFunc(text, func(e string) string {
		switch e[1] {
		case 'n', 'r':
			return "\n"
		case '\n':
			return ""
		}
		return e[1:]
	})
}

var escapes = regexp.MustCompile(`(?s)\\.`)

// makers are functions that make JSON of what they are given.
var makers = []string{"dumps", "stringify", "Marshal", "MarshalIndent", "Encode", "dump", "quote", "Quote"}

// makes reports whether what stands here is made JSON of.
func (c *coder) makes() bool {
	return slices.ContainsFunc(c.opens, func(b bracket) bool { return slices.Contains(makers, last(b.callee)) })
}

// printed says what a value is in a line that the server reads, if its statement
// prints one before it.
func (c *coder) printed(sp *spot) {
	if !c.outputs {
		return
	}
	sp.begun = c.begins()
	line, ok := protocolLine(c.now.said[min(c.own, len(c.now.said)):])
	if !ok || sp.kind == operand {
		line, ok = protocolLine(c.now.said)
	}
	if !ok && sp.kind == operand && c.now.filled != "" {
		line, ok = c.now.filled, true
	}
	if !ok {
		return
	}
	if c.s.work += len(line); c.s.work > mostWork {
		sp.what, sp.fix = "there are too many values in what is printed", fixInput
		return
	}
	if c.makes() {
		return
	}
	inside, half := inString(line)
	switch {
	case half:
		sp.what, sp.fix = "a backslash of the JSON stands before the value", "take it out"
	case inside:
		sp.json = jsonInside
	case sp.kind == operand && filledIn.MatchString(line):
		sp.json = jsonInside
		for _, at := range filledIn.FindAllStringIndex(line, -1) {
			if inside, _ := inString(line[:at[0]]); !inside {
				sp.json = jsonBare
			}
		}
	default:
		sp.json = jsonBare
	}
}

// filledIn is what a format has for what comes behind it.
var filledIn = regexp.MustCompile(`%[-+ #0-9.]*[a-zA-Z]|\{[^{}"]*\}`)

// rewritten is a value as JSON, or as the inside of a string of it.
func (sp spot) rewritten(p *place) (v value, what, fix string) {
	v = p.value
	switch sp.json {
	case jsonInside:
		v.text = escapeJSON(v.text)
	case jsonBare:
		if v.text, what = asJSON(p); what != "" {
			return v, what, `put it in the quotes of a JSON string: OUTPUT: {"name": "{{ … }}"}`
		}
	default:
		return v, "", ""
	}
	if sp.kind == inRaw {
		v.text = strings.ReplaceAll(v.text, "`", `\u0060`)
	}
	switch v.any.(type) {
	case nil, bool:
		if sp.json == jsonBare {
			v.any = v.text
		}
	case string, []any, map[string]any, Vars:
		v.any = v.text
	}
	return v, "", ""
}

const fixLined = "make the JSON of it: OUTPUT: and json.dumps or JSON.stringify, or write it to the file $STROEM_OUTPUT"

// linedBadly reports whether a text would be more than a text in JSON, unescaped.
func linedBadly(text string) bool {
	text = strings.TrimSpace(text)
	return escapeJSON(text) != text || strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[")
}
