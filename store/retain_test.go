package store_test

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"stroem/store"
)

// ended adds a job that ended at the time.
func ended(t testing.TB, st *store.Store, at time.Time, steps ...string) store.Job {
	t.Helper()
	job := insert(t, st, steps...)
	update(t, st, func(tx *store.Tx) error {
		job.Status, job.CompletedAt = store.Completed, at
		return tx.EndJob(&job)
	})
	return job
}

// prune prunes until nothing is left to do, and reports in how many pieces.
func prune(t testing.TB, st *store.Store, before time.Time) (jobs, pieces int) {
	t.Helper()
	for more := true; more; pieces++ {
		var gone store.Pruned
		update(t, st, func(tx *store.Tx) (err error) {
			gone, more, err = tx.Prune(before, 0)
			return err
		})
		jobs += gone.Jobs
	}
	return jobs, pieces
}

func space(t testing.TB, st *store.Store) (s store.Space) {
	t.Helper()
	view(t, st, func(tx *store.Tx) (err error) {
		s, err = tx.Space()
		return err
	})
	return s
}

var always = time.UnixMilli(math.MaxInt64)

func TestOldJobsGoWithAllTheyOwn(t *testing.T) {
	t.Parallel()
	st := open(t)
	old := ended(t, st, noon.Add(-time.Hour), "a", "b")
	shared := ended(t, st, noon.Add(-time.Hour), "c")
	young := ended(t, st, noon, "c")
	waits := insert(t, st, "c")
	run := steps(t, st, old)[0]
	update(t, st, func(tx *store.Tx) error {
		return tx.AppendLog(&run, []store.Chunk{chunk(store.Stdout, "one")}, 1<<20)
	})
	if jobs, _ := prune(t, st, noon); jobs != 2 {
		t.Errorf("%d jobs are gone, want 2", jobs)
	}
	view(t, st, func(tx *store.Tx) error {
		for _, id := range []string{old.ID, shared.ID} {
			if _, err := tx.Job(id); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("old job: %v", err)
			}
		}
		if _, err := tx.Plan(old.Plan); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("plan of an old job: %v", err)
		}
		lines, err := tx.LogLines(old.Seq, store.AllSteps, 0, 10)
		runs, errRuns := tx.Steps(old.Seq)
		if len(lines) != 0 || len(runs) != 0 {
			t.Errorf("left: %d lines, %d steps", len(lines), len(runs))
		}
		_, errYoung := tx.Job(young.ID)
		_, errWaits := tx.Job(waits.ID)
		_, errPlan := tx.Plan(young.Plan)
		n, errCount := tx.CountJobs(store.JobFilter{})
		done, errDone := tx.CountJobs(store.JobFilter{Status: store.Completed})
		if n != 2 || done != 1 {
			t.Errorf("%d jobs are counted, %d completed; want 2 and 1", n, done)
		}
		return errors.Join(err, errRuns, errYoung, errWaits, errPlan, errCount, errDone)
	})
}

// The runner keeps plans by number, so a number must not come back.
func TestNumbersOfPlansAreNotGivenTwice(t *testing.T) {
	t.Parallel()
	st := open(t)
	old := ended(t, st, noon, "a")
	prune(t, st, always)
	if again := insert(t, st, "b"); again.Plan == old.Plan {
		t.Errorf("plan %d is another one now", again.Plan)
	}
}

func TestJobOfWhichSomethingRunsStays(t *testing.T) {
	t.Parallel()
	st := open(t)
	job := insert(t, st, "a")
	run := steps(t, st, job)[0]
	update(t, st, func(tx *store.Tx) error {
		run.Attempt = "x"
		if err := tx.StartStep(&run); err != nil {
			return err
		}
		job.Status, job.CompletedAt = store.Cancelled, noon
		return tx.EndJob(&job)
	})
	if jobs, _ := prune(t, st, always); jobs != 0 {
		t.Error("a job is gone whose step is being ended")
	}
	update(t, st, func(tx *store.Tx) error {
		run.Status = store.Cancelled
		return tx.EndStep(&run, store.Running)
	})
	if jobs, _ := prune(t, st, always); jobs != 1 {
		t.Error("the job is not gone after its step has ended")
	}
}

func TestHugeLogGoesInPiecesAndItsSpaceReturns(t *testing.T) {
	t.Parallel()
	st, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	flood(t, st, 40)
	before := space(t, st)
	update(t, st, func(tx *store.Tx) error {
		job, err := tx.JobBySeq(1)
		job.Status, job.CompletedAt = store.Completed, noon
		return errors.Join(err, tx.EndJob(&job))
	})
	jobs, pieces := prune(t, st, always)
	if jobs != 1 || pieces < 40*16/64 {
		t.Errorf("%d jobs went in %d pieces", jobs, pieces)
	}
	var given, last int64
	for last = 1; last > 0; given += last {
		update(t, st, func(tx *store.Tx) (err error) {
			last, err = tx.Shrink()
			return err
		})
	}
	after := space(t, st)
	if after.Free != 0 || before.File-after.File != given || given < 40<<20 {
		t.Errorf("before %+v, after %+v, given back %d", before, after, given)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(st.Dir(), "stroem.db"))
	if err != nil || info.Size() != after.File {
		t.Errorf("the file has %d bytes, want %d (%v)", info.Size(), after.File, err)
	}
}
