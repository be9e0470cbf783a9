package control

import (
	"context"
	"errors"
	"maps"
	"time"

	"stroem/runner"
	"stroem/store"
	"stroem/workspace"
)

// NextRuns is how many of the next times of a trigger are shown.
const NextRuns = 5

// Trigger is a trigger with what it does next, and did last.
type Trigger struct {
	workspace.Trigger
	NextRuns []time.Time    // in its time zone; none where nothing fires it
	Outages  []store.Outage // what was decided about what it missed, the newest first
}

// Triggers lists by name the triggers of a workspace whose tasks the caller
// may see, with a task only those that start it.
func (p *Plane) Triggers(ctx context.Context, ws, task string) ([]Trigger, error) {
	list := []Trigger{}
	err := p.Store.View(ctx, func(tx *store.Tx) error {
		if err := p.knownWorkspace(ctx, tx, ws); err != nil {
			return err
		}
		all, err := tx.Triggers(ws)
		if err != nil {
			return err
		}
		rows, err := tx.Schedules()
		if err != nil {
			return err
		}
		by, err := folders(tx, ws)
		if err != nil {
			return err
		}
		for _, t := range visible(all, ws, by, p.scope(ctx)) {
			if task != "" && t.Task != task {
				continue
			}
			trigger := Trigger{Trigger: t}
			if trigger.Outages, err = tx.Outages(ws, t.Name); err != nil {
				return err
			}
			if trigger.Input, err = shownInput(tx, ws, &t); err != nil {
				return err
			}
			if times, err := t.Schedule(); err == nil && times != nil {
				trigger.NextRuns = times.Upcoming(settledUntil(rows, ws, &t, p.Now()), NextRuns)
			}
			list = append(list, trigger)
		}
		return nil
	})
	return list, err
}

// shownInput is what a trigger gives its task, as callers see it: without the
// values of secret fields.
func shownInput(tx *store.Tx, ws string, t *workspace.Trigger) (map[string]any, error) {
	if len(t.Input) == 0 {
		return t.Input, nil
	}
	task, err := tx.Task(ws, t.Task)
	switch {
	case errors.Is(err, store.ErrNotFound): // what is secret is not known
		return nil, nil
	case err != nil:
		return nil, err
	}
	shown := maps.Clone(t.Input)
	for _, f := range task.Input {
		if f.Secret && shown[f.Name] != nil {
			shown[f.Name] = runner.Mask
		}
	}
	return shown, nil
}

// settledUntil is the moment after which the trigger fires: now, unless the
// clock was set back behind what has fired.
func settledUntil(rows []store.Schedule, ws string, t *workspace.Trigger, now time.Time) time.Time {
	for _, row := range rows {
		if row.Workspace == ws && row.Name == t.Name && row.Spec == specOf(t) && row.Next.After(now) {
			return row.Next.Add(-time.Second)
		}
	}
	return now
}

// specOf is what the next time of a trigger is computed from.
func specOf(t *workspace.Trigger) string { return t.Cron + "\n" + t.Timezone }
