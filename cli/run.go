package cli

import (
	"context"
	"errors"
	"math"
	"os/signal"
	"syscall"

	"stroem/control"
)

type runCmd struct {
	localTask
}

// Help shows how the command is used.
func (runCmd) Help() string {
	return "The task runs as a server would run it, and nothing is kept of it. Ctrl-C cancels it with everything it started. " +
		"Where a step waits for a person, you are asked on the terminal.\n\n" +
		shown("stroem run hello", "stroem run backup --path ~/ops -i folder=/srv -i keep=3",
			`stroem run deploy --input-json '{"version": "v1.2.3"}'`, "stroem run hello --json | jq .output")
}

func (c *runCmd) Run(e *env) error {
	var job *control.Job
	err := c.inEngine(e, func(ctx context.Context, plane *control.Plane, what control.Execution) (err error) {
		job, err = runIn(ctx, e, plane, what)
		return err
	})
	if err != nil {
		return err
	}
	return ended(job)
}

// runIn runs the task until it has ended.
func runIn(ctx context.Context, e *env, plane *control.Plane, what control.Execution) (*control.Job, error) {
	task, err := plane.Task(e.ctx, what.Workspace, what.Task)
	if err != nil {
		return nil, err
	}
	person, err := askerFor(e, plane, task.Task)
	if err != nil {
		return nil, err
	}
	begun, err := plane.Execute(e.ctx, what)
	if err != nil {
		return nil, err
	}
	cancelled := cancelOnEnd(e, plane, begun.ID)
	job, err := e.watch(ctx, person.follow, begun.ID, "Ctrl-C cancels")
	cancelled()
	if err != nil { // nobody reads our output any more; what runs must be gone all the same
		return nil, errors.Join(err, plane.Follow(ctx, begun.ID, math.MaxInt64, func(control.Event) error { return nil }))
	}
	if e.json {
		err = e.showJob(inMemory(plane), begun.ID)
	}
	return job, err
}

// cancelOnEnd cancels the job when the command is asked to end, and also when
// nobody reads its output any more: its processes must not be left alone.
func cancelOnEnd(e *env, plane *control.Plane, id string) (stop func()) {
	ctx, unhook := signal.NotifyContext(e.ctx, syscall.SIGHUP, syscall.SIGPIPE)
	done := make(chan struct{})
	go func() {
		defer close(done)
		<-ctx.Done()
		// Conflict says that it has ended, as every job has after a while.
		if err := plane.Cancel(context.WithoutCancel(ctx), id, ""); err != nil && control.CodeOf(err) == control.Internal {
			plane.Log.Error("cancel", "err", err)
		}
	}()
	return func() {
		unhook()
		<-done
	}
}
