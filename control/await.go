package control

import (
	"context"
	"time"

	"stroem/store"
)

// Await is the job as soon as it has ended or waits for a person, or as it
// stands when atMost is over. tell is called with the job at first and
// whenever it or one of its steps has changed its state.
func (p *Plane) Await(ctx context.Context, id string, atMost time.Duration, tell func(*Job)) (Job, error) {
	first, err := p.Job(ctx, id)
	if err != nil || atMost == 0 {
		return first, err
	}
	wake, stop := p.Store.Watch(store.TopicJob(first.Seq))
	defer stop()
	over := time.NewTimer(atMost)
	defer over.Stop()
	told := ""
	for {
		job, err := p.Job(ctx, id)
		if err != nil {
			return job, err
		}
		if now := standing(&job); now != told {
			told = now
			tell(&job)
		}
		if job.Status.Ended() || Waiting(&job) {
			return job, nil
		}
		select {
		case <-wake:
		case <-over.C:
			return job, nil
		case <-ctx.Done():
			return job, ctx.Err()
		}
	}
}

// Waiting reports whether nothing of the job will happen before a person has
// answered.
func Waiting(job *Job) bool {
	suspended := false
	for i := range job.Steps {
		switch job.Steps[i].Status {
		case store.Ready, store.Running:
			return false
		case store.Suspended:
			suspended = true
		}
	}
	return suspended
}
