package cli

import (
	"stroem/workspace"
)

type triggersCmd struct {
	inFolder
}

// Help shows how the command is used.
func (triggersCmd) Help() string {
	return "Triggers are read and checked; they do not fire yet.\n\n" + shown("stroem triggers", "stroem triggers --path ~/ops")
}

func (c *triggersCmd) Run(e *env) error {
	ws, err := c.load(e)
	switch {
	case err != nil:
		return err
	case e.json:
		return e.printJSON(append([]*workspace.Trigger{}, ws.Triggers...))
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
	return nil
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
