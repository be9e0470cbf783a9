package tera_test

import (
	"fmt"
	"strings"
	"testing"

	"stroem/workspace/tera"
)

// sums are places in arithmetic, which print the number V of x followed by a dot.
var sums = []struct {
	script string
	bash   bool
}{
	{script: `printf '%s.' "$(( {{ x }} ))"`}, {script: `printf '%s.' $(({{ x }}))`}, {script: `y=$((0 -{{ x }})); printf '%s.' "$((0 -y))"`}, {script: `printf '%s.' $(( ({{ x }} * 2 - {{ x }}) ))`}, {script: `printf '%s.' $((1?{{ x }}:2))`},
	{script: `printf '%s.' $((y={{ x }}))`}, {script: `(( y = {{ x }} )); printf '%s.' "$y"`, bash: true}, {script: `for ((i={{ x }}; i=={{ x }}; i++)); do printf '%s.' "$i"; done`, bash: true}, {script: `printf '%s.' "$(printf '%s' "$(({{ x }}))")"`},
	{script: `let y={{ x }} z=y-{{ x }}; [ "$z" = 0 ] && printf '%s.' "$y"`, bash: true}, {script: `let "y = 0-{{ x }}"; printf '%s.' "$((0 - y))"`, bash: true}, {script: `let 'y={{ x }}' 'y+=({{ x }})'; printf '%s.' "$((y - {{ x }}))"`, bash: true}, {script: `y=0; let y=y-"{{ x }}" || :; printf '%s.' "$((0 - y))"`, bash: true}, {script: `let y=0-{{ x }}; printf '%s.' "$((0 - y))"`, bash: true},
	{script: `declare -i y={{ x }}; printf '%s.' "$y"`, bash: true}, {script: `f() { local -ri y="{{ x }}"; printf '%s.' "$y"; }; f`, bash: true}, {script: `[[ {{ x }} -eq "{{ x }}" && ! ( '{{ x }}' -lt {{ x }} ) ]] && printf '%s.' {{ x }}`, bash: true},
	{script: `declare -A a; a[{{ x }}]=b; printf '%s.' "${!a[@]}"`, bash: true}, {script: `declare -A a; a=([{{ x }}]={{ x }}); printf '%s.' "${a[{{ x }}]}"`, bash: true}, {script: `declare -A a; a[{{ x }}]={{ x }}; printf '%s.' "$(( ${a[{{ x }}]} ))"; [ "$((a[{{ x }}]))" = {{ x }} ]`, bash: true},
	{script: `y=abc; : "${y:{{ x }}}" ${y:{{ x }}:2} "${y:0:{{ x }} > 3 ? 3 : 0}"; printf '%s.' "{{ x }}"`, bash: true},
	{script: `if (( {{ x }} == {{ x }} )); then printf '%s.' $(( - -{{ x }})); fi`, bash: true},
}

// TestArithmetic runs whole numbers in arithmetic, where every other value is refused.
func TestArithmetic(t *testing.T) {
	t.Parallel()
	numbers := []any{0, 1, -1, 7, int64(1) << 62, -(int64(1) << 62), "12", "-12", uint64(5)}
	strange := append([]string{"08", "+1", "--1", "1 ", " 1", "1e3", "1,2", "9223372036854775808", "-9223372036854775808", "1\n", "0x1f", "x", "PATH", "1+1", "a[$(touch CANARY)]", "١"}, hostile...)
	for _, sh := range shells {
		for _, sum := range sums {
			if sum.bash && sh.dialect == tera.POSIX {
				continue
			}
			t.Run(sh.name+" "+sum.script, func(t *testing.T) {
				t.Parallel()
				haveShell(t, sh)
				tmpl := parse(t, sum.script)
				if errs, _ := tmpl.CheckShell(sh.dialect); len(errs) > 0 {
					t.Fatal(errs)
				}
				for _, v := range numbers {
					text, err := tmpl.Shell(tera.Vars{"x": v}, sh.dialect)
					if err != nil {
						t.Errorf("%v: %v", v, err)
						continue
					}
					if out, err := run(t, sh.args, t.TempDir(), text); err != nil || out != fmt.Sprint(v)+"." {
						t.Errorf("%v arrived as %q, %v: %s", v, out, err, text)
					}
				}
				for _, v := range strange {
					if strings.Trim(strings.TrimPrefix(v, "-"), "123456789") == "" && len(v) < 3 && v != "" && v != "-" {
						continue
					}
					if text, err := tmpl.Shell(tera.Vars{"x": v}, sh.dialect); err == nil {
						t.Errorf("%q is not refused: %s", v, text)
					}
				}
			})
		}
	}
}

// TestSlices checks that a number is the offset that it says, below zero as well.
func TestSlices(t *testing.T) {
	t.Parallel()
	haveShell(t, shells[0])
	for n, want := range map[int]string{0: "abcd,a,z", 2: "cd,c,y", -1: "d,d,z", -3: "bcd,b,x"} {
		text, err := parse(t, `y=abcd; a=(z x y); a=("${a[@]}" z x y z); printf '%s,%s,%s' "${y:{{ x }}}" ${y:{{ x }}:1} "${a[{{ x }}]}"`).Shell(tera.Vars{"x": n}, tera.Bash)
		if err != nil {
			t.Fatal(err)
		}
		if out, err := run(t, shells[0].args, t.TempDir(), text); err != nil || out != want {
			t.Errorf("%d: %s, %v, not %s", n, out, err, want)
		}
	}
}

// TestNames runs names where a command takes one, where every other value is refused.
func TestNames(t *testing.T) {
	t.Parallel()
	strange := append([]string{"PATH", "IFS", "STROEM_OUTPUT", "GIT_SSH_COMMAND", "HOME", "LD_PRELOAD", "BASH_ENV", "PS4", "a b", "a[0]", "a[$(touch CANARY)]", "1a", "a-b", "a=b", "é", "a\n", "@", "*", "?", "$a"}, hostile...)
	for _, sh := range shells {
		for _, tt := range []struct {
			script string
			bash   bool
		}{
			{script: `echo ok >f; read {{ x }} <f; eval "printf '%s.' \"\$"'{{ x }}"'`}, {script: `export y=a; unset -v '{{ x }}'; unset "{{ x }}"; printf 'ok.'`},
			{script: `read -r -a "{{ x }}" <<< ok; printf 'ok.'`, bash: true},
			{script: `printf -v {{ x }} '%s' ok; [[ -v {{ x }} && ! ( ! -v "{{ x }}" ) ]] && [ -v {{ x }} ] && test ! -v a_b && printf 'ok.'`, bash: true},
		} {
			if tt.bash && sh.dialect == tera.POSIX {
				continue
			}
			t.Run(sh.name+" "+tt.script, func(t *testing.T) {
				t.Parallel()
				haveShell(t, sh)
				tmpl := parse(t, tt.script)
				for _, v := range []string{"y", "_a", "A1", "a_name", "in"} {
					text, err := tmpl.Shell(tera.Vars{"x": v}, sh.dialect)
					if err != nil {
						t.Errorf("%q: %v", v, err)
						continue
					}
					if out, err := run(t, sh.args, t.TempDir(), text); err != nil || out != "ok." {
						t.Errorf("%q: %q, %v: %s", v, out, err, text)
					}
				}
				for _, v := range strange {
					if text, err := tmpl.Shell(tera.Vars{"x": v}, sh.dialect); err == nil && strings.Trim(v, "abcdefghijklmnopqrstuvwxyz") != "" && !strings.HasPrefix(v, "Zq") {
						t.Errorf("%q is not refused: %s", v, text)
					}
				}
			})
		}
	}
}

// TestHereDocumentsAreNotEnded checks that a value cannot end a here-document.
func TestHereDocumentsAreNotEnded(t *testing.T) {
	t.Parallel()
	const lines = "b\nEOF\ntouch CANARY"
	for _, tt := range []struct{ doc, value string }{
		{"cat <<EOF\n{{ x }}\nEOF\n", lines},
		{"cat <<'EOF'\na {{ x }}\nEOF", lines},
		{"cat <<-EOF\n\ta {{ x }}\n\tEOF\n", lines},
		{"cat <<\"EOF\"\n{{ x }}{{ y }}\nEOF\n", lines},
		{"cat <<EOF\nE{{ y }}{{ x }}\nEOF\n", "OF"},
		{"cat <<'EOF'\nEO{{ x }}\nEOF\n", "F"},
		{"cat <<EOF\n{{ x }}F\nEOF\n", "EO"},
		// bash joins the lines first.
		{"cat <<EOF\n{{ x }}\\\nF\n{{ y }}\nEOF\n", "EO"},
		{"cat <<EOF\n{{ x }}\\\n\n{{ y }}\nEOF\n", "EOF"},
		{"cat <<EOF\n{{ x }}\\\n\n{{ y }}\nEOF\n", "b\nEOF"},
		{"cat <<EOF\nE\\\nO{{ x }}\n{{ y }}\nEOF\n", "F"},
		{"cat <<EOF\nE\\\n\\\nO{{ x }}\\\n\n{{ y }}\nEOF\n", "F"},
	} {
		for _, d := range []tera.Dialect{tera.Bash, tera.POSIX} {
			tmpl := parse(t, tt.doc)
			if got, err := tmpl.Shell(tera.Vars{"x": tt.value, "y": ""}, d); err == nil || !strings.Contains(err.Error(), "ends the here-document") {
				t.Errorf("%q is not refused: %q, %v", tt.doc, got, err)
			}
			if _, err := tmpl.Shell(tera.Vars{"x": "aEOF\nEOFb\n EOF", "y": "c"}, d); err != nil {
				t.Errorf("%q: %v", tt.doc, err)
			}
		}
	}
}
