//go:build unix

package proc_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"stroem/runner/proc"
)

// server runs another process that starts s, and returns once it is about to.
func server(t *testing.T, s proc.Spec) (*exec.Cmd, *bufio.Reader) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), serverEnv+"="+string(b))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); cmd.Process.Kill(); cmd.Wait() })
	said := bufio.NewReader(out)
	hears(t, said, "now")
	return cmd, said
}

// hears waits for a line of a server.
func hears(t *testing.T, r *bufio.Reader, want string) {
	t.Helper()
	if line, err := r.ReadString('\n'); err != nil || line != want+"\n" {
		t.Fatalf("the server says %q, %v, want %q", line, err, want)
	}
}

// crash ends a server by kill -9.
func crash(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
}

// abandon has s started by a server that then crashes.
func abandon(t *testing.T, s proc.Spec) {
	t.Helper()
	cmd, said := server(t, s)
	hears(t, said, "started")
	crash(t, cmd)
	t.Cleanup(func() { proc.Sweep(s.Dir, s.ID); proc.Remove(s.Dir) })
}

func TestStepOutlivesTheServer(t *testing.T) {
	t.Parallel()
	s := spec(t, `echo before; until [ -e go ]; do sleep 0.01; done; echo after; echo oops >&2; exit 7`)
	abandon(t, s)
	p := attach(t, s, proc.Alive)
	says(t, p, "before")
	if err := os.WriteFile(filepath.Join(s.WorkDir, "go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := wait(t, p); got != (proc.Result{ExitCode: 7}) {
		t.Errorf("result is %+v", got)
	}
	if out, err := text(t, p, proc.Stdout), text(t, p, proc.Stderr); out != "before\nafter\n" || err != "oops\n" {
		t.Errorf("output is %q, %q", out, err)
	}
	again := attach(t, s, proc.Ended)
	if got := wait(t, again); got != (proc.Result{ExitCode: 7}) || text(t, again, proc.Stdout) != "before\nafter\n" {
		t.Errorf("found again after its end: %+v", got)
	}
}

// TestServerKilledAtAnyMoment kills a server while it starts an attempt and
// shortly after. Whatever is found then must be true: the script runs once.
func TestServerKilledAtAnyMoment(t *testing.T) {
	t.Parallel()
	rounds := 30
	if testing.Short() {
		rounds = 10
	}
	found := make(map[proc.State]int)
	for round := range rounds {
		s := spec(t, `echo ran >>ledger; i=0; while [ $i -lt 300 ]; do echo "line $i"; i=$((i+1)); done; echo end >&2; exit 7`)
		cmd, _ := server(t, s)
		<-time.After(time.Duration(rand.Int64N(int64(8 * time.Millisecond))))
		crash(t, cmd)
		p, state, err := proc.Attach(s.Dir, s.ID)
		if err != nil {
			t.Fatal(err)
		}
		found[state]++
		if state == proc.NeverBegan {
			p.Close()
			p = start(t, s)
		}
		if got := wait(t, p); got != (proc.Result{ExitCode: 7}) {
			b, _ := os.ReadFile(filepath.Join(s.Dir, "state"))
			t.Errorf("round %d, found %v: result is %+v, state %q", round, state, got, b)
		}
		out := text(t, p, proc.Stdout)
		if strings.Count(out, "\n") != 300 || !strings.HasSuffix(out, "line 299\n") || text(t, p, proc.Stderr) != "end\n" {
			t.Errorf("round %d, found %v: output is not whole: %d bytes", round, state, len(out))
		}
		if b, _ := os.ReadFile(filepath.Join(s.WorkDir, "ledger")); string(b) != "ran\n" {
			t.Errorf("round %d, found %v: the script ran %d times", round, state, strings.Count(string(b), "\n"))
		}
		p.Close()
	}
	t.Logf("found %v", found)
}

func TestKilledWrapperIsLost(t *testing.T) {
	t.Parallel()
	for name, of := range map[string]func(*testing.T, proc.Spec) *proc.Process{
		"own":      func(t *testing.T, s proc.Spec) *proc.Process { return start(t, s) },
		"attached": func(t *testing.T, s proc.Spec) *proc.Process { abandon(t, s); return attach(t, s, proc.Alive) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := spec(t, "echo ready; sleep 300")
			p := of(t, s)
			says(t, p, "ready")
			if err := unix.Kill(wrapperPid(t, s), unix.SIGKILL); err != nil {
				t.Fatal(err)
			}
			if got := wait(t, p); got != (proc.Result{ExitCode: -1, Lost: true}) {
				t.Errorf("result is %+v", got)
			}
			attach(t, s, proc.Lost)
			if left := bearing(t, "STROEM_ATTEMPT="+s.ID); len(left) == 0 {
				t.Error("the script should be there still")
			}
			if err := proc.Sweep(s.Dir, s.ID); err != nil {
				t.Error(err)
			}
			if left := bearing(t, "STROEM_ATTEMPT="+s.ID); len(left) > 0 {
				t.Errorf("left after the sweep: %q", left)
			}
		})
	}
}

func TestAttachTellsTheTruthOfWhatIsThere(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		state string
		want  proc.State
		code  int
	}{
		"empty":                {"", proc.NeverBegan, -1},
		"padding":              {proc.Padding, proc.NeverBegan, -1},
		"half a start":         {proc.Padding + "started 123", proc.NeverBegan, -1},
		"start":                {proc.Padding + "started 999999999\n", proc.Lost, -1},
		"half an exit":         {proc.Padding + "started 999999999\nexit 1", proc.Lost, -1},
		"exit":                 {proc.Padding + "started 999999999\nexit 12\n", proc.Ended, 12},
		"exit without a start": {"exit 12\n", proc.Ended, 12},
		"nonsense between":     {proc.Padding + "started 1\nexit x\nexit\nhello\n\x00\nexit 3\n", proc.Ended, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := spec(t, "")
			if err := os.MkdirAll(s.Dir, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(s.Dir, "state"), []byte(c.state), 0o600); err != nil {
				t.Fatal(err)
			}
			p := attach(t, s, c.want)
			if got := wait(t, p); got != (proc.Result{ExitCode: c.code, Lost: c.code < 0}) {
				t.Errorf("result is %+v", got)
			}
			if _, err := p.Read(proc.Stdout, 0, make([]byte, 1)); err != io.EOF {
				t.Errorf("read: %v", err)
			}
		})
	}
	t.Run("no folder", func(t *testing.T) { attach(t, spec(t, ""), proc.NeverBegan) })
	t.Run("no state", func(t *testing.T) {
		s := spec(t, "exit 2")
		if err := os.MkdirAll(filepath.Join(s.Dir, "rest"), 0o700); err != nil {
			t.Fatal(err)
		}
		attach(t, s, proc.NeverBegan)
		if got := wait(t, start(t, s)); got.ExitCode != 2 {
			t.Errorf("result of a start over the rest: %+v", got)
		}
	})
}

// TestSpawnedButNotBegunIsAlive holds the lock as a wrapper does that has not
// come to write its first record.
func TestSpawnedButNotBegunIsAlive(t *testing.T) {
	t.Parallel()
	s := spec(t, "")
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(filepath.Join(s.Dir, "state"), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	p := attach(t, s, proc.Alive)
	if _, err := proc.Start(s); err == nil {
		t.Error("it could be started a second time")
	}
	fmt.Fprintf(f, "%sstarted 999999999\nexit 5\n", proc.Padding)
	f.Close()
	if got := wait(t, p); got != (proc.Result{ExitCode: 5}) {
		t.Errorf("result is %+v", got)
	}
}

// TestForeignPidIsNotTouched has a state file name a living process that is not
// the attempt's, as after the reuse of a pid.
func TestForeignPidIsNotTouched(t *testing.T) {
	t.Parallel()
	other := exec.Command("sleep", "300")
	other.SysProcAttr = &unix.SysProcAttr{Setsid: true}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { other.Process.Kill(); other.Wait() }()
	for name, hold := range map[string]bool{"lock free": false, "lock held": true} {
		t.Run(name, func(t *testing.T) {
			s := spec(t, "")
			if err := os.MkdirAll(s.Dir, 0o700); err != nil {
				t.Fatal(err)
			}
			f, err := os.OpenFile(filepath.Join(s.Dir, "state"), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			fmt.Fprintf(f, "%sstarted %d\n", proc.Padding, other.Process.Pid)
			if hold {
				if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
					t.Fatal(err)
				}
			}
			p, _, err := proc.Attach(s.Dir, s.ID)
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			p.Kill(ctx, 0)
			if !hold {
				if err := proc.Sweep(s.Dir, s.ID); err != nil {
					t.Error(err)
				}
			}
			if err := other.Process.Signal(unix.Signal(0)); err != nil {
				t.Errorf("the foreign process is gone: %v", err)
			}
		})
	}
}

// TestCloseLeavesNothing is alone, since it counts goroutines and descriptors.
func TestCloseLeavesNothing(t *testing.T) {
	fds := func() int {
		all, err := os.ReadDir("/dev/fd")
		if err != nil {
			t.Skip("no /dev/fd")
		}
		return len(all)
	}
	one := spec(t, "sleep 300")
	start(t, one).Close() // has the runtime open what it keeps
	proc.Sweep(one.Dir, one.ID)
	goroutines, files := runtime.NumGoroutine(), fds()
	var specs []proc.Spec
	for range 10 {
		s := spec(t, "sleep 300")
		p, err := proc.Start(s)
		if err != nil {
			t.Fatal(err)
		}
		q, state, err := proc.Attach(s.Dir, s.ID)
		if err != nil || state != proc.Alive {
			t.Fatal(state, err)
		}
		p.Close()
		q.Close()
		q.Close()
		specs = append(specs, s)
	}
	eventually(t, "goroutines end", func() bool { return runtime.NumGoroutine() <= goroutines })
	if got := fds(); got > files {
		t.Errorf("%d descriptors are open, %d before", got, files)
	}
	for _, s := range specs {
		p := attach(t, s, proc.Alive) // Close did not touch it
		kill(t, p, 0)
		p.Close()
	}
}

func TestBootIDIsTheSameEachTime(t *testing.T) {
	t.Parallel()
	a, err := proc.BootID()
	b, err2 := proc.BootID()
	if err != nil || err2 != nil || a == "" || a != b {
		t.Errorf("boot id is %q, then %q: %v, %v", a, b, err, err2)
	}
}

func TestFindShellFindsOne(t *testing.T) {
	t.Parallel()
	path, bash, err := proc.FindShell()
	if err != nil || !filepath.IsAbs(path) || bash != (filepath.Base(path) == "bash") {
		t.Errorf("found %q, %v, %v", path, bash, err)
	}
}
