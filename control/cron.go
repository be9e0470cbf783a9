package control

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"stroem/auth"
	"stroem/runner"
	"stroem/store"
	"stroem/workspace"
)

const (
	// onTime is how late a trigger may fire without having missed anything.
	onTime = time.Minute
	// maxCatchUp bounds what catch_up: all starts at once: the newest.
	maxCatchUp = 1000
	// lookAtClock is how often the wall clock is looked at. A timer alone would
	// stand still while the machine sleeps, and not notice a clock that is set.
	lookAtClock = time.Second
	// wrongClock is how far ahead a clock must have been for what it fired not
	// to count.
	wrongClock = 366 * 24 * time.Hour
)

// triggerKey names a trigger among all workspaces; its text is the SourceID of
// its jobs.
type triggerKey struct{ workspace, name string }

func (k triggerKey) String() string { return k.workspace + "/" + k.name }

// alarm is a trigger that a clock fires.
type alarm struct {
	store.Schedule
	trigger workspace.Trigger
	times   *workspace.Schedule
}

func (a *alarm) key() triggerKey { return triggerKey{a.Workspace, a.Name} }

func (a *alarm) due(now time.Time) bool { return !a.Next.IsZero() && !a.Next.After(now) }

// cron is what the loop of Cron knows. All but told can be read from the store
// again.
type cron struct {
	*Plane
	alarms []*alarm
	stale  bool      // the alarms must be read anew
	seen   time.Time // the clock at the last look
	told   map[triggerKey]string
}

// Cron fires the triggers of type scheduler until ctx ends.
func (p *Plane) Cron(ctx context.Context) error {
	ctx = auth.With(ctx, auth.Server())
	wake, stop := p.Store.Watch(store.TopicTasks)
	defer stop()
	c := &cron{Plane: p, stale: true, told: map[triggerKey]string{}}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-wake:
			c.stale = true
		case <-timer.C:
		}
		pause := lookAtClock
		if err := c.look(ctx); err == nil {
			pause = c.pause()
		} else if ctx.Err() == nil {
			p.Log.Error("fire triggers", "err", err)
		}
		timer.Reset(pause)
	}
}

// pause is how long nothing is due, at most until the next look at the clock.
func (c *cron) pause() time.Duration {
	pause := lookAtClock
	for _, a := range c.alarms {
		if !a.Next.IsZero() {
			pause = min(pause, a.Next.Sub(c.Now().Round(0)))
		}
	}
	return max(pause, time.Millisecond)
}

// look fires what is due. It reads the store only if something is, or may have
// changed.
func (c *cron) look(ctx context.Context) error {
	now := c.Now().Round(0) // the wall clock's, not that of timers
	if now.Before(c.seen) {
		c.stale = true
	}
	c.seen = now
	if err := c.read(ctx); err != nil {
		return err
	}
	if c.refreshDue(ctx) {
		c.stale = true
		if err := c.read(ctx); err != nil {
			return err
		}
	}
	var errs []error
	for _, a := range c.alarms {
		if !a.due(now) {
			continue
		}
		if err := c.fire(ctx, a); err != nil {
			errs = append(errs, fmt.Errorf("trigger %s: %w", a.key(), err))
			c.stale = true
		}
	}
	return errors.Join(errs...)
}

// refreshDue loads the workspaces of which a trigger that is due wants that.
// One that cannot be loaded keeps its tasks.
func (c *cron) refreshDue(ctx context.Context) (any bool) {
	for _, a := range c.alarms {
		if !a.due(c.seen) || !a.trigger.ForceRefresh {
			continue
		}
		if _, err := c.Refresh(ctx, a.Workspace); err != nil && CodeOf(err) != TooSoon {
			c.Log.Warn("load workspace for its trigger", "trigger", a.key().String(), "err", err)
		}
		any = true
	}
	return any
}

// read makes the alarms what the store has, if they may be old: a trigger whose
// times are not those of before begins anew, from now.
func (c *cron) read(ctx context.Context) error {
	if !c.stale {
		return nil
	}
	alarms := []*alarm{}
	known := map[triggerKey]store.Schedule{}
	err := c.Store.View(ctx, func(tx *store.Tx) error {
		rows, err := tx.Schedules()
		if err != nil {
			return err
		}
		for _, row := range rows {
			known[triggerKey{row.Workspace, row.Name}] = row
		}
		all, err := tx.Workspaces()
		if err != nil {
			return err
		}
		for _, w := range all {
			triggers, err := tx.Triggers(w.Name)
			if err != nil {
				return err
			}
			for i := range triggers {
				alarms = append(alarms, &alarm{Schedule: store.Schedule{Workspace: w.Name, Name: triggers[i].Name}, trigger: triggers[i]})
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read triggers: %w", err)
	}
	alarms, begun := c.adopt(alarms, known)
	if len(begun)+len(known) > 0 {
		if err := c.Store.Update(ctx, func(tx *store.Tx) error { return rewrite(tx, begun, known) }); err != nil {
			return fmt.Errorf("write schedules: %w", err)
		}
	}
	c.alarms, c.stale = alarms, false
	return nil
}

// adopt keeps the alarms of triggers that a clock fires. What it takes up from
// known it takes out; begun are the schedules that begin now.
func (c *cron) adopt(all []*alarm, known map[triggerKey]store.Schedule) (alarms []*alarm, begun []store.Schedule) {
	for _, a := range all {
		times, err := a.trigger.Schedule()
		if err != nil {
			c.tell(a.key(), err.Error())
		}
		if times == nil || err != nil {
			continue
		}
		a.times, a.Spec = times, specOf(&a.trigger)
		next := times.Next(c.seen)
		row, ok := known[a.key()]
		switch {
		case ok && row.Spec == a.Spec && !(next.Before(row.Next) && row.Next.Sub(c.seen) > wrongClock):
			a.Next = row.Next
			if times.Next(c.seen.Add(onTime)).Before(row.Next) {
				c.tell(a.key(), "the clock was set back: what fired does not fire again until it is "+row.Next.In(next.Location()).Format(time.RFC3339))
			}
		default:
			a.Next = next
			begun = append(begun, a.Schedule)
		}
		delete(known, a.key())
		alarms = append(alarms, a)
	}
	return alarms, begun
}

func rewrite(tx *store.Tx, begun []store.Schedule, gone map[triggerKey]store.Schedule) error {
	for key := range gone {
		if err := tx.DropSchedule(key.workspace, key.name); err != nil {
			return err
		}
	}
	for _, s := range begun {
		if err := tx.PutSchedule(s); err != nil {
			return err
		}
	}
	return nil
}

// tell says once what keeps a trigger from firing as it should.
func (c *cron) tell(key triggerKey, what string) {
	if c.told[key] != what {
		c.Log.Warn("trigger", "trigger", key.String(), "problem", what)
	}
	c.told[key] = what
}

// fire starts the jobs that a trigger has due by now, and moves it on. What it
// missed by more than a moment is settled by its catch_up, and recorded.
func (c *cron) fire(ctx context.Context, a *alarm) error {
	now := c.seen
	count, newest := a.times.Missed(a.Next, now, maxCatchUp)
	next := a.times.Next(now)
	f := runner.Firing{Times: len(newest), Concurrency: a.trigger.Concurrency}
	var outage *store.Outage
	if now.Sub(a.Next) >= onTime {
		outage = &store.Outage{Workspace: a.Workspace, Name: a.Name, First: a.Next, Last: newest[len(newest)-1], Missed: count,
			CatchUp: cmp.Or(a.trigger.CatchUp, workspace.CatchUpLast), DecidedAt: now}
		switch outage.CatchUp {
		case workspace.CatchUpNone:
			f.Times = 0
		case workspace.CatchUpLast:
			f.Times = 1
		}
	}
	f.Settle = func(tx *store.Tx, started int) error {
		if outage != nil {
			outage.Started = started
			if err := tx.AddOutage(*outage); err != nil {
				return err
			}
		}
		return tx.MoveSchedule(a.Schedule, next)
	}
	if err := c.start(ctx, a, f); err != nil {
		return err
	}
	a.Next = next
	if outage != nil {
		c.Log.Info("settled what a trigger missed", "trigger", a.key().String(), "first", outage.First, "last", outage.Last,
			"missed", count, "catch_up", outage.CatchUp, "started", outage.Started)
	}
	return nil
}

// start fires as the system. What cannot be started is told, and settled too.
func (c *cron) start(ctx context.Context, a *alarm, f runner.Firing) error {
	task, err := c.Task(ctx, a.Workspace, a.trigger.Task)
	if err == nil {
		f.Request = runner.Request{Task: task.StoredTask, Input: a.trigger.Input, SourceType: store.SourceTrigger, SourceID: a.key().String()}
		err = notStarted(a.trigger.Task, c.Runner.Fire(ctx, f))
	}
	if err == nil {
		delete(c.told, a.key())
		return nil
	}
	if CodeOf(err) == Internal {
		return err
	}
	c.tell(a.key(), err.Error())
	return c.Store.Update(ctx, func(tx *store.Tx) error { return f.Settle(tx, 0) })
}
