package tera_test

import (
	"encoding/json"
	"strings"
	"testing"

	"stroem/workspace/tera"
)

// programs are scripts in which a program reads as code what a variable, a file,
// an alias or a function brings it, with a part of what is said about it.
var programs = []struct{ script, says, only string }{
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
	{script: `y={{ x }}; psql -c "select '$y'"`, says: "$y"},
	{script: `y={{ x }}; sqlite3 f.db "select '$y'"`, says: "$y"},
	{script: `printf 'FROM %s\n' {{ x }} > web/Dockerfile`, says: "code by its name"},
	{script: `echo "export A={{ x }}" >> ~/.profile`, says: "code by its name"},
	{script: `echo {{ x }} > f; cp f web/Dockerfile`, says: "code by its name"},
	{script: `echo {{ x }} | tee -a /etc/cron.d/app`, says: "code by its name"},
	{script: `run() { timeout 5 "${@:2}"; }; run a {{ x }}`, says: "$@", only: "bash"},
	{script: `y={{ x }}; perl -e "print '$y'"`, says: "$y"},
	{script: `y={{ x }}; make SHELL="$y"`, says: "$y"},
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
	{script: `f() { echo {{ x }}; }; f > >(bash)`, says: "the file >(…)", only: "bash"},
	{script: `f() { echo {{ x }}; }; bash < <(f)`, says: "the output of f", only: "bash"},
	{script: `printf '%s' {{ x }} | cat > s.sh; sh s.sh`, says: "the file s.sh"},
	{script: `echo {{ x }} > s.sh; bash -o errexit s.sh`, says: "the file s.sh"},
	{script: `echo {{ x }} > s.sh; mv s.sh t.sh; sh t.sh`, says: "the file t.sh"},
	{script: `echo {{ x }} > f.py; python3 -m f`, says: "the file f.py"},
	{script: "echo {{ x }} > Makefile; make", says: "the file Makefile"},
	{script: `echo {{ x }} > s.sh; cp s.sh bin/; sh bin/s.sh`, says: "the file bin/s.sh"},
	{script: `y={{ x }}; sed -e s/a/b/ -e "$y"`, says: "$y"},
	{script: `y={{ x }}; jq --indent 2 "$y"`, says: "$y"},
	{script: `y={{ x }}; deno eval "$y"`, says: "$y"},
	{script: `y={{ x }}; bun x "$y"`, says: "$y"},
	{script: `y={{ x }}; env PAGER="$y" git log`, says: "$y"},
	{script: `y={{ x }}; env PYTHONPATH=$y ./run.sh`, says: "$y"},
	{script: `y={{ x }}; xargs rm $y`, says: "$y"},
	{script: `y={{ x }}; find . -exec rm $y ;`, says: "$y"},
	{script: `y={{ x }}; git $y y`, says: "$y"},
	{script: `y={{ x }}; tmux new -s "$y"`, says: "$y"},
}

// numbers are scripts in which the shell itself reads a value as code, as a name or
// as a number.
var numbers = []string{
	`sh -c 'eval "$1"' _ {{ x }}`,
	`n={{ x }}; m=$(echo n); ((m))`,
	`set -- {{ x }}; eval "$1"`,
	`y={{ x }}; set -- env "$y"; "$@"`,
	`export V={{ x }}; su app -c 'eval ls $V'`,
	`export V={{ x }}; flock l -c '$V'`,
	`retry() { shift 2; "$@"; }; retry 3 5 {{ x }}`,
	`retry() { while [ $# -gt 1 ]; do shift; done; "$@"; }; retry 3 5 7 {{ x }}`,
	`run() { eval shift; "$@"; }; run a {{ x }}`,
	`run() { shift; r2 "$@"; }; r2() { shift; "$1"; }; run a b {{ x }}`,
	`sh -c '$0' {{ x }}`,
	`sh -c '"$0" "$@"' {{ x }}`,
	`sh -c 'shift; "$@"' _ a {{ x }}`,
	`sh -c 'while [ $# -gt 1 ]; do shift; done; eval "$1"' _ a b {{ x }}`,
	`set -- a {{ x }}; echo $(( $2 ))`,
	`set -- "$@" --tag {{ x }}; eval "$2"`,
	`set -- {{ x }}; "$@"`,
	"n={{ x }}; while read m; do ((m)); done <<E\nn\nE",
	`n={{ x }}; set -- n; (( $1 ))`,
	`f() { declare -gi "$@"; }; f k; n={{ x }}; k=$n`,
	`n={{ x }}; builtin -- declare -i k; k=$n`,
	`y={{ x }}; RANDOM="y"`,
	`n={{ x }}; wait -n -p "a[n]"`,
	`select n in a; do echo $((REPLY)); break; done <<< {{ x }}`,
	`coproc P { cat; }; echo {{ x }} >&${P[1]}; read n <&${P[0]}; echo $((n))`,
	`command_not_found_handle() { eval "$2"; }; nosuch {{ x }}`,
	`c() { eval "$1"; }; f=c; "$f" {{ x }}`,
	`docker exec c sh -c 'sh -c "$1"' _ {{ x }}`,
	`y={{ x }}; PS4=$y; set -x; :`,
	`y={{ x }}; RANDOM=$y`,
	`y={{ x }}; PS4='$((y))'; set -x; :`,
	"y={{ x }}; export y; bash <<'E'\necho $((y))\nE",
	`y={{ x }}; export y; bash <<<'echo $((y))'`,
	`y={{ x }}; export y; echo 'echo $((y))' | bash`,
	"y={{ x }} bash <<'E'\neval \"$y\"\nE",
	`y={{ x }}; export PATH="$y:$PATH"`,
	`export y={{ x }}; sh -c 'eval "echo $y"'`,
	`y={{ x }}; bash -c 'echo $(( $1 ))' _ "$y"`,
	`echo {{ x }} >f; eval "$(cat f)"`,
	`echo {{ x }} >f; y=$(cat <f); echo $((y))`,
	`echo {{ x }} >f; read -r y <./f; echo $((y))`,
	`f() { echo {{ x }}; }; n=$(f); echo $((n))`,
	`y={{ x }}; eval 'echo $((y))'`,
	`y={{ x }}; eval '$y'`,
	`y={{ x }}; eval "\$y a"`,
	`y={{ x }}; trap 'eval "$y"' EXIT`,
	`y={{ x }}; alias run="$y"`,
	`declare -A m; f() { local m; m[$1]=1; }; f {{ x }}`,
	`y={{ x }}; m=(1); declare -A m; m[$y]=1`,
	`y={{ x }}; f() { local m; declare -gA m; m[$y]=1; }; f`,
	`y={{ x }}; export -A m; m[$y]=1`,
	`y={{ x }}; declare -pA m; m[$y]=1`,
	`y={{ x }}; n=m; declare -A m; unset "$n"; m[$y]=1`,
	`y={{ x }}; n=y; echo "${!n@P}"`,
	`f() { [ "$@" ]; }; f -v {{ x }}`,
	`a=(-v {{ x }}); test "${a[@]}"`,
	`command -p declare -i k; k={{ x }}`,
	`env y={{ x }} bash -c 'eval "$y"'`,
	"n={{ x }}\necho $((n + 1))",
	`n=$(wc -l -- {{ x }}); echo $((n))`,
	`n=$(stat -c %n -- {{ x }}); echo $((n))`,
	`wc() { echo {{ x }}; }; n=$(wc -l <f); echo $((n))`,
	`n=$(echo {{ x }} | wc -l; echo {{ x }}); echo $((n))`,
	"n={{ x }}\necho $(($n + 1))",
	"n={{ x }}; m=$n; (( m++ ))",
	"n={{ x }}; let m=n+1",
	"n={{ x }}; echo ${y:n:1}",
	"n={{ x }}; echo ${a[n]}",
	"n={{ x }}; a[n]=1",
	"n={{ x }}; [[ $n -gt 1 ]]",
	"n={{ x }}; [[ -v $n ]]",
	"n={{ x }}; echo ${!n}",
	"n={{ x }}; eval \"$n\"",
	"n={{ x }}; bash -c \"$n\"",
	"declare -i n; n={{ x }}",
	"for n in {{ x }}; do echo $((n)); done",
	"f() { echo $(( $1 )); }; f {{ x }}",
	"f() { local n=$1; echo $(( n )); }; f {{ x }}",
	"read -r n <<< {{ x }}; echo $((n))",
	"echo {{ x }} | while read -r n; do echo $((n)); done",
	"n=$(echo {{ x }}); echo $((n))",
	"n={{ x }}; [ -v \"$n\" ]",
	"n={{ x }}; printf -v \"$n\" a",
	"n={{ x }}; unset \"$n\"",
	"a=({{ x }}); echo $(( ${a[0]} ))",
	"n={{ x }}; declare \"$n\"",
	"n={{ x }}; $n a",
	"n={{ x }}; \"$n\" a",
	"n={{ x }}; $m $n",
	"f() { \"$1\"; }; f {{ x }}",
	"f() { \"$@\"; }; f {{ x }}",
	"n={{ x }}; for ((i=0; i<n; i++)); do :; done",
	"declare -i n=1; n={{ x }}",
	"declare n={{ x }}; echo $((n))",
	"export n={{ x }}; echo $((n))",
	"readonly n={{ x }}; echo $((n))",
	"f() { local n={{ x }}; echo $((n)); }; f",
	"command export n={{ x }}; echo $((n))",
	"f() { command local n={{ x }}; echo $((n)); }; f",
	"read -r n <<E\n{{ x }}\nE\necho $((n))",
	"while read -r n; do echo $((n)); done <<E\n{{ x }}\nE",
	"f() { read -r n; echo $((n)); }; echo {{ x }} | f",
	"f() { read -r n; echo $((n)); }; g() { f; }; g <<E\n{{ x }}\nE",
	"read <<< {{ x }}; echo $((REPLY))",
	"exec <<< {{ x }}; read -r n; echo $((n))",
	"exec < <(echo {{ x }})\nwhile read -r n; do echo $((n)); done",
	"mapfile -t n <<< {{ x }}; echo $((n[0]))",
	"mapfile <<< {{ x }}; echo $((MAPFILE[0]))",
	"read -ra n <<< {{ x }}; echo $((n[1]))",
	"printf -v n %s {{ x }}; echo $((n))",
	"printf -v {{ 'n' }} %s {{ x }}; echo $((n))",
	"read {{ 'n' }} <<< {{ x }}; echo $((n))",
	"f() { shift; echo $(( $1 )); }; f a {{ x }}",
	"f() { echo $(( $2 )); }; f $a {{ x }}",
	"f() { echo $(( $3 )); }; f \"$@\" {{ x }}",
	"f() { echo $(( ${12} )); }; f 1 2 3 4 5 6 7 8 9 10 11 {{ x }}",
	"f() { shift; \"$@\"; }; f a {{ x }}",
	"f() { for n; do echo $((n)); done; }; f {{ x }}",
	"f() { for n in \"$@\"; do echo $((n)); done; }; f {{ x }}",
	"f() { echo $(( ${@:1:1} )); }; f {{ x }}",
	"n={{ x }}; set -- a $n; echo $(( $2 ))",
	"n={{ x }}; set -- \"$n\" b; shift 0; echo $(( $1 ))",
	"f() { while getopts n: o; do echo $((OPTARG)); done; }; f -n {{ x }}",
	"n={{ x }}; echo ${n@P}",
	"n={{ x }}; a[$n]=1",
	"n={{ x }}; a=([n]=1)",
	"n={{ x }}; echo ${s:$n}",
	"n={{ x }}; echo ${s:0:n}",
	"n={{ x }}; read \"$n\"",
	"n={{ x }}; test -v \"$n\"",
	"n={{ x }}; declare -n m=n; echo $((m))",
	"n={{ x }}; local -n m=$n",
	"n={{ x }}; m=(\"$n\"); echo $((m))",
	"n+={{ x }}; echo $((n))",
	"n=${y:-{{ x }}}; echo $((n))",
	"n=\"${y:-{{ x }}}\"; echo $((n))",
	"select n in {{ x }}; do echo $((n)); done",
	"a[1]={{ x }}; echo $((a[1]))",
	`y={{ x }}; : "${z:=$y}"; echo $((z))`,
	`y={{ x }}; : ${z=$y}; echo $((z))`,
	`y={{ x }}; [[ $y =~ .* ]]; echo $((BASH_REMATCH[0]))`,
	`: {{ x }}; z=$_; echo $((z))`,
	`coproc echo {{ x }}; read -r z <&${COPROC[0]}; echo $((z))`,
	`export y={{ x }}; z=$(printenv y); echo $((z))`,
	`export y={{ x }}; z=$(env | sed -n 's/^y=//p'); echo $((z))`,
	`y={{ x }}; z=$(set | tail -n 1); echo $((z))`,
	`export y={{ x }}; z=$(export -p | tail -n 1); a[z]=1`,
	`y={{ x }}; declare -p > f; z=$(cat f); echo $((z))`,
	`f=z; read -r $f <<< {{ x }}; echo $((z))`,
	`f=z; printf -v "$f" %s {{ x }}; a[z]=1`,
	`f() { read -r "$1" <<< "$2"; }; f z {{ x }}; echo $((z))`,
	`f() { eval "$1=\$2"; }; f z {{ x }}; echo $((z))`,
	`y={{ x }}; declare -a a="(b $y)"`,
	`y={{ x }}; o=-a; declare $o a="$y"`,
	`declare -i "n"; n={{ x }}`,
	`declare "-i" n; n={{ x }}`,
	`typeset -i "n"; n={{ x }}`,
	`o=-i; declare $o n; n={{ x }}`,
	`declare -i n$z; n={{ x }}`,
	`builtin declare -i n; n={{ x }}`,
	`command declare -i n; n={{ x }}`,
	`declare -n "n"; n={{ x }}`,
	`declare "-n" n; n={{ x }}`,
	`command declare -n n; n={{ x }}`,
	`o=-n; declare $o n; n={{ x }}`,
	`f() { echo {{ x }}; }; $(f)`,
	`y={{ x }}; let "n=y+1"`,
	`y={{ x }}; let 'n = y'`,
	`y={{ x }}; (( n = "y" ))`,
	`y={{ x }}; echo $(( "y" ))`,
	`y={{ x }}; echo $[ "y" ]`,
	`y={{ x }}; [[ "y" -eq 0 ]]`,
	`y={{ x }}; [[ 1 -lt 'y' ]]`,
	`y={{ x }}; a["y"]=1`,
	`y={{ x }}; echo ${a["y"]}`,
	`y={{ x }}; a=(["y"]=v)`,
	`y={{ x }}; echo ${s:"y"}`,
	`y={{ x }}; unset "a[y]"`,
	`y={{ x }}; unset a[y]`,
	`y={{ x }}; [ -v "a[y]" ]`,
	`y={{ x }}; test -v a[y]`,
	`y={{ x }}; [[ -v a[y] ]]`,
	`y={{ x }}; printf -v "a[y]" b`,
	`y={{ x }}; read "a[y]" <<< b`,
	`y={{ x }}; declare "a[y]=1"`,
	`y={{ x }}; declare -i q=y`,
	`y={{ x }}; declare -i q=y+1`,
	`y={{ x }}; declare -i q; q=y`,
	`y={{ x }}; declare -i q; q="y+1"`,
	`y={{ x }}; declare -i q; q+=y`,
	`y={{ x }}; declare -i q; for q in y; do :; done`,
	`y={{ x }}; declare -i q; read q <<< y`,
	`y={{ x }}; f() { local -i q=y; }; f`,
	`y={{ x }}; n=y; echo $((n))`,
	`y={{ x }}; n="y+1"; ((n))`,
	`y={{ x }}; f() { (( $1 > 3 )); }; f y`,
	`y={{ x }}; f() { local n=$1; echo $((n)); }; f y`,
	`y={{ x }}; for n in y z; do echo $(( n )); done`,
	`y={{ x }}; a=(y); (( a[0] ))`,
	`y={{ x }}; n=y; (( ${!n} ))`,
	`y={{ x }}; f() { local -n r=$1; ((r)); }; f y`,
	`y={{ x }}; f() { n=${!1}; }; f y; ((n))`,
	`y={{ x }}; f() { n=${!#}; ((n)); }; f "$y"`,
	`y={{ x }}; printf -v"$y" b`,
	`y={{ x }}; printf "-v$y" b`,
	`y={{ x }}; o=-v; printf $o "$y" b`,
	`y={{ x }}; wait -n -p"$y"`,
	`y={{ x }}; o=-v; test $o "$y"`,
	`y={{ x }}; o=-v; [ $o "$y" ]`,
	`y={{ x }}; f() { local -A m; m[a]=1; }; f; m[$y]=1`,
	`f() { local -A m; }; g() { local -a m; m[$1]=1; }; g {{ x }}`,
	`y={{ x }}; m[$y]=1; declare -A m`,
	`y={{ x }}; (declare -A m); m[$y]=1`,
	`y={{ x }}; declare -A m; unset m; m[$y]=1`,
	`y={{ x }}; f() { declare -A m; }; m=(); echo ${m[$y]}`,
	`y={{ x }}; if false; then declare -A m; fi; m[$y]=1`,
	`y={{ x }}; sleep 0 & wait -p "$y" $!`,
	`y={{ x }}; jobs -x "$y"`,
	`y={{ x }}; printf '%n' "$y"`,
	`y={{ x }}; fc "$y"`,
	`y={{ x }}; read "n" <<< a; : ${PATH:=$y}`,
	`y={{ x }}; read PS4 <<< "$y"`,
}

// nothing are scripts close to those, in which nothing is read as code.
var nothing = []string{
	`y={{ x }}; awk -v v="$y" '{ print v }' f`,
	`y={{ x }}; sed -e s/a/b/ "$y"`,
	`y={{ x }}; perl -e 'print $ARGV[0]' "$y"`,
	`y={{ x }}; python3 -c 'import sys' "$y"`,
	`echo {{ x }} >key.pem; chmod 600 key.pem`,
	`printf '%s\n' {{ x }} >a; grep -c b a; wc -l <a; cat a`,
	"cat >c.json <<E\n{\"a\": \"{{ x }}\"}\nE\nnode app.js c.json",
	`main() { echo "hi $1"; }; main {{ x }} 2>&1 | tee log`,
	`y={{ x }}; mkdir -p "out/$y"; cd "out/$y"; git commit -m "$y"; docker run -e V="$y" image`,
	`V={{ x }}; export V; ./deploy.sh "$V"; "$HOME/bin/x" "$V"; env A="$V" ./run.sh; sudo -u app ./x "$V"`,
	`y={{ x }}; sh -c 'echo "$1"' _ "$y"`,
	"n={{ x }}; m=1; echo $((m)) \"$n\"",
	`n=$(wc -l < {{ x }}); y={{ x }}; m=$(cat "$y" | wc -c); echo $((n + m))`,
	`end=$(openssl x509 -in ./{{ x }} | cut -d= -f2); s=$(date -u -d "$end" +%s); echo $(( s / 86400 ))`,
	`set -- "$@" --tag {{ x }}; ./run.sh "$@"`,
	`retry() { local n=$1; shift; for i in $(seq "$n"); do "$@" && return; done; }; retry 3 curl -fsS "https://h/{{ x }}"`,
	`run() { "$@"; }; run ls -l a {{ x }}; f() { while [ $# -gt 0 ]; do shift; done; }`,
	`n=$(stat -c %s -- {{ x }}); m=$(grep -c -- {{ x }} f); (( n > m ))`,
	`n=$(echo {{ x }} | tr -cd 0-9); [[ $(date -u +%s) -gt $n ]]`,
	"n={{ x }}; echo ${#n}",
	"run() { \"$@\"; }; run git commit -m {{ x }}",
	"declare -A m; n={{ x }}; echo \"${m[$n]}\"",
	"read -r n <<< {{ x }}; echo \"$n\"",
	"n={{ x }}; bash -c 'echo \"$1\"' _ \"$n\"",
	"n={{ x }}; [ \"$n\" = a ]; export n",
	`y={{ x }}; jq -f p.jq "$y"`,
	`y={{ x }}; awk -f p.awk "$y"`,
	`y={{ x }}; psql -d "$y"`,
	`y={{ x }}; [ "$y" = a ]`,
	`y={{ x }}; [ -n "$y" -a "$z" = b ]`,
	`y={{ x }}; local y="$y"; declare z="$y"; export z="$y"`,
	`declare -A m; y={{ x }}; m[$y]=1; echo "${m[$y]}"`,
	`f() { local -A m; m[$1]=1; }; f {{ x }}`,
	`read -r -a parts <<< {{ x }}; echo "${parts[0]}"`,
	`y={{ x }}; n=$(wc -l <f); echo $((n + 1)) "$y"`,
	`count=0; file={{ x }}; n=$(wc -l < a); count=$((count + n)); cat ./"$file"`,
	`f() { echo "$1" > log; }; f {{ x }}; sh run.sh`,
	`y={{ x }}; sed -n -e p "$y"`,
	`y={{ x }}; . ./f "$y"`,
	`y={{ x }}; printf '%s' "$y" | cat > a.txt; cat a.txt`,
	`y={{ x }}; cp "a$y" "b$y"; cat ./"a$y"`,
	`y={{ x }}; docker exec box sh -c 'echo "$1"' _ "$y"`,
	`y={{ x }}; git log -- "$y"`,
	`y={{ x }}; case "$y" in -*) exit 1;; esac; cat ./"$y"`,
	`main() { for f in "$@"; do echo "$f"; done; }; main {{ x }}`,
	`y={{ x }}; m=$(( 10#12 )); echo "$y $m"`,
	`y={{ x }}; wait $!; kill "$pid"; echo "$y"`,
}

// TestProgramsRead checks that the author of a script in which a program reads a
// value is warned, and that an agent is refused.
func TestProgramsRead(t *testing.T) {
	t.Parallel()
	for _, tt := range programs {
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

// TestShellReads checks that where the shell reads a value, its author is told
// that only a number can come, and that anything else is refused.
func TestShellReads(t *testing.T) {
	t.Parallel()
	for _, script := range numbers {
		tmpl := parse(t, script)
		if errs, warnings := tmpl.CheckShell(tera.Bash); len(errs) > 0 || len(warnings) == 0 || warnings[0].Kind != tera.Counted {
			t.Errorf("%s: %v, %v", script, errs, warnings)
		}
		if text, err := tmpl.Shell(tera.Vars{"x": "a[$(id)]"}, tera.Bash); err == nil || !strings.Contains(err.Error(), "whole number") {
			t.Errorf("%s came out as %s, %v", script, text, err)
		}
		for _, n := range []any{5, "-12", "007", json.Number("7")} {
			if _, err := tmpl.Shell(tera.Vars{"x": n}, tera.Bash); err != nil {
				t.Errorf("%s with %v: %v", script, n, err)
			}
		}
	}
}

// TestListsAreRead checks what becomes the elements of an array, in which the shell
// runs what is in brackets.
func TestListsAreRead(t *testing.T) {
	t.Parallel()
	for _, script := range []string{
		`y={{ x }}; declare -a a="$y"`,
		`f() { local -a a="$1"; }; f {{ x }}`,
		`y={{ x }}; readonly -a a="$y"`,
		`y={{ x }}; declare -A a="$y"`,
		`y={{ x }}; typeset -a a=$y`,
		`y={{ x }}; declare -a a+="$y"`,
		`y={{ x }}; a=(1); declare a="$y"`,
		`printf -v 'a[0]' b; y={{ x }}; declare a="$y"`,
		`eval 'a=(1)'; y={{ x }}; declare a="$y"`,
		`y={{ x }}; f() { local -a a; local a="$y"; }; f`,
	} {
		if text, err := parse(t, script).Shell(tera.Vars{"x": "($(id))"}, tera.Bash); err == nil || !strings.Contains(err.Error(), "in brackets") {
			t.Errorf("%s came out as %s, %v", script, text, err)
		}
		if _, err := parse(t, script).Shell(tera.Vars{"x": "a [b]"}, tera.Bash); err != nil {
			t.Errorf("%s: %v", script, err)
		}
	}
}

// TestNothingReads checks that an agent may run what only looks like that, and that
// nobody is warned.
func TestNothingReads(t *testing.T) {
	t.Parallel()
	for _, script := range nothing {
		tmpl := parse(t, script)
		errs, warnings := tmpl.CheckShell(tera.Bash)
		for _, w := range warnings {
			if w.Kind != tera.Option {
				t.Errorf("%s: %v", script, w)
			}
		}
		if len(errs) > 0 {
			t.Errorf("%s: %v", script, errs)
		}
		if _, err := tmpl.With(tera.Options{ForbidRaw: true}).Shell(tera.Vars{"x": "a[$(id)]"}, tera.Bash); err != nil {
			t.Errorf("%s: %v", script, err)
		}
	}
}
