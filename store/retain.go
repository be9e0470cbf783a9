package store

import (
	"database/sql"
	"errors"
	"time"
)

const (
	// pieceTime is how long a piece of the upkeep works in its transaction, so
	// that it holds up the writer for no longer, its commit included, than 10 ms.
	pieceTime = 3 * time.Millisecond
	// pieceJobs and pieceChunks bound a piece as well.
	pieceJobs   = 128
	pieceChunks = 64
)

// Space is how large the database and the artifacts are, in bytes.
type Space struct {
	File      int64 // all of the database
	Free      int64 // of that, what can be given back
	Artifacts int64
}

// Live is what holds data.
func (s Space) Live() int64 { return s.File - s.Free + s.Artifacts }

// Space reads how large the database and the artifacts are.
func (tx *Tx) Space() (s Space, err error) {
	s, err = tx.fileSpace()
	return s, errors.Join(err, tx.row(`SELECT bytes FROM artifact_space`, nil, &s.Artifacts))
}

func (tx *Tx) fileSpace() (s Space, err error) {
	var page int64
	err = errors.Join(tx.row(`PRAGMA page_size`, nil, &page), tx.row(`PRAGMA page_count`, nil, &s.File),
		tx.row(`PRAGMA freelist_count`, nil, &s.Free))
	return Space{File: s.File * page, Free: s.Free * page}, err
}

// Pruned is what Prune deleted.
type Pruned struct {
	Jobs  int
	Files []Artifact // to be dropped after the commit
}

// Prune deletes jobs that ended before the time, the oldest first, with all
// they own, while more than most bytes are live: as much as a short
// transaction can. It reports what is gone, and whether it is worth to be
// called again. A job of which something still runs is left.
func (tx *Tx) Prune(before time.Time, most int64) (gone Pruned, more bool, err error) {
	for end := time.Now().Add(pieceTime); gone.Jobs < pieceJobs && time.Now().Before(end); gone.Jobs++ {
		if space, err := tx.Space(); err != nil || space.Live() <= most {
			return gone, false, err
		}
		var seq, plan int64
		err := tx.row(`SELECT seq, plan FROM job WHERE completed_at < ? AND status NOT IN ('pending', 'running')
			AND NOT EXISTS (SELECT 1 FROM step WHERE job = job.seq AND status = 'running')
			ORDER BY completed_at, seq LIMIT 1`, []any{before.UnixMilli()}, &seq, &plan)
		if errors.Is(err, ErrNotFound) {
			return gone, false, nil
		}
		if err != nil {
			return gone, false, err
		}
		if whole, err := tx.dropLog(seq, end); err != nil || !whole {
			return gone, true, err
		}
		files, err := tx.Artifacts(seq)
		if err != nil {
			return gone, false, err
		}
		if err := tx.dropJob(seq, plan); err != nil {
			return gone, false, err
		}
		gone.Files = append(gone.Files, files...)
	}
	return gone, true, nil
}

// dropLog deletes chunks of the job's log until the time is up. It reports
// whether none is left.
func (tx *Tx) dropLog(job int64, end time.Time) (whole bool, err error) {
	var ids []int64
	err = tx.rows(func(r *sql.Rows) error {
		var id int64
		defer func() { ids = append(ids, id) }()
		return r.Scan(&id)
	}, `SELECT id FROM log WHERE job = ? ORDER BY line LIMIT ?`, job, pieceChunks)
	if err != nil {
		return false, err
	}
	for _, id := range ids {
		if _, err := tx.exec(`DELETE FROM log WHERE id = ?`, id); err != nil {
			return false, err
		}
		if time.Now().After(end) {
			return false, nil
		}
	}
	return len(ids) < pieceChunks, nil
}

// dropJob deletes a job that has no log any more, and its plan if no other job
// has it. The newest plan stays, so that no number is given twice: the runner
// keeps plans by number.
func (tx *Tx) dropJob(seq, plan int64) error {
	tx.touch(TopicJob(seq))
	if err := tx.change(`DELETE FROM job WHERE seq = ?`, seq); err != nil {
		return err
	}
	_, err := tx.exec(`DELETE FROM plan WHERE id = ?1 AND id < (SELECT max(id) FROM plan)
		AND NOT EXISTS (SELECT 1 FROM job WHERE plan = ?1)`, plan)
	return err
}

// Shrink gives free space at the end of the file back to the disk, moving what
// stands there forward: as much as a short transaction can. It reports how
// many bytes it gave back, 0 when nothing is free.
func (tx *Tx) Shrink() (bytes int64, err error) {
	before, err := tx.Space()
	if err != nil {
		return 0, err
	}
	now := before
	for end := time.Now().Add(pieceTime); now.Free > 0 && time.Now().Before(end); {
		// It frees a page for each row that is asked of it.
		if err := tx.rows(func(*sql.Rows) error { return nil }, `PRAGMA incremental_vacuum(32)`); err != nil {
			return 0, err
		}
		last := now.File
		if now, err = tx.Space(); err != nil || now.File == last {
			break
		}
	}
	return before.File - now.File, err
}

// Upkeep says when the upkeep last looked, and what came of its last run that
// did something.
type Upkeep struct {
	LookedAt time.Time     `json:"looked_at,omitzero"`
	Over     bool          `json:"over,omitempty"` // more is kept than may be, and nothing is left to delete
	RanAt    time.Time     `json:"ran_at,omitzero"`
	Jobs     int64         `json:"jobs"`  // deleted
	Bytes    int64         `json:"bytes"` // given back to the disk
	Took     time.Duration `json:"-"`
}

const selectUpkeep = `SELECT looked_at, over, ran_at, jobs, bytes, took_ms FROM upkeep`

func (u *Upkeep) fields(took *int64) []any {
	return []any{stamp{&u.LookedAt}, &u.Over, stamp{&u.RanAt}, &u.Jobs, &u.Bytes, took}
}

// Upkeep reads what the upkeep did; all is zero before its first run.
func (tx *Tx) Upkeep() (u Upkeep, err error) {
	var took int64
	if err := tx.row(selectUpkeep, nil, u.fields(&took)...); err != nil && !errors.Is(err, ErrNotFound) {
		return u, err
	}
	u.Took = time.Duration(took) * time.Millisecond
	return u, nil
}

// SetUpkeep keeps what the upkeep did. It drops counters that count nothing.
func (tx *Tx) SetUpkeep(u Upkeep) error {
	if _, err := tx.exec(`DELETE FROM job_count WHERE jobs = 0`); err != nil {
		return err
	}
	_, err := tx.exec(`INSERT OR REPLACE INTO upkeep (one, looked_at, over, ran_at, jobs, bytes, took_ms)
		VALUES (1,?,?,?,?,?,?)`, stamp{&u.LookedAt}, u.Over, stamp{&u.RanAt}, u.Jobs, u.Bytes, u.Took.Milliseconds())
	return err
}
