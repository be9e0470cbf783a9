package tera_test

import (
	"fmt"
	"strings"
	"testing"

	"stroem/workspace/tera"
)

// TestRaw checks that raw writes a value as it is, and that what stands beside it
// is quoted for the place that comes of it.
func TestRaw(t *testing.T) {
	t.Parallel()
	tests := []struct{ script, x, want string }{
		{"ls {{ x | raw }}", "-l *.txt", "ls -l *.txt"}, {"ls {{ x | raw }} {{ y }}", "-l *.txt", "ls -l *.txt 'it'\\''s'"},
		{"{{ x | raw }} {{ y }}", "printf %s", "printf %s 'it'\\''s'"}, {`: {{ x|raw }}{{ y }}{{ x | raw }}`, `"`, `: ""'it'\''s'""`},
		{"{% for a in [x] %}: {{ a | upper | raw }}; {% endfor %}", "a b", ": A B; "}, {"{{ 'a b' | raw }}", "", "a b"}, {"{{ x | default(value='') | raw }}", "a", "a"},
	}
	for _, tt := range tests {
		got, err := parse(t, tt.script).Shell(tera.Vars{"x": tt.x, "y": "it's"}, tera.Bash)
		if err != nil || got != tt.want {
			t.Errorf("%q came out as %q, %v", tt.script, got, err)
		}
	}
	for script, says := range map[string]string{
		"{{ x | raw }} {{ y }}": "choose what runs", ": {{ x | raw }} '{{ y }}": "does not parse", "{{ z | raw }}{{ y }} a": "choose what runs", ": {{ x | raw }} \"{{ y }}": "does not parse",
	} {
		if got, err := parse(t, script).Shell(tera.Vars{"x": "sudo", "y": "it's", "z": ""}, tera.Bash); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %q, %v", script, got, err)
		}
	}
	if errs, _ := parse(t, "ls {{ x | raw }} {{ y }}\n{{ x | raw }} {{ y }}").CheckShell(tera.Bash); len(errs) > 0 {
		t.Error(errs)
	}
	if errs := parse(t, "y = 1\n{{ x | raw }}").CheckCode(tera.Python); len(errs) != 1 || errs[0].Line != 2 {
		t.Error(errs)
	}
	if _, err := parse(t, "y = {{ x | raw }}").Code(tera.Vars{"x": 1}, tera.Python); err == nil {
		t.Error("raw in python is not refused")
	}
}

func TestRaws(t *testing.T) {
	t.Parallel()
	got := ""
	for _, r := range parse(t, "{{ a.b | raw }}\n{{ c }} {% if d %}{{ 'x' | raw }}{% endif %} {{ get_env(name=e.f) ~ g | raw }}").Raws() {
		got += fmt.Sprint(r.Path, r.Line, r.Column, " ")
	}
	if got != "[a b] 1 4 [] 2 22 [e f] 2 49 " {
		t.Errorf("%q", got)
	}
}

func TestForbidRaw(t *testing.T) {
	t.Parallel()
	vars := tera.Vars{"input": map[string]any{"x": "a"}, "secret": map[string]any{"k": "s k"}, "step": "b"}
	for script, ok := range map[string]bool{
		"{{ 'a b' | raw }}": true, "{{ secret.k | raw }}": true, "{{ secret['k'] ~ ' a' | raw }}": true, "{{ input.x }}": false, "{{ input.x | raw }}": false, ": {{ step | upper | raw }}": false,
		"{{ secret[input.y | default(value='k')] | raw }}": false, "{{ 'a' | replace(from='a', to=input.x) | raw }}": false, "{% set secret = input.x %}{{ secret | raw }}": false, "{% for secrets in [input.x] %}{{ secrets | raw }}{% endfor %}": false,
		"{% macro m(a) %}{{ a }}{% endmacro %}{{ self::m(a=input.x) | raw }}": false, "{{ secret.k ~ input.x | raw }}": false, "{{ [input.x] | raw }}": false, "{{ not input.x | raw }}": false,
	} {
		_, err := parse(t, script).With(tera.Options{ForbidRaw: true}).Shell(vars, tera.Bash)
		switch {
		case ok && err != nil:
			t.Errorf("%q: %v", script, err)
		case !ok && err == nil, !ok && strings.Contains(script, "raw") && !strings.Contains(err.Error(), "allow_raw: true"):
			t.Errorf("%q is not refused: %v", script, err)
		}
	}
}
