package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"stroem/auth"
	"stroem/runner"
	"stroem/store"
)

// Rerun runs an ended job again with its plan and its input; fromFailed keeps
// what its completed steps did. A job that cannot be run again is a Conflict.
func (p *Plane) Rerun(ctx context.Context, id string, fromFailed bool) (store.Job, error) {
	who := auth.From(ctx)
	req := runner.Rerun{Job: id, FromFailed: fromFailed, SourceID: who.Email, Agent: who.IsAgent(), RequestedBy: who.Credential()}
	entry := store.AuditEntry{Action: "rerun", Job: id}
	err := p.Store.View(ctx, func(tx *store.Tx) error {
		job, err := p.findJob(ctx, tx, id, auth.Run)
		if entry.Workspace, entry.Task = job.Workspace, job.Task; err != nil {
			return err
		}
		return p.stillThere(ctx, tx, &job, &req)
	})
	if err != nil {
		return store.Job{}, noJob(id, p.refused(ctx, entry, err))
	}
	if entry.Detail, err = json.Marshal(map[string]any{"rerun_of": id, "from_failed": fromFailed}); err != nil {
		return store.Job{}, err
	}
	job, err := p.Runner.Rerun(ctx, req, func(tx *store.Tx, job *store.Job) error {
		entry := entry
		entry.Job = job.ID
		return p.record(ctx, tx, entry)
	})
	var not *runner.NotRerun
	var refused *runner.Refused
	switch {
	case errors.As(err, &not):
		return job, &Error{Code: Conflict, Msg: not.Reason}
	case errors.As(err, &refused):
		return job, &Error{Code: Invalid, Msg: refused.Reason}
	}
	return job, noJob(id, undone("the job was not run again", err))
}

// stillThere fills in what the workspace says today. What people took out of it
// is not brought back by a job of it, and where they moved a task, their rules
// for that place hold as well.
func (p *Plane) stillThere(ctx context.Context, tx *store.Tx, job *store.Job, req *runner.Rerun) error {
	who := auth.From(ctx)
	now, err := p.findTask(ctx, tx, job.Workspace, job.Task, auth.Run)
	switch {
	case errors.Is(err, errHidden):
		return err
	case errors.Is(err, store.ErrNotFound):
		return &Error{Code: Conflict, Msg: fmt.Sprintf("job %s cannot be run again: workspace %q has no task %q any more", job.ID, job.Workspace, job.Task)}
	case err != nil:
		return err
	}
	then, err := p.Runner.Plan(tx, job.Plan)
	if err != nil {
		return err
	}
	req.Dir = now.Dir
	req.Approval = p.asksFirst(who, now.Workspace, now.Task) || p.asksFirst(who, job.Workspace, then)
	return nil
}
