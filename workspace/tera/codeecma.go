package tera

import (
	"slices"
	"strings"
)

// golang reads what begins a comment or a literal of text in Go.
func (c *coder) golang() bool {
	switch ch := c.src[c.at]; {
	case c.sees("//"):
		c.note(2)
	case c.sees("/*"):
		c.block()
	case ch == '"':
		c.literal('"', inText)
	case ch == '`':
		c.literal('`', inRaw)
	case ch == '\'':
		c.literal('\'', inNote)
	default:
		return false
	}
	return true
}

// ecma reads what begins a comment, a literal of text or a regular expression in
// JavaScript and TypeScript.
func (c *coder) ecma() bool {
	switch ch := c.src[c.at]; {
	case c.at == 0 && c.sees("#!"), c.sees("//"):
		c.note(2)
	case c.sees("/*"):
		c.block()
	case c.sees("<!--") || c.sees("-->"):
		c.lose("there is a comment of HTML in the code")
	case ch == '\\':
		c.lose("there is a backslash in the code")
	case ch == '"' || ch == '\'':
		c.literal(ch, inText)
	case ch == '`':
		c.template()
	case ch == '/':
		c.slash()
	default:
		return false
	}
	return true
}

// member reports whether an object's key may stand here: not behind the ? of a
// condition, nor behind case.
func (c *coder) member() bool { return c.last == "{" || c.last == "," }

// literal reads a literal of text that ends in the quote it begins with.
func (c *coder) literal(quote byte, kind spotKind) {
	c.at++
	start, first, member := c.at, len(c.spots), c.member()
	for c.lost == "" {
		if c.here() != nil {
			if kind == inNote {
				c.refuse("a value cannot stand inside '…', which is one character", `write "…"`)
			} else {
				c.text(start, string(quote), kind)
			}
			continue
		}
		switch ch := c.byteAt(c.at); {
		case c.at >= len(c.src) || kind != inRaw && (ch == '\n' || ch == '\r'):
			c.fail("a literal of text is not closed")
		case ch == quote:
			c.at++
			for i := range c.spots[first:] {
				c.spots[first+i].key = member && strings.HasPrefix(strings.TrimLeft(c.src[c.at:], " \t\r\n"), ":")
			}
			c.token("x")
			return
		case ch == '\\' && kind != inRaw:
			c.escaped(false)
		default:
			c.at++
		}
	}
}

// template reads `…` of JavaScript, and the code inside its ${…}.
func (c *coder) template() {
	tagged := !c.expects() && c.last != ""
	c.at++
	start := c.at
	for c.lost == "" {
		if c.here() != nil {
			if tagged {
				c.refuse("it is not certain how the function before `…` reads the value", fixInput)
			} else {
				c.text(start, "`", inText)
			}
			continue
		}
		switch {
		case c.at >= len(c.src):
			c.fail("a literal of text is not closed")
		case c.src[c.at] == '`':
			c.at++
			c.token("x")
			return
		case c.src[c.at] == '\\':
			c.escaped(false)
		case c.sees("${"):
			c.at += 2
			c.nested()
			start = c.at
		default:
			c.at++
		}
	}
}

// nested reads the code inside ${…}.
func (c *coder) nested() {
	if len(c.opens) > maxNesting {
		c.lose("the code is nested too deeply")
		return
	}
	prior, last := c.prior, c.last
	c.opens, c.calls = append(c.opens, '{'), append(c.calls, "")
	c.token("(")
	if c.code('}'); c.lost == "" {
		c.at++
		c.opens, c.calls = c.opens[:len(c.opens)-1], c.calls[:len(c.calls)-1]
	}
	c.prior, c.last = prior, last
}

// beforeRegex are the words after which a / begins a regular expression.
var beforeRegex = []string{"return", "typeof", "case", "in", "void", "throw", "delete", "instanceof", "new", "else", "do"}

// slash tells a division from a regular expression. Where that is not certain a
// line without a second / tells, for a regular expression ends in its line; no
// value brings one, see escape.
func (c *coder) slash() {
	name := c.last != "" && c.isWord(c.last[0])
	switch {
	case name && !slices.Contains(beforeRegex, c.last) && !slices.Contains([]string{"of", "await", "yield", "async"}, c.last) && !c.ended:
		c.at++
		c.token("/")
	case name && slices.Contains(beforeRegex, c.last) && c.prior != ".", !name && c.last != "" && strings.Contains("([{,=:;*/%&|^~?", c.last), c.last == "":
		c.regex()
	default:
		line, _, _ := strings.Cut(c.src[c.at+1:], "\n")
		if strings.Contains(line, "/") {
			c.lose("a / before it may begin a regular expression or divide")
			return
		}
		c.at++
		c.token("/")
	}
}

// regex reads a regular expression, in which no value can stand.
func (c *coder) regex() {
	class := false
	for c.at++; c.at < len(c.src); {
		if c.here() != nil {
			c.refuse("a value cannot stand inside a regular expression", "build it: new RegExp(…), and "+fixInput)
			continue
		}
		switch ch := c.src[c.at]; {
		case ch == '\n' || ch == '\r':
			c.fail("a regular expression is not closed")
			return
		case ch == '\\':
			c.escaped(false)
			continue
		case ch == '[':
			class = true
		case ch == ']':
			class = false
		case ch == '/' && !class:
			c.at++
			c.token("x")
			return
		}
		c.at++
	}
	c.fail("a regular expression is not closed")
}
