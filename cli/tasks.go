package cli

import (
	"fmt"

	"stroem/control"
	"stroem/store"
	"stroem/workspace"
)

type tasksCmd struct {
	Workspace string `short:"w" placeholder:"NAME" help:"Only this workspace's (all)."`
	Path      string `placeholder:"DIR" type:"path" help:"List the tasks of this folder, without a server."`
}

// Help shows how the command is used.
func (tasksCmd) Help() string {
	return shown("stroem tasks", "stroem tasks -w ops", "stroem tasks --path ~/ops")
}

func (c *tasksCmd) Run(e *env) error {
	if c.Path != "" {
		return c.local(e)
	}
	server, err := e.client()
	if err != nil {
		return err
	}
	path := api("tasks")
	if c.Workspace != "" {
		path = api("workspaces", c.Workspace, "tasks")
	}
	if err := show(e, server, path, nil, func(list []control.Task) { listTasks(e, list, true) }); err != nil {
		return err
	}
	return c.warn(e, server)
}

// warn tells of workspaces that did not load, since their tasks are missing
// from the list.
func (c *tasksCmd) warn(e *env, server *client) error {
	var all []store.WorkspaceInfo
	if err := server.get(e.ctx, api("workspaces"), nil, &all); err != nil {
		return err
	}
	for _, w := range all {
		if w.Error != "" && (c.Workspace == "" || c.Workspace == w.Name) {
			fmt.Fprintf(e.stderr, "stroem: workspace %q: %s\n", clean(w.Name), oneLine(w.Error))
		}
	}
	return nil
}

func (c *tasksCmd) local(e *env) error {
	ws, err := (&inFolder{Path: c.Path}).load(e)
	if err != nil {
		return err
	}
	list := []control.Task{}
	for _, t := range ws.Tasks {
		list = append(list, control.Task{CanExecute: true, TaskInfo: store.TaskInfo{Workspace: localName, Name: t.Name, Title: t.Title,
			Description: t.Description, Mode: t.Mode, Folder: t.Folder, HasTriggers: len(triggersOf(ws.Triggers, t.Name)) > 0}})
	}
	if e.json {
		return e.printJSON(list)
	}
	listTasks(e, list, false)
	return nil
}

// triggersOf are the triggers that start the task.
func triggersOf(all []*workspace.Trigger, task string) []*workspace.Trigger {
	list := []*workspace.Trigger{}
	for _, t := range all {
		if t.Task == task {
			list = append(list, t)
		}
	}
	return list
}

func listTasks(e *env, list []control.Task, named bool) {
	if len(list) == 0 {
		e.println("There are no tasks here; `stroem init` writes a first one.")
		return
	}
	var rows [][]string
	for _, t := range list {
		row := []string{t.Name}
		if named {
			row = append(row, t.Workspace)
		}
		about := t.Description
		if about == "" {
			about = t.Title
		}
		rows = append(rows, append(row, t.Folder, about))
	}
	cols := []column{{head: "TASK", least: 16, paint: paint.bold}}
	if named {
		cols = append(cols, column{head: "WORKSPACE", least: 9})
	}
	e.table(append(cols, column{head: "FOLDER", least: 8}, column{head: "DESCRIPTION", least: 12}), rows)
}
