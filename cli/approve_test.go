//go:build unix

package cli_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

// awaitQuestion waits until the step waits for a person.
func (s *server) awaitQuestion(id, step string) string {
	s.t.Helper()
	return poll(s.t, func() string { return s.ask("get_job_status", map[string]any{"job_id": id}) },
		func(got string) bool { return strings.Contains(got, `{"name":"`+step+`","status":"suspended"`) })
}

// approve says yes to the step once it waits for a person.
func (s *server) approve(id, step string) {
	s.t.Helper()
	s.awaitQuestion(id, step)
	if code, body := s.post("/api/jobs/"+id+"/steps/"+step+"/approve", map[string]any{"approved": true}); code != http.StatusOK ||
		body != `{"status":"approved"}` {
		s.t.Fatalf("%d %s", code, body)
	}
}

func (s *server) post(path string, body any) (code int, answer string) {
	s.t.Helper()
	doc, err := json.Marshal(body)
	if err != nil {
		s.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.url+path, bytes.NewReader(doc))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return res.StatusCode, strings.TrimSpace(string(text))
}

const gate = `
tasks:
  t:
    flow:
      first: {type: script, script: echo before}
      gate: {type: approval, message: "Go on?", depends_on: [first], timeout: 5s}
      second: {type: script, script: echo after, depends_on: [gate]}
  patient:
    flow:
      gate: {type: approval, message: "Go on?", timeout: 1h}
`

// A wait for a person outlives the server, and so does its timeout.
func TestWaitForAPersonOutlivesKillMinus9(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "w.yaml", gate)
	home, cfg := t.TempDir(), config(t, "w", dir)
	s := serve(t, home, t.TempDir(), cfg)
	short, long := s.execute("w", "t", nil), s.execute("w", "patient", nil)
	asked := s.awaitQuestion(short, "gate")
	if !strings.Contains(asked, `"waits_for":"Go on?"`) || !strings.Contains(asked, `"suspended_at":"`) ||
		!strings.Contains(asked, `"deadline":"`) || !strings.Contains(asked, `"status":"running"`) {
		t.Error(asked)
	}
	s.awaitQuestion(long, "gate")
	began := time.Now()
	s.kill(syscall.SIGKILL)
	again := serve(t, home, t.TempDir(), cfg)
	got := again.await(short, "failed")
	if !strings.Contains(got, "Approval timed out") || time.Since(began) > 20*time.Second {
		t.Errorf("after %s: %s", time.Since(began), got)
	}
	again.awaitLog(short, "[first] before")
	again.approve(long, "gate")
	again.await(long, "completed")
}
