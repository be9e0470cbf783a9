package store

import (
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"stroem/workspace"
)

// Job is one run of a task.
type Job struct {
	Seq         int64           `json:"-"` // in order of acceptance
	ID          string          `json:"job_id"`
	Workspace   string          `json:"workspace"`
	Task        string          `json:"task_name"`
	Folder      string          `json:"-"`
	Status      Status          `json:"status"`
	SourceType  SourceType      `json:"source_type"`
	SourceID    string          `json:"source_id,omitempty"`
	Agent       bool            `json:"-"`                       // begun over MCP or with an API key
	SourceJob   string          `json:"source_job_id,omitempty"` // the id of the job that this one runs again; lists leave it out
	Revision    string          `json:"revision"`
	CreatedAt   time.Time       `json:"created_at"`
	StartedAt   time.Time       `json:"started_at,omitzero"`
	CompletedAt time.Time       `json:"completed_at,omitzero"`
	LogLines    int64           `json:"-"`
	Plan        int64           `json:"-"`
	Dir         string          `json:"-"` // the workspace's folder, where steps run
	Error       string          `json:"error,omitempty"`
	Input       json.RawMessage `json:"input,omitempty"`
	Output      json.RawMessage `json:"output,omitempty"`
}

// Duration is how long the job ran, zero until it has ended.
func (j *Job) Duration() time.Duration { return between(j.StartedAt, j.CompletedAt) }

// between never turns negative, whatever the clock did meanwhile.
func between(from, to time.Time) time.Duration {
	if from.IsZero() || to.IsZero() {
		return 0
	}
	return max(0, to.Sub(from))
}

const jobColumns = `seq, id, workspace, task, folder, status, source_type, source_id, agent, revision,
	created_at, started_at, completed_at, log_lines, plan, dir, error`

func (j *Job) fields() []any {
	return []any{&j.Seq, &j.ID, &j.Workspace, &j.Task, &j.Folder, &j.Status, &j.SourceType, &j.SourceID, &j.Agent,
		&j.Revision, stamp{&j.CreatedAt}, stamp{&j.StartedAt}, stamp{&j.CompletedAt}, &j.LogLines, &j.Plan, &j.Dir,
		&j.Error}
}

// InsertJob adds the job with its plan and one run for each step of the plan,
// in its order. It sets job.Seq and job.Plan.
func (tx *Tx) InsertJob(job *Job, plan *workspace.Task, runs []StepRun) error {
	var err error
	if job.Plan, err = tx.insertPlan(plan); err != nil {
		return err
	}
	res, err := tx.exec(`INSERT INTO job (id, workspace, task, folder, status, source_type, source_id, agent, revision,
		created_at, started_at, completed_at, plan, dir, error, input, output, source_job) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`,
		job.ID, job.Workspace, job.Task, job.Folder, job.Status, job.SourceType, job.SourceID, job.Agent, job.Revision,
		stamp{&job.CreatedAt}, stamp{&job.StartedAt}, stamp{&job.CompletedAt}, job.Plan, job.Dir, job.Error,
		string(job.Input), document{(*[]byte)(&job.Output)}, job.SourceJob)
	if err != nil {
		return fmt.Errorf("insert job: %w", err)
	}
	if job.Seq, err = res.LastInsertId(); err != nil {
		return err
	}
	for i := range runs {
		if err := tx.insertStep(job.Seq, i, &runs[i]); err != nil {
			return fmt.Errorf("insert step: %w", err)
		}
	}
	tx.touch(TopicJob(job.Seq), TopicGrowth)
	return nil
}

// insertPlan keeps one copy of equal plans.
func (tx *Tx) insertPlan(plan *workspace.Task) (id int64, err error) {
	body, err := json.Marshal(plan)
	if err != nil {
		return 0, fmt.Errorf("encode plan: %w", err)
	}
	hash := sha256.Sum256(body)
	err = tx.row(`SELECT id FROM plan WHERE hash = ?`, []any{hash[:]}, &id)
	if !errors.Is(err, ErrNotFound) {
		return id, err
	}
	res, err := tx.exec(`INSERT INTO plan (hash, body) VALUES (?, ?)`, hash[:], string(body))
	if err != nil {
		return 0, fmt.Errorf("insert plan: %w", err)
	}
	return res.LastInsertId()
}

// Plan is the task of a job as it was when the job was submitted.
func (tx *Tx) Plan(id int64) (*workspace.Task, error) {
	var body []byte
	if err := tx.row(`SELECT body FROM plan WHERE id = ?`, []any{id}, &body); err != nil {
		return nil, fmt.Errorf("plan %d: %w", id, err)
	}
	t := new(workspace.Task)
	return t, json.Unmarshal(body, t)
}

// Job is the job of that id, or ErrNotFound.
func (tx *Tx) Job(id string) (Job, error) {
	return tx.job(`id = ?`, id)
}

// JobBySeq is the job with that number, or ErrNotFound.
func (tx *Tx) JobBySeq(seq int64) (Job, error) {
	return tx.job(`seq = ?`, seq)
}

func (tx *Tx) job(where string, arg any) (j Job, err error) {
	dest := append(j.fields(), document{(*[]byte)(&j.Input)}, document{(*[]byte)(&j.Output)}, &j.SourceJob)
	err = tx.row(`SELECT `+jobColumns+`, input, output, source_job FROM job WHERE `+where, []any{arg}, dest...)
	return j, err
}

// JobFilter chooses jobs; a zero field chooses all.
type JobFilter struct {
	Workspace  string
	Task       string
	Status     Status
	SourceType SourceType
	Search     string    // in the names of task and workspace, without case
	Before     string    // only jobs older than the one of this id
	Since      time.Time // only jobs made then or later
	Scope      *Scope    // what the caller may see
	Limit      int
	Offset     int
}

// conditions are the filter as SQL, on columns that job and job_count both
// have.
func (f *JobFilter) conditions() (parts []string, args []any) {
	for _, c := range []struct{ column, value string }{
		{"workspace", f.Workspace}, {"task", f.Task}, {"status", string(f.Status)}, {"source_type", string(f.SourceType)},
	} {
		if c.value != "" {
			parts = append(parts, c.column+" = ?")
			args = append(args, c.value)
		}
	}
	if f.Search != "" {
		parts = append(parts, `(instr(lower(task), lower(?)) OR instr(lower(workspace), lower(?)))`)
		args = append(args, f.Search, f.Search)
	}
	return parts, args
}

// seen is the filter's scope as SQL. Which tasks it holds is asked of the
// counters: there are few of them, and there may be a million jobs.
func (f *JobFilter) seen() (parts []string, args []any) {
	if f.Scope == nil {
		return nil, nil
	}
	cond, args := f.Scope.sql("workspace", "folder", "task")
	tasks := "SELECT workspace, folder, task FROM job_count WHERE " + cond
	// Without EXISTS, who may see nothing would have every job looked at.
	return []string{"EXISTS (" + tasks + ")", "(+workspace, +folder, +task) IN (" + tasks + ")"}, append(args, args...)
}

func where(parts []string) string {
	if len(parts) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(parts, " AND ")
}

// span is what bounds a list in time, as SQL. Ids are of version 7 (RFC 9562),
// and so grow with time as the numbers do: the index on them tells where a
// span begins, whether or not the job of that id is still there.
func (f *JobFilter) span() (parts []string, args []any) {
	if f.Before != "" {
		parts = append(parts, `seq < coalesce((SELECT seq + (id <> ?) FROM job WHERE id <= ? ORDER BY id DESC LIMIT 1), 0)`)
		args = append(args, f.Before, f.Before)
	}
	if !f.Since.IsZero() {
		ms := f.Since.UnixMilli()
		parts = append(parts, `created_at >= ?`,
			`seq >= coalesce((SELECT min(seq) FROM (SELECT seq FROM job WHERE id >= ? ORDER BY id LIMIT 100)), 9e18)`)
		args = append(args, ms, fmt.Sprintf("%08x-%04x", ms>>16, ms&0xffff))
	}
	return parts, args
}

// Jobs lists the newest jobs first, without input and output.
func (tx *Tx) Jobs(f JobFilter) ([]Job, error) {
	parts, args := f.conditions()
	for _, more := range []func() ([]string, []any){f.span, f.seen} {
		p, a := more()
		parts, args = append(parts, p...), append(args, a...)
	}
	args = append(args, f.Limit, f.Offset)
	return tx.jobs(where(parts)+` ORDER BY seq DESC LIMIT ? OFFSET ?`, args...)
}

// ActiveJobs lists the jobs of a trigger that have not ended, the oldest first,
// without input and output. source is their SourceID.
func (tx *Tx) ActiveJobs(source string) ([]Job, error) {
	return tx.jobs(` WHERE source_id = ? AND source_type = 'trigger' AND status IN ('pending', 'running') ORDER BY seq`, source)
}

func (tx *Tx) jobs(which string, args ...any) ([]Job, error) {
	jobs := []Job{}
	err := tx.rows(func(r *sql.Rows) error {
		var j Job
		defer func() { jobs = append(jobs, j) }()
		return r.Scan(j.fields()...)
	}, `SELECT `+jobColumns+` FROM job`+which, args...)
	return jobs, err
}

// CountJobs is how many jobs the filter chooses, without its limits in number
// and time. It reads counters, not jobs.
func (tx *Tx) CountJobs(f JobFilter) (n int64, err error) {
	parts, args := f.conditions()
	cond, more := f.Scope.sql("workspace", "folder", "task")
	parts, args = append(parts, cond), append(args, more...)
	err = tx.row(`SELECT coalesce(sum(jobs), 0) FROM job_count`+where(parts), args, &n)
	return n, err
}

// RunningJobs lists the jobs that have begun and not ended.
func (tx *Tx) RunningJobs() ([]Job, error) {
	return tx.Jobs(JobFilter{Status: Running, Limit: -1})
}

// StartJob turns a pending job into a running one. A job that runs already
// stays as it is.
func (tx *Tx) StartJob(job *Job, at time.Time) error {
	if _, err := tx.exec(`UPDATE job SET status = 'running', started_at = ? WHERE seq = ? AND status = 'pending'`,
		at.UnixMilli(), job.Seq); err != nil {
		return err
	}
	tx.touch(TopicJob(job.Seq))
	return nil
}

// EndJob writes the job's end, as job says, unless it has ended already:
// then ErrConflict.
func (tx *Tx) EndJob(job *Job) error {
	tx.touch(TopicJob(job.Seq))
	return tx.change(`UPDATE job SET status = ?, completed_at = ?, error = ?, output = ?
		WHERE seq = ? AND status IN ('pending', 'running')`, job.Status, stamp{&job.CompletedAt}, job.Error, document{(*[]byte)(&job.Output)}, job.Seq)
}
