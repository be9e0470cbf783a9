package cli

import (
	"fmt"
	"net/http"
	"strings"
)

type triggerCmd struct {
	Task      string `arg:"" help:"Task to start."`
	Workspace string `short:"w" placeholder:"NAME" help:"Workspace of the task (default, or the only one)."`
	Wait      bool   `help:"Show the run until it has ended, and exit with its outcome."`
	Once      string `name:"idempotency-key" placeholder:"KEY" help:"A text of yours: the same call with the same key gives the first job again, for 24 hours."`
	inputFlags
}

// Help shows how the command is used.
func (triggerCmd) Help() string {
	return "It prints the job's id. With --wait it shows the run, and exits 0 if it completed, else 1; Ctrl-C stops the watching, not the job.\n\n" +
		shown("stroem trigger hello", "stroem trigger deploy-api -w production -i version=v1.2.3 --wait", "stroem logs -f $(stroem trigger hello)")
}

func (c *triggerCmd) Run(e *env) error {
	once, err := onceHeader(c.Once)
	if err != nil {
		return err
	}
	server, err := e.client()
	if err != nil {
		return err
	}
	ws, err := server.workspace(e.ctx, c.Workspace)
	if err != nil {
		return err
	}
	var task taskDoc
	if err := server.get(e.ctx, api("workspaces", ws, "tasks", c.Task), nil, &task); err != nil {
		return err
	}
	fields, err := task.fields()
	if err != nil {
		return err
	}
	input, err := c.read(fields)
	if err != nil {
		return fmt.Errorf("task %q was not started: %w", c.Task, err)
	}
	var begun startedJob
	starting := *server
	starting.header = once
	if err := starting.post(e.ctx, api("workspaces", ws, "tasks", c.Task, "execute"), map[string]any{"input": input}, &begun); err != nil {
		return err
	}
	return begun.show(e, server, c.Wait)
}

// onceHeader sends the key as RFC 8941 (3.3.3) writes a text.
func onceHeader(key string) (http.Header, error) {
	if strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r > '~' }) {
		return nil, usage("--idempotency-key: give a text of printable ASCII")
	}
	if key == "" {
		return nil, nil
	}
	return http.Header{"Idempotency-Key": {`"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(key) + `"`}}, nil
}

// startedJob is the answer to what starts a job.
type startedJob struct {
	JobID string `json:"job_id"`
}

// show prints the job's id, or, to wait, its run.
func (j *startedJob) show(e *env, server *client, wait bool) error {
	if wait {
		return j.wait(e, server)
	}
	if e.json {
		return e.printJSON(j)
	}
	e.println(j.JobID)
	if e.terminal() != nil {
		fmt.Fprintf(e.stderr, "`stroem logs -f %s` shows what it says.\n", j.JobID)
	}
	return nil
}

func (j *startedJob) wait(e *env, server *client) error {
	id := j.JobID
	if !e.json && e.terminal() == nil { // the picture shows the id itself
		e.println("job " + id)
	}
	job, err := e.watch(e.ctx, server.follow, id, "Ctrl-C stops watching; the job goes on")
	if err != nil {
		if e.ctx.Err() != nil {
			return fmt.Errorf("stopped watching; job %s goes on, and `stroem cancel %s` ends it", id, id)
		}
		return fmt.Errorf("watch job %s: %w", id, err)
	}
	if e.json {
		if err := e.showJob(server, id); err != nil {
			return err
		}
	}
	return ended(job)
}
