package tera

import (
	"cmp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// called checks a value among the arguments of a command, at whatever depth.
func (s *script) called(p *place, call *syntax.CallExpr, child syntax.Node) (what, fix string) {
	if what, fix = s.objected(p, s.argued(p, call, child)); what != "" {
		return what, fix
	}
	agent := s.t.options.ForbidRaw && p.value.foreign
	if agent && s.known && p.names && !wholeNumber(p.value.text) {
		return "the value chooses an option of " + p.option, "write the option itself, or choose with case"
	}
	if agent && s.known && p.option != "" && beginsOption(p.value.text, p.many) {
		return p.option + " would read the value as an option", p.fixOption()
	}
	return "", ""
}

// objected says what an objection is to whoever began the job, and notes what the
// author is to know and what the value must be.
func (s *script) objected(p *place, o objection) (what, fix string) {
	switch {
	case o.want != anything && p.want != anything && o.want != p.want:
		return "the value would have to be two things at once", "assign it first: NAME={{ … }}, then \"$NAME\""
	case o.again && s.t.options.ForbidRaw && p.value.foreign && !wholeNumber(p.value.text):
		return o.what + ", and this action does not allow it", o.fix + "; " + fixAllow
	case o.again && p.again == nil:
		p.again = &o
	case o.number && (!s.known || wholeNumber(p.value.text) && s.src[p.at-1] != '-'): // -- may begin a comment
		p.number = &o
	case !o.again && o.what != "":
		return o.what, o.fix
	}
	p.want = max(p.want, o.want)
	return "", ""
}

// argued is what speaks against a value among the arguments of a command.
func (s *script) argued(p *place, call *syntax.CallExpr, child syntax.Node) objection {
	at := slices.IndexFunc(call.Args, func(w *syntax.Word) bool { return syntax.Node(w) == child })
	args := s.args(call)
	if at < 0 {
		return surrounding(args) // an assignment before the command, which has a check of its own
	}
	if s.work > mostWork {
		return no("there are too many or too long values in one command", "give them one by one, or in a file")
	}
	o, head := s.against(args, at)
	if _, many := s.printedInto(p, args[at]); many && o == (objection{}) {
		o, _ = s.against(slices.Insert(slices.Clone(args), at+1, nextWord(args[at])), at+1)
	}
	if o != (objection{}) || head == at {
		return o
	}
	if s.ownFunction(args[head]) == nil {
		s.optioned(p, args[head:], at-head)
	}
	for _, inner := range s.forwarded(args[head:], at-head) {
		s.optioned(p, inner, at-(len(args)-len(inner)))
	}
	return o
}

// nextWord is the second of the words that the shell may make of an argument.
func nextWord(a arg) arg { return arg{word: a.word, text: anyValue, whole: true} }

// ownFunction is the body of the function of the script that a command is; nil where
// it is none.
func (s *script) ownFunction(command arg) *syntax.Stmt {
	if !command.static {
		return nil
	}
	return s.function(command.text)
}

// forwards reports whether a command is a function of the script that runs its
// arguments as a command: run() { "$@"; }.
func (s *script) forwards(command arg) bool {
	body := s.ownFunction(command)
	if body == nil {
		return false
	}
	runs := s.names().runs
	yes, asked := runs[command.text]
	if !asked {
		yes = s.runsArguments(body)
		runs[command.text] = yes
	}
	return yes
}

// runsArguments reports whether a command in a node is what the arguments say: "$@".
func (s *script) runsArguments(n syntax.Node) (yes bool) {
	syntax.Walk(n, func(n syntax.Node) bool {
		if call, ok := n.(*syntax.CallExpr); ok && len(call.Args) > 0 && !yes {
			args := s.args(call)
			rest, _, _, _ := unwrap(args, len(args))
			for _, p := range pieces(rest[0].word.Parts, false) {
				name := p.variable()
				yes = yes || name == "@" || name == "*" || name == "1"
			}
			// Handed on to a function that may do so.
			yes = yes || s.function(rest[0].text) != nil && len(rest) > 1 && several(rest[1].word)
		}
		return !yes
	})
	return yes
}

// forwarded are the commands that args[at] may be an argument of once a function of
// the script, or set, has handed them on.
func (s *script) forwarded(args []arg, at int) (list [][]arg) {
	switch {
	case s.forwards(args[0]):
		for i := 1; i < at; i++ {
			if i == 1 || args[i].static && known(args[i].text) != nil && known(args[i].text).is&everyday == 0 {
				list = append(list, args[i:])
			}
		}
	case args[0].text == "set":
		dashes := doubleDash(args[:at])
		if dashes > 0 && dashes+1 < at && s.runsArguments(s.files[len(s.files)-1]) {
			list = append(list, args[dashes+1:])
		}
	}
	return list
}

// against is what speaks against a value at args[at], and where the command
// begins: behind words that may be no words at all.
func (s *script) against(args []arg, at int) (o objection, head int) {
	for head < at && args[head].fades {
		head++
	}
	switch {
	case head == at:
		return commandPosition(), head
	case args[head].static:
		o = command(args[head:], at-head, head > 0)
	default:
		o = risky(args[head:], at-head, false)
	}
	for _, inner := range s.forwarded(args[head:], at-head) {
		if o == (objection{}) {
			o, _ = s.against(inner, at-(len(args)-len(inner)))
		}
	}
	if sh, code := codeOf(args); o != (objection{}) && handedOver(args, sh, code, at) && o == shell(args[sh:], at-sh) {
		o = objection{} // what the code does with it is followed
	}
	if o.guess && s.ownFunction(args[head]) != nil { // what a function does with it is followed
		o = objection{}
	}
	if o == (objection{}) && head > 0 { // $SHELL -c
		o = risky(args, at, false)
	}
	if o == (objection{}) {
		o = s.otherwise(args, head, at)
	}
	return o, head
}

// surrounding checks an assignment before a command: make expands its environment.
func surrounding(args []arg) objection {
	if len(args) == 0 || !args[0].static {
		return objection{}
	}
	if rest, _, _, _ := unwrap(args, len(args)); program(rest[0].text) == "make" {
		return objection{want: aWord}
	}
	return objection{}
}

const fixAllow = "or set allow_raw: true on the action if whoever starts the task may run anything"

func commandPosition() objection {
	return no("a value cannot choose what runs", "write the command itself, or choose with case")
}

// unwrap takes the wrappers off a command, such as sudo or nice: what is left is the
// command that they run, with the place of the value in it. Each takes an argument
// or more, so there is an end. Where a value is a part of a wrapper, the objection is
// to that; ok is false where what is run is not known.
func unwrap(args []arg, at int) (rest []arg, to int, o objection, ok bool) {
	for {
		t := known(args[0].text)
		if t == nil || t.runs == nil || t.name == "command" && len(args) > 1 && (args[1].text == "-v" || args[1].text == "-V") { // it looks, and runs nothing
			return args, at, objection{}, true
		}
		if t.is&assigning != 0 && at < len(args) && assignment(args, at) {
			return args, at, no(special(assigns(args[at]))), false
		}
		n := t.runs.skip(args)
		if at < len(args) && n > at && t.runs.numbers && (args[at].whole || args[at].timed) {
			return args, at, objection{want: aTime}, false
		}
		if at < len(args) && n > at && args[at].whole && t.runs.word(args[at-1]) {
			return args, at, objection{want: aWord}, false
		}
		if n >= at {
			return args, at, no("a value before the command that "+t.name+" runs could choose what runs", "write that part itself"), false
		}
		if args, at = args[n:], at-n; !args[0].static {
			return args, at, objection{}, false
		}
	}
}

// command checks a value at args[at] of the command args[0]; unsure says that
// another command may stand before it.
func command(args []arg, at int, unsure bool) objection {
	rest, to, o, ok := unwrap(args, at)
	unsure = unsure || ok && to < at && !runsPlainly(args, rest)
	switch {
	case ok:
	case !rest[0].static && o == (objection{}):
		return risky(rest, to, false)
	default:
		return o
	}
	t := known(rest[0].text)
	if t == nil {
		return cmp.Or(risky(rest, to, false), guessed(rest, to))
	}
	if o := t.objects(rest, to); o != (objection{}) {
		return o
	}
	if o := t.inside(rest, to); o != (objection{}) {
		return o
	}
	if !unsure && t.is&quiet != 0 {
		return objection{}
	}
	return risky(rest, to, false)
}

// runsPlainly reports whether wrappers stand before what is left of a command, with no
// options that take anything, so that it is what they run.
func runsPlainly(args, rest []arg) bool {
	var runs *wrapper
	for _, a := range args[:len(args)-len(rest)] {
		t := known(a.text)
		switch {
		case !a.static:
			return false
		case t != nil && t.runs != nil:
			runs = t.runs
		case runs == nil || len(a.text) < 2 || a.text[0] != '-' || strings.Trim(a.text[1:], runs.flags) != "":
			return false
		}
	}
	return true
}

// risky looks for programs among the arguments that would run what the value
// says, as in "docker exec box sh -c". Words of every day are looked at only where
// all says so.
func risky(args []arg, at int, all bool) objection {
	for i := 1; i <= at; i++ {
		if !args[i].static && args[i].mark < 0 && i < at {
			continue
		}
		if i < at {
			if t := known(args[i].text); t != nil && (all || t.is&everyday == 0) {
				if o := t.objects(args[i:], at-i); o != (objection{}) {
					return o
				}
			}
		}
		if slices.ContainsFunc(runFlags, func(f string) bool {
			return i < at && before(args[i]) == f || i == at && strings.HasPrefix(args[i].text, f+"=")
		}) {
			return no("a value behind "+before(args[i])+" would be read as a command", fixEnv)
		}
	}
	if !args[0].static && at >= 1 {
		for _, a := range args[1:at] {
			if codeOption(a.text) {
				return twice("a value behind "+a.text+" may be read as a program", fixEnv)
			}
		}
	}
	return objection{}
}

// runFlags are options after which comes a command, whoever takes them.
var runFlags = []string{
	"-exec", "-execdir", "-ok", "-okdir", "--exec", "--exec-batch", "--eval", "--rsh",
	"--checkpoint-action", "--to-command", "--use-compress-program", "--rsync-path", "--startas",
}

// assignment reports whether args[at] is NAME=… of env or sudo.
func assignment(args []arg, at int) bool {
	for i := 1; i < at; i++ {
		if a := args[i]; a.fades || !strings.Contains(a.text, "=") && a.text != "-i" && a.text != "-" {
			return false
		}
	}
	return assigns(args[at]) != ""
}
