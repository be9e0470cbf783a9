package tera

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// readings notes what one node of the script reads as code.
func (f *flows) readings(n syntax.Node) {
	for _, sum := range f.summed(n) {
		f.number(sum)
	}
	for _, d := range f.s.declarations(n) {
		f.declared(d)
	}
	switch n := n.(type) {
	case *syntax.Stmt:
		f.inputs(n)
	case *syntax.BinaryCmd:
		if hands := f.s.handsOn(n.Y); hands != nil && (n.Op == syntax.Pipe || n.Op == syntax.PipeAll) {
			f.handedOn(n.X, hands)
		}
		if (n.Op == syntax.Pipe || n.Op == syntax.PipeAll) && f.s.feeds(n.Y) != "" {
			f.read(n.X, byProgram)
			f.printedCode(n.X)
		}
	case *syntax.Assign:
		if n.Name != nil && n.Name.Value == "PS4" && n.Value != nil { // set -x expands it
			a := argsOf([]*syntax.Word{n.Value}, nil)[0]
			a.text = "cat <<PS4\n" + a.text + "\nPS4"
			f.inner([]arg{a})
		}
	case *syntax.ParamExp: // ${!NAME} and ${NAME@P}
		if n.Param != nil && (n.Excl || n.Exp != nil && n.Exp.Op == syntax.OtherParamOps && n.Exp.Word != nil && n.Exp.Word.Lit() == "P") {
			f.note(n.Param.Value, n, byShell)
			if n.Excl && n.Exp != nil { // ${!NAME@P} reads what that names
				f.reads[holder{kind: someRead}] = append(f.reads[holder{kind: someRead}], reading{node: n, by: byShell})
			}
		}
	case *syntax.UnaryTest:
		if n.Op == syntax.TsVarSet || n.Op == syntax.TsRefVar {
			f.read(n, byShell)
			f.subscript(n.X)
		}
	case *syntax.DeclClause:
		for _, a := range n.Args {
			if a.Name == nil && a.Value != nil {
				f.read(a.Value, byShell)
				f.subscript(a.Value)
			}
		}
	case *syntax.CallExpr:
		f.command(n)
	}
}

// handedOn notes what xargs hands from a command to another.
func (f *flows) handedOn(from syntax.Node, hands *handing) {
	o, option := hands.objects(f.s)
	r := reading{node: from, by: byProgram, call: hands.call, want: o.want}
	switch {
	case demands[o.want].form != nil:
		r.by = byForm
	case option:
		r.by, r.many = byOptions, true
	case o == (objection{}):
		return
	}
	for _, h := range f.holders(from) {
		f.reads[h] = append(f.reads[h], r)
	}
}

// note notes one reading of a variable.
func (f *flows) note(name string, at syntax.Node, by reader) {
	h := variableNamed(name)
	f.reads[h] = append(f.reads[h], reading{node: at, by: by})
}

// declared notes what comes of a name's being declared a number, or another name
// of a variable, and of what declare gives an array, which it reads as code.
func (f *flows) declared(d declaration) {
	h := variableNamed(d.name)
	if d.name == "" {
		h = holder{kind: someRead}
	}
	if strings.ContainsAny(d.options, "i?") || strings.Contains(d.options, "n") && d.command != "export" {
		f.reads[h] = append(f.reads[h], reading{node: d.node, by: byNumber})
	}
	if a, ok := d.node.(*syntax.Assign); ok && strings.Contains(d.options, "n") {
		if to := litOf(a.Value); to != "" { // two names of one variable
			f.pass(h, variableNamed(to))
			f.pass(variableNamed(to), h)
		}
	}
	known := f.facts.arrays[d.name] && d.command != "export" && d.command != "readonly"
	if d.value == nil || !known && !strings.ContainsAny(d.options, "aA?") {
		return
	}
	word, ok := d.value.(*syntax.Word)
	if !ok {
		word = d.value.(*syntax.Assign).Value
	}
	switch _, list, _ := strings.Cut("="+standing(arg{word: word}).text, "="); {
	case strings.HasPrefix(list, "("):
		f.read(d.value, byShell)
	default:
		f.read(d.value, byList)
	}
}

// inputs notes the code that a program of a statement reads on its input.
func (f *flows) inputs(n *syntax.Stmt) {
	for _, r := range n.Redirs {
		if writes(r) && f.s.feeds(r.Word) != "" { // >(sh)
			f.runs(file(r.Word), r.Word)
		}
	}
	if len(n.Redirs) == 0 && !f.facts.newInput || f.s.feeds(n) == "" {
		return
	}
	if f.facts.newInput {
		f.runs(holder{inDescriptor, "0"}, n)
	}
	for _, r := range n.Redirs {
		switch r.Op {
		case syntax.DplIn:
			f.runs(holder{inDescriptor, r.Word.Lit()}, r.Word)
		case syntax.RdrIn, syntax.RdrInOut:
			f.runs(file(r.Word), r.Word)
			f.read(r.Word, byProgram)
		case syntax.WordHdoc:
			f.read(r.Word, byProgram)
			f.inner(argsOf([]*syntax.Word{r.Word}, nil))
		case syntax.Hdoc, syntax.DashHdoc:
			if r.Hdoc != nil {
				f.read(r.Hdoc, byProgram)
				f.document(r)
			}
		}
	}
}

// document notes what the code in a here-document reads.
func (f *flows) document(r *syntax.Redirect) {
	a := arg{word: r.Hdoc, static: true}
	for _, p := range herePieces(r.Hdoc.Parts, expanding(r)) {
		a.static = a.static && p.node == nil
		a.text += p.text
	}
	f.inner([]arg{a})
}

// printedCode notes what the code reads that a command prints for a shell.
func (f *flows) printedCode(n *syntax.Stmt) {
	call, ok := n.Cmd.(*syntax.CallExpr)
	if !ok || len(call.Args) < 2 || call.Args[0].Lit() != "echo" && call.Args[0].Lit() != "printf" {
		return
	}
	for _, a := range f.s.args(call)[1:] {
		f.inner([]arg{a})
	}
}

// runs notes that what a holder holds is run by a program.
func (f *flows) runs(h holder, n syntax.Node) {
	f.reads[h] = append(f.reads[h], reading{node: n, by: byProgram})
}
