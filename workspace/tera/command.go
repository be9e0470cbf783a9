package tera

import (
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// arg is an argument of a command, as far as it is known before it runs.
type arg struct {
	word   *syntax.Word
	text   string // without its quotes; marks and expansions are left out
	static bool   // the text is all there is
	mark   int    // where a value begins in the text, or -1
	fades  bool   // it is nothing but unquoted expansions and may be no argument at all
	whole  bool   // it is one value and nothing else
}

func argsOf(words []*syntax.Word, places []*place) []arg {
	args := make([]arg, len(words))
	for i, w := range words {
		a := arg{word: w, static: true, fades: len(w.Parts) > 0}
		var b strings.Builder
		for _, p := range pieces(w.Parts, false) {
			if p.node != nil {
				a.static = false
				a.fades = a.fades && !p.quoted
				continue
			}
			a.fades = false
			a.static = a.static && !p.dollar
			b.WriteString(p.read())
		}
		a.text = b.String()
		a.mark = -1
		if len(places) > 0 {
			a.mark = strings.Index(a.text, places[0].stem())
		}
		a.whole = a.static && a.mark == 0 && len(a.text) == len(places[0].mark)
		a.static = a.static && a.mark < 0
		args[i] = a
	}
	return args
}

// args are the arguments of a command, worked out once for all its places.
func (s *script) args(call *syntax.CallExpr) []arg {
	const each = 64
	s.work += each * len(call.Args)
	if s.calls == nil {
		s.calls = map[*syntax.CallExpr][]arg{}
	}
	args, ok := s.calls[call]
	if !ok {
		args = argsOf(call.Args, s.places)
		s.calls[call] = args
	}
	return args
}

// called checks a value among the arguments of a command, at whatever depth.
func (s *script) called(p *place, call *syntax.CallExpr, child syntax.Node) (what, fix string) {
	o := s.argued(p, call, child)
	p.want = max(p.want, o.want)
	if !o.again {
		return o.what, o.fix
	}
	if s.t.options.ForbidRaw && p.value.foreign {
		return o.what + ", and this action does not allow it", o.fix + "; " + fixAllow
	}
	if p.again == nil {
		p.again = &o
	}
	return "", ""
}

// argued is what speaks against a value among the arguments of a command.
func (s *script) argued(p *place, call *syntax.CallExpr, child syntax.Node) objection {
	at := slices.IndexFunc(call.Args, func(w *syntax.Word) bool { return syntax.Node(w) == child })
	if at < 0 {
		return objection{} // an assignment before the command, which has a check of its own
	}
	args := s.args(call)
	if s.work > mostWork {
		return no("there are too many or too long values in one command", "give them one by one, or in a file")
	}
	o, head := against(args, at)
	if o == (objection{}) && p.option == "" && head < at {
		p.option = option(args[head:], at-head)
	}
	return o
}

// against is what speaks against a value at args[at], and where the command
// begins: behind words that may be no words at all.
func against(args []arg, at int) (o objection, head int) {
	for head < at && args[head].fades {
		head++
	}
	switch {
	case head == at:
		return commandPosition(), head
	case !args[head].static:
		return risky(args[head:], at-head), head
	}
	o = command(args[head:], at-head, head > 0)
	if o == (objection{}) && head > 0 { // $SHELL -c
		o = risky(args, at)
	}
	return o, head
}

const fixAllow = "or set allow_raw: true on the action if whoever starts the task may run anything"

func commandPosition() objection {
	return no("a value cannot choose what runs", "write the command itself, or choose with case")
}

// command checks a value at args[at] of the command args[0]; unsure says that
// another command may stand before it.
func command(args []arg, at int, unsure bool) objection {
	for hops := 0; ; hops++ {
		name := program(args[0].text)
		if hops > len(wrappers) {
			return commandPosition()
		}
		w, ok := wrappers[name]
		if !ok {
			break
		}
		if environment(name, args, at) {
			return no(special(assigns(args[at])))
		}
		n := w.skip(args)
		if n >= at {
			return no("a value before the command that "+name+" runs could choose what runs", "write that part itself")
		}
		if !args[n].static {
			return risky(args[n:], at-n)
		}
		args, at, unsure = args[n:], at-n, true
	}
	name := program(args[0].text)
	if r, ok := rulingOf(name); ok {
		if o := r(args, at); o != (objection{}) {
			return o
		}
	}
	if !unsure && slices.Contains(quiet, name) {
		return objection{}
	}
	return risky(args, at)
}

// risky looks for programs among the arguments that would run what the value
// says, as in "docker exec box sh -c".
func risky(args []arg, at int) objection {
	for i := 1; i <= at; i++ {
		if !args[i].static && i < at {
			continue
		}
		name := program(args[i].text)
		if r, ok := rulingOf(name); ok && i < at && !slices.Contains(plainWords, name) {
			if o := r(args[i:], at-i); o != (objection{}) {
				return o
			}
		}
		if slices.ContainsFunc(runFlags, func(f string) bool {
			return i < at && args[i].text == f || i == at && strings.HasPrefix(args[i].text, f+"=")
		}) {
			return no("a value behind "+before(args[i])+" would be read as a command", fixEnv)
		}
	}
	if !args[0].static && at >= 1 {
		for _, a := range args[1:at] {
			if a.text == "-c" || a.text == "-e" || a.text == "--eval" {
				return objection{what: "a value behind " + a.text + " may be read as a program", fix: fixEnv, again: true}
			}
		}
	}
	return objection{}
}

// environment reports whether args[at] is NAME=… of env or sudo.
func environment(name string, args []arg, at int) bool {
	if name != "env" && name != "sudo" && name != "doas" {
		return false
	}
	for i := 1; i < at; i++ {
		if a := args[i]; a.fades || !strings.Contains(a.text, "=") && a.text != "-i" && a.text != "-" {
			return false
		}
	}
	return assigns(args[at]) != ""
}

// assigns returns the name that an argument like NAME=… assigns to, before any
// value; it is empty where there is none.
func assigns(a arg) string {
	name, _, ok := strings.Cut(a.text, "=")
	if !ok || !syntax.ValidName(name) || a.mark >= 0 && a.mark <= len(name) || !literalName(a.word, name) {
		return ""
	}
	return name
}

// literalName reports whether a word begins with NAME= outside of quotes and of
// values.
func literalName(w *syntax.Word, name string) bool {
	lit, ok := w.Parts[0].(*syntax.Lit)
	return ok && strings.HasPrefix(lit.Value, name+"=")
}

// feeds names the program of a statement that runs what it reads on its input, in
// functions that it calls as well.
func (s *script) feeds(n syntax.Node) string { return s.feedsIn(n, map[string]bool{}) }

func (s *script) feedsIn(n syntax.Node, asked map[string]bool) (name string) {
	syntax.Walk(n, func(n syntax.Node) bool {
		call, ok := n.(*syntax.CallExpr)
		if !ok || name != "" || len(call.Args) == 0 {
			return name == ""
		}
		args := argsOf(call.Args, nil)
		if name = itself(args[0]); name != "" {
			return false
		}
		if body := s.function(args[0].text); body != nil && args[0].static && !asked[args[0].text] {
			asked[args[0].text] = true
			if name = s.feedsIn(body, asked); name != "" {
				return false
			}
		}
		for i, a := range args {
			base := program(a.text)
			if a.static && !(i > 0 && slices.Contains(plainWords, base)) && s.runsInput(base, args[i+1:], asked) {
				name = base
				break
			}
			if i == 0 && slices.Contains(quiet, a.text) {
				break
			}
		}
		return name == ""
	})
	return name
}

// itself names a command that is a shell under the name of a variable, or is what
// another command prints, which may be what it reads.
func itself(command arg) (name string) {
	if command.static {
		return ""
	}
	syntax.Walk(command.word, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.CmdSubst:
			if !namesProgram(n) {
				name = "$(…)"
			}
		case *syntax.ParamExp:
			if n.Param != nil && (n.Param.Value == "SHELL" || n.Param.Value == "BASH") {
				name = "$" + n.Param.Value
			}
		}
		return name == ""
	})
	return name
}

// namesProgram reports whether a substitution is one of those that find a program,
// and read nothing.
func namesProgram(n *syntax.CmdSubst) bool {
	if len(n.Stmts) != 1 {
		return false
	}
	call, ok := n.Stmts[0].Cmd.(*syntax.CallExpr)
	return ok && len(call.Args) > 0 && slices.Contains([]string{"which", "command", "type", "dirname", "basename", "pwd", "realpath", "readlink", "brew"}, call.Args[0].Lit())
}

// function is the body of a function of the script; nil where it has none of that name.
func (s *script) function(name string) *syntax.Stmt {
	if s.bodies == nil {
		s.bodies = map[string]*syntax.Stmt{}
		for _, file := range s.files {
			syntax.Walk(file, func(n syntax.Node) bool {
				if f, ok := n.(*syntax.FuncDecl); ok && f.Name != nil {
					s.bodies[f.Name.Value] = f.Body
				}
				return true
			})
		}
	}
	return s.bodies[name]
}

// runsInput reports whether a program takes its input for code, given the arguments.
func (s *script) runsInput(name string, args []arg, asked map[string]bool) bool {
	switch {
	case slices.Contains(readers, name):
		return true
	case name == "eval":
		return slices.ContainsFunc(args, func(a arg) bool { return !a.static })
	case name == "xargs" || name == "parallel":
		return slices.ContainsFunc(args, func(a arg) bool { return interpreter(a.text) })
	case name == "ssh":
		return len(args) < 2 || slices.ContainsFunc(args, func(a arg) bool { return interpreter(a.text) })
	case name == "source" || name == ".":
		return slices.ContainsFunc(args, func(a arg) bool { return strings.HasPrefix(a.text, "/dev/") || strings.HasPrefix(a.text, "/proc/") })
	case name == "make" || name == "sed" || name == "awk":
		return slices.ContainsFunc(args, func(a arg) bool { return programs.MatchString(a.text) })
	case !interpreter(name):
		return false
	}
	for i, a := range args {
		if a.text == "-" || strings.HasPrefix(a.text, "/dev/") || strings.HasPrefix(a.text, "/proc/") {
			return true
		}
		if !strings.HasPrefix(a.text, "-") {
			return a.fades
		}
		if slices.Contains(shells, name) && strings.Contains(a.text, "s") && !strings.HasPrefix(a.text, "--") {
			return true
		}
		if strings.ContainsAny(a.text, "cem") {
			return slices.Contains(shells, name) && i+1 < len(args) && s.codeFeeds(args[i+1], asked)
		}
	}
	return true
}

// programs are arguments by which make, sed and awk read their program from their input.
var programs = regexp.MustCompile(`^(-|--file=|--makefile=|-[a-zA-Z]*f-|.*/dev/(stdin|fd/\d+))$`)

// codeFeeds reports whether the code of a sh -c runs what it reads on its input.
func (s *script) codeFeeds(code arg, asked map[string]bool) bool {
	if !code.static {
		return itself(code) == "$(…)"
	}
	if tooLarge(code.text) {
		return true
	}
	file, err := parseShell(code.text, syntax.LangBash)
	return err == nil && s.feedsIn(file, asked) != ""
}

// piped checks a pipe from a value into a program that runs its input.
func (s *script) piped(b *syntax.BinaryCmd, child syntax.Node) (what, fix string) {
	if (b.Op == syntax.Pipe || b.Op == syntax.PipeAll) && child == syntax.Node(b.X) {
		if name := s.feeds(b.Y); name != "" {
			return name + " at the end of the pipe would run what the value says", "run the commands in this script itself"
		}
	}
	return "", ""
}

// before is the text of an argument up to the first value in it.
func before(a arg) string {
	if a.mark >= 0 {
		return a.text[:a.mark]
	}
	return a.text
}
