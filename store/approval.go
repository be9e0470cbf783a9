package store

import (
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"
)

// Approval is a wait for a person, and what came of it.
type Approval struct {
	Job         int64
	Step        int       // its place in the plan's flow
	RequestedBy string    // whose job waits because a policy says so
	Binding     []byte    // of such a wait: what alone may be approved
	Message     string    // secrets masked
	AskedAt     time.Time // zero until the step is suspended
	AnsweredAt  time.Time // zero where nobody answered
	Approved    bool
	By          string
	Reason      string          // of a rejection
	Input       json.RawMessage // the form as it was filled in, secret fields sealed
}

// ApplyPolicy notes that the job's step waits for a person because a policy
// says so, and binds the wait to what the job is now.
func (tx *Tx) ApplyPolicy(job int64, step int, requestedBy string) error {
	binding, err := tx.Binding(job)
	if err != nil {
		return err
	}
	_, err = tx.exec(`INSERT INTO approval (job, step, requested_by, binding) VALUES (?, ?, ?, ?)`,
		job, step, requestedBy, binding)
	return err
}

// Binding is a hash of all that a job will do: its task with every script,
// its input, its revision.
func (tx *Tx) Binding(job int64) ([]byte, error) {
	var parts [6]string
	err := tx.row(`SELECT workspace, task, revision, dir, input, body FROM job JOIN plan ON plan.id = job.plan WHERE seq = ?`,
		[]any{job}, &parts[0], &parts[1], &parts[2], &parts[3], &parts[4], &parts[5])
	if err != nil {
		return nil, fmt.Errorf("what job %d does: %w", job, err)
	}
	doc, err := json.Marshal(parts)
	sum := sha256.Sum256(doc)
	return sum[:], err
}

// SuspendStep turns a running step into one that waits for a person, from
// s.SuspendedAt on, who is asked by message.
func (tx *Tx) SuspendStep(s *StepRun, message string) error {
	tx.touch(TopicJob(s.Job))
	if _, err := tx.exec(`INSERT INTO approval (job, step, message, asked_at) VALUES (?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET message = excluded.message, asked_at = excluded.asked_at`,
		s.Job, s.Pos, message, stamp{&s.SuspendedAt}); err != nil {
		return err
	}
	return tx.change(`UPDATE step SET status = 'suspended', suspended_at = ? WHERE job = ? AND pos = ? AND status = 'running'`,
		stamp{&s.SuspendedAt}, s.Job, s.Pos)
}

// Answer notes what the person said who was asked. It does not end the step.
func (tx *Tx) Answer(a *Approval) error {
	return tx.change(`UPDATE approval SET answered_at = ?, approved = ?, answered_by = ?, reason = ?, input = ?
		WHERE job = ? AND step = ? AND answered_at IS NULL`,
		stamp{&a.AnsweredAt}, a.Approved, a.By, a.Reason, document{(*[]byte)(&a.Input)}, a.Job, a.Step)
}

// KeepAnswer gives a job what a person answered to a step of an earlier one.
func (tx *Tx) KeepAnswer(from *StepRun, job int64, pos int) error {
	_, err := tx.exec(`INSERT INTO approval (job, step, message, asked_at, answered_at, approved, answered_by, reason, input)
		SELECT ?, ?, message, asked_at, answered_at, approved, answered_by, reason, input FROM approval WHERE job = ? AND step = ?`,
		job, pos, from.Job, from.Pos)
	return err
}

// Approvals lists the job's waits for a person, in the order of its flow.
func (tx *Tx) Approvals(job int64) (list []Approval, err error) {
	err = tx.rows(func(r *sql.Rows) error {
		var a Approval
		if err := r.Scan(&a.Job, &a.Step, &a.RequestedBy, &a.Binding, &a.Message, stamp{&a.AskedAt}, stamp{&a.AnsweredAt},
			&a.Approved, &a.By, &a.Reason, document{(*[]byte)(&a.Input)}); err != nil {
			return err
		}
		list = append(list, a)
		return nil
	}, `SELECT job, step, requested_by, binding, message, asked_at, answered_at, approved, answered_by, reason, input
		FROM approval WHERE job = ? ORDER BY step`, job)
	return list, err
}

// SuspendedSteps lists all steps that wait for a person, of all jobs.
func (tx *Tx) SuspendedSteps() ([]StepRun, error) {
	return tx.steps(`SELECT ` + stepColumns + ` FROM step WHERE status = 'suspended' ORDER BY job, pos`)
}
