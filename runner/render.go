package runner

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"stroem/store"
	"stroem/workspace"
	"stroem/workspace/tera"
)

// maxInputEnv is the most that the environment carries of a step's input;
// a larger one stands in its file alone.
const maxInputEnv = 96 << 10

// renderer renders a step's templates.
type renderer struct {
	vars    tera.Vars
	options tera.Options
	parsed  *templates // of the plan that the step is from
}

// renderer knows what a step's templates may name: the job's input, the
// secrets, and the output of every step that has ended.
func (r *Runner) renderer(f facts, secret secretFacts) (renderer, error) {
	vars, err := variables(f.flow, f.runs)
	if err != nil {
		return renderer{}, err
	}
	vars["input"], vars["secret"], vars["secrets"] = secret.input, secret.tree, secret.tree
	return renderer{vars, tera.Options{Env: workspace.AllowedEnv(r.AllowEnv), Now: r.Now}, f.parsed}, nil
}

func (e renderer) parse(text string) (*tera.Template, error) {
	t, err := e.parsed.parse(text)
	if err != nil {
		return nil, err
	}
	return t.With(e.options), nil
}

func (e renderer) text(text string) (string, error) {
	t, err := e.parse(text)
	if err != nil {
		return "", err
	}
	return t.Text(e.vars)
}

// value renders every string within a value. A lone {{ path }} keeps a list or
// an object as it is.
func (e renderer) value(v any) (any, error) {
	switch v := v.(type) {
	case string:
		t, err := e.parse(v)
		if err != nil {
			return nil, err
		}
		return t.Value(e.vars)
	case map[string]any:
		return e.members(v)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			var err error
			if out[i], err = e.value(v[i]); err != nil {
				return nil, fmt.Errorf("[%d]: %w", i, err)
			}
		}
		return out, nil
	}
	return v, nil
}

func (e renderer) members(m map[string]any) (map[string]any, error) {
	out := make(map[string]any, len(m))
	for k, v := range m {
		var err error
		if out[k], err = e.value(v); err != nil {
			return nil, fmt.Errorf("%s: %w", k, err)
		}
	}
	return out, nil
}

// script is the text to run, every value in it quoted for its place, or written
// as a literal of its language. A file of the workspace is no template.
func (e renderer) script(action *workspace.Action, p program) (string, error) {
	if action.Source != "" {
		return action.Script, nil
	}
	t, err := e.parse(action.Script)
	if err != nil {
		return "", placed(err, action.ScriptAt)
	}
	var text string
	if lang, ok := codeLanguages[action.Language]; ok {
		text, err = t.Code(e.vars, lang)
	} else {
		text, err = t.Shell(e.vars, p.dialect())
	}
	return text, placed(err, action.ScriptAt)
}

// places names where in the YAML each value of a shell script comes from, and
// where in the script it lands.
func (e renderer) places(action *workspace.Action, p program) (list []string, err error) {
	if _, ok := codeLanguages[action.Language]; ok || action.Source != "" {
		return nil, nil
	}
	t, err := e.parse(action.Script)
	if err != nil {
		return nil, placed(err, action.ScriptAt)
	}
	found, err := t.Places(e.vars, p.dialect())
	for _, f := range found {
		at := action.ScriptAt
		at.Line, at.Column = at.Line+f.Line-1, at.Column+f.Column-1
		list = append(list, fmt.Sprintf("%s: %s stands %s", at, f.Expr, f.Where))
	}
	return list, placed(err, action.ScriptAt)
}

// codeLanguages are those that are not read by a shell.
var codeLanguages = map[string]tera.Language{
	"python": tera.Python, "javascript": tera.JavaScript, "typescript": tera.TypeScript, "go": tera.Go,
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
func (e renderer) stepInput(step *workspace.Step) (map[string]any, error) {
	job, _ := e.vars["input"].(map[string]any)
	given, err := e.members(step.Input)
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

// workDir is the step's folder in the live workspace, which it cannot leave.
func (e renderer) workDir(root, sub string) (string, error) {
	text, err := e.text(sub)
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

// args are the action's arguments.
func (e renderer) args(action *workspace.Action) (args []string, err error) {
	for i, arg := range action.Args {
		text, err := e.text(arg)
		if err != nil {
			return nil, fmt.Errorf("args[%d]: %w", i, err)
		}
		args = append(args, text)
	}
	return args, nil
}

// env is what the action adds to the environment.
func (e renderer) env(action *workspace.Action) (env []workspace.EnvVar, err error) {
	for _, v := range action.Env {
		text, err := e.text(v.Value)
		if err != nil {
			return nil, fmt.Errorf("env %s: %w", v.Name, err)
		}
		if strings.ContainsRune(text, 0) {
			return nil, fmt.Errorf("env %s: a value in the environment cannot hold a NUL character", v.Name)
		}
		env = append(env, workspace.EnvVar{Name: v.Name, Value: text})
	}
	return env, nil
}

// environment is the complete environment of a step. The server's own
// variables come first, without any of STROEM's: keys, tokens and overrides
// never reach a script.
func (e renderer) environment(a *attempt, action *workspace.Action, input []byte, dir string) ([]string, error) {
	env := slices.DeleteFunc(os.Environ(), func(kv string) bool { return strings.HasPrefix(strings.ToUpper(kv), "STROEM_") })
	if len(input) <= maxInputEnv {
		env = append(env, inputEnv(e.vars["input"].(map[string]any))...)
		env = append(env, "STROEM_INPUT="+string(input))
	}
	own, err := e.env(action)
	if err != nil {
		return nil, err
	}
	for _, v := range own {
		env = append(env, v.Name+"="+v.Value)
	}
	return append(env,
		"STROEM_JOB_ID="+a.job.ID,
		"STROEM_TASK_NAME="+a.job.Task,
		"STROEM_STEP_NAME="+a.step.Name,
		"STROEM_WORKSPACE="+a.job.Workspace,
		"STROEM_INPUT_FILE="+filepath.Join(dir, inputFile),
		"ARTIFACTS_DIR="+filepath.Join(dir, artifactsDir),
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
