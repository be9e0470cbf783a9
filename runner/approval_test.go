//go:build unix

package runner_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"stroem/runner"
	"stroem/store"
	"stroem/workspace"
)

const asking = `
secrets: {TOKEN: hunter2hunter2}
tasks:
  ship:
    input: {version: {type: string, default: v1}}
    flow:
      build: {type: script, script: 'echo ''OUTPUT: {"size": 7}'''}
      gate:
        depends_on: [build]
        timeout: 1h
        type: approval
        message: "Ship {{ input.version }} of {{ build.output.size }} bytes with {{ secret.TOKEN }}?"
        input: {why: {type: text, required: true}, times: {type: integer, default: 2}, pin: {type: string, secret: true}}
      ship:
        depends_on: [gate]
        type: script
        script: 'echo "{{ gate.output.input.why }} {{ gate.output.input.times }} pin {{ gate.output.input.pin }}"'
      told: {depends_on: [gate], continue_on_failure: true, type: script, script: echo told}
  plain: {flow: {gate: {type: approval, message: "Go on?"}}}
  wrong: {flow: {gate: {type: approval, message: "{{ input.x.y | round }}", timeout: 1h}}, input: {x: {type: string}}}
  limited: {timeout: 1h, flow: {gate: {type: approval, message: "Go on?"}}}
  policy:
    input: {what: {type: string, required: true}, key: {type: string, secret: true}}
    flow:
      a: {type: script, script: 'echo a {{ input.what }}'}
      b: {type: script, script: echo b, continue_on_failure: true}
      c: {type: script, script: echo c, depends_on: [a, b], continue_on_failure: true}
`

// suspended waits until the step waits for a person.
func (r *rig) suspended(job store.Job, step string) result {
	r.t.Helper()
	return r.until(job.ID, func(res result) bool { return res.steps[step].Status == store.Suspended })
}

// asked is what the job's only wait for a person is.
func (r *rig) asked(job store.Job) (a store.Approval) {
	r.t.Helper()
	err := r.st.View(context.Background(), func(tx *store.Tx) error {
		list, err := tx.Approvals(r.read(job.ID).Seq)
		if err == nil && len(list) != 1 {
			err = fmt.Errorf("%d approvals", len(list))
		}
		if err == nil {
			a = list[0]
		}
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return a
}

func (r *rig) answer(job store.Job, step string, input map[string]any) error {
	return r.rn.Approve(context.Background(), runner.Answer{Job: job.ID, Step: step, Approved: true, Input: input, By: "ada@example.com"})
}

func (r *rig) reject(job store.Job, step, reason string) error {
	return r.rn.Approve(context.Background(), runner.Answer{Job: job.ID, Step: step, Reason: reason})
}

func TestApprovalWaitsAndHandsItsFormOn(t *testing.T) {
	t.Parallel()
	r := newRig(t, asking)
	job := r.submit("ship", nil)
	res := r.suspended(job, "gate")
	if res.Status != store.Running || res.steps["gate"].SuspendedAt.IsZero() || len(r.attempts()) > 1 {
		t.Errorf("job is %s: %+v", res.Status, res.steps["gate"])
	}
	if got := r.asked(job).Message; got != "Ship v1 of 7 bytes with "+runner.Mask+"?" {
		t.Errorf("asked %q", got)
	}
	var faults *workspace.InputError
	err := r.answer(job, "gate", map[string]any{"times": "x", "more": 1})
	if !errors.As(err, &faults) || len(faults.Faults) != 3 {
		t.Errorf("a wrong form: %v", err)
	}
	r.halt()
	r.start()
	if err := r.answer(job, "gate", map[string]any{"why": "it's ready", "pin": "hush-hush-1234"}); err != nil {
		t.Fatal(err)
	}
	res = r.wait(job)
	if res.Status != store.Completed || !strings.Contains(strings.Join(res.log, "\n"), "it's ready 2 pin "+runner.Mask) {
		t.Errorf("job is %s: %s %q", res.Status, res.Error, res.log)
	}
	var out struct {
		Approved bool           `json:"approved"`
		By       string         `json:"approved_by"`
		At       time.Time      `json:"approved_at"`
		Message  string         `json:"approval_message"`
		Input    map[string]any `json:"input"`
	}
	if err := json.Unmarshal(res.steps["gate"].Output, &out); err != nil || !out.Approved || out.By != "ada@example.com" ||
		out.At.IsZero() || !strings.HasPrefix(out.Message, "Ship v1") || out.Input["pin"] != runner.Mask || out.Input["times"] != 2.0 {
		t.Errorf("output: %s %v", res.steps["gate"].Output, err)
	}
	var closed *runner.NotWaiting
	if err := r.answer(job, "gate", nil); !errors.As(err, &closed) || closed.Status != store.Completed {
		t.Errorf("a second answer: %v", err)
	}
	if err := r.answer(job, "none", nil); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("no such step: %v", err)
	}
	r.halt()
	if files := r.leaks("hush-hush"); len(files) > 0 {
		t.Errorf("the secret stands in %v", files)
	}
}

func TestRejectionFailsTheStep(t *testing.T) {
	t.Parallel()
	r := newRig(t, asking)
	for reason, want := range map[string]string{"": "Approval rejected", "not today": "not today",
		strings.Repeat("é", 3000): strings.Repeat("é", 2048), "x" + strings.Repeat("é", 3000): "x" + strings.Repeat("é", 2047)} {
		job := r.submit("ship", nil)
		r.suspended(job, "gate")
		if err := r.reject(job, "gate", reason); err != nil {
			t.Fatal(err)
		}
		res := r.wait(job)
		if gate := res.steps["gate"]; gate.Status != store.Failed || gate.Error != want || res.Status != store.Failed ||
			res.steps["ship"].Status != store.Skipped || res.steps["told"].Status != store.Completed {
			t.Errorf("job is %s: %+v", res.Status, res.steps)
		}
		if a := r.asked(job); a.Approved || a.By != "anonymous" || a.Reason != want {
			t.Errorf("kept: %+v", a)
		}
	}
}

func TestMessageThatCannotBeRenderedFailsTheStep(t *testing.T) {
	t.Parallel()
	res := newRig(t, asking).run("wrong", map[string]any{"x": "text"})
	if gate := res.steps["gate"]; gate.Status != store.Failed || !strings.HasPrefix(gate.Error, "message: ") {
		t.Errorf("gate: %+v", gate)
	}
}

func TestSuspendedStepHoldsNoPlaceAndIsCancelledAtOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t, asking)
	var waiting []store.Job
	for range 20 { // more than there are places
		waiting = append(waiting, r.submit("plain", nil))
	}
	for _, job := range waiting {
		r.suspended(job, "gate")
	}
	for _, job := range waiting {
		if err := r.rn.Cancel(t.Context(), job.ID); err != nil {
			t.Fatal(err)
		}
		res := r.read(job.ID)
		if res.Status != store.Cancelled || res.steps["gate"].Status != store.Cancelled {
			t.Errorf("job is %s, step %s", res.Status, res.steps["gate"].Status)
		}
		var closed *runner.NotWaiting
		if err := r.answer(job, "gate", nil); !errors.As(err, &closed) {
			t.Errorf("an answer to a cancelled job: %v", err)
		}
	}
}

// The wait is counted from its true beginning, whichever server it was.
func TestWaitsEndAtTheirTimeAcrossRestarts(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		task, step string
		want       store.Status
		why        string
	}{{"ship", "gate", store.Failed, "Approval timed out"}, {"limited", "gate", store.Cancelled, ""}} {
		t.Run(tc.task, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, asking)
			job := r.submit(tc.task, nil)
			r.suspended(job, tc.step)
			r.halt()
			r.ahead = 30 * time.Minute
			r.start()
			r.suspended(job, tc.step)
			r.halt()
			r.ahead = 2 * time.Hour
			r.start()
			res := r.wait(job)
			if gate := res.steps[tc.step]; gate.Status != tc.want || gate.Error != tc.why {
				t.Errorf("step is %s: %s; job: %s", gate.Status, gate.Error, res.Error)
			}
		})
	}
}

func TestLateAnswerIsRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t, asking)
	r.halt()
	var ahead atomic.Int64
	r.change = func(rn *runner.Runner) {
		rn.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	}
	r.start()
	job := r.submit("ship", nil)
	r.suspended(job, "gate")
	ahead.Store(int64(2 * time.Hour)) // the timer sleeps on, as in a machine that slept
	var closed *runner.NotWaiting
	if err := r.answer(job, "gate", map[string]any{"why": "x"}); !errors.As(err, &closed) || closed.Status != store.Suspended {
		t.Errorf("a late answer: %v", err)
	}
}

func TestWaitEndsAtItsTime(t *testing.T) {
	t.Parallel()
	r := newRig(t, strings.ReplaceAll(asking, "timeout: 1h", "timeout: 1s"))
	if res := r.run("ship", nil); res.steps["gate"].Error != "Approval timed out" || res.steps["told"].Status != store.Completed {
		t.Errorf("job is %s: %s", res.Status, res.Error)
	}
}

func TestOfManyAnswersOneWins(t *testing.T) {
	t.Parallel()
	r := newRig(t, asking)
	for range 10 {
		job := r.submit("plain", nil)
		r.suspended(job, "gate")
		var wg sync.WaitGroup
		errs := make([]error, 16)
		for i := range errs {
			wg.Go(func() {
				if i%2 == 0 {
					errs[i] = r.answer(job, "gate", nil)
				} else {
					errs[i] = r.reject(job, "gate", "no")
				}
			})
		}
		wg.Wait()
		winner := -1
		for i, err := range errs {
			var closed *runner.NotWaiting
			switch {
			case err == nil && winner < 0:
				winner = i
			case err == nil || !errors.As(err, &closed):
				t.Errorf("answer %d: %v after %d won", i, err, winner)
			}
		}
		want := store.Completed
		if winner%2 == 1 {
			want = store.Failed
		}
		if res := r.wait(job); res.Status != want || r.asked(job).Approved != (want == store.Completed) {
			t.Errorf("answer %d won, and the job is %s", winner, res.Status)
		}
	}
}

// A step that was claimed and not suspended yet is asked about by the next
// server, once.
func TestCrashBeforeTheQuestionIsSettled(t *testing.T) {
	t.Parallel()
	r := newRig(t, asking)
	r.halt()
	job := r.submit("plain", nil)
	r.claimAndVanish()
	r.start()
	r.suspended(job, "gate")
	if err := r.answer(job, "gate", nil); err != nil {
		t.Fatal(err)
	}
	if res := r.wait(job); res.Status != store.Completed {
		t.Errorf("job is %s: %s", res.Status, res.Error)
	}
}

func TestWhatGoesWithAnAnswerIsCommittedWithIt(t *testing.T) {
	t.Parallel()
	r := newRig(t, asking)
	job := r.submit("plain", nil)
	r.suspended(job, "gate")
	refuse := errors.New("no record")
	err := r.rn.Approve(t.Context(), runner.Answer{Job: job.ID, Step: "gate", Approved: true},
		func(*store.Tx, *store.Job) error { return refuse })
	if !errors.Is(err, refuse) || r.read(job.ID).steps["gate"].Status != store.Suspended {
		t.Errorf("step is %s: %v", r.read(job.ID).steps["gate"].Status, err)
	}
	if err := r.rn.Cancel(t.Context(), job.ID, func(*store.Tx, *store.Job) error { return refuse }); !errors.Is(err, refuse) ||
		r.read(job.ID).Status != store.Running {
		t.Errorf("cancelled: %v", err)
	}
}

// submitByPolicy submits a job that a policy makes wait.
func (r *rig) submitByPolicy(input map[string]any) store.Job {
	r.t.Helper()
	var task store.StoredTask
	err := r.st.View(context.Background(), func(tx *store.Tx) (err error) {
		task, err = tx.Task("w", "policy")
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	job, err := r.rn.Submit(context.Background(), runner.Request{Task: task, Input: input, SourceType: store.SourceMCP,
		Agent: true, Approval: true, RequestedBy: "strm_abc"})
	if err != nil {
		r.t.Fatal(err)
	}
	return job
}

func TestJobWaitsByPolicyBeforeItsFirstStep(t *testing.T) {
	t.Parallel()
	r := newRig(t, asking)
	job := r.submitByPolicy(map[string]any{"what": "{{ secret.TOKEN }} hunter2hunter2", "key": "hush-hush-1234"})
	res := r.suspended(job, workspace.PolicyStep)
	for _, step := range []string{"a", "b", "c"} {
		if res.steps[step].Status != store.Pending {
			t.Errorf("step %s is %s", step, res.steps[step].Status)
		}
	}
	asked := r.asked(job)
	want := "run task \"policy\" with this input?\n  what: \"{{ secret.TOKEN }} " + runner.Mask + "\"\n  key: \"" + runner.Mask + "\""
	if asked.Message != want || asked.RequestedBy != "strm_abc" {
		t.Errorf("%s asks %q, want %q", asked.RequestedBy, asked.Message, want)
	}
	if err := r.answer(job, workspace.PolicyStep, nil); err != nil {
		t.Fatal(err)
	}
	if res = r.wait(job); res.Status != store.Completed || len(res.log) != 3 {
		t.Errorf("job is %s: %s %q", res.Status, res.Error, res.log)
	}
}

// A policy holds against continue_on_failure too.
func TestJobThatAPersonDidNotLetBeginDoesNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t, asking)
	job := r.submitByPolicy(map[string]any{"what": "x"})
	r.suspended(job, workspace.PolicyStep)
	if err := r.reject(job, workspace.PolicyStep, ""); err != nil {
		t.Fatal(err)
	}
	res := r.wait(job)
	if res.Status != store.Failed || res.Error != `step "_approval" failed: Approval rejected` || len(res.log) > 0 {
		t.Errorf("job is %s: %s %q", res.Status, res.Error, res.log)
	}
	for _, step := range []string{"a", "b", "c"} {
		if res.steps[step].Status != store.Skipped {
			t.Errorf("step %s is %s", step, res.steps[step].Status)
		}
	}
}

// What a person approves is the task, input and revision that they were asked
// about, and nothing else.
func TestChangedJobCannotBeApproved(t *testing.T) {
	t.Parallel()
	r := newRig(t, asking)
	db, err := sql.Open("sqlite", filepath.Join(r.st.Dir(), "stroem.db")+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, change := range []string{`UPDATE job SET input = '{"what":"y"}' WHERE id = ?`, `UPDATE job SET revision = 'other' WHERE id = ?`,
		`UPDATE plan SET body = replace(body, 'echo b', 'echo B') WHERE id = (SELECT plan FROM job WHERE id = ?)`} {
		job := r.submitByPolicy(map[string]any{"what": "x"})
		r.suspended(job, workspace.PolicyStep)
		if _, err := db.ExecContext(t.Context(), change, job.ID); err != nil {
			t.Fatal(err)
		}
		if err := r.answer(job, workspace.PolicyStep, nil); !errors.Is(err, runner.ErrChanged) {
			t.Errorf("after %s: %v", change, err)
		}
		if err := r.reject(job, workspace.PolicyStep, ""); err != nil {
			t.Error(err)
		}
	}
}
