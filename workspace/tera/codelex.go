package tera

import (
	"regexp"
	"slices"
	"strings"
)

// spot is what a place in a script is.
type spot struct {
	what, fix string // why no value can stand there
	kind      spotKind
	dotted    bool // a dot follows, which a number would take for its own
	key       bool // a colon follows, so that it may be the key of an object
	tight     bool // quotes stand beside it that would be read together if it were empty
}

type spotKind int

const (
	operand spotKind = iota // a literal of its own
	inText                  // inside a literal of text
	inBytes                 // inside b'…' of python
	inRaw                   // inside `…` of go
	inNote                  // in a comment
)

// coder reads a script no further than to tell code, literals of text and
// comments apart. Where it is not certain it is lost, and what follows is refused.
type coder struct {
	s     *script
	lang  Language
	src   string
	at    int
	spots []spot // of the places read so far
	lost  string
	wrong bool     // what was read does not fit together, so that no place is certain
	last  string   // what stands before: a word, one character of punctuation, or "x" for a whole operand
	prior string   // what stands before that
	ended bool     // a line ended between last and here
	opens []byte   // the brackets that are open
	calls []string // for each of them the word before it
	// What the whole script says, looked up once:
	loads   bool // it may make objects of a text that says how
	shell   bool // it may hand commands to a shell
	ordered bool // it has comments that a tool reads
	third   int  // where its third line begins
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
	if c.lost == "" {
		c.lost = why
	}
}

// fail is for a script that does not fit together: either its author or this
// reading of it is mistaken.
func (c *coder) fail(why string) {
	c.lose(why)
	c.wrong = true
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
func (c *coder) token(s string) { c.prior, c.last, c.ended = c.last, s, false }

// code reads up to the closing bracket that is asked for, or to the end.
func (c *coder) code(shut byte) {
	bottom := len(c.opens)
	for c.lost == "" && c.at < len(c.src) {
		if c.here() != nil {
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
			c.bracket(ch, bottom)
			c.at++
			c.token(string(ch))
		}
	}
	if c.lost == "" && (shut != 0 || len(c.opens) > bottom) {
		c.fail("a bracket is not closed")
	}
}

// bracket counts brackets, of which bottom are open around this code.
func (c *coder) bracket(ch byte, bottom int) {
	const open, shut = "([{", ")]}"
	if strings.IndexByte(open, ch) >= 0 {
		name := ""
		if ch == '(' {
			name = c.last
		}
		c.opens, c.calls = append(c.opens, ch), append(c.calls, name)
		if len(c.opens) > 2*maxNesting {
			c.lose("the code is nested too deeply")
		}
	}
	if i := strings.IndexByte(shut, ch); i >= 0 {
		n := len(c.opens) - 1
		if n < bottom || c.opens[n] != open[i] {
			c.fail("the brackets do not match")
			return
		}
		c.opens, c.calls = c.opens[:n], c.calls[:n]
	}
}

func (c *coder) isWord(ch byte) bool {
	return wordly(ch) || ch >= 0x80 || ch == '$' && c.lang.ecma()
}

// word reads a name, a keyword or a number.
func (c *coder) word() {
	start, end := c.at, c.stop()
	isNumber := digit(c.src[c.at])
	for c.at < end && (c.isWord(c.src[c.at]) || isNumber && c.src[c.at] == '.') {
		c.at++
	}
	word := c.src[start:c.at]
	if strings.Contains(word, "\u2028") || strings.Contains(word, "\u2029") {
		c.lose("there is a line separator U+2028 or U+2029 in the code")
	}
	if isNumber {
		word = "x"
	}
	c.token(word)
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
	after += len(c.src[after:]) - len(strings.TrimLeft(c.src[after:], " \t\r\n"))
	sp := spot{kind: operand, dotted: next == '.', key: c.member() && c.byteAt(after) == ':'}
	switch what := c.twice(); {
	case what != "":
		sp.what, sp.fix = what, fixInput
	case touches(prev) || touches(next) || next == '.' && digit(c.byteAt(c.at+len(p.mark)+1)):
		sp.what, sp.fix = "the value touches the code beside it and would be read together with it", "put a space or an operator between them, or "+fixInput
	case !c.expects():
		sp.what, sp.fix = "a value can only stand where an expression stands: behind =, an operator, an opening bracket or a comma", fixInput
	}
	c.add(sp)
	c.token("x")
}

// runners are functions that read a text as code, as a command or as the name of
// a module; shellers do so if the script says shellWord, and loaders, which make
// objects of it, if a python script says loadWord.
var (
	runners = map[Language][]string{
		Python: {"eval", "exec", "compile", "__import__", "import_module", "system", "popen", "getoutput", "getstatusoutput", "create_subprocess_shell", "spec_from_file_location", "run_path", "run_module", "literal", "unsafe_load"},
		JavaScript: {"eval", "Function", "exec", "execSync", "require", "import", "runInContext", "runInNewContext", "runInThisContext", "Script", "$", "Worker",
			"createRequire", "setTimeout", "setInterval", "fork"},
	}
	shellers = []string{"run", "call", "check_call", "check_output", "Popen", "spawn", "spawnSync", "execFile", "execFileSync", "Command", "CommandContext", "execv", "execve", "execvp", "execvpe", "execl", "execle", "execlp", "execlpe",
		"spawnv", "spawnve", "spawnvp", "spawnvpe", "spawnl", "spawnle", "spawnlp", "spawnlpe", "posix_spawn", "posix_spawnp", "create_subprocess_exec"}
	loaders   = []string{"load", "loads", "load_all"}
	loadWord  = regexp.MustCompile(`\b(pickle|cPickle|dill|cloudpickle|jsonpickle|joblib|marshal|shelve)\b|\b(Unsafe|Full|C)?Loader\b`)
	shellWord = regexp.MustCompile(`\bshell\b|['"](-[a-z]*[ce]|--eval)['"]`)
)

// twice says what would read a value as code a second time.
func (c *coder) twice() string {
	if c.last == "import" || c.last == "from" && c.lang != Python {
		return "a value cannot choose what is imported"
	}
	lang := c.lang
	if lang == TypeScript {
		lang = JavaScript
	}
	for _, name := range c.calls {
		switch {
		case lang == Go && name == "import":
			return "a value cannot choose what is imported"
		case slices.Contains(runners[lang], name), c.shell && slices.Contains(shellers, name), c.loads && slices.Contains(loaders, name):
			return name + "(…) would read the value as code or as a command"
		}
	}
	return ""
}

// halfCode is what may be the beginning of an escape.
var halfCode = regexp.MustCompile(`^([0-7]{0,3}|x[0-9a-fA-F]{0,2}|u[0-9a-fA-F]{0,4}|u\{[0-9a-fA-F]*\}?|U[0-9a-fA-F]{0,8}|N)$`)

// text is a value inside a literal of text that began at start and ends in quote.
func (c *coder) text(start int, quote string, kind spotKind) {
	p := c.here()
	before := c.src[max(start, c.at-64):c.at]
	i := strings.LastIndexByte(before, '\\')
	end, q := c.at+len(p.mark), quote[0]
	sp := spot{kind: kind}
	if len(quote) == 3 {
		n := len(c.spots)
		follows := n > 0 && c.s.places[n-1].at+len(c.s.places[n-1].mark) == c.at
		sp.tight = c.at > start && c.byteAt(end) == q && (c.byteAt(c.at-1) == q || follows)
	} else if c.lang == Python {
		sp.tight = c.byteAt(end) == q && c.byteAt(end+1) == q
	}
	switch what := c.twice(); {
	case what != "":
		sp.what, sp.fix = what, fixInput
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
		order = order || c.ordered || start < c.third
	case c.lang == Go:
		order = order || c.ordered
	}
	for c.stop() < end {
		if order {
			c.at = c.stop()
			c.refuse("a value cannot stand in a comment that a tool may read", "take it out of the comment, or begin the comment with a space and a word; in python not in the first two lines")
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
