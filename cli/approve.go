package cli

import (
	"fmt"
	"strings"

	"stroem/control"
	"stroem/runner"
	"stroem/store"
	"stroem/workspace"
)

// waitingStep names a step that waits for a person.
type waitingStep struct {
	Job  string `arg:"" help:"Job, by its id or how that begins."`
	Step string `arg:"" help:"Step that waits, as stroem status shows it."`
}

type approveCmd struct {
	waitingStep
	inputFlags
}

// Help shows how the command is used.
func (approveCmd) Help() string {
	return "The job goes on, and later steps see the form as filled in with -i. A step that does not wait, or no longer, is left alone: exit 1.\n\n" +
		shown("stroem approve 01936f2a-7c41 confirm", "stroem approve 01936f2a-7c41 confirm -i reason='tests are green'")
}

func (c *approveCmd) Run(e *env) error {
	server, id, err := e.ofJob(c.Job)
	if err != nil {
		return err
	}
	var fields workspace.Fields
	if len(c.Input) > 0 {
		job, err := server.job(e.ctx, id)
		if err != nil {
			return err
		}
		if fields, err = formOf(&job, c.Step); err != nil {
			return err
		}
	}
	input, err := c.read(fields)
	if err != nil {
		return fmt.Errorf("step %q was not approved: %w", c.Step, err)
	}
	return c.send(e, server, id, map[string]any{"approved": true, "input": input})
}

type rejectCmd struct {
	waitingStep
	Reason string `placeholder:"TEXT" help:"Why; it becomes the step's error."`
}

// Help shows how the command is used.
func (rejectCmd) Help() string {
	return "The step has failed, and the job goes on as after any failed step. A step that does not wait, or no longer, is left alone: exit 1.\n\n" +
		shown("stroem reject 01936f2a-7c41 confirm --reason 'not on a Friday'")
}

func (c *rejectCmd) Run(e *env) error {
	server, id, err := e.ofJob(c.Job)
	if err != nil {
		return err
	}
	return c.send(e, server, id, map[string]any{"approved": false, "rejection_reason": c.Reason})
}

// send gives the answer and prints what it came to.
func (w *waitingStep) send(e *env, server *client, id string, answer map[string]any) error {
	var told struct {
		Status string `json:"status"`
	}
	if err := server.post(e.ctx, api("jobs", id, "steps", w.Step, "approve"), answer, &told); err != nil {
		return err
	}
	if e.json {
		return e.printJSON(told)
	}
	fmt.Fprintf(e.stdout, "Step %q of job %s is %s.\n", w.Step, id, told.Status)
	return nil
}

// formOf is the form of a step that waits.
func formOf(job *control.Job, step string) (workspace.Fields, error) {
	var known []string
	for i := range job.Steps {
		s := &job.Steps[i]
		switch known = append(known, s.Name); {
		case s.Name != step:
		case s.Status != store.Suspended:
			return nil, &runner.NotWaiting{Step: step, Status: s.Status}
		default:
			return fieldsOf(s.Form)
		}
	}
	return nil, fmt.Errorf("job %s has no step %q; it has %s", job.ID, step, strings.Join(known, ", "))
}
