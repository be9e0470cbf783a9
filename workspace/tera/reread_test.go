package tera_test

import (
	"os"
	"strings"
	"testing"

	"stroem/workspace/tera"
)

// reachable are scripts in which a program reads as code what a variable, a file,
// an alias or a function brings it, with a part of what is said about it.
var reachable = []struct{ script, says, only string }{
	{script: "cat >run.sh <<EOF\necho {{ x }}\nEOF\nsh run.sh", says: "the file run.sh"},
	{script: "cat >run.sh <<EOF\necho {{ x }}\nEOF\nchmod +x run.sh; ./run.sh", says: "the file run.sh"},
	{script: "{ echo {{ x }}; } >'out/run.sh'; \"./out/run.sh\"", says: "the file out/run.sh"},
	{script: `echo "NAME={{ x }}" >.env; . ./.env`, says: "the file .env"},
	{script: `f=$(mktemp); printf 'NAME=%s\n' {{ x }} >>"$f"; . "${f}"`, says: "the file $f"},
	{script: `echo {{ x }} | tee f >/dev/null; nice bash ./f`, says: "the file f"},
	{script: `echo {{ x }} >f; cat f | sh`, says: "the file f"},
	{script: `echo {{ x }} >f; sh <f`, says: "the file f"},
	{script: "f() { cat <<E\n{{ x }}\nE\n}; f >g; . ./g", says: "the file g"},
	{script: `f() { echo {{ x }}; }; f | sh`, says: "the output of f"},
	{script: "alias run='eval '\nrun {{ x }}", says: "the alias run"},
	{script: "y={{ x }}; sh <<E\necho $y\nE", says: "$y"},
	{script: `y={{ x }}; bash <<<"$y"`, says: "$y", only: "bash"},
	{script: `y={{ x }}; echo "$y" | sh`, says: "$y"},
	{script: `y={{ x }}; awk "BEGIN { print \"$y\" }"`, says: "$y"},
	{script: `y={{ x }}; awk -F , -v z=1 "/$y/"`, says: "$y"},
	{script: `y={{ x }}; sed -i "s|A|$y|" f`, says: "$y"},
	{script: `y={{ x }}; perl -e "print '$y'"`, says: "$y"},
	{script: `y={{ x }}; make V="$y"`, says: "$y"},
	{script: `y={{ x }}; ssh host "ls $y"`, says: "$y"},
	{script: `y={{ x }}; sudo $y`, says: "$y"},
	{script: `y={{ x }}; bash "./$y.sh"`, says: "$y"},
	{script: `y={{ x }}; python3 "$y"`, says: "$y"},
	{script: `y={{ x }}; find . -exec "$y" \;`, says: "$y"},
	{script: `y={{ x }}; tar -I "$y" -cf a f`, says: "$y"},
	{script: `y={{ x }}; git -c "core.pager=$y" log`, says: "$y"},
	{script: "exec 3<<E\n{{ x }}\nE\nsh <&3", says: "the descriptor 3"},
	{script: `exec 9<<<{{ x }}; . /dev/fd/9`, says: "the descriptor 9", only: "bash"},
	{script: `$SHELL -c {{ x }}`, says: "behind -c"},
	{script: `$0 -c "echo {{ x }}"`, says: "behind -c"},
	{script: "exec <<E\n{{ x }}\nE\nsh", says: "the descriptor 0"},
}

// TestReachable checks that the author of such a script is warned, and that an
// agent is refused.
func TestReachable(t *testing.T) {
	t.Parallel()
	for _, tt := range reachable {
		for name, d := range map[string]tera.Dialect{"bash": tera.Bash, "sh": tera.POSIX} {
			if tt.only != "" && tt.only != name {
				continue
			}
			tmpl := parse(t, tt.script)
			errs, warnings := tmpl.CheckShell(d)
			if len(errs) > 0 || len(warnings) == 0 || warnings[0].Kind != tera.Again || !strings.Contains(warnings[0].What, tt.says) {
				t.Errorf("%s: %v, %v", tt.script, errs, warnings)
			}
			if _, err := tmpl.Shell(tera.Vars{"x": "a b"}, d); err != nil {
				t.Errorf("%s: %v", tt.script, err)
			}
			text, err := tmpl.With(tera.Options{ForbidRaw: true}).Shell(tera.Vars{"x": "a b"}, d)
			if err == nil || !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), "allow_raw: true") {
				t.Errorf("%s came out as %s, %v", tt.script, text, err)
			}
		}
	}
}

// TestUnreachable checks that what only looks like that is let through to an agent
// without a warning.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	for _, script := range []string{
		`y={{ x }}; awk -v v="$y" '{ print v }' f`, `y={{ x }}; sed -e s/a/b/ "$y"`, `y={{ x }}; perl -e 'print $ARGV[0]' "$y"`, `y={{ x }}; python3 -c 'import sys' "$y"`,
		`echo {{ x }} >key.pem; chmod 600 key.pem`, `printf '%s\n' {{ x }} >a; grep -c b a; wc -l <a; cat a`, "cat >c.json <<E\n{\"a\": \"{{ x }}\"}\nE\nnode app.js c.json",
		`main() { echo "hi $1"; }; main {{ x }} 2>&1 | tee log`, `y={{ x }}; mkdir -p "out/$y"; cd "out/$y"; git commit -m "$y"; docker run -e V="$y" image`,
		`V={{ x }}; export V; ./deploy.sh "$V"; "$HOME/bin/x" "$V"; env A="$V" ./run.sh; sudo -u app ./x "$V"`, `y={{ x }}; sh -c 'echo "$1"' _ "$y"`,
	} {
		tmpl := parse(t, script)
		if errs, warnings := tmpl.CheckShell(tera.POSIX); len(errs)+len(warnings) > 0 {
			t.Errorf("%s: %v, %v", script, errs, warnings)
		}
		if _, err := tmpl.With(tera.Options{ForbidRaw: true}).Shell(tera.Vars{"x": "a b"}, tera.POSIX); err != nil {
			t.Errorf("%s: %v", script, err)
		}
	}
}

// TestNumbersFromAfar checks values that get into arithmetic, or into a variable
// that decides what runs, by way of files, functions and other shells.
func TestNumbersFromAfar(t *testing.T) {
	t.Parallel()
	for _, script := range []string{
		`y={{ x }}; PS4=$y; set -x; :`, `y={{ x }}; RANDOM=$y`, `y={{ x }}; export PATH="$y:$PATH"`, `export y={{ x }}; sh -c 'eval "echo $y"'`,
		`y={{ x }}; bash -c 'echo $(( $1 ))' _ "$y"`, `echo {{ x }} >f; eval "$(cat f)"`, `echo {{ x }} >f; y=$(cat <f); echo $((y))`,
		`echo {{ x }} >f; read -r y <./f; echo $((y))`, `f() { echo {{ x }}; }; n=$(f); echo $((n))`,
		`y={{ x }}; eval 'echo $((y))'`, `y={{ x }}; eval '$y'`, `y={{ x }}; eval "\$y a"`, `y={{ x }}; trap 'eval "$y"' EXIT`, `y={{ x }}; alias run="$y"`,
	} {
		tmpl := parse(t, script)
		if errs, warnings := tmpl.CheckShell(tera.Bash); len(errs) > 0 || len(warnings) == 0 || warnings[0].Kind != tera.Counted {
			t.Errorf("%s: %v, %v", script, errs, warnings)
		}
		if text, err := tmpl.Shell(tera.Vars{"x": "a[$(id)]"}, tera.Bash); err == nil {
			t.Errorf("%s came out as %s", script, text)
		}
		if _, err := tmpl.Shell(tera.Vars{"x": "12"}, tera.Bash); err != nil {
			t.Errorf("%s: %v", script, err)
		}
	}
}

// TestFilesThatRun runs a few of the scripts above as an agent's, with values that
// attack; whatever is not refused must not run them.
func TestFilesThatRun(t *testing.T) {
	t.Parallel()
	for _, sh := range shells {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			haveShell(t, sh)
			dir, touched := canary(t)
			for _, tt := range reachable {
				if strings.Contains(tt.script, "ssh") || strings.Contains(tt.script, "sudo") {
					continue
				}
				for _, v := range assault {
					v = strings.ReplaceAll(v, "CANARY", touched)
					script, err := parse(t, tt.script).With(tera.Options{ForbidRaw: true}).Shell(tera.Vars{"x": v}, sh.dialect)
					if err == nil {
						_, _ = run(t, sh.args, dir, script)
					}
				}
			}
			if _, err := os.Stat(touched); err == nil {
				t.Error("a value was run")
			}
		})
	}
}
