package cli

import (
	"strings"

	"stroem/workspace"
)

type actionsCmd struct {
	inFolder
}

// Help shows how the command is used.
func (actionsCmd) Help() string { return shown("stroem actions", "stroem actions --path ~/ops") }

func (c *actionsCmd) Run(e *env) error {
	ws, err := c.load(e)
	switch {
	case err != nil:
		return err
	case e.json:
		return e.printJSON(append([]*workspace.Action{}, ws.Actions...))
	case len(ws.Actions) == 0:
		e.println("There are no named actions here.")
		return nil
	}
	var rows [][]string
	for _, a := range ws.Actions {
		rows = append(rows, []string{a.Name, a.Type, strings.Join(a.Input.Names(), ", "), a.Description})
	}
	e.table([]column{{head: "ACTION", least: 12, paint: paint.bold}, {head: "TYPE"}, {head: "INPUT", least: 10},
		{head: "DESCRIPTION", least: 12}}, rows)
	return nil
}
