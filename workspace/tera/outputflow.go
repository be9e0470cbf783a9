package tera

import (
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// outputFile is the variable that names the file of a step's output.
const outputFile = "STROEM_OUTPUT"

// filed reports whether what is printed at the end of a stack of nodes becomes JSON
// that the server reads: it goes to the file of the step's output, or is what a
// $(…) gives in a line like OUTPUT: $(…).
func (s *script) filed(stack []syntax.Node) bool {
	for i := len(stack) - 2; i >= 0; i-- {
		switch n := stack[i].(type) {
		case *syntax.ProcSubst:
			return false
		case *syntax.CmdSubst:
			if !s.copies(n) {
				return false
			}
			if s.inLine(stack[:i+1]) {
				return true
			}
		case *syntax.BinaryCmd:
			if n.Op == syntax.Pipe && stack[i+1] == syntax.Node(n.X) && mentions(n.Y, outputFile) {
				return true
			}
		case *syntax.Stmt:
			for _, r := range n.Redirs {
				if r.Hdoc == nil && mentions(r, outputFile) {
					return true
				}
			}
		}
	}
	return false
}

// detour reports whether the file of the step's output is written otherwise than by
// one command that is asked for what it prints: by a function or a list of commands,
// by exec, under another name, or as a copy of another file.
func (s *script) detour() (yes bool) {
	if !strings.Contains(s.src, outputFile) {
		return false
	}
	syntax.Walk(s.files[len(s.files)-1], func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.FuncDecl:
			yes = yes || mentions(n.Body, outputFile)
		case *syntax.Assign:
			yes = yes || n.Value != nil && mentions(n.Value, outputFile)
		case *syntax.CallExpr:
			yes = yes || slices.ContainsFunc(n.Args, func(w *syntax.Word) bool { return mentions(w, outputFile) })
		case *syntax.Stmt:
			if slices.ContainsFunc(n.Redirs, func(r *syntax.Redirect) bool { return r.Hdoc == nil && mentions(r, outputFile) }) {
				call, ok := n.Cmd.(*syntax.CallExpr)
				yes = yes || !ok || len(call.Args) == 0
				if ok && len(call.Args) > 0 {
					name := call.Args[0].Lit()
					asked := name == "echo" || name == "printf" || name == "cat" && len(call.Args) == 1
					yes = yes || !asked || s.function(name) != nil
				}
			}
		}
		return !yes
	})
	return yes
}

// inLine reports whether a $(…), the last of a stack, stands outside of the strings
// of a line that the server reads, or is given to a variable that stands there.
func (s *script) inLine(stack []syntax.Node) bool {
	last := stack[len(stack)-1]
	for _, n := range slices.Backward(stack) {
		switch n := n.(type) {
		case *syntax.CallExpr:
			return slices.ContainsFunc(s.tellings(), func(t telling) bool { return t.whole && syntax.Node(t.subst) == last })
		case *syntax.Assign:
			return n.Name != nil && slices.ContainsFunc(s.tellings(), func(t telling) bool { return t.whole && slices.Contains(t.names, n.Name.Value) })
		case *syntax.Stmt:
			return false
		}
	}
	return false
}

// mentions reports whether a variable is expanded in a node.
func mentions(n syntax.Node, variable string) (yes bool) {
	syntax.Walk(n, func(m syntax.Node) bool {
		e, ok := m.(*syntax.ParamExp)
		yes = yes || ok && e.Param != nil && e.Param.Value == variable
		return !yes
	})
	return yes
}

// copies reports whether what a $(…) gives may be a part of what it is given, as it
// is: that of basename is, and that of a function of the script; that of sha256sum is not.
func (s *script) copies(n *syntax.CmdSubst) bool {
	call := lastCommand(n)
	return call != nil && (slices.Contains(copiers, program(call.Args[0].Lit())) || s.function(call.Args[0].Lit()) != nil)
}

// lastCommand is the command that prints what a $(…) gives, the last of its pipe; nil
// where that is no plain one.
func lastCommand(n *syntax.CmdSubst) *syntax.CallExpr {
	if len(n.Stmts) == 0 {
		return nil
	}
	cmd := n.Stmts[len(n.Stmts)-1].Cmd
	for {
		pipe, ok := cmd.(*syntax.BinaryCmd)
		if !ok || pipe.Op != syntax.Pipe {
			break
		}
		cmd = pipe.Y.Cmd
	}
	call, ok := cmd.(*syntax.CallExpr)
	if !ok || len(call.Args) == 0 {
		return nil
	}
	return call
}

var copiers = []string{"echo", "printf", "cat", "basename", "dirname", "realpath", "readlink", "tr", "cut", "head", "tail", "sort", "uniq", "tee", "sed", "awk", "xargs", "envsubst",
	"grep", "rg", "rev", "tac", "fold", "fmt", "nl", "paste", "column", "iconv", "expand", "base64", "base32", "xxd", "date", "env", "printenv", "expr",
	"python", "perl", "ruby", "node", "php", "sh", "bash", "dash"}

// catted reports whether a stack of nodes ends in a here-document that is printed as
// it is.
func catted(stack []syntax.Node) bool {
	for i, n := range stack {
		if s, ok := n.(*syntax.Stmt); ok && i+1 < len(stack) {
			call, isCall := s.Cmd.(*syntax.CallExpr)
			_, redirect := stack[i+1].(*syntax.Redirect)
			if isCall && redirect && len(call.Args) > 0 && (call.Args[0].Lit() == "cat" || call.Args[0].Lit() == "tee") {
				return true
			}
		}
	}
	return false
}

// unspoken are the characters that a string of JSON cannot hold as they are.
var unspoken = func() string {
	list := []byte(`"\`)
	for c := range byte(' ') {
		list = append(list, c)
	}
	return string(list)
}()

// inJSON finds the variables and commands in JSON that the server reads; before is
// what the command prints before the word, filed says that all it prints is that, and
// joined that its strings may be a part of that.
func inJSON(w *syntax.Word, before string, filed bool, joined func() bool) (list []telling) {
	text := before
	for _, p := range pieces(w.Parts, false) {
		if p.node == nil {
			text += p.read()
			continue
		}
		line, read := protocolLine(text)
		name := p.variable()
		subst, _ := p.node.(*syntax.CmdSubst)
		if name == "" && subst == nil {
			continue
		}
		if !read {
			line = text
		}
		inside, _ := inString(line)
		if !read && !filed && !(inside && joined()) {
			continue
		}
		t := telling{word: w, spoils: unspoken, json: true, whole: !inside, subst: subst, what: "the value would end the string of the JSON that the server reads"}
		if name != "" {
			t.names = []string{name}
			t.what = "the value gets into $" + name + ", and " + strings.TrimPrefix(t.what, "the value ")
			if t.whole {
				t.what = "the value gets into $" + name + ", and could be anything in the JSON that the server reads"
			}
		}
		list = append(list, t)
	}
	return list
}

// isJSON reports whether a value is written as JSON of its own.
func (p *place) isJSON() bool {
	u, ok := p.node.x.(*use)
	_, text := p.value.any.(string)
	return ok && u.def == filters["json_encode"] || p.value.any != nil && !text
}
