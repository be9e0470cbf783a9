package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"stroem/auth"
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

// Approve answers a step that waits for a person, as the caller. A step that
// does not wait, or no longer, is a Conflict. A caller who is no person, or not
// the right one, is Forbidden.
func (p *Plane) Approve(ctx context.Context, answer Answer) error {
	switch {
	case answer.Approved && answer.Reason != "":
		return &Error{Code: Invalid, Msg: "a reason goes with a rejection; an approval has none"}
	case !answer.Approved && len(answer.Input) > 0:
		return &Error{Code: Invalid, Msg: "an input goes with an approval; a rejection has a reason"}
	}
	entry := store.AuditEntry{Action: "approve", Job: answer.Job}
	if !answer.Approved {
		entry.Action = "reject"
	}
	err := p.Store.View(ctx, func(tx *store.Tx) error {
		job, err := p.findJob(ctx, tx, answer.Job, auth.Run)
		if entry.Workspace, entry.Task = job.Workspace, job.Task; err != nil {
			return err
		}
		runs, err := tx.Steps(job.Seq)
		if err != nil {
			return err
		}
		pos, err := place(runs, answer.Step, job.ID)
		if err != nil {
			return err
		}
		return p.mayAnswer(ctx, tx, &job, pos)
	})
	if err != nil {
		return noJob(answer.Job, p.refused(ctx, entry, err))
	}
	if entry.Detail, err = json.Marshal(map[string]string{"step": answer.Step, "reason": cut(p.Runner.Secrets.Hide(answer.Reason), maxDetail)}); err != nil {
		return err
	}
	answer.By = auth.From(ctx).Email
	err = p.Runner.Approve(ctx, answer, func(tx *store.Tx, _ *store.Job) error { return p.record(ctx, tx, entry) })
	var closed *runner.NotWaiting
	var input *workspace.InputError
	switch {
	case errors.As(err, &closed), errors.Is(err, runner.ErrChanged):
		return &Error{Code: Conflict, Msg: err.Error()}
	case errors.As(err, &input):
		return &Error{Code: Invalid, Msg: fmt.Sprintf("step %q was not approved: %s", answer.Step, cut(input.Error(), maxTold))}
	}
	return noJob(answer.Job, undone("the answer was not taken", err))
}

// mayAnswer is nil where the caller may answer the step: a person who may run
// the task, and not the credential that began the job.
func (p *Plane) mayAnswer(ctx context.Context, tx *store.Tx, job *store.Job, pos int) error {
	who := auth.From(ctx)
	if err := who.MayAnswer(); err != nil {
		return &Error{Code: Forbidden, Msg: err.Error()}
	}
	list, err := tx.Approvals(job.Seq)
	if err != nil {
		return err
	}
	for _, a := range list {
		if a.Step == pos && a.RequestedBy != "" && a.RequestedBy == who.Credential() {
			return &Error{Code: Forbidden, Msg: "what began a job cannot approve it: sign in anew, as a person"}
		}
	}
	if p.OtherPerson && who.Email != "" && who.Email == job.SourceID {
		return &Error{Code: Forbidden, Msg: "the job is your own, and approval.other_person asks for somebody else's word"}
	}
	return nil
}
