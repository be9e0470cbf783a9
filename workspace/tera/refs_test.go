package tera_test

import (
	"fmt"
	"strings"
	"testing"

	"stroem/workspace/tera"
)

// TestRefs checks what a template reads from outside: path@line:column, with a ?
// where it may be missing.
func TestRefs(t *testing.T) {
	t.Parallel()
	tests := []struct{ src, refs string }{
		{"{{ a.b | upper }}{{ c ~ d[e].f }}", "a.b@1:4 c@1:21 e@1:27 d@1:25"},
		{"{{ a['x-y'].z[0].q }}", "a.x-y.z.0.q@1:4"}, {"{{ [a, 1, b] }}{{ 'x' }}", "a@1:5 b@1:11"},
		{"{{ a | default(value=b) }}", "a?@1:4 b@1:22"}, {"{{ a.b is defined }}{{ c is undefined }}{{ d is odd }}", "a.b?@1:4 c?@1:24 d@1:44"},
		{"{{ (a ~ b) | default(value=1) }}", "a@1:5 b@1:9"}, {"{{ a | upper | default(value=1) }}", "a@1:4"},
		{"{% if a and not b or c == d %}{% endif %}", "a?@1:7 b?@1:17 c@1:22 d@1:27"}, {"{% if a | length %}{% endif %}{% if a | length > 1 %}{% endif %}", "a?@1:7 a@1:37"},
		{"{% if a.b %}{{ a.b.c }}{{ a }}{% endif %}{{ a.b }}", "a.b?@1:7 a.b.c?@1:16 a@1:27 a.b@1:45"}, {"{% if a is defined %}{% else %}{{ a }}{% endif %}", "a?@1:7 a?@1:35"},
		{"{{ a is defined and a.b == 1 }}", "a?@1:4 a.b?@1:21"}, {"{% if a %}{% elif b %}{{ b }}{% endif %}", "a?@1:7 b?@1:19 b?@1:26"},
		{"{% for x in a.b %}{{ x.y }}{{ loop.index }}{{ z }}{% else %}{{ x }}{% endfor %}{{ x }}{{ loop }}", "a.b@1:13 z@1:47 x@1:64 x@1:83 loop@1:90"},
		{"{% for k, v in m %}{{ k }}{{ v }}{% set y = 1 %}{{ y }}{% endfor %}{{ y }}", "m@1:16 y@1:71"},
		{"{% set x = a %}{{ x.y }}{% set a = 1 %}{{ a }}", "a@1:12"}, {"{% if a %}{% set x = 1 %}{{ x }}{% endif %}{{ x }}", "a?@1:7 x?@1:47"},
		{"{% for i in l %}{% set_global x = i %}{{ x }}{% endfor %}{{ x }}", "l@1:13 x?@1:61"}, {"{% set x = 1 %}{% for i in l %}{% set_global x = x + i %}{% endfor %}{{ x }}", "l@1:28"},
		{"{% macro m(a, b=1) %}{{ a }}{{ b }}{% set c = a %}{{ c }}{% if d %}{{ d }}{% endif %}{% endmacro %}{{ self::m(a=x.y) }}", "x.y@1:113"},
		{"{% filter replace(from=a, to='') %}{{ b }}{% endfilter %}", "a@1:24 b@1:39"}, {"{{ range(end=n) }}{{ get_env(name='A', default=d) }}", "n@1:14 d@1:48"},
		{"é\n{% if\n  a\n%}{{ b }}{% endif %}", "a?@3:3 b@4:6"}, {"{% raw %}{{ x }}{% endraw %}{# {{ y }} #}", ""},
	}
	for _, tt := range tests {
		t.Run(tt.src, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, r := range parse(t, tt.src).Refs() {
				mark := ""
				if r.Optional {
					mark = "?"
				}
				got = append(got, fmt.Sprintf("%s%s@%d:%d", strings.Join(r.Path, "."), mark, r.Line, r.Column))
			}
			if s := strings.Join(got, " "); s != tt.refs {
				t.Errorf("got  %s\nwant %s", s, tt.refs)
			}
		})
	}
	refs := parse(t, "{{ input.my-name }}{{ my-step }}{{ a - b }}").Refs()
	if s := fmt.Sprint(refs[0].Hyphens, refs[2].Hyphens, refs[4].Hyphens); s != "[input my-name] [my-step] []" {
		t.Errorf("hyphens: %s", s)
	}
	static := map[string]bool{"": true, "a": true, "{# c #}a{% raw %}{{ b }}{% endraw %}": true, "{{ 'a' }}": false, "{% set a = 1 %}": false, "{% if true %}{% endif %}": false}
	for src, want := range static {
		if parse(t, src).Static() != want {
			t.Errorf("%q: Static is not %v", src, want)
		}
	}
}

// TestRenderRefuses checks what goes wrong only with values, and where.
func TestRenderRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct{ src, says string }{
		{"{{ my-step }}", "1:4: a name in a template has no hyphens; a step name's hyphens are written as underscores: my_step"},
		{"{{ obj.with-hyphen }}", `1:4: a name in a template has no hyphens; write obj["with-hyphen"]`}, {"{{ nme-x }}", "1:4: there is no variable nme; did you mean name?"},
		{"{% for x in list %}{{ lop.index }}{% endfor %}", "did you mean loop?"}, {"{% set total = 1 %}{{ totl }}", "did you mean total?"}, {"{% for x in list %}{{ loop.idex }}{% endfor %}", "there is no variable loop.idex; did you mean loop.index?"},
		{"a\n{% if yes %}\n  {{ missing | upper }}{% endif %}", "3:6: there is no variable missing"}, {"{{ obj['zz'] }}", "there is no variable obj.zz"}, {"{{ obj['z z'] }}", `there is no variable obj["z z"]`}, {"{{ list[9] }}", "1:4: list has 5 items, so there is no list.9"}, {"{{ list[-1] }}", "list is a list and has no field -1"},
		{"{{ list[half] }}", "1:9: a text or a whole number stands in brackets, and this is a number"}, {"{{ obj[list] }}", "and this is a list"}, {"{{ missing == 1 }}", "there is no variable missing"}, {"{{ name.x.y }}", "name is a string and has no field x"},
		{"{{ name + 1 }}", "1:4: + is for numbers, and name is a string; join texts by ~, or make a number of it"}, {"{{ 1 < 'a' }}", "1:8: < is for numbers, and 'a' is a string"}, {"{{ list * 2 }}", "* is for numbers, and list is a list"}, {"{{ yes - 1 }}", "yes is a boolean"},
		{"{{ 1 / 0 }}", "1:4: a division by zero: 1 / 0"}, {"{{ 1 % zero }}", "a division by zero"}, {"{{ 1 / 0.0 }}", "a division by zero"}, {"{{ 5 is divisibleby(0) }}", "a division by zero"},
		{"{{ huge + 1 }}", "1:4: the result is too large for a whole number: huge + 1"}, {"{{ big * big }}", "too large for a whole number"}, {"{{ 0 - big - 2 }}", "too large for a whole number"},
		{"{% set f = 10.5 %}{% for i in range(end=400) %}{% set_global f = f * f %}{% endfor %}", "1:66: the result is too large for a number"},
		{"{{ name ~ list }}", "1:11: ~ joins texts and numbers, and this is a list; make a text of it: … | as_str"}, {"{{ name ~ yes }}", "this is a boolean"}, {"{{ 1 in 2 }}", "1:9: in: only a text, a list or an object can hold something, and this is a number"}, {"{{ 1 in name }}", "a text can only hold a text"},
		{"{{ list | upper }}", "1:4: upper takes a text, and this is a list; make a text of it: … | as_str"}, {"{{ name | first }}", "first takes a list, and this is a string"}, {"{{ name | truncate(length='a') }}", "the argument length of truncate is a whole number, and this is a string"}, {"{{ name | replace(from=1, to='') }}", "the argument from of replace is a text"},
		{"{{ name | indent(first=1) }}", "the argument first of indent is true or false"}, {"{{ mixed | sort }}", "sort orders values of one kind, and this list holds a string besides a number"}, {"{{ people | sort }}", "this list holds an object"}, {"{{ people | sort(attribute='zz') }}", "an item of the list has no attribute zz"},
		{"{{ obj | get(key='aa') }}", "the object has no aa; did you mean a?"}, {"{{ name | round }}", "round takes a number"}, {"{{ pi | round(method='up') }}", "round has no method up"}, {"{{ neg | filesizeformat }}", "filesizeformat takes a whole number"}, {"{{ list | int }}", "int takes a text or a number"}, {"{{ 1 | length }}", "length takes a text, a list or an object"},
		{"{{ 'x' | date }}", `"x" is no date`}, {"{{ ts | date(format='%Q') }}", `the format of date has no "%Q"`}, {"{{ ts | date(timezone='Moon/Base') }}", "there is no time zone Moon/Base"}, {"{{ ts | date(timezone='../../etc/passwd') }}", "there is no time zone"}, {"{{ 1e9 }}", "cannot stand"},
		{"{{ half is odd }}", "odd takes a whole number, and this is a number"}, {"{{ 1 is starting_with('a') }}", "starting_with takes a text"}, {"{{ name is matching(key ~ '[') }}", "the regular expression is wrong"}, {"{{ one is containing('a') }}", "only a text, a list or an object"},
		{"{% for x in obj %}{% endfor %}", "1:13: this is an object and no list; loop through it with a key and a value"}, {"{% for k, v in list %}{% endfor %}", "this is a list and has no keys"}, {"{% for x in one %}{% endfor %}", "a loop goes through a list, an object or a text, and this is a number"}, {"{% for x in missing %}{% endfor %}", "there is no variable missing"},
		{"{{ throw(message='no ' ~ name) }}", "1:4: no Ada"}, {"{{ range(start=3, end=1) }}", "range begins at 3, behind its end at 1"}, {"{{ range(end=3, step_by=0) }}", "step_by is above 0"}, {"{{ get_random(end=0) }}", "there is no number from 0 to below 0"},
		{"{{ get_env(name='SECRET', default='x') }}", "get_env cannot see SECRET: it is not in allow_env; list the name under allow_env"}, {"{{ get_env(name='UNSET') }}", "the environment variable UNSET is not set"},
	}
	for _, tt := range tests {
		t.Run(tt.src, func(t *testing.T) {
			t.Parallel()
			tmpl, err := tera.Parse(tt.src)
			if err == nil {
				_, err = tmpl.With(exact).Text(data())
			}
			if err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("says %v, not %q", err, tt.says)
			}
		})
	}
	if _, err := parse(t, "{{ get_env(name='HOME', default='x') }}").Text(nil); err == nil || !strings.Contains(err.Error(), "allow_env") {
		t.Errorf("without a lookup: %v", err)
	}
}

// TestExpressionValues checks that a lone expression keeps a list or an object.
func TestExpressionValues(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"{{ words | unique }}": "[]interface {}[b A]", " {{ people | map(attribute='age') }}\n": "[]interface {}[30 25 30 41]", "{{ [1] }}": "[]interface {}[1]", "{{ people | group_by(attribute='name') | get(key='Al') | length }}": "string1",
		"{{ noobj | default(value=1) }}": "map[string]interface {}map[]", "{{ missing | default(value=[]) }}": "[]interface {}[]", "{{ 1 + 1 }}\n": "string2\n", "{% set a = [1] %}{{ a }}": "string[1]", "{% if yes %}{{ list }}{% endif %}": "string[1, 2, 3, 4, 5]",
	}
	for src, want := range tests {
		v, err := parse(t, src).Value(data())
		if got := fmt.Sprintf("%T%v", v, v); err != nil || got != want {
			t.Errorf("%s gave %s, %v, want %s", src, got, err, want)
		}
	}
}

// TestDefaultOptions checks the clock and the chance of a template without options.
func TestDefaultOptions(t *testing.T) {
	t.Parallel()
	s, err := parse(t, "{{ now(timestamp=true) - now(timestamp=true) < 5 }} {{ get_random(end=3) < 3 }} {{ get_random(start=-2, end=-1) }} {{ now(utc=true) | date(format='%z') }}").Text(nil)
	if err != nil || s != "true true -2 +0000" {
		t.Errorf("%q, %v", s, err)
	}
}
