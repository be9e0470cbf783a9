// Package control is everything a caller may ask, and who may ask it: the one
// front door behind MCP, REST and the command line.
package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"stroem/auth"
	"stroem/runner"
	"stroem/store"
	"stroem/workspace"
)

// Plane answers callers. Its fields are set before use and not changed after.
type Plane struct {
	Store   *store.Store
	Runner  *runner.Runner
	Policy  *auth.Policy // who may do what; nil: whoever is known may do everything
	Folders []Folder     // the workspaces
	// Retention says which jobs Upkeep deletes.
	Retention Retention
	// OtherPerson asks that nobody answers for a job of their own.
	OtherPerson bool
	Log         *slog.Logger
	Now         func() time.Time

	refusals auth.Refusals

	mu     sync.Mutex
	spaces map[string]*space // what Sync keeps up to date, by name
}

// Code says what kind of error a door has to report.
type Code int

// The kinds of errors. Internal is whatever is not the caller's to mend; its
// text is for the server's log alone.
const (
	Internal Code = iota
	Invalid
	NotFound
	Conflict
	Forbidden   // the caller may see it, and may not change it
	TooSoon     // try again a little later
	Unavailable // the server cannot do it now, and can again by itself
)

// Error is an error that the caller can mend.
type Error struct {
	Code Code
	Msg  string // a sentence for a person or an agent
	// For NotFound, what was looked for ("workspace", "task", "job", "step"),
	// so that a door can say how to list what there is.
	Noun      string
	Workspace string // in which a task was looked for
}

func (e *Error) Error() string { return e.Msg }

// CodeOf is the kind of err: Internal for whatever is not an *Error.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return Internal
}

// maxEcho is how much of a name that is none is repeated, in bytes.
const maxEcho = 200

// missing is the error for a name that is not there, with its nearest
// neighbour among those that are.
func missing(noun, name, where string, known []string) *Error {
	msg := fmt.Sprintf("no %s %q%s", noun, cut(name, maxEcho), where)
	if near := workspace.Nearest(name, known); near != "" {
		msg += fmt.Sprintf("; did you mean %q?", near)
	}
	return &Error{Code: NotFound, Noun: noun, Msg: msg}
}

// Step is one step of a job: how it stands, and what the plan says of it.
type Step struct {
	store.StepRun
	Action    string   `json:"action_name"`
	Type      string   `json:"action_type"`
	Runner    string   `json:"runner"`
	DependsOn []string `json:"depends_on"`
	Tolerated bool     `json:"-"` // its failure does not fail the job
	// Of a step that waits for a person, or did: what it asked, and, while it
	// waits, the form to be filled in and until when.
	Message  string          `json:"approval_message,omitempty"`
	Form     json.RawMessage `json:"approval_fields,omitempty"`
	Deadline time.Time       `json:"approval_deadline,omitzero"`
}

// Job is a job with its steps, in the order of its flow.
type Job struct {
	store.Job
	Steps     []Step `json:"steps"`
	Artifacts int    `json:"artifacts"` // how many files its steps left
}

// Job is the job of that id.
func (p *Plane) Job(ctx context.Context, id string) (j Job, err error) {
	err = p.Store.View(ctx, func(tx *store.Tx) error {
		j, err = p.wholeJob(ctx, tx, id)
		return err
	})
	return j, err
}

func (p *Plane) wholeJob(ctx context.Context, tx *store.Tx, id string) (j Job, err error) {
	if j.Job, err = p.job(ctx, tx, id); err != nil {
		return j, err
	}
	plan, err := p.Runner.Plan(tx, j.Plan)
	if err != nil {
		return j, err
	}
	if j.Input, err = hideSecrets(plan.Input, j.Input); err != nil {
		return j, err
	}
	if j.Artifacts, err = tx.CountArtifacts(j.Seq); err != nil {
		return j, err
	}
	j.Steps = []Step{}
	runs, err := tx.Steps(j.Seq)
	if err != nil {
		return j, err
	}
	for i, run := range runs {
		step := &plan.Flow[i]
		j.Steps = append(j.Steps, Step{StepRun: run, Action: step.Action.Name, Type: step.Action.Type,
			Runner: "local", DependsOn: append([]string{}, step.DependsOn...), Tolerated: step.ContinueOnFailure})
	}
	return j, j.waits(tx, plan.Flow)
}

// hideSecrets is the input as callers see it, without the values of secret
// fields.
func hideSecrets(fields workspace.Fields, doc json.RawMessage) (json.RawMessage, error) {
	if !fields.HasSecret() {
		return doc, nil
	}
	var input map[string]json.RawMessage
	if err := json.Unmarshal(doc, &input); err != nil {
		return nil, fmt.Errorf("decode input: %w", err)
	}
	for _, f := range fields {
		if f.Secret && input[f.Name] != nil && string(input[f.Name]) != "null" {
			input[f.Name] = json.RawMessage(`"` + runner.Mask + `"`)
		}
	}
	return json.Marshal(input)
}

// job is the job of that id, if the caller may see it.
func (p *Plane) job(ctx context.Context, tx *store.Tx, id string) (store.Job, error) {
	j, err := p.findJob(ctx, tx, id, auth.View)
	return j, noJob(id, err)
}

func (p *Plane) findJob(ctx context.Context, tx *store.Tx, id string, need auth.Perm) (store.Job, error) {
	j, err := tx.Job(id)
	if err == nil {
		if err = p.allow(ctx, need, j.Workspace, j.Folder, j.Task); errors.Is(err, errHidden) {
			j = store.Job{}
		}
	}
	return j, err
}

// JobList is a part of the list of jobs.
type JobList struct {
	Jobs  []store.Job
	Total int64 // that the filter chooses, not counting its limit
}

// Jobs lists the newest jobs first, of those that the caller may see.
func (p *Plane) Jobs(ctx context.Context, f store.JobFilter) (list JobList, err error) {
	f.Scope = p.scope(ctx)
	err = p.Store.View(ctx, func(tx *store.Tx) error {
		if f.Workspace != "" && f.Task == "" {
			if err := p.knownWorkspace(ctx, tx, f.Workspace); err != nil {
				return err
			}
		}
		if list.Jobs, err = tx.Jobs(f); err != nil {
			return err
		}
		list.Total, err = tx.CountJobs(f)
		return err
	})
	return list, err
}

// Stats counts all jobs by their state.
func (p *Plane) Stats(ctx context.Context) (counts map[store.Status]int64, err error) {
	counts = map[store.Status]int64{}
	for _, s := range store.JobStatuses {
		counts[s] = 0
	}
	scope := p.scope(ctx)
	err = p.Store.View(ctx, func(tx *store.Tx) error {
		for s := range counts {
			if counts[s], err = tx.CountJobs(store.JobFilter{Status: s, Scope: scope}); err != nil {
				return err
			}
		}
		return nil
	})
	return counts, err
}

// Cancel ends a job. A job that has ended already is a Conflict that says how
// it ended.
func (p *Plane) Cancel(ctx context.Context, id, reason string) error {
	var job store.Job
	err := p.Store.View(ctx, func(tx *store.Tx) (err error) {
		job, err = p.findJob(ctx, tx, id, auth.Run)
		return err
	})
	entry := store.AuditEntry{Action: "cancel", Workspace: job.Workspace, Task: job.Task, Job: id}
	if err != nil {
		return noJob(id, p.refused(ctx, entry, err))
	}
	if reason != "" {
		if entry.Detail, err = json.Marshal(map[string]string{"reason": cut(p.Runner.Secrets.Hide(reason), maxDetail)}); err != nil {
			return err
		}
	}
	err = p.Runner.Cancel(ctx, id, func(tx *store.Tx, _ *store.Job) error { return p.record(ctx, tx, entry) })
	var ended *runner.Ended
	if errors.As(err, &ended) {
		return &Error{Code: Conflict, Msg: ended.Error()}
	}
	return noJob(id, undone("the job was not cancelled", err))
}

// noJob is err as callers are told it: what is hidden and what is not there
// alike.
func noJob(id string, err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return missing("job", id, "", nil)
	}
	return err
}
