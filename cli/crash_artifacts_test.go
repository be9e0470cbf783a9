//go:build unix

package cli_test

import (
	"errors"
	"io"
	"path/filepath"
	"strings"

	"stroem/store"
)

// artifacts counts what the job's steps left. Of a step that completed it is
// all of it, whole.
func (c *crashes) artifacts(st *store.Store, tx *store.Tx, job *store.Job) int {
	steps, err := tx.Steps(job.Seq)
	list, errList := tx.Artifacts(job.Seq)
	if err := errors.Join(err, errList); err != nil {
		c.t.Fatal(err)
	}
	want := 0
	if job.Task == "leave" && steps[0].Status == store.Completed {
		want = 3
	}
	if len(list) != want {
		c.t.Errorf("job %s of %s has %d artifacts, want %d", job.ID, job.Task, len(list), want)
	}
	for i := range list {
		f, err := st.OpenArtifact(&list[i])
		if err != nil {
			c.t.Fatal(err)
		}
		text, err := io.ReadAll(f)
		f.Close()
		if err != nil || string(text) != strings.Repeat(job.ID+"\n", leftBytes/len(job.ID)+1)[:leftBytes] {
			c.t.Errorf("artifact %s of job %s is not whole: %v", list[i].Name, job.ID, err)
		}
	}
	return len(list)
}

// filesOfArtifacts counts what lies on disk, in the folder of each attempt.
func (c *crashes) filesOfArtifacts() int {
	files, err := filepath.Glob(filepath.Join(c.data(), "artifacts", "*", "*"))
	if err != nil {
		c.t.Fatal(err)
	}
	return len(files)
}
