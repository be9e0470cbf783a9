package tera

import (
	"cmp"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// moves notes what one node of the script moves where; whole is the statement of
// the script that it is a part of, and stands for what a command in it may read.
func (f *flows) moves(whole *syntax.Stmt, n syntax.Node) {
	switch n := n.(type) {
	case *syntax.Stmt:
		f.redirected(n)
	case *syntax.BinaryCmd:
		f.piped(n)
	case *syntax.FuncDecl:
		if n.Name != nil {
			f.move(n.Body, holder{inOutput, n.Name.Value})
		}
	case *syntax.Assign:
		if n.Name != nil {
			f.set(n.Name.Value, n)
		}
	case *syntax.ForClause:
		if n.Select {
			f.pass(holder{kind: inInput}, variableNamed("REPLY"))
			f.set("REPLY", whole)
		}
	case *syntax.WordIter:
		for _, w := range n.Items {
			f.set(n.Name.Value, w)
		}
		if !n.InPos.IsValid() {
			f.pass(variableNamed("@"), variableNamed(n.Name.Value))
		}
	case *syntax.ParamExp: // ${NAME:=…}
		if n.Param != nil && n.Exp != nil && (n.Exp.Op == syntax.AssignUnset || n.Exp.Op == syntax.AssignUnsetOrNull) && n.Exp.Word != nil {
			f.set(n.Param.Value, n.Exp.Word)
		}
	case *syntax.BinaryTest:
		if n.Op == syntax.TsReMatch {
			f.set("BASH_REMATCH", n.X)
		}
	case *syntax.CoprocClause:
		f.set(cmp.Or(litOf(n.Name), "COPROC"), n.Stmt)
	case *syntax.CallExpr:
		if args := lessBuiltin(f.s.args(n)); len(args) > 0 {
			f.set("_", args[len(args)-1].word)
			f.called(whole, args)
		}
	}
}

// litOf is the text of a word that is nothing but text; "" where there is none.
func litOf(w *syntax.Word) string {
	if w == nil {
		return ""
	}
	return w.Lit()
}

// lessBuiltin is a command without the command or builtin before it.
func lessBuiltin(args []arg) []arg {
	for len(args) > 1 && (args[0].text == "command" || args[0].text == "builtin") {
		args = args[1:]
		for len(args) > 1 && (args[0].text == "-p" || args[0].text == "--") {
			args = args[1:]
		}
	}
	return args
}

// called notes what a command moves.
func (f *flows) called(whole *syntax.Stmt, args []arg) {
	name := args[0].text
	if f.facts.aliases[name] {
		for _, a := range args[1:] {
			f.move(a.word, holder{inAlias, name})
		}
	}
	if f.facts.functions[name] {
		f.handed(args, false)
		f.move(whole, holder{kind: inInput})
	}
	for _, words := range f.s.spellings(args[0]) {
		if len(words) > 0 && f.facts.functions[words[0]] {
			f.handed(args, true)
		}
	}
	if f.facts.functions["command_not_found_handle"] { // its first argument is the command
		f.handed(slices.Insert(slices.Clone(args), 0, args[0]), true)
	}
	f.assigning(whole, args)
	rest, _, _, _ := unwrap(args, len(args))
	for _, a := range args[:len(args)-len(rest)] { // env NAME=…
		if name := assigns(a); name != "" {
			f.move(a.word, variableNamed(name))
		}
	}
	if len(rest) > 1 {
		f.copied(whole, rest)
	}
}

// assigning notes what the shell's own commands give to variables.
func (f *flows) assigning(whole *syntax.Stmt, args []arg) {
	switch program(args[0].text) {
	case "set":
		if dashes := doubleDash(args); dashes > 0 {
			f.handed(args[dashes:], false)
		} else {
			f.handed(args, true)
		}
	case "exec":
		if len(args) == 1 { // it changes where all others read from
			f.move(whole, holder{kind: inInput})
		}
	case "read", "mapfile", "readarray":
		for _, to := range f.filledBy(args) {
			f.pass(holder{kind: inInput}, to)
			if to.kind == inVariable {
				f.set(to.name, whole)
			} else {
				f.move(whole, to)
			}
		}
	case "getopts":
		f.move(whole, variableNamed("OPTARG"))
		for _, a := range args[1:] {
			f.pass(variableNamed("@"), variableNamed("OPTARG"))
			f.pass(variableNamed("@"), variableNamed(a.text))
		}
	case "eval", "trap", "alias", "declare", "typeset", "export", "local", "readonly":
		f.assigned(args)
	case "printf":
		f.printed(args)
	}
}

// copied notes the files that a command writes or copies.
func (f *flows) copied(whole *syntax.Stmt, rest []arg) {
	switch last := rest[len(rest)-1].word; program(rest[0].text) {
	case "tee":
		for _, a := range rest[1:] {
			f.writes(whole, a.word)
		}
	case "cp", "mv", "ln", "install":
		if h := file(last); codeFile(h) {
			f.runs(h, last)
		}
		for _, a := range rest[1 : len(rest)-1] {
			from := file(a.word)
			f.pass(from, file(last))
			f.pass(from, holder{inFile, path.Join(file(last).name, path.Base(from.name))})
		}
	}
}

// filledBy are the variables that read or mapfile fill.
func (f *flows) filledBy(args []arg) []holder {
	list := []holder{variableNamed("REPLY"), variableNamed("MAPFILE")}
	for i, a := range args[1:] {
		if !a.static && !takesText(args[i].text) {
			list = append(list, holder{kind: someSet})
		}
		list = append(list, variableNamed(f.s.filled(a.text)))
	}
	return list
}

// takesText reports whether an option of read takes something other than a name.
func takesText(option string) bool {
	return strings.HasPrefix(option, "-") && strings.ContainsAny(option[len(option)-1:], "dinNptu")
}

// assigned notes the NAME=… among the arguments of a command, and what is assigned
// by code that is put together, as in eval "$1=\$2": to a name that only the run
// knows, from the names in the code.
func (f *flows) assigned(args []arg) {
	for _, a := range args[1:] {
		to, _, ok := strings.Cut(a.text, "=")
		if !ok {
			continue
		}
		f.set(to, a.word)
		if !a.static {
			for _, m := range namesIn.FindAllStringSubmatch(a.text, -1) {
				f.pass(variableNamed(m[1]), holder{kind: someSet})
			}
		}
	}
}

var namesIn = regexp.MustCompile(`\$\{?([A-Za-z0-9_@*]+)`)

// printed notes what printf -v NAME prints.
func (f *flows) printed(args []arg) {
	for i := 1; i+1 < len(args); i++ {
		if a := args[i]; !a.static || a.text != "-v" {
			continue
		}
		to, known := f.s.filled(args[i+1].text), args[i+1].static || f.s.known && args[i+1].mark >= 0
		for _, b := range args[i+1:] {
			if !known {
				f.move(b.word, holder{kind: someSet})
			}
			f.set(to, b.word)
		}
	}
}

// maxArgs bounds the arguments of a function that are told apart where it shifts them.
const maxArgs = 9

// handed notes the arguments of a function, or those that set makes; moving says
// that each may be any of them, and so it is behind words that come and go.
func (f *flows) handed(args []arg, moving bool) {
	shifts := 0
	if f.facts.shifts {
		shifts = len(args) // as far as it goes
	}
	if known, own := f.facts.shiftsOf[args[0].text]; own && known >= 0 && args[0].static {
		shifts = known
	}
	for i, a := range args[1:] {
		f.move(a.word, variableNamed("@"))
		f.move(a.word, variableNamed("*"))
		if i <= shifts || args[i].fades || moving {
			f.move(a.word, holder{kind: inFirst})
		}
		if moving = moving || a.fades || several(a.word); moving || shifts > 0 && i >= maxArgs {
			f.move(a.word, holder{kind: someNumber})
		} else {
			for n := max(0, i-shifts); n < i; n++ {
				f.move(a.word, variableNamed(strconv.Itoa(n+1)))
			}
		}
		f.move(a.word, variableNamed(strconv.Itoa(i+1)))
	}
}

// writes reports whether a redirection writes what a command prints to a file.
func writes(r *syntax.Redirect) bool {
	switch r.Op {
	case syntax.RdrOut, syntax.AppOut, syntax.RdrClob, syntax.RdrAll, syntax.AppAll:
		return true
	}
	return false
}

// redirected notes the files that a statement writes, and the descriptors it opens.
func (f *flows) redirected(n *syntax.Stmt) {
	for _, r := range n.Redirs {
		if r.N != nil {
			f.move(r, holder{inDescriptor, r.N.Value})
		} else if newInput(n) {
			f.move(r, holder{inDescriptor, "0"})
		}
		if writes(r) {
			f.writes(n, r.Word)
		}
		if r.Op == syntax.DplOut { // to a coprocess
			for _, name := range held(r.Word.Parts) {
				f.move(n, variableNamed(name))
			}
		}
	}
}

// writes notes that the text of a node gets into a file, which may be code by its name.
func (f *flows) writes(from syntax.Node, to *syntax.Word) {
	h := file(to)
	if f.move(from, h); codeFile(h) {
		f.runs(h, to)
	}
}

// codeFile reports whether a file is read as code sooner or later, whoever does so.
func codeFile(h holder) bool {
	const names = ".profile .bashrc .bash_profile .bash_login .zshrc .zprofile .zshenv .zlogin .kshrc .xprofile .envrc " +
		"Dockerfile Containerfile Makefile makefile GNUmakefile Jenkinsfile Vagrantfile Rakefile Gemfile Justfile justfile"
	return h.kind == inFile && (listed(names, path.Base(h.name)) || strings.HasPrefix(h.name, "/etc/cron") || strings.HasPrefix(h.name, "/etc/profile"))
}

// piped notes the files that the end of a pipe writes, from what comes in.
func (f *flows) piped(n *syntax.BinaryCmd) {
	if n.Op != syntax.Pipe && n.Op != syntax.PipeAll {
		return
	}
	syntax.Walk(n.Y, func(m syntax.Node) bool {
		if r, ok := m.(*syntax.Redirect); ok && writes(r) {
			f.writes(n.X, r.Word)
		}
		return true
	})
}

// newInput reports whether a statement changes what all behind it read: exec <file.
func newInput(n *syntax.Stmt) bool {
	call, ok := n.Cmd.(*syntax.CallExpr)
	return ok && len(call.Args) == 1 && call.Args[0].Lit() == "exec" && len(n.Redirs) > 0
}

// file is the holder for the file that a word names: the word less its quotes, with
// the names of its variables. It takes ${f%.sh} and $f for one file, and all >(…).
func file(w *syntax.Word) holder {
	var b strings.Builder
	for _, p := range pieces(w.Parts, false) {
		if name := p.variable(); name != "" {
			b.WriteString("$" + name)
		} else if _, ok := p.node.(*syntax.ProcSubst); ok {
			b.WriteString(">(…)")
		}
		b.WriteString(p.text)
	}
	name := path.Clean(b.String())
	if n, ok := strings.CutPrefix(name, "/dev/fd/"); ok {
		return holder{inDescriptor, n}
	}
	return holder{inFile, name}
}

// holders are those whose text is in a node.
func (f *flows) holders(n syntax.Node) (list []holder) {
	const each = 16 // what a byte of nodes costs, compared with one of text
	if f.s.work += each * int(n.End().Offset()-n.Pos().Offset()); f.s.work > mostWork {
		f.lost = true
		return nil
	}
	syntax.Walk(n, func(m syntax.Node) bool {
		switch m := m.(type) {
		case *syntax.CmdSubst:
			return !f.s.numeric(m)
		case *syntax.ParamExp:
			switch {
			case m.Param == nil || m.Length:
			case m.Excl && m.Param.Value == "#": // the last argument
				list = append(list, variableNamed("@"))
			default:
				list = append(list, variableNamed(m.Param.Value))
			}
		case *syntax.CallExpr:
			if len(m.Args) > 0 {
				list = f.shownBy(list, m.Args)
			}
		case *syntax.DeclClause:
			if len(m.Args) == 0 || slices.ContainsFunc(m.Args, func(a *syntax.Assign) bool {
				return a.Naked && a.Value != nil && strings.HasPrefix(a.Value.Lit(), "-p")
			}) {
				list = append(list, holder{kind: inList})
			}
		case *syntax.Redirect:
			switch {
			case m.Word == nil:
			case m.Op == syntax.RdrIn || m.Op == syntax.RdrInOut:
				list = append(list, file(m.Word))
			case m.Op == syntax.DplIn:
				list = append(list, holder{inDescriptor, m.Word.Lit()})
			}
		}
		return true
	})
	return list
}

// shownBy adds what a command may print: the function's own output, the files it
// is given, and for set, env and printenv variables.
func (f *flows) shownBy(list []holder, args []*syntax.Word) []holder {
	name := args[0].Lit()
	if f.facts.functions[name] {
		list = append(list, holder{inOutput, name})
	}
	switch {
	case name == "set" && len(args) == 1, (name == "env" || name == "printenv") && !slices.ContainsFunc(args[1:], func(w *syntax.Word) bool {
		text := w.Lit()
		return !strings.HasPrefix(text, "-") && !strings.Contains(text, "=")
	}):
		list = append(list, holder{kind: inList})
	case name == "printenv":
		for _, w := range args[1:] {
			list = append(list, variableNamed(w.Lit()))
		}
	}
	if f.facts.files {
		for _, w := range args[1:] {
			list = append(list, file(w))
		}
	}
	return list
}
