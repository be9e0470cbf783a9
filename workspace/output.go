package workspace

import (
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v4"
)

// OutputField is one declared field of an action's output.
type OutputField struct {
	Name        string   `json:"name"`
	Type        string   `json:"type"`
	Title       string   `json:"title,omitempty"`
	Description string   `json:"description,omitempty"`
	Required    bool     `json:"required,omitempty"`
	Options     []string `json:"options,omitempty"`
}

// Outputs are the declared fields of an action's output, in YAML order.
type Outputs []OutputField

// Find is the field of that name; nil where there is none.
func (o Outputs) Find(name string) *OutputField {
	for i := range o {
		if o[i].Name == name {
			return &o[i]
		}
	}
	return nil
}

var outputTypes = []string{"string", "integer", "number", "boolean", "array", "object"}

// Check says all that is wrong with an output, as JSON gives it: required
// fields that are missing, and values of another type. Fields that are not
// declared are no fault, and neither is no output where nothing is required.
func (o Outputs) Check(v any) error {
	fields, ok := v.(map[string]any)
	if !ok && v != nil {
		if len(o) == 0 {
			return nil
		}
		return errors.New("the output must be an object, not " + shown(v))
	}
	var faults []string
	for _, f := range o {
		value, given := fields[f.Name]
		switch {
		case !given || value == nil:
			if f.Required {
				faults = append(faults, "output "+quote(f.Name)+" is missing")
			}
		default:
			if what := f.check(value); what != "" {
				faults = append(faults, "output "+quote(f.Name)+" "+what)
			}
		}
		if len(faults) == maxFaults {
			break
		}
	}
	if len(faults) == 0 {
		return nil
	}
	return errors.New(strings.Join(faults, ". "))
}

func (f OutputField) check(v any) string {
	switch f.Type {
	case "string":
		s, ok := v.(string)
		if !ok {
			return "must be a string, not " + shown(v)
		}
		if len(f.Options) > 0 && !contains(f.Options, s) {
			return fmt.Sprintf("must be %s, not %s", (&Field{Options: f.Options}).choice(), quote(s))
		}
	case "boolean":
		if _, ok := v.(bool); !ok {
			return "must be true or false, not " + shown(v)
		}
	case "array":
		if _, ok := v.([]any); !ok {
			return "must be a list, not " + shown(v)
		}
	case "object":
		if _, ok := v.(map[string]any); !ok {
			return "must be an object, not " + shown(v)
		}
	case "integer", "number":
		_, isText := v.(string)
		what := ""
		if f.Type == "integer" {
			_, what = integerOf(v)
		} else {
			_, what = numberOf(v)
		}
		if what == "" && isText {
			what = "must be a number, not " + shown(v)
		}
		return what
	}
	return ""
}

// outputs reads the declared output of an action.
func (r *reader) outputs(p pair) Outputs {
	var out Outputs
	for _, q := range r.pairs(p.node, `"output"`, "a map of fields") {
		n := r.deref(q.node)
		f := OutputField{Name: q.key}
		if n.Kind != yaml.MappingNode {
			r.expected(n, "output "+quote(q.key), "a map with a type", cut("write "+q.key+": {type: string}"))
			continue
		}
		typed := false
		what := "output " + quote(q.key)
		r.fields(r.pairs(n, what, "a map"), what, map[string]func(pair){
			"type": func(t pair) {
				typed = true
				if f.Type = r.word(t); f.Type == "bool" {
					f.Type = "boolean"
				}
				if f.Type != "" && !contains(outputTypes, f.Type) {
					r.out.fail(r.at(t.node), "unknown output type "+quote(f.Type), r.typeHint(f.Type, outputTypes))
				}
			},
			"name":        func(t pair) { f.Title = r.str(t) },
			"description": func(t pair) { f.Description = r.str(t) },
			"required":    func(t pair) { f.Required = r.boolean(t) },
			"default":     func(t pair) {},
			"secret":      func(t pair) { r.boolean(t) },
			"options": func(t pair) {
				for _, o := range r.items(t) {
					f.Options = append(f.Options, o.text)
				}
			},
		})
		if !typed {
			r.out.fail(q.at, what+" has no type", "add type: string, or one of "+strings.Join(outputTypes[1:], ", "))
		}
		out = append(out, f)
	}
	return out
}

// typeHint names the near choice, else all of them.
func (r *reader) typeHint(name string, known []string) string {
	if fix := r.suggest(name, known); fix != "" {
		return fix
	}
	return "write " + either(known...)
}
