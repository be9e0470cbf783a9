package runner

import (
	"context"

	"stroem/store"
	"stroem/workspace"
)

// Firing is what a trigger does at one moment.
type Firing struct {
	Request            // its SourceID names the trigger
	Times       int    // jobs to start, one after the other
	Concurrency string // what becomes of a job while another of the trigger has not ended
	// Settle commits with the jobs, so that a crash neither loses the firing
	// nor repeats it. It may be called more than once.
	Settle func(tx *store.Tx, started int) error
}

// Fire starts the jobs of a trigger and settles the firing. Errors: those of
// Submit, and then nothing is settled.
func (r *Runner) Fire(ctx context.Context, f Firing) error {
	drafts := make([]*draft, f.Times)
	for i := range drafts {
		var err error
		if drafts[i], err = r.draft(f.Request); err != nil {
			return err
		}
	}
	var cancelled []store.Job
	err := r.Store.Update(ctx, func(tx *store.Tx) error {
		started := 0
		cancelled = nil
		for _, d := range drafts {
			others, err := r.others(tx, &f)
			switch {
			case err != nil:
				return err
			case len(others) > 0 && f.Concurrency == workspace.SkipOthers:
				if err := d.skip(tx); err != nil {
					return err
				}
				continue
			case len(others) > 0:
				cancelled = append(cancelled, others...)
			}
			if err := d.insert(tx); err != nil {
				return err
			}
			started++
		}
		return f.Settle(tx, started)
	})
	if err != nil {
		return err
	}
	for i := range cancelled {
		r.endAttempts(cancelled[i].ID)
	}
	return nil
}

// others are the jobs of the trigger that have not ended and that its rule asks
// about; they are cancelled if the rule says so.
func (r *Runner) others(tx *store.Tx, f *Firing) ([]store.Job, error) {
	if f.Concurrency != workspace.SkipOthers && f.Concurrency != workspace.CancelPrevious {
		return nil, nil
	}
	jobs, err := tx.ActiveJobs(f.SourceID)
	if err != nil || f.Concurrency == workspace.SkipOthers {
		return jobs, err
	}
	for i := range jobs {
		jobs[i].Error = "its trigger fired again"
		if err := cancelJob(tx, &jobs[i], r.Now()); err != nil {
			return nil, err
		}
	}
	return jobs, nil
}
