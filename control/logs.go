package control

import (
	"context"
	"fmt"
	"regexp"

	"stroem/store"
)

// logPage is how many lines a page of a log has where its query does not say.
const logPage = 500

// LogQuery chooses lines of a job's log. Its zero value chooses all.
type LogQuery struct {
	Step     string // only of this step; lines are numbered through it then, else through the job
	Stream   string // only of this stream: stdout or stderr
	From, To int64  // only with numbers from From up to but not To; To 0: up to the end
	Grep     string // only those in which this regular expression (RE2) matches
	Tail     int64  // only the last so many of all these; 0: all
	Limit    int    // lines in a page; 0: some hundreds
}

// LogPage is a part of a log, of bounded size.
type LogPage struct {
	Lines []store.LogLine // the first of the chosen ones
	Next  int64           // the From that goes on after them, -1 if there is no more now
	Total int64           // lines that the log has had, kept or not
	Cut   []store.StepRun // the steps of whose log the middle was left out
}

// Logs reads a page of a job's log. The next one is that of the same query with
// From as the page says, and without Tail. For what is before the tail, To is
// the number of the page's first line.
func (p *Plane) Logs(ctx context.Context, id string, q LogQuery) (page LogPage, err error) {
	chosen, err := q.stored()
	if err != nil {
		return page, err
	}
	err = p.Store.View(ctx, func(tx *store.Tx) error { return p.choose(ctx, tx, id, q.Step, &chosen, &page) })
	if err != nil {
		return page, err
	}
	if q.Tail > 0 {
		if chosen.From, err = p.tail(ctx, chosen, q.Tail); err != nil {
			return page, err
		}
	}
	for len(page.Lines) == 0 && chosen.From >= 0 {
		// In several looks at the store: none lasts long enough to keep it from
		// being tidied.
		err := p.Store.View(ctx, func(tx *store.Tx) error {
			page.Lines, chosen.From, err = tx.ReadLog(&chosen)
			return err
		})
		if err != nil {
			return page, err
		}
	}
	page.Next = chosen.From
	return page, nil
}

// stored is the query as the store understands it, but for the job and the step.
func (q *LogQuery) stored() (chosen store.LogQuery, err error) {
	chosen = store.LogQuery{Step: store.AllSteps, Stream: store.BothStreams, From: q.From, To: q.To, Limit: q.Limit}
	switch q.Stream {
	case "":
	case "stdout":
		chosen.Stream = store.Stdout
	case "stderr":
		chosen.Stream = store.Stderr
	default:
		return chosen, &Error{Code: Invalid, Msg: fmt.Sprintf("no stream %q; there are stdout and stderr", q.Stream)}
	}
	if q.From < 0 || q.To < 0 || q.Tail < 0 || q.Limit < 0 {
		return chosen, &Error{Code: Invalid, Msg: "the lines of a log are counted from 0: from, to, tail and limit cannot be negative"}
	}
	if q.Grep != "" {
		if chosen.Grep, err = regexp.Compile(q.Grep); err != nil {
			return chosen, &Error{Code: Invalid, Msg: fmt.Sprintf("grep: %q is no regular expression of the kind that RE2 reads: %s", q.Grep, err)}
		}
	}
	if q.Limit == 0 {
		chosen.Limit = logPage
	}
	return chosen, nil
}

// choose fills in the job and the step, and what the page says of the whole log.
func (p *Plane) choose(ctx context.Context, tx *store.Tx, id, step string, chosen *store.LogQuery, page *LogPage) error {
	job, err := p.job(ctx, tx, id)
	if err != nil {
		return err
	}
	runs, err := tx.Steps(job.Seq)
	if err != nil {
		return err
	}
	chosen.Job, page.Total = job.Seq, job.LogLines
	if step != "" {
		if chosen.Step, err = place(runs, step, job.ID); err != nil {
			return err
		}
		page.Total = runs[chosen.Step].LogLines
	}
	for _, run := range runs {
		if run.CutBytes > 0 && (chosen.Step == store.AllSteps || chosen.Step == run.Pos) {
			page.Cut = append(page.Cut, run)
		}
	}
	return nil
}

// tail is the number of the first of the last lines that q chooses.
func (p *Plane) tail(ctx context.Context, q store.LogQuery, lines int64) (from int64, err error) {
	for first := q.From; lines > 0; q.To = from {
		err := p.Store.View(ctx, func(tx *store.Tx) (err error) {
			from, lines, err = tx.LogTail(&q, lines)
			return err
		})
		if err != nil || from <= first {
			return first, err
		}
	}
	return from, nil
}

// place finds a step by its name.
func place(runs []store.StepRun, name, job string) (int, error) {
	var known []string
	for _, run := range runs {
		if run.Name == name {
			return run.Pos, nil
		}
		known = append(known, run.Name)
	}
	return 0, missing("step", name, " in job "+job, known)
}
