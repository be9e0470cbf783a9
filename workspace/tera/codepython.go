package tera

import (
	"regexp"
	"slices"
	"strings"
)

// python reads what begins a comment or a literal of text in python.
func (c *coder) python() bool {
	switch c.src[c.at] {
	case '#':
		c.note(1)
	case '\'', '"':
		c.pythonText()
	case '\\', '`', '$':
		c.lose("there is a " + c.src[c.at:c.at+1] + " in the code")
		if c.sees("\\\n") { // the line goes on
			c.uncertain = ""
			c.at += 2
		}
	default:
		return false
	}
	return true
}

// prefix is the word right before a literal, if it is one of a literal's.
func (c *coder) prefix() (p string, ok bool) {
	if c.at == 0 || !c.isWord(c.byteAt(c.at-1)) {
		return "", true
	}
	p = strings.ToLower(c.last)
	return p, slices.Contains([]string{"r", "b", "u", "f", "t", "br", "rb", "fr", "rf", "tr", "rt"}, p)
}

// pythonText reads a literal of text, with the letters before it.
func (c *coder) pythonText() {
	c.next()
	prefix, ok := c.prefix()
	if !ok {
		c.lose("a word touches a quote")
		return
	}
	if prefix != "" {
		c.last = c.prior
	}
	quote := c.src[c.at : c.at+1]
	if triple := strings.Repeat(quote, 3); c.sees(triple) {
		quote = triple
	}
	c.at += len(quote)
	c.opened()
	start, first := c.at, len(c.spots)
	raw, fields := strings.Contains(prefix, "r"), strings.ContainsAny(prefix, "ft")
	c.span(literalText, func(ch byte) bool {
		switch {
		case len(quote) == 1 && (ch == '\n' || ch == '\r'):
			c.fail("a literal of text is not closed")
		case c.sees(quote):
			c.closed(start, first, raw)
			c.at += len(quote)
			return true
		case ch == '\\':
			c.escaped(fields || !raw && prefix != "b")
		case fields && (c.sees("{{") || c.sees("}}")):
			c.at += 2
		case fields && ch == '}':
			c.lose("there is a } in an f-string")
		case fields && ch == '{':
			c.say(raw)
			from := c.at
			c.field(quote)
			c.filled(c.src[max(start, from-256):from], c.src[from:c.at])
			c.unsaid = c.at
		default:
			c.at++
		}
		return false
	}, func() {
		c.say(raw)
		switch {
		case raw || prefix == "t":
			c.refuse("a value cannot be escaped inside "+prefix+quote+"…"+quote, "use a literal without the "+prefix+", or "+fixInput)
		case prefix == "b":
			c.inside(start, quote, inBytes)
		default:
			c.inside(start, quote, inText)
		}
		c.unsaid = c.at
	})
}

// escaped goes past a backslash and what it escapes.
func (c *coder) escaped(named bool) {
	c.at++
	switch {
	case c.here() != nil || c.at >= len(c.src): // the place is refused
	case named && c.sees("N{"):
		i := strings.IndexByte(c.src[c.at:], '}')
		if i < 0 || c.stop() <= c.at+i {
			c.lose(`there is a \N{…} in a literal`)
			return
		}
		c.at += i + 1
	default:
		c.at++
	}
}

// field reads {…} of an f-string, in which no value can stand. How far it goes is
// read otherwise by older and newer pythons unless it is plain.
func (c *coder) field(quote string) {
	open, format := 0, false
	for c.uncertain == "" && c.at < len(c.src) {
		if c.here() != nil {
			c.refuse("a value cannot stand inside {…} of an f-string", "assign it first: name = {{ … }}, then {name}")
			continue
		}
		ch := c.src[c.at]
		switch {
		case ch == '\\' || ch == '#' || ch == quote[0] || ch == '\n' || ch == '\r':
			c.lose("{…} of an f-string has a character that older pythons refuse")
		case ch == '\'' || ch == '"':
			i := strings.IndexAny(c.src[c.at+1:], string(ch)+"\\\n\r"+quote[:1])
			end := c.at + 1 + i
			if format || i < 0 || c.src[end] != ch || c.stop() < end {
				c.lose("there is a quote in {…} of an f-string")
				return
			}
			c.at = end
		case ch == '(' || ch == '[' || ch == '{':
			open++
		case ch == ')' || ch == ']' || ch == '}' && open > 1:
			open--
		case ch == '}':
			c.at++
			return
		case (ch == ':' || ch == '!') && open == 1:
			format = true
		}
		if open < 1 {
			c.lose("the brackets in {…} of an f-string do not match")
		}
		c.at++
	}
	if c.uncertain == "" {
		c.fail("{…} of an f-string is not closed")
	}
}

// notRead are parts of a field that name no variable, or one of which nothing but
// a text is left.
var notRead = regexp.MustCompile(`\b(int|float|len|quote)\([^()]*\)|'[^']*'|"[^"]*"|\w+\(|[!:][^{}()\[\]]*}$`)

// filled is for the names in a field of an f-string, behind a text.
func (c *coder) filled(before, field string) {
	for _, maker := range makers {
		if c.outputs && strings.Contains(field, maker+"(") {
			return
		}
	}
	for _, name := range anyName.FindAllString(notRead.ReplaceAllString(field, " "), -1) {
		c.mentioned(name, before, false)
	}
}
