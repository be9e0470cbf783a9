package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"stroem/runner/proc"
	"stroem/store"
	"stroem/workspace"
)

// attempt is one run of one step, from its claim to its committed end.
type attempt struct {
	job  store.Job
	step store.StepRun
	flow workspace.Flow // once it is known

	cancelOnce sync.Once
	cancelled  chan struct{} // closed when the job was cancelled
	timedOut   bool          // its processes were ended because its time was up

	mu   sync.Mutex // guards what follows, and step's offsets and output
	proc *proc.Process
	out  output
}

func newAttempt(job store.Job, step store.StepRun) *attempt {
	return &attempt{job: job, step: step, cancelled: make(chan struct{})}
}

func (a *attempt) cancel() { a.cancelOnce.Do(func() { close(a.cancelled) }) }

// run starts the step's process and sees it to its end.
func (r *Runner) run(ctx context.Context, a *attempt) {
	facts, err := r.facts(ctx, a)
	if err != nil {
		r.abandon(a, err)
		return
	}
	if facts.asks(a) {
		r.ask(ctx, a, facts)
		return
	}
	secret, err := r.secretsFor(a, facts)
	a.out = newOutput(&a.step, r.KeepLog, newMasker(secret.values))
	var spec proc.Spec
	if err == nil {
		spec, err = r.prepare(a, facts, secret)
	}
	if ctx.Err() != nil { // nothing starts any more
		r.abandon(a, ctx.Err())
		return
	}
	if err == nil {
		err = r.start(ctx, a, spec)
	}
	if err != nil && ctx.Err() != nil {
		r.abandon(a, ctx.Err())
		return
	}
	if err != nil {
		r.end(ctx, a, facts.flow, ending{Status: store.Failed, Error: err.Error()})
		return
	}
	r.follow(ctx, a, facts.flow)
}

// facts are what an attempt needs to know of its job.
type facts struct {
	fields  workspace.Fields // of the task as it was when the job was submitted
	flow    workspace.Flow   // likewise
	runs    []store.StepRun  // how far the steps are
	answers []store.Approval // where people gave secrets
	parsed  *templates       // of the plan
}

// asks reports whether the attempt's step waits for a person.
func (f *facts) asks(a *attempt) bool { return f.flow[a.step.Pos].Action.Type == workspace.Approval }

func (r *Runner) facts(ctx context.Context, a *attempt) (f facts, err error) {
	err = r.insist(ctx, a, "read job", func() error {
		return r.Store.View(ctx, func(tx *store.Tx) error {
			plan, err := r.plans.get(tx, a.job.Plan)
			if err != nil {
				return err
			}
			f.fields, f.flow, f.parsed = plan.Input, plan.Flow, &plan.parsed
			r.limitJob(&a.job, plan.Timeout)
			if len(plan.Flow[a.step.Pos].DependsOn) == 0 {
				return nil
			}
			if f.runs, err = tx.Steps(a.job.Seq); err == nil && secretForms(plan.Flow) {
				f.answers, err = tx.Approvals(a.job.Seq)
			}
			return err
		})
	})
	a.flow = f.flow
	return f, err
}

// insist asks again until the store can do it: a step's end must not be lost
// to a full disk. It gives up when the server stops, and on a conflict, which
// no repetition mends.
func (r *Runner) insist(ctx context.Context, a *attempt, what string, do func() error) error {
	for {
		err := do()
		if err == nil || errors.Is(err, store.ErrConflict) {
			return err
		}
		if ctx.Err() == nil {
			r.complain(what, err, keyJob, a.job.ID, keyStep, a.step.Name)
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(retryPause):
		}
	}
}

// complain logs what went wrong, unless it is said already that the disk fails.
func (r *Runner) complain(what string, err error, about ...any) {
	if !store.IsTrouble(err) {
		r.Log.Error(what, append(about, keyErr, err)...)
	}
}

// abandon leaves the step as it is, to be taken up by the next server.
func (r *Runner) abandon(a *attempt, why error) {
	if !errors.Is(why, context.Canceled) {
		r.Log.Error("leave step to the next start", keyJob, a.job.ID, keyStep, a.step.Name, keyErr, why)
	}
	r.release(a)
}

// start starts the step's process. A full disk only delays it: nothing of the
// step has run.
func (r *Runner) start(ctx context.Context, a *attempt, spec proc.Spec) error {
	for told := false; ; told = true {
		select {
		case <-a.cancelled:
			return errCancelled
		default:
		}
		p, err := proc.Start(spec)
		if err == nil {
			a.mu.Lock()
			a.proc = p
			a.mu.Unlock()
			return nil
		}
		if !store.IsFull(err) {
			return err
		}
		if !told {
			r.Log.Error("start step when there is space", keyJob, a.job.ID, keyStep, a.step.Name, keyErr, err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-a.cancelled:
		case <-time.After(retryPause):
		}
	}
}

var errCancelled = errors.New("cancelled before it began")

// follow waits for the end of the step's process, or makes an end of it.
func (r *Runner) follow(ctx context.Context, a *attempt, flow workspace.Flow) {
	limit, stop := r.stepLimit(a)
	defer stop()
	select {
	case <-a.proc.Done():
	case <-a.cancelled:
		r.kill(ctx, a)
	case <-limit:
		a.timedOut = true
		r.kill(ctx, a)
	case <-ctx.Done():
	}
	select {
	case <-a.proc.Done():
		r.finish(ctx, a, flow)
	default: // the server stops, the step goes on
		r.Log.Info("step goes on without the server", keyJob, a.job.ID, keyStep, a.step.Name)
		a.close(r)
		r.release(a)
	}
}

// kill makes an end of the step's processes, and does not give up.
func (r *Runner) kill(ctx context.Context, a *attempt) {
	_ = r.insist(ctx, a, "end the step's processes", func() error { return a.proc.Kill(ctx, r.Grace) })
	select {
	case <-a.proc.Done():
	case <-ctx.Done():
	}
}

// close lets go of the process after what it wrote so far is kept.
func (a *attempt) close(r *Runner) {
	r.flush([]*attempt{a}, true)
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.proc.Close(); err != nil {
		r.Log.Error("let go of the step", keyJob, a.job.ID, keyStep, a.step.Name, keyErr, err)
	}
	a.proc = nil
}

// ending is what came of an attempt.
type ending struct {
	Status   store.Status
	ExitCode *int
	Error    string
	Output   json.RawMessage
	// Artifacts are the files that a completed step left. They are kept if it
	// counts as completed in the end.
	Artifacts []store.Artifact
}

// finish keeps the rest of the output and commits the end of the step.
func (r *Runner) finish(ctx context.Context, a *attempt, flow workspace.Flow) {
	if err := r.drain(ctx, a); err != nil {
		if ctx.Err() != nil {
			r.abandon(a, err)
			return
		}
		// The exit code stands, whatever is missing from the log.
		r.Log.Error("keep output", keyJob, a.job.ID, keyStep, a.step.Name, keyErr, err)
	}
	e := r.judge(a, flow)
	if e.Status == store.Completed {
		if err := r.collectArtifacts(ctx, a, &e); err != nil {
			r.abandon(a, err)
			return
		}
	}
	r.end(ctx, a, flow, e)
}

// judge reads the end of an attempt off its exit code and its output.
func (r *Runner) judge(a *attempt, flow workspace.Flow) ending {
	res := a.proc.Result()
	if a.timedOut {
		e := ending{Status: store.Failed, Error: fmt.Sprintf("timed out after %s", flow[a.step.Pos].Timeout), Output: a.out.printed}
		if !res.Lost {
			e.ExitCode = &res.ExitCode
			e.Error += fmt.Sprintf(" (exit code %d)", res.ExitCode)
		}
		return e
	}
	if res.Lost {
		return ending{Status: store.Failed, Error: "its process was killed from outside"}
	}
	if res.ExitCode != 0 {
		return ending{Status: store.Failed, ExitCode: &res.ExitCode, Error: fmt.Sprintf("exit code %d", res.ExitCode),
			Output: a.out.printed}
	}
	output, err := stepOutput(a)
	if err == nil {
		err = checkOutput(flow[a.step.Pos].Action.Output, output)
	}
	if err != nil {
		return ending{Status: store.Failed, ExitCode: &res.ExitCode, Error: err.Error()}
	}
	return ending{Status: store.Completed, ExitCode: &res.ExitCode, Output: output}
}

// stepOutput is what the script wrote to $STROEM_OUTPUT, else what it printed
// last as OUTPUT:, else nil.
func stepOutput(a *attempt) (json.RawMessage, error) {
	file, err := a.proc.Output()
	if err != nil {
		return nil, fmt.Errorf("read $STROEM_OUTPUT: %w", err)
	}
	if len(file) == 0 {
		return a.out.printed, nil
	}
	if !json.Valid(file) {
		return nil, errors.New("$STROEM_OUTPUT does not hold valid JSON; write one JSON value to it, for example {\"count\": 3}")
	}
	return a.out.mask.hideJSON(file), nil
}

func checkOutput(want workspace.Outputs, doc json.RawMessage) error {
	if len(want) == 0 {
		return nil
	}
	var v any
	if len(doc) > 0 {
		var err error
		if v, err = decode(doc); err != nil {
			return err
		}
	}
	return want.Check(v)
}

// end commits what came of the attempt together with all that follows from
// it, and frees its place.
func (r *Runner) end(ctx context.Context, a *attempt, flow workspace.Flow, e ending) {
	var done committed
	err := r.insist(ctx, a, "end step", func() error {
		return r.Store.Update(context.WithoutCancel(ctx), func(tx *store.Tx) (err error) {
			done, err = r.commitEnd(tx, a, flow, e)
			return err
		})
	})
	if err != nil {
		r.abandon(a, err)
		return
	}
	if done.jobEnded {
		r.unlimit(a.step.Job)
	}
	r.release(a)
	r.remove(a)
	if err := r.Store.DropArtifacts(done.dropped); err != nil {
		r.Log.Warn("delete artifacts", keyJob, a.job.ID, keyStep, a.step.Name, keyErr, err)
	}
}

// committed is what the end of a step brought about.
type committed struct {
	jobEnded bool
	dropped  []store.Artifact // whose files nobody needs
}

// commitEnd writes the step's end and what follows from it.
func (r *Runner) commitEnd(tx *store.Tx, a *attempt, flow workspace.Flow, e ending) (done committed, err error) {
	job, err := tx.JobBySeq(a.step.Job)
	if err != nil {
		return done, err
	}
	if err := a.keep(tx, r.KeepLog); err != nil {
		return done, err
	}
	if job.Status == store.Cancelled {
		e = ending{Status: store.Cancelled, ExitCode: e.ExitCode, Output: e.Output, Artifacts: e.Artifacts}
	}
	if done.dropped, err = r.keepArtifacts(tx, &e); err != nil {
		return done, err
	}
	run, now := a.step, r.Now()
	run.Status, run.ExitCode, run.Error, run.Output = e.Status, e.ExitCode, a.out.mask.hideString(e.Error), e.Output
	run.CompletedAt = now
	if err := tx.EndStep(&run, store.Running); err != nil {
		return done, err
	}
	if !job.Status.Ended() {
		err = advance(tx, &job, flow, now)
	}
	done.jobEnded = job.Status.Ended()
	return done, err
}

// remove deletes the attempt's folder, which nobody waits for.
func (r *Runner) remove(a *attempt) {
	var err error
	if a.proc != nil {
		err = errors.Join(a.proc.Close(), a.proc.Remove())
	} else {
		err = proc.Remove(r.folder(a.step.Attempt))
	}
	if err != nil {
		r.Log.Warn("remove attempt", keyJob, a.job.ID, keyStep, a.step.Name, keyErr, err)
	}
}
