package runner

import (
	"bytes"
	"encoding/json"
	"fmt"

	"stroem/runner/proc"
	"stroem/workspace"
)

// inputFile is the file of an attempt's folder that holds the step's input.
const inputFile = "input.json"

// prepare renders the step: what its process is to be. An error is the
// author's or the caller's to mend and fails the step.
func (r *Runner) prepare(a *attempt, f facts, secret secretFacts) (proc.Spec, error) {
	step := &f.flow[a.step.Pos]
	rend, err := r.renderer(f, secret)
	if err != nil {
		return proc.Spec{}, err
	}
	// What an agent sends must never become code, unless the author says so.
	rend.options.ForbidRaw = a.job.Agent && !step.Action.AllowRaw
	input, err := rend.stepInput(step)
	if err != nil {
		return proc.Spec{}, err
	}
	rend.vars["input"] = input // from here on input is the step's own
	secret.add(step.Action.Input, input)
	a.out.mask = newMasker(secret.values)
	doc, err := json.Marshal(input)
	if err != nil {
		return proc.Spec{}, fmt.Errorf("encode input: %w", err)
	}
	dir := r.folder(a.step.Attempt)
	spec := proc.Spec{Dir: dir, ID: a.step.Attempt, Files: map[string][]byte{inputFile: doc}, Folders: []string{artifactsDir}}
	if len(secret.values) > 0 {
		if spec.Files[secretsFile], err = json.Marshal(secret.values); err != nil {
			return spec, fmt.Errorf("encode secrets: %w", err)
		}
	}
	p, err := programFor(&step.Action)
	if err != nil {
		return spec, err
	}
	spec.Shell, spec.Flags, spec.Name = p.path, p.flags, p.file
	if spec.Script, err = rend.script(&step.Action, p); err != nil {
		return spec, err
	}
	if spec.WorkDir, err = rend.workDir(a.job.Dir, step.Action.Workdir); err != nil {
		return spec, err
	}
	if spec.Args, err = rend.args(&step.Action); err != nil {
		return spec, err
	}
	if spec.Env, err = rend.environment(a, &step.Action, doc, dir); err != nil {
		return spec, err
	}
	if rend.options.ForbidRaw {
		err = rend.readsNone(&step.Action, p, spec)
	}
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
	s.add(f.fields, s.input)
	return s, r.openAnswers(f, &s)
}

// add hides the values of the secret fields of an input as well.
func (s *secretFacts) add(fields workspace.Fields, input map[string]any) {
	for _, f := range fields {
		if f.Secret {
			s.values = append(s.values, leaves(input[f.Name])...)
		}
	}
}

// decode reads JSON without losing digits of its numbers.
func decode(doc json.RawMessage) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	err = d.Decode(&v)
	return v, err
}
