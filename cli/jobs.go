package cli

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"stroem/store"
	"stroem/workspace"
)

type jobsCmd struct {
	Workspace string `short:"w" placeholder:"NAME" help:"Only jobs of this workspace."`
	Task      string `short:"t" placeholder:"TASK" help:"Only jobs of this task (in default, or the only workspace, if -w names none)."`
	Status    string `short:"s" placeholder:"STATUS" help:"Only jobs in this state: pending, running, completed, failed, cancelled or skipped."`
	Limit     int    `short:"n" default:"20" help:"At most so many."`
}

// Help shows how the command is used.
func (jobsCmd) Help() string {
	return shown("stroem jobs", "stroem jobs -w production --status failed --limit 5", "stroem jobs --task deploy-api --json | jq -r '.items[].job_id'")
}

func (c *jobsCmd) Run(e *env) error {
	query, err := c.query()
	if err != nil {
		return err
	}
	server, err := e.client()
	if err != nil {
		return err
	}
	if c.Task != "" && c.Workspace == "" {
		ws, err := server.workspace(e.ctx, "")
		if err != nil {
			return err
		}
		query.Set("workspace", ws)
	}
	return show(e, server, api("jobs"), query, func(page jobPage) { listJobs(e, page) })
}

func (c *jobsCmd) query() (url.Values, error) {
	var known []string
	for _, s := range store.JobStatuses {
		known = append(known, string(s))
	}
	switch {
	case c.Status != "" && !slices.Contains(known, c.Status):
		near := ""
		if n := workspace.Nearest(c.Status, known); n != "" {
			near = fmt.Sprintf("; did you mean %q?", n)
		}
		return nil, usage("--status: no state %q, only %s%s", c.Status, strings.Join(known, ", "), near)
	case c.Limit < 1 || c.Limit > newest:
		return nil, usage("--limit: give a number from 1 to %d", newest)
	}
	query := url.Values{"limit": {fmt.Sprint(c.Limit)}}
	for name, value := range map[string]string{"workspace": c.Workspace, "task_name": c.Task, "status": c.Status} {
		if value != "" {
			query.Set(name, value)
		}
	}
	return query, nil
}

func listJobs(e *env, page jobPage) {
	if len(page.Items) == 0 {
		e.println("No jobs.")
		return
	}
	t, now := e.terminal(), time.Now()
	var rows [][]string
	for i := range page.Items {
		j := &page.Items[i]
		id, created, span := j.ID, j.CreatedAt.Format(time.RFC3339), ""
		if t != nil {
			created = ago(j.CreatedAt, now)
			if t.width < 120 {
				id = shortID(id)
			}
		}
		if !j.StartedAt.IsZero() {
			span = took(lasted(j.StartedAt, j.CompletedAt, now))
		}
		rows = append(rows, []string{id, string(j.Status), j.Task, j.Workspace, created, span})
	}
	e.table([]column{{head: "JOB"}, {head: "STATUS", paint: func(p paint, cell string) string {
		return p.status(store.Status(strings.TrimSpace(cell)), cell)
	}}, {head: "TASK", least: 8}, {head: "WORKSPACE", least: 9}, {head: "CREATED"}, {head: "TOOK", right: true}}, rows)
	if more := page.Total - int64(len(page.Items)); more > 0 && t != nil {
		e.println(t.paint.faint(fmt.Sprintf("(%d more; --limit shows more, -w, --task and --status choose)", more)))
	}
}
