package runner

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"stroem/store"
	"stroem/workspace"
)

// Rerun asks for another run of a job, with its plan and its input.
type Rerun struct {
	Job        string // its id
	FromFailed bool   // the steps that completed are not run again, and keep their output
	Dir        string // the workspace's folder, where steps run
	// The rest is as in Request. The job is an agent's also if the first was.
	SourceID    string
	Agent       bool
	Approval    bool
	RequestedBy string
}

// NotRerun says why a job cannot be run again.
type NotRerun struct{ Reason string }

func (e *NotRerun) Error() string { return e.Reason }

// Rerun makes a job of an ended one. Once it returns, the job is on disk and
// will run. Errors: *NotRerun, *Refused, store.ErrNotFound.
func (r *Runner) Rerun(ctx context.Context, req Rerun, also ...Also) (store.Job, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return store.Job{}, fmt.Errorf("make job id: %w", err)
	}
	var d *draft
	err = r.Store.Update(ctx, func(tx *store.Tx) error {
		old, err := tx.Job(req.Job)
		if err != nil {
			return err
		}
		plan, runs, err := r.standing(tx, &old)
		if err != nil {
			return err
		}
		if why := plan.Refusal(); why != "" {
			return &Refused{Reason: why}
		}
		kept, err := keep(&old, runs, req.FromFailed)
		if err != nil {
			return err
		}
		d = r.again(&req, &old, plan, kept)
		d.job.ID = id.String()
		if err := d.insert(tx); err != nil {
			return err
		}
		if err := keepAnswers(tx, d, kept); err != nil {
			return err
		}
		return all(also, tx, &d.job)
	})
	if err != nil {
		return store.Job{}, err
	}
	return d.job, nil
}

// keep are the steps that are not run again, by name.
func keep(old *store.Job, runs []store.StepRun, fromFailed bool) (map[string]*store.StepRun, error) {
	kept, open := map[string]*store.StepRun{}, !old.Status.Ended()
	for i := range runs {
		open = open || !runs[i].Status.Ended()
		if fromFailed && runs[i].Status == store.Completed && runs[i].Name != workspace.PolicyStep {
			kept[runs[i].Name] = &runs[i]
		}
	}
	switch {
	case open:
		return nil, &NotRerun{Reason: fmt.Sprintf("job %s has not ended; it can be run again once it has", old.ID)}
	case fromFailed && len(runs) > 0 && len(kept) == len(ungated(runs)):
		return nil, &NotRerun{Reason: fmt.Sprintf("every step of job %s completed, so there is none to go on from; "+
			"without from_failed the whole job runs again", old.ID)}
	}
	return kept, nil
}

// ungated are the steps without that in which a job waited because of a policy.
func ungated(runs []store.StepRun) []store.StepRun {
	if len(runs) > 0 && runs[0].Name == workspace.PolicyStep {
		return runs[1:]
	}
	return runs
}

// again is the new job. An agent does not go on from what a person approved
// for another run: somebody is asked anew.
func (r *Runner) again(req *Rerun, old *store.Job, task *workspace.Task, kept map[string]*store.StepRun) *draft {
	plan := withoutGate(task)
	gate := req.Approval
	for i := range plan.Flow {
		s := &plan.Flow[i]
		gate = gate || req.Agent && s.Action.Type == workspace.Approval && kept[s.Name] != nil
	}
	if gate {
		plan = gated(plan)
	}
	return &draft{plan: r.withDefaults(plan), gated: gate, requestedBy: req.RequestedBy, kept: kept, job: store.Job{
		Workspace: old.Workspace, Task: old.Task, Folder: old.Folder, Status: store.Pending,
		SourceType: store.SourceRerun, SourceID: req.SourceID, SourceJob: old.ID, Agent: old.Agent || req.Agent,
		Revision: old.Revision, CreatedAt: r.Now(), Dir: req.Dir, Input: old.Input,
	}}
}

// withoutGate undoes gated.
func withoutGate(task *workspace.Task) *workspace.Task {
	if len(task.Flow) == 0 || task.Flow[0].Name != workspace.PolicyStep {
		return task
	}
	plan := *task
	plan.Flow = nil
	for _, step := range task.Flow[1:] {
		if len(step.DependsOn) == 1 && step.DependsOn[0] == workspace.PolicyStep {
			step.DependsOn = nil
		}
		plan.Flow = append(plan.Flow, step)
	}
	return &plan
}

// keepAnswers gives the job what people answered to the steps that it keeps:
// their secrets are read from there.
func keepAnswers(tx *store.Tx, d *draft, kept map[string]*store.StepRun) error {
	var errs []error
	for pos := range d.plan.Flow {
		s := &d.plan.Flow[pos]
		if run := kept[s.Name]; run != nil && s.Action.Type == workspace.Approval {
			errs = append(errs, tx.KeepAnswer(run, d.job.Seq, pos))
		}
	}
	return errors.Join(errs...)
}
