package mcpsrv

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"stroem/control"
	"stroem/store"
)

// Parameters that several tools take.
func workspaceArg(opts ...mcp.PropertyOption) mcp.ToolOption {
	return mcp.WithString("workspace", append(opts, mcp.Description("Workspace name"))...)
}

func taskArg(opts ...mcp.PropertyOption) mcp.ToolOption {
	return mcp.WithString("task_name", append(opts, mcp.Description("Task name"))...)
}

// workspaces registers list_workspaces.
func (t tools) workspaces(s *server.MCPServer) {
	type item struct {
		Name  string `json:"name"`
		Tasks int    `json:"task_count"`
		Error string `json:"error,omitempty"`
	}
	add(s, mcp.NewTool("list_workspaces", reads(),
		mcp.WithDescription("List all workspaces and how many tasks each has.")),
		func(ctx context.Context, _ struct{}) (any, []string, error) {
			all, err := t.plane.Workspaces(ctx)
			list := []item{}
			for _, w := range all {
				list = append(list, item{w.Name, w.Tasks, control.Clean(w.Error)})
			}
			shown, notes := fitNote(list, "workspaces", "")
			return shown, notes, err
		})
}

// tasks registers list_tasks, get_task and execute_task.
func (t tools) tasks(s *server.MCPServer) {
	add(s, mcp.NewTool("list_tasks", reads(),
		mcp.WithDescription("List the tasks of a workspace, or of all workspaces."),
		workspaceArg()), t.listTasks)
	add(s, mcp.NewTool("get_task", reads(),
		mcp.WithDescription("Get a task's definition: what input it takes, and its steps with what each depends on."),
		workspaceArg(mcp.Required()), taskArg(mcp.Required())), t.getTask)
	add(s, mcp.NewTool("execute_task", acts(true, false),
		mcp.WithDescription("Start a task. Returns the job_id at once; get_job_status tells how the job goes on. "+
			"The input is checked first: get_task shows what the task takes."),
		workspaceArg(mcp.Required()), taskArg(mcp.Required()),
		mcp.WithObject("input", mcp.AdditionalProperties(true),
			mcp.Description("The task's input: an object from field name to value"))), t.executeTask)
}

func (t tools) listTasks(ctx context.Context, args struct {
	Workspace string `json:"workspace"`
}) (any, []string, error) {
	type item struct {
		Name        string `json:"name"`
		Description string `json:"description"`
		CanExecute  bool   `json:"can_execute"`
		Workspace   string `json:"workspace"`
		Folder      string `json:"folder,omitempty"`
	}
	all, err := t.plane.Tasks(ctx, args.Workspace)
	list := []item{}
	for _, k := range all {
		list = append(list, item{k.Name, control.Clean(k.Description), k.CanExecute, k.Workspace, k.Folder})
	}
	shown, notes := fitNote(list, "tasks", "; name a workspace to see only its own, or get_task by name")
	return shown, notes, err
}

func (t tools) getTask(ctx context.Context, args struct {
	Workspace string `json:"workspace"`
	Task      string `json:"task_name"`
}) (any, []string, error) {
	type step struct {
		Name      string   `json:"name"`
		Action    string   `json:"action"`
		DependsOn []string `json:"depends_on,omitempty"`
		When      string   `json:"when,omitempty"`
	}
	type task struct {
		Name        string          `json:"name"`
		Description string          `json:"description"`
		Input       json.RawMessage `json:"input"`
		Flow        []step          `json:"flow"`
		Workspace   string          `json:"workspace"`
		Folder      string          `json:"folder,omitempty"`
		CanExecute  bool            `json:"can_execute"`
		Error       string          `json:"error,omitempty"`
	}
	found, err := t.plane.Task(ctx, args.Workspace, args.Task)
	if err != nil {
		return nil, nil, err
	}
	out := task{Name: found.Name, Description: control.Clean(found.Description), Flow: []step{}, Workspace: found.Workspace,
		Folder: found.Folder, CanExecute: true, Error: found.Refusal()}
	if out.Input, err = found.Input.Shape(); err != nil {
		return nil, nil, err
	}
	for _, s := range found.Flow {
		out.Flow = append(out.Flow, step{s.Name, s.Action.Name, s.DependsOn, s.When})
	}
	return out, nil, nil
}

func (t tools) executeTask(ctx context.Context, args struct {
	Workspace string   `json:"workspace"`
	Task      string   `json:"task_name"`
	Input     inputArg `json:"input"`
}) (any, []string, error) {
	job, err := t.plane.Execute(ctx, control.Execution{
		Workspace: args.Workspace, Task: args.Task, Input: args.Input, Source: store.SourceMCP,
	})
	return map[string]string{"job_id": job.ID}, nil, err
}

// inputArg is the input of a task: an object, or, as some clients send it, a
// string that holds one.
type inputArg map[string]any

// UnmarshalJSON implements json.Unmarshaler.
func (in *inputArg) UnmarshalJSON(doc []byte) (err error) {
	*in, err = control.ParseInput(doc)
	if err != nil {
		return fmt.Errorf("argument \"input\": %w; get_task shows the fields", err)
	}
	return nil
}
