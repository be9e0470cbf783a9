package runner

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"stroem/runner/proc"
	"stroem/workspace"
	"stroem/workspace/tera"
)

// readsNone refuses a shell script that reads as code what came to it from
// outside by its environment or its arguments: eval "$NAME", $(( $1 )), or hands it to
// a command that would take it for more than a text. Values that
// its templates write are looked at where they are written.
func (e renderer) readsNone(action *workspace.Action, p program, spec proc.Spec) error {
	if action.Language != "" && action.Language != "shell" {
		return nil
	}
	values, err := e.outside(action, spec)
	if err != nil || len(values) == 0 {
		return err
	}
	t := tera.Plain(spec.Script)
	if action.Source == "" {
		if t, err = e.parse(action.Script); err != nil {
			return placed(err, action.ScriptAt)
		}
	}
	for _, read := range t.CodeReads(p.dialect(), slices.Sorted(maps.Keys(values))) {
		if !slices.ContainsFunc(values[read.Name], func(value string) bool { return !read.Allows(value) }) {
			continue
		}
		return placed(&tera.Error{
			Line: read.Line, Column: read.Column,
			What: read.String() + ", and this action does not allow it",
			Fix:  read.Fix() + ", or set allow_raw: true on the action if whoever starts the task may run anything",
		}, action.ScriptAt)
	}
	return nil
}

// outside are the variables and the arguments of a script that hold what whoever
// started the job may have chosen, and that are no whole numbers, each with what it
// holds.
func (e renderer) outside(action *workspace.Action, spec proc.Spec) (values map[string][]string, err error) {
	values = map[string][]string{}
	add := func(name, value string) {
		argument := len(name) == 1 // the first is also what "$@" runs
		if _, err := strconv.ParseInt(value, 10, 64); err != nil && (argument || strings.Contains(spec.Script, name)) {
			values[name] = append(values[name], value)
		}
	}
	input, _ := e.vars["input"].(map[string]any)
	for name, v := range input {
		switch v := v.(type) {
		case json.Number:
			add(workspace.EnvName(name), v.String())
		case bool, nil:
		default:
			add(workspace.EnvName(name), fmt.Sprint(v))
		}
	}
	add("STROEM_INPUT", "{}")
	for _, v := range action.Env {
		t, err := e.parse(v.Value)
		if err != nil {
			return nil, fmt.Errorf("env %s: %w", v.Name, err)
		}
		if chosen(t) {
			add(v.Name, valueOf(spec.Env, v.Name))
		}
	}
	for i, arg := range action.Args {
		t, err := e.parse(arg)
		if err != nil {
			return nil, fmt.Errorf("args[%d]: %w", i, err)
		}
		if chosen(t) {
			add(strconv.Itoa(i+1), spec.Args[i])
			for n := 1; n <= i && strings.Contains(spec.Script, "shift"); n++ {
				add(strconv.Itoa(n), spec.Args[i])
			}
			add("@", spec.Args[i])
			add("*", spec.Args[i])
		}
	}
	return values, nil
}

// chosen reports whether whoever starts a job may choose a part of what a template
// gives: all that is no secret and none of its own text.
func chosen(t *tera.Template) bool {
	for _, ref := range t.Refs() {
		if ref.Path[0] != "secret" && ref.Path[0] != "secrets" {
			return true
		}
	}
	return false
}

// valueOf is the value that a variable has in an environment, of which the last
// counts.
func valueOf(env []string, name string) (value string) {
	for _, kv := range env {
		if v, ok := strings.CutPrefix(kv, name+"="); ok {
			value = v
		}
	}
	return value
}
