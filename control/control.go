// Package control is everything a caller may ask, and who may ask it: the one
// front door behind MCP, REST and the command line.
package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"stroem/runner"
	"stroem/store"
	"stroem/workspace"
)

// Plane answers callers. Its fields are set before use and not changed after.
type Plane struct {
	Store   *store.Store
	Runner  *runner.Runner
	Folders []Folder // the workspaces
	// Retention says which jobs Upkeep deletes.
	Retention Retention
	Log       *slog.Logger
	Now       func() time.Time

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

// missing is the error for a name that is not there, with its nearest
// neighbour among those that are.
func missing(noun, name, where string, known []string) *Error {
	msg := fmt.Sprintf("no %s %q%s", noun, name, where)
	if near := workspace.Nearest(name, known); near != "" {
		msg += fmt.Sprintf("; did you mean %q?", near)
	}
	return &Error{Code: NotFound, Noun: noun, Msg: msg}
}

// Workspaces lists all workspaces by name.
func (p *Plane) Workspaces(ctx context.Context) (list []store.WorkspaceInfo, err error) {
	err = p.Store.View(ctx, func(tx *store.Tx) error {
		list, err = tx.Workspaces()
		return err
	})
	return list, err
}

// Task is a task in a list, with what the caller may do with it.
type Task struct {
	store.TaskInfo
	CanExecute bool `json:"can_execute"`
}

// TaskFilter chooses tasks; a zero field chooses all.
type TaskFilter struct {
	Workspace string
	Search    string // in name and description, without case
}

func (f *TaskFilter) chooses(t *store.TaskInfo) bool {
	in := func(s string) bool { return strings.Contains(strings.ToLower(s), strings.ToLower(f.Search)) }
	return f.Search == "" || in(t.Name) || in(t.Title) || in(t.Description)
}

// Tasks lists tasks by workspace and name.
func (p *Plane) Tasks(ctx context.Context, f TaskFilter) ([]Task, error) {
	list := []Task{}
	err := p.Store.View(ctx, func(tx *store.Tx) error {
		if f.Workspace != "" {
			if err := p.knownWorkspace(tx, f.Workspace); err != nil {
				return err
			}
		}
		found, err := tx.Tasks(f.Workspace)
		for _, t := range found {
			if f.chooses(&t) {
				list = append(list, Task{TaskInfo: t, CanExecute: true})
			}
		}
		return err
	})
	return list, err
}

func (p *Plane) knownWorkspace(tx *store.Tx, name string) error {
	all, err := tx.Workspaces()
	if err != nil {
		return err
	}
	var known []string
	for _, w := range all {
		if w.Name == name {
			return nil
		}
		known = append(known, w.Name)
	}
	return missing("workspace", name, "", known)
}

// TaskDetail is a task with its whole definition, and what the caller may do
// with it.
type TaskDetail struct {
	store.StoredTask
	CanExecute bool
}

// Task is the task of that name.
func (p *Plane) Task(ctx context.Context, ws, name string) (t TaskDetail, err error) {
	err = p.Store.View(ctx, func(tx *store.Tx) error {
		t.StoredTask, err = p.task(tx, ws, name)
		t.CanExecute = true
		return err
	})
	return t, err
}

func (p *Plane) task(tx *store.Tx, ws, name string) (store.StoredTask, error) {
	t, err := tx.Task(ws, name)
	if !errors.Is(err, store.ErrNotFound) {
		return t, err
	}
	if err := p.knownWorkspace(tx, ws); err != nil {
		return t, err
	}
	all, err := tx.Tasks(ws)
	if err != nil {
		return t, err
	}
	var known []string
	for _, t := range all {
		known = append(known, t.Name)
	}
	e := missing("task", name, fmt.Sprintf(" in workspace %q", ws), known)
	e.Workspace = ws
	if info, err := tx.Workspace(ws); err == nil && info.Error != "" {
		e.Msg += fmt.Sprintf(" (the workspace does not load in full: %s)", info.Error)
	}
	return t, e
}

// Execution asks for a run of a task.
type Execution struct {
	Workspace string
	Task      string
	Input     map[string]any
	Source    store.SourceType // the door it came in by
}

// ParseInput reads a task's input as callers send it: an object, or, as some
// clients of MCP do, a string that holds one; nothing and null are empty. No
// digit of a number is lost.
func ParseInput(doc []byte) (map[string]any, error) {
	var text string
	if json.Unmarshal(doc, &text) == nil {
		doc = []byte(text)
	}
	if s := bytes.TrimSpace(doc); len(s) == 0 || string(s) == "null" {
		return nil, nil
	}
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	var fields map[string]any
	if err := d.Decode(&fields); err != nil || d.More() {
		return nil, &Error{Code: Invalid, Msg: "the input must be a JSON object that maps the task's fields to values"}
	}
	return fields, nil
}

// Execute submits a job. The input is checked before one exists.
func (p *Plane) Execute(ctx context.Context, e Execution) (store.Job, error) {
	t, err := p.Task(ctx, e.Workspace, e.Task)
	if err != nil {
		return store.Job{}, err
	}
	agent := e.Source == store.SourceMCP
	job, err := p.Runner.Submit(ctx, runner.Request{
		Task: t.StoredTask, Input: e.Input, SourceType: e.Source, Agent: agent, Approval: agent && t.Approval.Agents,
	})
	return job, notStarted(t.Name, err)
}

// Preview renders the steps of a task as they would run, and starts nothing.
func (p *Plane) Preview(ctx context.Context, e Execution) ([]runner.Preview, error) {
	t, err := p.Task(ctx, e.Workspace, e.Task)
	if err != nil {
		return nil, err
	}
	list, err := p.Runner.Preview(t.StoredTask, e.Input)
	return list, notStarted(t.Name, err)
}

// notStarted tells the caller what of the task or of the input kept a job from
// being made.
func notStarted(task string, err error) error {
	var refused *runner.Refused
	var input *workspace.InputError
	switch {
	case errors.As(err, &refused):
		return &Error{Code: Invalid, Msg: refused.Reason}
	case errors.As(err, &input):
		return &Error{Code: Invalid, Msg: fmt.Sprintf("task %q was not started: %s", task, input.Error())}
	}
	return undone(fmt.Sprintf("task %q was not started", task), err)
}

// Step is one step of a job: how it stands, and what the plan says of it.
type Step struct {
	store.StepRun
	Action    string   `json:"action_name"`
	Type      string   `json:"action_type"`
	Runner    string   `json:"runner"`
	DependsOn []string `json:"depends_on"`
	// Of a step that waits for a person, or did: what it asked, and, while it
	// waits, the form to be filled in and until when.
	Message  string          `json:"approval_message,omitempty"`
	Form     json.RawMessage `json:"approval_fields,omitempty"`
	Deadline time.Time       `json:"approval_deadline,omitzero"`
}

// Job is a job with its steps, in the order of its flow.
type Job struct {
	store.Job
	Steps []Step `json:"steps"`
}

// Job is the job of that id.
func (p *Plane) Job(ctx context.Context, id string) (j Job, err error) {
	err = p.Store.View(ctx, func(tx *store.Tx) error {
		j, err = p.wholeJob(tx, id)
		return err
	})
	return j, err
}

func (p *Plane) wholeJob(tx *store.Tx, id string) (j Job, err error) {
	if j.Job, err = p.job(tx, id); err != nil {
		return j, err
	}
	plan, err := tx.Plan(j.Plan)
	if err != nil {
		return j, err
	}
	if j.Input, err = hideSecrets(plan.Input, j.Input); err != nil {
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
			Runner: "local", DependsOn: append([]string{}, step.DependsOn...)})
	}
	return j, j.waits(tx, plan.Flow)
}

// hideSecrets is the input as callers see it, without the values of secret
// fields.
func hideSecrets(fields workspace.Fields, doc json.RawMessage) (json.RawMessage, error) {
	if !slices.ContainsFunc(fields, func(f workspace.Field) bool { return f.Secret }) {
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

func (p *Plane) job(tx *store.Tx, id string) (store.Job, error) {
	j, err := tx.Job(id)
	if errors.Is(err, store.ErrNotFound) {
		err = missing("job", id, "", nil)
	}
	return j, err
}

// JobList is a part of the list of jobs.
type JobList struct {
	Jobs  []store.Job
	Total int64 // that the filter chooses, not counting its limit
}

// Jobs lists the newest jobs first.
func (p *Plane) Jobs(ctx context.Context, f store.JobFilter) (list JobList, err error) {
	err = p.Store.View(ctx, func(tx *store.Tx) error {
		if f.Workspace != "" && f.Task == "" {
			if err := p.knownWorkspace(tx, f.Workspace); err != nil {
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
	err = p.Store.View(ctx, func(tx *store.Tx) error {
		for s := range counts {
			if counts[s], err = tx.CountJobs(store.JobFilter{Status: s}); err != nil {
				return err
			}
		}
		return nil
	})
	return counts, err
}

// Cancel ends a job. A job that has ended already is a Conflict that says how
// it ended.
func (p *Plane) Cancel(ctx context.Context, id string) error {
	err := p.Runner.Cancel(ctx, id)
	var ended *runner.Ended
	switch {
	case errors.Is(err, store.ErrNotFound):
		return missing("job", id, "", nil)
	case errors.As(err, &ended):
		return &Error{Code: Conflict, Msg: ended.Error()}
	}
	return undone("the job was not cancelled", err)
}
