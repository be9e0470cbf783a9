package tera

import (
	"slices"
	"strings"
)

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
	c.next()
	c.at++
	c.opened()
	start, first, member := c.at, len(c.spots), c.member()
	c.span(literalText, func(ch byte) bool {
		switch {
		case kind != inRaw && (ch == '\n' || ch == '\r'):
			c.fail("a literal of text is not closed")
		case ch == quote:
			c.closed(start, first, kind == inRaw)
			key := member && c.colon(c.at+1)
			for i := range c.spots[first:] {
				sp := &c.spots[first+i]
				sp.key, sp.from, sp.to = key, start, c.at
			}
			c.at++
			return true
		case ch == '\\' && kind != inRaw:
			c.escaped(false)
		default:
			c.at++
		}
		return false
	}, func() {
		c.say(kind == inRaw)
		if kind == inRune {
			c.refuse("a value cannot stand inside '…', which is one character", `write "…"`)
		} else {
			c.inside(start, string(quote), kind)
		}
		c.unsaid = c.at
	})
}

// colon reports whether a colon follows, behind blanks and comments.
func (c *coder) colon(at int) bool {
	for {
		rest := strings.TrimLeft(c.src[at:], " \t\r\n")
		end, n := "", 0
		switch at = len(c.src) - len(rest); {
		case strings.HasPrefix(rest, "/*"):
			end, n = "*/", 2
		case strings.HasPrefix(rest, "//"):
			end, n = "\n", 1
		default:
			return strings.HasPrefix(rest, ":")
		}
		i := strings.Index(rest[n:], end)
		if i < 0 {
			return false
		}
		at += n + i + n
	}
}

// template reads `…` of JavaScript, and the code inside its ${…}.
func (c *coder) template() {
	c.next()
	tagged := !c.expects() && c.last != ""
	c.at++
	c.opened()
	start, first := c.at, len(c.spots)
	c.span(literalText, func(ch byte) bool {
		switch {
		case ch == '`':
			c.closed(start, first, false)
			c.at++
			return true
		case ch == '\\':
			c.escaped(false)
		case c.sees("${"):
			c.say(false)
			c.arg.add(c.src[start:c.at], true)
			c.at += 2
			c.nested()
			start, c.unsaid = c.at, c.at
		default:
			c.at++
		}
		return false
	}, func() {
		c.say(false)
		if tagged {
			c.refuse("it is not certain how the function before `…` reads the value", fixInput)
		} else {
			c.inside(start, "`", inText)
		}
		c.unsaid = c.at
	})
}

// nested reads the code inside ${…}.
func (c *coder) nested() {
	if len(c.opens) > maxNesting {
		c.lose("the code is nested too deeply")
		return
	}
	prior, last, path, operand, own := c.prior, c.last, c.path, c.operand, c.own
	outer := c.now
	c.now = statement{begun: len(c.spots), said: outer.said, node: c.holds(), depth: outer.depth}
	outer.node = c.now.node
	c.opens = append(c.opens, bracket{sign: '{', outer: outer, elements: []operandAt{{len(c.spots), c.at}}})
	c.token("(")
	if c.code('}'); c.uncertain == "" {
		c.at++
		c.opens = c.opens[:len(c.opens)-1]
	}
	evals := c.now.evals
	c.now = outer
	if evals != "" {
		c.refers(evals)
	}
	c.prior, c.last, c.path, c.operand, c.own = prior, last, path, operand, own
	c.arg.add("", false)
}

// beforeRegex are the words after which a / begins a regular expression.
var beforeRegex = []string{"return", "typeof", "case", "in", "void", "throw", "delete", "instanceof", "new", "else", "do"}

// slash tells a division from a regular expression. Where that is not certain a
// line without a second / tells, for a regular expression ends in its line; no
// value brings one, see escape.
func (c *coder) slash() {
	c.next()
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
	c.at++
	c.span("a regular expression", func(ch byte) bool {
		switch {
		case ch == '\n' || ch == '\r':
			c.fail("a regular expression is not closed")
		case ch == '\\':
			c.escaped(false)
			return false
		case ch == '[':
			class = true
		case ch == ']':
			class = false
		case ch == '/' && !class:
			c.at++
			for c.at < c.stop() && c.isWord(c.src[c.at]) { // its flags
				c.at++
			}
			c.arg.add("", false)
			c.path, c.operand = "regex", operandAt{len(c.spots), c.at}
			c.token("x")
			return true
		}
		c.at++
		return false
	}, func() {
		c.refuse("a value cannot stand inside a regular expression", "build it: new RegExp(…), and "+fixInput)
	})
}
