package cli

import (
	"encoding/json"
	"fmt"

	"stroem/workspace"
)

// taskDoc is a task with its definition, as REST shows it.
type taskDoc struct {
	ID          string                     `json:"id"`
	Name        string                     `json:"name,omitempty"`
	Description string                     `json:"description,omitempty"`
	Mode        string                     `json:"mode"`
	Folder      string                     `json:"folder,omitempty"`
	Input       json.RawMessage            `json:"input"`
	Flow        workspace.Ordered[flowDoc] `json:"flow"`
	Triggers    []workspace.Trigger        `json:"triggers"`
	CanExecute  bool                       `json:"can_execute"`
	Approval    workspace.TaskApproval     `json:"approval,omitzero"`
	Error       string                     `json:"error,omitempty"`
}

type flowDoc struct {
	Action            string          `json:"action"`
	Name              string          `json:"name,omitempty"`
	Description       string          `json:"description,omitempty"`
	DependsOn         []string        `json:"depends_on,omitempty"`
	Input             json.RawMessage `json:"input,omitempty"`
	ContinueOnFailure bool            `json:"continue_on_failure,omitempty"`
	When              string          `json:"when,omitempty"`
}

// docOfTask is a task of a folder in that shape.
func docOfTask(t *workspace.Task, triggers []*workspace.Trigger) (*taskDoc, error) {
	d := &taskDoc{ID: t.Name, Name: t.Title, Description: t.Description, Mode: t.Mode, Folder: t.Folder,
		Triggers: []workspace.Trigger{}, CanExecute: true, Approval: t.Approval, Error: t.Refusal()}
	for _, g := range triggers {
		d.Triggers = append(d.Triggers, *g)
	}
	var err error
	if d.Input, err = t.Input.Shape(); err != nil {
		return nil, err
	}
	for i := range t.Flow {
		s := &t.Flow[i]
		f := flowDoc{Action: s.Action.Name, Name: s.Title, Description: s.Description, DependsOn: s.DependsOn,
			ContinueOnFailure: s.ContinueOnFailure, When: s.When}
		if len(s.Input) > 0 {
			if f.Input, err = json.Marshal(s.Input); err != nil {
				return nil, err
			}
		}
		d.Flow = append(d.Flow, workspace.Member[flowDoc]{Name: s.Name, Value: f})
	}
	return d, nil
}

// fields are the task's inputs as they are declared.
func (d *taskDoc) fields() (workspace.Fields, error) {
	fields, err := fieldsOf(d.Input)
	if err != nil {
		return nil, fmt.Errorf("read the inputs of task %q: %w", d.ID, err)
	}
	return fields, nil
}

// fieldsOf reads fields in the shape that callers see.
func fieldsOf(doc json.RawMessage) (fields workspace.Fields, err error) {
	var shape workspace.Ordered[workspace.Field]
	if err := json.Unmarshal(doc, &shape); err != nil {
		return nil, err
	}
	for _, m := range shape {
		f := m.Value
		f.Name, f.Title = m.Name, f.Name // "name" is what people read
		fields = append(fields, f)
	}
	return fields, nil
}
