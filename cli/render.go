package cli

import (
	"context"
	"fmt"
	"strings"

	"stroem/control"
	"stroem/runner"
)

type renderCmd struct {
	localTask
	Step string `placeholder:"NAME" help:"Only this step."`
}

// Help shows how the command is used.
func (renderCmd) Help() string {
	return "Shows each script as it would run, every value quoted for its place, and runs nothing. What other steps would give " +
		"stands as <step.output.x>; secrets are masked.\n\n" +
		shown("stroem render backup -i folder=/srv", "stroem render deploy --step push --json")
}

func (c *renderCmd) Run(e *env) error {
	var list []runner.Preview
	err := c.inEngine(e, func(ctx context.Context, plane *control.Plane, what control.Execution) (err error) {
		list, err = plane.Preview(ctx, what)
		return err
	})
	if err != nil {
		return err
	}
	return c.show(e, list)
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
	what := clean(strings.Join(p.Program, " "))
	if p.Message != "" {
		what = "waits for a person, who is asked:"
	}
	e.println("# step " + clean(p.Step) + ": " + what)
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
	for _, place := range p.Places {
		e.println("# " + clean(place))
	}
	if p.Message != "" {
		e.println(control.Clean(p.Message))
		return
	}
	e.println(control.Clean(strings.TrimSuffix(p.Script, "\n")))
}
