package cli

import (
	"context"
	"encoding/json"
	"net/url"
	"strconv"
	"time"

	"stroem/control"
	"stroem/store"
)

type statusCmd struct {
	Job string `arg:"" help:"Job, by its id or how that begins."`
}

// Help shows how the command is used.
func (statusCmd) Help() string {
	return "It exits 0 whatever became of the job; `stroem status JOB --json` is made for scripts.\n\n" +
		shown("stroem status 01936f2a-7c41", "stroem status 01936f2a-7c41 --json | jq -r .status")
}

func (c *statusCmd) Run(e *env) error {
	server, id, err := e.ofJob(c.Job)
	if err != nil {
		return err
	}
	var failed error
	err = show(e, server, api("jobs", id), nil, func(job control.Job) { failed = c.draw(e, server, &view{job: job}) })
	if err == nil {
		err = failed
	}
	return err
}

// draw shows the job as it stands, with the last lines of steps that failed.
func (c *statusCmd) draw(e *env, server *client, v *view) error {
	for i := range v.job.Steps {
		if s := &v.job.Steps[i]; s.Status == store.Failed {
			last := url.Values{"tail": {strconv.Itoa(keepLines)}}
			err := server.log(e.ctx, v.job.ID, s.Name, last, func(l *logDoc) error {
				v.add(control.Event{Line: l.line(0)})
				return nil
			})
			if err != nil {
				return err
			}
		}
	}
	f := frame{width: usualWidth + 40, height: 24, now: time.Now(), last: true}
	if t := e.terminal(); t != nil {
		f.width, f.height, f.paint = t.width, t.height, t.paint
	}
	for _, line := range picture(v, f) {
		e.println(line)
	}
	about := "job " + v.job.ID + ", created " + v.job.CreatedAt.Local().Format(time.DateTime)
	if n := v.job.Artifacts; n > 0 {
		about += ", " + count(n, "artifact")
	}
	e.println("\n" + about)
	return nil
}

// showJob prints a job in JSON, as REST gives it.
func (e *env) showJob(server *client, id string) error {
	var doc json.RawMessage
	// The context may have ended with what it ran.
	if err := server.get(context.WithoutCancel(e.ctx), api("jobs", id), nil, &doc); err != nil {
		return err
	}
	return e.printJSON(doc)
}
