package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"stroem/control"
	"stroem/runner"
	"stroem/store"
)

type renderCmd struct {
	Task string `arg:"" help:"Task to render."`
	Step string `placeholder:"NAME" help:"Only this step."`
	inFolder
	inputFlags
}

// Help shows how the command is used.
func (renderCmd) Help() string {
	return "Shows each script as it would run, every value quoted for its place, and runs nothing. What other steps would give " +
		"stands as <step.output.x>; secrets are masked.\n\n" +
		shown("stroem render backup -i folder=/srv", "stroem render deploy --step push --json")
}

func (c *renderCmd) Run(e *env) error {
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
		return fmt.Errorf("task %q was not rendered: %w", task.Name, err)
	}
	dir, err := os.MkdirTemp("", "stroem-render-")
	if err != nil {
		return fmt.Errorf("make a place to render in: %w", err)
	}
	list, err := c.preview(e, cfg, dir, input)
	if err := errors.Join(err, os.RemoveAll(dir)); err != nil {
		return err
	}
	return c.show(e, list)
}

// preview renders over a store in dir.
func (c *renderCmd) preview(e *env, cfg *Config, dir string, input map[string]any) (list []runner.Preview, err error) {
	st, err := store.Open(dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	log := slog.New(slog.NewTextHandler(e.stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	plane, err := newPlane(cfg, st, []control.Folder{{Name: localName, Path: c.Path}}, log)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(e.ctx)
	loaded, synced := make(chan struct{}), make(chan error, 1)
	go func() { synced <- plane.Sync(ctx, loaded) }()
	defer func() {
		stop()
		err = errors.Join(err, <-synced)
	}()
	select {
	case <-loaded:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return plane.Preview(ctx, control.Execution{Workspace: localName, Task: c.Task, Input: input})
}

func (c *renderCmd) show(e *env, list []runner.Preview) error {
	var names []string
	var shown []runner.Preview
	failed := false
	for _, p := range list {
		names = append(names, p.Step)
		if c.Step == "" || c.Step == p.Step {
			shown = append(shown, p)
			failed = failed || p.Error != ""
		}
	}
	if len(shown) == 0 {
		return fmt.Errorf("task %q has no step %q; it has %s", c.Task, c.Step, strings.Join(names, ", "))
	}
	if e.json {
		if err := e.printJSON(shown); err != nil {
			return err
		}
	} else {
		for i, p := range shown {
			if i > 0 {
				e.println("")
			}
			e.preview(&p)
		}
	}
	if failed {
		return failure{}
	}
	return nil
}

// preview shows one step to a person. Its script comes last, as it is.
func (e *env) preview(p *runner.Preview) {
	e.println("# step " + clean(p.Step) + ": " + clean(strings.Join(p.Program, " ")))
	if p.Error != "" {
		e.println("# cannot be rendered: " + clean(p.Error))
		return
	}
	if p.WorkDir != "" {
		e.println("# in " + clean(p.WorkDir))
	}
	for _, v := range p.Env {
		e.println("# env " + clean(v.Name) + "=" + clean(v.Value))
	}
	for i, a := range p.Args {
		e.println(fmt.Sprintf("# $%d = %s", i+1, clean(a)))
	}
	e.println(control.Clean(strings.TrimSuffix(p.Script, "\n")))
}
