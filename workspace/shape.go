package workspace

import (
	"bytes"
	"encoding/json"
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
	var b bytes.Buffer
	b.WriteByte('{')
	for i, d := range f {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(d.Name)
		if err != nil {
			return nil, err
		}
		doc, err := json.Marshal(definition{d.Type, d.Title, d.Description, d.Required, d.Secret, d.Default, d.Options,
			d.AllowCustom, d.Multiple, d.Order})
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(doc)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}
