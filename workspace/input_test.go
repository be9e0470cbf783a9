package workspace_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"stroem/workspace"
)

var fields = workspace.Fields{
	{Name: "name", Type: "string", Required: true},
	{Name: "notes", Type: "text"},
	{Name: "count", Type: "integer", Default: int64(1)},
	{Name: "ratio", Type: "number"},
	{Name: "force", Type: "boolean"},
	{Name: "day", Type: "date"},
	{Name: "at", Type: "datetime"},
	{Name: "env", Type: "string", Options: []string{"staging", "production"}},
	{Name: "tag", Type: "string", Options: []string{"a"}, AllowCustom: true},
	{Name: "zones", Type: "string", Options: []string{"a", "b"}, Multiple: true},
}

func TestCheck(t *testing.T) {
	t.Parallel()
	rest := map[string]any{"name": "x", "notes": nil, "count": int64(1), "ratio": nil, "force": nil, "day": nil,
		"at": nil, "env": nil, "tag": nil, "zones": nil}
	for _, c := range []struct {
		name, input string
		want        map[string]any // what differs from rest
		fault       string
	}{
		{"defaults and nulls fill the rest", `{"name":"x","count":null}`, map[string]any{}, ""},
		{"tabs are no line breaks", `{"name":"a\tb"}`, map[string]any{"name": "a\tb"}, ""},
		{"text has lines", `{"name":"x","notes":"a\nb\u0007"}`, map[string]any{"notes": "a\nb\a"}, ""},
		{"integers are exact", `{"name":"x","count":9007199254740993}`, map[string]any{"count": int64(9007199254740993)}, ""},
		{"an integer may be a text", `{"name":"x","count":"-5"}`, map[string]any{"count": int64(-5)}, ""},
		{"1.0 and 1e3 are integers", `{"name":"x","count":1e3}`, map[string]any{"count": int64(1000)}, ""},
		{"numbers", `{"name":"x","ratio":0.5}`, map[string]any{"ratio": 0.5}, ""},
		{"whole numbers", `{"name":"x","ratio":"5"}`, map[string]any{"ratio": int64(5)}, ""},
		{"booleans", `{"name":"x","force":"true"}`, map[string]any{"force": true}, ""},
		{"dates", `{"name":"x","day":"2026-02-28","at":"2026-02-28T23:59"}`, map[string]any{"day": "2026-02-28", "at": "2026-02-28T23:59"}, ""},
		{"options", `{"name":"x","env":"staging","tag":"other","zones":["b","a"]}`,
			map[string]any{"env": "staging", "tag": "other", "zones": []any{"b", "a"}}, ""},
		{"an empty list", `{"name":"x","zones":[]}`, map[string]any{"zones": []any{}}, ""},

		{"missing", `{}`, nil, `input "name" is missing`},
		{"a line break", `{"name":"hello world\nrm"}`, nil, `input "name" has a line break at character 12; declare it type: text`},
		{"a carriage return", `{"name":"\r"}`, nil, `input "name" has a line break at character 1; declare it type: text`},
		{"another control character", `{"name":"æø\u001b[0m"}`, nil, `input "name" has a control character (U+001B) at character 3; declare it type: text`},
		{"a C1 control character", `{"name":"\u0085"}`, nil, `input "name" has a control character (U+0085) at character 1; declare it type: text`},
		{"NUL in a text", `{"name":"x","notes":"\u0000"}`, nil, `input "notes" has a NUL at character 1`},
		{"a number for a string", `{"name":5}`, nil, `input "name" must be a string, not the number 5`},
		{"an object for a string", `{"name":{}}`, nil, `input "name" must be a string, not an object`},
		{"a word for an integer", `{"name":"x","count":"five"}`, nil, `input "count" must be an integer, not the text "five"`},
		{"a fraction for an integer", `{"name":"x","count":1.5}`, nil, `input "count" must be an integer, not the number 1.5`},
		{"a fraction as text", `{"name":"x","count":"1.0"}`, nil, `input "count" must be an integer, not the text "1.0"`},
		{"too large", `{"name":"x","count":9223372036854775808}`, nil, `input "count" is too large for an integer`},
		{"too large a number", `{"name":"x","ratio":1e999}`, nil, `input "ratio" is too large for a number`},
		{"hexadecimal", `{"name":"x","ratio":"0x10"}`, nil, `input "ratio" must be a number, not the text "0x10"`},
		{"yes is no boolean", `{"name":"x","force":"yes"}`, nil, `input "force" must be true or false, not the text "yes"`},
		{"no such day", `{"name":"x","day":"2026-02-30"}`, nil, `input "day" must be a date such as 2026-07-31, not the text "2026-02-30"`},
		{"seconds", `{"name":"x","at":"2026-02-28T23:59:00"}`, nil, `input "at" must be a date and time such as 2026-07-31T14:30, not the text "2026-02-28T23:59:00"`},
		{"no option", `{"name":"x","env":"prod"}`, nil, `input "env" must be "staging" or "production", not "prod"`},
		{"no list", `{"name":"x","zones":"a"}`, nil, `input "zones" must be a list of strings, not the text "a"`},
		{"a wrong entry", `{"name":"x","zones":["a","c"]}`, nil, `input "zones" must be "a" or "b", not "c" (entry 2)`},
		{"unknown, with a near name", `{"name":"x","coutn":1}`, nil, `input "coutn" is not known; did you mean "count"?`},
		{"unknown", `{"name":"x","zebra":1}`, nil, `input "zebra" is not known; known are name, notes, count, ratio, force, day, at, env, tag, zones`},
		{"all at once", `{"nmae":"x","count":"a","force":1}`, nil,
			`input "name" is missing. input "count" must be an integer, not the text "a". input "force" must be true or false, not the number 1. input "nmae" is not known; did you mean "name"?`},
	} {
		for _, exact := range []bool{true, false} {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				var raw map[string]any
				d := json.NewDecoder(strings.NewReader(c.input))
				if exact {
					d.UseNumber()
				}
				if err := d.Decode(&raw); err != nil {
					if exact {
						t.Fatal(err)
					}
					t.Skip("no float64 holds it")
				}
				got, err := fields.Check(raw)
				if c.fault != "" {
					var ie *workspace.InputError
					if !errors.As(err, &ie) || err.Error() != c.fault && exact {
						t.Fatalf("error %v\nwant  %s", err, c.fault)
					}
					return
				}
				want := map[string]any{}
				for k, v := range rest {
					want[k] = v
				}
				for k, v := range c.want {
					want[k] = v
				}
				if !exact && c.name == "integers are exact" {
					want["count"] = int64(9007199254740992) // as far as float64 goes
				}
				if err != nil || !reflect.DeepEqual(got, want) {
					t.Fatalf("%v, %v\nwant %v", got, err, want)
				}
			})
		}
	}
}

func TestCheckBounds(t *testing.T) {
	t.Parallel()
	big := strings.Repeat("x", 1<<20)
	if _, err := fields.Check(map[string]any{"name": big}); err == nil || !strings.Contains(err.Error(), "larger than 1 MiB") {
		t.Errorf("a large input: %v", err)
	}
	many := map[string]any{}
	for i := range 5000 {
		many[strings.Repeat("k", i%70)+string(rune('a'+i%26))+big[:i]] = i
	}
	if _, err := fields.Check(many); err == nil || len(err.Error()) > 20_000 {
		t.Errorf("many unknown names: %d bytes", len(err.Error()))
	}
	if _, err := fields.Check(map[string]any{"name": "\xff"}); err == nil {
		t.Error("invalid UTF-8 passes")
	}
	if _, err := (workspace.Fields{}).Check(map[string]any{"a": 1}); err == nil || err.Error() != `input "a" is not known; no input is taken here` {
		t.Errorf("no fields: %v", err)
	}
	got, err := fields.Fill(map[string]any{"name": "x", "more": json.Number("1")})
	if err != nil || got["more"] != json.Number("1") || len(got) != len(fields)+1 {
		t.Errorf("Fill: %v, %v", got, err)
	}
}

func TestParseValue(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text string
		want       any
		fault      string
	}{
		{"name", "5", "5", ""},
		{"name", "", "", ""},
		{"count", "5", int64(5), ""},
		{"count", "x", nil, `input "count" must be an integer, not the text "x"`},
		{"ratio", "0.5", 0.5, ""},
		{"force", "false", false, ""},
		{"zones", "a,b", []any{"a", "b"}, ""},
		{"zones", `["b"]`, []any{"b"}, ""},
		{"zones", "", []any{}, ""},
		{"zones", "[", nil, `input "zones" must be a JSON list, or values with commas between them`},
		{"zones", "c", nil, `input "zones" must be "a" or "b", not "c" (entry 1)`},
		{"cuont", "1", nil, `input "cuont" is not known; did you mean "count"?`},
	} {
		got, err := fields.ParseValue(c.name, c.text)
		if c.fault != "" {
			if err == nil || err.Error() != c.fault {
				t.Errorf("%s=%s: %v, want %s", c.name, c.text, err, c.fault)
			}
		} else if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s=%s: %#v, %v, want %#v", c.name, c.text, got, err, c.want)
		}
	}
}

func TestOutputs(t *testing.T) {
	t.Parallel()
	outputs := workspace.Outputs{
		{Name: "id", Type: "string", Required: true, Options: []string{"a", "b"}},
		{Name: "n", Type: "integer"},
		{Name: "r", Type: "number"},
		{Name: "ok", Type: "boolean"},
		{Name: "list", Type: "array"},
		{Name: "map", Type: "object"},
	}
	for _, c := range []struct{ name, output, fault string }{
		{"all right", `{"id":"a","n":1,"r":0.5,"ok":true,"list":[],"map":{},"more":1}`, ""},
		{"the required alone", `{"id":"b","n":null}`, ""},
		{"missing", `{}`, `output "id" is missing`},
		{"null", `null`, `output "id" is missing`},
		{"no object", `[1]`, `the output must be an object, not a list`},
		{"all wrong", `{"id":1,"n":1.5,"r":"1","ok":"true","list":{},"map":[]}`,
			`output "id" must be a string, not the number 1. output "n" must be an integer, not the number 1.5. ` +
				`output "r" must be a number, not the text "1". output "ok" must be true or false, not the text "true". ` +
				`output "list" must be a list, not an object. output "map" must be an object, not a list`},
		{"no option", `{"id":"c"}`, `output "id" must be "a" or "b", not "c"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var v any
			if err := json.Unmarshal([]byte(c.output), &v); err != nil {
				t.Fatal(err)
			}
			got := ""
			if err := outputs.Check(v); err != nil {
				got = err.Error()
			}
			if got != c.fault {
				t.Fatalf("%q\nwant %q", got, c.fault)
			}
		})
	}
	if err := (workspace.Outputs)(nil).Check("anything"); err != nil {
		t.Error(err)
	}
}
