package cli

import (
	"encoding/json"
	"time"

	"stroem/control"
	"stroem/workspace"
)

type triggersCmd struct {
	inFolder
}

// Help shows how the command is used.
func (triggersCmd) Help() string {
	return "Triggers of type scheduler are fired by the server, those of other types by no version yet. The times are " +
		"those of the trigger's zone.\n\n" + shown("stroem triggers", "stroem triggers --path ~/ops")
}

func (c *triggersCmd) Run(e *env) error {
	ws, err := c.load(e)
	switch {
	case err != nil:
		return err
	case e.json:
		docs := []triggerDoc{}
		for _, t := range ws.Triggers {
			docs = append(docs, triggerDoc{t, nextRuns(t)})
		}
		return e.printJSON(docs)
	case len(ws.Triggers) == 0:
		e.println("There are no triggers here.")
		return nil
	}
	var rows [][]string
	for _, t := range ws.Triggers {
		on := "on"
		if !t.Enabled {
			on = "off"
		}
		rows = append(rows, []string{t.Name, t.Type, on, t.Task, occasion(t)})
	}
	e.table([]column{{head: "TRIGGER", least: 12, paint: paint.bold}, {head: "TYPE"}, {head: ""}, {head: "TASK", least: 12},
		{head: "WHEN", least: 12}}, rows)
	for _, t := range ws.Triggers {
		next := nextRuns(t)
		if len(next) == 0 {
			continue
		}
		e.println("\n" + clean(t.Name) + " fires next at")
		for _, at := range next {
			e.println("  " + at.Format("Mon 2006-01-02 15:04:05 -07:00 ") + at.Location().String())
		}
	}
	return nil
}

// nextRuns are the next times at which a server would fire the trigger.
func nextRuns(t *workspace.Trigger) []time.Time {
	times, err := t.Schedule()
	if err != nil || times == nil {
		return []time.Time{}
	}
	return times.Upcoming(time.Now(), control.NextRuns)
}

// triggerDoc is a trigger as REST shows it, with all its fields.
type triggerDoc struct {
	trigger *workspace.Trigger
	next    []time.Time
}

// MarshalJSON adds the next times to what the trigger writes of itself.
func (d triggerDoc) MarshalJSON() ([]byte, error) {
	doc, err := json.Marshal(d.trigger)
	if err != nil {
		return nil, err
	}
	next, err := json.Marshal(d.next)
	if err != nil {
		return nil, err
	}
	doc = append(doc[:len(doc)-1], `,"next_runs":`...)
	return append(append(doc, next...), '}'), nil
}

// occasion says when a trigger would fire.
func occasion(t *workspace.Trigger) string {
	switch {
	case t.Cron != "" && t.Timezone != "":
		return t.Cron + " (" + t.Timezone + ")"
	case t.Hook != "":
		return "/hooks/" + t.Hook
	case t.TargetTask != "":
		return "starts " + t.TargetTask
	}
	return t.Cron
}
