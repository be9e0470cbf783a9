package runner

import (
	"context"
	"os"
	"path/filepath"

	"stroem/runner/proc"
	"stroem/store"
	"stroem/workspace"
)

// recover settles every step that the store says is running, by what its
// attempt left in its folder: a step that lives is followed to its end, one
// that ended is given that end, one that never began is queued again, and one
// that may have run and left no word of it has failed.
func (r *Runner) recover(ctx context.Context) error {
	var found []*attempt
	// The lock is held until the attempts are known, so that Cancel, which
	// looks for them after its commit, misses none.
	r.mu.Lock()
	defer r.mu.Unlock()
	err := r.Store.View(ctx, func(tx *store.Tx) error {
		runs, err := tx.RunningSteps()
		if err != nil {
			return err
		}
		for _, run := range runs {
			job, err := tx.JobBySeq(run.Job)
			if err != nil {
				return err
			}
			found = append(found, newAttempt(job, run))
		}
		if err := r.limitWaiting(tx); err != nil {
			return err
		}
		return r.limitRunning(tx)
	})
	if err != nil {
		return err
	}
	r.sweepFolders(ctx, found)
	for _, a := range found {
		if a.job.Status == store.Cancelled {
			a.cancel()
		}
		r.begin(ctx, a, r.takeUp)
	}
	return nil
}

// takeUp settles one step that was running when an earlier server ended.
func (r *Runner) takeUp(ctx context.Context, a *attempt) {
	facts, err := r.facts(ctx, a)
	if err != nil {
		r.abandon(a, err)
		return
	}
	if facts.asks(a) { // nothing was done
		r.ask(ctx, a, facts)
		return
	}
	p, state, err := proc.Attach(r.folder(a.step.Attempt), a.step.Attempt)
	if err != nil {
		r.sweep(a)
		r.end(ctx, a, facts.flow, ending{Status: store.Failed, Error: "cannot be found again after a restart: " + err.Error()})
		return
	}
	r.Log.Info("took up a running step", keyJob, a.job.ID, keyStep, a.step.Name, "state", state.String())
	out := newOutput(&a.step, r.KeepLog, r.foundMask(a.step.Attempt, a.job.Workspace))
	a.mu.Lock()
	a.proc, a.out = p, out
	a.mu.Unlock()
	sameBoot := a.step.Boot == r.boot // never of a restored step
	switch {
	case state == proc.Ended || state == proc.Alive:
		r.follow(ctx, a, facts.flow)
	case sameBoot && state == proc.NeverBegan, !sameBoot && facts.flow[a.step.Pos].Action.Idempotent:
		r.requeue(ctx, a, facts.flow)
	case sameBoot: // its wrapper is gone, its children may live
		r.sweep(a)
		r.finish(ctx, a, facts.flow)
	default:
		r.interrupted(ctx, a, facts.flow)
	}
}

// sweep ends what is left of an attempt whose wrapper is gone.
func (r *Runner) sweep(a *attempt) {
	if err := proc.Sweep(r.folder(a.step.Attempt), a.step.Attempt); err != nil {
		r.Log.Error("end what is left of the step", keyJob, a.job.ID, keyStep, a.step.Name, keyErr, err)
	}
}

// requeue makes the step ready again, since its attempt did nothing or may be
// repeated; unless its job was cancelled meanwhile.
func (r *Runner) requeue(ctx context.Context, a *attempt, flow workspace.Flow) {
	err := r.insist(ctx, a, "queue step again", func() error {
		return r.Store.Update(ctx, func(tx *store.Tx) error {
			job, err := tx.JobBySeq(a.step.Job)
			if err != nil {
				return err
			}
			if job.Status.Ended() {
				_, err := r.commitEnd(tx, a, flow, ending{Status: store.Cancelled})
				return err
			}
			return tx.QueueStep(&a.step, store.Running)
		})
	})
	if err != nil {
		r.abandon(a, err)
		return
	}
	r.release(a)
	r.remove(a)
}

// interrupted fails a step that another boot of the machine may have run in
// part, since an unsynced mark of its end can be gone, or the server whose
// backup this one was restored from.
func (r *Runner) interrupted(ctx context.Context, a *attempt, flow workspace.Flow) {
	if err := r.drain(ctx, a); err != nil {
		r.Log.Error("keep output", keyJob, a.job.ID, keyStep, a.step.Name, keyErr, err)
	}
	why := "the machine, or its container, restarted while the step ran"
	if a.step.Boot == store.BootRestored {
		why = "the server was restored from a backup that was made while the step ran"
	}
	r.end(ctx, a, flow, ending{Status: store.Failed, Error: "interrupted: " + why +
		", which may have done a part of its work (an action with idempotent: true is tried again)"})
}

// sweepFolders deletes the folders of attempts that have ended in the store,
// beside the work of the server. There may be many after a crash.
func (r *Runner) sweepFolders(ctx context.Context, running []*attempt) {
	live := map[string]bool{}
	for _, a := range running {
		live[a.step.Attempt] = true
	}
	folders := r.folders()
	r.wait.Go(func() {
		r.removeFolders(ctx, folders, live)
		if err := r.Store.SweepArtifacts(ctx); err != nil && ctx.Err() == nil {
			r.Log.Warn("delete artifacts of no job", keyErr, err)
		}
	})
}

// Sweep deletes the folders of attempts that have ended in the store, and
// whose removal failed, and artifacts of no job.
func (r *Runner) Sweep(ctx context.Context) error {
	// A folder is made after its attempt is committed as running. So whatever
	// lay there before the store was asked, and is not running then, has ended.
	folders := r.folders()
	live := map[string]bool{}
	err := r.Store.View(ctx, func(tx *store.Tx) error {
		runs, err := tx.RunningSteps()
		for _, run := range runs {
			live[run.Attempt] = true
		}
		return err
	})
	if err != nil {
		return err
	}
	r.removeFolders(ctx, folders, live)
	return r.Store.SweepArtifacts(ctx)
}

// folders lists the folders of attempts.
func (r *Runner) folders() []os.DirEntry {
	folders, err := os.ReadDir(r.folder(""))
	if err != nil && !os.IsNotExist(err) {
		r.Log.Warn("look for old attempts", keyErr, err)
	}
	return folders
}

func (r *Runner) removeFolders(ctx context.Context, folders []os.DirEntry, live map[string]bool) {
	for _, f := range folders {
		if live[f.Name()] || ctx.Err() != nil {
			continue
		}
		if err := proc.Remove(filepath.Join(r.folder(""), f.Name())); err != nil {
			r.Log.Warn("remove old attempt", keyErr, err)
		}
	}
}
