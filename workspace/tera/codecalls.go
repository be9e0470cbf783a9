package tera

import (
	"slices"
	"strings"
)

// statement is what is known of one so far.
type statement struct {
	begun  int    // how many values come before it
	lead   string // its first word
	evals  string // a name in it that evaluates what it is given, and is not called right there
	target string // what it assigns to
	said   string // what its literals of text say, on the line that was begun last
	filled string // the last whole line of it that the server reads, and that something is filled in
	more   bool   // others come before it inside the same brackets

	node     *carrier   // what it holds
	names    []*carrier // the names in it so far
	depth    int        // how many brackets are open around it
	iterates bool       // a loop begins, the names of which are being read
	writes   bool       // it prints, and does not end the line
}

// operandAt is where an operand begins: the values before it, and its offset.
type operandAt struct{ spot, at int }

// bracket is one that is open.
type bracket struct {
	sign     byte
	callee   string // the name before it, that is called: a.b.c
	before   string // the token before it
	operand  operandAt
	elements []operandAt // where each of the elements in it begins, of which the last is being read
	key      string      // the name before the = or the : of this element
	outer    statement   // of {, the statement that it is a part of
	block    bool        // of {, statements are in it
	starts   bool        // it is a call that starts a program, or holds what one is started with
	soft     bool        // it does so in the end: a list, or a call of an own function
	list     string      // the name of that list
	args     []element   // the arguments of the call around it that starts one
	into     *carrier    // what the arguments get into
	adds     bool        // they are added to it
	named    int         // how many names come before it
	arrow    bool        // a function stands in it
}

// next begins a statement where the line before ended one.
func (c *coder) next() {
	if c.ended && c.between() && c.finished() {
		c.end()
	}
}

// between reports whether a statement can end here.
func (c *coder) between() bool {
	n := len(c.opens)
	return n == 0 || c.opens[n-1].sign == '{' && c.lang != Python
}

// finished reports whether the end of a line ends a statement, too.
func (c *coder) finished() bool {
	switch {
	case c.lang == Python:
		return true
	case c.last == "" || slices.Contains(leading[c.lang], c.last) || !c.isWord(c.last[0]) && strings.Contains("([{,=:;+-*/%<>&|^!~?.", c.last):
		return false
	}
	return c.lang == Go || strings.IndexByte("([`.,?:;+-*/%=<>&|^)]}", c.src[c.at]) < 0
}

// end ends a statement.
func (c *coder) end() {
	c.now = statement{begun: len(c.spots), more: true, depth: len(c.opens), said: c.unended()}
	if n := len(c.opens); n > 0 {
		c.opens[n-1].key = ""
	}
}

// begun notes the first word of a statement.
func (c *coder) begun(token string) {
	if c.now.lead == "" && token != ";" {
		c.now.lead = token
	}
}

// sign reads one character of punctuation; bottom brackets are open around this code.
func (c *coder) sign(ch byte, bottom int) {
	next := c.byteAt(c.at + 1)
	switch ch {
	case '(', '[', '{':
		c.open(ch)
	case ')', ']', '}':
		c.shut(ch, bottom)
	case ',':
		c.element()
	case ';':
		if c.between() || c.lang == Python && len(c.opens) == 0 {
			c.end()
		}
	case '=':
		if next != '=' && next != '>' && strings.IndexByte("=!<>", c.byteAt(c.at-1)) < 0 {
			c.assigns()
			if c.gives() {
				defer c.assign(c.now.names)
			}
		} else if next == '>' && c.lang.ecma() {
			c.arrow()
		}
	case ':':
		c.keyed()
		if c.declares() && c.now.target == "" && c.between() {
			c.now.target = c.path // its type follows
		}
	case '%':
		if c.lang == Python && next != '=' {
			c.format(c.operand, len(c.spots), anyPercent)
		}
	}
	if strings.IndexByte("([{}]),+.", ch) < 0 {
		c.arg.add("", false)
	}
	if n := len(c.opens) - 1; ch == '=' && c.lang == Python && c.last == "args" && n >= 0 && c.opens[n].starts {
		c.args, c.arg = nil, element{} // all of them come here
	}
	c.at++
	c.token(string(ch))
}

// declares reports whether the statement gives new names.
func (c *coder) declares() bool {
	return c.now.lead == "const" || c.now.lead == "let" || c.now.lead == "var"
}

// arrow is for the => of a function without a name, which may be called with
// whatever its statement holds.
func (c *coder) arrow() {
	if n := len(c.opens); n > 0 {
		c.opens[n-1].arrow = true
	}
	names := c.params
	if c.last != ")" {
		names = c.now.names[max(0, len(c.now.names)-1):]
	}
	c.assign(names)
}

// callee is the name that the bracket at the cursor calls or is an index of.
func (c *coder) callee(ch byte) string {
	name := c.last != "" && c.isWord(c.last[0]) && c.last != "x"
	switch {
	case ch == '{' && (c.lang != Go || !name || c.byteAt(c.at-1) <= ' '):
		return ""
	case name || c.last == ")" || c.last == "]", c.last == "." && c.prior == "?", c.last == "!" && c.lang == TypeScript:
		return c.path
	}
	return ""
}

// open goes into a bracket.
func (c *coder) open(ch byte) {
	b := bracket{sign: ch, callee: c.callee(ch), before: c.last, operand: operandAt{len(c.spots), c.at}, elements: []operandAt{{len(c.spots), c.at}}, outer: c.now}
	if b.callee != "" || c.last == "x" {
		b.operand = c.operand
	}
	b.named = len(c.now.names)
	if ch == '{' {
		literal := c.lang == Go && c.byteAt(c.at-1) == '}' // struct{ … }{ … }
		b.block = b.callee == "" && (!c.expects() || c.last == ">") && !literal
		inner := statement{begun: len(c.spots), depth: len(c.opens) + 1}
		if !b.block {
			inner.node, inner.depth = c.holds(), c.now.depth
			b.outer = c.now
		}
		c.now = inner
	}
	switch {
	case c.builds(&b):
		b.starts, b.soft = true, true
	case b.sign == '(' && c.wraps(b.callee), c.startsProgram(b.callee):
		b.starts, b.soft, b.args = true, c.wraps(b.callee), c.args
		c.args, c.arg = nil, element{}
	case c.passes(b):
		c.arg = element{}
	case ch != '(' && c.arg.some:
		c.argument()
	}
	c.takes(&b)
	c.now.writes = c.now.writes || c.outputs && writing.MatchString(b.callee)
	if c.opens = append(c.opens, b); len(c.opens) > 2*maxNesting {
		c.lose("the code is nested too deeply")
	}
}

// shut comes out of one.
func (c *coder) shut(ch byte, bottom int) {
	n := len(c.opens) - 1
	if n < bottom || c.opens[n].sign != "([{"[strings.IndexByte(")]}", ch)] {
		c.fail("the brackets do not match")
		return
	}
	b := c.opens[n]
	c.formatted(b)
	c.params = c.now.names[min(b.named, len(c.now.names)):]
	c.opens, c.operand = c.opens[:n], b.operand
	switch {
	case ch == ']' && b.callee != "" && c.text != "":
		c.path = ending(b.callee + "." + c.text)
	default:
		c.path = ending(b.callee + "()")
	}
	if b.list != "" {
		c.built(b)
	}
	switch {
	case b.starts:
		c.args, c.arg = b.args, element{some: true}
	case ch == ']' && c.arg.some:
		c.argument()
	}
	if ch == '}' {
		c.merge(b)
	}
}

// merge goes back to the statement around a {, of which one that is an object's is
// a part.
func (c *coder) merge(b bracket) {
	inner := c.now
	c.now = b.outer
	if declares := c.declares(); declares || !b.block {
		c.now.names = append(c.now.names, inner.names[:min(len(inner.names), max(0, mostNames-len(c.now.names)))]...)
	}
	if b.block || inner.more {
		return
	}
	c.now.said += inner.said
	if inner.evals != "" {
		c.refers(inner.evals)
	}
}

// element goes on to the next one.
func (c *coder) element() {
	n := len(c.opens)
	if n == 0 {
		return
	}
	c.argument()
	b := &c.opens[n-1]
	if b.list != "" && b.callee == "append" && len(b.elements) == 1 { // that is the list itself
		c.args = slices.Clone(c.beginnings.built[b.list])
	}
	b.elements, b.key = append(b.elements, operandAt{len(c.spots), c.at}), ""
	if setsVariable.MatchString(b.callee) {
		b.key = c.text
	}
}

// assigns notes what the value behind a = is assigned to.
func (c *coder) assigns() {
	c.keyed()
	switch {
	case c.now.target != "" || !c.between() && len(c.opens) > 0:
	case c.lang == Python && c.prior == ":" && !slices.Contains([]string{"if", "else", "try", "while", "for", "with"}, c.now.lead):
		c.now.target = c.now.lead // name: type = …
	default:
		c.now.target = c.path
	}
}

// keyed notes the name of an element.
func (c *coder) keyed() {
	n := len(c.opens)
	c.now.writes = c.now.writes || c.lang == Python && c.last == "end"
	switch {
	case n == 0:
	case c.text != "":
		c.opens[n-1].key = c.text
	case c.last != "" && c.isWord(c.last[0]) && c.last != "x":
		c.opens[n-1].key = c.last
	}
}

// named goes past a name or a keyword.
func (c *coder) named(word string) {
	member := c.last == "." && !strings.HasSuffix(strings.TrimRight(c.src[:c.at-len(word)], " \t\r\n"), "...")
	if member {
		c.path = ending(c.path + "." + word)
	} else {
		c.path, c.operand = word, operandAt{len(c.spots), c.at - len(word)}
	}
	rest := strings.TrimLeft(c.src[c.at:], " \t")
	called := strings.HasPrefix(rest, "(")
	given := strings.HasPrefix(rest, "=") && !strings.HasPrefix(rest, "==") && !strings.HasPrefix(rest, "=>") && !c.gives()
	if (!member || !called) && !given && !(c.lang.ecma() && c.member() && strings.HasPrefix(rest, ":")) {
		c.mentioned(word, "", member)
	}
	if text := c.beginnings.constants[word]; text != "" && !member && !called && !given {
		c.arg.add(text, true)
	} else {
		c.arg.add("", false)
	}
	c.sameProgram()
	switch {
	case (c.last == "as" || c.last == ":") && c.evaluates(c.prior):
		c.alias(word)
	case c.lang == Python && c.last == "." && (word == "format" || word == "format_map"):
		c.format(c.operand, len(c.spots), anyBrace)
	case called || word == "import" || !c.evaluates(word) || c.plain(c.path):
	case strings.HasPrefix(rest, "=") && !strings.HasPrefix(rest, "=="), c.member() && strings.HasPrefix(rest, ":"):
		// It is a name that is given something here.
	default:
		c.refers(word)
	}
	c.keyword(word)
	c.token(word)
}

// keyword is for the words of the language that say where values go.
func (c *coder) keyword(word string) {
	switch {
	case c.last == ".":
	case word == "for":
		c.now.names, c.now.iterates = nil, true
	case (word == "in" || word == "of") && c.now.iterates:
		c.assign(c.now.names)
		c.now.iterates = false
	case word == "return" && c.function != "":
		c.assign([]*carrier{c.name(c.function)})
	case word == "function":
		if n := len(c.opens); n > 0 {
			c.opens[n-1].arrow = true
		}
	case c.last == "def" || c.last == "function" || c.last == "func":
		c.function = word
	}
}
