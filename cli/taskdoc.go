package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"stroem/workspace"
)

// taskDoc is a task with its definition, as REST shows it.
type taskDoc struct {
	ID          string              `json:"id"`
	Name        string              `json:"name,omitempty"`
	Description string              `json:"description,omitempty"`
	Mode        string              `json:"mode"`
	Folder      string              `json:"folder,omitempty"`
	Input       json.RawMessage     `json:"input"`
	Flow        ordered[flowDoc]    `json:"flow"`
	Triggers    []workspace.Trigger `json:"triggers"`
	CanExecute  bool                `json:"can_execute"`
	Error       string              `json:"error,omitempty"`
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
		Triggers: []workspace.Trigger{}, CanExecute: true, Error: t.Refusal()}
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
		d.Flow = append(d.Flow, entry[flowDoc]{s.Name, f})
	}
	return d, nil
}

// fields are the task's inputs as they are declared.
func (d *taskDoc) fields() (workspace.Fields, error) {
	var shape ordered[workspace.Field]
	if err := json.Unmarshal(d.Input, &shape); err != nil {
		return nil, fmt.Errorf("read the inputs of task %q: %w", d.ID, err)
	}
	var fields workspace.Fields
	for _, m := range shape {
		f := m.value
		f.Name, f.Title = m.name, f.Name // "name" is what people read
		fields = append(fields, f)
	}
	return fields, nil
}

// steps is the flow with no step before one that it depends on.
func (d *taskDoc) steps() ordered[flowDoc] {
	left, done := slices.Clone(d.Flow), []string{}
	var list ordered[flowDoc]
	for len(left) > 0 {
		next := slices.IndexFunc(left, func(m entry[flowDoc]) bool {
			return !slices.ContainsFunc(m.value.DependsOn, func(dep string) bool { return !slices.Contains(done, dep) })
		})
		next = max(0, next) // a flow with a circle is shown as it is
		list, done = append(list, left[next]), append(done, left[next].name)
		left = slices.Delete(left, next, next+1)
	}
	return list
}

// ordered is a JSON object whose members keep their order.
type ordered[T any] []entry[T]

type entry[T any] struct {
	name  string
	value T
}

// MarshalJSON implements json.Marshaler.
func (o ordered[T]) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		name, err := json.Marshal(m.name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(m.value)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (o *ordered[T]) UnmarshalJSON(doc []byte) error {
	d := json.NewDecoder(bytes.NewReader(doc))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return fmt.Errorf("an object was expected, not %v", t)
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		m := entry[T]{name: fmt.Sprint(name)}
		if err := d.Decode(&m.value); err != nil {
			return err
		}
		*o = append(*o, m)
	}
	return nil
}
