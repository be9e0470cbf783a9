package runner

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"stroem/store"
	"stroem/workspace"
)

// withDefaults is the task with the runner's timeouts where it sets none.
func (r *Runner) withDefaults(task *workspace.Task) *workspace.Task {
	if r.StepTimeout == 0 && r.JobTimeout == 0 {
		return task
	}
	plan := *task
	if plan.Timeout == 0 {
		plan.Timeout = r.JobTimeout
	}
	plan.Flow = append(workspace.Flow(nil), task.Flow...)
	for i := range plan.Flow {
		if plan.Flow[i].Timeout == 0 {
			plan.Flow[i].Timeout = r.StepTimeout
		}
	}
	return &plan
}

// stepLimit fires when the step's time is up, counted from its true start; nil
// never does.
func (r *Runner) stepLimit(a *attempt) (fires <-chan time.Time, stop func() bool) {
	limit := a.flow[a.step.Pos].Timeout
	if limit == 0 {
		return nil, func() bool { return false }
	}
	t := time.NewTimer(r.left(a.step.StartedAt, limit))
	return t.C, t.Stop
}

// left is what is left of a limit that counts from then: never more than the
// limit itself, though the clock may have been set back since.
func (r *Runner) left(from time.Time, limit time.Duration) time.Duration {
	return min(limit, from.Add(limit).Sub(r.Now()))
}

// wholeJob stands among a job's steps for the job itself.
const wholeJob = -1

// limits are the timers of jobs that have begun, and of steps that wait for a
// person, where they have a timeout.
type limits struct {
	mu     sync.Mutex
	timers map[int64]map[int]*time.Timer // by job, and by step's place
}

// set lets fire be called once after a while, unless that is set already.
func (l *limits) set(job int64, step int, in time.Duration, fire func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.timers == nil {
		l.timers = map[int64]map[int]*time.Timer{}
	}
	if l.timers[job] == nil {
		l.timers[job] = map[int]*time.Timer{}
	}
	if l.timers[job][step] == nil {
		l.timers[job][step] = time.AfterFunc(in, fire)
	}
}

// drop forgets the timer of one step.
func (l *limits) drop(job int64, step int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if t := l.timers[job][step]; t != nil {
		t.Stop()
		delete(l.timers[job], step)
	}
	if len(l.timers[job]) == 0 {
		delete(l.timers, job)
	}
}

// dropJob forgets all timers of a job. l.mu is held.
func (l *limits) dropJob(job int64) {
	for _, t := range l.timers[job] {
		t.Stop()
	}
	delete(l.timers, job)
}

// limitJob sees to it that the job ends when its time is up, counted from the
// start of its first step. It does so once for each job.
func (r *Runner) limitJob(job *store.Job, timeout time.Duration) {
	if timeout == 0 || job.StartedAt.IsZero() {
		return
	}
	id, seq, why := job.ID, job.Seq, fmt.Sprintf("timed out after %s", timeout)
	r.limits.set(seq, wholeJob, r.left(job.StartedAt, timeout), func() {
		err := r.cancelWith(context.Background(), id, why)
		var ended *Ended
		var disk *store.DiskError
		if errors.As(err, &disk) {
			r.limitAgain(seq)
		}
		if err != nil && !errors.As(err, &ended) && !errors.Is(err, store.ErrClosed) {
			r.complain("end job at its timeout", err, keyJob, id)
		}
	})
}

// limitAgain tries once more to end a job whose time is up: the disk failed.
func (r *Runner) limitAgain(seq int64) {
	r.limits.mu.Lock()
	defer r.limits.mu.Unlock()
	if t := r.limits.timers[seq][wholeJob]; t != nil {
		t.Reset(retryPause)
	}
}

// unlimit forgets the timers of an ended job.
func (r *Runner) unlimit(seq int64) {
	r.limits.mu.Lock()
	defer r.limits.mu.Unlock()
	r.limits.dropJob(seq)
}

// unlimitAll stops all timers: the next server sets them anew.
func (r *Runner) unlimitAll() {
	r.limits.mu.Lock()
	defer r.limits.mu.Unlock()
	for seq := range r.limits.timers {
		r.limits.dropJob(seq)
	}
}

// limitRunning sets the timers of all jobs that an earlier server began.
func (r *Runner) limitRunning(tx *store.Tx) error {
	jobs, err := tx.RunningJobs()
	if err != nil {
		return err
	}
	for i := range jobs {
		plan, err := r.plans.get(tx, jobs[i].Plan)
		if err != nil {
			return err
		}
		r.limitJob(&jobs[i], plan.Timeout)
	}
	return nil
}
