package store_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"stroem/store"
	"stroem/workspace"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func open(t testing.TB) *store.Store {
	t.Helper()
	st, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	return st
}

func update(t testing.TB, st *store.Store, fn func(*store.Tx) error) {
	t.Helper()
	if err := st.Update(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

func view(t testing.TB, st *store.Store, fn func(*store.Tx) error) {
	t.Helper()
	if err := st.View(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// plan is a task whose steps have nothing to do with one another.
func plan(steps ...string) *workspace.Task {
	p := &workspace.Task{Name: "t"}
	for _, s := range steps {
		p.Flow = append(p.Flow, workspace.Step{Name: s})
	}
	return p
}

// insert adds a job whose steps are all ready.
func insert(t testing.TB, st *store.Store, steps ...string) store.Job {
	t.Helper()
	job := store.Job{ID: uuid.NewString(), Workspace: "w", Task: "t", Status: store.Pending, SourceType: store.SourceAPI,
		CreatedAt: noon, Input: []byte(`{}`)}
	update(t, st, func(tx *store.Tx) error {
		runs := make([]store.StepRun, len(steps))
		for i := range steps {
			runs[i] = store.StepRun{Name: steps[i], Status: store.Ready}
		}
		return tx.InsertJob(&job, plan(steps...), runs)
	})
	return job
}

func TestSecondServerIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	st, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(dir); !errors.Is(err, store.ErrLocked) {
		t.Fatalf("second open: %v, want ErrLocked", err)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := store.Open(dir)
	if err != nil {
		t.Fatalf("open after close: %v", err)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestFolderNamesThatLookLikeURLs(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a b?c#d%20ø&_pragma=x")
	st, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	if found, err := filepath.Glob(filepath.Join(filepath.Dir(dir), "*", "stroem.db")); err != nil || len(found) != 1 {
		t.Fatalf("database files: %v %v", found, err)
	}
}

func TestJobComesBackAsItWas(t *testing.T) {
	t.Parallel()
	st := open(t)
	job := insert(t, st, "a", "b")
	view(t, st, func(tx *store.Tx) error {
		got, err := tx.Job(job.ID)
		if err != nil {
			return err
		}
		if diff := cmp.Diff(job, got); diff != "" {
			t.Error(diff)
		}
		p, err := tx.Plan(got.Plan)
		if err != nil {
			return err
		}
		if diff := cmp.Diff([]string{"a", "b"}, []string{p.Flow[0].Name, p.Flow[1].Name}); diff != "" {
			t.Error(diff)
		}
		if _, err := tx.Job("none"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("absent job: %v", err)
		}
		return nil
	})
}

func TestFailedChangeLeavesNothingAndSparesOthers(t *testing.T) {
	t.Parallel()
	st := open(t)
	broken := errors.New("broken")
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			job := store.Job{ID: fmt.Sprint(i), Status: store.Pending, CreatedAt: noon, Input: []byte(`{}`)}
			err := st.Update(t.Context(), func(tx *store.Tx) error {
				if err := tx.InsertJob(&job, plan("a"), []store.StepRun{{Name: "a", Status: store.Ready}}); err != nil {
					return err
				}
				switch i % 4 {
				case 1:
					return broken
				case 2:
					panic("in a transaction")
				}
				return nil
			})
			if (err == nil) != (i%4 == 0 || i%4 == 3) {
				t.Errorf("change %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	view(t, st, func(tx *store.Tx) error {
		jobs, err := tx.Jobs(store.JobFilter{Limit: 1000})
		if len(jobs) != 100 {
			t.Errorf("%d jobs are there, want 100", len(jobs))
		}
		return err
	})
}

func TestChangeIsConditionalOnTheStateItLeaves(t *testing.T) {
	t.Parallel()
	st := open(t)
	job := insert(t, st, "a")
	end := func(status store.Status) error {
		return st.Update(t.Context(), func(tx *store.Tx) error {
			j := job
			j.Status, j.CompletedAt = status, noon
			return tx.EndJob(&j)
		})
	}
	if err := end(store.Cancelled); err != nil {
		t.Fatal(err)
	}
	if err := end(store.Completed); !errors.Is(err, store.ErrConflict) {
		t.Fatalf("second end: %v, want ErrConflict", err)
	}
	view(t, st, func(tx *store.Tx) error {
		j, err := tx.Job(job.ID)
		if j.Status != store.Cancelled {
			t.Errorf("status %s, want cancelled", j.Status)
		}
		return err
	})
}

func TestViewCannotWrite(t *testing.T) {
	t.Parallel()
	st := open(t)
	job := insert(t, st, "a")
	err := st.View(t.Context(), func(tx *store.Tx) error { return tx.StartJob(&job, noon) })
	if err == nil {
		t.Fatal("a View wrote")
	}
}

func TestWatchWakesAfterTheCommitAndFolds(t *testing.T) {
	t.Parallel()
	st := open(t)
	job := insert(t, st, "a")
	wake, stop := st.Watch(store.TopicJob(job.Seq))
	defer stop()
	for range 3 {
		update(t, st, func(tx *store.Tx) error { return tx.StartJob(&job, noon) })
	}
	<-wake
	select {
	case <-wake:
		t.Error("wake-ups were not folded")
	default:
	}
	_ = st.Update(t.Context(), func(tx *store.Tx) error {
		if err := tx.StartJob(&job, noon); err != nil {
			return err
		}
		return errors.New("undone")
	})
	select {
	case <-wake:
		t.Error("an undone change woke")
	default:
	}
}

// serve claims the ready steps one by one and returns them as job/step.
func serve(t testing.TB, st *store.Store, names map[int64]string) (order []string) {
	t.Helper()
	for {
		done := false
		update(t, st, func(tx *store.Tx) error {
			runs, err := tx.NextReady(1)
			if err != nil || len(runs) == 0 {
				done = true
				return err
			}
			runs[0].Attempt = "x"
			order = append(order, names[runs[0].Job]+runs[0].Name)
			return tx.StartStep(&runs[0])
		})
		if done {
			return order
		}
	}
}

func TestReadyStepsAreServedFairlyBetweenJobs(t *testing.T) {
	t.Parallel()
	st := open(t)
	a := insert(t, st, "1", "2", "3", "4")
	b := insert(t, st, "1", "2")
	c := insert(t, st, "1")
	got := serve(t, st, map[int64]string{a.Seq: "a", b.Seq: "b", c.Seq: "c"})
	want := []string{"a1", "a2", "b1", "c1", "a3", "b2", "a4"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestJobThatHasBegunGoesOnBeforeNewcomers(t *testing.T) {
	t.Parallel()
	st := open(t)
	chain := insert(t, st, "1")
	update(t, st, func(tx *store.Tx) error {
		runs, err := tx.NextReady(1)
		if err != nil {
			return err
		}
		return tx.StartStep(&runs[0])
	})
	names := map[int64]string{chain.Seq: "chain"}
	for i := range 3 {
		names[insert(t, st, "1").Seq] = fmt.Sprint("new", i)
	}
	update(t, st, func(tx *store.Tx) error {
		runs, err := tx.Steps(chain.Seq)
		if err != nil {
			return err
		}
		return tx.QueueStep(&runs[0], store.Running)
	})
	if got := serve(t, st, names); got[0] != "chain1" {
		t.Errorf("served %v, want the chain first", got)
	}
}

func TestChainAndNewcomersTakeTurns(t *testing.T) {
	t.Parallel()
	st := open(t)
	names := map[int64]string{}
	chain := insert(t, st, "chain")
	names[chain.Seq] = ""
	var order []string
	for i := range 6 { // one place, a newcomer while each step runs, and the chain goes on after it
		var now store.StepRun
		update(t, st, func(tx *store.Tx) error {
			due, err := tx.NextReady(1)
			if err != nil {
				return err
			}
			now = due[0]
			return tx.StartStep(&now)
		})
		order = append(order, names[now.Job]+now.Name)
		names[insert(t, st, fmt.Sprint("new", i)).Seq] = ""
		update(t, st, func(tx *store.Tx) error {
			if now.Job == chain.Seq {
				return tx.QueueStep(&now, store.Running)
			}
			now.Status, now.CompletedAt = store.Completed, noon
			return tx.EndStep(&now, store.Running)
		})
	}
	if diff := cmp.Diff([]string{"chain", "chain", "new0", "chain", "new1", "chain"}, order); diff != "" {
		t.Error(diff)
	}
}

func TestQueriesOfTheQueueUseTheirIndex(t *testing.T) {
	t.Parallel()
	st := open(t)
	for query, index := range map[string]string{
		`SELECT min(turn) FROM step WHERE status = 'ready'`:                                             "step_ready",
		`SELECT * FROM step WHERE status = 'ready' ORDER BY turn, job, pos LIMIT 1`:                     "step_ready",
		`SELECT * FROM step WHERE status = 'running' ORDER BY job, pos`:                                 "step_running",
		`SELECT * FROM step WHERE status = 'suspended' ORDER BY job, pos`:                               "step_suspended",
		`SELECT seq FROM job WHERE status = 'failed' ORDER BY seq DESC LIMIT 20`:                        "job_by_status",
		`SELECT seq FROM job WHERE workspace = 'w' ORDER BY seq DESC LIMIT 20`:                          "job_by_workspace",
		`SELECT seq FROM job WHERE task='t' ORDER BY seq DESC LIMIT 1`:                                  "job_by_name",
		`SELECT seq FROM job WHERE workspace='w' AND status='x' ORDER BY seq DESC LIMIT 1`:              "job_by_workspace_status",
		`SELECT seq FROM job WHERE workspace='w' AND task='t' AND status='x' ORDER BY seq DESC LIMIT 1`: "job_by_task_status",
		`SELECT seq FROM job WHERE workspace='w' AND task='t' ORDER BY seq DESC LIMIT 1`:                "job_by_task",
	} {
		view(t, st, func(tx *store.Tx) error {
			how, err := tx.Explain(query)
			if !strings.Contains(how, index) || strings.Contains(how, "TEMP B-TREE") {
				t.Errorf("%s\n  is answered by: %s", query, how)
			}
			return err
		})
	}
}

func TestFileShrinksOnDemand(t *testing.T) {
	t.Parallel()
	st := open(t)
	view(t, st, func(tx *store.Tx) error {
		for pragma, want := range map[string]int{"auto_vacuum": 2, "foreign_keys": 1} {
			got, err := tx.Pragma(pragma)
			if err != nil || got != want && pragma != "foreign_keys" {
				t.Errorf("%s = %d (%v), want %d", pragma, got, err, want)
			}
		}
		return nil
	})
	update(t, st, func(tx *store.Tx) error {
		for pragma, want := range map[string]int{"auto_vacuum": 2, "foreign_keys": 1, "synchronous": 2, "busy_timeout": 10000} {
			got, err := tx.Pragma(pragma)
			if err != nil || got != want {
				t.Errorf("writer: %s = %d (%v), want %d", pragma, got, err, want)
			}
		}
		return nil
	})
}

func TestCountersFollowTheJobs(t *testing.T) {
	t.Parallel()
	st := open(t)
	var jobs []store.Job
	for range 5 {
		jobs = append(jobs, insert(t, st, "a"))
	}
	update(t, st, func(tx *store.Tx) error {
		jobs[0].Status, jobs[0].CompletedAt = store.Failed, noon
		return errors.Join(tx.StartJob(&jobs[1], noon), tx.EndJob(&jobs[0]))
	})
	for _, tc := range []struct {
		filter store.JobFilter
		want   int64
	}{
		{store.JobFilter{}, 5},
		{store.JobFilter{Status: store.Pending}, 3},
		{store.JobFilter{Status: store.Running, Workspace: "w", Task: "t"}, 1},
		{store.JobFilter{Status: store.Failed, SourceType: store.SourceAPI}, 1},
		{store.JobFilter{Status: store.Failed, SourceType: store.SourceMCP}, 0},
		{store.JobFilter{Search: "T"}, 5},
		{store.JobFilter{Search: "%"}, 0},
	} {
		view(t, st, func(tx *store.Tx) error {
			n, err := tx.CountJobs(tc.filter)
			tc.filter.Limit = 100
			list, errList := tx.Jobs(tc.filter)
			if n != tc.want || int64(len(list)) != tc.want {
				t.Errorf("%+v: %d counted, %d listed, want %d", tc.filter, n, len(list), tc.want)
			}
			return errors.Join(err, errList)
		})
	}
}

func chunk(s store.Stream, lines ...string) store.Chunk {
	return store.Chunk{Stream: s, At: noon, Lines: int64(len(lines)), Body: []byte(strings.Join(lines, "\n") + "\n")}
}

func texts(lines []store.LogLine) (out []string) {
	for _, l := range lines {
		out = append(out, fmt.Sprintf("%d %s/%d %s", l.N, l.Step, l.Stream, l.Text))
	}
	return out
}

func TestLogIsReadByJobAndByStep(t *testing.T) {
	t.Parallel()
	st := open(t)
	job := insert(t, st, "a", "b")
	runs := steps(t, st, job)
	update(t, st, func(tx *store.Tx) error {
		return errors.Join(
			tx.AppendLog(&runs[0], []store.Chunk{chunk(store.Stdout, "one", "two")}, 1<<20),
			tx.AppendLog(&runs[1], []store.Chunk{chunk(store.Stderr, "three", "")}, 1<<20),
			tx.AppendLog(&runs[0], []store.Chunk{chunk(store.Stdout, "four\xff")}, 1<<20),
		)
	})
	for _, tc := range []struct {
		step, from int64
		limit      int
		want       []string
	}{
		{-1, 0, 10, []string{"0 a/0 one", "1 a/0 two", "2 b/1 three", "3 b/1 ", "4 a/0 four\xff"}},
		{-1, 1, 2, []string{"1 a/0 two", "2 b/1 three"}},
		{-1, 4, 10, []string{"4 a/0 four\xff"}},
		{-1, 5, 10, nil},
		{0, 1, 10, []string{"1 a/0 two", "2 a/0 four\xff"}},
		{1, 1, 10, []string{"1 b/1 "}},
	} {
		view(t, st, func(tx *store.Tx) error {
			lines, err := tx.LogLines(job.Seq, int(tc.step), tc.from, tc.limit)
			if diff := cmp.Diff(tc.want, texts(lines)); diff != "" {
				t.Errorf("step %d from %d: %s", tc.step, tc.from, diff)
			}
			return err
		})
	}
}

func steps(t testing.TB, st *store.Store, job store.Job) (runs []store.StepRun) {
	t.Helper()
	view(t, st, func(tx *store.Tx) (err error) {
		runs, err = tx.Steps(job.Seq)
		return err
	})
	return runs
}

func TestLongLogKeepsItsFirstAndLastHalf(t *testing.T) {
	t.Parallel()
	st := open(t)
	job := insert(t, st, "a")
	run := steps(t, st, job)[0]
	for i := range 100 {
		update(t, st, func(tx *store.Tx) error {
			return tx.AppendLog(&run, []store.Chunk{chunk(store.Stdout, fmt.Sprintf("line %04d", i))}, 100)
		})
	}
	var got []int64
	view(t, st, func(tx *store.Tx) error {
		lines, err := tx.LogLines(job.Seq, 0, 0, 1000)
		for _, l := range lines {
			got = append(got, l.N)
		}
		return err
	})
	if diff := cmp.Diff([]int64{0, 1, 2, 3, 4, 95, 96, 97, 98, 99}, got); diff != "" {
		t.Error(diff)
	}
	run = steps(t, st, job)[0]
	if run.CutLines != 90 || run.CutBytes != 900 || run.LogLines != 100 {
		t.Errorf("cut %d lines, %d bytes of %d lines", run.CutLines, run.CutBytes, run.LogLines)
	}
}

func TestBrokenFileKeepsItsLastGoodTasks(t *testing.T) {
	t.Parallel()
	st := open(t)
	replace := func(ws *workspace.Workspace) {
		update(t, st, func(tx *store.Tx) error { return tx.ReplaceWorkspace("w", "/dir", ws, noon) })
	}
	task := func(name, file string) *workspace.Task { return &workspace.Task{Name: name, File: file} }
	names := func() (list []string) {
		view(t, st, func(tx *store.Tx) error {
			all, err := tx.Tasks("w")
			for _, k := range all {
				list = append(list, k.Name)
			}
			return err
		})
		return list
	}
	replace(&workspace.Workspace{Revision: "1", Tasks: []*workspace.Task{task("a", "a.yaml"), task("b", "b.yaml")}})
	replace(&workspace.Workspace{Revision: "2", Tasks: []*workspace.Task{task("c", "c.yaml")},
		Problems: []workspace.Problem{{File: "b.yaml", Line: 1, Column: 1, What: "broken"}}})
	if got := names(); !slices.Equal(got, []string{"b", "c"}) {
		t.Errorf("tasks %v, want b and c", got)
	}
	view(t, st, func(tx *store.Tx) error {
		kept, err := tx.Task("w", "b")
		if kept.Revision != "1" || kept.Dir != "/dir" {
			t.Errorf("kept task is of revision %q in %q", kept.Revision, kept.Dir)
		}
		return err
	})
}

func TestClosedStoreSaysSo(t *testing.T) {
	t.Parallel()
	st, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	if err := st.Update(context.Background(), func(*store.Tx) error { return nil }); !errors.Is(err, store.ErrClosed) {
		t.Errorf("update: %v, want ErrClosed", err)
	}
}

func BenchmarkAccept(b *testing.B) {
	for _, callers := range []int{1, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			st := open(b)
			b.SetParallelism(callers)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					insert(b, st, "a")
				}
			})
		})
	}
}
