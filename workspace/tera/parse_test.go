package tera_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"stroem/workspace/tera"
)

func TestParse(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, src string
		refs      string // path@line:column …
	}{
		{"empty", "", ""},
		{"text", "no braces } here }} %} #} { }", ""},
		{"one", "{{ x }}", "x@1:4"},
		{"no space", "{{x}}", "x@1:3"},
		{"dotted", "a {{ input.name }} b", "input.name@1:6"},
		{"index", "{{ build.output.items.0.id }}", "build.output.items.0.id@1:4"},
		{"digits begin a field", "{{ a.0x }}", "a.0x@1:4"},
		{"two", "{{ a }}{{ b.c }}", "a@1:4 b.c@1:11"},
		{"lines", "1\n2 {{\n  x\n}}\n{{ y }}", "x@3:3 y@5:4"},
		{"columns count characters", "é日🙂 {{ x }}", "x@1:8"},
		{"white space control", "a {{- x -}} b", "x@1:7"},
		{"comment", "a{# {{ no }} #}b{{ x }}", "x@1:20"},
		{"comment with control", "a {#- c -#} b {{ x }}", "x@1:18"},
		{"length of a shell variable", "echo ${#x} {{ y }}", "y@1:15"},
		{"tabs and line breaks", "{{\t\r\nx\n}}", "x@2:1"},
		{"keywords inside a path", "{{ a.in.or.true }}", "a.in.or.true@1:4"},
		{"an underscore", "{{ _a1._ }}", "_a1._@1:4"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tmpl := parse(t, tt.src)
			var got []string
			for _, r := range tmpl.Refs() {
				got = append(got, fmt.Sprintf("%s@%d:%d", strings.Join(r.Path, "."), r.Line, r.Column))
			}
			if s := strings.Join(got, " "); s != tt.refs {
				t.Errorf("refs %q, want %q", s, tt.refs)
			}
			if tmpl.Static() != (tt.refs == "") {
				t.Errorf("Static() = %v", tmpl.Static())
			}
		})
	}
}

// unparsed are templates that Parse refuses, and a part of what it says.
var unparsed = []struct {
	src, says   string
	unsupported bool
}{
	{"a {{ x | upper }}", "1:8: filters cannot be used yet: {{ x | upper }}; write a plain {{ dotted.path }} for now", true},
	{"{{ x|default(value='}}') }}", "1:5: filters cannot be used yet", true},
	{"\n {{ f(x=1) }}", "2:6: function and macro calls cannot be used yet: {{ f(x=1) }}", true},
	{"{{ m::f() }}", "1:5: function and macro calls cannot be used yet", true},
	{"{{ a[0] }}", "1:5: square brackets cannot be used yet", true},
	{"{{ a.b['c'] }}", "1:7: square brackets cannot be used yet", true},
	{"{{ a + 1 }}", "1:6: operators (+) cannot be used yet", true},
	{"{{ a - b }}", "1:6: operators (-) cannot be used yet", true},
	{"{{ a -1 }}", "1:6: operators (-) cannot be used yet", true},
	{"{{ a ~ b }}", "1:6: operators (~) cannot be used yet", true},
	{"{{ a == b }}", "1:6: operators (==) cannot be used yet", true},
	{"{{ a != b }}", "1:6: operators (!=) cannot be used yet", true},
	{"{{ a and b }}", "1:6: operators (and) cannot be used yet", true},
	{"{{ a not in b }}", "1:6: operators (not) cannot be used yet", true},
	{"{{ not a }}", "1:4: the operator not cannot be used yet", true},
	{"{{ a is defined }}", "1:6: tests (is) cannot be used yet", true},
	{"{{ 'a' }}", "1:4: literals cannot be used yet: {{ 'a' }}", true},
	{"{{ `a` }}", "1:4: literals cannot be used yet", true},
	{"{{ 1.5 }}", "1:4: literals cannot be used yet", true},
	{"{{ true }}", "1:4: literals cannot be used yet", true},
	{"{{ [1, 2] }}", "1:4: literals cannot be used yet", true},
	{"{{ (a) }}", "1:4: parentheses cannot be used yet", true},
	{"{{ -1 }}", "1:4: operators cannot be used yet", true},
	{"{{-1 }}", "1:4: literals cannot be used yet", true},
	{"é{% if a %}b{% endif %}", "1:2: tags ({% if %}) cannot be used yet: {% if a %}", true},
	{"{%- for a in b -%}", "1:1: tags ({% for %}) cannot be used yet", true},
	{"{% raw %}{{ x }}{% endraw %}", "1:1: tags ({% raw %}) cannot be used yet", true},
	{"{{ input.my-name }}", "names with a hyphen", true},

	{"{{ my-step.output }}", "1:4: a name in a template has no hyphens; a step name's hyphens are written as underscores: my_step.output", false},
	{"{{ a-b-c.output.x }}", "a step name's hyphens are written as underscores: a_b_c.output.x", false},
	{"{{ my-step }}", "a step name's hyphens are written as underscores: my_step", false},
	{"{{ }}", "1:1: there is nothing between the braces; name a variable: {{ dotted.path }}", false},
	{"{{", "1:1: there is nothing between the braces", false},
	{"a\n{{ x", "2:1: an expression begins here and has no end; close it with }}", false},
	{"{{ x }", "1:6: “}” cannot stand after a variable; close it with }}", false},
	{"{{ x %}", "1:1: an expression begins here and has no end", false},
	{"{{ x y }}", "1:6: “y” cannot stand after a variable", false},
	{"{{ x. }}", "1:5: a name is missing after the dot", false},
	{"{{ x..y }}", "1:5: a name is missing after the dot", false},
	{"{{ .x }}", "1:4: an expression cannot begin with “.”", false},
	{"{{.Names}}", "1:3: an expression cannot begin with “.”", false},
	{"{{ x . y }}", "1:6: “.” cannot stand after a variable", false},
	{"{{{ x }}}", "1:3: there is a brace too many", false},
	{"{{ ? }}", "1:4: an expression cannot begin with “?”", false},
	{"{{ é }}", "1:4: an expression cannot begin with “é”", false},
	{"{{ \xff }}", "1:4: an expression cannot begin with a byte that is no character", false},
	{"{{ 'a }}", "1:4: an expression cannot begin with “'”", false},
	{"{{ and }}", "1:4: an expression cannot begin with “and”", false},
	{"{# x", "1:1: a comment begins here and has no end; close it with #}", false},
	{"{% if", "1:1: a tag begins here and has no end; close it with %}", false},
	{"{% %}", "a tag has no name", false},
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range unparsed {
		t.Run(tt.src, func(t *testing.T) {
			t.Parallel()
			_, err := tera.Parse(tt.src)
			var e *tera.Error
			if !errors.As(err, &e) {
				t.Fatalf("parsed, or no *Error: %v", err)
			}
			if !strings.Contains(e.Error(), tt.says) {
				t.Errorf("says %q, not %q", e, tt.says)
			}
			if e.Unsupported != tt.unsupported {
				t.Errorf("Unsupported = %v", e.Unsupported)
			}
			if e.Unsupported && e.Expr == "" {
				t.Error("the expression is not named")
			}
		})
	}
}
