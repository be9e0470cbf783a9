package mcpsrv_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

const planned = `
secrets: {TOKEN: hunter2hunter2}
tasks:
  release:
    input:
      dir: {type: string, required: true}
      version: {type: string, default: v1}
      pin: {type: string, secret: true}
    flow:
      build: {type: script, script: 'echo build {{ input.version }}; echo ''OUTPUT: {"size": 7}''', env: {T: "{{ secret.TOKEN }}"}}
      gate: {type: approval, message: "Ship {{ input.version }}?", depends_on: [build]}
      ship: {type: script, script: 'echo {{ build.output.size }} {{ input.pin }}', depends_on: [gate, build]}
  mends:
    input: {dir: {type: string, required: true}}
    flow:
      first: {type: script, script: 'echo first'}
      second: {type: script, script: 'test -e {{ input.dir }}/mended', depends_on: [first]}
  guarded:
    approval: {agents: true}
    flow:
      s: {type: script, script: 'true'}
triggers:
  nightly: {type: scheduler, cron: "0 3 1 1 *", timezone: UTC, task: release, enabled: true, input: {dir: /tmp}}
`

func TestPlanShowsWhatWouldRun(t *testing.T) {
	t.Parallel()
	a := connectTo(t, planned)
	texts, isError := a.call("plan_task", `{"workspace":"ops","task_name":"release","input":{"dir":"/d","version":"v2","pin":"mypin12345"}}`)
	for _, want := range []string{`"needs_approval":true`, `"name":"build","action":`, `"would_run":true`, `echo build 'v2'`, `"T=••••••"`,
		`"waits_for":"Ship v2?"`, `"depends_on":["gate","build"]`, `<build.output.size>`} {
		if isError || !strings.Contains(texts[0], want) {
			t.Errorf("no %s in %s", want, texts)
		}
	}
	if strings.Contains(texts[0], "mypin12345") || strings.Contains(texts[0], "hunter2") {
		t.Errorf("a secret in %s", texts[0])
	}
	texts, _ = a.call("plan_task", `{"workspace":"ops","task_name":"guarded"}`)
	if !strings.Contains(texts[0], `"needs_approval":true,"steps":[{"name":"_approval"`) {
		t.Errorf("guarded: %s", texts)
	}
	texts, isError = a.call("plan_task", `{"workspace":"ops","task_name":"release","input":{"dri":"/d"}}`)
	if !isError || !strings.Contains(texts[0], `did you mean "dir"`) {
		t.Errorf("a wrong input: %s", texts)
	}
	if texts, _ := a.call("list_jobs", `{}`); texts[0] != `{"jobs":[],"count":0}` {
		t.Errorf("a plan left a job: %s", texts[0])
	}
	if texts, _ := a.call("get_task", `{"workspace":"ops","task_name":"release"}`); !strings.Contains(texts[0], `-01-01T03:00:00Z"`) {
		t.Errorf("no next run in %s", texts[0])
	}
}

// A plan fits into a result, however long its scripts are.
func TestLargePlansAreCutAndSaySo(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("tasks:\n  wide:\n    flow:\n")
	for i := range 40 {
		fmt.Fprintf(&b, "      step-%d: {type: script, script: 'echo %s'}\n", i, strings.Repeat("x", 6000))
	}
	a := connectTo(t, b.String())
	texts, isError := a.call("plan_task", `{"workspace":"ops","task_name":"wide"}`)
	if isError || len(texts) != 2 || len(texts[0]) > 24<<10 || !strings.Contains(texts[1], "of 40 steps are shown") || !strings.Contains(texts[0], "bytes in all") {
		t.Errorf("%d bytes, %q", len(texts[0]), texts[1:])
	}
}

func TestARepeatedCallIsOneJob(t *testing.T) {
	t.Parallel()
	a := connect(t)
	const args = `{"workspace":"ops","task_name":"deploy","input":{"version":"1"},"idempotency_key":"once"}`
	var mu sync.Mutex
	told := map[string]bool{}
	var callers sync.WaitGroup
	for range 20 {
		callers.Go(func() {
			texts, isError := a.call("execute_task", args)
			mu.Lock()
			defer mu.Unlock()
			told[fmt.Sprint(texts, isError)] = true
		})
	}
	callers.Wait()
	texts, _ := a.call("execute_task", strings.TrimSuffix(args, "}")+`,"wait_seconds":20}`)
	if len(told) != 1 || !strings.Contains(texts[0], `"status":"completed"`) {
		t.Errorf("told %v, then %s", told, texts)
	}
	if texts, _ := a.call("list_jobs", `{}`); !strings.Contains(texts[0], `"count":1`) {
		t.Errorf("got %s", texts)
	}
	texts, isError := a.call("execute_task", strings.Replace(args, `"1"`, `"2"`, 1))
	if !isError || !strings.HasPrefix(texts[0], `idempotency_key "once" was used for another call`) {
		t.Errorf("another input: %s", texts)
	}
}

func TestAFailedJobGoesOn(t *testing.T) {
	t.Parallel()
	a := connectTo(t, planned)
	dir := t.TempDir()
	id := a.run("mends", fmt.Sprintf(`{"dir":%q}`, dir))
	if err := os.WriteFile(filepath.Join(dir, "mended"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	texts, isError := a.call("rerun_job", fmt.Sprintf(`{"job_id":%q,"from_failed":true,"wait_seconds":30}`, id))
	var got struct {
		JobID  string `json:"job_id"`
		Status string
		Source string `json:"source_type"`
		Of     string `json:"source_job_id"`
	}
	if err := json.Unmarshal([]byte(texts[0]), &got); err != nil || isError || got.Status != "completed" || got.Source != "rerun" || got.Of != id || got.JobID == id {
		t.Errorf("got %s, %v", texts, err)
	}
	texts, isError = a.call("rerun_job", fmt.Sprintf(`{"job_id":%q,"from_failed":true}`, got.JobID))
	if !isError || !strings.Contains(texts[0], "every step of job "+got.JobID+" completed") {
		t.Errorf("nothing failed: %s", texts)
	}
	if texts, isError := a.call("rerun_job", `{"job_id":"x"}`); !isError || !strings.HasPrefix(texts[0], `no job "x"; `) {
		t.Errorf("no job: %s", texts)
	}
}
