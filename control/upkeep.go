package control

import (
	"context"
	"math"
	"time"

	"stroem/store"
)

const (
	upkeepFirst = 10 * time.Second // after the start, which has other things to do
	upkeepEvery = time.Hour
	upkeepRetry = time.Minute // after an error
	// growthPause is the least time between two looks at what grows.
	growthPause = time.Second
	// maxIdle is how old the last look may be for the clock to be believed. A
	// machine that slept, or whose clock was set wrong, has an hour to find the
	// time before jobs are deleted by their age.
	maxIdle = 25 * time.Hour
	// minShrink is how much must be free in the file to be given back.
	minShrink = 1 << 20
)

// Retention says how long ended jobs are kept. They go with all they own, the
// oldest first.
type Retention struct {
	Age      time.Duration // since their end; 0: for ever
	MaxBytes int64         // live data of the database, and artifacts; 0: without bound
}

// Upkeep deletes what retention does not keep and gives the space back to the
// disk: soon after the start, each hour, and when the data has outgrown its
// bound. It runs until ctx ends.
func (p *Plane) Upkeep(ctx context.Context) error {
	grown, stop := p.Store.Watch(store.TopicGrowth)
	defer stop()
	if p.Retention.MaxBytes == 0 {
		grown = nil
	}
	due := time.NewTimer(upkeepFirst)
	defer due.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-due.C:
			due.Reset(p.upkeep(ctx))
		case <-grown:
			if p.outgrown(ctx) {
				due.Reset(p.upkeep(ctx))
			}
			pause(ctx, growthPause)
		}
	}
}

// upkeep runs once, and says when to run next.
func (p *Plane) upkeep(ctx context.Context) time.Duration {
	if err := p.tidy(ctx); err != nil && ctx.Err() == nil {
		p.Log.Error("upkeep", "err", err)
		return upkeepRetry
	}
	return upkeepEvery
}

// outgrown reports whether more is kept than may be.
func (p *Plane) outgrown(ctx context.Context) bool {
	space, _, err := p.space(ctx)
	return err == nil && space.Live() > p.Retention.MaxBytes
}

func (p *Plane) space(ctx context.Context) (space store.Space, last store.Upkeep, err error) {
	err = p.Store.View(ctx, func(tx *store.Tx) error {
		if space, err = tx.Space(); err == nil {
			last, err = tx.Upkeep()
		}
		return err
	})
	return space, last, err
}

// tidy is one run of the upkeep.
func (p *Plane) tidy(ctx context.Context) error {
	_, u, err := p.space(ctx)
	if err != nil {
		return err
	}
	began := p.Now()
	idle := began.Sub(u.LookedAt)
	u.LookedAt = began
	var gone pruned
	if p.Retention.Age > 0 && idle >= 0 && idle <= maxIdle {
		if err := p.prune(ctx, began.Add(-p.Retention.Age), 0, &gone); err != nil {
			return err
		}
	}
	if most := p.Retention.MaxBytes; most > 0 {
		if err := p.fit(ctx, most, &u, &gone); err != nil {
			return err
		}
	}
	shrunk, err := p.shrink(ctx)
	if err != nil {
		return err
	}
	jobs, bytes := gone.jobs, shrunk+gone.bytes
	if p.Runner != nil {
		if err := p.Runner.Sweep(ctx); err != nil {
			return err
		}
	}
	if jobs > 0 || bytes > 0 {
		u.RanAt, u.Jobs, u.Bytes, u.Took = began, jobs, bytes, max(0, p.Now().Sub(began))
		p.Log.Info("upkeep", "jobs_deleted", jobs, "bytes_given_back", bytes, "took_ms", u.Took.Milliseconds())
	}
	return p.Store.Update(ctx, func(tx *store.Tx) error { return tx.SetUpkeep(u) })
}

// fit deletes the oldest jobs until the data is within its bound, with a tenth
// to spare so that not each new job begins it anew.
func (p *Plane) fit(ctx context.Context, most int64, u *store.Upkeep, gone *pruned) error {
	space, _, err := p.space(ctx)
	wasOver := u.Over
	if u.Over = false; err != nil || space.Live() <= most {
		return err
	}
	if err := p.prune(ctx, time.UnixMilli(math.MaxInt64), most-most/10, gone); err != nil {
		return err
	}
	if space, _, err = p.space(ctx); err == nil && space.Live() > most {
		if u.Over = true; !wasOver {
			p.Log.Warn("more is kept than retention.max_bytes, and no ended job is left to delete",
				"bytes", space.Live(), "max_bytes", most)
		}
	}
	return err
}

// pruned counts what retention deleted.
type pruned struct {
	jobs  int64
	bytes int64 // of their artifacts
}

// prune deletes jobs that ended before the time, in pieces, while more than
// most bytes are live.
func (p *Plane) prune(ctx context.Context, before time.Time, most int64, gone *pruned) error {
	for more := true; more; {
		var now store.Pruned
		err := p.piece(ctx, func(tx *store.Tx) (err error) {
			now, more, err = tx.Prune(before, most)
			return err
		})
		if err == nil {
			err = p.Store.DropArtifacts(now.Files)
		}
		if err != nil {
			return err
		}
		gone.jobs += int64(now.Jobs)
		for i := range now.Files {
			gone.bytes += now.Files[i].Size
		}
	}
	return nil
}

// shrink gives the free space of the file back, in pieces.
func (p *Plane) shrink(ctx context.Context) (bytes int64, err error) {
	space, _, err := p.space(ctx)
	if err != nil || space.Free < minShrink {
		return 0, err
	}
	for n := int64(1); n > 0 && err == nil; {
		err = p.piece(ctx, func(tx *store.Tx) (err error) {
			n, err = tx.Shrink()
			return err
		})
		if err == nil {
			bytes += n
		}
	}
	return bytes, err
}

// piece makes a small change, and leaves the writer to others for as long as
// it took.
func (p *Plane) piece(ctx context.Context, fn func(*store.Tx) error) error {
	began := time.Now()
	err := p.Store.UpdateLog(ctx, fn)
	pause(ctx, time.Since(began))
	return err
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
