package store

import (
	"cmp"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"stroem/workspace"
)

// WorkspaceInfo is a loaded workspace without its tasks.
type WorkspaceInfo struct {
	Name        string    `json:"name"`
	Tasks       int       `json:"tasks_count"`
	Actions     int       `json:"actions_count"`
	Triggers    int       `json:"triggers_count"`
	Connections int       `json:"connections_count"` // none can be used yet
	Revision    string    `json:"revision"`
	Error       string    `json:"error,omitempty"` // what does not load
	Warnings    []string  `json:"warnings,omitempty"`
	Dir         string    `json:"-"`
	LoadedAt    time.Time `json:"-"`
}

// TaskInfo is a task in a list.
type TaskInfo struct {
	Workspace   string `json:"workspace"`
	Name        string `json:"id"`
	Title       string `json:"name,omitempty"`
	Description string `json:"description,omitempty"`
	Mode        string `json:"mode"`
	Folder      string `json:"folder,omitempty"`
	HasTriggers bool   `json:"has_triggers"`
}

// StoredTask is a linked task with what a job copies from its workspace.
type StoredTask struct {
	*workspace.Task
	Workspace string
	Revision  string
	Dir       string
}

// ReplaceWorkspace puts what was loaded in the place of what was there. Tasks
// and triggers of files that do not load now (ws.Broken) stay as they last were.
func (tx *Tx) ReplaceWorkspace(name, dir string, ws *workspace.Workspace, at time.Time) error {
	if err := tx.putWorkspace(name, dir, ws, at); err != nil {
		return fmt.Errorf("workspace %q: %w", name, err)
	}
	files, err := tx.taskFiles(name)
	if err != nil {
		return err
	}
	broken := ws.Broken()
	for task, file := range files {
		if slices.Contains(broken, file) {
			continue
		}
		if _, err := tx.exec(`DELETE FROM task WHERE workspace = ? AND name = ?`, name, task); err != nil {
			return err
		}
	}
	for _, t := range ws.Tasks {
		body, err := json.Marshal(t)
		if err != nil {
			return fmt.Errorf("task %q: %w", t.Name, err)
		}
		if _, err := tx.exec(`INSERT OR REPLACE INTO task (workspace, name, title, mode, folder, file, description,
			revision, body) VALUES (?,?,?,?,?,?,?,?,?)`, name, t.Name, t.Title, t.Mode, t.Folder, t.File, t.Description, ws.Revision, string(body)); err != nil {
			return fmt.Errorf("task %q: %w", t.Name, err)
		}
	}
	tx.touch(TopicTasks)
	return nil
}

func (tx *Tx) putWorkspace(name, dir string, ws *workspace.Workspace, at time.Time) error {
	list, err := tx.keptTriggers(name, ws)
	if err != nil {
		return err
	}
	triggers, err := json.Marshal(list)
	if err != nil {
		return err
	}
	warnings := []string{}
	for _, p := range ws.Problems {
		if p.Warning {
			warnings = append(warnings, p.String())
		}
	}
	warned, err := json.Marshal(warnings)
	if err != nil {
		return err
	}
	_, err = tx.exec(`INSERT INTO workspace (name, dir, revision, error, loaded_at, actions, triggers, warnings)
		VALUES (?,?,?,?,?,?,?,?) ON CONFLICT (name) DO UPDATE SET dir = excluded.dir, revision = excluded.revision,
		error = excluded.error, loaded_at = excluded.loaded_at, actions = excluded.actions, triggers = excluded.triggers,
		warnings = excluded.warnings`, name, dir, ws.Revision, ws.Err(), at.UnixMilli(), len(ws.Actions), string(triggers), string(warned))
	return err
}

// keptTriggers are the triggers that were loaded, and those of files that do
// not load now, by name.
func (tx *Tx) keptTriggers(name string, ws *workspace.Workspace) ([]*workspace.Trigger, error) {
	list := append([]*workspace.Trigger{}, ws.Triggers...)
	broken := ws.Broken()
	if len(broken) == 0 {
		return list, nil
	}
	before, err := tx.Triggers(name)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return nil, err
	}
	for i := range before {
		same := func(t *workspace.Trigger) bool { return t.Name == before[i].Name }
		if slices.Contains(broken, before[i].File) && !slices.ContainsFunc(ws.Triggers, same) {
			list = append(list, &before[i])
		}
	}
	slices.SortFunc(list, func(a, b *workspace.Trigger) int { return cmp.Compare(a.Name, b.Name) })
	return list, nil
}

// taskFiles maps the workspace's tasks to the files that define them.
func (tx *Tx) taskFiles(name string) (map[string]string, error) {
	files := map[string]string{}
	err := tx.rows(func(r *sql.Rows) error {
		var task, file string
		defer func() { files[task] = file }()
		return r.Scan(&task, &file)
	}, `SELECT name, file FROM task WHERE workspace = ?`, name)
	return files, err
}

// KeepWorkspaces drops every workspace that is not named.
func (tx *Tx) KeepWorkspaces(names []string) error {
	all, err := tx.Workspaces()
	if err != nil {
		return err
	}
	for _, w := range all {
		if slices.Contains(names, w.Name) {
			continue
		}
		if _, err := tx.exec(`DELETE FROM workspace WHERE name = ?`, w.Name); err != nil {
			return err
		}
		tx.touch(TopicTasks)
	}
	return nil
}

// SetWorkspaceError records why a workspace cannot be read; its tasks stay.
func (tx *Tx) SetWorkspaceError(name, dir, text string, at time.Time) error {
	tx.touch(TopicTasks)
	_, err := tx.exec(`INSERT INTO workspace (name, dir, revision, error, loaded_at) VALUES (?,?,'',?,?)
		ON CONFLICT (name) DO UPDATE SET error = excluded.error`, name, dir, text, at.UnixMilli())
	return err
}

// Workspaces lists all workspaces by name.
func (tx *Tx) Workspaces() ([]WorkspaceInfo, error) {
	list := []WorkspaceInfo{}
	err := tx.rows(func(r *sql.Rows) error {
		var w WorkspaceInfo
		var warnings []byte
		if err := r.Scan(&w.Name, &w.Dir, &w.Revision, &w.Error, stamp{&w.LoadedAt}, &w.Actions, &w.Triggers, &warnings,
			&w.Tasks); err != nil {
			return err
		}
		list = append(list, w)
		return json.Unmarshal(warnings, &list[len(list)-1].Warnings)
	}, `SELECT name, dir, revision, error, loaded_at, actions, json_array_length(triggers), warnings,
		(SELECT count(*) FROM task WHERE workspace = workspace.name) FROM workspace ORDER BY name`)
	return list, err
}

// Workspace is the workspace of that name, or ErrNotFound.
func (tx *Tx) Workspace(name string) (WorkspaceInfo, error) {
	all, err := tx.Workspaces()
	for _, w := range all {
		if w.Name == name {
			return w, err
		}
	}
	return WorkspaceInfo{}, errors.Join(err, ErrNotFound)
}

// Triggers lists the triggers of a workspace by name, or ErrNotFound.
func (tx *Tx) Triggers(ws string) (list []workspace.Trigger, err error) {
	var doc []byte
	if err := tx.row(`SELECT triggers FROM workspace WHERE name = ?`, []any{ws}, &doc); err != nil {
		return nil, err
	}
	return list, json.Unmarshal(doc, &list)
}

// Tasks lists the tasks of one workspace, or of all when it is "", by
// workspace and name.
func (tx *Tx) Tasks(ws string) ([]TaskInfo, error) {
	list := []TaskInfo{}
	err := tx.rows(func(r *sql.Rows) error {
		var t TaskInfo
		defer func() { list = append(list, t) }()
		return r.Scan(&t.Workspace, &t.Name, &t.Title, &t.Description, &t.Mode, &t.Folder, &t.HasTriggers)
	}, `SELECT t.workspace, t.name, t.title, t.description, t.mode, t.folder,
		EXISTS (SELECT 1 FROM json_each(w.triggers) WHERE value ->> 'task' = t.name)
		FROM task t JOIN workspace w ON w.name = t.workspace
		WHERE ? IN ('', t.workspace) ORDER BY t.workspace, t.name`, ws)
	return list, err
}

// Task is a task with all that is needed to run it, or ErrNotFound.
func (tx *Tx) Task(ws, name string) (StoredTask, error) {
	t := StoredTask{Task: new(workspace.Task), Workspace: ws}
	var body []byte
	err := tx.row(`SELECT t.body, t.revision, w.dir FROM task t JOIN workspace w ON w.name = t.workspace
		WHERE t.workspace = ? AND t.name = ?`, []any{ws, name}, &body, &t.Revision, &t.Dir)
	if err != nil {
		return t, err
	}
	return t, json.Unmarshal(body, t.Task)
}
