package store

import (
	"database/sql"
	"time"
)

// Sample is how long one completed run of a task, or of one of its steps, took.
type Sample struct {
	JobID       string
	Step        string // "" for the whole task
	Duration    time.Duration
	CompletedAt time.Time
}

// Samples are the last completed runs of a task that are in the scope, at most
// limit of them, newest first, each followed by those of its steps that
// completed. Runs from when the task was in another folder may be outside.
func (tx *Tx) Samples(ws, task string, limit int, scope *Scope) ([]Sample, error) {
	list := []Sample{}
	f := JobFilter{Workspace: ws, Task: task, Status: Completed, Scope: scope}
	parts, args := f.conditions()
	seen, more := f.seen()
	parts, args = append(parts, seen...), append(append(args, more...), limit)
	err := tx.rows(func(r *sql.Rows) error {
		var s Sample
		var from time.Time
		if err := r.Scan(&s.JobID, &s.Step, stamp{&from}, stamp{&s.CompletedAt}); err != nil {
			return err
		}
		s.Duration = between(from, s.CompletedAt)
		list = append(list, s)
		return nil
	}, `SELECT id, name, started_at, completed_at FROM (WITH runs AS (SELECT seq, id, started_at, completed_at FROM job`+where(parts)+` ORDER BY seq DESC LIMIT ?)
		SELECT id, '' AS name, started_at, completed_at, seq, -1 AS pos FROM runs
		UNION ALL
		SELECT r.id, s.name, s.started_at, s.completed_at, r.seq, s.pos FROM runs r JOIN step s ON s.job = r.seq
			WHERE s.status = 'completed'
		) ORDER BY seq DESC, pos`, args...)
	return list, err
}
