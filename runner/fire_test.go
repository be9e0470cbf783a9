//go:build unix

package runner_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"stroem/runner"
	"stroem/store"
	"stroem/workspace"
)

const sleeps = `
tasks:
  t: {flow: {s: {type: script, script: "echo begun; sleep 60"}}}
  quick: {flow: {s: {type: script, script: echo}}}
`

func (r *rig) fire(concurrency string, settle func(*store.Tx, int) error) error {
	r.t.Helper()
	var task store.StoredTask
	err := r.st.View(context.Background(), func(tx *store.Tx) (err error) {
		task, err = tx.Task("w", "t")
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return r.rn.Fire(context.Background(), runner.Firing{Times: 1, Concurrency: concurrency, Settle: settle,
		Request: runner.Request{Task: task, SourceType: store.SourceTrigger, SourceID: "w/trigger"}})
}

func (r *rig) active() (jobs []store.Job) {
	r.t.Helper()
	err := r.st.View(context.Background(), func(tx *store.Tx) (err error) {
		jobs, err = tx.ActiveJobs("w/trigger")
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return jobs
}

func settled(*store.Tx, int) error { return nil }

func TestFiringAgainEndsWhatRuns(t *testing.T) {
	t.Parallel()
	r := newRig(t, sleeps)
	if err := r.fire(workspace.CancelPrevious, settled); err != nil {
		t.Fatal(err)
	}
	first := r.active()[0]
	r.until(first.ID, func(res result) bool { return len(res.log) > 0 })
	if err := r.fire(workspace.CancelPrevious, settled); err != nil {
		t.Fatal(err)
	}
	got := r.until(first.ID, func(res result) bool { return res.steps["s"].Status.Ended() })
	if got.Status != store.Cancelled || got.steps["s"].Status != store.Cancelled || got.Error != "its trigger fired again" {
		t.Errorf("%s, step %s: %q", got.Status, got.steps["s"].Status, got.Error)
	}
	if left := r.active(); len(left) != 1 || left[0].ID == first.ID {
		t.Errorf("active are %+v", left)
	}
}

// Where the firing cannot be settled, nothing of it happens.
func TestFiringIsWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	r := newRig(t, sleeps)
	if err := r.fire("", settled); err != nil {
		t.Fatal(err)
	}
	before := r.active()[0]
	err := r.fire(workspace.CancelPrevious, func(*store.Tx, int) error { return store.ErrConflict })
	if !errors.Is(err, store.ErrConflict) {
		t.Fatal(err)
	}
	if left := r.active(); len(left) != 1 || left[0].ID != before.ID {
		t.Errorf("active are %+v, want %+v", left, before)
	}
}

// A clock that is set back while a step runs makes it short, not negative.
func TestDurationsAreNotNegative(t *testing.T) {
	t.Parallel()
	r := newRig(t, sleeps)
	r.halt()
	var looks atomic.Int64
	now := time.Now()
	r.change = func(rn *runner.Runner) {
		rn.Now = func() time.Time { return now.Add(-time.Duration(looks.Add(1)) * time.Hour) }
	}
	r.start()
	got := r.run("quick", nil)
	step := got.steps["s"]
	if got.Status != store.Completed || !got.CompletedAt.Before(got.StartedAt) || got.Duration() != 0 || step.Duration() != 0 {
		t.Errorf("%s from %s to %s took %s, its step %s", got.Status, got.StartedAt, got.CompletedAt, got.Duration(), step.Duration())
	}
}
