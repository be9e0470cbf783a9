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

// Samples are the last completed runs of a task, at most limit of them, newest
// first, each followed by those of its steps that completed.
func (tx *Tx) Samples(ws, task string, limit int) ([]Sample, error) {
	list := []Sample{}
	err := tx.rows(func(r *sql.Rows) error {
		var s Sample
		var from time.Time
		if err := r.Scan(&s.JobID, &s.Step, stamp{&from}, stamp{&s.CompletedAt}); err != nil {
			return err
		}
		s.Duration = between(from, s.CompletedAt)
		list = append(list, s)
		return nil
	}, `SELECT id, name, started_at, completed_at FROM (WITH runs AS (SELECT seq, id, started_at, completed_at FROM job
			WHERE workspace = ? AND task = ? AND status = 'completed' ORDER BY seq DESC LIMIT ?)
		SELECT id, '' AS name, started_at, completed_at, seq, -1 AS pos FROM runs
		UNION ALL
		SELECT r.id, s.name, s.started_at, s.completed_at, r.seq, s.pos FROM runs r JOIN step s ON s.job = r.seq
			WHERE s.status = 'completed'
		) ORDER BY seq DESC, pos`, ws, task, limit)
	return list, err
}
