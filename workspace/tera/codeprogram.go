package tera

import (
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// element is an argument of a program, as far as the script says what it is.
type element struct {
	text  string // with marks for values
	known bool   // the text is all there is
	some  bool   // there is anything yet
}

// add goes on with it.
func (e *element) add(text string, known bool) {
	if e.known = known && (e.known || !e.some); !e.known {
		e.text = ""
	}
	e.some = true
	if len(e.text)+len(text) > 4096 {
		e.text, e.known = "", false
		return
	}
	e.text += text
}

// argument goes on to the next one.
func (c *coder) argument() {
	if n := len(c.opens); n > 0 && slices.ContainsFunc(c.opens, func(b bracket) bool { return b.starts }) {
		c.args = append(c.args, c.arg)
	}
	c.arg = element{}
}

var (
	// starting are the functions that start a program, by their path.
	starting = regexp.MustCompile(`^(subprocess|sp|os|pty|cp|child_process|childProcess|exec|syscall|unix|Deno|Bun)\.(run|call|spawn|Command|Exec)$|` +
		`(^|\.)(check_call|check_output|Popen|exec[lv]p?e?|spawn[lv]p?e?|posix_spawnp?|create_subprocess_exec|spawnSync|execFile|execFileSync|execa|execaSync|CommandContext|StartProcess|ForkExec)$`)
	// startWord is what a script says that may start programs by shorter names.
	startWord = regexp.MustCompile(`\b(subprocess|child_process)\b`)
	// second are those of them whose program is the second argument.
	second = regexp.MustCompile(`(^|\.)(spawn[lv]p?e?|CommandContext)$`)
	// setsVariable are functions that set a variable of the environment.
	setsVariable = regexp.MustCompile(`(?i)(^|\.)(set|put)env$|environ\.setdefault$`)
	// assignsVariable is a text like NAME=….
	assignsVariable = regexp.MustCompile(`^([A-Za-z_][A-Za-z0-9_]*)=`)
	// fedName is a name by which a program's input is written.
	fedName = regexp.MustCompile(`(^|\.)([sS]tdin|communicate|StdinPipe)(\.|\(|$)`)
	// program is a literal that may name a program, and what comes right behind it.
	programLiteral = regexp.MustCompile("['\"`]([\\w./-]{1,64})(?: -[si]+)*['\"`][\\s,\\[]*(['\"`][^'\"`]*)?")
)

// startsProgram reports whether a function starts a program. Of one path it is asked
// once: a script may call the same function any number of times.
func (c *coder) startsProgram(path string) bool {
	yes, ok := c.starters[path]
	if !ok {
		yes = starting.MatchString(path) || c.starts && (path == "run" || path == "call" || path == "spawn")
		if c.starters == nil {
			c.starters = map[string]bool{}
		}
		c.starters[path] = yes
	}
	return yes
}

// feeding reports whether a script may start an interpreter that is told its
// program by its input.
func feeding(src string) bool {
	for _, m := range programLiteral.FindAllStringSubmatch(src, -1) {
		option, more := "", len(m[2]) > 0
		if more {
			option = m[2][1:]
		}
		if interpreter(m[1]) && (!more || strings.HasPrefix(option, "-") && !strings.ContainsAny(option, "cem")) {
			return true
		}
	}
	return false
}

// fed says that a value is written to the input of an interpreter.
func (c *coder) fed() string {
	if !c.feeds {
		return ""
	}
	input := fedName.MatchString(c.now.target)
	for _, b := range c.opens {
		input = input || b.key == "input" || fedName.MatchString(b.callee) || fedName.MatchString(b.outer.target)
	}
	if !input || strings.HasPrefix(c.now.target, "sys.") {
		return ""
	}
	return "a shell or an interpreter that this script starts may read the value as its program, by its input"
}

// sets says that a value, behind a text, would set a variable that decides what runs.
func (c *coder) sets(before string) string {
	name := ""
	if before = c.arg.text + before; len(before) > 64 {
		before = ""
	}
	if m := assignsVariable.FindStringSubmatch(before); m != nil && len(m[0]) == len(before) {
		name = m[1]
	}
	if strings.Contains(strings.ToLower(c.now.target), "env") && !Decides(name) {
		name = last(c.now.target)
	}
	for _, b := range c.opens {
		if !Decides(name) {
			name = b.key
		}
	}
	if !Decides(name) {
		return ""
	}
	what, _ := special(name)
	return what
}

// started looks at a value, behind a text, that is among the arguments of a
// program which is started: what speaks against it, or in sp what is done with it.
func (c *coder) started(sp *spot, before string, p *place) string {
	n := len(c.opens) - 1
	for n >= 0 && !c.opens[n].starts {
		n--
	}
	if n < 0 {
		return ""
	}
	arg := c.arg
	arg.add(readEscapes(before[max(0, len(before)-64):]), true)
	if arg.known && c.first(n) && !strings.ContainsAny(arg.text, " \t\n") {
		return "a value cannot choose what " + last(c.opens[n].callee) + "(…) starts"
	}
	arg.add(p.mark, true)
	sp.again = c.asks(arg)
	return ""
}

// first reports whether what stands here is the program that is started by the
// call whose bracket has this number.
func (c *coder) first(call int) bool {
	at := 1
	if second.MatchString(c.opens[call].callee) {
		at = 2
	}
	if len(c.opens[call].elements) != at {
		return false
	}
	for _, b := range c.opens[call+1:] {
		if b.callee != "" && b.sign != '{' || len(b.elements) > 1 || !strings.Contains("([,", b.before) {
			return false
		}
	}
	return true
}

// asks is what a program that is started makes of an argument with a value.
func (c *coder) asks(arg element) *objection {
	if len(c.args) == 0 || !c.args[0].known {
		return nil
	}
	const each = 256
	if c.s.work += each * len(c.args); c.s.work > mostWork {
		return &objection{what: "there are too many values among the arguments of one program", fix: "give them in a file"}
	}
	words := make([]*syntax.Word, 0, len(c.args)+1)
	for _, e := range c.args {
		words = append(words, e.shell())
	}
	args := argsOf(append(words, arg.shell()), c.s.places)
	if slices.Contains([]string{"test", "[", "printf", "echo"}, program(args[0].text)) {
		return nil // what the shell's own would do, these do not
	}
	o := command(args, len(args)-1, false)
	if o.what == "" {
		return nil
	}
	return &objection{what: o.what, fix: "hand it over by the program's input or in a file, or " + fixInput}
}

var plainArgument = regexp.MustCompile(`^[\w./=:,+-]+$`)

// shell writes it as a word of a shell, for the rules of commands to be asked.
func (e element) shell() *syntax.Word {
	var part syntax.WordPart = &syntax.SglQuoted{Value: e.text}
	switch {
	case !e.known:
		part = &syntax.DblQuoted{Parts: []syntax.WordPart{&syntax.ParamExp{Param: &syntax.Lit{Value: "unknown"}}}}
	case plainArgument.MatchString(e.text):
		part = &syntax.Lit{Value: e.text}
	}
	return &syntax.Word{Parts: []syntax.WordPart{part}}
}
