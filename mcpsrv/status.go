package mcpsrv

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"stroem/control"
	"stroem/store"
)

const (
	maxStatus   = maxResult - 1<<10 // bytes of a job's status; execute_task adds to it
	maxSentence = 4 << 10           // bytes shown of what a person is asked, and of an error
	maxError    = 1 << 10           // bytes shown of an error
	// Of a failed step so many lines are shown, at least so many of them of
	// stderr if it wrote as many, and so many bytes of each.
	lastLines   = 20
	lastStderr  = 10
	maxLastLine = 400
)

// stepStatus is a step as the order shows it: an ended one with its duration,
// a running one with its start.
type stepStatus struct {
	Name      string       `json:"name"`
	Status    store.Status `json:"status"`
	Duration  *float64     `json:"duration_secs,omitempty"`
	StartedAt time.Time    `json:"started_at,omitzero"`
	ExitCode  *int         `json:"exit_code,omitempty"`
	Error     string       `json:"error,omitempty"`
	// Of a step that waits for a person: since when, what it asks, until when.
	SuspendedAt time.Time `json:"suspended_at,omitzero"`
	WaitsFor    string    `json:"waits_for,omitempty" jsonschema:"what a person is asked to decide"`
	Deadline    time.Time `json:"deadline,omitzero"`
}

// jobStatus is a job as the order shows it, and of a failed one what to look at.
type jobStatus struct {
	ID          string           `json:"id"`
	Status      store.Status     `json:"status"`
	StartedAt   time.Time        `json:"started_at,omitzero"`
	Steps       []stepStatus     `json:"steps"`
	Workspace   string           `json:"workspace"`
	Task        string           `json:"task_name"`
	CreatedAt   time.Time        `json:"created_at"`
	CompletedAt time.Time        `json:"completed_at,omitzero"`
	SourceType  store.SourceType `json:"source_type"`
	SourceID    string           `json:"source_id,omitempty"`
	SourceJob   string           `json:"source_job_id,omitempty" jsonschema:"the job that this one runs again"`
	Revision    string           `json:"revision"`
	Artifacts   int              `json:"artifacts,omitempty" jsonschema:"how many files its steps left; list_artifacts shows them"`
	Output      json.RawMessage  `json:"output,omitempty"`
	Error       string           `json:"error,omitempty"`
	FailedStep  string           `json:"failed_step,omitempty"`
	ExitCode    *int             `json:"exit_code,omitempty" jsonschema:"of the failed step"`
	LastLines   []string         `json:"last_lines,omitempty" jsonschema:"the end of the failed step's log with the last it wrote to stderr; get_job_logs has all of it"`
}

func (t tools) getJobStatus(ctx context.Context, args struct {
	waitArgs
	JobID string `json:"job_id"`
}) (reply[jobStatus], error) {
	return t.statusOf(ctx, args.JobID, args.waitArgs)
}

// statusOf is how the job stands, after a wait if one is asked for.
func (t tools) statusOf(ctx context.Context, id string, w waitArgs) (out reply[jobStatus], err error) {
	job, err := t.await(ctx, id, w)
	if err != nil {
		return out, err
	}
	if text := waited(&job, w); text != "" {
		out.Notes = append(out.Notes, text)
	}
	out.Data = jobStatus{
		ID: job.ID, Status: job.Status, StartedAt: job.StartedAt, Steps: []stepStatus{}, Workspace: job.Workspace,
		Task: job.Task, CreatedAt: job.CreatedAt, CompletedAt: job.CompletedAt, SourceType: job.SourceType,
		SourceID: job.SourceID, SourceJob: job.SourceJob, Revision: job.Revision, Artifacts: job.Artifacts, Output: control.CleanJSON(job.Output),
		Error: shorten(control.Clean(job.Error), maxError),
	}
	suspended := false
	for i := range job.Steps {
		out.Data.Steps = append(out.Data.Steps, stepOf(&job.Steps[i]))
		suspended = suspended || job.Steps[i].Status == store.Suspended
	}
	if suspended {
		out.Notes = append(out.Notes, "a suspended step waits for a person to approve or reject it; no tool here can do that")
	}
	if err := t.diagnose(ctx, &job, &out.Data); err != nil {
		return out, err
	}
	lessen(&out)
	return out, nil
}

// lessen leaves out of a job's status what does not fit into a result.
func lessen(out *reply[jobStatus]) {
	d := &out.Data
	if encoded(d) <= maxStatus {
		return
	}
	all := d.Steps
	d.Steps = nil
	for len(d.LastLines) > 1 && encoded(d.LastLines) > maxStatus/2 {
		d.LastLines = d.LastLines[1:]
	}
	if n := len(d.Output); n > 0 && encoded(d) > maxStatus/2 {
		d.Output = nil
		out.Notes = append(out.Notes, fmt.Sprintf("the job's output was left out: it has %d bytes", n))
	}
	if d.Steps = telling(all, maxStatus-encoded(d)); len(d.Steps) < len(all) {
		out.Notes = append(out.Notes, fmt.Sprintf("%d of %d steps are shown, those that run or failed first", len(d.Steps), len(all)))
	}
}

// encoded is how many bytes v has in a result.
func encoded(v any) int {
	text, err := compact(v)
	if err != nil {
		return 0 // the result as a whole will say so
	}
	return len(text)
}

// telling is the steps, or, if so many bytes cannot hold them all, as many as
// they can: those that say most about the job.
func telling(all []stepStatus, most int) []stepStatus {
	some := fit(all, most)
	if len(some) == len(all) {
		return some
	}
	ranked, first := slices.Clone(all), []store.Status{store.Failed, store.Running, store.Suspended, store.Ready}
	rank := func(s stepStatus) int {
		if i := slices.Index(first, s.Status); i >= 0 {
			return i
		}
		return len(first)
	}
	slices.SortStableFunc(ranked, func(a, b stepStatus) int { return rank(a) - rank(b) })
	return fit(ranked, most)
}

func stepOf(run *control.Step) stepStatus {
	s := stepStatus{Name: run.Name, Status: run.Status, Error: shorten(control.Clean(run.Error), maxError)}
	switch {
	case run.Status.Ended():
		d := seconds(run.Duration())
		s.Duration = &d
		if run.Status == store.Failed {
			s.ExitCode = run.ExitCode
		}
	case run.Status == store.Running:
		s.StartedAt = run.StartedAt
	case run.Status == store.Suspended:
		s.StartedAt, s.SuspendedAt, s.WaitsFor, s.Deadline = run.StartedAt, run.SuspendedAt, shorten(run.Message, maxSentence), run.Deadline
	}
	return s
}

// shorten is as much of a text as a result has room for.
func shorten(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return fmt.Sprintf("%s… (%d bytes in all)", strings.ToValidUTF8(text[:most], ""), len(text))
}

// seconds is d to the millisecond.
func seconds(d time.Duration) float64 { return math.Round(d.Seconds()*1000) / 1000 }

// diagnose adds to a failed job which step failed it and the last that step
// said.
func (t tools) diagnose(ctx context.Context, job *control.Job, d *jobStatus) error {
	i := slices.IndexFunc(job.Steps, func(s control.Step) bool { return s.Status == store.Failed && !s.Tolerated })
	if job.Status != store.Failed || i < 0 {
		return nil
	}
	step := &job.Steps[i]
	d.FailedStep, d.ExitCode = step.Name, step.ExitCode
	last, err := t.plane.Logs(ctx, job.ID, control.LogQuery{Step: step.Name, Tail: lastLines})
	if err != nil {
		return err
	}
	errs, err := t.plane.Logs(ctx, job.ID, control.LogQuery{Step: step.Name, Stream: "stderr", Tail: lastStderr})
	if err != nil {
		return err
	}
	for _, l := range merge(last.Lines, errs.Lines, lastLines) {
		d.LastLines = append(d.LastLines, lineText(&l, maxLastLine))
	}
	return nil
}

// merge is must, and the last of lines beside them: at most so many, in order.
func merge(lines, must []store.LogLine, most int) []store.LogLine {
	all := slices.Clone(must)
	for i := len(lines) - 1; i >= 0 && len(all) < most; i-- {
		if !slices.ContainsFunc(must, func(m store.LogLine) bool { return m.N == lines[i].N }) {
			all = append(all, lines[i])
		}
	}
	slices.SortFunc(all, func(a, b store.LogLine) int { return cmp.Compare(a.N, b.N) })
	return all
}
