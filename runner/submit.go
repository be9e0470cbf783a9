package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"stroem/store"
	"stroem/workspace"
)

// Request asks for a job.
type Request struct {
	Task       store.StoredTask
	Input      map[string]any // as the caller gave it
	SourceType store.SourceType
	SourceID   string
	Agent      bool // begun over MCP or with an API key
}

// Refused says why a task cannot run at all, whatever its input.
type Refused struct{ Reason string }

func (e *Refused) Error() string { return e.Reason }

// Submit checks the input and makes a job of the task. Once it returns, the
// job is on disk and will run. Errors: *Refused, *workspace.InputError, or
// the store's.
func (r *Runner) Submit(ctx context.Context, req Request) (store.Job, error) {
	d, err := r.draft(req)
	if err != nil {
		return store.Job{}, err
	}
	err = r.Store.Update(ctx, d.insert)
	return d.job, err
}

// draft is a job that is not in the store yet.
type draft struct {
	job  store.Job
	plan *workspace.Task
}

// draft checks the request. Errors: *Refused, *workspace.InputError.
func (r *Runner) draft(req Request) (*draft, error) {
	task := req.Task
	if why := task.Refusal(); why != "" {
		return nil, &Refused{Reason: why}
	}
	input, err := task.Input.Check(req.Input)
	if err != nil {
		return nil, err
	}
	if input, err = r.seal(task.Input, input); err != nil {
		return nil, err
	}
	doc, err := json.Marshal(input)
	if err != nil {
		return nil, fmt.Errorf("encode input: %w", err)
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, fmt.Errorf("make job id: %w", err)
	}
	return &draft{plan: r.withDefaults(task.Task), job: store.Job{
		ID: id.String(), Workspace: task.Workspace, Task: task.Name, Folder: task.Folder, Status: store.Pending,
		SourceType: req.SourceType, SourceID: req.SourceID, Agent: req.Agent, Revision: task.Revision,
		CreatedAt: r.Now(), Dir: task.Dir, Input: doc,
	}}, nil
}

// insert makes the job one that runs.
func (d *draft) insert(tx *store.Tx) error {
	return tx.InsertJob(&d.job, d.plan, firstRuns(d.plan.Flow))
}

// skip records that the job was not begun: it has ended, and has no steps.
func (d *draft) skip(tx *store.Tx) error {
	job := d.job
	job.Status, job.CompletedAt = store.Skipped, job.CreatedAt
	return tx.InsertJob(&job, d.plan, nil)
}

// firstRuns are the steps of a new job, those that wait for nothing ready.
func firstRuns(flow workspace.Flow) []store.StepRun {
	runs := make([]store.StepRun, len(flow))
	for i := range flow {
		runs[i] = store.StepRun{Name: flow[i].Name, Status: store.Pending}
	}
	for _, i := range next(flow, runs).Ready {
		runs[i].Status = store.Ready
	}
	return runs
}

// advance carries a job on after one of its steps ended: it queues what may
// run now, skips what never will, and ends the job when nothing is left.
func advance(tx *store.Tx, job *store.Job, flow workspace.Flow, now time.Time) error {
	runs, err := tx.Steps(job.Seq)
	if err != nil {
		return err
	}
	d := next(flow, runs)
	for _, i := range d.Skip {
		runs[i].Status, runs[i].CompletedAt = store.Skipped, now
		if err := tx.EndStep(&runs[i], store.Pending); err != nil {
			return err
		}
	}
	for _, i := range d.Ready {
		if err := tx.QueueStep(&runs[i], store.Pending); err != nil {
			return err
		}
	}
	if !d.Status.Ended() {
		return nil
	}
	job.Status, job.CompletedAt = d.Status, now
	job.Error = failure(flow, runs)
	if job.Output, err = jobOutput(flow, runs); err != nil {
		return err
	}
	return tx.EndJob(job)
}

// failure names the first step that failed the job, "" if none did.
func failure(flow workspace.Flow, runs []store.StepRun) string {
	for i := range runs {
		if runs[i].Status == store.Failed && !flow[i].ContinueOnFailure {
			return fmt.Sprintf("step %q failed: %s", runs[i].Name, runs[i].Error)
		}
	}
	return ""
}

// jobOutput gathers the outputs of the steps that nobody depends on, by name;
// nil when there are none.
func jobOutput(flow workspace.Flow, runs []store.StepRun) (json.RawMessage, error) {
	terminal := flow.Terminal()
	outputs := map[string]json.RawMessage{}
	for _, run := range runs {
		if slices.Contains(terminal, run.Name) && len(run.Output) > 0 {
			outputs[run.Name] = run.Output
		}
	}
	if len(outputs) == 0 {
		return nil, nil
	}
	return json.Marshal(outputs)
}

// Ended says that a job had come to its end before it could be cancelled.
type Ended struct{ Status store.Status }

func (e *Ended) Error() string { return fmt.Sprintf("the job is already %s", e.Status) }

// Cancel ends a job: it is cancelled at once, with all its steps that have not
// begun. Steps that run are ended with their whole process tree and are
// cancelled when that is gone. Errors: *Ended, store.ErrNotFound.
func (r *Runner) Cancel(ctx context.Context, id string) error { return r.cancelWith(ctx, id, "") }

// cancelWith cancels a job and says in it why.
func (r *Runner) cancelWith(ctx context.Context, id, why string) error {
	err := r.Store.Update(ctx, func(tx *store.Tx) error {
		job, err := tx.Job(id)
		if err != nil {
			return err
		}
		if job.Status.Ended() {
			return &Ended{Status: job.Status}
		}
		job.Error = why
		return cancelJob(tx, &job, r.Now())
	})
	var ended *Ended
	if err == nil || errors.As(err, &ended) && ended.Status == store.Cancelled {
		r.endAttempts(id)
	}
	return err
}

// endAttempts ends what runs of a job whose cancelling is committed.
func (r *Runner) endAttempts(id string) {
	for _, a := range r.live() {
		if a.job.ID == id {
			a.cancel()
		}
	}
}

func cancelJob(tx *store.Tx, job *store.Job, now time.Time) error {
	runs, err := tx.Steps(job.Seq)
	if err != nil {
		return err
	}
	for i := range runs {
		from := runs[i].Status
		if from.Ended() || from == store.Running {
			continue
		}
		runs[i].Status, runs[i].CompletedAt = store.Cancelled, now
		if err := tx.EndStep(&runs[i], from); err != nil {
			return err
		}
	}
	job.Status, job.CompletedAt = store.Cancelled, now
	return tx.EndJob(job)
}
