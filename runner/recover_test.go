//go:build unix

package runner_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"stroem/runner/proc"
	"stroem/store"
)

// TestSplitLineIsNoneAcrossARestart has a server begin a line that is split, and the
// next one read its end: that is not the beginning of a line that gives an output.
func TestSplitLineIsNoneAcrossARestart(t *testing.T) {
	t.Parallel()
	r := newRig(t, one(`head -c 65536 /dev/zero | tr '\0' x; printf O; until [ -e on ]; do sleep 0.02; done; echo 'UTPUT: {"a": 1}'`))
	job := r.submit("t", nil)
	r.until(job.ID, func(res result) bool { return res.LogLines == 1 })
	r.halt()
	r.start()
	touch(t, filepath.Join(r.dir, "on"))
	res := r.wait(job)
	if s := res.steps["s"]; res.Status != store.Completed || len(s.Output) != 0 {
		t.Errorf("job is %s, output %s", res.Status, s.Output)
	}
}

func TestStepOutlivesTheServer(t *testing.T) {
	t.Parallel()
	fifo := filepath.Join(t.TempDir(), "go")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	r := newRig(t, one(fmt.Sprintf("echo begun\nread line < %s\necho \"$line\"\nexit 4", fifo)))
	job := r.submit("t", nil)
	r.until(job.ID, func(res result) bool { return len(res.log) == 1 })
	r.halt()
	if res := r.read(job.ID); res.steps["s"].Status != store.Running {
		t.Fatalf("after the server stopped, the step is %s", res.steps["s"].Status)
	}
	r.start()
	if err := os.WriteFile(fifo, []byte("went on\n"), 0); err != nil {
		t.Fatal(err)
	}
	res := r.wait(job)
	if diff := cmp.Diff([]string{"begun", "went on"}, res.log); diff != "" {
		t.Error(diff)
	}
	if res.steps["s"].Error != "exit code 4" {
		t.Errorf("step ended with %q", res.steps["s"].Error)
	}
}

func TestCancelIsResumedByTheNextServer(t *testing.T) {
	t.Parallel()
	r := newRig(t, one("echo $$\nsleep 1000"))
	job := r.submit("t", nil)
	res := r.until(job.ID, func(res result) bool { return len(res.log) == 1 })
	r.halt()
	if err := r.rn.Cancel(t.Context(), job.ID); err != nil { // committed, and nobody there to kill
		t.Fatal(err)
	}
	r.start()
	if got := r.wait(job); got.steps["s"].Status != store.Cancelled {
		t.Errorf("step is %s", got.steps["s"].Status)
	}
	gone(t, pids(t, res.log)[0])
}

// attempts are the attempt folders that are there.
func (r *rig) attempts() []os.DirEntry {
	list, _ := os.ReadDir(filepath.Join(r.st.Dir(), "steps"))
	return list
}

func TestFoundStepsAreSettled(t *testing.T) {
	t.Parallel()
	const script = "echo $$\nsleep 1000"
	for _, tc := range []struct {
		name   string
		change func(t *testing.T, r *rig, pid int, run store.StepRun)
		status store.Status
		fault  string
	}{
		{"killed from outside", func(t *testing.T, r *rig, pid int, _ store.StepRun) {
			killGroup(t, pid)
		}, store.Failed, "killed from outside"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, one(script))
			job := r.submit("t", nil)
			res := r.until(job.ID, func(res result) bool { return len(res.log) == 1 })
			r.halt()
			tc.change(t, r, pids(t, res.log)[0], res.steps["s"])
			r.start()
			got := r.wait(job)
			if s := got.steps["s"]; s.Status != tc.status || !strings.Contains(s.Error, tc.fault) || s.ExitCode != nil {
				t.Errorf("step is %s: %s", s.Status, s.Error)
			}
			r.halt()
			if left := r.attempts(); len(left) != 0 {
				t.Errorf("%d attempt folders are left", len(left))
			}
		})
	}
}

// claimAndVanish leaves the next step as a server does that is killed between
// the claim and the spawn.
func (r *rig) claimAndVanish() {
	r.t.Helper()
	err := r.st.Update(context.Background(), func(tx *store.Tx) error {
		runs, err := tx.NextReady(1)
		if err != nil {
			return err
		}
		runs[0].Attempt, runs[0].Boot, runs[0].StartedAt = "gone", thisBoot(r.t), time.Now()
		return tx.StartStep(&runs[0])
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

// After a reboot nothing that was not synced can be trusted: a step may have
// run although nothing says so. It runs again only where its action allows it.
func TestRebootRunsAStepAgainOnlyIfItMay(t *testing.T) {
	t.Parallel()
	const again, once = "idempotent: true, ", ""
	killed := func(r *rig, pid int, run store.StepRun) { killGroup(r.t, pid); r.setBoot(run, "another boot") }
	unmarked := func(r *rig, pid int, run store.StepRun) { // what it wrote to its folder never reached the disk
		killed(r, pid, run)
		if err := os.RemoveAll(filepath.Join(r.st.Dir(), "steps", run.Attempt)); err != nil {
			r.t.Fatal(err)
		}
	}
	ended := func(r *rig, pid int, run store.StepRun) { // and the machine went down before a server heard of it
		if err := os.WriteFile(filepath.Join(r.dir, "go"), nil, 0o600); err != nil {
			r.t.Fatal(err)
		}
		gone(r.t, pid)
		awaitRecord(r.t, filepath.Join(r.st.Dir(), "steps", run.Attempt, "state"), "exit 5")
		r.setBoot(run, "another boot")
	}
	cancelled := func(r *rig, pid int, run store.StepRun) {
		killed(r, pid, run)
		if err := r.rn.Cancel(context.Background(), r.jobOf(run)); err != nil {
			r.t.Fatal(err)
		}
	}
	for _, tc := range []struct {
		name, action string
		change       func(r *rig, pid int, run store.StepRun)
		status       store.Status
		fault        string
		ran          int
	}{
		{"interrupted", once, killed, store.Failed, "interrupted: ", 1},
		{"interrupted, idempotent", again, killed, store.Completed, "", 2},
		{"without its marks", once, unmarked, store.Failed, "interrupted: ", 1},
		{"without its marks, idempotent", again, unmarked, store.Completed, "", 2},
		{"ended", once, ended, store.Failed, "exit code 5", 1},
		{"ended, idempotent", again, ended, store.Failed, "exit code 5", 1},
		{"cancelled, idempotent", again, cancelled, store.Cancelled, "", 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, `
tasks:
  t:
    flow:
      s: {`+tc.action+`type: script, script: "echo ran >> ledger; echo $$; [ $(wc -l < ledger) = 1 ] || exit 0; until [ -e go ]; do sleep 0.01; done; exit 5"}
`)
			job := r.submit("t", nil)
			res := r.until(job.ID, func(res result) bool { return len(res.log) == 1 })
			r.halt()
			tc.change(r, pids(t, res.log)[0], res.steps["s"])
			r.start()
			got := r.wait(job)
			if s := got.steps["s"]; s.Status != tc.status || !strings.Contains(s.Error, tc.fault) {
				t.Errorf("step is %s: %s", s.Status, s.Error)
			}
			ledger, err := os.ReadFile(filepath.Join(r.dir, "ledger"))
			if err != nil || strings.Count(string(ledger), "ran\n") != tc.ran || len(got.log) != tc.ran {
				t.Errorf("it ran %d times, and its log is %q: %v", strings.Count(string(ledger), "ran\n"), got.log, err)
			}
		})
	}
}

// jobOf is the id of the job that the step is of.
func (r *rig) jobOf(run store.StepRun) (id string) {
	r.t.Helper()
	err := r.st.View(context.Background(), func(tx *store.Tx) error {
		job, err := tx.JobBySeq(run.Job)
		id = job.ID
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return id
}

// awaitRecord waits until the wrapper has written the line to its state.
func awaitRecord(t testing.TB, path, line string) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); <-tick.C {
		if state, err := os.ReadFile(path); err == nil && strings.Contains(string(state), line+"\n") {
			return
		}
	}
	t.Fatalf("%s lacks %q", path, line)
}

func TestStepThatNeverBeganIsStarted(t *testing.T) {
	t.Parallel()
	r := newRig(t, one("echo ran"))
	r.halt()
	job := r.submit("t", nil)
	r.claimAndVanish()
	r.start()
	if res := r.wait(job); res.Status != store.Completed || len(res.log) != 1 {
		t.Errorf("job is %s with %d lines", res.Status, len(res.log))
	}
}

// killGroup ends the step's wrapper and its script, as nobody of ours would.
func killGroup(t testing.TB, pid int) {
	t.Helper()
	pgid, err := syscall.Getpgid(pid)
	if err == nil && pgid > 1 {
		err = syscall.Kill(-pgid, syscall.SIGKILL)
	}
	if err != nil {
		t.Fatal(err)
	}
	gone(t, pid)
}

func thisBoot(t testing.TB) string {
	t.Helper()
	id, err := proc.BootID()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// setBoot makes the running step one of another boot of the machine.
func (r *rig) setBoot(run store.StepRun, boot string) {
	r.t.Helper()
	err := r.st.Update(context.Background(), func(tx *store.Tx) error {
		if err := tx.QueueStep(&run, store.Running); err != nil {
			return err
		}
		run.Boot = boot
		if err := tx.StartStep(&run); err != nil {
			return err
		}
		return tx.AppendLog(&run, nil, 1) // its log stands where it stood
	})
	if err != nil {
		r.t.Fatal(err)
	}
}
