package tera_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"stroem/workspace/tera"
)

// TestPrintedReads checks where a script prints a variable of its environment so that it
// would become something else.
func TestPrintedReads(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ script, bad, good string }{
		{`echo "OUTPUT: {\"m\": \"$A\"}"`, `x","n":"y`, "it's"}, {`printf "hi $A\n"`, `a\nOUTPUT: {"n":1}`, "a b"}, {`printf "$A" x`, "-va[$(id)]", "a"}, {`y=$A; printf '{"m":"%s"}' "$y" > "$STROEM_OUTPUT"`, `"`, "a"},
		{`json() { printf '{"m":"%s"}' "$1"; }; echo "OUTPUT: $(json "$A")"`, `"`, "a"}, {`echo "OUTPUT: {\"m\": \"$(basename -- "$A")\"}"`, `"`, "a"}, {`echo "$A" > f; echo "OUTPUT: {\"m\": \"$(cat f)\"}"`, `"`, "a"}, {`printf "${E:-${A}}"`, `%`, "a"},
		{`set -- psql -o "$A"; "$@"`, "|b", "b"}, {`tar -c$A f`, "Ib", "1"}, {`awk -v v="$A" 'BEGIN { print v }'`, `\n`, "a"}, {`echo "$A" | xargs tar cf a.tar`, `"--b"`, "b"},
		{`bash -c 'echo -e "$1"' _ "$A"`, `\n`, "a"}, {`sh -c 'echo "OUTPUT: {\"m\":\"$A\"}"'`, `"`, "a"},
	} {
		reads := parse(t, c.script).CodeReads(tera.Bash, []string{"A"})
		refused := func(value string) bool {
			return slices.ContainsFunc(reads, func(r tera.Read) bool { return !r.Allows(value) })
		}
		if !refused(c.bad) || refused(c.good) {
			t.Errorf("%s: %v", c.script, reads)
		}
	}
}

// TestOptionsAreWarnedOf checks where a value may be taken for an option.
func TestOptionsAreWarnedOf(t *testing.T) {
	t.Parallel()
	for script, at := range map[string]string{
		"rm {{ x }}": "1:7", "rm -rf \"{{ x }}\"": "1:12", "sudo -n rm -f '{{ x }}' {{ y }}": "1:19 1:28", "grep {{ x }} f": "1:9", "grep -q {{ x }} f": "1:12", "git checkout {{ x }}": "1:17", "cp {{ x }} {{ y }}": "1:7 1:15", "curl {{ x }}": "1:9",
		"docker run {{ x }}": "1:15", "kubectl get pod {{ x }}": "1:20", "tar xf a {{ x }}": "1:13", "find {{ x }} -type f": "1:9", "find . -name {{ x }}": "", "if rm {{ x }}; then :; fi": "1:10", "y=$(cat {{ x }})": "1:12", "head -n 5 {{ x }}": "1:14", "rm $y {{ x }}": "", "cp -t a {{ x }}": "1:12",
		"rm -- {{ x }}": "", "git checkout --end-of-options {{ x }}": "", "git commit -m {{ x }}": "", "curl -H {{ x }} a": "", "grep -e {{ x }} f": "", "head -n {{ x }}": "", "rm ./{{ x }}": "", "rm \"a {{ x }}\"": "", "rm {{ x }}.txt": "1:7", "echo {{ x }}": "", "printf '%s' {{ x }}": "",
		"case {{ x }} in -*) exit 1;; esac\ngit checkout {{ x }} {{ y }}": "2:25", "y={{ x }}; case $y in -*) exit 1;; esac; rm \"$y\"": "", "case {{ x }} in -*) echo;; esac; rm {{ x }}": "1:40",
		"y={{ x }}; rm \"$y\"": "1:6", "f() { rm \"$1\"; }; f {{ x }}": "1:24", "y={{ x }}; rm -- \"$y\"; mv a \"b/$y\"": "",
		"deploy {{ x }}": "", "python3 -c 'import sys' {{ x }}": "", ". ./f {{ x }}": "", "[ -f {{ x }} ]": "", "cat <{{ x }}": "", "y={{ x }} rm a": "", "rm \"${y:-a}\" {{ x | length }}": "", "head {{ 'a' }}": "", "for f in {{ x }}; do rm -- \"$f\"; done": "", "grep --regexp {{ x }} f": "",
	} {
		for _, d := range []tera.Dialect{tera.Bash, tera.POSIX} {
			errs, warnings := parse(t, script).CheckShell(d)
			var got []string
			for _, w := range warnings {
				if w.Kind != tera.Option || !strings.Contains(w.Fix, "-- before it") && !strings.Contains(w.Fix, "case {{ … }} in -*)") {
					t.Errorf("%s: %+v", script, w)
				}
				got = append(got, fmt.Sprintf("%d:%d", w.Line, w.Column))
			}
			if len(errs) > 0 || strings.Join(got, " ") != at {
				t.Errorf("%v %s: at %v, want %s: %v", d, script, got, at, errs)
			}
		}
	}
}

// TestNumbersAreWarnedOf checks that an author is told where only a number can
// come, before anything else does.
func TestNumbersAreWarnedOf(t *testing.T) {
	t.Parallel()
	for script, at := range map[string]string{
		"n={{ x }}\necho $((n + 1))": "1:6 $((n + 1))", "for i in {{ x.y }}; do\n  echo $((i))\ndone": "1:13 $((i))", "read -r n <<E\n{{ x }}\nE\n(( n > 1 ))": "2:4 (( n > 1 ))", "{% if x %}n={{ x }}{% else %}n=1{% endif %}\n[[ $n -gt 1 ]]": "1:16 $n -gt 1",
		"n={{ x | length }}; echo $((n))": "", "n=5; echo $((n)) {{ x }}": "", "echo $(( {{ x }} ))": "", "n={{ 5 }}; echo $((n))": "", "n={{ x }}; echo $n": "", "let n={{ x }}; let n++": "",
	} {
		errs, warnings := parse(t, script).CheckShell(tera.Bash)
		got := ""
		for _, w := range warnings {
			_, text, _ := strings.Cut(w.What, "which ")
			text, _, _ = strings.Cut(text, " runs")
			got += fmt.Sprintf("%d:%d %s", w.Line, w.Column, text)
			if w.Kind != tera.Counted || w.Path[0] != "x" {
				t.Errorf("%s: %+v", script, w)
			}
		}
		if len(errs) > 0 || got != at {
			t.Errorf("%s: at %q, want %q: %v", script, got, at, errs)
		}
	}
}

// TestCodeReads checks where a script reads a variable of its environment as code.
func TestCodeReads(t *testing.T) {
	t.Parallel()
	for script, at := range map[string]string{
		"echo $((A + 1))": "A 1:6", "echo a\n[[ $A -eq 1 ]] && eval \"$B\"": "A 2:4 B 2:24", "n=$A; m=$n\necho ${s:m}": "A 2:10", "A=5; echo $((A))": "", "echo \"$A\"; [ \"$A\" -eq 1 ]": "", "$A x": "A 1:1", "f() { echo $(( $1 )); }; f \"$B\"": "B 1:12",
		"{% if x %}echo $((A)){% else %}\necho $((B)) {{ x }}{% endif %}": "A 1:16 B 2:6", "echo $((": "", "read A; echo $((A))": "", "C=1; echo $((C))": "", "[ -v \"$A\" ]; unset \"$B\"": "A 1:6 B 1:20", "printf -v \"$A\" a": "A 1:11",
		"rm \"$A\"; rm -- \"$B\"": "A 1:4 rm", "find . $A": "A 1:8 find", "psql -o \"$A\"": "A 1:9", "case $A in -*) exit 1;; esac; rm \"$A\" \"$B\"": "B 1:39 rm", "case $A in ''|*[!0-9]*) echo no; exit 1;; esac\necho $((A + B))": "B 2:6",
		"case \"$A\" in ''|*[!0-9]*) exit 1;; esac; echo $((A))": "", "y=$A; A=5; case $A in *[!0-9]*) exit 1;; esac; eval \"$y\"": "A 1:53", "case $A in *[!0-9]*) exit 1 & ;; esac; eval \"$A\"": "A 1:45", "case $A in *[!0-9]*) exit 1;; esac <f; eval \"$A\"": "A 1:45",
		"case $A in -*) exit;; esac; rm \"${A#a}\"": "A 1:32 rm", "y=$A; A=1; eval \"$y\"": "A 1:17", "case $A in *[!0-9]*) exit 1;; esac; read A; eval \"$A\"": "", "exit() { :; }; case $A in *[!0-9]*) exit 1;; esac; eval \"$A\"": "A 1:57",
		"case $A in ''|*[!0-9]*) echo no;; esac; echo $((A))": "A 1:46", "case ${A%a} in ''|*[!0-9]*) exit;; esac; echo $((A))": "A 1:47", "if true; then case $A in -*) exit 1;; esac; fi; rm \"$A\"": "A 1:52 rm", "case $A in -*) exit 1;; esac; find . $A; eval \"$A\"": "A 1:38 find A 1:47", "case a in a) ;; -*) exit;; esac; rm \"$A\"": "A 1:37 rm",
	} {
		got := ""
		for _, r := range parse(t, script).CodeReads(tera.Bash, []string{"A", "B"}) {
			if strings.Contains(r.String(), "the script prints") {
				continue
			}
			got += fmt.Sprintf("%s %d:%d ", r.Name, r.Line, r.Column)
			if r.Option != "" {
				got += r.Option + " "
			}
			if r.Allows("-x -y|$(id)") || r.Allows("a") != (r.Option != "" || strings.Contains(script, "psql")) || r.String() == "" || r.Fix() == "" {
				t.Errorf("%s: %s; %s", script, r, r.Fix())
			}
		}
		if strings.TrimSpace(got) != at {
			t.Errorf("%s: %s, want %s", script, got, at)
		}
	}
}
