//go:build unix

package cli_test

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/uuid"
)

// running is a "stroem run" of a task whose step has told the process ids of
// itself and of a child that left its process group.
type running struct {
	cmd  *exec.Cmd
	out  *bufio.Reader
	pipe io.Closer
	temp string
	pids []int
}

var pidsLine = regexp.MustCompile(`^\[s\] pids (\d+) (\d+)$`)

func startRun(t *testing.T, script string) *running {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "w.yaml", "tasks:\n  t:\n    flow:\n      s:\n        type: script\n        script: |\n          setsid sleep 1000 &\n          echo pids $$ $!\n          "+script+"\n")
	r := &running{cmd: exec.Command("stroem", "run", "t", "--path", dir), temp: t.TempDir()}
	r.cmd.Env = append(os.Environ(), "TMPDIR="+r.temp)
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, pid := range append(r.pids, r.cmd.Process.Pid) {
			if p, err := os.FindProcess(pid); err == nil {
				_ = p.Kill()
			}
		}
	})
	r.out, r.pipe = bufio.NewReader(out), out
	for {
		line, err := r.out.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if m := pidsLine.FindStringSubmatch(strings.TrimSpace(line)); m != nil {
			for _, text := range m[1:] {
				pid, err := strconv.Atoi(text)
				if err != nil {
					t.Fatal(err)
				}
				r.pids = append(r.pids, pid)
			}
			return r
		}
	}
}

// gone checks that the run has left nothing.
func (r *running) gone(t *testing.T) {
	t.Helper()
	_ = r.cmd.Wait()
	if code := r.cmd.ProcessState.ExitCode(); code != 1 {
		t.Errorf("exit code %d", code)
	}
	for _, pid := range r.pids {
		if state, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat")); err == nil && !bytes.Contains(state, []byte(") Z ")) {
			t.Errorf("process %d is left: %s", pid, state)
		}
	}
	left, err := os.ReadDir(r.temp)
	if err != nil || len(left) > 0 {
		t.Errorf("files are left: %v %v", left, err)
	}
}

func TestRunEndsItsWholeTreeWhenInterrupted(t *testing.T) {
	t.Parallel()
	r := startRun(t, "sleep 1000")
	if err := r.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(r.out)
	if err != nil || !strings.Contains(string(rest), "\nt: cancelled") && !strings.HasPrefix(string(rest), "t: cancelled") {
		t.Errorf("%s %v", rest, err)
	}
	r.gone(t)
}

// As under "stroem run … | head".
func TestRunEndsItsWholeTreeWhenNobodyReads(t *testing.T) {
	t.Parallel()
	r := startRun(t, "while :; do echo more; sleep 0.1; done")
	if err := r.pipe.Close(); err != nil {
		t.Fatal(err)
	}
	r.gone(t)
}

// Who watches a job misses nothing when its server was killed and came back.
func TestWaitOutlivesTheServer(t *testing.T) {
	t.Parallel()
	dir, fifo := waiting(t)
	home, cfg := t.TempDir(), config(t, "w", dir)
	s := serve(t, home, t.TempDir(), cfg)
	cmd := exec.Command("stroem", "--url", s.url, "trigger", "t", "--wait")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	lines := bufio.NewReader(out)
	got := ""
	for !strings.Contains(got, "[first] begun\n") {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatal(err, got)
		}
		got += line
	}
	s.kill(syscall.SIGKILL)
	serve(t, home, t.TempDir(), cfg, "STROEM__LISTEN="+strings.TrimPrefix(s.url, "http://"))
	if err := os.WriteFile(fifo, []byte("went on\n"), 0); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(lines)
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	text := regexp.MustCompile(` in [0-9.]+m?s`).ReplaceAllString(got+string(rest), "")
	first, text, _ := strings.Cut(text, "\n")
	if id, ok := strings.CutPrefix(first, "job "); !ok || uuid.Validate(id) != nil {
		t.Errorf("first line %q", first)
	}
	if got := stderr.String(); got != "stroem: connection lost, trying again\n" {
		t.Errorf("stderr %q", got)
	}
	want := "first: running\n[first] begun\n[first] went on\nfirst: completed\nsecond: running\n[second] done\nsecond: completed\nt: completed\n"
	if text != want {
		t.Errorf("%s", text)
	}
}
