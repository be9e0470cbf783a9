package runner

import (
	"fmt"
	"slices"
	"strings"

	"stroem/store"
	"stroem/workspace"
	"stroem/workspace/tera"
)

// Preview is a step as it would run, secrets masked. What is not known before
// other steps have run stands as <step.output.x>.
type Preview struct {
	Step    string             `json:"step"`
	Message string             `json:"message,omitempty"` // of an approval, which runs nothing
	Program []string           `json:"program,omitempty"` // and its flags
	Script  string             `json:"script,omitempty"`
	Places  []string           `json:"places,omitempty"` // of the values in the script: file:line:column, what, where
	Args    []string           `json:"args,omitempty"`
	Error   string             `json:"error,omitempty"` // why it cannot be rendered
	Env     []workspace.EnvVar `json:"env,omitempty"`
	WorkDir string             `json:"workdir,omitempty"`
}

// Preview renders the steps of a task for an input, and starts nothing. Errors
// are those of Submit, and of templates that cannot be rendered.
func (r *Runner) Preview(task store.StoredTask, raw map[string]any) ([]Preview, error) {
	if why := task.Refusal(); why != "" {
		return nil, &Refused{Reason: why}
	}
	input, err := task.Input.Check(raw)
	if err != nil {
		return nil, err
	}
	secret := secretFacts{input: input, tree: r.Secrets.of(task.Workspace).values}
	secret.values = leaves(secret.tree)
	secret.add(task.Input, input)
	var list []Preview
	for i := range task.Flow {
		own := secret
		own.values = slices.Clone(secret.values)
		p, err := r.preview(&task.Flow[i], task.Flow, &own)
		if p.Step = task.Flow[i].Name; err != nil {
			p.Error = newMasker(own.values).hideString(err.Error())
		}
		list = append(list, p)
	}
	return list, nil
}

func (r *Runner) preview(step *workspace.Step, flow workspace.Flow, secret *secretFacts) (p Preview, err error) {
	rend, err := r.renderer(facts{}, *secret)
	if err != nil {
		return p, err
	}
	for i := range flow {
		if key := flow[i].Key(); key != step.Key() {
			rend.vars[key] = map[string]any{"output": unknown(key, step)}
		}
	}
	if step.Action.Type == workspace.Approval {
		text, err := rend.message(step)
		p.Message = newMasker(secret.values).hideString(text)
		return p, err
	}
	input, err := rend.stepInput(step)
	if err != nil {
		return p, err
	}
	rend.vars["input"] = input
	secret.add(step.Action.Input, input)
	mask := newMasker(secret.values)
	prog, err := programFor(&step.Action)
	if err != nil {
		return p, err
	}
	p.Program = append([]string{prog.path}, prog.flags...)
	if p.Script, err = rend.script(&step.Action, prog); err != nil {
		return p, err
	}
	p.Script = mask.hideString(p.Script)
	if p.Places, err = rend.places(&step.Action, prog); err != nil {
		return p, err
	}
	if p.WorkDir, err = rend.text(step.Action.Workdir); err != nil {
		return p, fmt.Errorf("workdir: %w", err)
	}
	if p.Args, err = rend.args(&step.Action); err != nil {
		return p, err
	}
	for i := range p.Args {
		p.Args[i] = mask.hideString(p.Args[i])
	}
	if p.Env, err = rend.env(&step.Action); err != nil {
		return p, err
	}
	for i := range p.Env {
		p.Env[i].Value = mask.hideString(p.Env[i].Value)
	}
	return p, nil
}

// unknown stands for the output of a step that has not run: whatever the other
// step reads of it is its own name in angle brackets.
func unknown(key string, reader *workspace.Step) any {
	var tree any = "<" + key + ".output>"
	for _, text := range templatesOf(reader) {
		t, err := tera.Parse(text)
		if err != nil {
			continue // rendering will say so
		}
		for _, ref := range t.Refs() {
			if len(ref.Path) > 2 && ref.Path[0] == key && ref.Path[1] == "output" {
				tree = plant(tree, ref.Path[2:], "<"+strings.Join(ref.Path, ".")+">")
			}
		}
	}
	return tree
}

// plant puts a leaf at a path of a tree of maps, growing it as need be.
func plant(tree any, path []string, leaf string) any {
	if len(path) == 0 {
		return leaf
	}
	m, ok := tree.(map[string]any)
	if !ok {
		m = map[string]any{}
	}
	m[path[0]] = plant(m[path[0]], path[1:], leaf)
	return m
}

// templatesOf are all texts of a step that may be templates.
func templatesOf(step *workspace.Step) []string {
	a := &step.Action
	texts := slices.Concat([]string{a.Script, a.Message, a.Workdir}, a.Args, leaves(step.Input))
	for _, v := range a.Env {
		texts = append(texts, v.Value)
	}
	return texts
}
