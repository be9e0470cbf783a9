package mcpsrv

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"stroem/control"
	"stroem/store"
	"stroem/workspace"
)

// lastJobs is how many of its runs a task shows.
const lastJobs = 3

// Parameters that several tools take.
func workspaceArg(opts ...mcp.PropertyOption) mcp.ToolOption {
	return mcp.WithString("workspace", append(opts, mcp.Description("Workspace name"))...)
}

func taskArg(opts ...mcp.PropertyOption) mcp.ToolOption {
	return mcp.WithString("task_name", append(opts, mcp.Description("Task name"))...)
}

func inputOption() mcp.ToolOption {
	return mcp.WithObject("input", mcp.AdditionalProperties(true),
		mcp.Description("The task's input: an object from field name to value"))
}

// tasks registers the tools that look at tasks and start them.
func (t tools) tasks(s *server.MCPServer) {
	add(s, mcp.NewTool("list_workspaces", reads(),
		mcp.WithDescription("List all workspaces and how many tasks each has.")), t.listWorkspaces)
	add(s, mcp.NewTool("list_tasks", append(pageOptions("tasks"), reads(),
		mcp.WithDescription("List the tasks of a workspace, or of all workspaces."),
		workspaceArg(), mcp.WithString("search", mcp.Description("Only tasks with this in their name or description")))...),
		t.listTasks)
	add(s, mcp.NewTool("get_task", reads(),
		mcp.WithDescription("Get a task's definition: its input as fields and as a JSON Schema, an example of an execute_task call, "+
			"its steps with what each depends on, its triggers and its last jobs."),
		workspaceArg(mcp.Required()), taskArg(mcp.Required())), t.getTask)
	add(s, mcp.NewTool("execute_task", acts(true, false),
		mcp.WithDescription("Start a task and return its job_id; with wait_seconds also how the job ended, as get_job_status tells it. "+
			"The input is checked before anything starts: get_task shows what the task takes."),
		workspaceArg(mcp.Required()), taskArg(mcp.Required()), inputOption(), waitArg(),
		mcp.WithString("idempotency_key", mcp.Description("Any text of yours: the same call with the same key gives the first job again, for 24 hours"))),
		t.executeTask)
	add(s, mcp.NewTool("plan_task", reads(),
		mcp.WithDescription("Show what execute_task would do with an input, and start nothing: each step's command with secrets masked, "+
			"and whether a person must approve. What a step will read of another one's output stands as <step.output.name>."),
		workspaceArg(mcp.Required()), taskArg(mcp.Required()), inputOption()), t.planTask)
}

type workspaceItem struct {
	Name  string `json:"name"`
	Tasks int    `json:"task_count"`
	Error string `json:"error,omitempty"`
}

type workspaceList struct {
	Workspaces []workspaceItem `json:"workspaces"`
}

func (t tools) listWorkspaces(ctx context.Context, _ struct{}) (out reply[workspaceList], err error) {
	all, err := t.plane.Workspaces(ctx)
	list := []workspaceItem{}
	for _, w := range all {
		list = append(list, workspaceItem{w.Name, w.Tasks, control.Clean(w.Error)})
	}
	shown := fit(list, maxResult-2)
	if len(shown) < len(list) {
		out.Notes = []string{fmt.Sprintf("%d of %d workspaces are shown", len(shown), len(list))}
	}
	out.Data.Workspaces, out.Text = shown, shown
	return out, err
}

type taskItem struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	CanExecute  bool   `json:"can_execute"`
	Workspace   string `json:"workspace"`
	Folder      string `json:"folder,omitempty"`
}

type taskList struct {
	Tasks []taskItem `json:"tasks"`
	Total int        `json:"total"`
	Next  string     `json:"next_cursor,omitempty"`
}

func (t tools) listTasks(ctx context.Context, args struct {
	pageArgs
	Workspace string `json:"workspace"`
	Search    string `json:"search"`
}) (out reply[taskList], err error) {
	limit, err := args.size()
	if err != nil {
		return out, err
	}
	all, err := t.plane.Tasks(ctx, control.TaskFilter{Workspace: args.Workspace, Search: args.Search})
	var rest []taskItem
	for _, k := range all {
		if cursor := k.Workspace + "/" + k.Name; cursor > args.Cursor {
			rest = append(rest, taskItem{k.Name, control.Clean(k.Description), k.CanExecute, k.Workspace, k.Folder})
		}
	}
	shown, next := page(rest, limit, func(i taskItem) string { return i.Workspace + "/" + i.Name })
	out.Data = taskList{append([]taskItem{}, shown...), len(all), next}
	out.Text, out.Notes = out.Data.Tasks, goOn(len(shown), len(all), "tasks", next)
	return out, err
}

type taskStep struct {
	Name      string   `json:"name"`
	Action    string   `json:"action"`
	DependsOn []string `json:"depends_on,omitempty"`
	When      string   `json:"when,omitempty"`
}

type taskTrigger struct {
	Name     string `json:"name"`
	Type     string `json:"type"`
	Cron     string `json:"cron,omitempty"`
	Timezone string `json:"timezone,omitempty"`
	Enabled  bool   `json:"enabled"`
	NextRun  string `json:"next_run,omitempty" jsonschema:"in its time zone"`
}

type taskRun struct {
	ID        string       `json:"job_id"`
	Status    store.Status `json:"status"`
	CreatedAt time.Time    `json:"created_at"`
	Duration  *float64     `json:"duration_secs,omitempty"`
}

// executeCall are the arguments of a call of execute_task.
type executeCall struct {
	Workspace string         `json:"workspace"`
	Task      string         `json:"task_name"`
	Input     map[string]any `json:"input"`
}

type taskDetail struct {
	Name        string                 `json:"name"`
	Description string                 `json:"description"`
	Input       json.RawMessage        `json:"input"`
	Flow        []taskStep             `json:"flow"`
	Workspace   string                 `json:"workspace"`
	Folder      string                 `json:"folder,omitempty"`
	CanExecute  bool                   `json:"can_execute"`
	InputSchema json.RawMessage        `json:"input_schema,omitempty"`
	Example     *executeCall           `json:"example,omitempty" jsonschema:"the arguments of an execute_task call"`
	Triggers    []taskTrigger          `json:"triggers,omitempty"`
	LastJobs    []taskRun              `json:"last_jobs"`
	Approval    workspace.TaskApproval `json:"approval,omitzero" jsonschema:"whose jobs wait for a person before their first step"`
	Error       string                 `json:"error,omitempty" jsonschema:"why the task cannot run"`
}

func (t tools) getTask(ctx context.Context, args struct {
	Workspace string `json:"workspace"`
	Task      string `json:"task_name"`
}) (out reply[taskDetail], err error) {
	found, err := t.plane.Task(ctx, args.Workspace, args.Task)
	if err != nil {
		return out, err
	}
	d := taskDetail{Name: found.Name, Description: control.Clean(found.Description), Flow: []taskStep{}, Workspace: found.Workspace,
		Folder: found.Folder, CanExecute: found.CanExecute, Approval: found.Approval, Error: found.Refusal(),
		Example: &executeCall{found.Workspace, found.Name, found.Input.Example()}}
	if d.Input, err = found.Input.Shape(); err != nil {
		return out, err
	}
	if d.InputSchema, err = found.Input.Schema(); err != nil {
		return out, err
	}
	for _, s := range found.Flow {
		d.Flow = append(d.Flow, taskStep{s.Name, s.Action.Name, s.DependsOn, s.When})
	}
	if d.Triggers, err = t.triggersOf(ctx, args.Workspace, found.Name); err != nil {
		return out, err
	}
	if d.LastJobs, err = t.lastJobsOf(ctx, args.Workspace, found.Name); err != nil {
		return out, err
	}
	out.Data = d
	return out, bound(&out)
}

func (t tools) triggersOf(ctx context.Context, ws, task string) (list []taskTrigger, err error) {
	all, err := t.plane.Triggers(ctx, ws, task)
	for _, g := range all {
		shown := taskTrigger{Name: g.Name, Type: g.Type, Cron: g.Cron, Timezone: g.Timezone, Enabled: g.Enabled}
		if len(g.NextRuns) > 0 {
			shown.NextRun = g.NextRuns[0].Format(time.RFC3339)
		}
		list = append(list, shown)
	}
	return list, err
}

func (t tools) lastJobsOf(ctx context.Context, ws, task string) ([]taskRun, error) {
	list := []taskRun{}
	found, err := t.plane.Jobs(ctx, store.JobFilter{Workspace: ws, Task: task, Limit: lastJobs})
	for _, j := range found.Jobs {
		list = append(list, taskRun{j.ID, j.Status, j.CreatedAt, ranFor(&j)})
	}
	return list, err
}

// bound leaves out of a task what does not fit into a result, what says least
// first.
func bound(out *reply[taskDetail]) error {
	d := &out.Data
	for _, less := range []func() string{
		func() string { d.InputSchema = nil; return "input_schema was left out: input says the same" },
		func() string {
			all := len(d.Flow)
			d.Flow = fit(d.Flow, maxResult/3)
			return fmt.Sprintf("%d of %d steps are shown", len(d.Flow), all)
		},
		func() string {
			d.Description = d.Description[:min(len(d.Description), 1<<10)]
			return "the description is cut"
		},
		func() string {
			d.Input, d.Example = json.RawMessage("{}"), nil
			return "input was left out: it is too large to be shown"
		},
	} {
		text, err := compact(d)
		if err != nil || len(text) <= maxResult {
			return err
		}
		out.Notes = append(out.Notes, less())
	}
	return nil
}

type execution struct {
	JobID string `json:"job_id"`
	*jobStatus
}

func (t tools) executeTask(ctx context.Context, args struct {
	waitArgs
	Workspace string   `json:"workspace"`
	Task      string   `json:"task_name"`
	Input     inputArg `json:"input"`
	Key       string   `json:"idempotency_key"`
}) (out reply[execution], err error) {
	if err := args.check(); err != nil {
		return out, err
	}
	job, err := t.plane.Execute(ctx, control.Execution{Workspace: args.Workspace, Task: args.Task, Input: args.Input, Key: args.Key})
	if err != nil {
		return out, err
	}
	return t.begun(ctx, job.ID, args.waitArgs)
}

// begun is a job that the call began, and, after a wait, how it stands.
func (t tools) begun(ctx context.Context, id string, w waitArgs) (out reply[execution], err error) {
	out.Data.JobID = id
	if w.Wait == 0 {
		return out, nil
	}
	status, err := t.statusOf(ctx, id, w)
	out.Data.jobStatus, out.Notes = &status.Data, status.Notes
	return out, err
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
