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
	{"a {{ x | uper }}", "1:10: there is no filter uper; did you mean upper?", false},
	{"{{ x | raw | upper }}", "1:8: raw stands last in an expression; write {{ value | raw }}", false},
	{"{{ (x | raw) }}", "raw stands last", false}, {"{% if x | raw %}{% endif %}", "raw stands last", false}, {"{% set y = x | raw %}", "raw stands last", false}, {"{% filter raw %}a{% endfilter %}", "raw stands last", false}, {"{{ x | raw(a=1) }}", "raw stands last", false},
	{"{% filter upper %}{{ x | raw }}{% endfilter %}", "raw cannot stand in a macro or a filter section", false}, {"{% macro m(a) %}{{ a | raw }}{% endmacro %}", "raw cannot stand in a macro", false},
	{"{{ x | nosuch }}", "see the list of Tera's built-in filters", false},
	{"{{ x | }}", "1:8: the name of a filter is missing here", false},
	{"{{ x | replace(from='a') }}", "1:8: replace needs the argument to; write replace(to=…)", false},
	{"{{ x | replace }}", "1:8: replace needs the argument from", false},
	{"{{ x | truncate(lenght=1) }}", "1:17: truncate takes no argument lenght; did you mean length?", false},
	{"{{ x | truncate(10) }}", "1:17: arguments are given by name; write truncate(name=value)", false},
	{"{{ x | truncate(length=1, length=2) }}", "1:27: length is given twice", false},
	{"{{ x | upper(a=1) }}", "1:14: upper takes no arguments", false},
	{"{{ x | join(sep=',' }}", "“,” is missing here; separate the arguments by commas, and close them with )", false},
	{"{{ x | join(sep }}", "arguments are given by name", false},
	{"{{ x | join( }}", "breaks off before }}", false},
	{"\n {{ f(x=1) }}", "2:5: there is no function f", false},
	{"{{ rnage(end=1) }}", "did you mean range?", false},
	{"{{ upper(x) }}", "upper is a filter and no function; write {{ value | upper }}", false},
	{"{{ range(start=1) }}", "1:4: range needs the argument end", false},
	{"{{ m::f() }}", "1:4: macros of another file cannot be used", true},
	{"{{ self::f() }}", "1:4: there is no macro f; define it: {% macro f() %}…{% endmacro %}", false},
	{"{{ self::f }}", "a macro is called with parentheses", false},
	{"{{ super() }}", "1:4: super() cannot be used", true},
	{"{{ __tera_context }}", "1:4: __tera_context cannot be used", true},
	{"{{ a[0 }}", "1:8: “]” is missing here; close the bracket", false},
	{"{{ a[] }}", "1:6: an expression cannot begin with “]”", false},
	{"{{ a + }}", "1:8: the expression breaks off before }}", false},
	{"{{ a + * b }}", "1:8: an expression cannot begin with “*”", false},
	{"{{ a < b < c }}", "1:10: comparisons cannot be chained; join two of them by and", false},
	{"{{ a == b == c }}", "comparisons cannot be chained", false},
	{"{{ a && b }}", "“&” cannot stand after a variable", false},
	{"{{ a || b }}", "1:7: the name of a filter is missing here", false},
	{"{{ a ? b : c }}", "write {% if … %}", false},
	{"{{ a not b }}", "1:10: “in” is missing here; write “not in”", false},
	{"{{ a is }}", "1:9: the name of a test is missing here", false},
	{"{{ a is defned }}", "1:9: there is no test defned; did you mean defined?", false},
	{"{{ a is odd(1) }}", "1:9: the test odd takes no argument, not 1", false},
	{"{{ a is divisibleby }}", "the test divisibleby takes one argument, not 0; write is divisibleby(…)", false},
	{"{{ a is matching('(') }}", "1:18: the regular expression is wrong: missing closing )", false},
	{"{{ a is matching('(a{1000}){1000}') }}", "regular expression", false},
	{"{{ -a }}", "1:4: a - at the beginning stands only before a number; write 0 - x for -x", false},
	{"{{ 99999999999999999999 }}", "1:4: the number 99999999999999999999 is too large", false},
	{"{{ [1, 2 }}", "1:10: “,” is missing here", false},
	{"{{ (a }}", "1:7: “)” is missing here; close the parenthesis", false},
	{"{{ {'a': 1} }}", "1:4: an object cannot be written in a template", false},
	{"{% if a = 1 %}{% endif %}", "1:9: “=” cannot stand after a variable; compare by ==", false},
	{"{{ a) }}", "1:5: “)” cannot stand after a variable", false},
	{"{{ range(end=1)[0] }}", "[ follows something that is no variable", false},
	{"é{% if a %}b", "1:2: a block begins here and has no end; close it with {% endif %}", false},
	{"{%- for a in b -%}", "1:1: a block begins here and has no end; close it with {% endfor %}", false},
	{"{% if %}{% endif %}", "1:7: the condition is missing", false},
	{"{% if a %}{% else %}{% elif b %}{% endif %}", "{% elif %} stands here without {% if … %}", false},
	{"{% endif %}", "1:4: {% endif %} stands here without {% if … %}; open it first, or remove this", false},
	{"{% endfor %}", "without {% for … %}", false},
	{"{% if a %}{% endfor %}{% endif %}", "1:14: {% endfor %} stands here without {% for … %}", false},
	{"{% elseif a %}", "write {% elif … %}", false},
	{"{% iff a %}{% endif %}", "1:4: there is no tag iff; did you mean if?", false},
	{"{% nosuchtag %}", "there is no tag nosuchtag; write {% raw %} around what is no template", false},
	{"{% include 'a' %}", "1:4: {% include %} cannot be used, for a template reads no other file: {% include 'a' %}", true},
	{"{% import 'a' as b %}", "cannot be used", true},
	{"{% extends 'a' %}", "cannot be used", true},
	{"{% block a %}{% endblock %}", "cannot be used", true},
	{"{% for a b %}{% endfor %}", "1:10: “in” is missing here; write {% for item in list %}", false},
	{"{% for a, in b %}{% endfor %}", "cannot be the name of the value's variable", false},
	{"{% for in in b %}{% endfor %}", "“in” cannot be the name of the loop's variable", false},
	{"{% break %}", "1:4: {% break %} stands outside of a loop", false},
	{"{% continue %}", "stands outside of a loop", false},
	{"{% set a %}", "1:10: “=” is missing here; write {% set name = value %}", false},
	{"{% set = 1 %}", "the name of the variable is missing here", false},
	{"{% set a = %}", "1:12: the expression breaks off before %}", false},
	{"{% raw %}{{ x }}", "1:1: a block begins here and has no end; close it with {% endraw %}", false},
	{"{% filter nosuch %}{% endfilter %}", "there is no filter nosuch", false},
	{"{% filter upper | lower %}{% endfilter %}", "a filter section has one filter", false},
	{"{% macro m(a %}{% endmacro %}", "“,” is missing here", false},
	{"{% macro m(a=b) %}{% endmacro %}", "1:14: the default of a macro's argument is a literal", false},
	{"{% macro m(a, a) %}{% endmacro %}", "two arguments a", false},
	{"{% macro m() %}{% endmacro n %}", "the macro m ends as n; write {% endmacro m %}", false},
	{"{% macro m() %}{% endmacro %}{% macro m() %}{% endmacro %}", "there are two macros m", false},
	{"{% if a %}{% macro m() %}{% endmacro %}{% endif %}", "a macro is defined inside of a block", false},
	{"{% macro m(a) %}{{ b }}{% endmacro %}", "1:20: there is no variable b in the macro m, which sees nothing but its arguments", false},
	{"{% macro m(a) %}{% endmacro %}{{ self::m() }}", "the macro m needs the argument a", false},
	{"{% macro m(a) %}{% endmacro %}{{ self::m(a=1, b=2) }}", "the macro m takes no argument b", false},
	{"{% macro hello() %}{% endmacro %}{{ self::helo() }}", "there is no macro helo; did you mean hello?", false},
	{"{% macro m() %}{% endmacro %}{{ m() }}", "m is a macro and no function", false},

	{"{{ my-step.output }}", "1:4: a name in a template has no hyphens; a step name's hyphens are written as underscores: my_step.output", false},
	{"{{ a-b-c.output.x }}", "a step name's hyphens are written as underscores: a_b_c.output.x", false},
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
