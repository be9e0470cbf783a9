package control

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"stroem/runner"
	"stroem/store"
	"stroem/workspace"
)

// waits adds to the job's steps what they ask of a person.
func (j *Job) waits(tx *store.Tx, flow workspace.Flow) error {
	if !slices.ContainsFunc(flow, func(s workspace.Step) bool { return s.Action.Type == workspace.Approval }) {
		return nil
	}
	list, err := tx.Approvals(j.Seq)
	if err != nil {
		return err
	}
	for _, a := range list {
		step := &j.Steps[a.Step]
		step.Message = Clean(a.Message)
		if step.Status != store.Suspended {
			continue
		}
		if step.Form, err = flow[a.Step].Action.Input.Shape(); err != nil {
			return err
		}
		if limit := flow[a.Step].Timeout; limit > 0 {
			step.Deadline = step.SuspendedAt.Add(limit)
		}
	}
	return nil
}

// Answer is what a person says to a step that waits for one.
type Answer = runner.Answer

// Approve answers a step that waits for a person. A step that does not, or no
// longer, is a Conflict.
func (p *Plane) Approve(ctx context.Context, answer Answer) error {
	switch {
	case answer.Approved && answer.Reason != "":
		return &Error{Code: Invalid, Msg: "a reason goes with a rejection; an approval has none"}
	case !answer.Approved && len(answer.Input) > 0:
		return &Error{Code: Invalid, Msg: "an input goes with an approval; a rejection has a reason"}
	}
	err := p.Store.View(ctx, func(tx *store.Tx) error {
		job, err := p.job(tx, answer.Job)
		if err != nil {
			return err
		}
		runs, err := tx.Steps(job.Seq)
		if err != nil {
			return err
		}
		_, err = place(runs, answer.Step, job.ID)
		return err
	})
	if err != nil {
		return err
	}
	err = p.Runner.Approve(ctx, answer)
	var closed *runner.NotWaiting
	var input *workspace.InputError
	switch {
	case errors.As(err, &closed), errors.Is(err, runner.ErrChanged):
		return &Error{Code: Conflict, Msg: err.Error()}
	case errors.As(err, &input):
		return &Error{Code: Invalid, Msg: fmt.Sprintf("step %q was not approved: %s", answer.Step, input.Error())}
	case errors.Is(err, store.ErrNotFound):
		return missing("job", answer.Job, "", nil)
	}
	return err
}
