package tera

import (
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// telling is where a script prints what variables hold, in a way that changes it.
type telling struct {
	word   syntax.Node
	names  []string // the variables
	spoils string   // the characters of a value that would not arrive
	what   string
	json   bool // it is inside of JSON that the server reads
}

// retold refuses values that get into a variable and are printed from there so
// that they come out as something else: by an echo that expands backslashes, as the
// format of printf, or inside a string of the JSON that the server reads.
func (s *script) retold(file *syntax.File) (errs []*Error) {
	if !slices.ContainsFunc(s.places, func(p *place) bool { return strings.ContainsAny(p.value.text, "\"\\%\n\r") }) {
		return nil
	}
	list := s.tellings(file)
	if len(list) == 0 {
		return nil
	}
	f := s.flows(file)
	for _, p := range s.places {
		got := f.reached(func(m move) bool { return plainly(p, m.from) })
		for _, t := range list {
			within := !t.json && inCommand(p, t.word)
			if strings.ContainsAny(p.value.text, t.spoils) && (within || slices.ContainsFunc(t.names, func(name string) bool { return got[name] })) {
				errs = append(errs, s.t.fault(p.node, t.what, `print it by printf '%s\n' "$NAME", and write the step's output to the file $STROEM_OUTPUT`))
				break
			}
		}
	}
	return errs
}

// plainly reports whether a place is in a node and not in a command inside of it,
// which may make anything of the value.
func plainly(p *place, n syntax.Node) bool {
	return slices.Contains(p.stack, n) && !inCommand(p, n)
}

// inCommand reports whether a place is in a command substitution inside of a node.
func inCommand(p *place, n syntax.Node) bool {
	i := slices.Index(p.stack, n)
	return i >= 0 && slices.ContainsFunc(p.stack[i:], func(n syntax.Node) bool { _, ok := n.(*syntax.CmdSubst); return ok })
}

// tellings finds where a script prints variables in such a way.
func (s *script) tellings(file *syntax.File) (list []telling) {
	syntax.Walk(file, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.CallExpr:
			if len(n.Args) > 1 {
				list = append(list, s.told(s.args(n))...)
			}
		case *syntax.Redirect:
			if n.Hdoc != nil {
				list = append(list, inJSON(n.Hdoc, "")...)
			}
		}
		return true
	})
	return list
}

// told finds them in one command.
func (s *script) told(args []arg) (list []telling) {
	name := program(args[0].text)
	if name != "echo" && name != "printf" {
		return nil
	}
	format, _ := formatOf(args)
	before := ""
	for i, a := range args[1:] {
		at := i + 1
		if names := held(a.word.Parts); !a.static && (len(names) > 0 || name == "echo") {
			switch {
			case name == "printf" && at == format:
				list = append(list, telling{a.word, names, `%\`, "printf would expand the % or the \\ in the value, which is a part of its format", false})
			case s.expands(args, at, s.dialect) && (name == "echo" || !strings.Contains(args[format].text, "%s")):
				list = append(list, telling{a.word, names, `\`, "this " + name + " would expand the backslash in the value, which gets there by a variable or a command", false})
			}
		}
		list = append(list, inJSON(a.word, before)...)
		if name == "echo" || at == format {
			before += strings.ReplaceAll(a.text, "%s", "") + " "
		}
	}
	return list
}

// held are the variables that a word expands itself, outside of commands in it.
func held(parts []syntax.WordPart) (names []string) {
	for _, p := range pieces(parts, false) {
		if e, ok := p.node.(*syntax.ParamExp); ok && e.Param != nil && !e.Length {
			names = append(names, e.Param.Value)
		}
	}
	return names
}

// inJSON finds the variables in a string of JSON that the server reads; before is
// what the command prints before the word.
func inJSON(w *syntax.Word, before string) (list []telling) {
	text := before
	for _, p := range pieces(w.Parts, false) {
		if p.node == nil {
			text += p.read()
			continue
		}
		e, ok := p.node.(*syntax.ParamExp)
		line, server := protocolLine(text)
		if inside, _ := inString(line); ok && server && inside && e.Param != nil && !e.Length {
			list = append(list, telling{w, []string{e.Param.Value}, "\"\\\n\r", "the value gets into $" + e.Param.Value + ", and would end the string of the JSON that the server reads", true})
		}
	}
	return list
}
