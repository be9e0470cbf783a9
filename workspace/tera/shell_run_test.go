package tera_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"stroem/workspace/tera"
)

type shell struct {
	name    string
	args    []string
	dialect tera.Dialect
}

// shells are those the hostile values run in, with the dialect each speaks. sh
// may be bash too, so bash also runs what was written for sh.
var shells = []shell{
	{name: "bash", args: []string{"bash"}, dialect: tera.Bash},
	{name: "sh", args: []string{"sh"}, dialect: tera.POSIX},
	{name: "bash as sh", args: []string{"env", "LC_ALL=C", "bash", "--posix"}, dialect: tera.POSIX},
}

// hostile are values that try to be more than text. CANARY is made a path.
var hostile = []string{
	"", " ", "plain", "two words", "  lead and trail  ", "\t", "a\tb", "\n", "a\nb", "\n\na\n\n", "a\rb", "\r\n", "a\r\nb\r",
	"$(touch CANARY)", "`touch CANARY`", "${IFS}$(touch CANARY)", "$((1+1))", "$[1+1]", "$HOME", "${HOME}", "$1", "$@", "$$", "$", "a$", "$'\\'; touch CANARY; '",
	"'", "''", "'; touch CANARY; '", "'\\''; touch CANARY; '\\''", "\"", "\"\"", "\"; touch CANARY; \"", "'\"'\"'$(touch CANARY)", "\\'; touch CANARY; \\'",
	"\\", "\\\\", "a\\", "\\\n", "a\\\nb", "\\$(touch CANARY)", "\\`touch CANARY\\`", "\\\"; touch CANARY; #", "\\\\\"; touch CANARY; #",
	";", "; touch CANARY", "&& touch CANARY", "| touch CANARY", "|| touch CANARY", "& touch CANARY &", "\ntouch CANARY\n", "\r\ntouch CANARY\r\n",
	"> CANARY", ">CANARY", "2>CANARY", "<(touch CANARY)", ">(touch CANARY)", "<<EOF\nx\nEOF\ntouch CANARY", "EOF\ntouch CANARY\n", "<<<x",
	"#", "# x", "a # b", "*", "?", "[a-z]*", "/*", "{a,b}", "{1..3}", "~", "~root", "~+", "!", "!!", "!x", "a!b", "^a^b", "%s%n%x", "%", "%%",
	"a[$(touch CANARY)]", "x[$(touch CANARY)]=1", "[$(touch CANARY)]=x", "a=$(touch CANARY)", "PATH=.", "()", "() { touch CANARY; }", "f() { :; }; touch CANARY",
	")", ") touch CANARY", "}", "} ; touch CANARY", ";; esac; touch CANARY", "esac", "fi; touch CANARY", "done; touch CANARY", "then", "do", "in", "if",
	"-n", "-e", "-c", "--", "-", "--help", "-v", "]", "[", "=", "(", "-a", "-o", "!=",
	"\x01", "a\x01b", "\x7f", "\x01\x7f\x01", "\x1b[31m", "\b\a\v\f", "\x80", "\x81\x82\x83\x84\x85\x86\x87\x88", "\xff\xfe", "\xc3", "é", "日本語", "ソ表\\", "\x83\\", "\x83\"; touch CANARY; \"", "\x83'; touch CANARY; '",
	"\x81\x5c$(touch CANARY)", "\u2028", "\u00a0", "\ufeff", "🙂", "OUTPUT: {\"x\":1}", "x\nOUTPUT: {\"x\":1}", "{{ x }}", "{% if x %}", "{{ '$(touch CANARY)' }}",
	"1", "007", "-1", "1.5", "0x10", "a b\"c'd\\e$f`g", "Zq0000000000000000x0000000z", "\\u0022", "\\n", "\\c", "\\0101", "a;b&c|d<e>f(g)h",
}

// canary is a path that hostile values try to create; dir is where scripts run.
func canary(t *testing.T) (dir, path string) {
	t.Helper()
	dir = t.TempDir()
	return dir, filepath.Join(dir, "canary")
}

// run runs a script as the server does, by -c, in a folder of its own.
func run(t *testing.T, sh []string, dir, script string) (stdout string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute) // of a busy machine
	defer cancel()
	cmd := exec.CommandContext(ctx, sh[0], append(sh[1:len(sh):len(sh)], "-c", script)...)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "LC_ALL=C.UTF-8"}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err = cmd.Run(); err != nil && errs.Len() > 0 {
		t.Logf("stderr: %s", errs.String())
	}
	return out.String(), err
}

// haveShell skips a test whose shell is not on this machine.
func haveShell(t *testing.T, sh shell) {
	t.Helper()
	name, _, _ := strings.Cut(sh.name, " ")
	if runtime.GOOS == "windows" {
		t.Skip("the folders of Windows do not fit the scripts of this test, so nothing was run")
	}
	if _, err := exec.LookPath(name); err != nil {
		t.Skipf("%s is not on this machine, so nothing was run in it", name)
	}
}

// places are scripts that print the value V of x, and nothing else, followed by
// a dot. bash says that the script is for bash alone.
var places = []struct {
	name, script string
	bash         bool
	refuses      bool // some values
}{
	{name: "bare argument", script: `printf '%s.' {{ x }}`},
	{name: "second argument", script: `printf '%s%s.' '' {{ x }}`},
	{name: "single quotes", script: `printf '%s.' '{{ x }}'`},
	{name: "double quotes", script: `printf '%s.' "{{ x }}"`},
	{name: "part of a bare word", script: `y=$(printf '%s.' pre-{{ x }}-post; echo); y=${y#pre-}; printf '%s.' "${y%-post.}"`},
	{name: "between two quotes", script: `y=$(printf '%s.' 'pre '{{ x }}" post"); y=${y#pre }; printf '%s.' "${y% post.}"`},
	{name: "inside a single-quoted text", script: `y='pre {{ x }} post'; y=${y#pre }; printf '%s.' "${y% post}"`},
	{name: "inside a double-quoted text", script: `e=; y="pre ${e}{{ x }} ${e}post"; y=${y#pre }; printf '%s.' "${y% post}"`},
	{name: "assignment", script: `y={{ x }}; printf '%s.' "$y"`},
	{name: "assignment in double quotes", script: `y="{{ x }}"; printf '%s.' "$y"`},
	{name: "assignment in single quotes", script: `y='{{ x }}'; printf '%s.' "$y"`},
	{name: "assignment before a command", script: `y={{ x }} sh -c 'printf "%s." "$y"'`},
	{name: "for", script: `for y in {{ x }}; do printf '%s.' "$y"; done`},
	{name: "for in double quotes", script: `for y in "{{ x }}"; do printf '%s.' "$y"; done`},
	{name: "case", script: `y={{ x }}; case {{ x }} in "$y") printf '%s.' "$y";; *) echo WRONG;; esac`},
	{name: "case in double quotes", script: `y="{{ x }}"; case "{{ x }}" in "$y") printf '%s.' "$y";; *) echo WRONG;; esac`},
	{name: "command substitution", script: `y=$(printf '%s.' {{ x }}); printf '%s' "$y"`},
	{name: "command substitution in double quotes", script: `y="$(printf '%s.' "{{ x }}")"; printf '%s' "$y"`},
	{name: "nested substitution", script: `y="$(printf '%s' "$(printf '%s.' '{{ x }}')")"; printf '%s' "$y"`},
	{name: "function", script: `f() { printf '%s.' {{ x }}; }; f`},
	{name: "function's argument", script: `f() { printf '%s.' "$1"; }; f {{ x }}`},
	{name: "test with a count", script: `y={{ x }}; set -- a; if [ $# != {{ x }} ] || [ "$y" = {{ x }} ]; then printf '%s.' "$y"; fi`},
	{name: "subshell and pipe", script: `(printf '%s.' {{ x }}) | cat`},
	{name: "if and test", script: `y="{{ x }}"; if [ "{{ x }}" = "$y" ]; then printf '%s.' {{ x }}; fi`},
	{name: "export", script: `export y={{ x }}; printenv y | tr -d '' >/dev/null; printf '%s.' "$y"`},
	{name: "wrapped command", script: `env y={{ x }} sh -c 'printf "%s." "$y"'`},
	{name: "exec", script: `exec printf '%s.' {{ x }}`},
	{name: "local", script: `f() { local y="{{ x }}"; printf '%s.' "$y"; }; f`},
	{name: "after a here-document", script: "cat <<'EOF' >/dev/null\nit's \"$(\nEOF\nprintf '%s.' {{ x }}"},
	{name: "after a comment", script: "# it's \"$(\nprintf '%s.' \"{{ x }}\" # it's\n"},
	{name: "several on one line", script: `: {{ x }} "{{ x }}" '{{ x }}'; printf '%s.' {{ x }}; : '{{ x }}' "{{ x }}" {{ x }}`},
	{name: "double quotes with escapes", script: `y="\"\$\\ {{ x }} \"\$"; y=${y#??? }; printf '%s.' "${y% ??}"`},
	{name: "array", script: `y=(a {{ x }} "{{ x }}"); printf '%s.' "${y[1]}"`, bash: true},
	{name: "here-string", script: `y=$(cat <<< {{ x }}; echo .); printf '%s.' "${y%??}"`, bash: true},
	{name: "here-string in double quotes", script: `y=$(cat <<< "{{ x }}"; echo .); printf '%s.' "${y%??}"`, bash: true},
	{name: "declare", script: `declare y={{ x }}; printf '%s.' "$y"`, bash: true},
	{name: "appended", script: `y=; y+={{ x }}; printf '%s.' "$y"`, bash: true},
	{name: "process substitution", script: `cat <(printf '%s.' {{ x }})`, bash: true},
	{name: "here-document", script: "cat <<EOF >f\n{{ x }}.\nEOF\ny=$(cat f); printf '%s' \"$y\"", refuses: true},
	{name: "inside a here-document's line", script: "z=a; cat <<E >f\nit's \"$z\"{{ x }}\\$ $(echo b).\nE\ny=$(cat f); y=${y#????????}; printf '%s.' \"${y%????}\"", refuses: true},
	{name: "here-document as it is", script: "cat <<'EOF' >f\n$(`\\\\{{ x }}.\nEOF\ny=$(cat f); printf '%s' \"${y#?????}\"", refuses: true},
	{name: "here-document without tabs", script: "cat <<-EOF >f\n\t{{ x }}.\n\tEOF\ny=$(cat f); printf '%s' \"$y\"", refuses: true},
	{name: "here-document as it is, without tabs", script: "cat <<-\\EOF >f\n\t{{ x }}.\n\tEOF\ny=$(cat f); printf '%s' \"$y\"", refuses: true},
	{name: "two here-documents", script: "{ cat <<A; cat <<'B'; } >f\nx{{ x }}\nA\n{{ x }}.\nB\ny=$(cat f); z={{ x }}; printf '%s' \"${y#\"x$z\"?}\"", refuses: true},
	{name: "alternative", script: "unset y; printf '%s.' ${y:-{{ x }}}"},
	{name: "alternative of what is set", script: "z=a; y=${z:+b{{ x }}\"c\"}; y=${y#b}; printf '%s.' \"${y%c}\""},
	{name: "alternative in quotes of its own", script: "unset y; printf '%s.' ${y-'{{ x }}'}"},
	{name: "alternative in double quotes of its own", script: "y=; printf '%s.' ${y:-\"{{ x }}\"}"},
	{name: "alternatives in a list", script: "for y in ${y:-{{ x }}}; do printf '%s.' \"$y\"; done"},
	{name: "argument of a sourced script", script: `printf 'printf "%%s." "${1-$y}"' >f; y={{ x }}; . ./f {{ x }}`},
	{name: "fallback", script: `unset y; printf '%s.' "${y:-{{ x }}}"`},
	{name: "fallback of an empty variable", script: `y=; printf '%s.' "${y:-{{ x }}}"`},
	{name: "inside a fallback", script: `unset y; z="${y-pre {{ x }} post}"; z=${z#pre }; printf '%s.' "${z% post}"`},
	{name: "fallback of what is set", script: `y=1; printf '%s.' "${y:+{{ x }}}"`},
	{name: "two fallbacks", script: `unset y; z={{ x }}; [ "${y:-{{ x }}}${y-{{ x }}}" = "$z$z" ] && printf '%s.' "$z"`},
	{name: "fallback in a substitution", script: `unset y; printf '%s' "$(printf '%s.' "${y:-{{ x }}}")"`},
	{name: "fallback that is not taken", script: `y={{ x }}; printf '%s.' "${y-{{ x }}}"`},
	{name: "element of an array", script: `i=3; a[1]={{ x }}; a[$i]="{{ x }}"; a[i+1]=b; [ "${a[1]}" = "${a[3]}" ] && printf '%s.' "${a[1]}"`, bash: true},
	{name: "declare -rx", script: `declare -rx y={{ x }}; printf '%s.' "$y"`, bash: true},
	{name: "local -r", script: `f() { local -r y="{{ x }}"; printf '%s.' "$y"; }; f`, bash: true},
	{name: "conditional", script: `y={{ x }}; [[ "{{ x }}" == "$y" && $y = {{ x }} && ! ( $y != '{{ x }}' ) && "a{{ x }}" == *"{{ x }}" && a{{ x }}b == a{{ x }}? && ! "{{ x }}" < {{ x }} && ( -n {{ x }} || -z "{{ x }}" ) ]] && printf '%s.' "$y"`, bash: true},
	{name: "conditional on its own", script: `y={{ x }}; if [[ {{ x }} || ! "$y" ]]; then printf '%s.' "$y"; fi; [[ -e nosuch/{{ x }} ]] && echo WRONG`, bash: true},
	{name: "before a pattern for files", script: `for y in ./nosuch-{{ x }}/*.txt ./nosuch-"{{ x }}"/?; do y=${y#./nosuch-}; done; printf '%s.' "${y%/?}"`},
	{name: "below the home directory", script: `y=~/{{ x }}; y=${y#"$HOME/"}; printf '%s.' "$y"; echo "a.$$" >/dev/null`},
	{name: "comment", script: "# {{ x }}\nprintf '%s.' {{ x }}"},
	{name: "comment behind a command", script: "printf '%s.' {{ x }} # it's {{ x }}\n: $(echo a)"},
	{name: "comment in a function", script: "f() { # {{ x }}\n  printf '%s.' {{ x }} #{{ x }}\n}\nf # {{ x }}"},
	{name: "dollar quotes", script: `printf '%s.' $'{{ x }}'`, bash: true},
	{name: "inside dollar quotes", script: `y=$'a\'\n{{ x }}\t{{ x }}\x41'; y=${y#???}; [ "$y" = {{ x }}$'\t'{{ x }}A ] && printf '%s.' {{ x }}`, bash: true, refuses: true},
	{name: "select's list", script: `select y in {{ x }}; do break; done <<< 1 2>/dev/null; printf '%s.' "$y"`, bash: true},
}

// TestHostileValues runs every hostile value in every place: it must arrive byte
// for byte, or be refused, and nothing may be run.
func TestHostileValues(t *testing.T) {
	t.Parallel()
	for _, sh := range shells {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			haveShell(t, sh)
			for _, pl := range places {
				if pl.bash && sh.dialect == tera.POSIX {
					continue
				}
				t.Run(pl.name, func(t *testing.T) {
					tmpl := parse(t, pl.script)
					if errs, _ := tmpl.CheckShell(sh.dialect); len(errs) > 0 {
						t.Fatalf("refused without values: %v", errs)
					}
					arrive(t, tmpl, sh.args, sh.dialect, pl.refuses)
				})
			}
		})
	}
}

// arrive runs a template with every hostile value in one shell: each rendering
// is a script of its own, and all of them are run by one outer script.
func arrive(t *testing.T, tmpl *tera.Template, sh []string, d tera.Dialect, refuses bool) {
	t.Helper()
	dir, touched := canary(t)
	type sent struct{ value, file string }
	var all []sent
	refused := 0
	for i, v := range hostile {
		step := every
		if every > 1 && len(sh) > 1 {
			step = 4 * every // bash as sh reads what bash reads; a few of its values show that
		}
		if (i+len(tmpl.Refs())+int(d))%step != 0 {
			continue
		}
		v = strings.ReplaceAll(v, "CANARY", touched)
		script, err := tmpl.Shell(tera.Vars{"x": v}, d)
		if forges := strings.Contains(v, "OUTPUT: {"); forges && err != nil && strings.Contains(err.Error(), "step's output") {
			continue
		}
		if err != nil {
			if refused++; !refuses || refused > len(hostile)/8 {
				t.Errorf("%q is refused: %v", v, err)
			}
			continue
		}
		name := filepath.Join(dir, "s"+string(rune('A'+i/26))+string(rune('a'+i%26)))
		if err := os.WriteFile(name, []byte(script), 0o600); err != nil {
			t.Fatal(err)
		}
		all = append(all, sent{v, name})
	}
	outer := "for f in " + dir + "/s??; do " + strings.Join(sh, " ") + ` "$f" >"$f.out" 2>"$f.err"; done`
	if _, err := run(t, []string{"sh"}, dir, outer); err != nil {
		t.Logf("the last script failed: %v", err)
	}
	for _, s := range all {
		v, name := s.value, s.file
		got, err := os.ReadFile(name + ".out")
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != v+"." {
			script, _ := os.ReadFile(name)
			errs, _ := os.ReadFile(name + ".err")
			t.Errorf("%q arrived as %q\nscript: %s\nstderr: %s", v, got, script, errs)
		}
	}
	if _, err := os.Stat(touched); err == nil {
		t.Error("a value was run")
	}
}

func parse(t testing.TB, src string) *tera.Template {
	t.Helper()
	tmpl, err := tera.Parse(src)
	if err != nil {
		t.Fatalf("parse %q: %v", src, err)
	}
	return tmpl
}
