package mcpsrv_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
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

// A job that fails in step 3 of 5 tells its cause to who began it, and to who
// finds it later. What that costs is in cli/scenarios_test.go.
func TestAFailedJobTellsItsCause(t *testing.T) {
	t.Parallel()
	a := connectTo(t, failing)
	texts, isError := a.call("execute_task", `{"workspace":"ops","task_name":"release","wait_seconds":50}`)
	for _, want := range []string{`"failed_step":"test","exit_code":3`, `"FAIL: TestPrice: got 3, want 4"`, `"test 81 passed"`, `"test 99 passed"`,
		`"name":"publish","status":"skipped"`} {
		if isError || !strings.Contains(texts[0], want) {
			t.Errorf("no %s in %s", want, texts)
		}
	}
	var list struct {
		Jobs []struct {
			ID string `json:"job_id"`
		}
	}
	if texts, _ := a.call("list_jobs", `{"status":"failed","limit":1}`); json.Unmarshal([]byte(texts[0]), &list) != nil || len(list.Jobs) != 1 {
		t.Fatalf("got %s", texts)
	}
	if texts, _ := a.call("get_job_status", fmt.Sprintf(`{"job_id":%q}`, list.Jobs[0].ID)); !strings.Contains(texts[0], "got 3, want 4") {
		t.Errorf("got %s", texts)
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
