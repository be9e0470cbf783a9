package cli

import (
	"fmt"

	"stroem/store"
)

type workspacesCmd struct{}

// Help shows how the command is used.
func (workspacesCmd) Help() string { return shown("stroem workspaces") }

func (workspacesCmd) Run(e *env) error {
	c, err := e.client()
	if err != nil {
		return err
	}
	return show(e, c, api("workspaces"), nil, func(all []store.WorkspaceInfo) {
		if len(all) == 0 {
			e.println("The server has no workspace; add one to its configuration.")
			return
		}
		var rows [][]string
		for _, w := range all {
			rows = append(rows, []string{w.Name, fmt.Sprint(w.Tasks), fmt.Sprint(w.Actions), fmt.Sprint(w.Triggers), w.Revision, w.Error})
		}
		e.table([]column{{head: "WORKSPACE", least: 9}, {head: "TASKS", right: true}, {head: "ACTIONS", right: true},
			{head: "TRIGGERS", right: true}, {head: "REVISION"}, {head: "ERROR", least: 12, paint: paint.red}}, rows)
	})
}
