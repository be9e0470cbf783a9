//go:build unix

package cli_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"stroem/store"
)

const queueTasks = `
tasks:
  hold: {flow: {s: {type: script, script: ": > %[1]s.$STROEM_JOB_ID; until [ -e %[1]s ]; do sleep 0.05; done"}}}
  one: {flow: {s: {type: script, script: "true"}}}
`

// All places are taken, and a crowd of jobs is queued behind them, over a long
// history: each is accepted, and run once its turn comes.
func TestLongQueueOverALongHistory(t *testing.T) {
	alone(t)
	const places = 4
	jobs, history := 100, 1000
	if campaign {
		jobs, history = 10_000, 1_000_000
	}
	home, dir := t.TempDir(), t.TempDir()
	data, gate := filepath.Join(home, ".local", "share", "stroem"), filepath.Join(dir, "gate")
	write(t, dir, "w.yaml", fmt.Sprintf(queueTasks, gate))
	withStore(t, data, func(st *store.Store) { fillHistory(t, st, history) })
	s := serve(t, home, home, config(t, "w", dir), fmt.Sprint("STROEM__RUNNER__MAX_CONCURRENT=", places))
	pid := s.cmd.Process.Pid
	forgetPeak(t, pid)
	for range places {
		awaitFile(t, gate+"."+s.execute("w", "hold", nil))
	}
	rate := s.crowd("one", jobs)
	slow := map[string]float64{}
	for _, query := range []string{"", "&status=pending", "&status=failed", "&workspace=w&task_name=task7"} {
		slow["?limit=50"+query] = percentile(100, 95, func() {
			var list struct{ Items []struct{ Status string } }
			if s.mustRest(http.MethodGet, "/api/jobs?limit=50"+query, "", &list); len(list.Items) != min(50, history/50) && len(list.Items) != 50 {
				t.Errorf("%s lists %d jobs", query, len(list.Items))
			}
		})
	}
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	s.awaitEnds(history + places + jobs)
	took, most := time.Since(began), memory(t, pid, peak)
	s.kill(syscall.SIGTERM)
	var gaps latencies
	withStore(t, data, func(st *store.Store) { gaps = placesFilled(t, st, jobs, places) })
	t.Logf("%d jobs queued over %d in history: %.0f acceptances/s; run at %.0f jobs/s; a free place is filled in p50 %s; lists p95 in ms %v; at most %.0f MiB of memory",
		jobs, history, rate, float64(jobs)/took.Seconds(), gaps.percentile(50), slow, float64(most)/(1<<20))
	if !campaign {
		return
	}
	if rate < 1000 || gaps.percentile(50) > 20*time.Millisecond || most > 200<<20 {
		t.Error("the aims are 1,000 acceptances/s, a place filled in 20 ms, and 200 MiB")
	}
	for query, ms := range slow {
		if ms > 50 {
			t.Errorf("list %s takes %.1f ms; the aim is 50", query, ms)
		}
	}
}

// withStore opens a data folder that no server has.
func withStore(t *testing.T, data string, do func(*store.Store)) {
	t.Helper()
	st, err := store.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	do(st)
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
}

// crowd has 64 callers submit jobs, and returns how many are accepted a second.
func (s *server) crowd(task string, jobs int) float64 {
	var left atomic.Int64
	left.Store(int64(jobs))
	began := time.Now()
	var callers sync.WaitGroup
	for range 64 {
		callers.Go(func() {
			for left.Add(-1) >= 0 {
				if code, err := s.rest(http.MethodPost, "/api/workspaces/w/tasks/"+task+"/execute", "", nil); err != nil || code != http.StatusOK {
					s.t.Errorf("execute: %d %v\n%s", code, err, s.log())
				}
			}
		})
	}
	callers.Wait()
	return float64(jobs) / time.Since(began).Seconds()
}

// awaitEnds waits until so many jobs have ended, and no others are there.
func (s *server) awaitEnds(want int) {
	s.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	var jobs map[store.Status]int
	for end := time.Now().Add(10 * time.Minute); time.Now().Before(end); <-tick.C {
		s.mustRest(http.MethodGet, "/api/stats", "", &jobs)
		if jobs[store.Pending]+jobs[store.Running] == 0 {
			break
		}
	}
	if got := jobs[store.Completed] + jobs[store.Failed]; got != want || jobs[store.Pending]+jobs[store.Running] > 0 {
		s.t.Errorf("the jobs are %v, and %d should have ended", jobs, want)
	}
}

// placesFilled looks at all jobs of the crowd, each of which must have run, and
// returns how long each place stood free before one of them took it.
func placesFilled(t *testing.T, st *store.Store, jobs, places int) (gaps latencies) {
	t.Helper()
	var starts, ends []time.Time
	err := st.View(t.Context(), func(tx *store.Tx) error {
		crowd, err := tx.Jobs(store.JobFilter{Workspace: "w", Task: "one", Limit: -1})
		if len(crowd) != jobs {
			t.Errorf("%d jobs of the crowd are there, of %d", len(crowd), jobs)
		}
		for i := 0; err == nil && i < len(crowd); i++ {
			var runs []store.StepRun
			if runs, err = tx.Steps(crowd[i].Seq); err == nil && runs[0].Status != store.Completed {
				t.Errorf("job %s: its step is %s", crowd[i].ID, runs[0].Status)
			}
			starts, ends = append(starts, runs[0].StartedAt), append(ends, runs[0].CompletedAt)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(starts, time.Time.Compare)
	slices.SortFunc(ends, time.Time.Compare)
	for i := places; i < len(starts); i++ { // the place of the first that had ended
		gaps = append(gaps, starts[i].Sub(ends[i-places]))
	}
	if len(gaps) == 0 || slices.Min(gaps) < 0 {
		t.Errorf("more than %d steps ran at a time: %v", places, gaps)
	}
	return gaps
}
