package mcpsrv

import (
	"context"
	"fmt"

	"stroem/control"
	"stroem/workspace"
)

// maxPart bounds in bytes what is shown of a script, an argument or a variable
// of a plan.
const maxPart = 4 << 10

// plannedStep is a step as it would run.
type plannedStep struct {
	Name      string   `json:"name"`
	Action    string   `json:"action"`
	DependsOn []string `json:"depends_on,omitempty"`
	WouldRun  bool     `json:"would_run" jsonschema:"if what it depends on completes"`
	WaitsFor  string   `json:"waits_for,omitempty" jsonschema:"what a person is asked to decide"`
	Program   []string `json:"program,omitempty"`
	Script    string   `json:"script,omitempty"`
	Args      []string `json:"args,omitempty"`
	Env       []string `json:"env,omitempty"`
	WorkDir   string   `json:"workdir,omitempty"`
	Error     string   `json:"error,omitempty" jsonschema:"why it would fail before it began"`
}

type taskPlan struct {
	Workspace string        `json:"workspace"`
	Task      string        `json:"task_name"`
	Approval  bool          `json:"needs_approval" jsonschema:"whether a person must approve anything of it"`
	Steps     []plannedStep `json:"steps"`
}

func (t tools) planTask(ctx context.Context, args struct {
	Workspace string   `json:"workspace"`
	Task      string   `json:"task_name"`
	Input     inputArg `json:"input"`
}) (out reply[taskPlan], err error) {
	plan, err := t.plane.PlanTask(ctx, control.Execution{Workspace: args.Workspace, Task: args.Task, Input: args.Input})
	if err != nil {
		return out, err
	}
	out.Data = taskPlan{Workspace: plan.Workspace, Task: plan.Name, Approval: plan.AsksFirst}
	var steps []plannedStep
	if plan.AsksFirst {
		steps = append(steps, plannedStep{Name: workspace.PolicyStep, Action: workspace.PolicyStep, WouldRun: true,
			WaitsFor: "whether the job may begin at all"})
	}
	for i := range plan.Steps {
		s := &plan.Steps[i]
		out.Data.Approval = out.Data.Approval || s.Type == workspace.Approval
		steps = append(steps, planned(s))
	}
	out.Data.Steps = append([]plannedStep{}, fit(steps, maxResult-1<<10)...)
	if n := len(out.Data.Steps); n < len(steps) {
		out.Notes = append(out.Notes, fmt.Sprintf("the first %d of %d steps are shown", n, len(steps)))
	}
	return out, nil
}

func planned(s *control.PlannedStep) plannedStep {
	p := plannedStep{Name: s.Step, Action: s.Action, DependsOn: s.DependsOn, WouldRun: s.WouldRun, WaitsFor: part(s.Message),
		Program: parts(s.Program), Script: part(s.Script), Args: parts(s.Args), WorkDir: part(s.WorkDir), Error: part(s.Error)}
	var env []string
	for _, v := range s.Env {
		env = append(env, v.Name+"="+v.Value)
	}
	p.Env = parts(env)
	return p
}

// part is so much of a text of a plan as is shown.
func part(text string) string { return shorten(control.Clean(text), maxPart) }

// parts are the texts of a list as far as they are shown.
func parts(list []string) (shown []string) {
	room := maxPart
	for i, text := range list {
		if room -= len(text); room < 0 {
			return append(shown, fmt.Sprintf("… (%d more, with %d bytes)", len(list)-i, size(list[i:])))
		}
		shown = append(shown, control.Clean(text))
	}
	return shown
}

func size(list []string) (n int) {
	for _, text := range list {
		n += len(text)
	}
	return n
}
