package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"stroem/auth"
	"stroem/store"
	"stroem/workspace"
)

// errHidden: the caller may not see it, so it does not exist for them. No door
// ever tells it apart from what is not there.
var errHidden = fmt.Errorf("hidden from the caller: %w", store.ErrNotFound)

// allow is the one rule on access: what you may not see does not exist, and
// what you may only see you may not change. Errors: errHidden, Forbidden.
func (p *Plane) allow(ctx context.Context, need auth.Perm, ws, folder, task string) error {
	d := p.Policy.Decide(auth.From(ctx), ws, folder, task)
	switch {
	case d.Perm >= need:
		return nil
	case d.Perm == auth.Deny:
		return errHidden
	}
	return &Error{Code: Forbidden, Msg: fmt.Sprintf("you may view task %q but not run it: that needs the right %q; ask an admin for it", task, need)}
}

// scope is what the caller may see; nil is everything.
func (p *Plane) scope(ctx context.Context) *store.Scope { return p.Policy.Scope(auth.From(ctx)) }

// mayRunAny reports whether the caller may run a task of the workspace.
func (p *Plane) mayRunAny(ctx context.Context, tx *store.Tx, ws string) (bool, error) {
	if p.allow(ctx, auth.Run, ws, "", "") == nil {
		return true, nil
	}
	tasks, err := tx.Tasks(ws)
	for _, t := range tasks {
		if p.allow(ctx, auth.Run, ws, t.Folder, t.Name) == nil {
			return true, nil
		}
	}
	return false, err
}

// canExecute reports whether the caller may run the task.
func (p *Plane) canExecute(ctx context.Context, ws, folder, task string) bool {
	return p.allow(ctx, auth.Run, ws, folder, task) == nil
}

// narrowed is a workspace as a caller sees it who does not see all of it:
// nothing in it tells of what is hidden.
func narrowed(tx *store.Tx, w store.WorkspaceInfo, scope *store.Scope) (store.WorkspaceInfo, error) {
	if scope == nil {
		return w, nil
	}
	folders, err := folders(tx, w.Name)
	if err != nil {
		return w, err
	}
	triggers, err := tx.Triggers(w.Name)
	if err != nil {
		return w, err
	}
	w.Tasks, w.Triggers = 0, len(visible(triggers, w.Name, folders, scope))
	for task, folder := range folders {
		if scope.Allows(w.Name, folder, task) {
			w.Tasks++
		}
	}
	w.Warnings = nil
	if w.Error != "" {
		w.Error = "the workspace does not load in full; those who may see all of it are told why"
	}
	return w, nil
}

// folders maps the tasks of a workspace to their folders.
func folders(tx *store.Tx, ws string) (map[string]string, error) {
	tasks, err := tx.Tasks(ws)
	by := make(map[string]string, len(tasks))
	for _, t := range tasks {
		by[t.Name] = t.Folder
	}
	return by, err
}

// visible are the triggers all of whose tasks the caller sees.
func visible(all []workspace.Trigger, ws string, folders map[string]string, scope *store.Scope) []workspace.Trigger {
	var list []workspace.Trigger
	for _, t := range all {
		if scope.Allows(ws, folders[t.Task], t.Task) && (t.TargetTask == "" || scope.Allows(ws, folders[t.TargetTask], t.TargetTask)) {
			list = append(list, t)
		}
	}
	return list
}

// origin is what a job says of who began it.
func origin(who auth.Principal) (source store.SourceType, id string) {
	switch {
	case who.Door == auth.MCP:
		return store.SourceMCP, who.Email
	case who.Via == auth.Anonymous || who.Via == auth.Local:
		return store.SourceAPI, ""
	}
	return store.SourceUser, who.Email
}

// maxDetail is the most that an audit record says of an input, in bytes.
const maxDetail = 4 << 10

// record adds to the audit log, in the transaction of what it tells of.
func (p *Plane) record(ctx context.Context, tx *store.Tx, e store.AuditEntry) error {
	who := auth.From(ctx).Entry(p.Now(), e.Action, "ok")
	e.At, e.Who, e.Key, e.Addr, e.Door = who.At, who.Who, who.Key, who.Addr, who.Door
	if e.Result == "" {
		e.Result = who.Result
	}
	return tx.AppendAudit(&e)
}

// cut is as much of a caller's text as is kept or repeated.
func cut(text string, most int) string {
	if len(text) > most {
		text = text[:most] + "…"
	}
	return strings.ToValidUTF8(text, "�")
}

// refused adds to the audit log that the caller was refused what they asked
// for, if err says so, and returns err. Where things are hidden from the
// caller, so it does for what is not there: the time that a record takes must
// not tell the two apart.
func (p *Plane) refused(ctx context.Context, e store.AuditEntry, err error) error {
	result := "not allowed"
	switch {
	case CodeOf(err) == Forbidden, errors.Is(err, errHidden):
	case errors.Is(err, store.ErrNotFound) && p.scope(ctx) != nil:
		result = "not there"
	default:
		return err
	}
	write, last := p.refusals.Take(p.Now(), auth.From(ctx))
	if !write {
		return err
	}
	if last {
		result += "; what is refused in the next minute is not all written down"
	}
	e.Workspace, e.Task, e.Job = cut(e.Workspace, maxEcho), cut(e.Task, maxEcho), cut(e.Job, maxEcho)
	e.Detail, e.Action, e.Result = json.RawMessage(`{"asked":"`+e.Action+`"}`), "refuse", result
	audit := p.Store.Update(context.WithoutCancel(ctx), func(tx *store.Tx) error { return p.record(ctx, tx, e) })
	return errors.Join(err, audit)
}

// inputDetail is an input as the audit log keeps it: what is secret masked, and
// only its size where it is long.
func (p *Plane) inputDetail(fields workspace.Fields, input json.RawMessage) (json.RawMessage, error) {
	shown, err := hideSecrets(fields, input)
	if err != nil {
		return nil, err
	}
	if len(shown) > maxDetail {
		return json.Marshal(map[string]int{"input_bytes": len(input)})
	}
	return json.Marshal(map[string]json.RawMessage{"input": p.Runner.Secrets.HideJSON(shown)})
}
