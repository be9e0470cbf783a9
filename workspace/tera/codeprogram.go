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
	// popenWrite and hintWords are what a python script says that writes to a command,
	// or that evaluates annotations.
	popenWrite = regexp.MustCompile(`popen\([^()\n]*,\s*(mode\s*=\s*)?['"]w['"]`)
	hintWords  = []string{"get_type_hints", "eval_str", "get_annotations"}
	// thisProgram are the interpreters that run a script, by which it may start another.
	thisProgram = map[string]string{"process.execPath": "node", "process.argv0": "node", "process.argv": "node", "sys.executable": "python3"}
	// splitting are functions that make arguments of a text.
	splitting = []string{"split", "Split", "Fields", "SplitN"}
	// filledVariable is NAME= before what is filled in.
	filledVariable = regexp.MustCompile("['\"`]([A-Za-z_]\\w*)=%[sv]")
)

// sameProgram notes that the program which is started is the one that runs the script.
func (c *coder) sameProgram() {
	n := len(c.opens) - 1
	if n < 0 || thisProgram[c.path] == "" {
		return
	}
	elements := c.opens[n].elements
	if strings.Trim(c.src[elements[len(elements)-1].at:c.operand.at], " \t\n([,") == "" {
		c.arg = element{text: thisProgram[c.path], known: true, some: true}
	}
}

// chooses says that a value would choose what is started, otherwise than as the first
// of the arguments.
func (c *coder) chooses() string {
	owner, field, _ := strings.Cut(c.now.target, ".")
	if c.lang == Go && c.commands[owner] {
		switch {
		case field == "Path", field == "Args" && (c.shell || c.feeds):
			return "a value cannot choose what " + owner + " starts"
		}
	}
	for _, b := range c.opens {
		if b.starts && b.key == "executable" {
			return "a value cannot choose what " + last(b.callee) + "(…) starts"
		}
	}
	return ""
}

// doubtful says what may read a value as code in a place where it may well have to
// stand.
func (c *coder) doubtful() string {
	const imports = "what is imported would be looked for where the value says"
	switch {
	case c.lang != Python:
		return ""
	case strings.HasPrefix(c.now.target, "sys.path"):
		return imports
	case c.hints && c.last == ":":
		return "this script evaluates annotations, of which the value would become one"
	}
	for _, b := range c.opens {
		if matches(b.callee, searched) {
			return imports
		}
	}
	return ""
}

// startedCommand is a name that is given a command of go's.
var startedCommand = regexp.MustCompile(`(\w+)\s*:?=\s*exec\.Command`)

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
		if n := len(c.opens); n > 0 && !Decides(name) {
			from := c.opens[n-1].elements[0].at
			if m := filledVariable.FindStringSubmatch(c.src[max(from, c.at-256):c.at]); m != nil {
				name = m[1]
			}
		}
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
	n, arg := c.starter(before)
	if n < 0 {
		return ""
	}
	if i := len(c.opens) - 1; i > n && slices.Contains(splitting, last(c.opens[i].callee)) && c.first(n) {
		return c.split(sp, n, before, p)
	}
	if arg.known && !c.opens[n].soft && c.first(n) && !strings.ContainsAny(arg.text, " \t\n") {
		return "a value cannot choose what " + last(c.opens[n].callee) + "(…) starts"
	}
	arg.add(p.mark, true)
	sp.again, sp.option = c.asks(c.given(n), arg, p.value.text)
	return ""
}

// split looks at a value in a text of which the arguments of a program are made.
func (c *coder) split(sp *spot, call int, before string, p *place) string {
	words := strings.Fields(before[max(0, len(before)-256):] + p.mark)
	at := len(words) - 1
	if at == 0 && c.opens[call].soft {
		return ""
	}
	if at == 0 {
		return "a value cannot choose what " + last(c.opens[call].callee) + "(…) starts"
	}
	var args []element
	for _, w := range words[:at] {
		args = append(args, element{text: w, known: true, some: true})
	}
	sp.again, sp.option = c.asks(args, element{text: words[at], known: true, some: true}, p.value.text)
	return ""
}

// starter is the call around the cursor that starts a program, or -1, and what is
// known of its argument, with a text at its end.
func (c *coder) starter(before string) (call int, arg element) {
	call = len(c.opens) - 1
	for call >= 0 && !c.opens[call].starts {
		call--
	}
	arg = c.arg
	if call >= 0 {
		arg.add(readEscapes(before[max(0, len(before)-64):]), true)
	}
	return call, arg
}

// first reports whether what stands here is the program that is started by the
// call whose bracket has this number.
func (c *coder) first(call int) bool {
	at := 1
	if path := c.original(c.opens[call].callee); second.MatchString(path) || c.beginnings.wrappers[path] == 2 {
		at = 2
	}
	if len(c.opens[call].elements) != at && c.opens[call].key != "args" {
		return false
	}
	for _, b := range c.opens[call+1:] {
		if b.sign == '(' && slices.Contains(splitting, last(b.callee)) && len(b.elements) == 1 {
			continue
		}
		if b.callee != "" && b.sign != '{' || len(b.elements) > 1 || !strings.Contains("([,", b.before) && (b.before != "=" || c.opens[call].key != "args") {
			return false
		}
	}
	return true
}

// asks is what a program that is started makes of an argument with a value, and the
// program's name if it may take that for an option.
func (c *coder) asks(given []element, arg element, value string) (o *objection, option string) {
	if len(given) == 0 || !given[0].known {
		return nil, ""
	}
	const each = 256
	if c.s.work += each * len(given); c.s.work > mostWork {
		return &objection{what: "there are too many values among the arguments of one program", fix: "give them in a file"}, ""
	}
	words := make([]*syntax.Word, 0, len(given)+1)
	for _, e := range given {
		words = append(words, e.shell())
	}
	args := argsOf(append(words, arg.shell()), c.s.places)
	if slices.Contains([]string{"test", "[", "printf", "echo"}, program(args[0].text)) {
		return nil, "" // what the shell's own would do, these do not
	}
	at := len(args) - 1
	if o := command(args, at, false); o.what != "" {
		return &objection{what: o.what, fix: "hand it over by the program's input or in a file, or " + fixInput}, ""
	}
	if i := args[at].mark; i > 0 && arg.known && !endsOptions(args[1:at]) {
		if choosesOption(args[0].text, args[at].text[:i]) {
			return &objection{what: "the value chooses an option of " + args[0].text, fix: "write the option itself"}, ""
		}
	}
	if args[at].mark == 0 {
		option = c.s.takenForOption(args, at, value)
	}
	return nil, option
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
