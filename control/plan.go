package control

import (
	"context"
	"slices"

	"stroem/auth"
	"stroem/runner"
	"stroem/store"
	"stroem/workspace"
)

// TaskPlan is what a task would do with an input.
type TaskPlan struct {
	store.StoredTask
	AsksFirst bool // a job of the caller would wait for a person before its first step
	Steps     []PlannedStep
}

// PlannedStep is a step as it would run.
type PlannedStep struct {
	runner.Preview
	Action    string
	Type      string
	DependsOn []string
	WouldRun  bool // if whatever runs before it completes
}

// PlanTask renders the steps of a task as they would run for the caller, and
// starts nothing.
func (p *Plane) PlanTask(ctx context.Context, e Execution) (plan TaskPlan, err error) {
	if plan.StoredTask, err = p.runnable(ctx, e.Workspace, e.Task); err != nil {
		return plan, err
	}
	plan.AsksFirst = p.asksFirst(auth.From(ctx), plan.Workspace, plan.Task)
	list, err := p.Runner.Preview(plan.StoredTask, e.Input)
	if err != nil {
		return plan, notStarted(plan.Name, err)
	}
	var barred []string
	for i, shown := range list {
		s := &plan.Flow[i]
		runs := shown.Error == "" && (s.ContinueOnFailure || !dependsOn(s, barred))
		if !runs {
			barred = append(barred, s.Name)
		}
		plan.Steps = append(plan.Steps, PlannedStep{Preview: shown, Action: s.Action.Name, Type: s.Action.Type, DependsOn: s.DependsOn, WouldRun: runs})
	}
	return plan, nil
}

func dependsOn(s *workspace.Step, any []string) bool {
	return slices.ContainsFunc(s.DependsOn, func(name string) bool { return slices.Contains(any, name) })
}

// Preview is the steps of PlanTask alone.
func (p *Plane) Preview(ctx context.Context, e Execution) ([]runner.Preview, error) {
	plan, err := p.PlanTask(ctx, e)
	var list []runner.Preview
	for i := range plan.Steps {
		list = append(list, plan.Steps[i].Preview)
	}
	return list, err
}
