package cli

import (
	"encoding/json"
	"fmt"
	"strings"

	"stroem/workspace"
)

type inspectCmd struct {
	Task      string `arg:"" help:"Task to show."`
	Workspace string `short:"w" placeholder:"NAME" help:"Workspace of the task (default, or the only one)."`
	Path      string `placeholder:"DIR" type:"path" help:"Look into this folder, without a server."`
}

// Help shows how the command is used.
func (inspectCmd) Help() string {
	return shown("stroem inspect hello", "stroem inspect deploy-api -w production", "stroem inspect hello --path ~/ops --json")
}

func (c *inspectCmd) Run(e *env) error {
	if c.Path != "" {
		return c.local(e)
	}
	server, err := e.client()
	if err != nil {
		return err
	}
	ws, err := server.workspace(e.ctx, c.Workspace)
	if err != nil {
		return err
	}
	return show(e, server, api("workspaces", ws, "tasks", c.Task), nil, func(d taskDoc) {
		e.inspect(&d, "workspace "+ws, "stroem trigger "+quote(d.ID)+" -w "+quote(ws))
	})
}

func (c *inspectCmd) local(e *env) error {
	in := &inFolder{Path: c.Path}
	ws, task, err := in.task(e, c.Task)
	if err != nil {
		return err
	}
	d, err := docOfTask(task, triggersOf(ws.Triggers, task.Name))
	switch {
	case err != nil:
		return err
	case e.json:
		return e.printJSON(d)
	}
	e.inspect(d, task.File, "stroem run "+quote(d.ID)+in.where())
	return nil
}

// inspect shows a task to a person.
func (e *env) inspect(d *taskDoc, where, run string) {
	p := paint(false)
	if t := e.terminal(); t != nil {
		p = t.paint
	}
	title := p.bold(clean(d.ID))
	if d.Name != "" {
		title += " · " + clean(d.Name)
	}
	e.println(title + p.faint("  "+clean(where)))
	if d.Description != "" {
		e.println(strings.TrimSpace(plainText(d.Description)))
	}
	fields, err := d.fields()
	if err != nil {
		e.println(err.Error())
	}
	if len(fields) > 0 {
		e.println("\n" + p.bold("Input"))
		e.inspectInput(fields)
	}
	e.println("\n" + p.bold("Steps"))
	var rows [][]string
	for _, s := range d.Flow {
		after := ""
		if len(s.Value.DependsOn) > 0 {
			after = "after " + strings.Join(s.Value.DependsOn, ", ")
		}
		action := s.Value.Action
		if strings.HasPrefix(action, "_inline:") {
			action = "inline"
		}
		rows = append(rows, []string{s.Name, action, after, s.Value.Description})
	}
	e.table([]column{{head: "STEP", least: 12}, {head: "ACTION", least: 8}, {head: "ORDER", least: 12}, {head: "DESCRIPTION", least: 12}}, rows)
	if len(d.Triggers) > 0 {
		e.println("\n" + p.bold("Triggers"))
		for i := range d.Triggers {
			t := &d.Triggers[i]
			e.println(clean(strings.TrimRight(t.Name+"  "+t.Type+"  "+occasion(t), " ")))
		}
	}
	if d.Approval.Agents {
		e.println("\nA job that an agent begins waits for a person before its first step.")
	}
	if d.Error != "" {
		e.println("\n" + p.red(clean(d.Error)))
		return
	}
	e.println("\nStart it: " + clean(run) + clean(example(fields)))
}

func (e *env) inspectInput(fields workspace.Fields) {
	var rows [][]string
	for _, f := range fields {
		kind := f.Type
		if f.Multiple {
			kind = "several"
		}
		if len(f.Options) > 0 {
			kind += ": " + strings.Join(f.Options, "|")
		}
		given := ""
		switch {
		case f.Default != nil:
			doc, err := json.Marshal(f.Default)
			if err != nil {
				doc = []byte(fmt.Sprint(f.Default))
			}
			given = string(doc)
		case f.Required:
			given = "required"
		}
		rows = append(rows, []string{f.Name, kind, given, f.Description})
	}
	e.table([]column{{head: "NAME", least: 12}, {head: "TYPE", least: 12}, {head: "DEFAULT", least: 10}, {head: "DESCRIPTION", least: 12}}, rows)
}
