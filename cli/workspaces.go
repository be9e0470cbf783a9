package cli

import (
	"fmt"
	"strings"

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
		t := e.terminal()
		var rows [][]string
		for _, w := range all {
			row := []string{w.Name, fmt.Sprint(w.Tasks), fmt.Sprint(w.Actions), fmt.Sprint(w.Triggers), w.Revision, w.Error}
			if t != nil { // a column would cut it where the reason begins
				row[5] = ""
			}
			rows = append(rows, row)
		}
		e.table([]column{{head: "WORKSPACE", least: 9}, {head: "TASKS", right: true}, {head: "ACTIONS", right: true},
			{head: "TRIGGERS", right: true}, {head: "REVISION"}, {head: "ERROR", least: 12, paint: paint.red}}, rows)
		for _, w := range all {
			if t != nil && w.Error != "" {
				e.println("\n" + t.paint.bold(clean(w.Name)) + ": " + t.paint.red(plainText(strings.TrimSpace(w.Error))))
			}
		}
	})
}
