package control_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"stroem/control"
	"stroem/store"
	"stroem/workspace"
)

// life is a plane over a store, without a runner: the test says when jobs end.
type life struct {
	*control.Plane
	t    *testing.T
	dir  string
	said bytes.Buffer
	stop func()
}

// begin opens the store and starts the upkeep.
func begin(t *testing.T, dir string, keep control.Retention, now func() time.Time) *life {
	t.Helper()
	st, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	l := &life{t: t, dir: dir}
	l.Plane = &control.Plane{Store: st, Retention: keep, Log: slog.New(slog.NewTextHandler(&l.said, nil)), Now: now}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- l.Upkeep(ctx) }()
	l.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	}
	return l
}

// job runs a job whose log is as large; size is a multiple of 16.
func (l *life) job(size int) {
	l.t.Helper()
	job := store.Job{ID: uuid.NewString(), Workspace: "w", Task: "t", Status: store.Pending, SourceType: store.SourceAPI,
		CreatedAt: l.Now(), Input: []byte(`{}`)}
	plan := &workspace.Task{Name: "t", Flow: workspace.Flow{{Name: "s"}}}
	body := bytes.Repeat([]byte("0123456789abcde\n"), size/16)
	runs := []store.StepRun{{Name: "s", Status: store.Ready}}
	for _, change := range []func(*store.Tx) error{
		func(tx *store.Tx) error { return tx.InsertJob(&job, plan, runs) },
		func(tx *store.Tx) error {
			runs[0].Attempt, runs[0].StartedAt = job.ID, l.Now()
			if err := tx.StartStep(&runs[0]); err != nil {
				return err
			}
			return tx.StartJob(&job, l.Now())
		},
		func(tx *store.Tx) error {
			return tx.AppendLog(&runs[0], []store.Chunk{{At: l.Now(), Lines: int64(size / 16), Body: body}}, 64<<20)
		},
		func(tx *store.Tx) error {
			runs[0].Status, runs[0].CompletedAt = store.Completed, l.Now()
			job.Status, job.CompletedAt = store.Completed, l.Now()
			if err := tx.EndStep(&runs[0], store.Running); err != nil {
				return err
			}
			return tx.EndJob(&job)
		},
	} {
		if err := l.Store.Update(l.t.Context(), change); err != nil {
			l.t.Fatal(err)
		}
	}
}

func (l *life) look() (space store.Space, u store.Upkeep, jobs int64) {
	l.t.Helper()
	err := l.Store.View(l.t.Context(), func(tx *store.Tx) (err error) {
		if space, err = tx.Space(); err != nil {
			return err
		}
		if u, err = tx.Upkeep(); err != nil {
			return err
		}
		jobs, err = tx.CountJobs(store.JobFilter{})
		return err
	})
	if err != nil {
		l.t.Fatal(err)
	}
	return space, u, jobs
}

// in runs the test in a bubble, where hours pass at once.
func in(t *testing.T, keep control.Retention, test func(*life)) {
	t.Helper()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		l := begin(t, dir, keep, time.Now)
		defer l.stop()
		test(l)
	})
}

// leave adds a job that ended now and left a file.
func (l *life) leave(size int) {
	l.t.Helper()
	l.job(16)
	path := filepath.Join(l.t.TempDir(), "f")
	if err := os.WriteFile(path, make([]byte, size), 0o600); err != nil {
		l.t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		l.t.Fatal(err)
	}
	defer f.Close()
	a := store.Artifact{Name: "f", Attempt: uuid.NewString(), CreatedAt: l.Now()}
	to, err := l.Store.NewArtifacts(a.Attempt)
	if err != nil {
		l.t.Fatal(err)
	}
	a.Size, err = to.Add(0, f, int64(size))
	if err := errors.Join(err, to.Close()); err != nil {
		l.t.Fatal(err)
	}
	err = l.Store.Update(l.t.Context(), func(tx *store.Tx) error {
		jobs, err := tx.Jobs(store.JobFilter{Limit: 1})
		if err == nil {
			a.Job = jobs[0].Seq
			_, err = tx.KeepArtifacts([]store.Artifact{a})
		}
		return err
	})
	if err != nil {
		l.t.Fatal(err)
	}
}

// Artifacts count for the bound, go with their jobs, and are told of as space
// that was given back.
func TestUpkeepKeepsArtifactsWithinTheBound(t *testing.T) {
	t.Parallel()
	in(t, control.Retention{MaxBytes: 4 << 20}, func(l *life) {
		for range 10 {
			l.leave(1 << 20)
		}
		time.Sleep(time.Minute)
		space, u, jobs := l.look()
		files, err := filepath.Glob(filepath.Join(l.Store.Dir(), "artifacts", "*", "0"))
		if err != nil || space.Live() > 4<<20 || space.Artifacts != jobs<<20 || len(files) != int(jobs) || jobs < 2 || u.Over {
			t.Errorf("%d jobs with %d files are left, %+v, %+v", jobs, len(files), space, u)
		}
		if u.Bytes < 1<<20 {
			t.Errorf("given back: %+v", u)
		}
	})
}

func TestUpkeepDeletesByAgeAndGivesSpaceBack(t *testing.T) {
	t.Parallel()
	in(t, control.Retention{Age: 24 * time.Hour}, func(l *life) {
		for range 40 {
			l.job(64 << 10)
		}
		time.Sleep(23*time.Hour + time.Minute)
		l.job(16)
		if _, u, jobs := l.look(); jobs != 41 || !u.RanAt.IsZero() || u.LookedAt.IsZero() {
			t.Errorf("too soon: %d jobs are left, %+v", jobs, u)
		}
		time.Sleep(2 * time.Hour)
		space, u, jobs := l.look()
		if jobs != 1 || u.Jobs != 40 || u.Bytes < 40*64<<10 || space.Free > 0 {
			t.Errorf("%d jobs are left, %+v, %+v", jobs, u, space)
		}
		if !strings.Contains(l.said.String(), "jobs_deleted=40") {
			t.Errorf("the log says %q", l.said.String())
		}
	})
}

func TestUpkeepKeepsTheDataWithinItsBound(t *testing.T) {
	t.Parallel()
	const most = 4 << 20
	in(t, control.Retention{MaxBytes: most}, func(l *life) {
		for range 200 {
			l.job(64 << 10)
			time.Sleep(10 * time.Second)
		}
		space, u, jobs := l.look()
		if space.Live() > most || jobs < 30 || u.Over {
			t.Errorf("%d jobs are left in %d bytes, %+v", jobs, space.Live(), u)
		}
		time.Sleep(time.Hour)
		if space, _, _ := l.look(); space.Free > 1<<20 {
			t.Errorf("%d bytes are free", space.Free)
		}
	})
}

// A clock that was set ahead has an hour to be set right before it counts.
func TestUpkeepDoesNotBelieveAClockThatJumped(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		var ahead atomic.Int64
		l := begin(t, dir, control.Retention{Age: 24 * time.Hour}, func() time.Time {
			return time.Now().Add(time.Duration(ahead.Load()))
		})
		defer l.stop()
		l.job(16)
		time.Sleep(2 * time.Hour)
		ahead.Store(int64(1000 * time.Hour))
		time.Sleep(time.Hour)
		if _, _, jobs := l.look(); jobs != 1 {
			t.Error("a job is gone because the clock jumped")
		}
		ahead.Store(0) // it was wrong
		time.Sleep(2 * time.Hour)
		ahead.Store(int64(1000 * time.Hour)) // it was right
		time.Sleep(3 * time.Hour)
		if _, _, jobs := l.look(); jobs != 0 {
			t.Error("the job is still there though the clock stays ahead")
		}
	})
}

// A day of a server: jobs all day long, retention of an hour.
func TestADayLeavesNothingBehind(t *testing.T) {
	jobs, size := 480, 32<<10
	if campaign {
		jobs = 50_000
	}
	goroutines, files := runtime.NumGoroutine(), descriptors(t)
	var wal int64
	in(t, control.Retention{Age: time.Hour}, func(l *life) {
		for range jobs {
			l.job(size)
			time.Sleep(24 * time.Hour / time.Duration(jobs))
			if info, err := os.Stat(filepath.Join(l.dir, "stroem.db-wal")); err == nil {
				wal = max(wal, info.Size())
			}
		}
		time.Sleep(time.Minute)
		space, u, left := l.look()
		if float64(space.File) > 1.3*float64(space.Live())+1<<20 {
			t.Errorf("the file has %d bytes, of that live %d", space.File, space.Live())
		}
		if left > int64(jobs)/10 || u.Jobs == 0 {
			t.Errorf("%d jobs are left, %+v", left, u)
		}
		t.Logf("at the end %d jobs in %d bytes, of that live %d; the write-ahead log had at most %d", left, space.File, space.Live(), wal)
	})
	if wal > 64<<20 {
		t.Errorf("the write-ahead log grew to %d bytes", wal)
	}
	if n := settled(runtime.NumGoroutine, goroutines); n > goroutines {
		t.Errorf("%d goroutines, %d before", n, goroutines)
	}
	if n := settled(func() int { return descriptors(t) }, files); n > files {
		t.Errorf("%d descriptors, %d before", n, files)
	}
}

// settled is the count once it has come down to what it was, or what it still
// is after a while: the runtime counts its own clean-up while that is at work.
func settled(count func() int, was int) (n int) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for late := time.Now().Add(10 * time.Second); ; <-tick.C {
		if n = count(); n <= was || time.Now().After(late) {
			return n
		}
	}
}

// descriptors counts what this process has open, where the system says so.
func descriptors(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(list)
}
