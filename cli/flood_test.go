//go:build unix

package cli_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"stroem/store"
)

const floodTasks = `
tasks:
  warm: {flow: {s: {type: script, script: seq 100000}}}
  lines: {flow: {s: {type: script, script: "yes %[2]s | head -c %[1]d; exit 7"}}}
  one-line: {flow: {s: {type: script, script: "head -c %[1]d /dev/zero | tr '\\0' x; exit 7"}}}
  any-bytes: {flow: {s: {type: script, script: "head -c %[1]d /dev/urandom; exit 7"}}}
  chatty: {flow: {s: {type: script, script: "b=$(seq 200); for i in $(seq %[3]d); do echo \"$b\"; sleep 0.5; done; exit 7"}}}
`

// flood is a server that is given more output than it will keep.
type flood struct {
	*server
	home   string
	size   int64 // bytes that a step writes
	rounds int   // of 200 lines that a chatty step writes
}

func newFlood(t *testing.T) *flood {
	f := &flood{home: t.TempDir(), size: 8_000_000, rounds: 3}
	keep := "1MiB"
	if campaign {
		f.size, f.rounds, keep = 1_000_000_000, 30, "64MiB"
	}
	dir := t.TempDir()
	write(t, dir, "w.yaml", fmt.Sprintf(floodTasks, f.size, strings.Repeat("x", 99), f.rounds))
	f.server = serve(t, f.home, f.home, config(t, "w", dir), "STROEM__RUNNER__MAX_CONCURRENT=200", "STROEM__LOG__MAX_BYTES="+keep)
	f.await(f.execute("w", "warm", nil), "completed")
	return f
}

// during has the server do something while it is asked things, and holds its
// figures.
func (f *flood) during(do func()) {
	f.t.Helper()
	pid := f.cmd.Process.Pid
	forgetPeak(f.t, pid)
	before := memory(f.t, pid, resident)
	stop := f.probe("/api/jobs?limit=20", "/api/tasks", "/api/stats", "/healthz")
	began := time.Now()
	do()
	took, slow, more := time.Since(began), stop().percentile(99), memory(f.t, pid, peak)-before
	f.t.Logf("took %s; API p99 %s; %.1f MiB more memory", took.Round(time.Millisecond), slow.Round(100*time.Microsecond), float64(more)/(1<<20))
	if campaign && (slow > 100*time.Millisecond || more > 64<<20) {
		f.t.Error("the aims are p99 100 ms and 64 MiB")
	}
}

// Output without end is kept in part, and what is missing is counted to the
// byte. It takes neither memory nor answers from others.
func TestFloodOfOutput(t *testing.T) {
	alone(t)
	for _, task := range []string{"lines", "one-line", "any-bytes"} {
		t.Run(task, func(t *testing.T) {
			f := newFlood(t)
			f.t = t
			var id string
			f.during(func() {
				id = f.execute("w", task, nil)
				f.awaitLong(id)
			})
			texts, _ := f.call("get_job_logs", map[string]any{"job_id": id})
			f.kill(syscall.SIGTERM)
			step, kept, marks := f.kept(id)
			if step.ExitCode == nil || *step.ExitCode != 7 {
				t.Errorf("exit code %v: %s", step.ExitCode, step.Error)
			}
			// A line that never ends is cut into pieces that end in a mark.
			if told := kept + step.CutBytes - marks; told != f.size && told != f.size+1 {
				t.Errorf("%d bytes are kept and %d left out, of %d", kept, step.CutBytes, f.size)
			}
			note := fmt.Sprintf("%d bytes in %d lines are missing from the middle of step s", step.CutBytes, step.CutLines)
			if len(texts) != 2 || !strings.Contains(texts[1], note) {
				t.Errorf("the log's note is %.300q, want %q", texts[1:], note)
			}
		})
	}
}

// awaitLong waits for the end of a job, which may take minutes.
func (f *flood) awaitLong(id string) {
	f.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(5 * time.Minute); time.Now().Before(end); <-tick.C {
		var job struct{ Status store.Status }
		f.mustRest(http.MethodGet, "/api/jobs/"+id, "", &job)
		if job.Status.Ended() {
			return
		}
	}
	f.t.Fatalf("job %s does not end", id)
}

// kept is the step of the job, how many bytes of its log are there, and how
// many bytes were put into the whole of it, there or not, as marks.
func (f *flood) kept(id string) (step store.StepRun, bytes, marks int64) {
	f.t.Helper()
	const mark = " …[line continues]\n"
	st, err := store.Open(filepath.Join(f.home, ".local", "share", "stroem"))
	if err != nil {
		f.t.Fatal(err)
	}
	defer st.Close()
	err = st.View(f.t.Context(), func(tx *store.Tx) error {
		job, err := tx.Job(id)
		if err != nil {
			return err
		}
		runs, err := tx.Steps(job.Seq)
		if err != nil {
			return err
		}
		step = runs[0]
		for from := int64(0); ; {
			lines, err := tx.LogLines(job.Seq, 0, from, 1000)
			if err != nil || len(lines) == 0 {
				return err
			}
			for _, l := range lines {
				bytes += int64(len(l.Text)) + 1
				if strings.HasSuffix(string(l.Text)+"\n", mark) {
					marks = (step.LogLines - 1) * int64(len(mark))
				}
			}
			from = lines[len(lines)-1].N + 1
		}
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return step, bytes, marks
}

// Many steps that talk at once are heard in full.
func TestManyChattySteps(t *testing.T) {
	alone(t)
	steps := 20
	if campaign {
		steps = 200
	}
	f := newFlood(t)
	var ids []string
	f.during(func() {
		for range steps {
			ids = append(ids, f.execute("w", "chatty", nil))
		}
		for _, id := range ids {
			f.awaitLong(id)
		}
	})
	f.kill(syscall.SIGTERM)
	for _, id := range ids {
		step, bytes, _ := f.kept(id)
		if step.ExitCode == nil || *step.ExitCode != 7 || step.LogLines != int64(200*f.rounds) || bytes != int64(692*f.rounds) {
			t.Fatalf("exit code %v, %d lines, %d bytes: %s", step.ExitCode, step.LogLines, bytes, step.Error)
		}
	}
}
