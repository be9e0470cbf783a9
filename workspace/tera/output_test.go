package tera_test

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"stroem/workspace/tera"
)

// forging are values that try to end the JSON string in which they stand.
var forging = []string{
	`plain`, ``, `a "quoted" b`, `","admin":true,"z":"`, `"} `, `\`, `\"`, `\\`, `\u0022,\u0022admin\u0022:true`, `\n`, `\c`, `\0101`, "\x01\x1b\x7f",
	"a\nOUTPUT: {\"admin\":true}", "a\r\nOUTPUT: {}", "\t\b\f", `'`, `$(id)`, "`id`", `it's`, `é日🙂`, `%s%n`, "\u2028", `a\`, `</script>`,
	`"}` + "\n" + `OUTPUT: {"admin":true}`, `\",\"admin\":true,\"z\":\"`, `u0022`, `!`, `# x`,
}

// TestOutputCannotBeForged runs scripts that print OUTPUT lines with hostile
// values: one line comes out, it is JSON, and the value arrives in its field.
func TestOutputCannotBeForged(t *testing.T) {
	t.Parallel()
	scripts := []string{
		`echo 'OUTPUT: {"m": "{{ x }}", "n": 1}'`,
		`echo "OUTPUT: {\"m\": \"{{ x }}\", \"n\": 1}"`,
		`echo OUTPUT: '{"m": "{{ x }}", "n": 1}'`,
		`echo "OUTPUT:{\"m\": \""{{ x }}"\", \"n\": 1}"`,
		`echo OUTPUT: {\"m\":'"{{ x }}", "n": 1}'`,
		`printf '%s\n' 'OUTPUT: {"m": "{{ x }}", "n": 1}'`,
		`printf '%s\n' "OUTPUT: {\"z\": \"{{ x }}{{ x }}\", \"m\": \"{{ x }}\", \"n\": 1}"`,
		"echo 'first line\nOUTPUT: {\"m\": \"{{ x }}\", \"n\": 1}'",
		"cat <<EOF\nOUTPUT: {\"m\": \"{{ x }}\", \"n\": 1}\nEOF", "cat <<'EOF'\na {{ 'b' }}\nOUTPUT: {\"m\": \"{{ x }}\", \"n\": 1}\nEOF",
		`printf '%s\n' $'OUTPUT: {"m": "{{ x }}", "n": 1}'`, `echo $'a\nOUT''PUT: {"m": "{{ x }}", "n": 1}'`, `echo $'a\x0a\117UTPUT:'" {\"m\": \"{{ x }}\", \"n\": 1}"`,
		`y='OUTPUT: {"m": "{{ x }}", "n": 1}'; printf '%s\n' "$y"`,
	}
	scripts = append(scripts, `echo "OUTPUT: $(printf '{"m": "%s", "n": 1}' {{ x }})"`, `z=$(printf '%s' '{"m": "{{ x }}", "n": 1}'); printf '%s\n' "OUTPUT: $z"`)
	const file = `STROEM_OUTPUT=out; `
	for _, script := range []string{
		`echo '{"m": "{{ x }}", "n": 1}' > "$STROEM_OUTPUT"`,
		`printf '%s\n' '{"m": "{{ x }}", "n": 1}' >$STROEM_OUTPUT`,
		`printf '{"m": "%s", "n": %d}' {{ x }} 1 >$STROEM_OUTPUT`,
		`{ true; echo "{\"m\": \"{{ x }}\", \"n\": 1}"; } >> "${STROEM_OUTPUT}"`,
		`if true; then echo '{"m": "{{ x }}", "n": 1}'; fi | tee "$STROEM_OUTPUT" >/dev/null`,
		"cat > \"$STROEM_OUTPUT\" <<EOF\n{\n\"m\":\n\"{{ x }}\",\n \"n\": 1}\nEOF\n",
		"cat <<'EOF' > \"$STROEM_OUTPUT\"\n{\"m\": \"{{ x }}\", \"n\": 1}\nEOF\n",
	} {
		scripts = append(scripts, file+script+"\ntr -d '\\n' <out | sed 's/^/OUTPUT: /'")
	}
	for _, sh := range shells {
		for _, script := range scripts {
			t.Run(sh.name+" "+script, func(t *testing.T) {
				t.Parallel()
				haveShell(t, sh)
				tmpl := parse(t, script)
				if strings.Contains(script, "$'") && sh.dialect == tera.POSIX {
					return
				}
				if strings.Contains(script, `OUTPUT: {\"m`) && strings.HasPrefix(script, "echo O") {
					if _, err := tmpl.Shell(tera.Vars{"x": "a"}, sh.dialect); err == nil {
						t.Error("an unquoted brace is not refused")
					}
					return
				}
				for _, v := range forging {
					text, err := tmpl.Shell(tera.Vars{"x": v}, sh.dialect)
					if err != nil {
						t.Fatalf("%q: %v", v, err)
					}
					out, err := run(t, sh.args, t.TempDir(), text)
					if err != nil {
						t.Fatalf("%q: %v", v, err)
					}
					checkOutput(t, out, v)
				}
			})
		}
	}
}

func checkOutput(t *testing.T, out, v string) {
	t.Helper()
	var lines []string
	for line := range strings.Lines(out) {
		if rest, ok := strings.CutPrefix(line, "OUTPUT:"); ok {
			lines = append(lines, rest)
		}
	}
	var got map[string]any
	if len(lines) != 1 {
		t.Fatalf("%q gave %d lines: %q", v, len(lines), out)
	}
	if err := json.Unmarshal([]byte(lines[0]), &got); err != nil {
		t.Fatalf("%q is no JSON: %v in %q", v, err, lines[0])
	}
	if got["m"] != v || got["n"] != 1.0 || got["admin"] != nil {
		t.Errorf("%q arrived as %v", v, got)
	}
}

// TestOutputOutsideOfAString checks values that are JSON themselves.
func TestOutputOutsideOfAString(t *testing.T) {
	t.Parallel()
	values := []any{1, -2.5, true, false, nil, json.Number("12"), []any{}, []any{"a\"b\\\n'", 1.0, nil}, map[string]any{"k": "<&>\u2028\x7f$(id)`", "l": []any{true}}}
	for _, sh := range shells {
		for _, script := range []string{`echo 'OUTPUT: {"m": {{ x }}}'`, `echo "OUTPUT: {\"m\": {{ x }}}"`, `printf '%s\n' 'OUTPUT: {"m": {{ x }}}'`} {
			t.Run(sh.name+" "+script, func(t *testing.T) {
				t.Parallel()
				haveShell(t, sh)
				for _, v := range values {
					text, err := parse(t, script).Shell(tera.Vars{"x": v}, sh.dialect)
					if err != nil {
						t.Fatalf("%v: %v", v, err)
					}
					out, err := run(t, sh.args, t.TempDir(), text)
					var got map[string]json.RawMessage
					if err != nil || json.Unmarshal([]byte(strings.TrimPrefix(out, "OUTPUT:")), &got) != nil {
						t.Fatalf("%v printed %q, %v", v, out, err)
					}
					want, _ := json.Marshal(v)
					var a, b any
					if json.Unmarshal(want, &a) != nil || json.Unmarshal(got["m"], &b) != nil || !equal(a, b) {
						t.Errorf("%s arrived as %s", want, got["m"])
					}
				}
			})
		}
	}
}

func equal(a, b any) bool {
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	return string(x) == string(y)
}

// TestValuesThatCannotBePrinted checks what is refused for the value's sake.
func TestValuesThatCannotBePrinted(t *testing.T) {
	t.Parallel()
	both := []tera.Dialect{tera.Bash, tera.POSIX}
	tests := []struct {
		script, value, says string
		dialects            []tera.Dialect
	}{
		{`echo 'OUTPUT: {"m": {{ x }}}'`, `1`, "outside of the quotes", both},
		{`echo "STATE: {{ x }}"`, `{}`, "outside of the quotes", both},
		{`echo GLOBAL_STATE: {{ x }}`, `{}`, "outside of the quotes", both},
		{`echo 'OUTPUT: {"m": "\{{ x }}"}'`, `n`, "backslash", both},
		{`echo 'OUTPUT: {"m": "\u00{{ x }}"}'`, `22`, "backslash", both},
		{`echo -e 'OUTPUT: {"m": "{{ x }}"}'`, `"`, "expand the escapes", both},
		{`echo -ne "OUTPUT: {\"m\": \"{{ x }}\"}"`, `\`, "expand the escapes", both},
		{`shopt -s xpg_echo; echo 'OUTPUT: {"m": "{{ x }}"}'`, `"`, "expand the escapes", both},
		{`printf '%b\n' 'OUTPUT: {"m": "{{ x }}"}'`, `"`, "expand the escapes", both},
		{`printf 'OUTPUT: {"m": "%s"}\n' {{ x }}`, `a`, "a line that the server reads", both},
		{`printf '%s%s\n' OUTPUT: {{ x }}`, `a`, "a line that the server reads", both},
		{`printf 'a\nOUTPUT: %s\n' {{ x }}`, `a`, "a line that the server reads", both},
		{`printf 'OUTPUT: {"m":"{{ x }}"}\n'`, `"`, "expand the escapes", both},
		{`printf 'OUTPUT: {"m":"{{ x }}"}\n'`, `%`, "expand the escapes", both},
		{`printf 'a\nOUTPUT: {"m":"{{ x }}"}\n'`, `a`, "backslash before", both},
		{`echo -e 'a\nOUTPUT: {"m":"{{ x }}"}'`, `a`, "backslash before", both},
		{`echo -e 'a\x0aOUTPUT: {"m":"{{ x }}"}'`, `a`, "backslash before", both},
		{`echo 'a\nOUTPUT: {"m":"{{ x }}"}'`, `a`, "backslash before", []tera.Dialect{tera.POSIX}},
		{`echo {{ x }}`, `a\nb`, `expand the backslash`, []tera.Dialect{tera.POSIX}},
		{`echo "{{ x }}"`, `a\`, `printf '%s\n'`, []tera.Dialect{tera.POSIX}},
		{`echo -e {{ x }}`, `a\nb`, `expand the backslash`, both},
		{`echo -n -e "{{ x }}"`, `a\nb`, `expand the backslash`, both},
		{`echo $OPTS "{{ x }}"`, `a\nb`, `expand the backslash`, both},
		{`builtin echo -e {{ x }}`, `a\nb`, `expand the backslash`, both},
		{`shopt -s xpg_echo; echo {{ x }}`, `a\nb`, `expand the backslash`, both},
		{`echo -e '\{{ x }}'`, `n`, `swallow`, both},
		{`echo -e '\x4{{ x }}'`, `1`, `swallow`, both},
		{`printf '%b' {{ x }}`, `a\nb`, `expand the backslash`, both},
		{`printf "$y" {{ x }}`, `a\nb`, `expand the backslash`, both},
		{`printf {{ x }}`, `a%s`, `printf '%s\n'`, both},
		{`printf "{{ x }}\n"`, `a\n`, `printf '%s\n'`, both},
		{`printf {{ x }} a`, `-v`, `option`, both},
		{`: {{ x }}`, "a\x00b", `NUL`, both},
		{`echo {{ x }}`, `-n`, "as an option", both},
		{`echo -n "{{ x }}" b`, `-nn`, "as an option", both},
		{`echo $y {{ x }}`, `-E`, "as an option", both},
		{`echo "{{ x }}: 5"`, `OUTPUT`, "as the step's output", both},
		{`echo a "{{ x }}: 5"`, "a\nOUTPUT", "as the step's output", both},
		{`echo {{ x }}: '{"a": 1}'`, `OUTPUT`, "as the step's output", both},
		{"cat <<E\n{{ x }}: 5\nE", `STATE`, "as the step's output", both},
		{`printf '%s: %s\n' {{ x }} 5`, `OUTPUT`, "as the step's output", both},
	}
	for _, tt := range tests {
		for _, d := range tt.dialects {
			t.Run(d.String()+" "+tt.script, func(t *testing.T) {
				t.Parallel()
				_, err := parse(t, tt.script).Shell(tera.Vars{"x": tt.value}, d)
				var e *tera.Error
				if !errors.As(err, &e) || !strings.Contains(e.Error(), tt.says) {
					t.Errorf("says %v, not %q", err, tt.says)
				}
			})
		}
	}
}

// TestExampleScriptsWork checks the scripts of every day.
func TestExampleScriptsWork(t *testing.T) {
	t.Parallel()
	script, err := os.ReadFile("testdata/deploy.sh")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []tera.Dialect{tera.Bash, tera.POSIX} {
		if errs, _ := parse(t, string(script)).CheckShell(d); len(errs) > 0 {
			t.Errorf("%v: %v", d, errs)
		}
	}
}

// TestNoLineIsForged runs scripts that print a value at the beginning of a line:
// no value may become a line that the server reads.
func TestNoLineIsForged(t *testing.T) {
	t.Parallel()
	values := []any{`OUTPUT: {"admin":true}`, `OUTPUT:{}`, " OUTPUT: 1", `STATE: {}`, `GLOBAL_STATE: {"a":1}`, "a\nOUTPUT: [1]\nb", "a\rOUTPUT: true", `OUTPUT:`, `a/OUTPUT:{"n":1}`, `a OUTPUT: {"n":1}`}
	for _, script := range []string{
		`echo {{ x }}`, `echo "{{ x }}"`, `echo -n '{{ x }}'`, `printf '%s\n' {{ x }}`, "cat <<E\n{{ x }}\nE", "cat <<'E'\na\n{{ x }}\nE", `y={{ x }}; echo "$y"`,
		`log() { echo "$*"; }; log {{ x }}`, `echo {{ x }} '{"a":1}'`, `printf '%s %s\n' {{ x }} '{"a":1}'`,
	} {
		for _, v := range values {
			if text, err := parse(t, script).Shell(tera.Vars{"x": v}, tera.Bash); err == nil || !strings.Contains(err.Error(), "$STROEM_OUTPUT") {
				t.Errorf("%s with %q came out as %s, %v", script, v, text, err)
			}
		}
		for _, v := range []any{"STATE: Texas", "see OUTPUT: that", "my_OUTPUT: {}", "OUTPUT of it", "OUTPUT: a text", "state: {}"} {
			if _, err := parse(t, script).Shell(tera.Vars{"x": v}, tera.Bash); err != nil {
				t.Errorf("%s with %q: %v", script, v, err)
			}
		}
	}
	for _, script := range []string{`echo {{ x }}{{ y }}`, `echo "{{ x }}"'{{ y }}'`, `printf '%s%s\n' {{ x }} {{ y }}`} {
		if text, err := parse(t, script).Shell(tera.Vars{"x": "OUT", "y": `PUT: {"a":1}`}, tera.Bash); err == nil {
			t.Errorf("%s came out as %s", script, text)
		}
	}
	for script, lang := range map[string]tera.Language{`print({{ x }})`: tera.Python, `print("{{ x }}")`: tera.Python, "console.log(`{{ x }}`)": tera.JavaScript} {
		if text, err := parse(t, script).Code(tera.Vars{"x": values[0]}, lang); err == nil {
			t.Errorf("%s came out as %s", script, text)
		}
	}
	if text, err := parse(t, `echo {{ 'OUTPUT: {"a":1}' }}`).Shell(nil, tera.Bash); err != nil || !strings.Contains(text, "OUTPUT") {
		t.Errorf("the author's own line came out as %s, %v", text, err)
	}
}
