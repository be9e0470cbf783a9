//go:build unix

package proc_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"stroem/runner/proc"
)

// kill ends p, which must work.
func kill(t testing.TB, p *proc.Process, grace time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	if err := p.Kill(ctx, grace); err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.Done():
	default:
		t.Fatal("killed, but not done")
	}
}

// nasty calls do with each of the scripts that do not want to end.
func nasty(t *testing.T, do func(t *testing.T, s proc.Spec, token string)) {
	files, err := filepath.Glob("testdata/nasty/*.sh")
	if err != nil || len(files) < 12 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			script, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if _, program, ok := strings.Cut(string(script), "# needs "); ok {
				program, _, _ = strings.Cut(program, "\n")
				need(t, program)
			}
			s, token := nastySpec(t, string(script))
			do(t, s, token)
		})
	}
}

func TestCancelLeavesNothing(t *testing.T) {
	t.Parallel()
	nasty(t, func(t *testing.T, s proc.Spec, token string) {
		p := start(t, proc.WithoutCgroup(s))
		says(t, p, "ready")
		kill(t, p, 100*time.Millisecond)
		survived(t, s, token)
		if !strings.Contains(text(t, p, proc.Stdout), "ready") {
			t.Error("output is gone")
		}
	})
}

// nastySpec is an attempt whose every process bears a token, by which a test
// finds them in its own way. It is a number of seconds as well, so that a sleep
// without its environment has it too.
func nastySpec(t *testing.T, script string) (proc.Spec, string) {
	s := spec(t, script)
	token := "300." + strconv.FormatInt(time.Now().UnixNano(), 10)
	s.Env = append(s.Env, "TOKEN="+token)
	return s, token
}

// survived reports what is left of an attempt: processes that bear its token, or
// lives that are still being written down by such as are never met.
func survived(t *testing.T, s proc.Spec, token string) {
	t.Helper()
	lives := filepath.Join(s.WorkDir, "lives")
	before, err := os.Stat(lives)
	if err == nil {
		<-time.After(50 * time.Millisecond)
		if after, err := os.Stat(lives); err != nil || after.Size() != before.Size() {
			t.Errorf("something goes on forking: %v, %v", after, err)
		}
	}
	if left := bearing(t, token); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}

func TestCancelAfterTheServerWasKilled(t *testing.T) {
	t.Parallel()
	nasty(t, func(t *testing.T, s proc.Spec, token string) {
		abandon(t, s)
		p := attach(t, s, proc.Alive)
		says(t, p, "ready")
		kill(t, p, 50*time.Millisecond)
		survived(t, s, token)
	})
}

func TestTermKeepsTheExitCode(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		script string
		code   int
	}{
		"default":        {"echo ready; sleep 300", 143},
		"exec":           {"echo ready; exec sleep 300", 143},
		"trap":           {`trap 'echo cleaned; exit 21' TERM; echo ready; while :; do sleep 0.01; done`, 21},
		"slow trap":      {`trap 'sleep 0.2; echo cleaned; exit 22' TERM; echo ready; while :; do sleep 0.01; done`, 22},
		"goes on to end": {`trap 'x=1' TERM; echo ready; until [ "$x" ]; do sleep 0.01; done; exit 23`, 23},
		"stopped":        {`echo ready; kill -STOP $$; exit 24`, 143},
	} {
		for sh, argv := range wrappers(t) {
			t.Run(name+" "+sh, func(t *testing.T) {
				t.Parallel()
				s := spec(t, c.script)
				p := start(t, proc.WithWrapper(s, argv...))
				says(t, p, "ready")
				kill(t, p, within)
				if got := p.Result(); got != (proc.Result{ExitCode: c.code}) {
					t.Errorf("result is %+v, want exit code %d", got, c.code)
				}
				if strings.Contains(c.script, "cleaned") != strings.Contains(text(t, p, proc.Stdout), "cleaned") {
					t.Errorf("output is %q", text(t, p, proc.Stdout))
				}
				b, err := os.ReadFile(filepath.Join(s.Dir, "state"))
				if err != nil || !strings.HasSuffix(string(b), fmt.Sprintf("\nexit %d\n", c.code)) {
					t.Errorf("state is %q, %v", b, err)
				}
			})
		}
	}
}

// TestTermAtAnyMoment cancels at once: nothing may be lost of the signal, of the
// exit, or of the script.
func TestTermAtAnyMoment(t *testing.T) {
	t.Parallel()
	for sh, argv := range wrappers(t) {
		t.Run(sh, func(t *testing.T) {
			t.Parallel()
			for round := range 15 {
				s := spec(t, "sleep 300")
				p := start(t, proc.WithWrapper(s, argv...))
				<-time.After(time.Duration(round) * 300 * time.Microsecond)
				kill(t, p, within)
				if got := p.Result(); got != (proc.Result{ExitCode: 143}) {
					t.Fatalf("round %d: result is %+v", round, got)
				}
				p.Close()
			}
		})
	}
}

// TestManyTermsLoseNoExit hails signals on the wrapper while the script ends.
func TestManyTermsLoseNoExit(t *testing.T) {
	t.Parallel()
	for sh, argv := range wrappers(t) {
		t.Run(sh, func(t *testing.T) {
			t.Parallel()
			for round := range 10 {
				s := spec(t, "exit 7")
				p := start(t, proc.WithWrapper(s, argv...))
				pid := wrapperPid(t, s)
				for ended := false; !ended; {
					select {
					case <-p.Done():
						ended = true
					default:
						unix.Kill(pid, unix.SIGTERM)
					}
				}
				if got := p.Result(); got != (proc.Result{ExitCode: 7}) {
					t.Fatalf("round %d: result is %+v", round, got)
				}
				p.Close()
			}
		})
	}
}

func TestWrapperThatHadToBeKilledIsLost(t *testing.T) {
	t.Parallel()
	p := start(t, spec(t, `trap "" TERM; echo ready; while :; do sleep 0.1; done`))
	says(t, p, "ready")
	began := time.Now()
	kill(t, p, 200*time.Millisecond)
	if took := time.Since(began); took < 200*time.Millisecond {
		t.Errorf("the grace lasted %v", took)
	}
	if got := p.Result(); got != (proc.Result{ExitCode: -1, Lost: true}) {
		t.Errorf("result is %+v", got)
	}
}

func TestKillReturnsEarly(t *testing.T) {
	t.Parallel()
	p := start(t, spec(t, "echo ready; sleep 300"))
	says(t, p, "ready")
	began := time.Now()
	kill(t, p, within)
	if took := time.Since(began); took > within/3 {
		t.Errorf("it took %v", took)
	}
	kill(t, p, within) // again, on what is gone
}

func TestKillAlsoEndsWhatAnEndedStepLeft(t *testing.T) {
	t.Parallel()
	need(t, "setsid")
	s, token := nastySpec(t, `setsid sleep $TOKEN & sleep $TOKEN & exit 3`)
	p := start(t, s)
	wait(t, p)
	eventually(t, "sleeps run", func() bool { return len(bearing(t, token)) == 2 })
	kill(t, p, within)
	if left := bearing(t, token); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
	if got := p.Result(); got != (proc.Result{ExitCode: 3}) {
		t.Errorf("result is %+v", got)
	}
}

func TestKillStopsWithItsContext(t *testing.T) {
	t.Parallel()
	p := start(t, spec(t, `trap "" TERM; echo ready; while :; do sleep 0.1; done`))
	says(t, p, "ready")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := p.Kill(ctx, within); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error is %v", err)
	}
	kill(t, p, 0)
}

// TestOthersAreNotTouched has processes near an attempt that are not of it: one
// of another attempt, one that reads its output, one that lives in its folder at
// a terminal would be a fourth.
func TestOthersAreNotTouched(t *testing.T) {
	t.Parallel()
	s := spec(t, `trap "" TERM; echo ready; while :; do sleep 0.1; done`)
	p := start(t, s)
	says(t, p, "ready")
	sibling := spec(t, "echo ready; sleep 300")
	sibling.ID, sibling.Dir = s.ID+"1", s.Dir+"1"
	q := start(t, sibling)
	says(t, q, "ready")
	reader := exec.Command("tail", "-f", filepath.Join(s.Dir, "out"))
	reader.SysProcAttr = &unix.SysProcAttr{Setsid: true}
	if err := reader.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { reader.Process.Kill(); reader.Wait() }()
	kill(t, p, 20*time.Millisecond)
	for name, pid := range map[string]int{"sibling": wrapperPid(t, sibling), "reader": reader.Process.Pid} {
		if m, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err == nil && strings.Contains(string(m), ") Z ") {
			t.Errorf("%s was killed", name)
		} else if err := unix.Kill(pid, 0); err != nil {
			t.Errorf("%s is gone: %v", name, err)
		}
	}
	kill(t, q, within)
}

// TestManyAtOnce starts and cancels many together.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	var all []*proc.Process
	for range 20 {
		all = append(all, start(t, spec(t, "echo ready; sleep 300 & sleep 300")))
	}
	errs := make(chan error, len(all))
	for _, p := range all {
		go func() { errs <- p.Kill(t.Context(), within) }()
	}
	for range all {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}
