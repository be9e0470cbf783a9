package workspace

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"stroem/workspace/tera"
)

// caution warns of the places in a script where a value is quoted and some
// values still do more than its author may think. fields are what the script's
// input may be: of a text nothing is known, of an integer all there is to know.
func (l *linker) caution(p *part, d *actionDef, fields ...Fields) {
	if d.Script == "" {
		return
	}
	if d.script != nil {
		for _, w := range d.script.warnings {
			if p.problems.full() {
				return
			}
			switch {
			case tame(w, fields):
			case w.Kind == tera.Number:
				p.problems.fail(d.script.place(w.Line, w.Column), d.script.name+": "+w.What, w.Fix)
			default:
				what := w.What
				if w.Kind == tera.Again {
					what += "; a job that an agent began refuses it"
				}
				p.problems.warn(d.script.place(w.Line, w.Column), d.script.name+": "+what, w.Fix)
			}
		}
	}
	names := environs(d, fields)
	if len(names) == 0 || cmp.Or(d.Language, "shell") != "shell" {
		return
	}
	parsed := tera.Plain(d.Script)
	if d.script != nil && d.script.parsed != nil {
		parsed = d.script.parsed
	}
	for _, read := range parsed.CodeReads(d.dialect(), slices.Sorted(maps.Keys(names))) {
		at := d.ScriptAt
		if d.script != nil {
			at = d.script.place(read.Line, read.Column)
		} else if at.Line > 0 {
			at.Line, at.Column = at.Line+read.Line-1, at.Column+read.Column-1
		}
		switch {
		case read.Option != "" && names[read.Name]:
			p.problems.warn(at, read.String()+" if it begins with -", read.Fix())
		case read.Option != "" || read.Allows("a"): // only what comes can be refused
		default:
			p.problems.warn(at, read.String()+"; a job that an agent began refuses all but whole numbers",
				"declare the input as type: integer, or see first that it is a number: case $"+read.Name+" in ''|*[!0-9]*) exit 1;; esac")
		}
	}
}

// tame reports whether no value of the input that is written can do what a
// warning warns of.
func tame(w *tera.Warning, fields []Fields) bool {
	f := inputOf(w.Path, fields)
	if f == nil || f.Multiple {
		return false
	}
	chosen := len(f.Options) > 0 && !f.AllowCustom
	switch w.Kind {
	case tera.Again:
		return f.Type == "integer" || f.Type == "boolean"
	case tera.Counted, tera.Number:
		return f.Type == "integer"
	}
	return chosen || isInputType(f.Type) && !textual(f.Type)
}

// inputOf is the field that a path names; nil where it names something else, or
// a part of the field.
func inputOf(path []string, fields []Fields) *Field {
	if len(path) != 2 || path[0] != "input" {
		return nil
	}
	for _, list := range fields {
		if f := list.Find(path[1]); f != nil {
			return f
		}
	}
	return nil
}

// environs are the variables of a script's environment, and those of its
// arguments, that are no numbers, as far as it names them; and whether they may be any
// text.
func environs(d *actionDef, fields []Fields) map[string]bool {
	names := map[string]bool{}
	add := func(f *Field, list ...string) {
		if f != nil && f.Type == "integer" && !f.Multiple {
			return
		}
		any := f == nil || f.Multiple || !isInputType(f.Type) || textual(f.Type) && (len(f.Options) == 0 || f.AllowCustom)
		for _, name := range list {
			if argument := len(name) == 1; argument || strings.Contains(d.Script, name) { // the first is also what "$@" runs
				names[name] = names[name] || any
			}
		}
	}
	for _, list := range fields {
		for i := range list {
			if f := inputOf([]string{"input", list[i].Name}, fields); f == &list[i] {
				add(f, EnvName(f.Name))
			}
		}
	}
	for _, v := range d.Env {
		if dynamic(v.Value) {
			add(inputOf(lonePath(v.Value), fields), v.Name)
		}
	}
	for i, a := range d.Args {
		if dynamic(a) {
			add(inputOf(lonePath(a), fields), strconv.Itoa(i+1), "@")
		}
	}
	return names
}

// lonePath is the variable of a text that is {{ a.b }} and nothing else.
func lonePath(text string) []string {
	t, err := tera.Parse(text)
	if err != nil {
		return nil
	}
	return t.Lone()
}

// given are the fields that a step gives, of which no type is known.
func given(input map[string]any) (fields Fields) {
	for _, name := range keys(input) {
		fields = append(fields, Field{Name: name})
	}
	return fields
}
