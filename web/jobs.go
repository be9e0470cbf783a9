package web

import (
	"context"
	"time"

	"stroem/control"
	"stroem/store"
)

func (s *site) stats(ctx context.Context, _ *struct{}) (map[store.Status]int64, error) {
	return s.cfg.Plane.Stats(ctx)
}

// JobItem is a job in a list, as Strøm shows it: with null for what is not
// there. It is exported for huma, which describes no other embedded type.
type JobItem struct {
	ID           string           `json:"job_id"`
	Workspace    string           `json:"workspace"`
	Task         string           `json:"task_name"`
	Mode         string           `json:"mode"`
	Status       store.Status     `json:"status"`
	SourceType   store.SourceType `json:"source_type"`
	SourceID     *string          `json:"source_id"`
	Revision     string           `json:"revision"`
	CreatedAt    time.Time        `json:"created_at"`
	StartedAt    *time.Time       `json:"started_at"`
	CompletedAt  *time.Time       `json:"completed_at"`
	RetryOf      *string          `json:"retry_of_job_id"`
	RetryJob     *string          `json:"retry_job_id"`
	RetryAttempt int              `json:"retry_attempt"`
	MaxRetries   int              `json:"max_retries"`
}

func itemOf(j *store.Job) JobItem {
	return JobItem{ID: j.ID, Workspace: j.Workspace, Task: j.Task, Mode: "distributed", Status: j.Status, SourceType: j.SourceType,
		SourceID: present(j.SourceID), Revision: j.Revision, CreatedAt: j.CreatedAt, StartedAt: present(j.StartedAt),
		CompletedAt: present(j.CompletedAt)}
}

// present is nil for the zero value.
func present[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

type jobList struct {
	Items []JobItem `json:"items"`
	Total int64     `json:"total"`
}

func (s *site) jobs(ctx context.Context, in *struct {
	Workspace  string           `query:"workspace"`
	Task       string           `query:"task_name" doc:"Needs workspace; not with search"`
	Status     store.Status     `query:"status" enum:"pending,running,completed,failed,cancelled,skipped"`
	SourceType store.SourceType `query:"source_type"`
	Search     string           `query:"search" maxLength:"200" doc:"In the names of task and workspace"`
	Limit      int              `query:"limit" minimum:"1" maximum:"1000" default:"50"`
	Offset     int              `query:"offset" minimum:"0" default:"0"`
}) (jobList, error) {
	f := store.JobFilter{Workspace: in.Workspace, Task: in.Task, Status: in.Status, SourceType: in.SourceType,
		Search: in.Search, Limit: in.Limit, Offset: in.Offset}
	switch {
	case f.Task != "" && f.Workspace == "":
		return jobList{}, &control.Error{Code: control.Invalid, Msg: "task_name needs workspace too"}
	case f.Task != "" && f.Search != "":
		return jobList{}, &control.Error{Code: control.Invalid, Msg: "task_name and search exclude each other"}
	}
	found, err := s.cfg.Plane.Jobs(ctx, f)
	list := jobList{Items: []JobItem{}, Total: found.Total}
	for i := range found.Jobs {
		list.Items = append(list.Items, itemOf(&found.Jobs[i]))
	}
	return list, err
}

// jobDetail is a job as Strøm shows it.
type jobDetail struct {
	JobItem
	Input       rawJSON   `json:"input"`
	RawInput    rawJSON   `json:"raw_input"`
	Output      rawJSON   `json:"output"`
	Error       *string   `json:"error"`
	SourceJob   *string   `json:"source_job_id"`
	RestartFrom *string   `json:"restart_from_step"`
	Worker      *string   `json:"worker_id"`
	Artifacts   int       `json:"artifacts" doc:"How many files its steps left."`
	Steps       []jobStep `json:"steps"`
}

type jobStep struct {
	Name         string       `json:"step_name"`
	Action       string       `json:"action_name"`
	Type         string       `json:"action_type"`
	Image        *string      `json:"action_image"`
	Runner       string       `json:"runner"`
	Input        rawJSON      `json:"input"`
	Output       rawJSON      `json:"output"`
	Status       store.Status `json:"status"`
	Worker       *string      `json:"worker_id"`
	StartedAt    *time.Time   `json:"started_at"`
	CompletedAt  *time.Time   `json:"completed_at"`
	SuspendedAt  *time.Time   `json:"suspended_at"`
	Duration     *float64     `json:"duration_secs" doc:"Of an ended step."`
	ExitCode     *int         `json:"exit_code"`
	Error        *string      `json:"error_message"`
	DependsOn    []string     `json:"depends_on"`
	RetryAttempt int          `json:"retry_attempt"`
	MaxRetries   int          `json:"max_retries"`
	Message      string       `json:"approval_message,omitempty" doc:"What a person was asked."`
	Form         rawJSON      `json:"approval_fields,omitempty" doc:"Of a suspended step, from each field's name to its definition."`
	Deadline     *time.Time   `json:"approval_deadline,omitempty" doc:"Until when the step waits for an answer."`
}

func (s *site) job(ctx context.Context, in *JobID) (jobDetail, error) {
	job, err := s.cfg.Plane.Job(ctx, in.ID)
	return detailOf(&job), err
}

func detailOf(j *control.Job) jobDetail {
	d := jobDetail{JobItem: itemOf(&j.Job), Input: orNull(j.Input), RawInput: orNull(j.Input), Output: orNull(j.Output),
		Error: present(j.Error), SourceJob: present(j.SourceJob), Artifacts: j.Artifacts, Steps: []jobStep{}}
	for i := range j.Steps {
		st := &j.Steps[i]
		step := jobStep{Name: st.Name, Action: st.Action, Type: st.Type, Runner: st.Runner, Input: rawJSON("null"), Output: orNull(st.Output),
			Status: st.Status, StartedAt: present(st.StartedAt), CompletedAt: present(st.CompletedAt), ExitCode: st.ExitCode,
			Error: present(st.Error), DependsOn: st.DependsOn, SuspendedAt: present(st.SuspendedAt), Message: st.Message, Form: st.Form,
			Deadline: present(st.Deadline)}
		if st.Status.Ended() {
			secs := st.Duration().Seconds()
			step.Duration = &secs
		}
		d.Steps = append(d.Steps, step)
	}
	return d
}

func orNull(doc rawJSON) rawJSON {
	if len(doc) == 0 {
		return rawJSON("null")
	}
	return doc
}

type cancelled struct {
	Status store.Status `json:"status"`
}

func (s *site) cancel(ctx context.Context, in *JobID) (cancelled, error) {
	return cancelled{store.Cancelled}, s.cfg.Plane.Cancel(ctx, in.ID, "")
}

type rerunBody struct {
	FromFailed bool `json:"from_failed,omitempty" doc:"What completed keeps its output and is not run again."`
}

func (s *site) rerun(ctx context.Context, in *struct {
	JobID
	Body *rerunBody
}) (started, error) {
	if in.Body == nil {
		in.Body = new(rerunBody)
	}
	job, err := s.cfg.Plane.Rerun(ctx, in.ID, in.Body.FromFailed)
	return started{job.ID}, err
}

type approveBody struct {
	Approved bool    `json:"approved"`
	Input    rawJSON `json:"input,omitempty" doc:"The form, from each field's name to its value; with an approval."`
	Reason   string  `json:"rejection_reason,omitempty" doc:"With a rejection; at most 4096 bytes of it are kept."`
}

type answered struct {
	Status string `json:"status" enum:"approved,rejected"`
}

func (s *site) approve(ctx context.Context, in *struct {
	JobID
	Step string `path:"step" doc:"Step name"`
	Body approveBody
}) (answered, error) {
	input, err := control.ParseInput(in.Body.Input)
	if err != nil {
		return answered{}, err
	}
	out := answered{"rejected"}
	if in.Body.Approved {
		out.Status = "approved"
	}
	return out, s.cfg.Plane.Approve(ctx, control.Answer{Job: in.ID, Step: in.Step, Approved: in.Body.Approved, Input: input, Reason: in.Body.Reason})
}
