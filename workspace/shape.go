package workspace

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Shape writes the fields as Strøm shows them to callers: an object from each
// field's name to its definition, in the fields' order, false and absent
// members left out.
func (f Fields) Shape() (json.RawMessage, error) {
	type definition struct {
		Type        string   `json:"type"`
		Name        string   `json:"name,omitempty"`
		Description string   `json:"description,omitempty"`
		Required    bool     `json:"required,omitempty"`
		Secret      bool     `json:"secret,omitempty"`
		Default     any      `json:"default,omitempty"`
		Options     []string `json:"options,omitempty"`
		AllowCustom bool     `json:"allow_custom,omitempty"`
		Multiple    bool     `json:"multiple,omitempty"`
		Order       int      `json:"order,omitempty"`
	}
	shape := make(Ordered[definition], len(f))
	for i, d := range f {
		def := definition{d.Type, d.Title, d.Description, d.Required, d.Secret, d.Default,
			d.Options, d.AllowCustom, d.Multiple, d.Order}
		if d.Secret && d.Default != nil { // it stays where it is, so nobody needs to give the field
			def.Default, def.Required = nil, false
		}
		shape[i] = Member[definition]{d.Name, def}
	}
	return json.Marshal(shape)
}

// Ordered is a JSON object whose members keep their order.
type Ordered[T any] []Member[T]

// Member is one member of an object.
type Member[T any] struct {
	Name  string
	Value T
}

// MarshalJSON implements json.Marshaler.
func (o Ordered[T]) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(m.Name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(m.Value)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (o *Ordered[T]) UnmarshalJSON(doc []byte) error {
	d := json.NewDecoder(bytes.NewReader(doc))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return fmt.Errorf("an object was expected, not %v", t)
	}
	*o = nil
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		m := Member[T]{Name: fmt.Sprint(name)}
		if err := d.Decode(&m.Value); err != nil {
			return err
		}
		*o = append(*o, m)
	}
	return nil
}
