package tera_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"
	_ "time/tzdata" // for machines that have no time zones

	"stroem/workspace/tera"
)

// exact are options under which every rendering is the same.
var exact = tera.Options{
	Env: func(name string) (string, bool, error) {
		switch name {
		case "HOME":
			return "/home/ada", true, nil
		case "SECRET":
			return "", false, errors.New("it is not in allow_env")
		}
		return "", false, nil
	},
	Now:    func() time.Time { return time.Date(2026, 3, 4, 5, 6, 7, 89e6, time.FixedZone("CET", 3600)) },
	Random: func(n uint64) uint64 { return n - 1 },
}

// data are the variables of the table below.
func data() tera.Vars {
	person := func(name string, age int, more ...any) any {
		m := map[string]any{"name": name, "age": age, "tags": []any{"x", name}}
		if len(more) > 0 {
			m["city"] = more[0]
		}
		return m
	}
	return tera.Vars{
		"name": "Ada", "empty": "", "null": nil, "yes": true, "no": false, "one": 1, "two": 2, "five": 5, "zero": 0, "neg": -3,
		"half": 0.5, "pi": 3.14159, "big": json.Number("9223372036854775807"), "huge": json.Number("18446744073709551615"), "exp": json.Number("1e3"),
		"list": []any{1, 2, 3, 4, 5}, "words": []any{"b", "A", "a", "b"}, "none": []any{}, "mixed": []any{1, "a", nil, 1.0},
		"obj": map[string]any{"b": 2, "a": 1, "with-hyphen": "h", "n": nil}, "noobj": map[string]any{}, "key": "a", "at": 1,
		"people": []any{person("Bo", 30, "Oslo"), person("Al", 25), person("Cy", 30, "Rome"), person("Di", 41, nil)},
		"text":   "Hello wonderful world", "lines": "a\nb\n\nc", "html": "<p>\n<b>Joel</b> </p>", "path": "//a/b/c//",
		"my_step": map[string]any{"output": map[string]any{"id": 7}}, "ts": 1568899128, "emoji": "👨‍👩‍👧 ok e\u0301é",
	}
}

// rendered are templates and what comes out of them.
var rendered = []struct{ src, want string }{
	// expressions
	{"{{ 1 }} {{ -1 }} {{ 1.5 }} {{ 2.0 }} {{ true }} {{ False }}", "1 -1 1.5 2 true false"},
	{"{{ 'a' }}{{ \"b\" }}{{ `c` }}", "abc"}, {`{{ 'say "hi"' }} {{ "it's" }} {{ "a\n" }}`, `say "hi" it's a\n`},
	{"{{ [1, 'a', true, [2.5], name,] }} {{ [] }}", "[1, a, true, [2.5], Ada] []"},
	{"{{ 1 + 1 }} {{ 2 - 1 }} {{ 10 / 2 }} {{ 5 * 2 }} {{ 2 % 2 }}", "2 1 5 10 0"},
	{"{{ 7 / 2 }} {{ 7 % 3 }} {{ -7 % 3 }} {{ 7.5 % 2 }}", "3.5 1 -1 1.5"},
	{"{{ 1 + 2 * 3 }} {{ (1 + 2) * 3 }} {{ 10 - 2 - 3 }} {{ 2 * 3 % 4 }}", "7 9 5 2"},
	{"{{ one + half }} {{ 0.5 + 0.5 }} {{ 1 - 1.5 }} {{ half * two }}", "1.5 1 -0.5 1"}, {"{{ five -1 }} {{ five-1 }} {{ five - -1 }}", "4 4 6"},
	{"{{ big - 1 }} {{ big + 1 }} {{ huge - 1 }}", "9223372036854775806 9223372036854775808 18446744073709551614"}, {"{{ exp + 1 }}", "1001"},
	{"{{ 1 == 1.0 }} {{ 1 == '1' }} {{ 'a' == 'a' }} {{ list == [1,2,3,4,5] }} {{ null == zero }}", "true false true true false"},
	{"{{ 1 != 2 }} {{ 1 < 2 }} {{ 2 <= 2 }} {{ 1 > 2 }} {{ 2 >= 2.5 }}", "true true true false false"}, {"{{ 1 + 1 == 2 }} {{ two * 2 > 3 }}", "true true"},
	{"{{ yes and no }} {{ yes or no }} {{ not yes }} {{ not no and yes }}", "false true false true"},
	{"{{ no and no or yes }} {{ yes or yes and no }} {{ (yes or yes) and no }}", "true true false"}, {"{{ not 1 == 2 }} {{ not (yes and yes) }}", "true false"},
	{"{{ 'hello ' ~ 'world' ~ `!` }} {{ name ~ 1 ~ 2.5 }} {{ name ~ '/' ~ one + 1 }}", "hello world! Ada12.5 Ada/2"}, {"{{ name ~ 'x' | upper }}", "ADAX"},
	{"{{ 1 in list }} {{ 9 in list }} {{ 'd' in name }} {{ 'a' in obj }} {{ 'z' not in obj }}", "true false true true true"}, {"{{ one in [1, 2] and 'x' not in name }}", "true"},
	{"{{ 1 + 1 | round }} {{ words | length + 1 }} {{ words | length * 2 + 5 }} {{ words | length - list | length }}", "2 5 13 -1"}, {"{{ name | lower ~ '!' }}", "ada!"},
	// variables
	{"{{ obj.a }} {{ obj['b'] }} {{ obj[\"with-hyphen\"] }} {{ obj[key] }} {{ list[0] }} {{ list[at] }} {{ list.2 }}", "1 2 h 1 1 2 3"},
	{"{{ list[at + 1] }} {{ people[0].name }} {{ people[at]['tags'][1] }} {{ people.0.tags.0 }}", "3 Bo Al x"}, {"{{ list[4 / 2] }}", "3"},
	// if
	{"{% if yes %}a{% endif %}{% if no %}b{% endif %}", "a"}, {"{% if no %}a{% elif yes %}b{% else %}c{% endif %}", "b"}, {"{% if no %}a{% elif no %}b{% else %}c{% endif %}", "c"},
	{"{% if zero or empty or null or none or noobj %}a{% else %}b{% endif %}", "b"}, {"{% if neg and name and list and obj and half %}a{% endif %}", "a"},
	{"{% if missing %}a{% else %}b{% endif %}{% if obj.missing.deep %}a{% else %}b{% endif %}", "bb"}, {"{% if not missing %}a{% endif %}{% if missing and yes %}b{% endif %}{% if missing or yes %}c{% endif %}", "ac"},
	{"{% if missing | length %}a{% else %}b{% endif %}", "b"}, {"{% if two < 10 or missing %}a{% elif two > 1000 and not yes %}b{% endif %}", "a"}, {"{% if yes %}{% if no %}a{% else %}b{% endif %}{% endif %}", "b"},
	// for
	{"{% for x in list %}{{ x }}{% endfor %}", "12345"}, {"{% for x in list %}{{ loop.index }}/{{ loop.index0 }} {% endfor %}", "1/0 2/1 3/2 4/3 5/4 "},
	{"{% for x in list %}{% if loop.first %}[{% endif %}{{ x }}{% if loop.last %}]{% else %},{% endif %}{% endfor %}", "[1,2,3,4,5]"},
	{"{% for x in none %}a{% else %}empty{% endfor %}{% for x in list | slice(end=1) %}a{% else %}empty{% endfor %}", "emptya"},
	{"{% for k, v in obj %}{{ k }}={{ v }};{% endfor %}", "a=1;b=2;n=;with-hyphen=h;"}, {"{% for k, v in noobj %}a{% else %}b{% endfor %}", "b"}, {"{% for c in 'aé' %}<{{ c }}>{% endfor %}", "<a><é>"},
	{"{% for x in list | reverse %}{{ x }}{% endfor %}", "54321"}, {"{% for a in [1,2,3,] %}{{a}}{% endfor %}", "123"}, {"{% for i in range(end=3) %}{{ i }}{% endfor %}", "012"},
	{"{% for x in [1,2] %}{% for y in [1,2] %}{{ x * y }}:{{ loop.index }} {% endfor %}{{ loop.index }};{% endfor %}", "1:1 2:2 1;2:1 4:2 2;"},
	{"{% for x in list %}{% if x == 3 %}{% break %}{% endif %}{{ x }}{% endfor %}", "12"}, {"{% for x in list %}{% if x is even %}{% continue %}{% endif %}{{ x }}{% endfor %}", "135"},
	{"{% for x in [1,2] %}{% for y in list %}{% if y == 2 %}{% break %}{% endif %}{{ y }}{% endfor %}{{ x }}{% endfor %}", "1112"}, {"{% for x in list %}{{ loop | json_encode }}{% break %}{% endfor %}", `{"first":true,"index":1,"index0":0,"last":false}`},
	// set
	{"{% set a = 1 + 4 %}{{ a }}{% set a = a + 1 %}{{ a }}", "56"}, {"{% set a = [1, true, half | round] %}{{ a }}", "[1, true, 1]"},
	{"{% set a = 'out' %}{% for x in [1] %}{% set a = 'in' %}{{ a }}{% endfor %} {{ a }}", "in out"}, {"{% set n = 0 %}{% for x in list %}{% set_global n = n + x %}{% endfor %}{{ n }}", "15"},
	{"{% for x in [1,2] %}{{ a | default(value='-') }}{% set a = x %}{% endfor %}", "--"}, {"{% if yes %}{% set a = 1 %}{% endif %}{{ a }}", "1"}, {"{% set_global a = 1 %}{{ a }}", "1"},
	{"{% set name = 'Bo' %}{{ name }}", "Bo"},
	// raw, comments, white space
	{"{% raw %}\n  Hello {{ name }} {% if %}{# x #}\n{% endraw %}", "\n  Hello {{ name }} {% if %}{# x #}\n"}, {"a {%- raw -%} {{ x }} {%- endraw -%} b", "a{{ x }}b"}, {"{# A comment {{ x }} #}a", "a"},
	{"{% set my_var = 2 %}\n{{ my_var }}", "\n2"}, {"{% set my_var = 2 -%}\n{{ my_var }}", "2"}, {"a \n{%- if yes -%}\n b \n{%- endif -%}\n c", "abc"}, {"{%- for x in [1,2] -%} {{ x }} {%- endfor -%} !", "12!"},
	// filter sections and macros
	{"{% filter upper %}Hello {{ name }}{% endfilter %}", "HELLO ADA"}, {"{% filter replace(from='l', to='L') %}{% filter trim %} all {% endfilter %}{% endfilter %}", "aLL"},
	{"{% for x in list %}{% filter upper %}{% if x == 2 %}{% break %}{% endif %}a{{ x }}{% endfilter %}{% endfor %}", "A1"},
	{"{% macro hi(who, mark='!') %}Hi {{ who }}{{ mark }}{% endmacro hi %}{{ self::hi(who=name) }} {{ self::hi(mark='?', who='Bo') }}", "Hi Ada! Hi Bo?"},
	{"{{ self::m() | upper }}{% macro m() %}late{% endmacro %}", "LATE"}, {"{% macro f(n) %}{% if n > 1 %}{{ n }} - {{ self::f(n=n-1) }}{% else %}1{% endif %}{% endmacro f %}{{ self::f(n=4) }}", "4 - 3 - 2 - 1"},
	{"{% macro m(a) %}{% set a = a + 1 %}{{ a }}{% endmacro %}{% set a = 1 %}{{ self::m(a=a) }}{{ a }}", "21"}, {"{% macro m(a=-1, b=2.5, c=true) %}{{ a }}{{ b }}{{ c }}{% endmacro %}{{ self::m() }}", "-12.5true"},
	{"{% macro m() %}x{% endmacro %}{% set a = self::m() %}{{ a ~ a }}", "xx"}, {"{% macro m() %}{{ name | default(value='none') }}{% endmacro %}{{ self::m() }}", "none"},
	// tests
	{"{{ name is defined }} {{ missing is defined }} {{ obj.zz is defined }} {{ name is not defined }} {{ null is defined }}", "true false false false true"}, {"{{ missing is undefined }} {{ name is undefined }} {{ missing is not undefined }} {{ not missing is defined }}", "true false false true"},
	{"{{ 3 is odd }} {{ neg is odd }} {{ two is odd }} {{ 2 is even }} {{ five is not even }} {{ 4.0 is even }}", "true true false true true true"}, {"{{ 6 is divisibleby(2) }} {{ 7 is divisibleby(2) }} {{ 7 is not divisibleby(2) }}", "true false true"},
	{"{{ list is iterable }} {{ obj is iterable }} {{ name is iterable }} {{ one is iterable }}", "true true false false"}, {"{{ name is string }} {{ one is string }} {{ one is number }} {{ half is number }} {{ name is number }}", "true false true true false"},
	{"{{ obj is object }} {{ list is object }}", "true false"}, {"{{ text is starting_with('Hello') }} {{ text is ending_with('world') }} {{ text is starting_with('x') }}", "true true false"},
	{"{{ name is containing('da') }} {{ list is containing(3) }} {{ obj is containing('a') }} {{ obj is containing('z') }}", "true true true false"}, {"{{ name is matching('^[Aa]') }} {{ name is not matching(`^\\d+$`) }}", "true true"}, {"{{ words | first is string }}", "true"},
	// text filters
	{"{{ 'ÄB' | lower }} {{ 'äb' | upper }} {{ 'hELLO wORLD' | capitalize }}", "äb ÄB Hello world"}, {"{{ ' a  b\nc ' | wordcount }} {{ '' | wordcount }}", "3 0"},
	{"{{ 'foo  bar' | title }} {{ \"FOO-bar (baz) don't\" | title }}", "Foo  Bar Foo-Bar (Baz) Don't"}, {"{{ 'a.b.c' | replace(from='.', to='-') }} {{ name | lower | replace(from='a', to='') }}", "a-b-c d"},
	{"{{ \"I'm using Tera\" | addslashes }} {{ 'a\"b\\c' | addslashes }}", `I\'m using Tera a\"b\\c`}, {"{{ '-Hello world! ' | slugify }} {{ 'Ærøskøbing É__x' | slugify }}", "hello-world aeroskobing-e-x"},
	{"<{{ ' a ' | trim }}> <{{ ' a ' | trim_start }}> <{{ ' a ' | trim_end }}>", "<a> <a > < a>"}, {"{{ path | trim_start_matches(pat='//') }} {{ path | trim_end_matches(pat='//') }}", "a/b/c// //a/b/c"}, {"{{ 'xxxa' | trim_start_matches(pat='x') }}", "a"},
	{"{{ text | truncate(length=5) }} {{ text | truncate(length=5, end='') }} {{ text | truncate }}", "Hello… Hello Hello wonderful world"}, {"{{ emoji | truncate(length=1, end='') }}|{{ emoji | truncate(length=6, end='.') }}", "👨‍👩‍👧|👨‍👩‍👧 ok e\u0301."},
	{"{{ 'Hello\r\nworld\n' | linebreaksbr }}", "Hello<br>world<br>"}, {"{{ '<p>\n<a> </a>\r\n </p>' | spaceless }}", "<p><a></a></p>"}, {"{{ '<b>Joel</b>' | striptags }} {{ '<!-- a > b -->x' | striptags }}", "Joel x"},
	{"{{ lines | indent }}", "a\n    b\n\n    c"}, {"{{ lines | indent(prefix='>', first=true, blank=true) }} {{ 'a\nb' | indent(width=1) }}", ">a\n>b\n>\n>c a\n b"},
	{"{{ `<a href=\"x\">'&/` | escape }}", "&lt;a href=&quot;x&quot;&gt;&#x27;&amp;&#x2F;"}, {"{{ `<\"'&/>` | escape_xml }}", "&lt;&quot;&apos;&amp;/&gt;"}, {"{{ '<b>' | safe }}{{ list | safe }}", "<b>[1, 2, 3, 4, 5]"},
	{"{{ '/foo?a=b&c=d' | urlencode }} {{ '/foo?a=b&c=d' | urlencode_strict }} {{ 'é _-.~' | urlencode }} {{ '_-.' | urlencode_strict }}", "/foo%3Fa%3Db%26c%3Dd %2Ffoo%3Fa%3Db%26c%3Dd %C3%A9%20_-.~ %5F%2D%2E"},
	{"{{ 'a/b/c' | split(pat='/') }} {{ 'abc' | split(pat='') }} {{ '' | split(pat=',') }}", "[a, b, c] [, a, b, c, ] []"}, {"{{ true | as_str ~ 1.0 | as_str }} {{ list | as_str }} {{ null | as_str }}", "true1 [1, 2, 3, 4, 5] "},
	// list and object filters
	{"{{ list | first }} {{ list | last }} {{ list | nth(n=2) }} <{{ none | first }}{{ none | last }}{{ list | nth(n=9) }}>", "1 5 3 <>"}, {"{{ words | join(sep=' // ') }} {{ list | join }} {{ mixed | join(sep=',') }}", "b // A // a // b 12345 1,a,,1"},
	{"{{ list | length }} {{ obj | length }} {{ 'aé' | length }} {{ none | length }}", "5 4 2 0"}, {"{{ list | reverse }} {{ 'aéb' | reverse }}", "[5, 4, 3, 2, 1] béa"},
	{"{{ [3, 1.5, 2] | sort }} {{ words | sort }} {{ [true, false] | sort }} {{ [[1,2],[3]] | sort }} {{ none | sort }}", "[1.5, 2, 3] [A, a, b, b] [false, true] [[3], [1, 2]] []"},
	{"{{ people | sort(attribute='age') | map(attribute='name') }} {{ people | sort(attribute='tags.1') | map(attribute='age') }}", "[Al, Bo, Cy, Di] [25, 30, 30, 41]"},
	{"{{ words | unique }} {{ words | unique(case_sensitive=true) }} {{ words | unique(case_sensitive='true') | length }}", "[b, A] [b, A, a] 3"}, {"{{ people | unique(attribute='age') | map(attribute='name') }} {{ [1, 1.0, 2] | unique }}", "[Bo, Al, Di] [1, 2]"},
	{"{{ list | slice(end=2) }} {{ list | slice(start=1) }} {{ list | slice(start=1, end=3) }} {{ list | slice(end=-2) }} {{ list | slice(start=-2) }} {{ list | slice(start=3, end=1) }} {{ list | slice(end=99) }}", "[1, 2] [2, 3, 4, 5] [2, 3] [1, 2, 3] [4, 5] [] [1, 2, 3, 4, 5]"},
	{"{% for age, who in people | group_by(attribute='age') %}{{ age }}:{{ who | map(attribute='name') | join(sep='+') }} {% endfor %}", "25:Al 30:Bo+Cy 41:Di "}, {"{{ people | group_by(attribute='city') | length }}", "2"},
	{"{% set m = people | group_by(attribute='age') %}{% set_global ages = [] %}{% for a, ignored in m %}{% set_global ages = ages | concat(with=a) %}{% endfor %}{% for a in ages | reverse %}{% set p = m[a] %}{{ a }}{{ p | length }} {% endfor %}", "411 302 251 "},
	{"{{ people | filter(attribute='age', value=30) | map(attribute='name') }} {{ people | filter(attribute='city') | map(attribute='name') }}", "[Bo, Cy] [Bo, Cy]"}, {"{{ people | map(attribute='city') }} {{ people | map(attribute='tags.1') }}", "[Oslo, Rome] [Bo, Al, Cy, Di]"},
	{"{{ list | concat(with=6) }} {{ none | concat(with=[1, 2]) }} {{ none | concat(with=[[1]]) }}", "[1, 2, 3, 4, 5, 6] [1, 2] [[1]]"}, {"{{ obj | get(key='with-hyphen') }} {{ obj | get(key='zz', default='d') }}", "h d"},
	// numbers
	{"You have {{ two }} message{{ two | pluralize }}, {{ one }} message{{ one | pluralize }}, {{ zero }} categor{{ zero | pluralize(singular='y', plural='ies') }}", "You have 2 messages, 1 message, 0 categories"}, {"{{ -1 | pluralize(singular='y') }}", "y"},
	{"{{ 2.5 | round }} {{ -2.5 | round }} {{ 2.1 | round(method='ceil') }} {{ 2.9 | round(method='floor') }} {{ pi | round(precision=2) }} {{ pi | round(method='ceil', precision=2) }} {{ five | round }}", "3 -3 3 2 3.14 3.15 5"},
	{"{{ neg | abs }} {{ -1.5 | abs }} {{ two | abs }} {{ -9223372036854775808 | abs }}", "3 1.5 2 9223372036854775808"}, {"{{ 999 | filesizeformat }} {{ 123456789 | filesizeformat }} {{ 110 * 1024 * 1024 | filesizeformat }} {{ 1536 | filesizeformat(binary=true) }}", "999 B 117.74 MB 110 MB 1.50 KiB"},
	{"{{ '42' | int }} {{ ' -7 ' | int }} {{ 'x' | int }} {{ 'x' | int(default=5) }} {{ '0xff' | int(base=16) }} {{ '-0b11' | int(base=2) }} {{ '777' | int(base=8) }} {{ 3.9 | int }} {{ '3.9' | int }}", "42 -7 0 5 255 -3 511 3 3"},
	{"{{ '1.5' | float }} {{ 'x' | float }} {{ 'x' | float(default=2.5) }} {{ five | float }} {{ '1.5' | float + 1 }}", "1.5 0 2.5 5 2.5"},
	// dates
	{"{{ ts | date }} {{ ts | date(format='%Y-%m-%d %H:%M') }} {{ '2019-09-19T13:18:48.731Z' | date(format='%T%.3f %f') }}", "2019-09-19 2019-09-19 13:18 13:18:48.731 731000000"},
	{"{{ '2019-09-19T13:18:48.731Z' | date(timezone='America/New_York', format='%H %Z %z %:z') }} {{ '2019-09-19T23:18:48Z' | date(format='%Y-%m-%d %H:%M', timezone='Asia/Shanghai') }}", "09 EDT -0400 -04:00 2019-09-20 07:18"},
	{"{{ '2026-01-02' | date(format='%A %a %B %b %d %e %-d %j %U %W %V %G %u %w %y %C') }}", "Friday Fri January Jan 02  2 2 002 00 00 01 2026 5 5 26 20"}, {"{{ '2026-01-02T15:04:05' | date(format='%I %l %p %P %k %D %F %R %X %x %c %s %% %_m %+') }}", "03  3 PM pm 15 01/02/26 2026-01-02 15:04 15:04:05 01/02/26 Fri Jan  2 15:04:05 2026 1767366245 %  1 2026-01-02T15:04:05+00:00"},
	{"{{ '2026-01-02T00:30:00+02:00' | date }} {{ '2026-01-02T15:04' | date(format='%M') }} {{ 0 | date(format='%r%n%t|') }}", "2026-01-02 04 12:00:00 AM\n\t|"},
	{"{{ yes }}{{ no }}{{ null }}{{ obj }}{{ mixed }}", "truefalse[object][1, a, , 1]"}, {"{{ my_step.output.id }} {{ my_step['output'].id + 1 }}", "7 8"},
	{"{{ 'a' | upper | lower | upper }} {{ name | lower | capitalize | replace(from='A', to='O') }}", "A Oda"}, {"${#x} {{ one }} ${x%y} 100%}", "${#x} 1 ${x%y} 100%}"},
	{"{{ text | split(pat=' ') | first }} {{ text | split(pat=' ') | last | upper }} {{ text | split(pat=' ') | join(sep='-') }}", "Hello WORLD Hello-wonderful-world"},
	// JSON
	{"{{ obj | json_encode() }} {{ mixed | json_encode }} {{ 'a\"b\\<' | json_encode }} {{ lines | json_encode }} {{ half | json_encode }}", `{"a":1,"b":2,"n":null,"with-hyphen":"h"} [1,"a",null,1.0] "a\"b\\<" "a\nb\n\nc" 0.5`},
	{"{{ [obj.a, [], [2]] | json_encode(pretty=true) }} {{ noobj | json_encode(pretty=true) }}", "[\n  1,\n  [],\n  [\n    2\n  ]\n] {}"}, {"{% set m = people | group_by(attribute='name') %}{{ m.Al | map(attribute='age') | json_encode(pretty=true) }}", "[\n  25\n]"},
	// default
	{"{{ missing | default(value=1) }} {{ obj.zz.y | default(value='d') }} {{ name | default(value=1) }} <{{ empty | default(value=1) }}> {{ zero | default(value=1) }} {{ null | default(value='n') }}", "1 d Ada <> 0 n"}, {"{{ missing | default(value='a') | upper }} {{ missing | default(value=name) }} {{ missing | default(value=[]) | length }}", "A Ada 0"},
	{"{% for x in missing | default(value=[1]) %}{{ x }}{% endfor %}{% if missing | default(value=true) %}y{% endif %}", "1y"}, {"{{ missing | default(value=2) + 1 }}", "3"},
	// functions
	{"{{ range(end=5) }} {{ range(start=2, end=5) }} {{ range(end=7, step_by=3) }} {{ range(end=0) }}", "[0, 1, 2, 3, 4] [2, 3, 4] [0, 3, 6] []"}, {"{{ now() }} {{ now(utc=true) }} {{ now(timestamp=true) }} {{ now() | date(format='%Y') }}", "2026-03-04T05:06:07.089+01:00 2026-03-04T04:06:07.089+00:00 1772597167 2026"},
	{"{{ get_random(end=10) }} {{ get_random(start=-5, end=3) }}", "9 2"}, {"{{ get_env(name='HOME') }} {{ get_env(name='UNSET', default='d') }} {{ get_env(name='UNSET', default=7) + 1 }}", "/home/ada d 8"}, {"{% if no %}{{ throw(message='x') }}{% endif %}ok", "ok"},
}

func TestLanguage(t *testing.T) {
	t.Parallel()
	for _, tt := range rendered {
		t.Run(tt.src, func(t *testing.T) {
			t.Parallel()
			got, err := parse(t, tt.src).With(exact).Text(data())
			if err != nil || got != tt.want {
				t.Errorf("got  %q, %v\nwant %q", got, err, tt.want)
			}
		})
	}
	t.Logf("%d templates", len(rendered))
}
