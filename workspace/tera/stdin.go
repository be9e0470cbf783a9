package tera

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// listener finds a program that runs what the script prints from there on, or hands
// to it later: exec > >(sh), coproc sh.
func (s *script) listener(file *syntax.File) (err *Error) {
	if !strings.Contains(s.src, "coproc") && !(strings.Contains(s.src, "exec") && strings.Contains(s.src, ">(")) {
		return nil
	}
	syntax.Walk(file, func(n syntax.Node) bool {
		name := ""
		switch n := n.(type) {
		case *syntax.CoprocClause:
			name = s.feeds(n.Stmt)
		case *syntax.Stmt:
			if call, ok := n.Cmd.(*syntax.CallExpr); ok && len(call.Args) == 1 && call.Args[0].Lit() == "exec" {
				name = s.poursInto(n)
			}
		}
		if name != "" && err == nil {
			err = s.static(int(n.Pos().Offset()), name+" would run what the script hands to it", fixData)
		}
		return err == nil
	})
	return err
}

// poursInto names the program in a >(…) of a statement that runs what it reads.
func (s *script) poursInto(n *syntax.Stmt) string {
	for _, r := range n.Redirs {
		if r.Word == nil {
			continue
		}
		for _, part := range r.Word.Parts {
			if to, ok := part.(*syntax.ProcSubst); ok && to.Op == syntax.CmdOut {
				for _, stmt := range to.Stmts {
					if name := s.feeds(stmt); name != "" {
						return name
					}
				}
			}
		}
	}
	return ""
}

// feeds names the program of a statement that runs what it reads on its input, in
// functions that it calls as well.
func (s *script) feeds(n syntax.Node) string {
	asked := map[string]bool{}
	name := s.feedsIn(n, asked)
	if name == "" {
		for function := range asked {
			s.names().feeds[function] = ""
		}
	}
	return name
}

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
			if name = s.functionFeeds(args[0].text, body, asked); name != "" {
				return false
			}
		}
		if strings.ContainsAny(args[0].text, "*?") { // which finds a program by its file
			name = args[0].text
			return false
		}
		for i, a := range args {
			for _, words := range s.spellings(a) {
				if len(words) > 0 && words[0] != "" && name == "" {
					if row := known(words[0]); row != nil && s.runsInput(row, slices.Concat(fixedArgs(a.word, words), args[i+1:]), asked) {
						name = row.name
					}
				}
			}
			row := known(a.text)
			if a.static && row != nil && !(i > 0 && row.is&everyday != 0) && s.runsInput(row, args[i:], asked) {
				name = row.name
				break
			}
			if i == 0 && row != nil && row.is&quiet != 0 {
				break
			}
		}
		return name == ""
	})
	return name
}

// functionFeeds is feedsIn for the body of a function, asked once.
func (s *script) functionFeeds(function string, body syntax.Node, asked map[string]bool) string {
	feeds := s.names().feeds
	name, ok := feeds[function]
	if !ok {
		if name = s.feedsIn(body, asked); name != "" {
			feeds[function] = name
		}
	}
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
	return ok && len(call.Args) > 0 && listed("which command type dirname basename pwd realpath readlink brew", call.Args[0].Lit())
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

// commandWords are the words of a command line that another machine reads.
func commandWords(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" \t\n;&|()'\"", r) })
}

// runsInput reports whether a program takes its input for code, given its arguments.
func (s *script) runsInput(t *tool, args []arg, asked map[string]bool) bool {
	interprets := func(a arg) bool { return interpreter(a.text) }
	switch {
	case t.is&fed != 0 || t.input != nil && t.input(args):
		return true
	case t.is&lonely != 0:
		return t.runs.skip(args) >= len(args)
	case t.name == "xargs":
		return slices.ContainsFunc(args[1:], interprets) || endless(args)
	case t.name == "parallel":
		return t.operands(args) == 0 || slices.ContainsFunc(args[1:], interprets)
	case t.name == "ssh":
		return t.operands(args) < 2 || slices.ContainsFunc(args[1:], func(a arg) bool { return slices.ContainsFunc(commandWords(a.text), interpreter) })
	case t.lang == nil && t.is&shellish == 0:
		return false
	}
	shell := t.is&shellish != 0
	for i, a := range args[1:] {
		if a.text == "-" || strings.HasPrefix(a.text, "/dev/") || strings.HasPrefix(a.text, "/proc/") {
			return true
		}
		if !strings.HasPrefix(a.text, "-") {
			return a.fades || strings.HasSuffix(a.text, "manage.py") && has("shell shell_plus dbshell")(args[i+1:])
		}
		if shell && strings.Contains(a.text, "s") && !strings.HasPrefix(a.text, "--") {
			return true
		}
		if strings.ContainsAny(a.text, "cem") {
			return shell && i+2 < len(args) && s.codeFeeds(args[i+2], asked)
		}
	}
	return true
}

// endless reports whether xargs runs a wrapper without a command: xargs nice.
func endless(args []arg) bool {
	for i := 1; i < len(args); i++ {
		if t := known(args[i].text); t != nil && t.runs != nil {
			return t.runs.skip(args[i:]) >= len(args)-i
		}
		if args[i].text == "xargs" {
			return i == len(args)-1 || endless(args[i:])
		}
	}
	return false
}

// What reads its program from its input only if its arguments say so.
func unfixed(args []arg) bool {
	return slices.ContainsFunc(args[1:], func(a arg) bool { return !a.static })
}
func device(args []arg) bool {
	return slices.ContainsFunc(args[1:], func(a arg) bool { return strings.HasPrefix(a.text, "/dev/") || strings.HasPrefix(a.text, "/proc/") })
}
func programmed(args []arg) bool {
	return slices.ContainsFunc(args[1:], func(a arg) bool { return programs.MatchString(a.text) })
}

// uncommanded reports whether no option holds a command, and a shell is started instead.
func uncommanded(args []arg) bool {
	return !slices.ContainsFunc(args[1:], func(a arg) bool { return codeOption(a.text) || strings.HasPrefix(a.text, "--command=") })
}

// has reports whether one of the words is among the arguments.
func has(words string) func(args []arg) bool {
	return func(args []arg) bool {
		return slices.ContainsFunc(args[1:], func(a arg) bool { return listed(words, a.text) })
	}
}

// programs are arguments by which make, sed and awk read their program from their input.
var programs = regexp.MustCompile(`^(-|--file=-|--makefile=-|-[a-zA-Z]*f-|.*/dev/(stdin|fd/\d+))$`)

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

// handing is an xargs that hands what it reads to a command.
type handing struct {
	call *syntax.CallExpr
	args []arg // the command, with the place of a value among them
	at   int
}

// handsOn finds the xargs at the end of a pipe, and the command that it runs; nil where
// there is none.
func (s *script) handsOn(n syntax.Node) (found *handing) {
	syntax.Walk(n, func(n syntax.Node) bool {
		call, ok := n.(*syntax.CallExpr)
		if !ok || len(call.Args) == 0 || found != nil {
			return found == nil
		}
		args := argsOf(call.Args, nil)
		at := xargsOptions.skip(args)
		if program(args[0].text) != "xargs" || at >= len(args) {
			return true
		}
		put := ""
		for i, a := range args[1:at] {
			if name, ok := strings.CutPrefix(a.text, "-I"); ok {
				put = cmp.Or(name, args[i+2].text)
			}
		}
		found = &handing{call, slices.Clone(args[at:]), len(args) - at}
		value := arg{word: call.Args[0], text: anyValue, whole: true}
		for i, a := range found.args {
			if mark := strings.Index(a.text, put); put != "" && mark >= 0 {
				found.at, value.mark, value.text, value.whole = i, mark, strings.Replace(a.text, put, anyValue, 1), a.text == put
				found.args[i] = value
				return false
			}
		}
		found.args = append(found.args, value)
		return false
	})
	return found
}

// objects is what speaks against a value that is handed on, and whether it may be
// an option there.
func (h *handing) objects(s *script) (o objection, option bool) {
	if o, _ = s.against(h.args, h.at); o != (objection{}) {
		return o, false
	}
	rest, at, _, _ := unwrap(h.args, h.at)
	text := ""
	for _, a := range rest {
		text += a.text + " "
	}
	switch name := program(rest[0].text); {
	case name == "printf", name == "echo" && (strings.Contains(text, "OUTPUT") || strings.Contains(text, "STATE") || echoOption(rest[1].text) && strings.Contains(rest[1].text, "e")):
		return objection{want: unspoilt}, false
	}
	t := known(rest[0].text)
	return o, t != nil && t.is&takesOptions != 0 && rest[at].mark == 0 && !endsOptions(rest[:at])
}

// piped checks a pipe from a value into a program that runs its input.
func (s *script) piped(p *place, b *syntax.BinaryCmd, child syntax.Node) (what, fix string) {
	if (b.Op == syntax.Pipe || b.Op == syntax.PipeAll) && child == syntax.Node(b.X) {
		if h := s.handsOn(b.Y); h != nil {
			o, option := h.objects(s)
			if option && p.option == "" {
				p.option, p.many = "xargs", true
			}
			if what, fix = s.objected(p, o); what != "" {
				return what, fix
			}
		}
		if name := s.feeds(b.Y); name != "" {
			return name + " at the end of the pipe would run what the value says", "run the commands in this script itself"
		}
	}
	return "", ""
}

// xargsOptions are those before the command that xargs runs.
var xargsOptions = wrapper{flags: "0rtpxo"}

// started checks xargs, whose command a value cannot be, and may be a part of.
func started(args []arg, at int) objection {
	command := xargsOptions.skip(args)
	switch {
	case command > at && args[at].whole && listed("-n -P -L -s --max-args --max-procs --max-lines --max-chars", args[at-1].text):
		return objection{want: aNumber}
	case command >= at:
		return commandPosition()
	}
	return twice(args[0].text+" would read the value as words or run it", "loop instead: for x in …; do …; done")
}
