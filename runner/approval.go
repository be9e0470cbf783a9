package runner

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"unicode/utf8"

	"stroem/store"
	"stroem/workspace"
)

const (
	maxMessage = 16 << 10 // bytes of what a person is asked
	maxShown   = 1 << 10  // bytes of one value of the input in the question of a policy
)

// ask suspends the step until a person answers, and gives its place to the
// next one. Where that is not committed, nothing was done: it is asked again.
func (r *Runner) ask(ctx context.Context, a *attempt, f facts) {
	message, err := r.question(a, f)
	if err != nil {
		r.end(ctx, a, f.flow, ending{Status: store.Failed, Error: err.Error()})
		return
	}
	run := a.step
	err = r.insist(ctx, a, "suspend step", func() error {
		return r.Store.Update(context.WithoutCancel(ctx), func(tx *store.Tx) error {
			job, err := tx.JobBySeq(run.Job)
			if err != nil {
				return err
			}
			if job.Status.Ended() { // it was cancelled meanwhile
				_, err := r.commitEnd(tx, a, f.flow, ending{Status: store.Cancelled})
				return err
			}
			run.SuspendedAt = r.Now()
			return tx.SuspendStep(&run, message)
		})
	})
	if err != nil {
		r.abandon(a, err)
		return
	}
	r.limitWait(&run, f.flow)
	r.release(a)
	r.remove(a)
}

// question is what the person is asked, without secrets.
func (r *Runner) question(a *attempt, f facts) (string, error) {
	secret, err := r.secretsFor(a, f)
	a.out = newOutput(&a.step, r.KeepLog, newMasker(secret.values))
	if err != nil {
		return "", err
	}
	text := ""
	if a.step.Name == workspace.PolicyStep {
		text = policyQuestion(a.job.Task, f.fields, secret.input)
	} else {
		rend, err := r.renderer(f, secret)
		if err != nil {
			return "", err
		}
		if text, err = rend.message(&f.flow[a.step.Pos]); err != nil {
			return "", err
		}
	}
	text = a.out.mask.hideString(strings.ToValidUTF8(text, string(utf8.RuneError)))
	return shorten(text, maxMessage), nil
}

// message renders an approval's message. It sees the job's input with the
// step's over it, and is plain text.
func (e renderer) message(step *workspace.Step) (string, error) {
	job, _ := e.vars["input"].(map[string]any)
	given, err := e.members(step.Input)
	if err != nil {
		return "", fmt.Errorf("input of step %q: %w", step.Name, err)
	}
	input := maps.Clone(job)
	maps.Copy(input, given)
	e.vars["input"] = input
	text, err := e.text(step.Action.Message)
	if err != nil {
		return "", fmt.Errorf("message: %w", err)
	}
	return text, nil
}

// policyQuestion asks whether a job may begin. What the caller gave is shown as
// data: it is never read as a template.
func policyQuestion(task string, fields workspace.Fields, input map[string]any) string {
	var b strings.Builder
	for _, f := range fields {
		value := input[f.Name]
		switch {
		case value == nil:
			continue
		case f.Secret:
			value = Mask
		}
		fmt.Fprintf(&b, "\n  %s: %s", f.Name, shorten(compact(value), maxShown))
	}
	if b.Len() == 0 {
		return fmt.Sprintf("run task %q?", task)
	}
	return fmt.Sprintf("run task %q with this input?", task) + b.String()
}

// compact is v as JSON on one line, with < > & as they are.
func compact(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Sprint(v)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// shorten keeps at most so many bytes of a text, and says what is missing.
func shorten(text string, most int) string {
	short := cutBytes(text, most)
	if len(short) < len(text) {
		short += fmt.Sprintf("… (%d more bytes)", len(text)-len(short))
	}
	return short
}

// cutBytes is at most so many bytes of a text, never a part of a character.
func cutBytes(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}

// limitWait sees to it that a suspended step ends when its time is up.
func (r *Runner) limitWait(run *store.StepRun, flow workspace.Flow) {
	if limit := flow[run.Pos].Timeout; limit > 0 {
		r.limits.set(run.Job, run.Pos, r.left(run.SuspendedAt, limit), func() { r.expire(run.Job, run.Pos) })
	}
}

// limitWaiting sets the timers of all steps that an earlier server suspended.
func (r *Runner) limitWaiting(tx *store.Tx) error {
	runs, err := tx.SuspendedSteps()
	if err != nil {
		return err
	}
	for i := range runs {
		job, err := tx.JobBySeq(runs[i].Job)
		if err != nil {
			return err
		}
		plan, err := r.plans.get(tx, job.Plan)
		if err != nil {
			return err
		}
		r.limitWait(&runs[i], plan.Flow)
	}
	return nil
}

// expire fails a step for which nobody answered in time.
func (r *Runner) expire(seq int64, pos int) {
	r.limits.drop(seq, pos)
	var job store.Job
	err := r.Store.Update(context.Background(), func(tx *store.Tx) (err error) {
		if job, err = tx.JobBySeq(seq); err != nil {
			return err
		}
		plan, runs, err := r.standing(tx, &job)
		if err != nil || runs[pos].Status != store.Suspended {
			return err
		}
		return endWait(tx, &job, plan.Flow, &runs[pos], ending{Status: store.Failed, Error: "Approval timed out"}, r.Now())
	})
	switch {
	case err == nil && job.Status.Ended():
		r.unlimit(seq)
	case err != nil && !errors.Is(err, store.ErrClosed) && !errors.Is(err, store.ErrNotFound):
		r.Log.Error("end step at its timeout", keyJob, job.ID, keyErr, err)
		r.limits.set(seq, pos, retryPause, func() { r.expire(seq, pos) })
	}
}

// gated is the task behind a first step in which it waits for a person.
func gated(task *workspace.Task) *workspace.Task {
	plan := *task
	plan.Flow = workspace.Flow{{Name: workspace.PolicyStep, Inline: true,
		Action: workspace.Action{Name: workspace.PolicyStep, Type: workspace.Approval}}}
	for _, step := range task.Flow {
		if len(step.DependsOn) == 0 {
			step.DependsOn = []string{workspace.PolicyStep}
		}
		plan.Flow = append(plan.Flow, step)
	}
	return &plan
}
