package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"stroem/auth"
	"stroem/runner"
	"stroem/store"
	"stroem/workspace"
)

// Workspaces lists by name the workspaces in which the caller may see anything.
func (p *Plane) Workspaces(ctx context.Context) ([]store.WorkspaceInfo, error) {
	list := []store.WorkspaceInfo{}
	scope := p.scope(ctx)
	err := p.Store.View(ctx, func(tx *store.Tx) error {
		all, err := tx.Workspaces()
		if err != nil {
			return err
		}
		for _, w := range all {
			if !scope.Touches(w.Name) {
				continue
			}
			if w, err = narrowed(tx, w, scope); err != nil {
				return err
			}
			list = append(list, w)
		}
		return nil
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

// maxSearch is the longest text that is looked for, in bytes.
const maxSearch = 1 << 10

func (f *TaskFilter) chooses(t *store.TaskInfo) bool {
	in := func(s string) bool { return strings.Contains(strings.ToLower(s), strings.ToLower(f.Search)) }
	return f.Search == "" || in(t.Name) || in(t.Title) || in(t.Description)
}

// Tasks lists the tasks that the caller may see, by workspace and name.
func (p *Plane) Tasks(ctx context.Context, f TaskFilter) ([]Task, error) {
	list := []Task{}
	if len(f.Search) > maxSearch {
		return list, &Error{Code: Invalid, Msg: fmt.Sprintf("search is longer than %d bytes", maxSearch)}
	}
	scope := p.scope(ctx)
	err := p.Store.View(ctx, func(tx *store.Tx) error {
		if f.Workspace != "" {
			if err := p.knownWorkspace(ctx, tx, f.Workspace); err != nil {
				return err
			}
		}
		found, err := tx.Tasks(f.Workspace)
		for _, t := range found {
			if scope.Allows(t.Workspace, t.Folder, t.Name) && f.chooses(&t) {
				list = append(list, Task{TaskInfo: t, CanExecute: p.canExecute(ctx, t.Workspace, t.Folder, t.Name)})
			}
		}
		return err
	})
	return list, err
}

// knownWorkspace is nil for a workspace in which the caller may see anything.
func (p *Plane) knownWorkspace(ctx context.Context, tx *store.Tx, name string) error {
	all, err := tx.Workspaces()
	if err != nil {
		return err
	}
	var known []string
	scope := p.scope(ctx)
	for _, w := range all {
		switch {
		case !scope.Touches(w.Name):
		case w.Name == name:
			return nil
		default:
			known = append(known, w.Name)
		}
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
		t.StoredTask, err = p.task(ctx, tx, ws, name)
		return err
	})
	if err == nil {
		t.CanExecute = p.canExecute(ctx, ws, t.Folder, t.Name)
	}
	return t, err
}

func (p *Plane) task(ctx context.Context, tx *store.Tx, ws, name string) (store.StoredTask, error) {
	t, err := p.findTask(ctx, tx, ws, name, auth.View)
	if errors.Is(err, store.ErrNotFound) {
		err = p.noTask(ctx, tx, ws, name)
	}
	return t, err
}

// findTask is the task of that name if the caller has that right on it.
func (p *Plane) findTask(ctx context.Context, tx *store.Tx, ws, name string, need auth.Perm) (store.StoredTask, error) {
	t, err := tx.Task(ws, name)
	if err != nil {
		return t, err
	}
	return t, p.allow(ctx, need, ws, t.Folder, t.Name)
}

// noTask says that there is no task of that name, as far as the caller may
// see.
func (p *Plane) noTask(ctx context.Context, tx *store.Tx, ws, name string) error {
	if err := p.knownWorkspace(ctx, tx, ws); err != nil {
		return err
	}
	all, err := tx.Tasks(ws)
	if err != nil {
		return err
	}
	var known []string
	scope := p.scope(ctx)
	for _, t := range all {
		if scope.Allows(ws, t.Folder, t.Name) {
			known = append(known, t.Name)
		}
	}
	e := missing("task", name, fmt.Sprintf(" in workspace %q", ws), known)
	e.Workspace = ws
	info, err := tx.Workspace(ws)
	if err != nil {
		return err
	}
	if info, err = narrowed(tx, info, scope); err != nil {
		return err
	}
	if info.Error != "" {
		e.Msg += fmt.Sprintf(" (the workspace does not load in full: %s)", info.Error)
	}
	return e
}

// Execution asks for a run of a task.
type Execution struct {
	Workspace string
	Task      string
	Input     map[string]any
	Key       string // a caller's own; the same key and call is one job for a day; "": one each time
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
	if err := CheckValues(doc); err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	var fields map[string]any
	if err := d.Decode(&fields); err != nil || d.More() {
		return nil, &Error{Code: Invalid, Msg: "the input must be a JSON object that maps the task's fields to values"}
	}
	return fields, nil
}

// Execute submits a job. The input is checked before one exists. Of a job that
// was begun with the same key before, the id alone is known.
func (p *Plane) Execute(ctx context.Context, e Execution) (store.Job, error) {
	t, err := p.runnable(ctx, e.Workspace, e.Task)
	if err != nil {
		return store.Job{}, err
	}
	who := auth.From(ctx)
	req := runner.Request{Task: t, Input: e.Input, Agent: who.IsAgent(), RequestedBy: who.Credential(),
		Approval: p.asksFirst(who, t.Workspace, t.Task)}
	if req.Once, err = p.once(who, &e); err != nil {
		return store.Job{}, err
	}
	req.SourceType, req.SourceID = origin(who)
	job, err := p.Runner.Submit(ctx, req, func(tx *store.Tx, job *store.Job) error {
		detail, err := p.inputDetail(t.Input, job.Input)
		if err != nil {
			return err
		}
		return p.record(ctx, tx, store.AuditEntry{Action: "execute", Workspace: t.Workspace, Task: t.Name, Job: job.ID, Detail: detail})
	})
	if errors.Is(err, store.ErrOtherCall) {
		err = &Error{Code: Conflict, Msg: fmt.Sprintf("idempotency_key %q was used for another call within the last day: "+
			"another task, or another input; take a new key for a new job", Clean(e.Key))}
	}
	return job, notStarted(t.Name, err)
}

// asksFirst reports whether a policy has a job of the caller wait for a person
// before it begins.
func (p *Plane) asksFirst(who auth.Principal, ws string, t *workspace.Task) bool {
	return who.IsAgent() && (t.Approval.Agents || p.Policy.Decide(who, ws, t.Folder, t.Name).Approval)
}

// runnable is the task if the caller may run it. That they may not is kept in
// the audit log.
func (p *Plane) runnable(ctx context.Context, ws, name string) (t store.StoredTask, err error) {
	var told error // what the caller is told, where that is less than err
	err = p.Store.View(ctx, func(tx *store.Tx) error {
		t, err = p.findTask(ctx, tx, ws, name, auth.Run)
		if errors.Is(err, store.ErrNotFound) {
			told = p.noTask(ctx, tx, ws, name)
		}
		return err
	})
	if err != nil {
		err = p.refused(ctx, store.AuditEntry{Action: "execute", Workspace: ws, Task: name}, err)
	}
	if told != nil && errors.Is(err, store.ErrNotFound) {
		return store.StoredTask{}, told
	}
	return t, err
}

// maxTold is the most that is said of what is wrong with an input, in bytes.
const maxTold = 8 << 10

// notStarted tells the caller what of the task or of the input kept a job from
// being made.
func notStarted(task string, err error) error {
	var refused *runner.Refused
	var input *workspace.InputError
	switch {
	case errors.As(err, &refused):
		return &Error{Code: Invalid, Msg: refused.Reason}
	case errors.As(err, &input):
		return &Error{Code: Invalid, Msg: fmt.Sprintf("task %q was not started: %s", task, cut(input.Error(), maxTold))}
	}
	return undone(fmt.Sprintf("task %q was not started", task), err)
}
