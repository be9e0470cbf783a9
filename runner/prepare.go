package runner

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"stroem/runner/proc"
	"stroem/store"
	"stroem/workspace"
	"stroem/workspace/tera"
)

// maxInputEnv is the most that the environment carries of a step's input;
// a larger one stands in its file alone.
const maxInputEnv = 96 << 10

// inputFile is the file of an attempt's folder that holds the step's input.
const inputFile = "input.json"

// prepare renders the step: what its process is to be. An error is the
// author's or the caller's to mend and fails the step.
func (r *Runner) prepare(a *attempt, f facts, secret secretFacts) (proc.Spec, error) {
	step := &f.flow[a.step.Pos]
	vars, err := variables(f.flow, f.runs)
	if err != nil {
		return proc.Spec{}, err
	}
	vars["input"], vars["secret"], vars["secrets"] = secret.input, secret.tree, secret.tree
	input, err := stepInput(step, vars)
	if err != nil {
		return proc.Spec{}, err
	}
	vars["input"] = input
	for _, f := range step.Action.Input {
		if f.Secret {
			secret.values = append(secret.values, leaves(input[f.Name])...)
		}
	}
	a.out.mask = newMasker(secret.values)
	doc, err := json.Marshal(input)
	if err != nil {
		return proc.Spec{}, fmt.Errorf("encode input: %w", err)
	}
	dir := r.folder(a.step.Attempt)
	spec := proc.Spec{Dir: dir, ID: a.step.Attempt, Files: map[string][]byte{inputFile: doc}}
	if len(secret.values) > 0 {
		if spec.Files[secretsFile], err = json.Marshal(secret.values); err != nil {
			return spec, fmt.Errorf("encode secrets: %w", err)
		}
	}
	p, err := r.programFor(&step.Action)
	if err != nil {
		return spec, err
	}
	spec.Shell, spec.Flags, spec.Name = p.path, p.flags, p.file
	if spec.Script, err = script(&step.Action, p, vars); err != nil {
		return spec, err
	}
	if spec.WorkDir, err = workDir(a.job.Dir, step.Action.Workdir, vars); err != nil {
		return spec, err
	}
	for i, arg := range step.Action.Args {
		text, err := render(arg, vars)
		if err != nil {
			return spec, fmt.Errorf("args[%d]: %w", i, err)
		}
		spec.Args = append(spec.Args, text)
	}
	spec.Env, err = environment(a, &step.Action, vars, doc, dir)
	return spec, err
}

// secretFacts are what an attempt knows that nobody may see.
type secretFacts struct {
	input  map[string]any // the job's input, secret fields included
	tree   map[string]any // the workspace's secrets, as templates name them
	values []string       // all that is to be hidden
}

func (r *Runner) secretsFor(a *attempt, f facts) (s secretFacts, err error) {
	s.tree = r.Secrets.of(a.job.Workspace).values
	s.values = leaves(s.tree)
	stored, err := decode(a.job.Input)
	if err != nil {
		return s, fmt.Errorf("decode input: %w", err)
	}
	input, _ := stored.(map[string]any)
	if s.input, err = r.unseal(f.fields, input); err != nil {
		return s, err
	}
	for _, field := range f.fields {
		if field.Secret {
			s.values = append(s.values, leaves(s.input[field.Name])...)
		}
	}
	return s, nil
}

// variables are the output of every step that has ended, as templates name it.
func variables(flow workspace.Flow, runs []store.StepRun) (tera.Vars, error) {
	vars := tera.Vars{}
	for _, run := range runs {
		if !run.Status.Ended() {
			continue
		}
		var output any
		if len(run.Output) > 0 {
			var err error
			if output, err = decode(run.Output); err != nil {
				return nil, fmt.Errorf("decode output of %q: %w", run.Name, err)
			}
		}
		vars[flow[run.Pos].Key()] = map[string]any{"output": output}
	}
	return vars, nil
}

// stepInput is what the action sees as its input. An inline action sees the
// job's input with the step's over it; a named one the step's input, filled
// up with what the action declares from the job's input and from defaults.
func stepInput(step *workspace.Step, vars tera.Vars) (map[string]any, error) {
	job, _ := vars["input"].(map[string]any)
	given, err := renderMap(step.Input, vars)
	if err != nil {
		return nil, fmt.Errorf("input of step %q: %w", step.Name, err)
	}
	input := map[string]any{}
	if step.Inline {
		maps.Copy(input, job)
	}
	maps.Copy(input, given)
	for _, f := range step.Action.Input {
		if input[f.Name] == nil && job[f.Name] != nil {
			input[f.Name] = job[f.Name]
		}
	}
	if input, err = step.Action.Input.Fill(input); err != nil {
		return nil, fmt.Errorf("input of step %q: %w", step.Name, err)
	}
	return input, nil
}

func renderMap(m map[string]any, vars tera.Vars) (map[string]any, error) {
	out := make(map[string]any, len(m))
	for k, v := range m {
		var err error
		if out[k], err = renderDeep(v, vars); err != nil {
			return nil, fmt.Errorf("%s: %w", k, err)
		}
	}
	return out, nil
}

// renderDeep renders every string within a value. A lone {{ path }} keeps a
// list or an object as it is.
func renderDeep(v any, vars tera.Vars) (any, error) {
	switch v := v.(type) {
	case string:
		t, err := tera.Parse(v)
		if err != nil {
			return nil, err
		}
		return t.Value(vars)
	case map[string]any:
		return renderMap(v, vars)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			var err error
			if out[i], err = renderDeep(v[i], vars); err != nil {
				return nil, fmt.Errorf("[%d]: %w", i, err)
			}
		}
		return out, nil
	}
	return v, nil
}

func render(text string, vars tera.Vars) (string, error) {
	t, err := tera.Parse(text)
	if err != nil {
		return "", err
	}
	return t.Text(vars)
}

// script is the text to run, every value in it quoted for its place. A file of
// the workspace is no template.
func script(action *workspace.Action, p program, vars tera.Vars) (string, error) {
	if action.Source != "" {
		return action.Script, nil
	}
	t, err := tera.Parse(action.Script)
	if err != nil {
		return "", placed(err, action.ScriptAt)
	}
	if !p.shell {
		if !t.Static() {
			return "", fmt.Errorf("a %s script cannot hold a template yet", action.Language)
		}
		return action.Script, nil
	}
	dialect := tera.POSIX
	if p.bash {
		dialect = tera.Bash
	}
	text, err := t.Shell(vars, dialect)
	return text, placed(err, action.ScriptAt)
}

// placed says where in its YAML file a template went wrong.
func placed(err error, at workspace.Pos) error {
	var te *tera.Error
	if !errors.As(err, &te) || at.File == "" {
		return err
	}
	in := *te
	in.Line += at.Line - 1
	in.Column += at.Column - 1
	return fmt.Errorf("%s:%w", at.File, &in)
}

// workDir is the step's folder in the live workspace, which it cannot leave.
func workDir(root, sub string, vars tera.Vars) (string, error) {
	text, err := render(sub, vars)
	if err != nil {
		return "", fmt.Errorf("workdir: %w", err)
	}
	if text == "" {
		return root, nil
	}
	if !filepath.IsLocal(text) {
		return "", fmt.Errorf("workdir %q is not inside the workspace; give a path relative to its root", text)
	}
	return filepath.Join(root, text), nil
}

// environment is the complete environment of a step. The server's own
// variables come first, without any of STROEM's: keys, tokens and overrides
// never reach a script.
func environment(a *attempt, action *workspace.Action, vars tera.Vars, input []byte, dir string) ([]string, error) {
	env := slices.DeleteFunc(os.Environ(), func(kv string) bool { return strings.HasPrefix(strings.ToUpper(kv), "STROEM_") })
	if len(input) <= maxInputEnv {
		env = append(env, inputEnv(vars["input"].(map[string]any))...)
		env = append(env, "STROEM_INPUT="+string(input))
	}
	for _, e := range action.Env {
		text, err := render(e.Value, vars)
		if err != nil {
			return nil, fmt.Errorf("env %s: %w", e.Name, err)
		}
		if strings.ContainsRune(text, 0) {
			return nil, fmt.Errorf("env %s: a value in the environment cannot hold a NUL character", e.Name)
		}
		env = append(env, e.Name+"="+text)
	}
	return append(env,
		"STROEM_JOB_ID="+a.job.ID,
		"STROEM_TASK_NAME="+a.job.Task,
		"STROEM_STEP_NAME="+a.step.Name,
		"STROEM_WORKSPACE="+a.job.Workspace,
		"STROEM_INPUT_FILE="+filepath.Join(dir, inputFile),
	), nil
}

// inputEnv gives each input field as INPUT_<NAME>: text as it is, anything
// else as JSON, nothing for a field without a value.
func inputEnv(input map[string]any) []string {
	var env []string
	for _, name := range slices.Sorted(maps.Keys(input)) {
		value, ok := input[name].(string)
		if !ok && input[name] != nil {
			doc, err := json.Marshal(input[name])
			if err != nil {
				continue // it was encoded before as part of the whole
			}
			value = string(doc)
		}
		if input[name] != nil && !strings.ContainsRune(value, 0) {
			env = append(env, workspace.EnvName(name)+"="+value)
		}
	}
	return env
}

// decode reads JSON without losing digits of its numbers.
func decode(doc json.RawMessage) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	err = d.Decode(&v)
	return v, err
}
