package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sync/errgroup"

	"stroem/control"
	"stroem/store"
)

type runCmd struct {
	Task string `arg:"" help:"Task to run."`
	inFolder
	inputFlags
}

// Help shows how the command is used.
func (runCmd) Help() string {
	return "The task runs as a server would run it, and nothing is kept of it. Ctrl-C cancels it with everything it started.\n\n" +
		shown("stroem run hello", "stroem run backup --path ~/ops -i folder=/srv -i keep=3",
			`stroem run deploy --input-json '{"version": "v1.2.3"}'`, "stroem run hello --json | jq .output")
}

func (c *runCmd) Run(e *env) error {
	cfg, err := loadConfig(e.config, os.Environ())
	if err != nil {
		return err
	}
	_, task, err := c.task(e, c.Task)
	if err != nil {
		return err
	}
	input, err := c.read(task.Input)
	if err != nil {
		return fmt.Errorf("task %q was not started: %w", task.Name, err)
	}
	dir, err := os.MkdirTemp("", "stroem-run-")
	if err != nil {
		return fmt.Errorf("make a place for the run: %w", err)
	}
	job, err := c.inStore(e, cfg, dir, input)
	if err := errors.Join(err, os.RemoveAll(dir)); err != nil {
		return err
	}
	return ended(job)
}

// inStore runs the task over a store in dir until it has ended.
func (c *runCmd) inStore(e *env, cfg *Config, dir string, input map[string]any) (job *control.Job, err error) {
	st, err := store.Open(dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	folders := []control.Folder{{Name: localName, Path: c.Path}}
	log := slog.New(slog.NewTextHandler(e.stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	plane, err := newPlane(cfg, st, folders, log)
	if err != nil {
		return nil, err
	}
	// What runs outlives the wish to end: it has the job to cancel first.
	ctx, stop := context.WithCancel(context.WithoutCancel(e.ctx))
	g, ctx := errgroup.WithContext(ctx)
	defer func() {
		stop()
		err = errors.Join(err, g.Wait())
	}()
	loaded := make(chan struct{})
	g.Go(func() error { return plane.Sync(ctx, loaded) })
	g.Go(func() error { return plane.Runner.Run(ctx) })
	select {
	case <-loaded:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	begun, err := plane.Execute(e.ctx, control.Execution{Workspace: localName, Task: c.Task, Input: input, Source: store.SourceAPI})
	if err != nil {
		return nil, err
	}
	cancelled := cancelOnEnd(e, plane, begun.ID)
	job, err = e.watch(ctx, plane.Follow, begun.ID, "Ctrl-C cancels")
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
		if err := plane.Cancel(context.WithoutCancel(ctx), id); err != nil && control.CodeOf(err) == control.Internal {
			plane.Log.Error("cancel", "err", err)
		}
	}()
	return func() {
		unhook()
		<-done
	}
}
