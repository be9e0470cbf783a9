package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/signal"
	"path"
	"syscall"

	"stroem/control"
)

type runCmd struct {
	localTask
	Artifacts string `placeholder:"DIR" help:"Put the files that steps leave in $$ARTIFACTS_DIR into this folder."`
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
		if job, err = runIn(ctx, e, plane, what); err != nil {
			return err
		}
		return c.keep(e, plane, job)
	})
	if err != nil {
		return err
	}
	return ended(job)
}

// keep puts the job's artifacts where the user wants them, below that folder
// and nowhere else, or says that there were some.
func (c *runCmd) keep(e *env, plane *control.Plane, job *control.Job) error {
	if job.Artifacts == 0 {
		return nil
	}
	if c.Artifacts == "" {
		e.tell(count(job.Artifacts, "artifact") + " not kept; --artifacts DIR puts what steps leave into a folder")
		return nil
	}
	ctx := context.WithoutCancel(e.ctx) // it may have ended with what it ran
	list, err := plane.Artifacts(ctx, job.ID)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.Artifacts, 0o755); err != nil {
		return fmt.Errorf("--artifacts: %w", err)
	}
	root, err := os.OpenRoot(c.Artifacts)
	if err != nil {
		return fmt.Errorf("--artifacts: %w", err)
	}
	defer root.Close()
	for i := range list {
		if err := copyOut(ctx, plane, job.ID, list[i].Name, root); err != nil {
			return fmt.Errorf("--artifacts: %w", err)
		}
	}
	e.tell(count(len(list), "artifact") + " in " + c.Artifacts)
	return nil
}

// copyOut copies an artifact below a folder. Nothing that is there is
// overwritten.
func copyOut(ctx context.Context, plane *control.Plane, job, name string, to *os.Root) error {
	_, in, err := plane.OpenArtifact(ctx, job, name)
	if err != nil {
		return err
	}
	defer in.Close()
	if err := to.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	out, err := to.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
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
