package runner

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"stroem/store"
	"stroem/workspace"
)

// maxReason bounds in bytes why a person said no.
const maxReason = 4096

// Answer is what a person says to a step that waits for one.
type Answer struct {
	Job, Step string // by id, and by name
	Approved  bool
	Input     map[string]any // the form, filled in
	Reason    string         // of a rejection
	By        string         // "" where nobody signs in
}

// NotWaiting says that there was no answer to be given.
type NotWaiting struct {
	Step   string
	Status store.Status
}

func (e *NotWaiting) Error() string {
	if e.Status == store.Suspended {
		return fmt.Sprintf("the time to answer step %q is up", e.Step)
	}
	return fmt.Sprintf("step %q does not wait for an answer: it is %s", e.Step, e.Status)
}

// ErrChanged: the job is not what it was when the wait for a person began.
var ErrChanged = errors.New("what is to be approved was changed after it was asked for; cancel the job and start a new one")

// Approve ends a suspended step as a person decides: approved, it is completed
// with what the form holds as its output; rejected, it has failed, and the job
// goes on as after any failed step. Of several answers one wins. Errors:
// *NotWaiting, ErrChanged, *workspace.InputError, store.ErrNotFound.
func (r *Runner) Approve(ctx context.Context, answer Answer, also ...Also) error {
	var job store.Job
	var pos int
	err := r.Store.Update(ctx, func(tx *store.Tx) (err error) {
		if job, err = tx.Job(answer.Job); err != nil {
			return err
		}
		if pos, err = r.answer(tx, &job, &answer); err != nil {
			return err
		}
		return all(also, tx, &job)
	})
	if err != nil {
		return err
	}
	r.limits.drop(job.Seq, pos)
	if job.Status.Ended() {
		r.unlimit(job.Seq)
	}
	return nil
}

// answer writes the person's answer and what follows from it.
func (r *Runner) answer(tx *store.Tx, job *store.Job, answer *Answer) (pos int, err error) {
	plan, runs, err := r.standing(tx, job)
	if err != nil {
		return 0, err
	}
	pos = slices.IndexFunc(runs, func(run store.StepRun) bool { return run.Name == answer.Step })
	if pos < 0 {
		return 0, store.ErrNotFound
	}
	run, step, now := &runs[pos], &plan.Flow[pos], r.Now()
	if run.Status != store.Suspended || step.Timeout > 0 && !now.Before(run.SuspendedAt.Add(step.Timeout)) {
		return pos, &NotWaiting{Step: run.Name, Status: run.Status}
	}
	waits, err := tx.Approvals(job.Seq)
	if err != nil {
		return pos, err
	}
	at := slices.IndexFunc(waits, func(w store.Approval) bool { return w.Step == pos })
	if at < 0 {
		return pos, ErrChanged
	}
	wait := waits[at]
	wait.AnsweredAt, wait.Approved, wait.By = now, answer.Approved, answer.By
	if wait.By == "" {
		wait.By = "anonymous"
	}
	end := r.rejection(&wait, answer.Reason)
	if answer.Approved {
		if end, err = r.approval(tx, &wait, step.Action.Input, answer.Input); err != nil {
			return pos, err
		}
	}
	if err := tx.Answer(&wait); err != nil {
		return pos, err
	}
	return pos, endWait(tx, job, plan.Flow, run, end, now)
}

// rejection is the end of a step to which a person said no.
func (r *Runner) rejection(wait *store.Approval, reason string) ending {
	reason = cutBytes(strings.TrimSpace(strings.ToValidUTF8(reason, string(utf8.RuneError))), maxReason)
	if reason == "" {
		reason = "Approval rejected"
	}
	wait.Reason = reason
	return ending{Status: store.Failed, Error: reason}
}

// approval is the end of a step to which a person said yes. The store gets the
// form's secret fields sealed, the step's output masks them.
func (r *Runner) approval(tx *store.Tx, wait *store.Approval, form workspace.Fields, raw map[string]any) (end ending, err error) {
	if wait.Binding != nil {
		now, err := tx.Binding(wait.Job)
		if err != nil {
			return end, err
		}
		if !bytes.Equal(now, wait.Binding) {
			return end, ErrChanged
		}
	}
	input, err := form.Check(raw)
	if err != nil {
		return end, err
	}
	sealed, err := r.seal(form, input)
	if err != nil {
		return end, err
	}
	if input, err = r.secretFields(form, input, func(any) (any, error) { return Mask, nil }); err != nil {
		return end, err
	}
	if len(form) > 0 {
		if wait.Input, err = json.Marshal(sealed); err != nil {
			return end, fmt.Errorf("encode input: %w", err)
		}
	}
	doc, err := json.Marshal(struct {
		Approved bool           `json:"approved"`
		By       string         `json:"approved_by"`
		At       time.Time      `json:"approved_at"`
		Message  string         `json:"approval_message"`
		Input    map[string]any `json:"input,omitempty"`
	}{true, wait.By, wait.AnsweredAt.UTC(), wait.Message, input})
	return ending{Status: store.Completed, Output: doc}, err
}

// standing is a job's plan and how far its steps are.
func (r *Runner) standing(tx *store.Tx, job *store.Job) (*workspace.Task, []store.StepRun, error) {
	plan, err := r.Plan(tx, job.Plan)
	if err != nil {
		return nil, nil, err
	}
	runs, err := tx.Steps(job.Seq)
	return plan, runs, err
}

// endWait ends a suspended step and carries its job on.
func endWait(tx *store.Tx, job *store.Job, flow workspace.Flow, run *store.StepRun, end ending, now time.Time) error {
	run.Status, run.Error, run.Output, run.CompletedAt = end.Status, end.Error, end.Output, now
	if err := tx.EndStep(run, store.Suspended); err != nil {
		return err
	}
	return advance(tx, job, flow, now)
}

// secretForms reports whether a person gives secrets to any step of the flow.
func secretForms(flow workspace.Flow) bool {
	return slices.ContainsFunc(flow, func(s workspace.Step) bool { return s.Action.Type == workspace.Approval && s.Action.Input.HasSecret() })
}

// openAnswers puts the secrets that people gave where their masks stand in the
// outputs of approvals, for the attempt's templates alone, and hides them in
// whatever it says.
func (r *Runner) openAnswers(f facts, s *secretFacts) error {
	for _, a := range f.answers {
		form := f.flow[a.Step].Action.Input
		if !a.Approved || !form.HasSecret() {
			continue
		}
		stored, err := decode(a.Input)
		if err != nil {
			return fmt.Errorf("decode answer: %w", err)
		}
		given, _ := stored.(map[string]any)
		input, err := r.unseal(form, given)
		if err != nil {
			return err
		}
		s.add(form, input)
		var output map[string]any
		if err := json.Unmarshal(f.runs[a.Step].Output, &output); err != nil {
			return fmt.Errorf("decode output of %q: %w", f.runs[a.Step].Name, err)
		}
		output["input"] = input
		if f.runs[a.Step].Output, err = json.Marshal(output); err != nil {
			return fmt.Errorf("encode answer: %w", err)
		}
	}
	return nil
}
