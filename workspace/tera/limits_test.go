package tera_test

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"stroem/workspace/tera"
)

// TestHugeScriptsEnd checks that no template ends the process by its nesting or
// takes long by the number of its values: it is rendered or refused.
func TestHugeScriptsEnd(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, src string
		refused   bool
	}{
		{"a long script", strings.Repeat("echo \"a {{ x }}\" b\n", 45), false},
		{"many quotes", strings.Repeat("echo \"a {{ x }}\" b\n", 1500), true},
		{"nested substitutions", strings.Repeat("$(echo ", 9000) + "{{ x }}" + strings.Repeat(")", 9000), true},
		{"nested arguments", "echo " + strings.Repeat("$(echo ", 9000) + "{{ x }}" + strings.Repeat(")", 9000), false},
		{"open substitutions", strings.Repeat("$(", 400_000) + "{{ x }}", true},
		{"open ifs", strings.Repeat("if ", 340_000) + "{{ x }}", true},
		{"a long chain", "a" + strings.Repeat("&&a", 300_000) + " {{ x }}", true},
		{"many values in a word", "echo " + strings.Repeat("{{ x }}", 3000), true},
		{"many values in a command", "echo " + strings.Repeat("{{ x }} ", 3000), true},
		{"many readers of one input", "{ " + strings.Repeat("read c; echo $((c))\n", 5000) + "} <<< {{ x }}", true},
		{"more than a script may have", strings.Repeat("# a\n", 300_000) + ": {{ x }}", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := parse(t, tt.src).Shell(tera.Vars{"x": strings.Repeat("it's ", 800)}, tera.Bash)
			if (err != nil) != tt.refused {
				t.Errorf("refused is %v", err)
			}
		})
	}
}

// TestLimits checks that templates which ask for too much end soon, and without
// much memory: with an error, or with a result.
func TestLimits(t *testing.T) {
	deep := func(n int, open, inner, shut string) string {
		return strings.Repeat(open, n) + inner + strings.Repeat(shut, n)
	}
	grow := "{% set a = x %}" + strings.Repeat("{% set a = a ~ a %}", 40)
	bomb := "{% set a = [x] %}" + strings.Repeat("{% set a = [a, a] %}", 60)
	pairs := "{% for a in range(end=1000) %}{% for b in range(end=1000) %}"
	tests := []struct {
		name, src, says string
	}{
		{"indent", `{{ "x" | indent(width=2000000000) }}`, "grows too long"}, {"indent by a prefix", `{{ l | join(sep=n) | indent(prefix=long) }}`, "too long"},
		{"range", "{{ range(end=1000000000) }}", "too long"}, {"a range of all numbers", "{{ range(start=-9223372036854775808, end=9223372036854775807) }}", "too long"}, {"ranges", strings.Repeat("{{ range(end=100000) | length }}", 100), "takes too long"},
		{"nested loops", pairs + "{% endfor %}{% endfor %}", "100000 turns"}, {"nested loops that write", pairs + "{{ long }}{% endfor %}{% endfor %}", "too much text"}, {"nested loops of filters", pairs + "{{ long | upper | lower }}{% endfor %}{% endfor %}", "takes too long"},
		{"a macro without end", "{% macro m() %}{{ self::m() }}{% endmacro %}{{ self::m() }}", "calls itself too deeply"}, {"two macros", "{% macro a() %}{{ self::b() }}{% endmacro %}{% macro b() %}{{ self::a() }}{% endmacro %}{{ self::a() }}", "too deeply"},
		{"a macro that calls itself twice", "{% macro m(n) %}{% if n > 0 %}{{ self::m(n=n-1) }}{{ self::m(n=n-1) }}{% endif %}{% endmacro %}{{ self::m(n=45) }}", "takes too long"},
		{"parentheses", "{{ " + deep(100_000, "(", "1", ")") + " }}", "too deeply"}, {"brackets", "{{ " + deep(100_000, "a[", "1", "]") + " }}", "too deeply"}, {"lists", "{{ " + deep(100_000, "[", "1", "]") + " }}", "too deeply"}, {"nots", "{{ " + strings.Repeat("not ", 100_000) + "x }}", "too"},
		{"sums", "{{ 1" + strings.Repeat("+1", 200_000) + " }}", "too many operators"}, {"filters", "{{ x" + strings.Repeat("|upper", 100_000) + " }}", "too many operators"}, {"ors", "{{ x" + strings.Repeat(" or x", 100_000) + " }}", "too many operators"}, {"joins", "{{ x" + strings.Repeat("~x", 100_000) + " }}", "too many operators"}, {"arguments", "{{ " + deep(100_000, "range(end=", "1", ")") + " }}", "too deeply"},
		{"a long path", "{{ x" + strings.Repeat(".x", 300_000) + " }}", "too many parts"}, {"a long list", "{{ [" + strings.Repeat("1,", 300_000) + "] }}", "too many parts"},
		{"blocks", deep(50_000, "{% if x %}", "", "{% endif %}"), "too deeply"}, {"loops", deep(50_000, "{% for a in x %}", "", "{% endfor %}"), "too deeply"}, {"sections", deep(50_000, "{% filter upper %}", "", "{% endfilter %}"), "too deeply"}, {"branches", "{% if x %}" + strings.Repeat("{% elif x %}", 60_000) + "{% endif %}", "too many parts"},
		{"many tags", strings.Repeat("{{x}}", 200_000), "too many parts"}, {"open raws", strings.Repeat("{% raw %}", 110_000), "has no end"}, {"braces", strings.Repeat("{{", 500_000), "brace"}, {"open tags", strings.Repeat("{%", 500_000), "no name"}, {"open comments", strings.Repeat("{#", 500_000), "no end"}, {"quotes", "{{ " + strings.Repeat("'", 1_000_001), "cannot"},
		{"a megabyte of text", strings.Repeat("echo ok\n", 1<<17) + "{{ x }}", ""}, {"a text that doubles", grow + "{{ a }}", "long"}, {"a list that doubles", bomb + "{{ a }}", "takes too long"}, {"a list that doubles as JSON", bomb + "{{ a | json_encode }}", "takes too long"}, {"as one value", bomb + "{{ a | unique }}", "takes too long"},
		{"compared with itself", bomb + strings.NewReplacer(" a =", " b =", "a, a", "b, b").Replace(bomb) + "{{ a == b }}", "too large"}, {"a list that grows", "{% set a = l %}" + strings.Repeat("{% set a = a | concat(with=a) %}", 40), "more than"}, {"a deep list", "{% set a = [] %}{% for i in range(end=50000) %}{% set_global a = [a] %}{% endfor %}{{ a }}", "deeply"},
		{"replace", "{{ long | replace(from='', to=long) }}", "grows too long"}, {"split", "{{ long | split(pat='') }}", "too many parts"}, {"join", "{{ l | join(sep=long) }}", "too large"}, {"characters", "{% for c in long %}{{ c }}{% endfor %}", "too long"}, {"escape", "{{ long | escape | escape | escape }}", ""}, {"json", "{{ [long, long, long] | json_encode }}", "too large"},
		{"a hard pattern", "{{ long is matching('(x+x+)+y') }}", ""}, {"a large pattern", "{{ long is matching('(x{1,30}){1,30}y') }}", "takes too long"}, {"a huge pattern", "{{ x is matching('((a{100}){100}){100}') }}", "regular expression"}, {"many patterns", "{% for i in range(end=10000) %}{{ x is matching('a{1,500}' ~ i) }}{% endfor %}", "takes too long"},
		{"slugs", "{% for i in range(end=10000) %}{% set a = long | slugify %}{% endfor %}", ""}, {"tags", "{% for i in range(end=10000) %}{% set a = long | striptags %}{% endfor %}", ""}, {"dates", "{% for i in range(end=100000) %}{% set a = 1 | date(format='" + strings.Repeat("%+", 400) + "') %}{% endfor %}", "takes too long"}, {"zones", "{% for i in range(end=100000) %}{% set a = 1 | date(timezone='Europe/Berlin') %}{% endfor %}", "takes too long"},
		{"chance", "{% for i in range(end=100000) %}{{ get_random(end=9) }}{% endfor %}", "takes too long"}, {"sorting long texts", "{% set a = [] %}{% for i in range(end=2000) %}{% set_global a = a | concat(with=long) %}{% endfor %}{{ a | sort | length }}", ""},
		{"defaults", "{% for i in range(end=100000) %}{{ nothing.at.all | default(value=1) }}{% endfor %}", ""}, {"a long message", "{{ throw(message=long) }}", "xxx"},
	}
	long := strings.Repeat("x", 1<<20)
	vars := tera.Vars{"x": "x", "l": []any{1, 2, 3}, "n": "\n", "long": long}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			begun := time.Now()
			tmpl, err := tera.Parse(tt.src)
			if err == nil {
				if _, err = tmpl.Text(vars); err != nil && tt.says == "" {
					t.Log(err)
				}
				tmpl.CheckShell(tera.Bash)
			}
			took := time.Since(begun)
			runtime.ReadMemStats(&after)
			made := (after.TotalAlloc - before.TotalAlloc) >> 20
			t.Logf("%v, %d MiB: %.100v", took, made, err)
			if tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says)) {
				t.Errorf("says %.300v, not %q", err, tt.says)
			}
			if err != nil && len(err.Error()) > 5000 {
				t.Errorf("the message is %d bytes long", len(err.Error()))
			}
			// The aim is 100 ms; machines are shared, and the race detector is slow.
			if took > hang {
				t.Errorf("took %v", took)
			}
		})
	}
}

// TestLimitsOfScripts checks that what a shell script costs to quote is bounded
// as well.
func TestLimitsOfScripts(t *testing.T) {
	vars := tera.Vars{"x": "it's", "long": strings.Repeat("it's ", 200_000)}
	tests := []struct {
		name, src string
		refused   bool
	}{
		{"many lines", "{% for i in range(end=1000) %}echo {{ i }} \"{{ x }}\"\n{% endfor %}", false}, {"too many lines", "{% for i in range(end=100000) %}echo {{ i }}\n{% endfor %}", true}, {"many words", "echo{% for i in range(end=400) %} {{ x }}{% endfor %}", false},
		{"parts of a word", "echo {% for i in range(end=1900) %}{{ x }}{% endfor %}", true}, {"many quotes", "{% for i in range(end=7) %}echo {{ long }}\n{% endfor %}", true}, {"nested substitutions", "echo {% for i in range(end=30000) %}$({% endfor %}{{ x }}", true},
		{"branches", strings.Repeat("{% if x %}echo {{ x }}{% else %}echo \"{{ x }}\"{% endif %}\n", 1500), false}, {"nested branches", strings.Repeat("{% if x %}{% for i in [1] %}", 40) + "echo {{ x }}\n" + strings.Repeat("{% else %}:{% endfor %}{% endif %}\n", 40), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			begun := time.Now()
			tmpl := parse(t, tt.src)
			_, err := tmpl.Shell(vars, tera.POSIX)
			ran := time.Since(begun)
			tmpl.CheckShell(tera.POSIX)
			t.Logf("run %v, check %v: %.200v", ran, time.Since(begun)-ran, err)
			if (err != nil) != tt.refused {
				t.Errorf("refused is %.200v", err)
			}
			if took := time.Since(begun); took > hang {
				t.Errorf("took %v", took)
			}
		})
	}
}
