package tera

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// facts are what must be known of a whole script before it can be told what moves
// in it, and what is read as code.
type facts struct {
	functions, aliases, arrays map[string]bool
	exported                   map[string]bool     // what other programs find in their environment; "" stands for all
	undone                     map[string]bool     // what is unset, or declared an array with numbers
	texts                      map[string][]extent // where an array's subscripts are text
	begun                      map[string]uint     // where an array is given something first
	shifts                     bool                // the script shifts its arguments
	shiftsOf                   map[string]int      // how far a function does so; -1 where that is not known
	newInput                   bool                // it changes what all its commands read
	files                      bool                // it writes files, or opens descriptors
}

// extent is a part of the script.
type extent struct{ from, to uint }

// factsOf gathers them.
func (s *script) factsOf(file *syntax.File) facts {
	f := facts{functions: map[string]bool{}, aliases: map[string]bool{}, arrays: map[string]bool{}, shiftsOf: map[string]int{}, exported: map[string]bool{}, undone: map[string]bool{}, texts: map[string][]extent{}, begun: map[string]uint{}}
	s.textual(&f, file.Stmts, file.End(), "declare typeset")
	syntax.Walk(file, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.Stmt:
			f.newInput = f.newInput || newInput(n)
			f.files = f.files || len(n.Redirs) > 0
		case *syntax.FuncDecl:
			if n.Name != nil {
				f.functions[n.Name.Value] = true
				f.shiftsOf[n.Name.Value] = shiftsIn(n.Body)
			}
			if body, ok := n.Body.Cmd.(*syntax.Block); ok {
				s.textual(&f, body.Stmts, body.End(), "declare typeset local")
			}
		case *syntax.Assign:
			if n.Name != nil && (n.Array != nil || n.Index != nil) {
				f.arrays[n.Name.Value] = true
				if _, ok := f.begun[n.Name.Value]; !ok {
					f.begun[n.Name.Value] = n.Pos().Offset()
				}
			}
		case *syntax.CallExpr:
			if args := lessBuiltin(s.args(n)); len(args) > 0 {
				f.called(args)
			}
		}
		for _, d := range s.declarations(n) {
			if d.command == "export" || strings.Contains(d.options, "x") {
				f.exported[d.name] = true
			}
			if strings.ContainsAny(d.options, "aA?") {
				f.arrays[d.name] = true
			}
			if strings.ContainsAny(d.options, "a?gpfF") || !strings.Contains(d.options, "A") && listed("declare typeset local", d.command) {
				f.undone[d.name] = true
			}
		}
		return true
	})
	return f
}

// shiftsIn counts how far a function shifts its arguments; -1 where only a run can tell.
func shiftsIn(body syntax.Node) (count int) {
	syntax.Walk(body, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.WhileClause, *syntax.ForClause:
			syntax.Walk(n, func(n syntax.Node) bool {
				if call, ok := n.(*syntax.CallExpr); ok && len(call.Args) > 0 && lessBuiltin(argsOf(call.Args, nil))[0].text == "shift" {
					count = -1
				}
				return count >= 0
			})
			return false
		case *syntax.CallExpr:
			if len(n.Args) == 0 || count < 0 {
				return count >= 0
			}
			switch args := lessBuiltin(argsOf(n.Args, nil)); {
			case args[0].text == "eval" || args[0].text == "set":
				count = -1 // which may do so as well
			case args[0].text == "shift" && len(args) == 1:
				count++
			case args[0].text == "shift":
				by, err := strconv.Atoi(args[1].text)
				if count += by; err != nil || !args[1].static {
					count = -1
				}
			}
		}
		return count >= 0
	})
	return count
}

// called gathers what one command says.
func (f *facts) called(args []arg) {
	switch program(args[0].text) {
	case "shift":
		f.shifts = true
	case "set": // -a exports whatever is assigned
		f.exported[""] = f.exported[""] || slices.ContainsFunc(args[1:], func(a arg) bool {
			return a.text == "allexport" || strings.HasPrefix(a.text, "-") && !strings.HasPrefix(a.text, "--") && strings.Contains(a.text, "a")
		})
	case "tee", "cp", "mv", "ln", "install":
		f.files = true
	case "alias":
		for _, a := range args[1:] {
			name, _, _ := strings.Cut(a.text, "=")
			f.aliases[name] = true
		}
	case "unset":
		for _, a := range args[1:] {
			f.undone[a.text] = true
			if !a.static {
				f.undone[""] = true // it may be any
			}
		}
	case "printf", "eval": // -v 'NAME[0]', and NAME=(…) as text
		for _, a := range args[1:] {
			for _, m := range madeArrays.FindAllStringSubmatch(a.text, -1) {
				f.arrays[m[1]] = true
			}
		}
	case "read", "mapfile", "readarray":
		for _, a := range args[1:] {
			f.arrays[a.text] = true
		}
	}
}

var madeArrays = regexp.MustCompile(`([A-Za-z_]\w*)(?:\[|\+?=\()`)

// textual gathers the arrays that a list of statements declares to have text for
// subscripts: from there to the end of the list they have, for no condition, no
// subshell and no function's end stands between.
func (s *script) textual(f *facts, list []*syntax.Stmt, end syntax.Pos, commands string) {
	for _, stmt := range list {
		if stmt.Background || stmt.Coprocess {
			continue
		}
		for _, d := range s.declarations(stmt.Cmd) {
			if strings.Contains(d.options, "A") && d.name != "" && listed(commands, d.command) {
				f.texts[d.name] = append(f.texts[d.name], extent{stmt.End().Offset(), end.Offset()})
			}
		}
	}
}

// text reports whether what stands at n between the [ ] behind the name of an
// array is text, and no number.
func (f *facts) text(array *syntax.Lit, n syntax.Node) bool {
	if array == nil || f.undone[array.Value] || f.undone[""] {
		return false
	}
	begun, set := f.begun[array.Value]
	for _, t := range f.texts[array.Value] {
		if at := n.Pos().Offset(); t.from <= at && at <= t.to && !(set && begun < t.from) {
			return true
		}
	}
	return false
}

// declaration is a name that declare or one of its kind is given.
type declaration struct {
	node    syntax.Node
	command string
	options string // their letters; ? where they may be any
	name    string // empty where only the run knows it
	value   syntax.Node
}

// declarations are the names that a node declares.
func (s *script) declarations(n syntax.Node) (list []declaration) {
	command, options := "", ""
	word := func(a arg) {
		text, mark := a.text, -1
		if !a.static {
			text, mark = standing(a).text, standing(a).mark
		}
		name, _, gives := strings.Cut(text, "=")
		switch {
		case a.static && strings.HasPrefix(text, "-"):
			options += text[1:]
			return
		case mark >= 0 && mark <= len(name):
			if !gives && (mark == 0 || text[0] == '-') {
				options += "?"
			}
			name = ""
		}
		d := declaration{node: a.word, command: command, options: options, name: name}
		if gives {
			d.value = a.word
		}
		list = append(list, d)
	}
	switch n := n.(type) {
	case *syntax.DeclClause:
		if command = n.Variant.Value; command == "nameref" {
			options = "n"
		}
		for _, a := range n.Args {
			switch {
			case a.Name == nil && a.Value != nil:
				word(argsOf([]*syntax.Word{a.Value}, s.places)[0])
			case a.Name != nil:
				d := declaration{node: a, command: command, options: options, name: a.Name.Value}
				if a.Value != nil {
					d.value = a
				}
				list = append(list, d)
			}
		}
	case *syntax.CallExpr:
		args := lessBuiltin(s.args(n))
		if len(args) == 0 {
			return nil
		}
		switch command = args[0].text; command {
		case "declare", "typeset", "local", "export", "readonly":
			for _, a := range args[1:] {
				word(a)
			}
		}
	}
	return list
}
