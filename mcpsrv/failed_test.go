package mcpsrv_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"
)

// failing fails in step 3 of 5; what stands in its way is on stderr, before
// much that is not.
const failing = `
tasks:
  release:
    flow:
      checkout: {type: script, script: 'i=0; while [ $i -lt 50 ]; do echo "receive object $i"; i=$((i+1)); done'}
      build: {type: script, depends_on: [checkout], script: 'i=0; while [ $i -lt 300 ]; do echo "compile file $i"; i=$((i+1)); done'}
      test:
        type: script
        depends_on: [build]
        script: |
          echo "FAIL: TestPrice: got 3, want 4" >&2
          i=0; while [ $i -lt 100 ]; do echo "test $i passed"; i=$((i+1)); done
          exit 3
      package: {type: script, depends_on: [test], script: 'true'}
      publish: {type: script, depends_on: [package], script: 'true'}
  loud:
    flow:
      s:
        type: script
        script: 'echo "OUTPUT: {\"x\":\"$(head -c 9000 /dev/zero | tr "\0" y)\"}"; i=0; while [ $i -lt 30 ]; do head -c 3000 /dev/zero | tr "\0" "\042"; echo; i=$((i+1)); done >&2; exit 1'
`

// A job that fails in step 3 of 5 is traced to its cause in two calls and under
// 6 KB, requests included: by who began it, and by who finds it later.
func TestAFailedJobTellsItsCause(t *testing.T) {
	t.Parallel()
	a := connectTo(t, failing)
	calls, bytes, whole := 0, 0, 0
	ask := func(tool, args string) string {
		res := a.result(tool, args)
		doc, err := json.Marshal(res.Content)
		if err != nil || res.IsError {
			t.Fatalf("%s: %v %v", tool, err, res)
		}
		all, err := json.Marshal(res)
		if err != nil {
			t.Fatal(err)
		}
		calls, bytes, whole = calls+1, bytes+len(tool)+len(args)+len(doc), whole+len(tool)+len(args)+len(all)
		return res.Content[0].(mcp.TextContent).Text
	}
	text := ask("execute_task", `{"workspace":"ops","task_name":"release","wait_seconds":50}`)
	for _, want := range []string{`"failed_step":"test","exit_code":3`, `"FAIL: TestPrice: got 3, want 4"`, `"test 81 passed"`, `"test 99 passed"`,
		`"name":"publish","status":"skipped"`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
	t.Logf("who began it: %d call, %d bytes, %d with structured content", calls, bytes, whole)
	calls, bytes, whole = 0, 0, 0
	var list struct {
		Jobs []struct {
			ID string `json:"job_id"`
		}
	}
	if err := json.Unmarshal([]byte(ask("list_jobs", `{"status":"failed","limit":1}`)), &list); err != nil {
		t.Fatal(err)
	}
	if text := ask("get_job_status", fmt.Sprintf(`{"job_id":%q}`, list.Jobs[0].ID)); !strings.Contains(text, "got 3, want 4") {
		t.Errorf("got %s", text)
	}
	t.Logf("who finds it: %d calls, %d bytes, %d with structured content", calls, bytes, whole)
	if calls > 2 || whole > 6000 {
		t.Errorf("%d calls, %d bytes", calls, whole)
	}
}

// However much a failed job has said, its status fits.
func TestAFailedJobsStatusFits(t *testing.T) {
	t.Parallel()
	a := connectTo(t, failing)
	texts, _ := a.call("execute_task", `{"workspace":"ops","task_name":"loud","wait_seconds":50}`)
	var got struct {
		Failed string   `json:"failed_step"`
		Last   []string `json:"last_lines"`
		Steps  []struct{ Name string }
	}
	if err := json.Unmarshal([]byte(texts[0]), &got); err != nil || len(texts[0]) > 24<<10 {
		t.Fatalf("%d bytes, %v", len(texts[0]), err)
	}
	if got.Failed != "s" || len(got.Last) == 0 || len(got.Steps) != 1 || !strings.Contains(strings.Join(texts[1:], ""), "output was left out") {
		t.Errorf("%+v %q", got, texts[1:])
	}
}
