package tera_test

import (
	"fmt"
	"strings"
	"testing"

	"stroem/workspace/tera"
)

// TestShellLanguage checks scripts in which the template decides what is there:
// what comes out, with each value quoted for its place.
func TestShellLanguage(t *testing.T) {
	t.Parallel()
	vars := tera.Vars{"x": "it's $(id)", "n": 3, "l": []any{"a b", "$c", "d'e"}, "yes": true, "no": false, "o": map[string]any{"k": "v w"}}
	tests := []struct{ src, want string }{
		{"{% if yes %}echo {{ x }}{% else %}rm {{ x }}{% endif %}", `echo 'it'\''s $(id)'`}, {"{% if no %}rm {{ x }}{% endif %}", ""},
		{"{% if x == \"it's $(id)\" %}echo same{% endif %} $(date)", "echo same $(date)"}, {"cmd{% for a in l %} --arg {{ a }}{% endfor %}", `cmd --arg 'a b' --arg '$c' --arg 'd'\''e'`},
		{"{% for a in l %}printf '%s\\n' \"{{ loop.index }}: {{ a }}\"\n{% endfor %}", "printf '%s\\n' \"1: a b\"\nprintf '%s\\n' \"2: \"'$c'\"\"\nprintf '%s\\n' \"3: \"'d'\\''e'\"\"\n"},
		{"echo \"{% if yes %}{{ x }}{% endif %}\"", `echo ""'it'\''s $(id)'""`}, {"{% if yes %}echo '{% endif %}{{ x }}{% if yes %}'{% endif %}", `echo 'it'\''s $(id)'`},
		{"echo {{ l | join(sep=' ') }} {{ l | length }}", `echo 'a b $c d'\''e' '3'`}, {"echo {{ x | upper }} {{ 'lit $x' }} {{ n + 1 }}", `echo 'IT'\''S $(ID)' 'lit $x' '4'`},
		{"echo {% filter upper %}a {{ x }}; rm{% endfilter %}", `echo 'A IT'\''S $(ID); RM'`}, {"{% macro m(a) %}--x={{ a }} $(b){% endmacro %}cmd {{ self::m(a=x) }}", `cmd '--x=it'\''s $(id) $(b)'`},
		{"{% set y = x ~ '!' %}echo {{ y }}", `echo 'it'\''s $(id)!'`}, {"{% for k, v in o %}export {{ 'A' }}_={{ v }}{% endfor %}", ""}, {"{% for k, v in o %}A={{ v }}; echo {{ k }}{% endfor %}", `A='v w'; echo 'k'`},
		{"{% raw %}echo {{ x }}{% endraw %}; echo {{ n }}", "echo {{ x }}; echo '3'"}, {"echo 'OUTPUT: {\"l\": {{ l }}, \"x\": \"{{ x }}\"}'", `echo 'OUTPUT: {"l": ["a b","$c","d'\''e"], "x": "it'\''s $(id)"}'`}, {"echo 'OUTPUT: {{ o | json_encode }}'", `echo 'OUTPUT: {"k":"v w"}'`},
		{"echo 'OUTPUT: {\"x\": {{ x ~ '\"\\' | json_encode() }}}'", `echo 'OUTPUT: {"x": "it'\''s $(id)\u0022\u005c"}'`}, {"echo {{ x | safe }}", `echo 'it'\''s $(id)'`},
	}
	for _, tt := range tests {
		t.Run(tt.src, func(t *testing.T) {
			t.Parallel()
			got, err := parse(t, tt.src).Shell(vars, tera.Bash)
			if tt.want == "" && strings.Contains(tt.src, "export") {
				if err == nil {
					t.Errorf("a name from a value came through as %q", got)
				}
				return
			}
			if err != nil || got != tt.want {
				t.Errorf("got  %s, %v\nwant %s", got, err, tt.want)
			}
		})
	}
}

// TestBranchesAreChecked checks that an unsafe place is seen at load wherever it
// stands, and that nothing is said of what cannot happen.
func TestBranchesAreChecked(t *testing.T) {
	t.Parallel()
	tests := []struct {
		src string
		at  string // line:column of each complaint
	}{
		{"{% if a %}echo {{ x }}{% else %}sudo {{ x }}{% endif %}", "1:41"}, {"{% if a %}sudo {{ x }}{% elif b %}sudo {{ x }}{% else %}sudo {{ x }}{% endif %}", "1:19 1:43 1:65"}, {"{% if a %}{% if b %}echo{% else %}\nsudo {{ x }}{% endif %}{% endif %}", "2:9"},
		{"{% if a %}echo{% else %}{% if b %}echo{% elif c %}{% for i in l %}sudo {{ x }}{% endfor %}{% endif %}{% endif %}", "1:75"}, {"{% for i in l %}sudo {{ i }}{% else %}sudo {{ x }}{% endfor %}", "1:25 1:47"}, {"echo {% for i in l %}{{ i }} {% endfor %}", ""},
		{"{% for i in l %}{% if i %}{% break %}{% endif %}sudo {{ i }}{% endfor %}", "1:57"}, {"{% for i in l %}{% if i %}a{% else %}{% continue %}{% endif %}sudo {{ i }}{% endfor %}", "1:71"}, {"{% if a %}{{ x }}{% endif %}", "1:14"}, {"{% for i in l %}{{ i }} {% endfor %}", "1:20"},
		{"{% if a %}echo \"{% else %}echo '{% endif %}{{ x }}{% if a %}\"{% else %}'{% endif %}", ""}, {"{% if a %}if true; then{% endif %}\necho {{ x }}\n{% if a %}fi{% endif %}", ""}, {"{% if a %}if true; then{% endif %}\necho {{ x }}\n{% if b %}fi{% endif %}", ""},
		{"{% if a %}echo \"{{ x }}{% endif %}", "1:16"}, {"{% if a %}{% else %}echo ' {{ x }}{% endif %}", "1:26"}, {"if true; then {% if a %}echo {{ x }}{% endif %}", "1:1"}, {"{% filter upper %}{{ x }}{% endfilter %}", "1:11"}, {"{% macro m() %}a{% endmacro %}sudo {{ self::m() }}", "1:39"}, {"sudo {{ 'echo' }}", "1:9"},
		{"case $y in{% for i in l %}\n  {{ i }}) ;;{% endfor %}\nesac", "2:6"}, {"cmd \\\n{% for i in l %}  --a {{ i }} \\\n{% endfor %}  end", ""}, {"{% set y = x %}echo ${{ y }}", "1:25"},
	}
	for _, tt := range tests {
		t.Run(tt.src, func(t *testing.T) {
			t.Parallel()
			var got []string
			errs, _ := parse(t, tt.src).CheckShell(tera.Bash)
			for _, e := range errs {
				got = append(got, fmt.Sprintf("%d:%d", e.Line, e.Column))
				if e.Fix == "" || e.What == "" {
					t.Errorf("no reason or nothing to do: %v", e)
				}
			}
			if s := strings.Join(got, " "); s != tt.at {
				t.Errorf("complaints at %s, want %s: %v", s, tt.at, errs)
			}
		})
	}
}

// TestJSONIsMadeByTheTemplate checks that a text which only looks like JSON is
// not taken for it.
func TestJSONIsMadeByTheTemplate(t *testing.T) {
	t.Parallel()
	vars := tera.Vars{"x": `{"admin":true}`, "o": map[string]any{"a": 1}}
	for _, src := range []string{"echo 'OUTPUT: {{ x }}'", "echo 'OUTPUT: {{ o | json_encode(pretty=true) }}'", "echo 'OUTPUT: {{ o | json_encode | trim }}'", "echo 'OUTPUT: {% filter trim %}{{ x }}{% endfilter %}'"} {
		if got, err := parse(t, src).Shell(vars, tera.Bash); err == nil {
			t.Errorf("%s came out as %s", src, got)
		}
	}
}

// TestUncheckedBranchesAreRefusedWhenRun checks that a place which was never
// looked at is looked at before it runs.
func TestUncheckedBranchesAreRefusedWhenRun(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for i := range 200 {
		fmt.Fprintf(&b, "{%% if n == %d %%}echo{%% else %%}:{%% endif %%} {{ x }}\n", i)
	}
	b.WriteString("{% if n == 1000 %}sudo {{ x }}{% endif %}\n")
	tmpl := parse(t, b.String())
	tmpl.CheckShell(tera.Bash)
	if _, err := tmpl.Shell(tera.Vars{"n": 1, "x": "a"}, tera.Bash); err != nil {
		t.Errorf("a safe way is refused: %v", err)
	}
	if _, err := tmpl.Shell(tera.Vars{"n": 1000, "x": "a"}, tera.Bash); err == nil {
		t.Error("sudo came through")
	}
}
