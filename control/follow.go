package control

import (
	"context"

	"stroem/store"
)

// followLines is how many log lines are read at once.
const followLines = 500

// Event is something new about a job: a line of its log, or how the job and
// its steps stand now. One of the two is set.
type Event struct {
	Line *store.LogLine // numbered through the job
	Job  *Job
}

// Follow calls emit with the lines of the job's log from number from on, and
// with the job itself at first and whenever it or one of its steps changed
// state. It returns nil once the job and its steps have ended and everything
// was told; else ctx's error or emit's. A slow emit misses nothing and holds
// nobody up: what is new is read when it is ready for more.
func (p *Plane) Follow(ctx context.Context, id string, from int64, emit func(Event) error) error {
	first, err := p.Job(ctx, id)
	if err != nil {
		return err
	}
	wake, stop := p.Store.Watch(store.TopicJob(first.Seq))
	defer stop()
	told := ""
	for {
		job, lines, err := p.news(ctx, id, from)
		if err != nil {
			return err
		}
		for i := range lines {
			if err := emit(Event{Line: &lines[i]}); err != nil {
				return err
			}
			from = lines[i].N + 1
		}
		if len(lines) == followLines {
			continue
		}
		if now := standing(&job); now != told {
			if err := emit(Event{Job: &job}); err != nil {
				return err
			}
			told = now
		}
		if settled(&job) {
			return nil
		}
		select {
		case <-wake:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// news is the job and the next lines of its log, of one moment.
func (p *Plane) news(ctx context.Context, id string, from int64) (job Job, lines []store.LogLine, err error) {
	err = p.Store.View(ctx, func(tx *store.Tx) error {
		if job, err = p.wholeJob(ctx, tx, id); err != nil {
			return err
		}
		lines, err = tx.LogLines(job.Seq, store.AllSteps, from, followLines)
		return err
	})
	return job, lines, err
}

// standing spells out the states of the job and its steps, to be compared.
func standing(job *Job) string {
	s := string(job.Status)
	for i := range job.Steps {
		s += " " + string(job.Steps[i].Status)
	}
	return s
}

// settled reports whether nothing more will come: a cancelled job's last step
// may still be on its way down.
func settled(job *Job) bool {
	for i := range job.Steps {
		if !job.Steps[i].Status.Ended() {
			return false
		}
	}
	return job.Status.Ended()
}
