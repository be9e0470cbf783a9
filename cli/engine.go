package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"golang.org/x/sync/errgroup"

	"stroem/control"
	"stroem/store"
)

// localTask is a task of a folder, with the input it is to have.
type localTask struct {
	Task string `arg:"" help:"Task of the folder."`
	inFolder
	inputFlags
}

// inEngine loads the folder into an engine over a store that is thrown away,
// and calls do with that and with what to execute. The engine goes on when e
// is asked to end: do may have a job to cancel first.
func (c *localTask) inEngine(e *env, do func(context.Context, *control.Plane, control.Execution) error) (err error) {
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
	dir, err := os.MkdirTemp("", "stroem-")
	if err != nil {
		return fmt.Errorf("make a place for the run: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	st, err := store.Open(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	folders := []control.Folder{{Name: localName, Path: c.Path}}
	log := slog.New(slog.NewTextHandler(e.stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	plane, err := newPlane(cfg, st, folders, log)
	if err != nil {
		return err
	}
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
		return ctx.Err()
	}
	for _, missing := range plane.MissingSecrets(localName) { // the other problems are told already
		fmt.Fprintf(e.stderr, "stroem: %s\n", missing)
	}
	return do(ctx, plane, control.Execution{Workspace: localName, Task: c.Task, Input: input})
}
