package workspace

import "encoding/json"

// What the values of textual and temporal fields look like. They say what
// check says, in what the regular expressions of all languages have in common.
const (
	onePattern      = `^[^\x00-\x08\x0a-\x1f\x7f-\x9f]*$` // one line, tabs allowed
	textPattern     = `^[^\x00]*$`
	datetimePattern = `^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}$`
)

// fieldSchema is one field in JSON Schema.
type fieldSchema struct {
	Type        string       `json:"type,omitempty"` // any, where it is that of a connection
	Title       string       `json:"title,omitempty"`
	Description string       `json:"description,omitempty"`
	Default     any          `json:"default,omitempty"`
	Enum        []string     `json:"enum,omitempty"`
	Examples    []string     `json:"examples,omitempty"`
	Pattern     string       `json:"pattern,omitempty"`
	Format      string       `json:"format,omitempty"`
	Items       *fieldSchema `json:"items,omitempty"`
	WriteOnly   bool         `json:"writeOnly,omitempty"`
}

// Schema is what Check accepts, as a JSON Schema (2020-12): by it a caller can
// fill in the fields before asking.
func (f Fields) Schema() (json.RawMessage, error) {
	schema := struct {
		Type       string               `json:"type"`
		Properties Ordered[fieldSchema] `json:"properties"`
		Required   []string             `json:"required,omitempty"`
		Additional bool                 `json:"additionalProperties"`
	}{Type: "object", Properties: Ordered[fieldSchema]{}}
	for i := range f {
		schema.Properties = append(schema.Properties, Member[fieldSchema]{f[i].Name, f[i].schema()})
		if f[i].must() {
			schema.Required = append(schema.Required, f[i].Name)
		}
	}
	return json.Marshal(schema)
}

// must reports whether a caller has to give the field.
func (f *Field) must() bool { return f.Required && f.Default == nil }

func (f *Field) schema() fieldSchema {
	s := f.valueSchema()
	if f.Multiple {
		one := s
		s = fieldSchema{Type: "array", Items: &one}
	}
	s.Title, s.Description, s.WriteOnly = f.Title, f.Description, f.Secret
	if !f.Secret {
		s.Default = keepFloats(f.Default)
	}
	return s
}

// valueSchema is the schema of one value of the field.
func (f *Field) valueSchema() (s fieldSchema) {
	switch s.Type = f.Type; f.Type {
	case "string":
		s.Pattern = onePattern
	case "text":
		s.Type, s.Pattern = "string", textPattern
	case "date":
		s.Type, s.Format = "string", "date"
	case "datetime":
		s.Type, s.Pattern = "string", datetimePattern
	case "integer", "number", "boolean":
	default:
		s.Type = ""
	}
	switch {
	case len(f.Options) == 0:
	case f.AllowCustom:
		s.Examples = f.Options
	default:
		s.Enum, s.Pattern = f.Options, ""
	}
	return s
}

// Example is an input with a value for each field that a caller has to give.
func (f Fields) Example() map[string]any {
	input := map[string]any{}
	for i := range f {
		if f[i].must() {
			input[f[i].Name] = f[i].example()
		}
	}
	return input
}

func (f *Field) example() (v any) {
	switch f.Type {
	case "integer", "number":
		v = 1
	case "boolean":
		v = true
	case "date":
		v = "2026-01-31"
	case "datetime":
		v = "2026-01-31T14:30"
	default:
		v = "…"
	}
	if len(f.Options) > 0 {
		v = f.Options[0]
	}
	if f.Multiple {
		v = []any{v}
	}
	return v
}
