package tera_test

import (
	"strings"
	"testing"

	"stroem/workspace/tera"
)

// TestPrintersAreKnown checks that a printer is known behind other words, by which the
// backslash in a value would be expanded.
func TestPrintersAreKnown(t *testing.T) {
	t.Parallel()
	for _, script := range []string{
		`env echo -e {{ x }}`, `nice echo -e {{ x }}`, `timeout 2 echo -e {{ x }}`, `exec echo -e {{ x }}`, `command -p echo -e {{ x }}`, `command -- echo -e "{{ x }}"`, `timeout 5 printf "{{ x }}\n"`, `nice printf {{ x }}`, `env printf "%b\n" {{ x }}`,
		`echo {-e,-n} "{{ x }}"`, `O=(-e); echo "${O[@]}" {{ x }}`, `set -- -e; echo "$@" {{ x }}`, `E=-e; echo "$E" {{ x }}`, `echo "${U:--e}" "{{ x }}"`, `shopt -s xpg_"echo"; echo "{{ x }}"`,
		`r() { "$@"; }; r printf "%b\n" {{ x }}`, `r() { "$@"; }; r printf "{{ x }}"`, `r() { "$@"; }; r echo -e {{ x }}`, `p=printf; $p "%b" {{ x }}`,
		`sh -c 'echo "$1"' _ {{ x }}`, `bash -c 'echo -e "$1"' _ {{ x }}`, `bash -c 'printf "%b\n" "$1"' _ {{ x }}`, `sh -c 'printf "$1"' _ {{ x }}`, `set -- echo -e {{ x }}; "$@"`, `awk -v m={{ x }} 'BEGIN { print m }'`, `awk '{print m}' m={{ x }} f`, `stat --printf "{{ x }}\n"`, `find . -printf "{{ x }}\n"`, `curl -w "{{ x }}\n" u`, `date +"%F {{ x }}"`,
		`T={{ x }}; trap 'echo -e "$T"' EXIT`, `T={{ x }}; trap 'printf "$T"' EXIT`, `T={{ x }}; eval 'printf "$T"'`, `printf '%s\n' {{ x }} | xargs -d '\n' echo -e`, `printf '%s\n' {{ x }} | xargs -d '\n' printf`,
	} {
		if text, err := parse(t, script).Shell(tera.Vars{"x": `a\nOUTPUT: {"n": 1}`}, tera.Bash); err == nil {
			t.Errorf("%s came out as %s", script, text)
		}
		if _, err := parse(t, script).Shell(tera.Vars{"x": "a b"}, tera.Bash); err != nil {
			t.Errorf("%s: %v", script, err)
		}
	}
	for _, script := range []string{`command -p printf {{ x }} a`, `command -- printf {{ x }} a`, `builtin -- printf {{ x }} a`, `r() { "$@"; }; r printf {{ x }} a`, `r() { "$@"; }; r printf -v {{ x }} a`, `r() { "$@"; }; r test -v {{ x }}`, `r() { "$@"; }; r [ -v {{ x }} ]`, `bash -c 'printf "$1" a' _ {{ x }}`, `set -- printf {{ x }} a; "$@"`} {
		if text, err := parse(t, script).Shell(tera.Vars{"x": "-va[$(id)]"}, tera.Bash); err == nil {
			t.Errorf("%s came out as %s", script, text)
		}
	}
}

// TestFilesAreNotSent checks that curl sends a text and no file that it names.
func TestFilesAreNotSent(t *testing.T) {
	t.Parallel()
	for _, script := range []string{`curl -d {{ x }} u`, `curl -sd "{{ x }}" u`, `curl --data={{ x }} u`, `curl --json {{ x }} u`, `curl -d{{ x }} u`, `curl -F "f={{ x }}" u`, `curl -H {{ x }} u`, `y={{ x }}; curl -d "$y" u`, `curl --data-urlencode "{{ x }}" u`} {
		for value, fine := range map[string]bool{"@/etc/passwd": false, "hello @all": true, "": true, "a=b\nc": true} {
			if _, err := parse(t, script).Shell(tera.Vars{"x": value}, tera.Bash); (err == nil) != fine {
				t.Errorf("%s with %q: %v", script, value, err)
			}
		}
	}
}

// TestStringsOfJSONAreNotEnded checks values that get into the JSON of the output by a
// detour: they may not end its strings.
func TestStringsOfJSONAreNotEnded(t *testing.T) {
	t.Parallel()
	for _, script := range []string{
		`printf "OUTPUT: "; printf '{"m":"%s"}\n' {{ x }}`, `f() { printf '{"m":"%s"}' "$1"; }; echo "OUTPUT: $(f {{ x }})"`, `printf '{"m":"%s"}\n' {{ x }} > j.json; echo "OUTPUT: $(cat j.json)"`,
		`m=$(grep . < {{ x }}); echo "OUTPUT: {\"m\": \"$m\"}"`, `P=OUTPUT; echo "$P: {\"m\": \"{{ x }}\"}"`, `echo "${P:-OUTPUT}: {\"m\": \"{{ x }}\"}"`, `echo "$(printf OUTPUT): {\"m\": \"{{ x }}\"}"`,
		`exec > "$STROEM_OUTPUT"; echo '{"m":"{{ x }}"}'`, `exec 3> "$STROEM_OUTPUT"; echo '{"m":"{{ x }}"}' >&3`, `f=$STROEM_OUTPUT; echo '{"m":"{{ x }}"}' > "$f"`, `out() { cat > "$STROEM_OUTPUT"; }; echo '{"m":"{{ x }}"}' | out`,
		`w() { echo '{"m":"{{ x }}"}'; }; w > "$STROEM_OUTPUT"`, `w() { echo "{\"m\":\"$1\"}"; }; w {{ x }} > "$STROEM_OUTPUT"`, `echo '{"m":"{{ x }}"}' > o; cp o "$STROEM_OUTPUT"`, `env printf '{"m":"%s"}' {{ x }} > "$STROEM_OUTPUT"`,
		`echo '{"m":"{{ x }}"}' > o; cat o > "$STROEM_OUTPUT"`, "cat > o.json <<E\n{\"m\":\"{{ x }}\"}\nE\njq -c . o.json > \"$STROEM_OUTPUT\"", "jq -c . > \"$STROEM_OUTPUT\" <<E\n{\"m\":\"{{ x }}\"}\nE", "sed s/^// > \"$STROEM_OUTPUT\" <<'E'\n{\"m\":\"{{ x }}\"}\nE",
		`T={{ x }}; trap 'echo "OUTPUT: {\"m\":\"$T\"}"' EXIT`, `T={{ x }}; eval 'echo "OUTPUT: {\"m\":\"$T\"}"'`, `echo {{ x }} | xargs -I@ echo 'OUTPUT: {"m":"@"}'`,
		`sh -c 'echo "OUTPUT: {\"m\":\"$1\"}"' _ {{ x }}`, `env X={{ x }} sh -c 'echo "OUTPUT: {\"m\":\"$X\"}"'`, `export X={{ x }}; sh -c 'printf "{\"m\":\"%s\"}" "$X"' > "$STROEM_OUTPUT"`,
	} {
		for _, d := range []tera.Dialect{tera.Bash, tera.POSIX} {
			text, err := parse(t, script).Shell(tera.Vars{"x": `x","n":"y`}, d)
			if err == nil && !strings.Contains(text, `\u0022`) {
				t.Errorf("%v: %s came out as %s", d, script, text)
			}
			if _, err := parse(t, script).Shell(tera.Vars{"x": "a 'b'"}, d); err != nil {
				t.Errorf("%v: %s: %v", d, script, err)
			}
		}
	}
	// A line break in one value changes nothing for the next.
	for _, script := range []string{`echo 'OUTPUT: {"a": "{{ y }}", "m": "{{ x }}"}'`, `echo OUTPUT: '{"a": "{{ y }}",' '"m": "{{ x }}"}'`, `echo "OUTPUT: {\"a\": \"{{ y }}\", \"m\": \"{{ x }}\"}"`} {
		text, err := parse(t, script).Shell(tera.Vars{"x": `q","n":"1`, "y": "a\nb"}, tera.POSIX)
		if err != nil || !strings.Contains(text, `q\u0022,\u0022n`) && !strings.Contains(text, `q\\u0022,\\u0022n`) {
			t.Errorf("%s came out as %s, %v", script, text, err)
		}
	}
}

// TestRetold checks values that a variable takes to where printing changes them,
// or where they would end the JSON that the server reads.
func TestRetold(t *testing.T) {
	t.Parallel()
	const line, quote = `a\nOUTPUT: {"pw": 1}\c`, `", "pw": "1`
	for script, v := range map[string]string{
		`y={{ x }}; echo "$y"`: line, `y={{ x }}; z="a $y"; echo $z`: line, `for y in {{ x }}; do echo "$y"; done`: line, `f() { echo "$1"; }; f {{ x }}`: line, "echo \"$(cat <<E\n{{ x }}\nE\n)\"": line,
		`y={{ x }}; printf "$y"`: `%d`, `y={{ x }}; printf '%b' "$y"`: line, `y={{ x }}; echo "OUTPUT: {\"a\": \"$y\"}"`: quote, `y={{ x }}; echo 'OUTPUT: {"a": "'"$y"'"}'`: quote, `y={{ x }}; echo OUTPUT: "{\"a\": \"$y\"}"`: quote,
		"y={{ x }}; cat <<E\nOUTPUT: {\"a\": \"$y\"}\nE": quote, `y={{ x }}; printf "STATE: {\"a\": \"$y\"}\n"`: quote,
	} {
		tmpl := parse(t, script)
		if errs, _ := tmpl.CheckShell(tera.POSIX); len(errs) > 0 {
			t.Errorf("%s: %v", script, errs)
		}
		if text, err := tmpl.Shell(tera.Vars{"x": v}, tera.POSIX); err == nil {
			t.Errorf("%s came out as %s", script, text)
		}
		if _, err := tmpl.Shell(tera.Vars{"x": "a b"}, tera.POSIX); err != nil {
			t.Errorf("%s: %v", script, err)
		}
	}
	for script, v := range map[string]string{
		`y={{ x }}; printf "$y" a`: "-va", `y={{ x }}; command printf "$y" a`: "-va", `printf "$(echo {{ x }})" a`: "-va", `y=$(echo {{ x }}); printf "$y" a`: "-va", `printf ${z:-{{ x }}}b a`: "-va", `f() { printf "$1" a; }; f {{ x }}`: "-va",
		`echo a ${y:-'*\'{{ x }}}`: "va", `printf a${y:-'% '{{ x }}}`: "va", `y={{ x }}; [ $y = a ]`: "-v a", `y={{ x }}; test -n $y`: "*", `n=$(basename {{ x }}); [ $n = a ]`: "x -o b", `y={{ x }}; printf '%s\n' "OUTPUT: {\"m\": \"$y\"}"`: quote,
		`y={{ x }}; printf 'OUTPUT: {"m": "%s"}\n' "$y"`: quote, `f() { printf 'OUTPUT: {"n": %d, "m": "%s"}\n' 1 "$1"; }; f {{ x }}`: quote, `y={{ x }}; echo 'OUTPUT: {"m": "'"$y"'"}'`: "a\tb",
		`echo "OUTPUT: {\"m\": \"$(basename {{ x }})\"}"`: quote, `y=$(basename {{ x }} .txt); echo "OUTPUT: {\"m\": \"$y\"}"`: quote, `y={{ x }}; echo "OUTPUT: $y"`: `{"a": 1}`, `printf 'OUTPUT: %s\n' {{ x }}`: quote, `f() { printf 'OUTPUT: %s\n' "$1"; }; f {{ x }}`: quote,
		`y={{ x }}; z="{\"m\": \"$y\"}"; echo "OUTPUT: $z"`: quote, `z='{"m": "{{ x }}"}'; echo "OUTPUT: $z"`: quote, `y={{ x }}; echo "{\"m\": \"$y\"}" > "$STROEM_OUTPUT"`: quote, `y={{ x }}; printf '{"m": "%s"}' "$y" >"$STROEM_OUTPUT"`: quote,
		`P="OUTPUT:"; echo "$P {\"m\": \"{{ x }}\"}"`: quote, `f() { echo "OUTPUT: $1"; }; f '{"m": "{{ x }}"}'`: quote, `printf 'OUTPUT: '; echo '{"m": "{{ x }}"}'`: quote, `echo '{"m": "{{ x }}"}' | sed 's/^/OUTPUT: /'`: quote,
		`date "+{{ x }}"`: `OUTPUT: {"a":1}`, `env A={{ x }} printenv A`: `OUTPUT: {"a":1}`, `echo $(echo {{ x }})`: "-e a\\nOUTPUT: 1",
		"y={{ x }}; cat > \"$STROEM_OUTPUT\" <<E\n{\n\"m\": \"$y\"}\nE": quote,
	} {
		if text, err := parse(t, script).Shell(tera.Vars{"x": v}, tera.POSIX); err == nil {
			t.Errorf("%s came out as %s", script, text)
		}
	}
	for _, script := range []string{`y={{ x }}; printf -- "$y" a`, `y={{ x }}; printf '%s' "$y"`, `y={{ x }}; printf "a$y"`, `y={{ x }}; [ $y = a ]`} {
		if _, err := parse(t, script).Shell(tera.Vars{"x": "-va"}, tera.Bash); err != nil {
			t.Errorf("%s: %v", script, err)
		}
	}
	for _, script := range []string{
		`y={{ x }}; echo "$y"`, `y={{ x }}; printf '%s\n' "$y"`, `echo "OUTPUT: $(jq -nc --arg y {{ x }} '{y: $y}')"`, `y=$(jq -nc --arg y {{ x }} '{y: $y}'); echo "OUTPUT: $y"`, `y={{ x }}; echo "OUTPUT: $(jq -nc --arg y "$y" '{y: $y}')"`,
		`y={{ x }}; jq -n --arg y "$y" '{y: $y}' > "$STROEM_OUTPUT"`, `y={{ x }}; echo "$y" > f; echo "OUTPUT: {\"n\": $(wc -c <f)}"`, `y='{{ x }}'; echo "OUTPUT: {\"n\": \"$(printf %s "$y" | sha256sum)\"}"`,
		`n=$(printf '%s' {{ x }} | sha256sum); echo "OUTPUT: {\"n\": \"$n\"}"`, `y={{ x }}; echo "OUTPUT: {\"n\": ${#y}}"`,
	} {
		for _, v := range []string{line, quote} {
			if _, err := parse(t, script).Shell(tera.Vars{"x": v}, tera.Bash); err != nil {
				t.Errorf("%s: %v", script, err)
			}
		}
	}
}
