package web

import (
	"context"
	"encoding/json"
	"time"

	"stroem/control"
	"stroem/store"
	"stroem/workspace"
)

type serverConfig struct {
	AuthRequired    bool     `json:"auth_required"`
	ACLEnabled      bool     `json:"acl_enabled"`
	OIDCProviders   []string `json:"oidc_providers"`
	HasInternalAuth bool     `json:"has_internal_auth"`
	Version         string   `json:"version"`
}

func (s *site) config(context.Context, *struct{}) (serverConfig, error) {
	on := s.cfg.Gate != nil
	return serverConfig{AuthRequired: on, ACLEnabled: s.cfg.Plane.Policy != nil, OIDCProviders: []string{}, HasInternalAuth: on,
		Version: s.cfg.Version}, nil
}

// InWorkspace is a path that names a workspace. It is exported for huma, which
// fills in no others.
type InWorkspace struct {
	Workspace string `path:"ws" doc:"Workspace name"`
}

// OfTask is a path that names a task.
type OfTask struct {
	Workspace string `path:"ws" doc:"Workspace name"`
	Task      string `path:"task" doc:"Task name"`
}

func (s *site) workspaces(ctx context.Context, _ *struct{}) ([]store.WorkspaceInfo, error) {
	return s.cfg.Plane.Workspaces(ctx)
}

type refreshed struct {
	Workspace string `json:"workspace"`
	Revision  string `json:"revision"`
	Refreshed bool   `json:"refreshed"`
}

func (s *site) refresh(ctx context.Context, in *InWorkspace) (refreshed, error) {
	info, err := s.cfg.Plane.Refresh(ctx, in.Workspace)
	return refreshed{info.Name, info.Revision, true}, err
}

// trigger is a trigger as Strøm shows it, with what became of the times that it
// missed.
type trigger struct {
	Name     string   `json:"name"`
	Type     string   `json:"type"`
	Cron     string   `json:"cron,omitempty"`
	Timezone string   `json:"timezone,omitempty"`
	Task     string   `json:"task"`
	Target   string   `json:"target_task,omitempty"`
	Enabled  bool     `json:"enabled"`
	Input    object   `json:"input,omitempty"`
	NextRuns []string `json:"next_runs" doc:"The next five times at which it fires, in its time zone."`

	Outages []store.Outage `json:"outages,omitempty" doc:"What was decided about the times it missed, the newest first."`
}

func (s *site) triggers(ctx context.Context, in *InWorkspace) ([]trigger, error) {
	return s.triggersOf(ctx, in.Workspace, "")
}

func (s *site) triggersOf(ctx context.Context, ws, task string) ([]trigger, error) {
	all, err := s.cfg.Plane.Triggers(ctx, ws, task)
	if err != nil {
		return nil, err
	}
	list := []trigger{}
	for _, t := range all {
		shown := trigger{Name: t.Name, Type: t.Type, Cron: t.Cron, Timezone: t.Timezone, Task: t.Task, Target: t.TargetTask,
			Enabled: t.Enabled, Input: t.Input, NextRuns: []string{}, Outages: t.Outages}
		for _, at := range t.NextRuns {
			shown.NextRuns = append(shown.NextRuns, at.Format(time.RFC3339))
		}
		list = append(list, shown)
	}
	return list, nil
}

func (s *site) allTasks(ctx context.Context, _ *struct{}) ([]control.Task, error) {
	return s.cfg.Plane.Tasks(ctx, control.TaskFilter{})
}

func (s *site) tasks(ctx context.Context, in *InWorkspace) ([]control.Task, error) {
	return s.cfg.Plane.Tasks(ctx, control.TaskFilter{Workspace: in.Workspace})
}

// taskDetail is a task as Strøm shows it.
type taskDetail struct {
	ID          string    `json:"id"`
	Name        string    `json:"name,omitempty"`
	Description string    `json:"description,omitempty"`
	Mode        string    `json:"mode"`
	Folder      string    `json:"folder,omitempty"`
	Input       rawJSON   `json:"input" doc:"From each field's name to its definition."`
	Flow        rawJSON   `json:"flow" doc:"From each step's name to what it does, in the order of the flow."`
	Triggers    []trigger `json:"triggers"`
	CanExecute  bool      `json:"can_execute"`
	// Approval is a pointer so that it is left out where nothing is asked.
	Approval *workspace.TaskApproval `json:"approval,omitempty" doc:"Whose jobs wait for a person before they begin."`
	Error    string                  `json:"error,omitempty" doc:"Why the task cannot run yet."`
}

type flowStep struct {
	Action            string   `json:"action"`
	Name              string   `json:"name,omitempty"`
	Description       string   `json:"description,omitempty"`
	DependsOn         []string `json:"depends_on,omitempty"`
	Input             object   `json:"input,omitempty"`
	ContinueOnFailure bool     `json:"continue_on_failure,omitempty"`
	When              string   `json:"when,omitempty"`
}

func (s *site) task(ctx context.Context, in *OfTask) (taskDetail, error) {
	t, err := s.cfg.Plane.Task(ctx, in.Workspace, in.Task)
	if err != nil {
		return taskDetail{}, err
	}
	out := taskDetail{ID: t.Name, Name: t.Title, Description: t.Description, Mode: t.Mode, Folder: t.Folder,
		CanExecute: t.CanExecute, Approval: present(t.Approval), Error: t.Refusal()}
	if out.Input, err = t.Input.Shape(); err != nil {
		return out, err
	}
	var flow workspace.Ordered[flowStep]
	for _, step := range t.Flow {
		flow = append(flow, workspace.Member[flowStep]{Name: step.Name, Value: flowStep{step.Action.Name, step.Title,
			step.Description, step.DependsOn, step.Input, step.ContinueOnFailure, step.When}})
	}
	if out.Flow, err = json.Marshal(flow); err != nil {
		return out, err
	}
	out.Triggers, err = s.triggersOf(ctx, in.Workspace, t.Name)
	return out, err
}

// taskStats is control.TaskStats, described so that task may be null.
type taskStats struct {
	Window int                 `json:"window"`
	Task   any                 `json:"task" doc:"As one of steps, with recent runs; null where none has completed."`
	Steps  []control.Durations `json:"steps"`
}

func (s *site) taskStats(ctx context.Context, in *struct {
	OfTask
	Limit int `query:"limit" minimum:"1" maximum:"500" default:"50" doc:"How many runs to look at"`
}) (taskStats, error) {
	stats, err := s.cfg.Plane.TaskStats(ctx, in.Workspace, in.Task, in.Limit)
	return taskStats{stats.Window, stats.Task, stats.Steps}, err
}

type started struct {
	JobID string `json:"job_id"`
}

type executeBody struct {
	Input       rawJSON `json:"input,omitempty" doc:"From each field's name to its value."`
	SourceJobID string  `json:"source_job_id,omitempty" doc:"Not supported yet."`
}

func (s *site) execute(ctx context.Context, in *struct {
	OfTask
	OnceKey
	Body *executeBody
}) (started, error) {
	if in.Body == nil {
		in.Body = new(executeBody)
	}
	if in.Body.SourceJobID != "" {
		return started{}, &control.Error{Code: control.Invalid, Msg: "source_job_id cannot be used yet; send the input"}
	}
	input, err := control.ParseInput(in.Body.Input)
	if err != nil {
		return started{}, err
	}
	job, err := s.cfg.Plane.Execute(ctx, control.Execution{Workspace: in.Workspace, Task: in.Task, Input: input, Key: in.Key})
	return started{job.ID}, err
}
