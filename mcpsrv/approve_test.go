package mcpsrv_test

import (
	"strings"
	"testing"
)

const guarded = `
tasks:
  guarded:
    approval: {agents: true}
    input: {version: {type: string, default: v1}}
    flow:
      s: {type: script, script: 'echo never'}
`

// A job that an agent begins waits where the task says so. The agent is told,
// and has no tool to answer with.
func TestAgentsJobWaitsForAPerson(t *testing.T) {
	t.Parallel()
	a := connectTo(t, guarded)
	if texts, _ := a.call("get_task", `{"workspace":"ops","task_name":"guarded"}`); !strings.Contains(texts[0], `"approval":{"agents":true}`) {
		t.Errorf("get_task: %s", texts)
	}
	texts, _ := a.call("execute_task", `{"workspace":"ops","task_name":"guarded","input":{"version":"a\u202eb"},"wait_seconds":30}`)
	for _, want := range []string{`"status":"running"`, `"name":"_approval","status":"suspended"`,
		`"waits_for":"run task \"guarded\" with this input?\n  version: \"a\\u{202e}b\""`, `"name":"s","status":"pending"`} {
		if !strings.Contains(texts[0], want) {
			t.Errorf("no %s in %s", want, texts[0])
		}
	}
	if len(texts) != 2 || !strings.Contains(texts[1], "no tool here can do that") {
		t.Errorf("notes: %q", texts[1:])
	}
}
