//go:build unix

package cli_test

import (
	"encoding/json"
	"os"
	"strings"
	"syscall"
	"testing"
)

// drain starts a server with --drain whose job has come to its first step, and
// tells it to end.
func drain(t *testing.T) (s *server, home, cfg, fifo, id string) {
	t.Helper()
	dir, fifo := waiting(t)
	home, cfg = t.TempDir(), config(t, "w", dir)
	s = newServer(t, "stroem", home, t.TempDir(), cfg)
	s.cmd.Args = append(s.cmd.Args, "--drain")
	s.mustStart()
	id = s.execute("w", "t", nil)
	s.awaitLog(id, "[first] begun")
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	poll(t, s.log, func(log string) bool { return strings.Contains(log, "start nothing more") })
	return s, home, cfg, fifo, id
}

// stepsOf are the states of a job's steps by name.
func (s *server) stepsOf(id string) map[string]string {
	s.t.Helper()
	var job struct {
		Steps []struct{ Name, Status string }
	}
	if err := json.Unmarshal([]byte(s.ask("get_job_status", map[string]any{"job_id": id})), &job); err != nil {
		s.t.Fatal(err)
	}
	states := map[string]string{}
	for _, step := range job.Steps {
		states[step.Name] = step.Status
	}
	return states
}

func TestDrainWaitsForRunningStepsAndStartsNone(t *testing.T) {
	t.Parallel()
	s, home, cfg, fifo, id := drain(t)
	accepted := s.execute("w", "t", nil) // it answers, and what it accepts waits
	if got := s.stepsOf(accepted)["first"]; got != "ready" && got != "pending" {
		t.Errorf("while it drains, a new job's first step is %s", got)
	}
	if got := s.stepsOf(id)["first"]; got != "running" {
		t.Errorf("while it drains, the running step is %s", got)
	}
	if err := os.WriteFile(fifo, []byte("to the end\n"), 0); err != nil {
		t.Fatal(err)
	}
	<-s.ended
	if code := s.cmd.ProcessState.ExitCode(); code != 0 || strings.Contains(s.log(), "goes on without") {
		t.Errorf("exit code %d:\n%s", code, s.log())
	}
	again := serve(t, home, t.TempDir(), cfg)
	if strings.Contains(again.log(), "took up") {
		t.Errorf("a drained server left a running step:\n%s", again.log())
	}
	again.await(id, "completed")
	again.awaitLog(id, "[first] begun\n[first] to the end\n[second] done")
	again.awaitLog(accepted, "[first] begun")
	if err := os.WriteFile(fifo, []byte("accepted\n"), 0); err != nil {
		t.Fatal(err)
	}
	again.await(accepted, "completed")
}

func TestSecondSignalEndsADrainAtOnce(t *testing.T) {
	t.Parallel()
	s, home, cfg, fifo, id := drain(t)
	s.kill(syscall.SIGINT)
	if code := s.cmd.ProcessState.ExitCode(); code != 0 || !strings.Contains(s.log(), "goes on without") {
		t.Errorf("exit code %d:\n%s", code, s.log())
	}
	again := serve(t, home, t.TempDir(), cfg)
	if err := os.WriteFile(fifo, []byte("found again\n"), 0); err != nil {
		t.Fatal(err)
	}
	again.await(id, "completed")
	again.awaitLog(id, "[first] begun\n[first] found again\n[second] done")
}
