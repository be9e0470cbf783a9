//go:build unix

package cli_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// Of a thousand calls with one key, with the server killed among them and
// started anew, there is one job, and everybody who got an answer was told of it.
func TestRepeatedCallsAreOneJobAcrossKills(t *testing.T) {
	alone(t)
	home, dir := t.TempDir(), t.TempDir()
	write(t, dir, "w.yaml", "tasks:\n  once: {input: {n: {type: integer}}, flow: {s: {type: script, script: 'true'}}}\n")
	env := config(t, "w", dir)
	const call = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"execute_task","arguments":` +
		`{"workspace":"w","task_name":"once","input":{"n":1},"idempotency_key":"k"}}}`
	var mu sync.Mutex
	told := map[string]int{}
	var total struct{ Total int }
	for round := range sized(2, 10) {
		s := newServer(t, "stroem", home, home, env)
		s.mustStart()
		var answers atomic.Int64
		var callers sync.WaitGroup
		for range sized(100, 1000) {
			callers.Go(func() {
				var answer struct {
					Result struct{ Content []struct{ Text string } }
				}
				code, err := s.rest(http.MethodPost, "/mcp", call, &answer)
				if err != nil || code != http.StatusOK {
					return // killed meanwhile
				}
				mu.Lock()
				told[answer.Result.Content[0].Text]++
				mu.Unlock()
				if answers.Add(1) == int64(10*round+1) {
					_ = s.cmd.Process.Signal(syscall.SIGKILL)
				}
			})
		}
		callers.Wait()
		s.kill(syscall.SIGKILL)
	}
	s := serve(t, home, home, env)
	s.mustRest(http.MethodGet, "/api/jobs", "", &total)
	var job struct {
		JobID string `json:"job_id"`
	}
	for text := range told {
		if err := json.Unmarshal([]byte(text), &job); err != nil {
			t.Errorf("told %q", text)
		}
	}
	if len(told) != 1 || total.Total != 1 {
		t.Errorf("%d jobs; callers were told of %v", total.Total, told)
	}
	if got := s.await(job.JobID, "completed"); !strings.Contains(got, `"source_type":"mcp"`) {
		t.Errorf("got %s", got)
	}
}
