package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"

	"stroem/control"
)

type logsCmd struct {
	Job    string `arg:"" help:"Job, by its id or how that begins."`
	Follow bool   `short:"f" help:"Go on until the job has ended."`
	Step   string `short:"s" placeholder:"STEP" help:"Only what this step says."`
	Stream string `placeholder:"STREAM" help:"Only this stream: stdout or stderr."`
	Grep   string `short:"g" placeholder:"RE" help:"Only lines in which this regular expression matches (RE2)."`
	Tail   *int   `short:"n" placeholder:"N" help:"Only the last N lines of what there is."`
}

// Help shows how the command is used.
func (logsCmd) Help() string {
	return "With --json each line is an object {ts, stream, step, line}.\n\n" +
		shown("stroem logs 01936f2a-7c41", "stroem logs -f --tail 20 01936f2a-7c41", "stroem logs 01936f2a-7c41 --step build --grep '(?i)error'")
}

func (c *logsCmd) Run(e *env) error {
	if c.Tail != nil && *c.Tail < 0 {
		return usage("--tail: give a number of lines, from 0")
	}
	if c.Stream != "" && c.Stream != "stdout" && c.Stream != "stderr" {
		return usage("--stream: give stdout or stderr")
	}
	grep, err := regexp.Compile(c.Grep)
	if err != nil {
		return usage("--grep: %s", err)
	}
	server, id, err := e.ofJob(c.Job)
	if err != nil {
		return err
	}
	if c.Follow {
		return c.follow(e, server, id, grep)
	}
	query, show := url.Values{"stream": {c.Stream}, "grep": {c.Grep}}, e.printLine
	switch {
	case c.Tail == nil:
	case *c.Tail == 0: // the server is asked all the same whether there is such a job
		query.Set("tail", "1")
		show = func(*logDoc) error { return nil }
	default:
		query.Set("tail", strconv.Itoa(*c.Tail))
	}
	maps.DeleteFunc(query, func(_ string, v []string) bool { return v[0] == "" })
	return server.log(e.ctx, id, c.Step, query, show)
}

// ring keeps the last lines of what is followed.
type ring struct {
	most  int
	lines []logDoc
	first int // the oldest, once there are as many as may be
}

func (r *ring) add(l *logDoc) error {
	switch {
	case len(r.lines) < r.most:
		r.lines = append(r.lines, *l)
	case r.most > 0:
		r.lines[r.first] = *l
		r.first = (r.first + 1) % r.most
	}
	return nil
}

// each calls do with the lines, the oldest first.
func (r *ring) each(do func(*logDoc) error) error {
	for i := range r.lines {
		if err := do(&r.lines[(r.first+i)%len(r.lines)]); err != nil {
			return err
		}
	}
	return nil
}

// follow prints lines as they come. The job itself is told of when all lines
// up to that moment were: until then only the last lines are kept.
func (c *logsCmd) follow(e *env, server *client, id string, grep *regexp.Regexp) error {
	job, err := server.job(e.ctx, id)
	if err != nil {
		return err
	}
	if c.Step != "" && !slices.ContainsFunc(job.Steps, func(s control.Step) bool { return s.Name == c.Step }) {
		return fmt.Errorf("no step %q in job %s; `stroem status %s` shows its steps", c.Step, id, id)
	}
	hold := c.Tail != nil
	held := ring{}
	if hold {
		held.most = *c.Tail
	}
	err = server.follow(e.ctx, id, 0, func(ev control.Event) error {
		switch {
		case ev.Line == nil && hold:
			hold = false
			return held.each(e.printLine)
		case ev.Line != nil:
			l := docOf(ev.Line)
			switch {
			case c.Step != "" && l.Step != c.Step, c.Stream != "" && l.Stream != c.Stream, !grep.MatchString(l.Line):
			case hold:
				return held.add(&l)
			default:
				return e.printLine(&l)
			}
		}
		return nil
	})
	if e.ctx.Err() != nil { // Ctrl-C is how one stops reading
		return nil
	}
	return err
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

// log calls do with each line of the log of a job, or of one of its steps, that
// query chooses. It holds one line at a time: logs may be larger than memory.
func (c *client) log(ctx context.Context, id, step string, query url.Values, do func(*logDoc) error) error {
	path := api("jobs", id, "logs")
	if step != "" {
		path = api("jobs", id, "steps", step, "logs")
	}
	res, err := c.send(ctx, http.MethodGet, path+"?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	text, err := logsOf(res.Body)
	if errors.Is(err, errNotLogs) {
		return c.stranger()
	}
	if err != nil {
		return fmt.Errorf("read the answer of %s: %w", c.base, err)
	}
	for lines := json.NewDecoder(text); ; {
		var l logDoc
		switch err := lines.Decode(&l); {
		case err == io.EOF:
			return nil
		case err != nil:
			return fmt.Errorf("read the log of job %s: %w", id, err)
		}
		if err := do(&l); err != nil {
			return err
		}
	}
}
