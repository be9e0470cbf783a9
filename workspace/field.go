package workspace

import (
	"encoding/json"
	"fmt"
	"math"
	"sort"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Field is one input of a task or an action.
type Field struct {
	Name        string   `json:"name"`
	Type        string   `json:"type"`
	Title       string   `json:"title,omitempty"`
	Description string   `json:"description,omitempty"`
	Required    bool     `json:"required,omitempty"`
	Secret      bool     `json:"secret,omitempty"`
	Default     any      `json:"default,omitempty"` // nil: there is none
	Options     []string `json:"options,omitempty"`
	AllowCustom bool     `json:"allow_custom,omitempty"`
	Multiple    bool     `json:"multiple,omitempty"`
	Order       int      `json:"order,omitempty"`
}

// Fields are the inputs of a task or an action, in the order in which people
// are to see them: by their order, those without one last, then as in the YAML.
type Fields []Field

// Find is the field of that name; nil where there is none.
func (f Fields) Find(name string) *Field {
	for i := range f {
		if f[i].Name == name {
			return &f[i]
		}
	}
	return nil
}

// HasSecret reports whether a value of any of the fields is to be hidden.
func (f Fields) HasSecret() bool {
	for i := range f {
		if f[i].Secret {
			return true
		}
	}
	return false
}

// Names lists the fields' names, in their order.
func (f Fields) Names() []string {
	names := make([]string, len(f))
	for i := range f {
		names[i] = f[i].Name
	}
	return names
}

// MarshalJSON keeps a default what it is.
func (f Field) MarshalJSON() ([]byte, error) {
	type bare Field
	f.Default = keepFloats(f.Default)
	return json.Marshal(bare(f))
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (f *Field) UnmarshalJSON(data []byte) error {
	type bare Field
	if err := decode(data, (*bare)(f)); err != nil {
		return err
	}
	var err error
	f.Default, err = plain(f.Default)
	return err
}

// inputTypes are the types of inputs that need no connection.
var inputTypes = []string{"string", "text", "integer", "number", "boolean", "date", "datetime"}

func isInputType(t string) bool {
	for _, k := range inputTypes {
		if t == k {
			return true
		}
	}
	return false
}

// textual reports whether a type's values are texts with a choice of options.
func textual(t string) bool { return t == "string" || t == "text" }

// fieldDef is a field as it stands in the YAML.
type fieldDef struct {
	Field
	at      Pos
	typeAt  Pos
	ordered bool
	dflt    *yaml.Node
}

// inputs reads the declared inputs of a task or an action. Types that are no
// type of ours are left for linking, which knows the connection types.
func (r *reader) inputs(p pair) (Fields, []typeUse) {
	var defs []*fieldDef
	for _, q := range r.pairs(p.node, `"input"`, "a map of fields") {
		if why := badName(q.key); why != "" {
			r.out.fail(q.at, "the input's name "+why, "choose another name")
			continue
		}
		if d := r.field(q); d != nil {
			defs = append(defs, d)
		}
	}
	r.sameEnv(defs)
	sort.SliceStable(defs, func(i, j int) bool {
		a, b := defs[i], defs[j]
		if a.ordered != b.ordered {
			return a.ordered
		}
		return a.ordered && a.Order < b.Order
	})
	var fields Fields
	var used []typeUse
	for _, d := range defs {
		fields = append(fields, d.Field)
		if !isInputType(d.Type) {
			used = append(used, typeUse{d.Type, d.typeAt, d.Name})
		}
	}
	return fields, used
}

// typeUse is an input whose type must be a connection type.
type typeUse struct {
	name  string
	at    Pos
	field string
}

// sameEnv warns of inputs that a script sees under one name.
func (r *reader) sameEnv(defs []*fieldDef) {
	seen := map[string]string{}
	for _, d := range defs {
		env := EnvName(d.Name)
		if other, ok := seen[env]; ok {
			r.out.warn(d.at, fmt.Sprintf("inputs %s and %s are one variable to a script, %s", quote(other), quote(d.Name), env), "rename one of them")
		}
		seen[env] = d.Name
	}
}

// EnvName is the environment variable by which a script sees the input name.
func EnvName(name string) string {
	return "INPUT_" + strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return r
		}
		return '_'
	}, name)
}

// field reads one declared input.
func (r *reader) field(p pair) *fieldDef {
	d := &fieldDef{Field: Field{Name: p.key}, at: p.at}
	n := r.deref(p.node)
	if n.Kind != yaml.MappingNode || bare(n) {
		fix := "write " + p.key + ": {type: string}"
		if n.Kind == yaml.ScalarNode && isInputType(n.Value) {
			fix = "write " + p.key + ": {type: " + n.Value + "}"
		}
		r.expected(n, "input "+quote(p.key), "a map with a type", cut(fix))
		return nil
	}
	var options pair
	r.fields(r.pairs(n, "input "+quote(p.key), "a map"), "input "+quote(p.key), map[string]func(pair){
		"type":         func(q pair) { d.Type, d.typeAt = r.word(q), r.at(q.node) },
		"name":         func(q pair) { d.Title = r.str(q) },
		"description":  func(q pair) { d.Description = r.str(q) },
		"required":     func(q pair) { d.Required = r.boolean(q) },
		"secret":       func(q pair) { d.Secret = r.boolean(q) },
		"default":      func(q pair) { d.dflt = q.node },
		"options":      func(q pair) { options = q },
		"allow_custom": func(q pair) { d.AllowCustom = r.boolean(q) },
		"multiple":     func(q pair) { d.Multiple = r.boolean(q) },
		"order":        func(q pair) { d.Order, d.ordered = r.integer(q, math.MinInt32, math.MaxInt32), true },
	})
	if d.Type == "bool" {
		d.Type = "boolean"
	}
	if d.Type == "" {
		if d.typeAt.Line == 0 {
			r.out.fail(p.at, fmt.Sprintf("input %s has no type", quote(p.key)), "add type: string, or one of "+strings.Join(inputTypes[1:], ", "))
		}
		return nil
	}
	r.options(d, options)
	r.defaultOf(d)
	return d
}

// options reads the values to choose from, and what depends on them.
func (r *reader) options(d *fieldDef, p pair) {
	if p.node != nil {
		seen := map[string]bool{}
		for _, o := range r.items(p) {
			if seen[o.text] {
				r.out.warn(r.at(o.node), "option "+quote(o.text)+" stands twice", "remove one of the two")
				continue
			}
			seen[o.text] = true
			if what := badText(d.Type, o.text); what != "" {
				r.out.fail(r.at(o.node), "an option "+what, "")
			}
			d.Options = append(d.Options, o.text)
		}
	}
	at, what, fix := d.at, "", ""
	switch {
	case len(d.Options) > 0 && !textual(d.Type) && isInputType(d.Type):
		at, what, fix = p.at, fmt.Sprintf("input %s has options and is no text", quote(d.Name)), "declare it type: string, or remove the options"
	case d.Multiple && len(d.Options) == 0:
		what, fix = fmt.Sprintf("input %s is multiple and has no options", quote(d.Name)), "add options: [ … ]"
	case d.Multiple && d.Secret:
		what, fix = fmt.Sprintf("input %s cannot be multiple and secret", quote(d.Name)), "remove one of the two"
	case d.AllowCustom && len(d.Options) == 0:
		what, fix = fmt.Sprintf("input %s has allow_custom and no options", quote(d.Name)), "add options: [ … ], or remove allow_custom"
	}
	if what != "" {
		r.out.fail(at, what, fix)
	}
}

// defaultOf reads the default, which must pass the field's own check.
func (r *reader) defaultOf(d *fieldDef) {
	if d.dflt == nil {
		return
	}
	n := r.deref(d.dflt)
	at := r.at(n)
	if n.Kind == yaml.ScalarNode && strings.Contains(n.Value, "{{") {
		r.refuse(at, "a template in a default"+notYet)
		d.Default = n.Value
		return
	}
	f, isFloat := number12(n).(float64)
	switch {
	case n.Kind == yaml.ScalarNode && !null(n) && !d.Multiple && !needsNumber(d.Type):
		d.Default = n.Value // as it is written: 1.10 is no 1.1 to a text
	case n.Kind == yaml.ScalarNode && needsNumber(d.Type) && isFloat && !math.IsInf(f, 0) && !math.IsNaN(f):
		d.Default = f
	default:
		d.Default = r.value(n, `"default"`, 0, nil)
	}
	if d.Default == nil || !isInputType(d.Type) {
		return
	}
	v, what := d.Field.check(d.Default)
	if what != "" {
		r.out.fail(at, "the default of input "+quote(d.Name)+" "+what, "")
		return
	}
	d.Default = v
}

func needsNumber(t string) bool { return t == "integer" || t == "number" || t == "boolean" }
