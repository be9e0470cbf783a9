package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"stroem/control"
)

type logsCmd struct {
	Job    string `arg:"" help:"Job, by its id or how that begins."`
	Follow bool   `short:"f" help:"Go on until the job has ended."`
	Step   string `short:"s" placeholder:"STEP" help:"Only what this step says."`
	Tail   *int   `short:"n" placeholder:"N" help:"Only the last N lines of what there is."`
}

// Help shows how the command is used.
func (logsCmd) Help() string {
	return "With --json each line is an object {ts, stream, step, line}.\n\n" +
		shown("stroem logs 01936f2a-7c41", "stroem logs -f --tail 20 01936f2a-7c41", "stroem logs 01936f2a-7c41 --step build")
}

func (c *logsCmd) Run(e *env) error {
	if c.Tail != nil && *c.Tail < 0 {
		return usage("--tail: give a number of lines, from 0")
	}
	server, err := e.client()
	if err != nil {
		return err
	}
	id, err := server.jobID(e.ctx, c.Job)
	if err != nil {
		return err
	}
	if c.Follow {
		return c.follow(e, server, id)
	}
	lines, err := server.log(e.ctx, id, c.Step)
	if err != nil {
		return err
	}
	for _, l := range lines[max(0, len(lines)-c.tail()):] {
		if err := e.printLine(&l); err != nil {
			return err
		}
	}
	return nil
}

func (c *logsCmd) tail() int {
	if c.Tail == nil {
		return math.MaxInt
	}
	return *c.Tail
}

// follow prints lines as they come. The job itself is told of when all lines
// up to that moment were: until then only the last lines are kept.
func (c *logsCmd) follow(e *env, server *client, id string) error {
	job, err := server.job(e.ctx, id)
	if err != nil {
		return err
	}
	if c.Step != "" && !slices.ContainsFunc(job.Steps, func(s control.Step) bool { return s.Name == c.Step }) {
		return fmt.Errorf("no step %q in job %s; `stroem status %s` shows its steps", c.Step, id, id)
	}
	var held []logDoc
	hold := c.Tail != nil
	return server.follow(e.ctx, id, 0, func(ev control.Event) error {
		switch {
		case ev.Line == nil && hold:
			hold = false
			for _, l := range held {
				if err := e.printLine(&l); err != nil {
					return err
				}
			}
		case ev.Line == nil, c.Step != "" && ev.Line.Step != c.Step:
		case hold:
			if held = append(held, docOf(ev.Line)); len(held) > c.tail() {
				held = held[1:]
			}
		default:
			l := docOf(ev.Line)
			return e.printLine(&l)
		}
		return nil
	})
}

// printLine prints a line of a log.
func (e *env) printLine(l *logDoc) error {
	if e.json {
		doc, err := json.Marshal(l)
		if err == nil {
			_, err = fmt.Fprintf(e.stdout, "%s\n", doc)
		}
		return err
	}
	prefix := "[" + clean(l.Step) + "]"
	if t := e.terminal(); t != nil {
		prefix = t.paint.cyan(prefix)
	}
	_, err := fmt.Fprintf(e.stdout, "%s %s\n", prefix, control.CleanLine(l.Line))
	return err
}

// log is the whole log of a job, or of one of its steps.
func (c *client) log(ctx context.Context, id, step string) ([]logDoc, error) {
	path := api("jobs", id, "logs")
	if step != "" {
		path = api("jobs", id, "steps", step, "logs")
	}
	var answer struct {
		Logs string `json:"logs"`
	}
	if err := c.get(ctx, path, nil, &answer); err != nil {
		return nil, err
	}
	var lines []logDoc
	for text := range strings.Lines(answer.Logs) {
		var l logDoc
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			return nil, fmt.Errorf("read the log of job %s: %w", id, err)
		}
		lines = append(lines, l)
	}
	return lines, nil
}
