// Package runner carries a job from submitted to ended: it decides which step
// is next, runs it, and keeps what it says. Its only memory is the store.
package runner

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"stroem/runner/proc"
	"stroem/store"
)

// Keys of the server's log.
const (
	keyJob  = "job"
	keyStep = "step"
	keyErr  = "err"
)

// retryPause is how long the runner waits before it asks again a store that
// cannot write, for example because the disk is full.
const retryPause = 500 * time.Millisecond

// Runner runs the steps of jobs on this machine. Its fields are set before
// Run and not changed after.
type Runner struct {
	Store *store.Store
	Slots int // steps at a time
	// StepTimeout and JobTimeout bound what sets no timeout of its own; 0:
	// nothing does.
	StepTimeout, JobTimeout time.Duration
	KeepLog                 int64 // bytes kept of a step's log
	// MaxArtifact and MaxArtifacts bound a file that a step leaves, and all
	// that a job keeps of them, in bytes. 0: 100 MiB, and 1 GiB.
	MaxArtifact, MaxArtifacts int64
	Grace                     time.Duration // between TERM and KILL
	Key                       []byte        // 32 bytes, under which secret inputs are stored
	Secrets                   Secrets       // of the workspaces
	// AllowEnv names the variables of the server's environment that templates
	// may read by get_env.
	AllowEnv []string
	// Drain, when it is closed, has Run start nothing more and return when the
	// steps that run have ended. nil: Run goes on until its context ends.
	Drain <-chan struct{}
	Log   *slog.Logger
	Now   func() time.Time

	boot string

	plans    plans
	limits   limits
	promised atomic.Int64 // bytes of disk that steps which waited for them may write
	mu       sync.Mutex
	attempts map[string]*attempt // by attempt id, from claim to end
	free     chan struct{}       // a place became free
	busy     chan struct{}       // an attempt began
	wait     sync.WaitGroup      // one for each attempt's goroutine
}

// Run takes up the steps that an earlier server left running, then runs
// whatever becomes ready. When ctx ends, it starts nothing more and returns
// soon; steps that run go on without it, to be found again by the next Run.
func (r *Runner) Run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	if err := r.prepareRun(); err != nil {
		return err
	}
	wake, unwatch := r.Store.Watch(store.TopicQueue)
	defer unwatch()
	if err := r.recover(ctx); err != nil && ctx.Err() == nil {
		return fmt.Errorf("take up running steps: %w", err)
	}
	collected := make(chan struct{})
	go func() {
		defer close(collected)
		r.collect(ctx)
	}()
	r.wait.Go(func() { proc.ReapOrphans(ctx) })
	r.dispatch(ctx, wake)
	r.wait.Wait()
	r.unlimitAll()
	stop() // nothing is left whose output could be collected
	<-collected
	return nil
}

func (r *Runner) prepareRun() (err error) {
	if r.boot, err = proc.BootID(); err != nil {
		return fmt.Errorf("boot id: %w", err)
	}
	r.mu.Lock() // Cancel may be asked before this
	defer r.mu.Unlock()
	r.attempts = map[string]*attempt{}
	r.free, r.busy = make(chan struct{}, 1), make(chan struct{}, 1)
	return nil
}

// dispatch starts ready steps as long as there is a free place, and sleeps
// until the store or an ended step wakes it. It returns when nothing may start
// any more.
func (r *Runner) dispatch(ctx context.Context, wake <-chan struct{}) {
	var retry <-chan time.Time
	for {
		if err := r.fill(ctx); err != nil && ctx.Err() == nil {
			r.complain("claim steps", err)
			retry = time.After(retryPause)
		}
		select {
		case <-ctx.Done():
			return
		case <-r.Drain:
			r.Log.Info("start nothing more, and wait for the steps that run", "steps", len(r.live()))
			return
		case <-wake:
		case <-r.free:
		case <-retry:
			retry = nil
		}
	}
}

// fill claims steps for all free places and sets them going.
func (r *Runner) fill(ctx context.Context) error {
	// The lock is held until the claimed attempts are known, so that Cancel,
	// which looks for them after its commit, misses none.
	r.mu.Lock()
	defer r.mu.Unlock()
	places := r.Slots - len(r.attempts)
	if places <= 0 || ctx.Err() != nil || r.draining() {
		return nil
	}
	claimed, err := r.claim(ctx, places)
	if err != nil {
		return err
	}
	for _, a := range claimed {
		r.begin(ctx, a, r.run)
	}
	return nil
}

func (r *Runner) draining() bool {
	select {
	case <-r.Drain:
		return true
	default:
		return false
	}
}

// claim commits that the steps whose turn it is are running, before anything
// of them is. Each gets an attempt of its own.
func (r *Runner) claim(ctx context.Context, places int) (claimed []*attempt, err error) {
	err = r.Store.Update(ctx, func(tx *store.Tx) error {
		claimed = nil
		due, err := tx.NextReady(places)
		if err != nil {
			return err
		}
		now := r.Now()
		for _, step := range due {
			job, err := tx.JobBySeq(step.Job)
			if err != nil {
				return err
			}
			if job.Status.Ended() { // nothing of it may begin any more
				step.Status, step.CompletedAt = store.Cancelled, now
				if err := tx.EndStep(&step, store.Ready); err != nil {
					return err
				}
				continue
			}
			step.Status, step.Attempt, step.Boot, step.StartedAt = store.Running, uuid.NewString(), r.boot, now
			if err := tx.StartStep(&step); err != nil {
				return err
			}
			if err := tx.StartJob(&job, now); err != nil {
				return err
			}
			if job.StartedAt.IsZero() {
				job.StartedAt = now
			}
			claimed = append(claimed, newAttempt(job, step))
		}
		return nil
	})
	return claimed, err
}

// begin makes the attempt known and gives it a goroutine. r.mu is held.
func (r *Runner) begin(ctx context.Context, a *attempt, body func(context.Context, *attempt)) {
	r.attempts[a.step.Attempt] = a
	select {
	case r.busy <- struct{}{}:
	default:
	}
	r.wait.Add(1)
	go func() {
		defer r.wait.Done()
		defer r.survive(a)
		body(ctx, a)
	}()
}

// survive ends a step whose attempt panicked here: one broken step must take
// neither the server down, nor the next one that takes it up.
func (r *Runner) survive(a *attempt) {
	p := recover()
	if p == nil {
		return
	}
	r.Log.Error("panic", keyJob, a.job.ID, keyStep, a.step.Name, "panic", p, "stack", string(debug.Stack()))
	ctx := context.Background()
	if a.proc != nil {
		if err := a.proc.Kill(ctx, 0); err != nil {
			r.Log.Error("end the step's processes", keyJob, a.job.ID, keyStep, a.step.Name, keyErr, err)
		}
	}
	a.mu.Lock()
	a.out = output{closed: true, mask: a.out.mask}
	a.mu.Unlock()
	r.end(ctx, a, a.flow, ending{Status: store.Failed, Error: "internal error: the server's log says more"})
}

// release forgets an ended attempt and gives its place to the next step.
func (r *Runner) release(a *attempt) {
	r.mu.Lock()
	delete(r.attempts, a.step.Attempt)
	r.mu.Unlock()
	select {
	case r.free <- struct{}{}:
	default:
	}
}

// live lists the attempts that run now.
func (r *Runner) live() []*attempt {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Collect(maps.Values(r.attempts))
}

// folder is where an attempt's files are.
func (r *Runner) folder(attempt string) string {
	return filepath.Join(r.Store.Dir(), "steps", attempt)
}
