//go:build unix

package runner_test

import (
	"strings"
	"testing"
	"time"

	"stroem/runner"
	"stroem/store"
)

const slow = `
tasks:
  step:
    flow:
      s: {type: script, script: "echo $$; sleep 1000", timeout: 1s}
      after: {type: script, script: "true", depends_on: [s]}
  job:
    timeout: 1s
    flow:
      a: {type: script, script: "echo $$; sleep 1000"}
      b: {type: script, script: "true", depends_on: [a]}
  none:
    flow:
      s: {type: script, script: "echo $$; sleep 1000"}
  quick:
    timeout: 1h
    flow:
      s: {type: script, script: "true", timeout: 1h}
`

func TestStepEndsAtItsTimeout(t *testing.T) {
	t.Parallel()
	res := newRig(t, slow).run("step", nil)
	s := res.steps["s"]
	if s.Status != store.Failed || s.Error != "timed out after 1s (exit code 143)" || res.steps["after"].Status != store.Skipped {
		t.Errorf("step is %s: %s", s.Status, s.Error)
	}
	if d := s.Duration(); d < time.Second || d > 20*time.Second {
		t.Errorf("it took %s", d)
	}
	gone(t, pids(t, res.log)[0])
}

func TestJobEndsAtItsTimeout(t *testing.T) {
	t.Parallel()
	r := newRig(t, slow)
	res := r.run("job", nil)
	if res.Status != store.Cancelled || res.Error != "timed out after 1s" || res.steps["a"].Status != store.Cancelled ||
		res.steps["b"].Status != store.Cancelled {
		t.Errorf("job is %s: %s", res.Status, res.Error)
	}
	gone(t, pids(t, res.log)[0])
	if res := r.run("quick", nil); res.Status != store.Completed {
		t.Errorf("a quick job is %s: %s", res.Status, res.Error)
	}
}

// A timeout counts from the true start, whichever server it was.
func TestTimeoutsHoldAcrossRestarts(t *testing.T) {
	t.Parallel()
	for task, want := range map[string]string{"step": "timed out after 1h0m0s", "job": "timed out after 1h0m0s"} {
		t.Run(task, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, strings.ReplaceAll(slow, "timeout: 1s", "timeout: 1h"))
			job := r.submit(task, nil)
			r.until(job.ID, func(res result) bool { return len(res.log) == 1 })
			r.halt()
			r.ahead = 2 * time.Hour
			r.start()
			res := r.wait(job)
			if !strings.Contains(res.Error, want) {
				t.Errorf("job is %s: %s", res.Status, res.Error)
			}
		})
	}
}

func TestDefaultTimeouts(t *testing.T) {
	t.Parallel()
	r := newRig(t, slow)
	r.halt()
	r.change = func(rn *runner.Runner) { rn.StepTimeout = time.Second }
	r.start()
	if res := r.run("none", nil); res.steps["s"].Error != "timed out after 1s (exit code 143)" {
		t.Errorf("step: %s", res.steps["s"].Error)
	}
}
