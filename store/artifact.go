package store

import (
	"database/sql"
	"errors"
	"time"
)

// Artifact is a file that a step left, kept as long as its job.
type Artifact struct {
	Job       int64     `json:"-"`
	Name      string    `json:"name"` // with / between folders; one of a job
	Type      string    `json:"content_type"`
	Size      int64     `json:"size_bytes"`
	Pos       int       `json:"-"` // its step's place
	Step      string    `json:"step_name"`
	CreatedAt time.Time `json:"created_at"`
	Attempt   string    `json:"-"` // with File, where its bytes are
	File      int       `json:"-"`
}

const selectArtifact = `SELECT a.job, a.name, a.content_type, a.size, a.step, s.name, a.created_at, a.attempt, a.file
	FROM artifact a JOIN step s ON s.job = a.job AND s.pos = a.step WHERE a.job = ?`

func (a *Artifact) fields() []any {
	return []any{&a.Job, &a.Name, &a.Type, &a.Size, &a.Pos, &a.Step, stamp{&a.CreatedAt}, &a.Attempt, &a.File}
}

// Artifacts lists what the steps of a job left, by name.
func (tx *Tx) Artifacts(job int64) ([]Artifact, error) {
	list := []Artifact{}
	err := tx.rows(func(r *sql.Rows) error {
		var a Artifact
		if err := r.Scan(a.fields()...); err != nil {
			return err
		}
		list = append(list, a)
		return nil
	}, selectArtifact+` ORDER BY a.name`, job)
	return list, err
}

// Artifact is the job's artifact of that name, or ErrNotFound.
func (tx *Tx) Artifact(job int64, name string) (a Artifact, err error) {
	err = tx.row(selectArtifact+` AND a.name = ?`, []any{job, name}, a.fields()...)
	return a, err
}

// CountArtifacts is how many artifacts the job has.
func (tx *Tx) CountArtifacts(job int64) (n int, err error) {
	err = tx.row(`SELECT count(*) FROM artifact WHERE job = ?`, []any{job}, &n)
	return n, err
}

// KeepArtifacts adds artifacts, whose files are there (NewArtifacts). One takes
// the place of an earlier one of its name; those are returned, to be dropped
// after the commit.
func (tx *Tx) KeepArtifacts(list []Artifact) (replaced []Artifact, err error) {
	for i := range list {
		a := &list[i]
		old, err := tx.Artifact(a.Job, a.Name)
		if err == nil {
			replaced = append(replaced, old)
			_, err = tx.exec(`DELETE FROM artifact WHERE job = ? AND name = ?`, a.Job, a.Name)
		}
		if err != nil && !errors.Is(err, ErrNotFound) {
			return nil, err
		}
		if _, err := tx.exec(`INSERT INTO artifact (job, name, step, attempt, file, content_type, size, created_at)
			VALUES (?,?,?,?,?,?,?,?)`, a.Job, a.Name, a.Pos, a.Attempt, a.File, a.Type, a.Size, stamp{&a.CreatedAt}); err != nil {
			return nil, err
		}
		tx.touch(TopicJob(a.Job), TopicGrowth)
	}
	return replaced, nil
}

// artifactFiles are the numbers of the files that rows name, in the folder of
// an attempt.
func (tx *Tx) artifactFiles(attempt string) (files map[int]int64, err error) {
	files = map[int]int64{}
	err = tx.rows(func(r *sql.Rows) error {
		var file int
		var size int64
		defer func() { files[file] = size }()
		return r.Scan(&file, &size)
	}, `SELECT file, size FROM artifact WHERE attempt = ?`, attempt)
	return files, err
}
