//go:build unix

package cli_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"stroem/store"
)

// countTask counts until its gate is opened, then says how far it came and
// exits with the code it was given.
const countTask = `
tasks:
  count:
    input: {gate: {type: string}, code: {type: integer}}
    flow:
      s:
        type: script
        script: |
          i=0
          : > "$INPUT_GATE.began"
          while ! [ -e "$INPUT_GATE" ]; do echo "line $i"; i=$((i+1)); sleep 0.01; done
          echo "$i lines" >&2
          exit "$INPUT_CODE"
`

// counter is a running step of countTask.
type counter struct {
	id, gate string
	code     int
	asked    time.Time // before it was submitted
	began    time.Time // when it was seen to run
	opened   time.Time
}

// foundAgain is a data folder whose servers are killed while steps run.
type foundAgain struct {
	t               *testing.T
	home, cfg, dir  string
	server          *server
	reused, written int // foreign processes under a step's pid: truly, and by its record
}

// A step that runs when the server is killed is found by the next one, with
// its exit code, its whole log and its true start; and a process that has got
// the pid of a dead step is let be.
func TestRunningStepsAreFoundAgain(t *testing.T) {
	alone(t)
	rounds := rounds(8, 200)
	f := &foundAgain{t: t, home: t.TempDir(), dir: t.TempDir()}
	write(t, f.dir, "w.yaml", countTask)
	f.cfg = config(t, "w", f.dir)
	f.server = serve(t, f.home, f.home, f.cfg)
	alive := 0
	for round := range rounds {
		if f.round(round) {
			alive++
		}
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
	}
	t.Logf("%d of %d found again while they ran, %d after their end meanwhile; foreign processes with a step's pid: %d by reuse, %d by record; touched: 0",
		alive, rounds, rounds, f.reused, f.written)
	if alive != rounds {
		t.Errorf("%d of %d steps were found alive", alive, rounds)
	}
}

// round kills the server under three steps: one goes on until after the next
// server has started, one ends before that, and one is killed and its pid given
// to somebody else.
func (f *foundAgain) round(n int) (alive bool) {
	through, ends, dies := f.begin(n%256), f.begin((n+7)%256), f.begin(0)
	<-time.After(rand.N(100 * time.Millisecond)) // between two looks at the output, or in one
	f.server.kill(syscall.SIGKILL)
	f.open(ends)
	foreign, touched := f.replace(dies)
	f.server = serve(f.t, f.home, f.home, f.cfg)
	poll(f.t, f.server.log, func(log string) bool { return strings.Count(log, "took up a running step") == 3 })
	alive = strings.Contains(f.server.log(), fmt.Sprintf(`"job":%q,"step":"s","state":"alive"`, through.id))
	f.open(through)
	f.whole(through)
	f.whole(ends)
	job := f.ended(dies)
	if step := job.Steps[0]; step.Status != store.Failed || step.Error != "its process was killed from outside" {
		f.t.Errorf("the step that was killed is %s: %s", step.Status, step.Error)
	}
	if err := foreign.Process.Signal(syscall.Signal(0)); err != nil {
		f.t.Errorf("the foreign process is gone: %v", err)
	}
	if _, err := os.Stat(touched); err == nil {
		f.t.Error("the foreign process got a signal")
	}
	_ = syscall.Kill(-foreign.Process.Pid, syscall.SIGKILL)
	_ = foreign.Wait()
	return alive
}

// begin submits a step and waits until it runs.
func (f *foundAgain) begin(code int) *counter {
	f.t.Helper()
	c := &counter{gate: filepath.Join(f.t.TempDir(), "gate"), code: code, asked: time.Now()}
	var job struct {
		ID string `json:"job_id"`
	}
	f.server.mustRest(http.MethodPost, "/api/workspaces/w/tasks/count/execute",
		fmt.Sprintf(`{"input":{"gate":%q,"code":%d}}`, c.gate, code), &job)
	c.id = job.ID
	awaitFile(f.t, c.gate+".began")
	c.began = time.Now()
	return c
}

func awaitFile(t *testing.T, path string) {
	t.Helper()
	poll(t, func() string { _, err := os.Stat(path); return fmt.Sprint(err) }, func(got string) bool { return got == "<nil>" })
}

func (f *foundAgain) open(c *counter) {
	f.t.Helper()
	c.opened = time.Now()
	if err := os.WriteFile(c.gate, nil, 0o600); err != nil {
		f.t.Fatal(err)
	}
}

// countedJob is a job of countTask as REST shows it.
type countedJob struct {
	Status store.Status
	Steps  []struct {
		Status    store.Status
		StartedAt time.Time `json:"started_at"`
		Duration  float64   `json:"duration_secs"`
		ExitCode  *int      `json:"exit_code"`
		Error     string    `json:"error_message"`
	}
}

func (f *foundAgain) ended(c *counter) (job countedJob) {
	f.t.Helper()
	poll(f.t, func() string {
		f.server.mustRest(http.MethodGet, "/api/jobs/"+c.id, "", &job)
		return string(job.Status)
	}, func(string) bool { return job.Status.Ended() })
	return job
}

// whole checks all that is known of a step that came to its end.
func (f *foundAgain) whole(c *counter) {
	f.t.Helper()
	step := f.ended(c).Steps[0]
	if step.ExitCode == nil || *step.ExitCode != c.code || (step.Status == store.Completed) != (c.code == 0) {
		f.t.Errorf("the step is %s with exit code %v, want %d: %s", step.Status, step.ExitCode, c.code, step.Error)
	}
	if step.StartedAt.Before(c.asked.Truncate(time.Millisecond)) || step.StartedAt.After(c.began) {
		f.t.Errorf("it was submitted at %s and began by %s, and its start is %s", c.asked, c.began, step.StartedAt)
	}
	if least := c.opened.Sub(c.began).Seconds(); step.Duration < least || step.Duration > time.Since(c.asked).Seconds() {
		f.t.Errorf("it took %.3f s, and ran for %.3f s at least", step.Duration, least)
	}
	var log struct{ Logs string }
	f.server.mustRest(http.MethodGet, "/api/jobs/"+c.id+"/logs", "", &log)
	next, said := 0, ""
	for line := range strings.Lines(log.Logs) {
		var l struct{ Stream, Line string }
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			f.t.Fatal(err)
		}
		if l.Stream == "stderr" {
			said += l.Line
			continue
		}
		if l.Line != fmt.Sprint("line ", next) {
			f.t.Errorf("line %d of the log is %q", next, l.Line)
		}
		next++
	}
	if said != fmt.Sprint(next, " lines") {
		f.t.Errorf("the log has %d lines, and the script says %q", next, said)
	}
}

// replace ends the step's wrapper and script, and has a process that is none of
// ours be where they were: under the same pid where the system lets us choose
// it, else under the pid that is on record. touched is there if that process
// was sent a signal.
func (f *foundAgain) replace(c *counter) (foreign *exec.Cmd, touched string) {
	f.t.Helper()
	state := f.stateOf(c)
	pid := f.pidIn(state)
	if err := syscall.Kill(-pid, syscall.SIGKILL); err != nil {
		f.t.Fatal(err)
	}
	// A campaign waits until init has collected it, and its pid is free.
	killed := time.Now()
	poll(f.t, func() string { return fmt.Sprint(syscall.Kill(pid, 0)) }, func(got string) bool {
		stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		dead := strings.Contains(string(stat), ") Z ") && (!campaign || time.Since(killed) > 5*time.Second)
		return got != "<nil>" || dead
	})
	touched = filepath.Join(f.t.TempDir(), "touched")
	for range 20 {
		foreign = bystander(f.t, pid, touched)
		if foreign.Process.Pid == pid {
			f.reused++
			return foreign, touched
		}
		if _, err := os.Stat("/proc/sys/kernel/ns_last_pid"); err != nil || syscall.Kill(pid, 0) == nil {
			break // the system does not let us choose, or the pid is not free
		}
		_ = syscall.Kill(-foreign.Process.Pid, syscall.SIGKILL)
		_ = foreign.Wait()
	}
	f.written++
	text, err := os.ReadFile(state)
	if err == nil {
		changed := strings.Replace(string(text), fmt.Sprintf("started %d\n", pid), fmt.Sprintf("started %d\n", foreign.Process.Pid), 1)
		err = os.WriteFile(state, []byte(changed), 0o600)
	}
	if err != nil {
		f.t.Fatal(err)
	}
	return foreign, touched
}

// bystander starts a process, under that pid if it can be had, that notes every
// signal which can be noted. It leads a session and a group, as a step does.
func bystander(t *testing.T, pid int, touched string) *exec.Cmd {
	t.Helper()
	ready := filepath.Join(t.TempDir(), "ready")
	cmd := exec.Command("sh", "-c", `trap 'echo >> "$0"' HUP INT QUIT TERM USR1 USR2 CONT; : > "$1"; while :; do sleep 300 & wait; done`, touched, ready)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	_ = os.WriteFile("/proc/sys/kernel/ns_last_pid", []byte(strconv.Itoa(pid-1)), 0)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); _ = cmd.Wait() })
	awaitFile(t, ready)
	return cmd
}

// stateOf finds the record of the step's wrapper: the one whose folder holds
// the name of the step's gate.
func (f *foundAgain) stateOf(c *counter) string {
	f.t.Helper()
	folders, err := filepath.Glob(filepath.Join(f.home, ".local/share/stroem/steps/*/input.json"))
	for _, path := range folders {
		if text, err := os.ReadFile(path); err == nil && strings.Contains(string(text), c.gate+`"`) {
			return filepath.Join(filepath.Dir(path), "state")
		}
	}
	f.t.Fatal("no attempt of the step", err)
	return ""
}

func (f *foundAgain) pidIn(state string) (pid int) {
	f.t.Helper()
	text, err := os.ReadFile(state)
	_, rest, found := strings.Cut(string(text), "started ")
	if !found {
		err = errors.Join(err, errors.New("no start on record"))
	}
	if _, scanErr := fmt.Sscan(rest, &pid); err != nil || scanErr != nil || pid <= 1 {
		f.t.Fatalf("%s: %v %v", text, err, scanErr)
	}
	return pid
}
