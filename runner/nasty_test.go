//go:build unix

package runner_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"stroem/runner"
	"stroem/store"
)

// chatter goes before a nasty script: it says lines without end, and notes which
// it has said.
const chatter = `if [ "$1" != again ]; then
  mkdir "$TOKEN" && cd "$TOKEN" || exit
  (i=0; while :; do i=$((i+1)); echo "line $i"; echo "$i" >>said; sleep 0.05; done) &
fi
`

// nastyPlaces is how many of them run at a time: those that fork for ever leave
// two cores little to end the others with.
const nastyPlaces = 3

// nastyRig has a task for each of the scripts that do not want to end.
func nastyRig(t *testing.T, timeout string) (r *rig, tasks []string) {
	if _, err := os.Stat("/proc/self/environ"); err != nil {
		t.Skip("what survives is looked for in /proc, and there is none here")
	}
	files, err := filepath.Glob("proc/testdata/nasty/*.sh")
	if err != nil || len(files) < 12 {
		t.Fatal(files, err)
	}
	yaml := "tasks:\n"
	for _, file := range files {
		script, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, program, ok := strings.Cut(string(script), "# needs "); ok {
			program, _, _ = strings.Cut(program, "\n")
			if _, err := exec.LookPath(program); err != nil {
				t.Logf("%s is left out: there is no %s", file, program)
				continue
			}
		}
		name := strings.TrimSuffix(filepath.Base(file), ".sh")
		tasks = append(tasks, name)
		yaml += "  " + name + ":\n    input: {token: {type: string}}\n" + timeout +
			"        type: script\n        env: {TOKEN: '{{ input.token }}'}\n        script: |\n" + indent(chatter+string(script), 10)
	}
	r = newRig(t, yaml)
	r.halt()
	r.change = func(rn *runner.Runner) { rn.Slots = nastyPlaces }
	r.start()
	return r, tasks
}

// TestCancelLeavesNothing is R9: the whole tree is gone, what it said is kept,
// and the job is and stays cancelled.
func TestCancelLeavesNothing(t *testing.T) {
	t.Parallel()
	r, tasks := nastyRig(t, "    flow:\n      s:\n")
	var mu sync.Mutex
	var slowest time.Duration
	late := 0 // something was left a second after the grace
	for round := range cancelRounds {
		var wait sync.WaitGroup
		for _, task := range tasks {
			token := "300." + strconv.FormatInt(time.Now().UnixNano(), 10)
			job := r.submit(task, map[string]any{"token": token})
			wait.Go(func() {
				r.until(job.ID, func(res result) bool { return slices.Contains(res.log, "ready") && slices.Contains(res.log, "line 1") })
				<-time.After(rand.N(50 * time.Millisecond)) // any moment will do
				began := time.Now()
				if err := r.rn.Cancel(context.Background(), job.ID); err != nil {
					t.Error(task, err)
				}
				at := r.read(job.ID).Job
				settled := make(chan result, 1)
				go func() { settled <- r.wait(job) }()
				var res result
				var left []string
				select {
				case res = <-settled:
				case <-time.After(time.Until(began.Add(r.rn.Grace + time.Second))):
					left = bearing(token)
					res = <-settled
				}
				took := time.Since(began) - r.rn.Grace
				for _, fault := range r.faults(res, token) {
					t.Errorf("round %d, %s: %s", round, task, fault)
				}
				if s := res.steps["s"]; s.Status != store.Cancelled || res.Status != store.Cancelled || !res.CompletedAt.Equal(at.CompletedAt) {
					t.Errorf("round %d, %s: job is %s of %s, was cancelled at %s; step is %s: %s", round, task, res.Status,
						res.CompletedAt, at.CompletedAt, s.Status, s.Error)
				}
				mu.Lock()
				if slowest = max(slowest, took); len(left) > 0 {
					late++
				}
				mu.Unlock()
			})
		}
		wait.Wait()
	}
	t.Logf("%d scripts × %d cancels: something was left 1s after the grace %d times, and nothing when the step had ended, at most %s after it",
		len(tasks), cancelRounds, late, slowest.Round(time.Millisecond))
	if late > 0 && cancelRounds >= 100 { // else the machine may be busy with other tests
		t.Error("that is too slow")
	}
}

// faults is what is wrong with an attempt that was ended: processes that live
// on, and lines that were said and are not in the log.
func (r *rig) faults(res result, token string) (faults []string) {
	if left := bearing(token); len(left) > 0 {
		faults = append(faults, fmt.Sprintf("left: %q", left))
	}
	lives := filepath.Join(r.dir, token, "lives") // of such as are never met
	if before, err := os.Stat(lives); err == nil {
		<-time.After(50 * time.Millisecond)
		if after, err := os.Stat(lives); err != nil || after.Size() != before.Size() {
			faults = append(faults, "something goes on forking")
		}
	}
	said, err := os.ReadFile(filepath.Join(r.dir, token, "said"))
	if err != nil {
		faults = append(faults, err.Error())
	}
	for n := range bytes.Count(said, []byte{'\n'}) {
		if !slices.Contains(res.log, fmt.Sprint("line ", n+1)) {
			faults = append(faults, fmt.Sprintf("line %d is not in the log", n+1))
		}
	}
	return faults
}

// bearing gives the processes that have token in their arguments or environment.
func bearing(token string) (found []string) {
	all, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range all {
		args, _ := os.ReadFile(dir + "/cmdline")
		env, _ := os.ReadFile(dir + "/environ")
		if strings.Contains(string(args)+string(env), token) {
			found = append(found, filepath.Base(dir)+" "+strings.ReplaceAll(string(args), "\x00", " "))
		}
	}
	return found
}

func TestTimeoutLeavesNothing(t *testing.T) {
	for name, flow := range map[string]string{
		"of the step": "    flow:\n      s:\n        timeout: 2s\n",
		"of the job":  "    timeout: 2s\n    flow:\n      s:\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, tasks := nastyRig(t, flow)
			if cancelRounds < 100 { // a sample, one wave of it
				rand.Shuffle(len(tasks), func(i, j int) { tasks[i], tasks[j] = tasks[j], tasks[i] })
				tasks = tasks[:nastyPlaces]
			}
			var wait sync.WaitGroup
			for _, task := range tasks {
				token := "300." + strconv.FormatInt(time.Now().UnixNano(), 10)
				job := r.submit(task, map[string]any{"token": token})
				wait.Go(func() {
					res := r.wait(job)
					for _, fault := range r.faults(res, token) {
						t.Errorf("%s: %s", task, fault)
					}
					if !strings.Contains(res.Error, "timed out after 2s") || !slices.Contains(res.log, "ready") {
						t.Errorf("%s: job is %s: %s, %q", task, res.Status, res.Error, res.log)
					}
				})
			}
			wait.Wait()
		})
	}
}

// TestCancelAndTheEndNeverOverwriteEachOther cancels scripts at the moment when
// they end by themselves: whichever came first stands.
func TestCancelAndTheEndNeverOverwriteEachOther(t *testing.T) {
	t.Parallel()
	r := newRig(t, one("echo ready; sleep 0.05; exit 0"))
	var wait sync.WaitGroup
	var cancelled, ended int
	var mu sync.Mutex
	for i := range 16 * cancelRounds {
		job := r.submit("t", nil)
		wait.Go(func() {
			r.until(job.ID, func(res result) bool { return res.steps["s"].Status != store.Ready })
			<-time.After(time.Duration(i%8) * 15 * time.Millisecond)
			err := r.rn.Cancel(context.Background(), job.ID)
			was := r.read(job.ID).Job
			res := r.wait(job)
			var late *runner.Ended
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil && res.Status == store.Cancelled && res.steps["s"].Status == store.Cancelled:
				cancelled++
			case errors.As(err, &late) && late.Status == store.Completed && res.Status == store.Completed:
				ended++
			default:
				t.Errorf("cancel: %v; job is %s, step %s", err, res.Status, res.steps["s"].Status)
			}
			if was.Status != res.Status || !was.CompletedAt.Equal(res.CompletedAt) {
				t.Errorf("job was %s at %s, is %s at %s", was.Status, was.CompletedAt, res.Status, res.CompletedAt)
			}
		})
	}
	wait.Wait()
	t.Logf("%d were cancelled, %d had ended", cancelled, ended)
}
