package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"stroem/store"
	"stroem/workspace"
)

// A firing is settled once, and only from the schedule that it was due by.
func TestMoveSchedule(t *testing.T) {
	t.Parallel()
	st := open(t)
	due := time.UnixMilli(1_800_000_000_000).UTC()
	first := store.Schedule{Workspace: "w", Name: "t", Spec: "hourly", Next: due}
	second := first
	second.Next = due.Add(time.Hour)
	update(t, st, func(tx *store.Tx) error {
		return errors.Join(tx.ReplaceWorkspace("w", "/w", new(workspace.Workspace), due), tx.PutSchedule(first), tx.MoveSchedule(first, second.Next))
	})
	edited := second
	edited.Spec = "daily"
	for _, stale := range []store.Schedule{first, edited} {
		err := st.Update(context.Background(), func(tx *store.Tx) error { return tx.MoveSchedule(stale, due.Add(24*time.Hour)) })
		if !errors.Is(err, store.ErrConflict) {
			t.Errorf("move %+v: %v, want a conflict", stale, err)
		}
	}
	view(t, st, func(tx *store.Tx) error {
		list, err := tx.Schedules()
		if len(list) != 1 || list[0] != second {
			t.Errorf("schedules %+v, want %+v", list, second)
		}
		return err
	})
	update(t, st, func(tx *store.Tx) error { return tx.KeepWorkspaces(nil) })
	view(t, st, func(tx *store.Tx) error {
		list, err := tx.Schedules()
		if len(list) != 0 {
			t.Errorf("schedules %+v of no workspace", list)
		}
		return err
	})
}

func TestOutagesAreBounded(t *testing.T) {
	t.Parallel()
	st := open(t)
	update(t, st, func(tx *store.Tx) error {
		for i := range 150 {
			at := time.UnixMilli(int64(1000 * i)).UTC()
			for _, name := range []string{"t", "u"} {
				if err := tx.AddOutage(store.Outage{Workspace: "w", Name: name, First: at, Last: at, Missed: i, CatchUp: "last", DecidedAt: at}); err != nil {
					return err
				}
			}
		}
		return nil
	})
	view(t, st, func(tx *store.Tx) error {
		list, err := tx.Outages("w", "t")
		if len(list) != 100 || list[0].Missed != 149 || list[99].Missed != 50 {
			t.Errorf("%d outages, from %+v to %+v", len(list), list[0], list[len(list)-1])
		}
		return err
	})
}

// The jobs of a trigger are found without looking at others.
func TestActiveJobsReadAnIndex(t *testing.T) {
	t.Parallel()
	st := open(t)
	view(t, st, func(tx *store.Tx) error {
		how, err := tx.Explain(`SELECT id FROM job WHERE source_id = 'w/t' AND source_type = 'trigger'
			AND status IN ('pending', 'running') ORDER BY seq`)
		if want := "SEARCH job USING INDEX job_by_trigger (source_id=?)"; how != want {
			t.Errorf("%q, want %q", how, want)
		}
		return err
	})
}
