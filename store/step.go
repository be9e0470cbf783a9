package store

import (
	"database/sql"
	"encoding/json"
	"time"
)

// StepRun is one step of one job: where it stands and what came of it.
type StepRun struct {
	Job         int64           `json:"-"`
	Pos         int             `json:"-"` // its place in the plan's flow
	Name        string          `json:"step_name"`
	Status      Status          `json:"status"`
	Attempt     string          `json:"-"` // names the attempt's folder
	Boot        string          `json:"-"` // the boot of the machine it was started in
	StartedAt   time.Time       `json:"started_at,omitzero"`
	SuspendedAt time.Time       `json:"suspended_at,omitzero"` // since when it waits, or waited, for a person
	CompletedAt time.Time       `json:"completed_at,omitzero"`
	ExitCode    *int            `json:"exit_code,omitempty"` // nil when no process came to its end
	OutOffset   int64           `json:"-"`                   // bytes of stdout that are in the log
	ErrOffset   int64           `json:"-"`
	LogLines    int64           `json:"-"`
	CutBytes    int64           `json:"-"` // left out of the middle of the log
	CutLines    int64           `json:"-"`
	Error       string          `json:"error_message,omitempty"`
	Output      json.RawMessage `json:"output,omitempty"`
}

// BootRestored stands for the boot of a step that was running when the backup
// was made from which the store was restored: its process is not ours.
const BootRestored = "restored"

// Duration is how long the step ran, zero until it has ended.
func (s *StepRun) Duration() time.Duration { return between(s.StartedAt, s.CompletedAt) }

const stepColumns = `job, pos, name, status, attempt, boot, started_at, suspended_at, completed_at, exit_code,
	out_offset, err_offset, log_lines, cut_bytes, cut_lines, error, output`

func (s *StepRun) fields() []any {
	return []any{&s.Job, &s.Pos, &s.Name, &s.Status, &s.Attempt, &s.Boot, stamp{&s.StartedAt}, stamp{&s.SuspendedAt},
		stamp{&s.CompletedAt}, &s.ExitCode, &s.OutOffset, &s.ErrOffset, &s.LogLines, &s.CutBytes, &s.CutLines, &s.Error,
		document{(*[]byte)(&s.Output)}}
}

func (tx *Tx) insertStep(job int64, pos int, s *StepRun) error {
	s.Job, s.Pos = job, pos
	ready := s.Status == Ready
	if ready {
		s.Status = Pending
	}
	_, err := tx.exec(`INSERT INTO step (job, pos, name, status, started_at, suspended_at, completed_at, exit_code, error, output)
		VALUES (?,?,?,?,?,?,?,?,?,?)`, job, pos, s.Name, s.Status, stamp{&s.StartedAt}, stamp{&s.SuspendedAt},
		stamp{&s.CompletedAt}, s.ExitCode, s.Error, document{(*[]byte)(&s.Output)})
	if err != nil || !ready {
		return err
	}
	s.Status = Ready
	return tx.queue(s, Pending, 1)
}

// Steps lists the job's steps in the order of its flow.
func (tx *Tx) Steps(job int64) ([]StepRun, error) {
	return tx.steps(`SELECT `+stepColumns+` FROM step WHERE job = ? ORDER BY pos`, job)
}

// RunningSteps lists all steps that are running, of all jobs.
func (tx *Tx) RunningSteps() ([]StepRun, error) {
	return tx.steps(`SELECT ` + stepColumns + ` FROM step WHERE status = 'running' ORDER BY job, pos`)
}

// NextReady lists the steps whose turn it is, at most limit of them.
func (tx *Tx) NextReady(limit int) ([]StepRun, error) {
	return tx.steps(`SELECT `+stepColumns+` FROM step WHERE status = 'ready' ORDER BY turn, job, pos LIMIT ?`, limit)
}

func (tx *Tx) steps(query string, args ...any) ([]StepRun, error) {
	runs := []StepRun{}
	err := tx.rows(func(r *sql.Rows) error {
		var s StepRun
		if err := r.Scan(s.fields()...); err != nil {
			return err
		}
		runs = append(runs, s)
		return nil
	}, query, args...)
	return runs, err
}

// QueueStep makes a step ready that was in the state from. A new attempt will
// write its output anew.
func (tx *Tx) QueueStep(s *StepRun, from Status) error { return tx.queue(s, from, 0) }

// queue gives the step its turn. Turns are rounds: each holds at most one step
// of a job, and the lowest round is served first, so neither a fan-out of a
// thousand nor a chain without end keeps other jobs waiting for more than a
// step. A new job joins one round later than the one that is being served
// (join = 1), so that newcomers never hold up what waits there. Nothing here
// depends on how many steps wait.
func (tx *Tx) queue(s *StepRun, from Status, join int64) error {
	var round sql.NullInt64
	var turn int64
	if err := tx.row(`SELECT coalesce((SELECT min(turn) FROM step WHERE status = 'ready'),
		(SELECT max(turn) FROM step WHERE status = 'running'))`, nil, &round); err != nil {
		return err
	}
	if round.Valid { // else nobody else is there, and rounds begin anew
		if err := tx.row(`SELECT turn FROM job WHERE seq = ?`, []any{s.Job}, &turn); err != nil {
			return err
		}
		turn = max(turn+1, round.Int64+join)
	}
	if _, err := tx.exec(`UPDATE job SET turn = ? WHERE seq = ?`, turn, s.Job); err != nil {
		return err
	}
	tx.touch(TopicQueue, TopicJob(s.Job))
	return tx.change(`UPDATE step SET status = 'ready', turn = ?, attempt = '', boot = '', started_at = NULL,
		out_offset = 0, err_offset = 0, output = NULL WHERE job = ? AND pos = ? AND status = ?`, turn, s.Job, s.Pos, from)
}

// StartStep turns a ready step into a running one, with the attempt, boot and
// start time that s names.
func (tx *Tx) StartStep(s *StepRun) error {
	tx.touch(TopicJob(s.Job))
	return tx.change(`UPDATE step SET status = 'running', attempt = ?, boot = ?, started_at = ?
		WHERE job = ? AND pos = ? AND status = 'ready'`, s.Attempt, s.Boot, stamp{&s.StartedAt}, s.Job, s.Pos)
}

// EndStep writes the step's end as s says, if it is in the state from: else
// ErrConflict, and a late exit code never overwrites another end.
func (tx *Tx) EndStep(s *StepRun, from Status) error {
	tx.touch(TopicJob(s.Job))
	return tx.change(`UPDATE step SET status = ?, started_at = ?, completed_at = ?, exit_code = ?, error = ?, output = ?
		WHERE job = ? AND pos = ? AND status = ?`, s.Status, stamp{&s.StartedAt}, stamp{&s.CompletedAt}, s.ExitCode,
		s.Error, document{(*[]byte)(&s.Output)}, s.Job, s.Pos, from)
}
