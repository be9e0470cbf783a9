package tera

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

// spot is what a place in a script is.
type spot struct {
	what, fix     string // why no value can stand there
	again         *objection
	kind          spotKind
	dotted        bool           // a dot follows, which a number would take for its own
	betweenQuotes bool           // quotes stand beside it that would be read together if it were empty
	key           bool           // a colon follows what it stands in, so that it may be the key of an object
	from, to      int            // the whole of the text that it stands in, of a key
	spoils        *regexp.Regexp // what the value may not hold, for it is a part of a format
	json          jsonSpot
	begun         string // what is printed right before it, of a line that the server reads
	lined         string // the name by which it gets into a line that the server reads
	option        string // the program that may take it for an option
}

type spotKind int

const (
	operand spotKind = iota // a literal of its own
	inText                  // inside a literal of text
	inBytes                 // inside b'…' of python
	inRaw                   // inside `…` of go
	inNote                  // in a comment
	inRune                  // inside '…' of go, where none can stand
)

// coder reads a script no further than to tell code, literals of text and
// comments apart. Where it is not certain, what follows is refused.
type coder struct {
	s            *script
	lang         Language
	src          string
	at           int
	spots        []spot    // of the places read so far
	uncertain    string    // why the rest of the script is
	allUncertain bool      // what was read does not fit together, so that no place is certain
	last         string    // what stands before: a word, one character of punctuation, or "x" for a whole operand
	prior        string    // what stands before that
	ended        bool      // a line ended between last and here
	text         string    // the last literal of text, if last is one without values
	path         string    // the name being read: a.b.c
	operand      operandAt // where what is being read began
	now          statement
	opens        []bracket // those that are open
	unsaid       int       // where in the literal of text being read begins what is not yet in now.said
	own          int       // where in now.said it begins itself
	args         []element // the arguments so far of the program that is being started
	arg          element   // the one being read
	aliases      map[string]bool
	beginnings   starts
	routes
	abilities
}

// abilities are what the whole script may do, looked up once.
type abilities struct {
	loads     bool // it may make objects of a text that says how
	yamls     bool // yaml's may
	shell     bool // it may hand commands to a shell
	starts    bool // it may start programs
	feeds     bool // it may start an interpreter that reads its input
	outputs   bool // it may print lines that the server reads
	ordered   bool // it has comments that a tool reads
	pipes     bool // it may write to a command
	hints     bool // it may read the types that are annotated
	thirdLine int  // where its third line begins
}

// here is the place that begins at the cursor, or nil.
func (c *coder) here() *place {
	if n := len(c.spots); n < len(c.s.places) && c.s.places[n].at == c.at {
		return c.s.places[n]
	}
	return nil
}

// stop is where the next place begins, or the end.
func (c *coder) stop() int {
	if n := len(c.spots); n < len(c.s.places) {
		return c.s.places[n].at
	}
	return len(c.src)
}

func (c *coder) refuse(what, fix string) { c.add(spot{what: what, fix: fix}) }

// add notes the next place and goes past it.
func (c *coder) add(sp spot) {
	p := c.s.places[len(c.spots)]
	c.spots = append(c.spots, sp)
	c.at = p.at + len(p.mark)
}

func (c *coder) lose(why string) {
	if c.uncertain == "" {
		c.uncertain = why
	}
}

// fail is for a script that does not fit together: either its author or this
// reading of it is mistaken.
func (c *coder) fail(why string) {
	c.lose(why)
	c.allUncertain = true
}

// byteAt is the byte at an offset, or 0.
func (c *coder) byteAt(i int) byte {
	if i < 0 || i >= len(c.src) {
		return 0
	}
	return c.src[i]
}

func (c *coder) sees(s string) bool { return strings.HasPrefix(c.src[c.at:], s) }

// token notes what was read.
func (c *coder) token(s string) {
	c.begun(s)
	c.prior, c.last, c.ended, c.text = c.last, s, false, ""
}

// code reads up to the closing bracket that is asked for, or to the end.
func (c *coder) code(shut byte) {
	bottom := len(c.opens)
	for c.uncertain == "" && c.at < len(c.src) {
		if c.here() != nil {
			c.next()
			c.value()
			continue
		}
		switch ch := c.src[c.at]; {
		case ch == '\n' || ch == '\r':
			c.ended = true
			c.at++
		case ch == ' ' || ch == '\t':
			c.at++
		case c.isWord(ch):
			c.word()
		case c.special():
		case ch == shut && len(c.opens) == bottom:
			return
		default:
			c.next()
			c.sign(ch, bottom)
		}
	}
	if c.uncertain == "" && (shut != 0 || len(c.opens) > bottom) {
		c.fail("a bracket is not closed")
	}
}

func (c *coder) isWord(ch byte) bool {
	return wordly(ch) || ch >= 0x80 || ch == '$' && c.lang.ecma()
}

// word reads a name, a keyword or a number.
func (c *coder) word() {
	c.next()
	start, end := c.at, c.stop()
	isNumber := digit(c.src[c.at])
	for c.at < end && (c.isWord(c.src[c.at]) || isNumber && c.src[c.at] == '.') {
		c.at++
	}
	word := c.src[start:c.at]
	if ch := c.byteAt(c.at); c.lang == Python && (ch == '\'' || ch == '"') { // the letters of a literal
		c.prior, c.last, c.ended = c.last, word, false
		return
	}
	if strings.Contains(word, "\u2028") || strings.Contains(word, "\u2029") {
		c.lose("there is a line separator U+2028 or U+2029 in the code")
	}
	if isNumber {
		c.arg.add("", false)
		c.token("x")
		return
	}
	c.named(word)
}

// special reads literals of text, comments and what else the language has.
func (c *coder) special() bool {
	switch c.lang {
	case Python:
		return c.python()
	case Go:
		return c.golang()
	}
	return c.ecma()
}

// leading are the words after which a value may stand.
var leading = map[Language][]string{
	Python:     {"return", "in", "and", "or", "not", "is", "if", "else", "elif", "while", "yield", "assert", "case"},
	JavaScript: {"return", "typeof", "case", "in", "of", "void", "throw", "default", "instanceof"},
	TypeScript: {"return", "typeof", "case", "in", "of", "void", "throw", "default", "instanceof"},
	Go:         {"return", "case", "range"},
}

// expects reports whether an operand is what must come next.
func (c *coder) expects() bool {
	if len(c.last) != 1 || c.isWord(c.last[0]) {
		return slices.Contains(leading[c.lang], c.last) && c.prior != "."
	}
	switch {
	case c.last == "!" && (c.prior == "" || strings.Contains(")]}", c.prior) || c.isWord(c.prior[0])):
		return false // TypeScript: x! is x
	case c.last == ">" && c.lang == TypeScript:
		return c.prior == "=" // f<T> may be called
	case c.last == "." && c.lang.ecma():
		return strings.HasSuffix(strings.TrimRight(c.src[:c.at], " \t\r\n"), "...")
	case (c.last == "+" || c.last == "-") && c.prior == c.last:
		return false // x++
	}
	return strings.Contains("([{,=:;+-*/%<>&|^!~?", c.last)
}

// value is a value in the code.
func (c *coder) value() {
	p := c.here()
	prev, next := c.byteAt(c.at-1), c.byteAt(c.at+len(p.mark))
	touches := func(ch byte) bool { return c.isWord(ch) || strings.IndexByte("'\"`\\#@", ch) >= 0 && ch != 0 }
	after := c.at + len(p.mark)
	sp := spot{kind: operand, dotted: next == '.', key: c.member() && c.colon(after), from: c.at, to: after}
	if c.last != "x" {
		c.operand = operandAt{len(c.spots), c.at}
	}
	c.judge(&sp, "", p)
	switch {
	case sp.what != "":
	case touches(prev) || touches(next) || next == '.' && digit(c.byteAt(c.at+len(p.mark)+1)):
		sp.what, sp.fix = "the value touches the code beside it and would be read together with it", "put a space or an operator between them, or "+fixInput
	case !c.expects():
		sp.what, sp.fix = "a value can only stand where an expression stands: behind =, an operator, an opening bracket or a comma", fixInput
	}
	c.add(sp)
	c.token("x")
	c.arg.add(p.mark, true)
}

// judge says what reads a value, behind a text in the same literal, as more than
// a text.
func (c *coder) judge(sp *spot, before string, p *place) {
	what := cmp.Or(c.evaluated(), c.fed(), c.sets(before), c.chooses())
	if what == "" {
		what = c.started(sp, before, p)
	}
	if what != "" {
		sp.what, sp.fix = what, fixInput
		return
	}
	if doubt := c.doubtful(); doubt != "" && sp.again == nil {
		sp.again = &objection{what: doubt, fix: fixInput}
	}
	c.printed(sp)
	if !c.tames(c.at + len(p.mark)) {
		c.carry(&carrier{value: len(c.spots)}, before)
	}
}

// span reads on to where a literal ends: step goes past a character, and reports
// whether it was the end; place goes past a value.
func (c *coder) span(kind string, step func(ch byte) (end bool), place func()) {
	for c.uncertain == "" {
		switch {
		case c.here() != nil:
			place()
		case c.at >= len(c.src):
			c.fail(kind + " is not closed")
		case step(c.src[c.at]):
			return
		}
	}
}

const literalText = "a literal of text"

// halfCode is what may be the beginning of an escape; a whole one takes no more.
var halfCode = regexp.MustCompile(`^([0-7]{0,3}|x[0-9a-fA-F]?|u[0-9a-fA-F]{0,3}|u\{[0-9a-fA-F]*|U[0-9a-fA-F]{0,7}|N)$`)

// inside is a value inside a literal of text that began at start and ends in quote.
func (c *coder) inside(start int, quote string, kind spotKind) {
	p := c.here()
	before := c.src[max(start, c.at-64):c.at]
	i := strings.LastIndexByte(before, '\\')
	end, q := c.at+len(p.mark), quote[0]
	sp := spot{kind: kind}
	if len(quote) == 3 {
		n := len(c.spots)
		follows := n > 0 && c.s.places[n-1].at+len(c.s.places[n-1].mark) == c.at
		sp.betweenQuotes = c.at > start && c.byteAt(end) == q && (c.byteAt(c.at-1) == q || follows)
	} else if c.lang == Python {
		sp.betweenQuotes = c.byteAt(end) == q && c.byteAt(end+1) == q
	}
	c.judge(&sp, c.src[start:c.at], p)
	switch {
	case sp.what != "":
	case kind != inRaw && i >= 0 && odd(c.src[start:c.at-len(before)+i+1]) && halfCode.MatchString(before[i+1:]):
		sp.what, sp.fix = "a backslash stands before the value, which would become a part of its escape", "put something between them, or "+fixInput
	case quote == "`" && kind == inText && c.byteAt(c.at-1) == '$':
		sp.what, sp.fix = "a $ stands right before the value in `…`", `write \$ and a space, or `+fixInput
	}
	c.add(sp)
}

// noteStart is how a comment begins that is no order to a tool: //go:build,
// /// <reference>, # /// script, // @deno-types and their like are.
var noteStart = regexp.MustCompile(`^[ \t]+[A-Za-z0-9({"'_-]`)

// coding is what a comment in the first two lines of python says, or is about to say
// before a value, that names how the script is written down.
var coding = regexp.MustCompile(`(?i)coding`)

// note reads a comment of one line, whose sign takes n bytes.
func (c *coder) note(n int) {
	start := c.at + n
	end := len(c.src)
	if i := strings.IndexAny(c.src[start:], "\n\r\u2028\u2029"); i >= 0 {
		end = start + i
	}
	if c.stop() < end {
		c.noted(start, end)
	}
	c.at = end
}

// noted goes past the places in a comment.
func (c *coder) noted(start, end int) {
	order := !noteStart.MatchString(c.src[start:end])
	switch {
	case c.lang == Python:
		order = order || c.ordered || start < c.thirdLine && coding.MatchString(c.src[start:end])
	case c.lang == Go:
		order = order || c.ordered
	}
	for c.stop() < end {
		if order {
			c.at = c.stop()
			c.refuse("a value cannot stand in a comment that a tool may read", "take it out of the comment, or begin the comment with a space and a word")
		} else {
			c.add(spot{kind: inNote})
		}
	}
}

// block reads /* … */, in which no value can stand.
func (c *coder) block() {
	i := strings.Index(c.src[c.at+2:], "*/")
	if i < 0 {
		c.fail("a comment is not closed")
		return
	}
	end := c.at + 2 + i + 2
	c.ended = c.ended || strings.ContainsAny(c.src[c.at:end], "\n\r")
	for c.stop() < end {
		c.refuse("a value cannot stand in /* … */", "take it out of the comment, or write // and a space")
	}
	c.at = end
}
