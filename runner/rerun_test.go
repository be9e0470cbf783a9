//go:build unix

package runner_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"stroem/runner"
	"stroem/store"
	"stroem/workspace"
)

const mended = `
secrets: {TOKEN: hunter2hunter2}
tasks:
  release:
    input: {dir: {type: string, required: true}, pin: {type: string, secret: true}}
    flow:
      build: {type: script, script: 'echo built >> {{ input.dir }}/ledger; echo ''OUTPUT: {"size": 7}'''}
      test: {type: script, script: 'echo tested >> {{ input.dir }}/ledger; test -e {{ input.dir }}/mended', depends_on: [build]}
      ship: {type: script, script: 'echo ship {{ build.output.size }} {{ input.pin }} {{ secret.TOKEN }} | tr a-z A-Z', depends_on: [build, test]}
  asks:
    flow:
      gate: {type: approval, message: "Go on?", input: {pin: {type: string, secret: true}}}
      ship: {type: script, script: 'echo {{ gate.output.input.pin }} | tr a-z A-Z; test -e mended', depends_on: [gate]}
`

func (r *rig) rerun(req runner.Rerun) (store.Job, error) {
	req.Dir = r.dir
	return r.rn.Rerun(context.Background(), req)
}

func (r *rig) mustRerun(req runner.Rerun) store.Job {
	r.t.Helper()
	job, err := r.rerun(req)
	if err != nil {
		r.t.Fatal(err)
	}
	return job
}

func mend(t *testing.T, dir string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "mended"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestRerunFromFailedKeepsWhatCompleted(t *testing.T) {
	t.Parallel()
	r := newRig(t, mended)
	dir := t.TempDir()
	ran := func() string {
		ledger, err := os.ReadFile(filepath.Join(dir, "ledger"))
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(strings.Fields(string(ledger)), " ")
	}
	first := r.run("release", map[string]any{"dir": dir, "pin": "mypin12345"})
	if first.Status != store.Failed || first.steps["ship"].Status != store.Skipped {
		t.Fatalf("%s %s", first.Status, first.Error)
	}
	mend(t, dir)
	res := r.wait(r.mustRerun(runner.Rerun{Job: first.ID, FromFailed: true, SourceID: "me"}))
	if res.Status != store.Completed || res.SourceType != store.SourceRerun || res.SourceJob != first.ID || res.Plan != first.Plan {
		t.Errorf("%s %s %+v", res.Status, res.Error, res.Job)
	}
	// The secrets are there, though neither the caller nor the store knew them.
	if got := strings.Join(trimmed(res.log), "|"); !strings.Contains(got, "SHIP 7 MYPIN12345 HUNTER2HUNTER2") {
		t.Errorf("log: %s", got)
	}
	if kept := res.steps["build"]; kept.Status != store.Completed || !kept.StartedAt.Equal(first.steps["build"].StartedAt) {
		t.Errorf("build: %+v", kept)
	}
	if got := ran(); got != "built tested tested" {
		t.Errorf("what ran: %s", got)
	}
	var not *runner.NotRerun
	if _, err := r.rerun(runner.Rerun{Job: res.ID, FromFailed: true}); !errors.As(err, &not) {
		t.Errorf("nothing failed: %v", err)
	}
	if again := r.wait(r.mustRerun(runner.Rerun{Job: res.ID})); again.Status != store.Completed || again.SourceJob != res.ID {
		t.Errorf("whole: %s %s", again.Status, again.Error)
	}
	if got := ran(); got != "built tested tested built tested" {
		t.Errorf("what ran: %s", got)
	}
}

// A job that waits by policy holds everything back, also a step of which all
// that it depends on was kept.
func TestRerunWaitsByPolicy(t *testing.T) {
	t.Parallel()
	r := newRig(t, mended)
	dir := t.TempDir()
	first := r.run("release", map[string]any{"dir": dir, "pin": "mypin12345"})
	mend(t, dir)
	job := r.mustRerun(runner.Rerun{Job: first.ID, FromFailed: true, Agent: true, Approval: true, RequestedBy: "key:x"})
	res := r.suspended(job, workspace.PolicyStep)
	if res.steps["test"].Status != store.Pending || res.steps["build"].Status != store.Completed || !res.Agent {
		t.Errorf("before the answer: %+v", res.steps)
	}
	if err := r.answer(job, workspace.PolicyStep, nil); err != nil {
		t.Fatal(err)
	}
	if res = r.wait(job); res.Status != store.Completed {
		t.Errorf("%s %s", res.Status, res.Error)
	}
	// Again without the wait, which is no part of the task.
	plain := r.wait(r.mustRerun(runner.Rerun{Job: job.ID}))
	if plain.Status != store.Completed || len(plain.steps) != 3 || !plain.Agent {
		t.Errorf("%s %s %v", plain.Status, plain.Error, plain.steps)
	}
	denied := r.mustRerun(runner.Rerun{Job: first.ID, FromFailed: true, Agent: true, Approval: true})
	r.suspended(denied, workspace.PolicyStep)
	if err := r.reject(denied, workspace.PolicyStep, "no"); err != nil {
		t.Fatal(err)
	}
	if res = r.wait(denied); res.Status != store.Failed || res.steps["test"].Status != store.Skipped {
		t.Errorf("denied: %s %+v", res.Status, res.steps["test"])
	}
}

// A person goes on from what a person approved; an agent has to ask anew.
func TestRerunKeepsAnswersForPeople(t *testing.T) {
	t.Parallel()
	r := newRig(t, mended)
	first := r.submit("asks", nil)
	r.suspended(first, "gate")
	if err := r.answer(first, "gate", map[string]any{"pin": "hush-hush-1234"}); err != nil {
		t.Fatal(err)
	}
	if res := r.wait(first); res.Status != store.Failed {
		t.Fatalf("%s", res.Status)
	}
	mend(t, r.dir)
	res := r.wait(r.mustRerun(runner.Rerun{Job: first.ID, FromFailed: true}))
	if got := strings.Join(trimmed(res.log), "|"); res.Status != store.Completed || !strings.Contains(got, "HUSH-HUSH-1234") {
		t.Errorf("%s %s", res.Status, got)
	}
	r.halt() // the attempts' folders are gone
	if found := r.leaks("hush-hush-1234"); len(found) > 0 {
		t.Errorf("the pin is in %q", found)
	}
	r.start()
	agents := r.mustRerun(runner.Rerun{Job: first.ID, FromFailed: true, Agent: true, RequestedBy: "key:x"})
	if res := r.suspended(agents, workspace.PolicyStep); res.steps["ship"].Status != store.Pending {
		t.Errorf("ship is %s", res.steps["ship"].Status)
	}
}
