package tera

import (
	"path"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// Of files, aliases and what functions print flows keep account as of variables,
// under names that no variable has.
const (
	fileNamed  = "\x00the file "
	aliasNamed = "\x00the alias "
	saidBy     = "\x00the output of "
	descriptor = "\x00the descriptor "
	allHeld    = "\x00the list of the variables" // with all that they hold
)

// programs notes the variables, the files and the aliases that a command other
// than one of the shell's own reads as code: what would be objected to if a value
// stood there itself.
func (f *flows) programs(whole *syntax.Stmt, args []arg) {
	if to := aliasNamed + args[0].text; f.aliases[args[0].text] {
		for _, a := range args[1:] {
			f.moves = append(f.moves, move{to: to, from: a.word})
		}
		f.reread(to, args[0].word)
	}
	if f.runsFile(args[0]) {
		f.reread(file(args[0].word), args[0].word)
	}
	for hops := 0; hops <= len(wrappers); hops++ {
		w, ok := wrappers[program(args[0].text)]
		if !ok {
			break
		}
		n := w.skip(args)
		for _, a := range args[1:min(n, len(args))] {
			if a.fades { // it may be the command
				f.again(a.word)
			}
		}
		if n >= len(args) {
			return
		}
		if args = args[n:]; f.runsFile(args[0]) {
			f.reread(file(args[0].word), args[0].word)
		}
		if len(args[0].word.Parts) > 0 && !args[0].static {
			f.again(args[0].word)
		}
	}
	name := program(args[0].text)
	if (name == "eval" || name == "trap") && len(args) > 1 && args[1].static {
		f.inner(args[1:2])
	}
	for i, a := range args {
		if i > 0 && readsAsProgram(name, args, i) {
			f.again(a.word)
		}
		if i > 0 && readsFile(name, args, i) {
			f.reread(file(a.word), a.word)
		}
		if i > 0 && name == "tee" {
			f.moves = append(f.moves, move{to: file(a.word), from: whole})
		}
	}
	for i := 1; i+1 < len(args) && slices.Contains(shells, name); i++ {
		if text := args[i].text; strings.HasPrefix(text, "-") && strings.HasSuffix(text, "c") && args[i+1].static {
			f.inner(args[i+1:])
			break
		}
	}
}

// readsAsProgram reports whether a command reads args[i] as a program.
func readsAsProgram(name string, args []arg, i int) bool {
	switch name {
	case "awk", "sed", "jq":
		return i == programOf(name, args)
	case "ssh", "su", "runuser", "make", "watch", "script", "rsh", "sshpass", "autossh", "mosh", "tmux", "screen", "parallel", "psql", "mysql", "mariadb":
		return true
	}
	if lang, ok := languages[name]; ok && strings.HasPrefix(args[i-1].text, "-") && lang.ruling(args, i).again {
		return true
	}
	return !args[i].static && chosen(name, args, i)
}

// chosen reports whether what args[i] expands to decides what a program runs.
func chosen(name string, args []arg, i int) bool {
	r, ok := rulingOf(name)
	if slices.Contains(shellOwn, name) { // flows.call knows them
		return false
	}
	o := objection{}
	if ok {
		o = r(args, i)
	}
	return o.what != "" && !o.again
}

// shellOwn are the rules for commands of the shell itself.
var shellOwn = []string{
	"eval", "trap", "alias", "source", ".", "set", "shopt", "history", "fc", "read", "unset", "getopts", "mapfile", "readarray", "wait", "let", "declare", "typeset",
	"nameref", "integer", "[[", "function", "coproc", "select", "export", "local", "readonly", "test", "[", "printf", "jobs",
}

// programOf is where the program of awk, sed or jq stands among its arguments.
func programOf(name string, args []arg) int {
	taking := map[string]string{"awk": "vFf", "sed": "efEl", "jq": "fL"}[name]
	for i := 1; i < len(args); i++ {
		text := args[i].text
		switch {
		case text == "--arg" || text == "--argjson" || text == "--slurpfile" || text == "--rawfile":
			i += 2
		case text == "-e" && name == "sed":
			return i + 1
		case !strings.HasPrefix(text, "-") || text == "-":
			return i
		case len(text) == 2 && strings.Contains(strings.TrimSuffix(taking, "El"), text[1:]):
			i++
		}
	}
	return len(args)
}

// readsFile reports whether a command runs the file args[i].
func readsFile(name string, args []arg, i int) bool {
	switch {
	case name == "source" || name == ".":
		return i == 1
	case name == "chmod": // it is made a program
		return i > 1 && strings.ContainsAny(args[1].text, "x1357")
	case name == "make" || name == "awk" || name == "sed" || name == "psql" || name == "crontab" || name == "at":
		return i == 1 && name == "crontab" || args[i-1].text == "-f"
	case !interpreter(name):
		return false
	}
	for _, a := range args[1:i] {
		if !strings.HasPrefix(a.text, "-") {
			return false
		}
	}
	return !strings.HasPrefix(args[i].text, "-")
}

// runsFile reports whether a command is named by a path.
func (f *flows) runsFile(a arg) bool { return strings.Contains(a.text, "/") || !a.static }

// file is the name under which a file is kept account of: the word less its quotes.
func file(w *syntax.Word) string {
	name := path.Clean(spelled(w.Parts))
	if n, ok := strings.CutPrefix(name, "/dev/fd/"); ok {
		return descriptor + n
	}
	return fileNamed + name
}

// spelled is a word without its quotes, with the names of its variables.
func spelled(parts []syntax.WordPart) string {
	var b strings.Builder
	for _, p := range pieces(parts, false) {
		if e, ok := p.node.(*syntax.ParamExp); ok && e.Param != nil {
			b.WriteString("$" + e.Param.Value)
		}
		b.WriteString(p.text)
	}
	return b.String()
}

// redirections notes the files that a statement writes and the code that it reads.
func (f *flows) redirections(n *syntax.Stmt) {
	runs := (len(n.Redirs) > 0 || f.fresh) && f.s.feeds(n) != ""
	if runs && f.fresh {
		f.reread(descriptor+"0", n)
	}
	for _, r := range n.Redirs {
		if r.N != nil {
			f.moves = append(f.moves, move{to: descriptor + r.N.Value, from: r})
		} else if newInput(n) {
			f.moves = append(f.moves, move{to: descriptor + "0", from: r})
		}
		switch r.Op {
		case syntax.DplIn:
			if runs {
				f.reread(descriptor+r.Word.Lit(), r.Word)
			}
		case syntax.RdrOut, syntax.AppOut, syntax.RdrClob, syntax.RdrAll, syntax.AppAll:
			f.moves = append(f.moves, move{to: file(r.Word), from: n})
		case syntax.RdrIn, syntax.RdrInOut:
			if runs {
				f.reread(file(r.Word), r.Word)
			}
		case syntax.WordHdoc:
			if runs {
				f.again(r.Word)
			}
		case syntax.Hdoc, syntax.DashHdoc:
			if runs && r.Hdoc != nil {
				f.again(r.Hdoc)
			}
		}
	}
}

// newInput reports whether a statement changes what all behind it read: exec <file.
func newInput(n *syntax.Stmt) bool {
	call, ok := n.Cmd.(*syntax.CallExpr)
	return ok && len(call.Args) == 1 && call.Args[0].Lit() == "exec" && len(n.Redirs) > 0
}

// pipe notes what a program at the end of a pipe reads as code.
func (f *flows) pipe(n *syntax.BinaryCmd) {
	if (n.Op == syntax.Pipe || n.Op == syntax.PipeAll) && f.s.feeds(n.Y) != "" {
		f.again(n.X)
		syntax.Walk(n.X, func(m syntax.Node) bool {
			if call, ok := m.(*syntax.CallExpr); ok && len(call.Args) > 1 && call.Args[0].Lit() == "cat" {
				for _, w := range call.Args[1:] {
					f.reread(file(w), w)
				}
			}
			return true
		})
	}
}

// inner notes what the code of a sh -c reads of the variables around it and of
// the arguments behind it.
func (f *flows) inner(args []arg) {
	if tooLarge(args[0].text) {
		return
	}
	code, err := parseShell(args[0].text, syntax.LangBash)
	if err != nil {
		return
	}
	g := (&script{t: f.s.t, src: args[0].text}).flows(code)
	f.moves = append(f.moves, g.moves...)
	for name := range g.reads {
		f.reads[name] = append(f.reads[name], args[0].word)
	}
	for name := range g.rereads {
		f.reread(name, args[0].word)
	}
	if len(args) > 1 {
		f.handed(args[1:], false)
	}
}

// again notes every variable that a node expands as read by a program as code.
func (f *flows) again(n syntax.Node) {
	for _, name := range expanded(n) {
		f.reread(name, n)
	}
}

func (f *flows) reread(name string, n syntax.Node) { f.rereads[name] = append(f.rereads[name], n) }

// lists reports whether a command prints the variables, with what they hold.
func lists(args []*syntax.Word) bool {
	switch args[0].Lit() {
	case "set":
		return len(args) == 1
	case "env", "printenv":
		return !slices.ContainsFunc(args[1:], func(w *syntax.Word) bool {
			text := w.Lit()
			return !strings.HasPrefix(text, "-") && !strings.Contains(text, "=")
		})
	}
	return false
}

// expanded are the variables, files and functions whose text is in a node.
func expanded(n syntax.Node) (names []string) {
	syntax.Walk(n, func(m syntax.Node) bool {
		switch m := m.(type) {
		case *syntax.ParamExp:
			if m.Param != nil && !m.Length {
				names = append(names, m.Param.Value)
			}
		case *syntax.CallExpr:
			if len(m.Args) > 0 {
				names = append(names, saidBy+m.Args[0].Lit())
				if lists(m.Args) {
					names = append(names, allHeld)
				}
				for _, w := range m.Args[1:] {
					names = append(names, file(w))
					if m.Args[0].Lit() == "printenv" {
						names = append(names, w.Lit())
					}
				}
			}
		case *syntax.DeclClause:
			if len(m.Args) == 0 || slices.ContainsFunc(m.Args, func(a *syntax.Assign) bool {
				return a.Naked && a.Value != nil && strings.HasPrefix(a.Value.Lit(), "-p")
			}) {
				names = append(names, allHeld)
			}
		case *syntax.Redirect:
			if m.Word != nil && (m.Op == syntax.RdrIn || m.Op == syntax.RdrInOut) {
				names = append(names, file(m.Word))
			}
			if m.Word != nil && m.Op == syntax.DplIn {
				names = append(names, descriptor+m.Word.Lit())
			}
		}
		return true
	})
	return names
}
