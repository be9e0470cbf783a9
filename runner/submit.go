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
	// Approval asks for a person's word before the first step, because a policy
	// does. RequestedBy is the credential whose job it is.
	Approval    bool
	RequestedBy string
	// Once makes it one job, however often it is asked for; nil: one each time.
	Once *store.Once
}

// Also is more that is to be committed together with a change of the job, or
// not at all.
type Also func(*store.Tx, *store.Job) error

func all(also []Also, tx *store.Tx, job *store.Job) error {
	for _, do := range also {
		if err := do(tx, job); err != nil {
			return err
		}
	}
	return nil
}

// Refused says why a task cannot run at all, whatever its input.
type Refused struct{ Reason string }

func (e *Refused) Error() string { return e.Reason }

// Submit checks the input and makes a job of the task. Once it returns, the
// job is on disk and will run. What was asked for before, under Once, is only
// named: of that job the id alone is known. Errors: *Refused,
// *workspace.InputError, or the store's.
func (r *Runner) Submit(ctx context.Context, req Request, also ...Also) (job store.Job, err error) {
	if req.Once != nil { // whatever became of the task since
		err = r.Store.View(ctx, func(tx *store.Tx) error {
			job.ID, err = tx.Begun(req.Once, r.Now())
			return err
		})
		if err != nil || job.ID != "" {
			return job, err
		}
	}
	d, err := r.draft(req)
	if err != nil {
		return job, err
	}
	err = r.Store.Update(ctx, func(tx *store.Tx) error {
		first, err := d.once(tx, req.Once)
		if err != nil || first != "" {
			job = store.Job{ID: first}
			return err
		}
		if err := d.insert(tx); err != nil {
			return err
		}
		job = d.job
		return all(also, tx, &d.job)
	})
	return job, err
}

// once is the job that was begun in place of this one, "" if it is this one
// that begins now. Nothing comes between the look and what follows: there is one
// writer.
func (d *draft) once(tx *store.Tx, o *store.Once) (first string, err error) {
	if o == nil {
		return "", nil
	}
	if first, err = tx.Begun(o, d.job.CreatedAt); err != nil || first != "" {
		return first, err
	}
	return "", tx.Begin(o, d.job.ID, d.job.CreatedAt)
}

// draft is a job that is not in the store yet.
type draft struct {
	job         store.Job
	plan        *workspace.Task
	gated       bool // it waits for a person before its first step
	requestedBy string
	kept        map[string]*store.StepRun // steps that an earlier job completed, by name
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
	plan := task.Task
	if req.Approval {
		plan = gated(plan)
	}
	return &draft{plan: r.withDefaults(plan), gated: req.Approval, requestedBy: req.RequestedBy, job: store.Job{
		ID: id.String(), Workspace: task.Workspace, Task: task.Name, Folder: task.Folder, Status: store.Pending,
		SourceType: req.SourceType, SourceID: req.SourceID, Agent: req.Agent, Revision: task.Revision,
		CreatedAt: r.Now(), Dir: task.Dir, Input: doc,
	}}, nil
}

// insert makes the job one that runs.
func (d *draft) insert(tx *store.Tx) error {
	if err := tx.InsertJob(&d.job, d.plan, firstRuns(d.plan.Flow, d.kept)); err != nil || !d.gated {
		return err
	}
	return tx.ApplyPolicy(d.job.Seq, 0, d.requestedBy)
}

// skip records that the job was not begun: it has ended, and has no steps.
func (d *draft) skip(tx *store.Tx) error {
	job := d.job
	job.Status, job.CompletedAt = store.Skipped, job.CreatedAt
	return tx.InsertJob(&job, d.plan, nil)
}

// firstRuns are the steps of a new job, but for the kept ones those that wait
// for nothing ready.
func firstRuns(flow workspace.Flow, kept map[string]*store.StepRun) []store.StepRun {
	runs := make([]store.StepRun, len(flow))
	for i := range flow {
		runs[i] = store.StepRun{Name: flow[i].Name, Status: store.Pending}
		if run := kept[flow[i].Name]; run != nil {
			runs[i] = *run
		}
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
func (r *Runner) Cancel(ctx context.Context, id string, also ...Also) error {
	return r.cancelWith(ctx, id, "", also...)
}

// cancelWith cancels a job and says in it why.
func (r *Runner) cancelWith(ctx context.Context, id, why string, also ...Also) error {
	var job store.Job
	err := r.Store.Update(ctx, func(tx *store.Tx) (err error) {
		if job, err = tx.Job(id); err != nil {
			return err
		}
		if job.Status.Ended() {
			return &Ended{Status: job.Status}
		}
		job.Error = why
		if err := cancelJob(tx, &job, r.Now()); err != nil {
			return err
		}
		return all(also, tx, &job)
	})
	if err == nil {
		r.unlimit(job.Seq)
	}
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
