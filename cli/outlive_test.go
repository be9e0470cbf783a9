//go:build unix

package cli_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// waiting is a task whose first step waits until something is written to a
// named pipe.
func waiting(t testing.TB) (dir, fifo string) {
	t.Helper()
	dir = t.TempDir()
	fifo = filepath.Join(t.TempDir(), "go")
	mkfifo(t, fifo)
	write(t, dir, "w.yaml", fmt.Sprintf(`
tasks:
  t:
    flow:
      first: {type: script, script: "echo begun; read line < %s; echo $line"}
      second: {type: script, script: echo done, depends_on: [first]}
`, fifo))
	return dir, fifo
}

func TestJobCompletesAfterKillMinus9(t *testing.T) {
	t.Parallel()
	dir, fifo := waiting(t)
	home, cfg := t.TempDir(), config(t, "w", dir)
	s := serve(t, home, t.TempDir(), cfg)
	id := s.execute("w", "t", nil)
	s.awaitLog(id, "[first] begun")
	s.kill(syscall.SIGKILL)
	again := serve(t, home, t.TempDir(), cfg)
	if err := os.WriteFile(fifo, []byte("went on\n"), 0); err != nil {
		t.Fatal(err)
	}
	again.await(id, "completed")
	again.awaitLog(id, "[first] begun\n[first] went on\n[second] done")
}

func TestTermLeavesStepsRunningAndNamesThem(t *testing.T) {
	t.Parallel()
	dir, fifo := waiting(t)
	home, cfg := t.TempDir(), config(t, "w", dir)
	s := serve(t, home, t.TempDir(), cfg)
	id := s.execute("w", "t", nil)
	s.awaitLog(id, "[first] begun")
	began := time.Now()
	s.kill(syscall.SIGTERM)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the server took %s to end", took)
	}
	if code := s.cmd.ProcessState.ExitCode(); code != 0 || !strings.Contains(s.log(), `"step":"first"`) {
		t.Errorf("exit code %d:\n%s", code, s.log())
	}
	if err := os.WriteFile(fifo, []byte("in between\n"), 0); err != nil { // while no server runs
		t.Fatal(err)
	}
	again := serve(t, home, t.TempDir(), cfg)
	again.await(id, "completed")
	again.awaitLog(id, "[first] begun\n[first] in between\n[second] done")
}
