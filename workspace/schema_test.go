package workspace_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"stroem/workspace"
)

var everyField = workspace.Fields{
	{Name: "line", Type: "string", Required: true},
	{Name: "page", Type: "text", Required: true},
	{Name: "count", Type: "integer", Required: true},
	{Name: "ratio", Type: "number", Default: 1.5},
	{Name: "sure", Type: "boolean", Required: true},
	{Name: "day", Type: "date", Required: true},
	{Name: "moment", Type: "datetime", Required: true},
	{Name: "env", Type: "string", Required: true, Options: []string{"dev", "prod"}},
	{Name: "size", Type: "string", Options: []string{"s", "m"}, AllowCustom: true},
	{Name: "tags", Type: "string", Required: true, Options: []string{"a", "b"}, Multiple: true},
	{Name: "token", Type: "string", Secret: true, Default: "hidden"},
}

func compiled(t *testing.T, f workspace.Fields) *jsonschema.Schema {
	t.Helper()
	doc, err := f.Schema()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(doc), "hidden") {
		t.Errorf("the default of a secret field shows: %s", doc)
	}
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(string(doc)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("mem:///input", v); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("mem:///input")
	if err != nil {
		t.Fatalf("%v\n%s", err, doc)
	}
	return s
}

// What the schema accepts, Check accepts, and the other way round.
func TestSchemaSaysWhatCheckSays(t *testing.T) {
	t.Parallel()
	schema := compiled(t, everyField)
	with := func(name string, v any) map[string]any {
		in := everyField.Example()
		in[name] = v
		return in
	}
	for _, c := range []struct {
		what string
		in   map[string]any
		ok   bool
	}{
		{"the example", everyField.Example(), true},
		{"a tab", with("line", "a\tb"), true},
		{"a line break", with("line", "a\nb"), false},
		{"an escape", with("line", "a\x1bb"), false},
		{"a C1 control", with("line", "a\u0085b"), false},
		{"lines in a text", with("page", "a\nb\x1b"), true},
		{"a NUL in a text", with("page", "a\x00"), false},
		{"a fraction", with("count", json.Number("1.5")), false},
		{"a whole number with a point", with("count", json.Number("2.0")), true},
		{"no boolean", with("sure", json.Number("1")), false},
		{"no such day", with("day", "2026-02-30"), false},
		{"no option", with("env", "test"), false},
		{"a size of one's own", with("size", "xxl"), true},
		{"one tag for a list", with("tags", "a"), false},
		{"tags", with("tags", []any{"a", "b"}), true},
		{"a wrong tag", with("tags", []any{"c"}), false},
		{"a secret", with("token", "x"), true},
		{"an unknown field", with("other", "x"), false},
		{"nothing", map[string]any{}, false},
	} {
		doc, err := json.Marshal(c.in)
		if err != nil {
			t.Fatal(err)
		}
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(string(doc)))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(v); (err == nil) != c.ok {
			t.Errorf("%s: the schema says %v", c.what, err)
		}
		if _, err := everyField.Check(c.in); (err == nil) != c.ok {
			t.Errorf("%s: Check says %v", c.what, err)
		}
	}
}
