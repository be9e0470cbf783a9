package tera

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// flows follows values through a script's variables to where the shell reads a
// variable as code: arithmetic, where bash runs what is in a[$(…)], ${!name},
// eval and the like. It takes no account of order: a name is one variable.
type flows struct {
	s     *script
	moves []move                   // what is assigned to what
	reads map[string][]syntax.Node // where a variable is read as code
	funcs map[string]bool          // the functions of the script
	// Where a program reads a variable, a file or an alias as code a second time.
	rereads map[string][]syntax.Node
	aliases map[string]bool
	users   map[string][]string      // the variables that a variable is moved to, once asked for
	begins  map[syntax.Node][]string // those that what is in a node is moved to
	assoc   map[string]bool          // arrays whose subscripts are text
	sets    map[string]bool          // the variables that are assigned to
	fed     []string                 // the variables that a read inside of a function sets
	calls   []syntax.Node            // the statements that call a function, or change the input of all
	shift   bool                     // the script shifts its arguments
	fresh   bool                     // the script changes what all its commands read
}

// move says that a variable may hold what is in a node, or in another variable.
type move struct {
	to   string
	from syntax.Node
	name string
}

// maxArgs bounds the numbered arguments that are told apart.
const maxArgs = 9

// flows follows the values through a reading of the script, once.
func (s *script) flows(file *syntax.File) *flows {
	if f := s.flown[file]; f != nil {
		return f
	}
	f := &flows{s: s, reads: map[string][]syntax.Node{}, rereads: map[string][]syntax.Node{}, aliases: map[string]bool{}, funcs: map[string]bool{}, assoc: map[string]bool{}, sets: map[string]bool{}}
	syntax.Walk(file, f.declarations)
	for _, stmt := range file.Stmts {
		syntax.Walk(stmt, func(n syntax.Node) bool { return f.visit(stmt, n) })
	}
	for _, to := range f.fed {
		for _, n := range f.calls {
			f.moves = append(f.moves, move{to: to, from: n})
		}
	}
	f.forget()
	if s.flown == nil {
		s.flown = map[*syntax.File]*flows{}
	}
	s.flown[file] = f
	return f
}

// forget drops the reading of files and functions that the script does not make.
func (f *flows) forget() {
	made := map[string]bool{allHeld: true}
	for _, m := range f.moves {
		made[m.to] = true
	}
	for _, reads := range []map[string][]syntax.Node{f.reads, f.rereads} {
		maps.DeleteFunc(reads, func(name string, _ []syntax.Node) bool { return strings.HasPrefix(name, "\x00") && !made[name] })
	}
}

// reevaluated refuses values that reach such a place, unless they are whole numbers.
func (s *script) reevaluated(file *syntax.File) []*Error {
	if !slices.ContainsFunc(s.places, func(p *place) bool { return !integer(p.value.text) }) {
		return nil
	}
	f := s.flows(file)
	if len(f.reads)+len(f.rereads) == 0 {
		return nil
	}
	var errs []*Error
	for _, p := range s.places {
		if integer(p.value.text) || p.want != anything || p.kind == summed {
			continue
		}
		for _, r := range f.readsOf(f.reached(p.stack)) {
			switch {
			case !r.again:
				errs = append(errs, s.t.fault(p.node, fmt.Sprintf("the value gets into %s, which %s runs or reads as a number", shown(r.name), r.text), fixNumber))
			case s.t.options.ForbidRaw && p.value.foreign:
				errs = append(errs, s.t.fault(p.node, r.code()+", and this action does not allow it", fixReread+"; "+fixAllow))
			}
		}
	}
	return errs
}

// read is where a variable is read as code.
type read struct {
	name, text string
	at         int  // in the script
	again      bool // by a program, as code a second time
}

const fixReread = "run the commands in this script itself, and hand the value over as an argument"

func (r read) code() string {
	return fmt.Sprintf("the value gets into %s, which %s would read as code", shown(r.name), r.text)
}

func (f *flows) readsOf(vars map[string]bool) (list []read) {
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		for i, n := range slices.Concat(f.reads[name], f.rereads[name]) {
			at, end := int(n.Pos().Offset()), int(n.End().Offset())
			text := f.s.replace(f.s.src[at:end], func(p *place) string { return p.node.tag })
			list = append(list, read{name, clip(strings.Join(strings.Fields(text), " ")), at, i >= len(f.reads[name])})
		}
	}
	return list
}

func shown(name string) string {
	if name == first {
		return "$@"
	}
	if strings.HasPrefix(name, "\x00") {
		return name[1:]
	}
	return "$" + name
}

func integer(v string) bool {
	digits := strings.TrimLeft(v, "+-")
	return digits != "" && len(v)-len(digits) <= 1 && strings.Trim(digits, "0123456789") == ""
}

// declarations notes functions and arrays with text for subscripts.
func (f *flows) declarations(n syntax.Node) bool {
	switch n := n.(type) {
	case *syntax.Stmt:
		f.fresh = f.fresh || newInput(n)
	case *syntax.CallExpr:
		f.shift = f.shift || len(n.Args) > 0 && n.Args[0].Lit() == "shift"
		if len(n.Args) > 1 && n.Args[0].Lit() == "alias" {
			for _, a := range f.s.args(n)[1:] {
				name, _, _ := strings.Cut(a.text, "=")
				f.aliases[name] = true
			}
		}
	case *syntax.FuncDecl:
		if n.Name != nil {
			f.funcs[n.Name.Value] = true
		}
	case *syntax.DeclClause:
		options := ""
		for _, a := range n.Args {
			if a.Naked && a.Name == nil && a.Value != nil {
				options += a.Value.Lit()
			}
			if a.Name == nil {
				continue
			}
			if strings.Contains(options, "A") {
				f.assoc[a.Name.Value] = true
			}
			if to := litOf(a.Value); strings.Contains(options, "n") && to != "" { // two names of one variable
				f.moves = append(f.moves, move{to: a.Name.Value, name: to}, move{to: to, name: a.Name.Value})
			}
			if strings.ContainsAny(options, "in") {
				f.reads[a.Name.Value] = append(f.reads[a.Name.Value], a)
			}
		}
	}
	return true
}

// litOf is the text of a word that is nothing but text; "" where there is none.
func litOf(w *syntax.Word) string {
	if w == nil {
		return ""
	}
	return w.Lit()
}

// visit notes what one node moves, and what it reads as code; whole is the
// statement it is a part of.
func (f *flows) visit(whole *syntax.Stmt, n syntax.Node) bool {
	switch n := n.(type) {
	case *syntax.Stmt:
		f.redirections(n)
	case *syntax.BinaryCmd:
		f.pipe(n)
	case *syntax.FuncDecl:
		if n.Name != nil {
			f.moves = append(f.moves, move{to: saidBy + n.Name.Value, from: n.Body})
		}
	case *syntax.Assign:
		if n.Name != nil {
			f.set(n.Name.Value, n)
			if what, _ := special(n.Name.Value); what != "" {
				f.code(n)
			}
		}
		if n.Index != nil && !(n.Name != nil && f.assoc[n.Name.Value]) {
			f.number(n.Index)
		}
	case *syntax.WordIter:
		for _, w := range n.Items {
			f.set(n.Name.Value, w)
		}
		if !n.InPos.IsValid() {
			f.moves = append(f.moves, move{to: n.Name.Value, name: "@"})
		}
	case *syntax.ParamExp:
		f.expansion(n)
	case *syntax.ArrayElem:
		if n.Index != nil {
			f.number(n.Index)
		}
	case *syntax.ArithmExp, *syntax.ArithmCmd, *syntax.LetClause, *syntax.CStyleLoop:
		f.number(n)
	case *syntax.BinaryTest:
		switch n.Op {
		case syntax.TsEql, syntax.TsNeq, syntax.TsLeq, syntax.TsGeq, syntax.TsLss, syntax.TsGtr:
			f.number(n)
		case syntax.TsReMatch:
			f.set("BASH_REMATCH", n.X)
		}
	case *syntax.CoprocClause:
		f.set(cmp.Or(litOf(n.Name), "COPROC"), n.Stmt)
	case *syntax.UnaryTest:
		if n.Op == syntax.TsVarSet || n.Op == syntax.TsRefVar {
			f.code(n)
		}
	case *syntax.DeclClause:
		for _, a := range n.Args {
			if a.Name == nil && a.Value != nil {
				f.code(a.Value)
			}
		}
	case *syntax.CallExpr:
		f.call(whole, n)
	}
	return true
}

func (f *flows) expansion(n *syntax.ParamExp) {
	if n.Param != nil && (n.Excl || n.Exp != nil && n.Exp.Op == syntax.OtherParamOps && n.Exp.Word != nil && n.Exp.Word.Lit() == "P") {
		f.reads[n.Param.Value] = append(f.reads[n.Param.Value], n)
	}
	if n.Index != nil && !(n.Param != nil && f.assoc[n.Param.Value]) {
		f.number(n.Index)
	}
	if n.Param != nil && n.Exp != nil && (n.Exp.Op == syntax.AssignUnset || n.Exp.Op == syntax.AssignUnsetOrNull) && n.Exp.Word != nil {
		f.set(n.Param.Value, n.Exp.Word)
	}
	if n.Slice != nil {
		for _, x := range []syntax.ArithmExpr{n.Slice.Offset, n.Slice.Length} {
			if x != nil {
				f.number(x)
			}
		}
	}
}

// call notes what a command moves into variables and what it reads as code.
func (f *flows) call(whole *syntax.Stmt, n *syntax.CallExpr) {
	args := f.s.args(n)
	for len(args) > 1 && (args[0].text == "command" || args[0].text == "builtin") {
		args = args[1:]
	}
	if len(args) == 0 {
		return
	}
	f.command(args)
	f.programs(whole, args)
	f.set("_", args[len(args)-1].word)
	name := program(args[0].text)
	switch {
	case f.funcs[args[0].text]:
		f.handed(args, false)
		f.calls = append(f.calls, whole)
	case name == "set":
		f.handed(args, true)
	case name == "exec" && len(args) == 1:
		f.calls = append(f.calls, whole) // it changes where all others read from
	case slices.Contains([]string{"read", "mapfile", "readarray"}, name):
		f.set("REPLY", whole)
		f.set("MAPFILE", whole)
		f.fed = append(f.fed, "REPLY", "MAPFILE")
		for i, a := range args[1:] {
			if !a.static && !takesText(args[i].text) {
				f.set(unknown, whole)
				f.fed = append(f.fed, unknown)
			}
			f.set(f.s.filled(a.text), whole)
			f.fed = append(f.fed, f.s.filled(a.text))
			f.code(a.word)
		}
	case slices.Contains([]string{"export", "local", "readonly"}, name):
		for _, a := range args[1:] {
			if to, _, ok := strings.Cut(a.text, "="); ok {
				f.set(to, a.word)
			}
		}
	case slices.Contains([]string{"eval", "unset", "getopts", "declare", "typeset", "source", ".", "trap", "alias"}, name):
		f.evaluated(args)
		for _, a := range args[1:] {
			f.code(a.word)
			if name == "getopts" {
				f.moves = append(f.moves, move{to: "OPTARG", name: "@"}, move{to: a.text, name: "@"}, move{to: "OPTARG", from: whole})
			}
			if to, _, ok := strings.Cut(a.text, "="); ok {
				f.set(to, a.word)
			}
		}
	case name == "let":
		for _, a := range args[1:] {
			f.number(a.word)
		}
	}
	for i, a := range args[:len(args)-1] {
		option := a.static && strings.HasPrefix(a.text, "-")
		switch {
		case !option || i == 0:
		case name == "printf" && a.text == "-v":
			f.code(args[i+1].word)
			to := f.s.filled(args[i+1].text)
			if !args[i+1].static {
				to = unknown
			}
			for _, b := range args[i+1:] {
				f.set(to, b.word)
			}
		case (name == "test" || name == "[") && (a.text == "-v" || a.text == "-R"),
			strings.HasSuffix(a.text, "c") && slices.ContainsFunc(args[:i], func(b arg) bool { return interpreter(b.text) }):
			f.code(args[i+1].word)
		}
	}
}

// set notes that a variable is given what is in a node.
func (f *flows) set(to string, from syntax.Node) {
	f.moves = append(f.moves, move{to: to, from: from})
	f.sets[to] = true
}

// handed notes the arguments of a function, or those that set makes. Where words
// come and go, or shift is used, each may be any of them.
func (f *flows) handed(args []arg, sure bool) {
	for i, a := range args[1:] {
		f.moves = append(f.moves, move{to: "@", from: a.word}, move{to: "*", from: a.word})
		if i == 0 || args[i].fades || f.shift || sure {
			f.moves = append(f.moves, move{to: first, from: a.word})
		}
		sure = sure || a.fades || spreads(a.word)
		for n := 1; n <= max(maxArgs, i+1); n++ {
			if n == i+1 || f.shift && n < i+1 || sure {
				f.moves = append(f.moves, move{to: fmt.Sprint(n), from: a.word})
			}
		}
	}
}

// spreads reports whether a word may be several even in quotes: "$@", "${a[@]}".
func spreads(w *syntax.Word) (yes bool) {
	syntax.Walk(w, func(n syntax.Node) bool {
		if e, ok := n.(*syntax.ParamExp); ok {
			yes = yes || e.Param != nil && e.Param.Value == "@" || e.Index != nil
		}
		return !yes
	})
	return yes
}

// first is the first of a function's arguments where it is run as "$@".
const first = "@1"

// command notes the variables that a command's name is made of. Of $@ only the
// first argument is a command; the others are its arguments.
func (f *flows) command(args []arg) {
	for _, a := range args {
		syntax.Walk(a.word, func(n syntax.Node) bool {
			if e, ok := n.(*syntax.ParamExp); ok && e.Param != nil && !e.Length {
				name := e.Param.Value
				if name == "@" || name == "*" {
					name = first
				}
				f.reads[name] = append(f.reads[name], a.word)
			}
			return true
		})
		if !a.fades {
			return
		}
	}
}

// code notes every variable that a node expands as read for code.
func (f *flows) code(n syntax.Node) {
	for _, name := range expanded(n) {
		f.reads[name] = append(f.reads[name], n)
	}
}

// number is like code for arithmetic, where a variable needs no $.
func (f *flows) number(n syntax.Node) {
	f.code(n)
	syntax.Walk(n, func(m syntax.Node) bool {
		if w, ok := m.(*syntax.Word); ok && syntax.ValidName(w.Lit()) {
			f.reads[w.Lit()] = append(f.reads[w.Lit()], n)
		}
		return true
	})
}
