//go:build unix

package cli_test

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"stroem/auth"
	"stroem/control"
	"stroem/mcpsrv"
	"stroem/runner"
	"stroem/runner/proc"
	"stroem/store"
	"stroem/workspace"
)

// Each benchmark reports what the machine itself costs in the same run beside
// what we take, since figures of two machines, or of two moments of a shared
// one, cannot be compared. docs/speed.md says how to read them.

const benchTasks = `
tasks:
  one: {flow: {s: {type: script, script: "true"}}}
  chain: {flow: {%s}}
  fan: {flow: {%s}}
  log20: {flow: {s: {type: script, script: "%s"}}}
  log1000: {flow: {s: {type: script, script: "%s"}}}
`

// asOwner is a context in which the owner of the data folder calls.
func asOwner() context.Context { return auth.With(context.Background(), auth.Owner()) }

// printsLines is a script that prints so many megabytes in lines of 100 bytes.
func printsLines(mb int) string {
	return fmt.Sprintf("yes %s | head -c %d000000", strings.Repeat("x", 99), mb)
}

// bench is a whole engine without HTTP.
type bench struct {
	b     *testing.B
	st    *store.Store
	plane *control.Plane
}

func newBench(b *testing.B) *bench {
	b.Helper()
	e, start := newIdleBench(b)
	start()
	return e
}

// newIdleBench takes jobs, and runs them once it is started.
func newIdleBench(b *testing.B) (e *bench, start func()) {
	b.Helper()
	var chain, fan []string
	for i := range 50 {
		fan = append(fan, fmt.Sprintf(`s%d: {type: script, script: "true"}`, i))
		if i < 10 {
			dep := ""
			if i > 0 {
				dep = fmt.Sprintf(", depends_on: [s%d]", i-1)
			}
			chain = append(chain, fmt.Sprintf(`s%d: {type: script, script: "true"%s}`, i, dep))
		}
	}
	dir := b.TempDir()
	write(b, dir, "bench.yaml", fmt.Sprintf(benchTasks, strings.Join(chain, ", "), strings.Join(fan, ", "),
		printsLines(20), printsLines(1000)))
	st, err := store.Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	rn := &runner.Runner{Store: st, Slots: 2 * runtime.NumCPU(), KeepLog: 64 << 20, Grace: time.Second, Log: log, Now: time.Now}
	plane := &control.Plane{Store: st, Runner: rn, Folders: []control.Folder{{Name: "w", Path: dir}}, Log: log, Now: time.Now}
	ctx, stop := context.WithCancel(context.Background())
	ready, done := make(chan struct{}), make(chan error, 2)
	parts := 1
	go func() { done <- plane.Sync(ctx, ready) }()
	<-ready
	b.Cleanup(func() {
		stop()
		for range parts {
			<-done
		}
		st.Close()
	})
	return &bench{b, st, plane}, func() {
		parts++
		go func() { done <- rn.Run(ctx) }()
	}
}

// run submits a job and returns when its end is seen.
func (b *bench) run(task string) store.Job {
	job, err := b.plane.Execute(asOwner(), control.Execution{Workspace: "w", Task: task})
	if err != nil {
		b.b.Fatal(err)
	}
	var last store.Job
	if err := b.plane.Follow(asOwner(), job.ID, 1<<62, func(e control.Event) error {
		if e.Job != nil {
			last = e.Job.Job
		}
		return nil
	}); err != nil || last.Status != store.Completed {
		b.b.Fatal(err, last.Status, last.Error)
	}
	return last
}

// median is the p50 of n measurements, in milliseconds.
func median(n int, measure func()) float64 { return percentile(n, 50, measure) }

// bareStep runs the step's process with its wrapper and files, and no more.
func bareStep(b *testing.B, dir string) {
	shell, _, err := proc.FindShell()
	if err != nil {
		b.Fatal(err)
	}
	id := uuid.NewString()
	p, err := proc.Start(proc.Spec{Dir: filepath.Join(dir, id), ID: id, Shell: shell, Script: "true", Env: os.Environ(), WorkDir: dir})
	if err != nil {
		b.Fatal(err)
	}
	<-p.Done()
	if p.Result().ExitCode != 0 {
		b.Fatal(p.Result())
	}
	_ = p.Close()
	go func() { _ = p.Remove() }()
}

// bareCommit is one durable commit of one row, in a database like ours.
func bareCommits(b *testing.B) func() {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(b.TempDir(), "bare.db")+
		"?_pragma=journal_mode(wal)&_pragma=synchronous(full)")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(1)
	if _, err := db.Exec(`CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)`); err != nil {
		b.Fatal(err)
	}
	insert, err := db.Prepare(`INSERT INTO t (b) VALUES ('some text of a row')`)
	if err != nil {
		b.Fatal(err)
	}
	return func() {
		if _, err := insert.Exec(); err != nil {
			b.Fatal(err)
		}
	}
}

// Latency of jobs: submit until the end is seen.
func BenchmarkLatency(b *testing.B) {
	const rounds = 200
	for b.Loop() {
		e := newBench(b)
		dir := b.TempDir()
		commit := bareCommits(b)
		e.run("one") // the first pays for what is set up once
		sh := median(rounds, func() {
			if err := exec.Command("sh", "-c", "true").Run(); err != nil {
				b.Fatal(err)
			}
		})
		step := median(rounds, func() { bareStep(b, dir) })
		c := median(rounds, commit)
		one := median(rounds, func() { e.run("one") })
		b.ReportMetric(sh, "sh-ms")
		b.ReportMetric(step, "bare-step-ms")
		b.ReportMetric(c, "commit-ms")
		b.ReportMetric(one, "one-step-ms")
		b.ReportMetric(one/(step+3*c), "x-floor")
		b.ReportMetric(median(rounds/10, func() { e.run("chain") }), "chain10-ms")
		b.ReportMetric(median(rounds/10, func() { e.run("fan") }), "fan50-ms")
	}
}

// Jobs of one step, by 8 callers, beside bare steps by 8.
func BenchmarkJobs(b *testing.B) {
	const jobs, callers = 1000, 8
	parallel := func(do func()) float64 {
		began := time.Now()
		var wg sync.WaitGroup
		for range callers {
			wg.Go(func() {
				for range jobs / callers {
					do()
				}
			})
		}
		wg.Wait()
		return jobs / time.Since(began).Seconds()
	}
	for b.Loop() {
		e := newBench(b)
		dir := b.TempDir()
		bare := parallel(func() { bareStep(b, dir) })
		ours := parallel(func() { e.run("one") })
		b.ReportMetric(bare, "bare-steps/s")
		b.ReportMetric(ours, "jobs/s")
		b.ReportMetric(ours/bare, "x-bare")
	}
}

// Acceptances: jobs committed to disk, beside bare commits.
func BenchmarkAccept(b *testing.B) {
	for _, callers := range []int{1, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			for b.Loop() {
				e, _ := newIdleBench(b)
				commit := bareCommits(b)
				b.ReportMetric(1000/median(500, commit), "bare-commits/s")
				const jobs = 6400
				var left atomic.Int64
				left.Store(jobs)
				began := time.Now()
				var wg sync.WaitGroup
				for range callers {
					wg.Go(func() {
						for left.Add(-1) >= 0 {
							if _, err := e.plane.Execute(asOwner(), control.Execution{Workspace: "w", Task: "one"}); err != nil {
								b.Error(err)
							}
						}
					})
				}
				wg.Wait()
				b.ReportMetric(jobs/time.Since(began).Seconds(), "accepted/s")
			}
		})
	}
}

// Logs through one step, until they can be read whole, and the memory that
// takes beyond what the engine had before.
func BenchmarkLog(b *testing.B) {
	for _, tc := range []struct {
		task    string
		mb      int
		secrets int // of the workspace, looked for in every line
	}{{"log20", 20, 0}, {"log1000", 1000, 0}, {"log1000", 1000, 20}} {
		b.Run(fmt.Sprintf("%s/secrets=%d", tc.task, tc.secrets), func(b *testing.B) {
			for b.Loop() {
				e := newBench(b)
				secrets := map[string]any{}
				for i := range tc.secrets {
					secrets[fmt.Sprint("s", i)] = uuid.NewString()
				}
				e.plane.Runner.Secrets.Set("w", secrets)
				e.run("one")
				script := printsLines(tc.mb)
				began := time.Now()
				if err := exec.Command("sh", "-c", "{ "+script+"; } > "+filepath.Join(b.TempDir(), "bare")).Run(); err != nil {
					b.Fatal(err)
				}
				bare := time.Since(began)
				before := memory(b, os.Getpid(), resident)
				peak, stop := watchPeak(b)
				began = time.Now()
				job := e.run(tc.task)
				took := time.Since(began)
				stop()
				if job.LogLines < int64(tc.mb*10_000) {
					b.Fatalf("%d lines", job.LogLines)
				}
				b.ReportMetric(float64(bare.Milliseconds()), "bare-ms")
				b.ReportMetric(float64(took.Milliseconds()), "log-ms")
				b.ReportMetric(float64(tc.mb)/took.Seconds(), "MB/s")
				b.ReportMetric(float64(peak.Load()-before)/(1<<20), "more-MiB")
			}
		})
	}
}

// watchPeak follows this process's memory until stop is called.
func watchPeak(b *testing.B) (peak *atomic.Int64, stop func()) {
	peak = new(atomic.Int64)
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			peak.Store(max(peak.Load(), memory(b, os.Getpid(), resident)))
			select {
			case <-end:
				return
			case <-tick.C:
			}
		}
	}()
	return peak, func() { close(end); <-ended }
}

// Lists with many jobs in the history, through control and through MCP.
func BenchmarkList(b *testing.B) {
	for _, jobs := range []int{100_000, 1_000_000} {
		b.Run(fmt.Sprintf("jobs=%d", jobs), func(b *testing.B) {
			e := newBench(b)
			fillHistory(b, e.st, jobs)
			h := mcpsrv.Handler(e.plane, "bench", e.plane.Log)
			for b.Loop() {
				for name, f := range map[string]store.JobFilter{
					"all":       {Limit: 50},
					"failed":    {Status: store.Failed, Limit: 50},
					"workspace": {Workspace: "w", Limit: 50},
					"task":      {Workspace: "w", Task: "task7", Status: store.Completed, Limit: 50},
				} {
					b.ReportMetric(percentile(100, 95, func() {
						if list, err := e.plane.Jobs(asOwner(), f); err != nil || len(list.Jobs) != 50 {
							b.Fatal(err, len(list.Jobs))
						}
					}), name+"-p95-ms")
				}
				b.ReportMetric(percentile(100, 95, func() { listJobs(b, h) }), "list_jobs-p95-ms")
			}
		})
	}
}

// percentile is the p-th of n measurements, in milliseconds.
func percentile(n, p int, measure func()) float64 {
	var all latencies
	for range n {
		began := time.Now()
		measure()
		all = append(all, time.Since(began))
	}
	return float64(all.percentile(p).Microseconds()) / 1000
}

// fillHistory adds ended jobs of ten tasks.
func fillHistory(b testing.TB, st *store.Store, jobs int) {
	batch := min(jobs, 10_000)
	for at := 0; at < jobs; at += batch {
		err := st.Update(context.Background(), func(tx *store.Tx) error {
			for i := range batch {
				job := store.Job{ID: uuid.NewString(), Workspace: "w", Task: fmt.Sprint("task", i%10), Status: store.Completed,
					SourceType: store.SourceAPI, CreatedAt: time.Now(), StartedAt: time.Now(), CompletedAt: time.Now(), Input: []byte(`{"a":1}`)}
				if i%50 == 0 {
					job.Status = store.Failed
				}
				if err := tx.InsertJob(&job, &workspace.Task{Name: job.Task}, []store.StepRun{{Name: "s", Status: store.Completed}}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

func listJobs(b *testing.B, h http.Handler) {
	body := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_jobs","arguments":{"status":"failed"}}}`
	req, err := http.NewRequestWithContext(asOwner(), http.MethodPost, "/mcp", strings.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	w := &answer{header: http.Header{}}
	h.ServeHTTP(w, req)
	if !strings.Contains(w.body.String(), `\"count\":20`) {
		b.Fatalf("%.300s", w.body.String())
	}
}

// answer is an http.ResponseWriter that keeps what it is given.
type answer struct {
	header http.Header
	body   strings.Builder
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) Write(p []byte) (int, error) { return a.body.Write(p) }
func (a *answer) WriteHeader(int)             {}

// The process: from exec to healthy, and its memory when it has nothing to do.
func BenchmarkServer(b *testing.B) {
	bin := filepath.Join(b.TempDir(), "stroem")
	if out, err := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", bin, "stroem").CombinedOutput(); err != nil {
		b.Fatalf("%s", out)
	}
	for b.Loop() {
		home := b.TempDir()
		var starts []float64
		var idle int64
		for range 6 { // the first one unpacks the examples and makes the schema
			began := time.Now()
			s := serveBinary(b, bin, home, b.TempDir())
			res, err := http.Get(s.url + "/healthz") //nolint:noctx // bounded by the server's own life
			if err != nil || res.StatusCode != 200 {
				b.Fatal(err)
			}
			res.Body.Close()
			starts = append(starts, float64(time.Since(began).Microseconds())/1000)
			<-time.After(time.Second)
			idle = max(idle, memory(b, s.cmd.Process.Pid, resident))
			s.kill(syscall.SIGTERM)
		}
		b.ReportMetric(starts[0], "first-start-ms")
		b.ReportMetric(slices.Max(starts[1:]), "start-ms")
		b.ReportMetric(float64(idle)/(1<<20), "idle-MiB")
	}
}
