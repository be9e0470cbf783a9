package store_test

import (
	"testing"

	"stroem/store"
)

// A task may have been moved out of a folder whose jobs are not for everybody.
func TestSamplesAreInTheScope(t *testing.T) {
	t.Parallel()
	st := open(t)
	var ids []string
	for _, folder := range []string{"closed", "open"} {
		job := insert(t, st, "a")
		ids = append(ids, job.ID)
		update(t, st, func(tx *store.Tx) error {
			job.Status, job.CompletedAt = store.Completed, job.CreatedAt
			if err := tx.EndJob(&job); err != nil {
				return err
			}
			if err := tx.Exec(`UPDATE job SET folder = ? WHERE id = ?`, folder, job.ID); err != nil {
				return err
			}
			return tx.Exec(`INSERT INTO job_count VALUES (?, ?, ?, 'completed', 'api', 1)`, job.Workspace, folder, job.Task)
		})
	}
	view(t, st, func(tx *store.Tx) error {
		for name, c := range map[string]struct {
			scope *store.Scope
			want  int
		}{
			"all": {nil, 2}, "none": {&store.Scope{}, 0},
			"one": {&store.Scope{Rest: true, Hidden: []store.Place{{Workspace: "*", Task: "closed/*"}}}, 1},
		} {
			list, err := tx.Samples("w", "t", 10, c.scope)
			if err != nil {
				return err
			}
			if len(list) != c.want || c.want > 0 && list[0].JobID != ids[1] {
				t.Errorf("%s: %+v", name, list)
			}
		}
		return nil
	})
}
