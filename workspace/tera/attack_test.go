package tera_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"stroem/workspace/tera"
)

// odd are pieces of shell whose quoting is easily read wrongly, and places.
var odd = []string{
	`: "${y:-{{ x }}}"`, `z="${y-a {{ x }}{{ x }} b}"`, `: "$z${y+{{ x }}}'"`, `a[1]={{ x }}`, `declare -r y={{ x }}`,
	"cat <<E\n{{ x }}\nE", "cat <<'E'\n{{ x }}\nE", "cat <<-E\n\ta {{ x }}\n\tE", "# {{ x }}", ": {{ x }} # {{ x }}", `: $'{{ x }}'`, `: "$(cat <<E` + "\n{{ x }}\nE\n)\"", ": $(( {{ x }} ))", ": # {{ x }}\\", `: ${y:-{{ x }}}`, `y=${y:+a{{ x }}"b"}`, ": ${y-{{ x }}\n} # it's",
	"{% if x %}echo {{ x }}{% else %}:{% endif %}", "{% for i in [1, 2] %}echo \"{{ x }}{{ i }}\"\n{% endfor %}", "echo {% filter trim %}a {{ x }} b{% endfilter %}", `echo {% if x %}"{% else %}'{% endif %}{{ x }}{% if x %}"{% else %}'{% endif %}`, "echo '{% for c in x %}{{ c }}{% endfor %}'", "y={{ x ~ x }}", `: "{{ x | replace(from='a', to=x) }}"`, "{% set z = [x, x] %}: {% for a in z %} {{ a }}{% endfor %}",
	`echo {{ x }}`, `echo "{{ x }}"`, `echo '{{ x }}'`, `echo "a {{ x }} b"`, `echo 'a {{ x }} b'`, `echo a"{{ x }}"'{{ x }}'{{ x }}`, `y={{ x }}`, `y="$y{{ x }}"`, `y="${y}{{ x }}"`, `: $(echo "{{ x }}")`, `echo "$(echo "{{ x }}")"`,
	`echo "$(echo '{{ x }}')"`, `case {{ x }} in a) : ;; esac`, `for i in {{ x }} b; do : "$i"; done`, `[ "{{ x }}" = a ]`, `f() { : "{{ x }}"; }`, `f {{ x }}`, `: >"{{ x }}"`, `a=({{ x }} "{{ x }}")`, `cat <<< "{{ x }}"`, `cat <<< {{ x }}`,
	`( : {{ x }} )`, `{ : "{{ x }}"; }`, `if [ -n {{ x }} ]; then : {{ x }}; fi`, `export y={{ x }}`, `: "$(: "$(: '{{ x }}')")"`, `printf '%s' {{ x }}`, `echo {{ x }}{{ x }}`, `echo "{{ x }}{{ x }}"`, `echo "{{ x }}"'{{ x }}'`,
	`: it\'s`, `: "it's"`, `: 'a"b'`, `: $'it\'s'`, `: $"it's"`, "# it's \"", ": # it's `", "cat <<E\nit's $(: \"')\")\nE", "cat <<'E'\nit's $( \" `\nE", "cat <<-E\n\tit's\n\tE", "cat <<E; : it\\'s\n\"'\nE", "cat <<E <<F\n'\nE\n\"\nF",
	`: ${y:-it\'s}`, `: "${y:-it's}"`, `: "${y:-"it's"}"`, `: ${y:-"}"}`, `: ${y:-'}'}`, `: "${y:-\}}"`, `: "${y#"'"}"`, `: "${y%'}'}"`, `: "${y//\"/\\\"}"`, `: "${y//\'/x}"`, `: ${y//"'"/x}`, `: "${y//"'"/x}"`, `: "${#y}"`, `: $#`, `: ${#}`, `: "$#'"`, `: "$'"`, `: $''`, `: "$"`, `: $`, `: a$'b'`,
	"y=`echo \"it's\"`", "y=`: \\`: x\\``", "y=\"`: \"a\"`\"", "y=\"`: \\\"'\\\"`\"", `: $(: # it's` + "\n)", `: "$(: # "` + "\n)\"", `: $(case x in x) : ;; esac)`, `: $(case x in (x) : ;; esac)`, `: $((1 + 1))`, `: $(( (1) ))`, `: $((: ) )`, `: $( (: ) )`, `: $[1]`, `(( 1 ))`, `((: ) )`, `[[ a == 'b' ]]`, `[[ a =~ ^(a|')$ ]]`, `[[ a =~ [\"'] ]]`, `[[ $y < "a" ]]`,
	`a[1]='b'`, `a['1']=b`, `a["1"]=b`, `declare -A m=(['a b']=c)`, `: ${a['1']}`, `: "${a["1"]}"`, `: ${m['a b']}`, `: "${m['a b']}"`, `: {a,"b'"}`, `: @(a|b)`, `: !(a|"b")`, `: [!a'b]'`, `: [[:alpha:]]`, `: \
it\'s`, `: "a\
b"`, `: 'a\
b'`, `: $\
y`, `: "$\
y"`, `: a\\`, `: "a\\"`, `: 'a\'`, `: \"`, `: "\'"`, "\t: a", ": a;: b", `: a&`, `! : a`, `: a||: b`, `: a | cat`, `: 2>&1`, `: >/dev/null`, `: <<<a`, `coproc :`, `time :`, `: <(:)`, `: "<(: ')"`, `function g { :; }`, `g() ( : )`, `select i in; do break; done`, `: ~/x`, `: "~'"`, `: a=b`, `: a=~`, `alias q='` + `'`, `let 1`, `let "1"`, `: \` + "`", `: $(<f)`, `: ${y@Q}`, `: ${!y}`, `: "${!y*}"`, `: ${y^^}`, `: ${y:1:2}`, `: "${y:$((1)):2}"`, `: ${y:?}`, `: "$*'$@"`, `: $*$@$!$-$?`, `: "${@:1}"`, `: "${*#'}"`, `: "${y+'}"`, `: "${y='}"`, `: ${y+"'"}`, `: ${y+\'}`,
	`: $(echo ')')`, `: $(echo ")")`, `: $(echo \))`, `: "$(echo ')' "\"")"`, "cat <<E\n${y:-it's}\nE", "cat <<E\n${y:-\"'\"}\nE", "cat <<E\n`: '`\nE", "cat <<E\n\\$(it's\nE", ": $(cat <<E\nit's\nE\n)", ": \"$(cat <<E\nit's \"\nE\n)\"", ": $(cat <<'E'\n) it's\nE\n)", ": <<E$(\nE$(", ": <<\"E F\"\n'\nE F", ": <<\\E\n'\nE", ": <<E'F'\n\"\nEF", "cat <<E\na\\\nE\nE", "{ cat <<E\n'\nE\n}", "if :; then cat <<E\n'\nE\nfi", ": <<A; : <<B\n'\nA\n\"\nB", "extglob=1; shopt -s extglob", ": <<E\nE", ": <<-E\n\tE\n", ": <<E\n${y}\nE", ": <<E\n${y}E\nE", ": <<E\n$(: a)E\n\nE", ": <<E\n\\E\nE", ": <<E\n$((1))E", ": <<'E'\n\\\nE", ": $(: <<E\n)\nE\n)", ": <<E\n${y:-\nE\n}\nE\n", ": <<E | cat\n'\nE", ": <<E && : <<'E'\n\"\nE\n'\nE", ": \"${y:-$(echo \"}\")}\"", ": ${y:-$(echo \\})}", ": \"${y:-`echo }`}\"", ": $(( $(echo 1) ))", ": $((1 << 2))", ": $((16#ff))", ": ${y#\\#}", ": ${y# #}", ": ${y//#/x}", ": \"${y/#a/b}\"", ": ${y:-#}", ": a#b'c'",
	": \"a\"#'b'", ": $(#x'\n:)", ": $(: # )\n)", "(#c'\n:)", ": $y#'b'", "{ #c'\n:; }", ":;#c'", ":&#c'", ":|#c'\ncat", "case x in #c'\nx) :;; esac", "a=( #c'\nb )", ": \\#'x'",
	":<<#E\n'\n#E", ": $(:)#it's'", "(:)#'", "f() { :; }#'", ": if then esac", ": {}", ": }", ": {", "! ! :", ": a |& cat", ": a &>/dev/null", ": >&-",
	": 3<>/dev/null", "a+=(b 'c')", "a=b'c'd\"e\"", ": $'\\\\'", ": $'a\\\\\\'b'", ": $'\\c'", ": \"$'a'\"", ": \"a$\"b", ": <<<$'a'", "[[ $y =~ \"a'\" ]]", "[[ $y =~ a\\'b ]]", "[[ $y == @(\\'|\\\") ]]",
	"[[ ! a || ( b && c ) ]]", ": $(( \"1\" ))", ": $(( '1' ))", ": $(( a['x'] ))", "a[\"it's\"]=1", "a[it\\'s]=1", "a[$(echo \"]\")]=x", ": ${a[\"]\"]}", ": \"${a[']']}\"", "case \"'\" in \\') :;; esac", "case a in [\\'\\\"]) :;; esac", "case a in *\"'\"*) :;; esac",
	"case a in [!'a']) : ;& b) :;; esac", "f-x() { :; }", ": \\\n#'", ": &\\\n& :", ": <\\\n<E\n'\nE", ": $\\\n(:)", ": $\\\n{y}", ": \"$\\\n(echo ')')\"", ": \"\\\n\"", ":\f'a'", ": #\v'", ":\u00a0'a'",
	": a\u00a0#'", ": é#'b'", ": `#'`", ": \"`#'`\"", ": \"`echo \\`echo a\\``\"", ": `echo \"$(echo \"a\")\"`", ": $(echo `echo ')'`)", ": ${y:-`echo \"}\"`}", ": \"${y:-'}'}\"", ": \"${y%%\"'\"*}\"", ": ${y/\"'\"/\\\"}", ": \"${y/\\}/x}\"",
	": \"${y:-{}}\"", ": \"${y:-${z:-}}}\"", ": \"${y-\\\"}\"", ": ${y+${z-'}'}}", ": \"${y:-a\\'b}\"", ": \"${y:-a\"b'c\"d}\"", ": \"${y#\\'}\"", "x=\"${y:-\"a b\"}\"", "x=${y:-\"a'b\"}", "cat <<E\n\"${y:-\"a'\"}\"\nE", "cat <<E\n$(echo \"a'b\")\nE", "cat <<E\n\\`\\$\\\\\nE",
	"set -f", "set +o posix", "x() { :; }; x",
}

// assault are values that open a file named CANARY when the shell reads them as code.
var assault = []string{
	`$(: >CANARY)`, "`: >CANARY`", `'; : >CANARY; '`, `"; : >CANARY; "`, `'"; : >CANARY; "'`, `"'; : >CANARY; '"`, "\n: >CANARY\n", "'\n: >CANARY\n'", "\"\n: >CANARY\n\"", `\'; : >CANARY; \'`, `\"; : >CANARY; \"`, `\`, `a\`, `';`, `' $(: >CANARY) '`, `" $(: >CANARY) "`,
	`a[$(: >CANARY)]`, `}; : >CANARY; {`, `}$(: >CANARY)`, `)); : >CANARY; ((`, `); : >CANARY; (`, "E\n: >CANARY\n", "\nE\n: >CANARY\n", `'$(: >CANARY)'`, `"$(: >CANARY)"`, `\$(: >CANARY)`, `\\$(: >CANARY)`, "\\`: >CANARY\\`", `;: >CANARY;`, `& : >CANARY &`, `| : >CANARY |`, `>CANARY`, `$'\'; : >CANARY; '`, `'\''; : >CANARY; '\''`, "#\n: >CANARY\n", "*/ ]] ; : >CANARY", "esac\n: >CANARY\n", "\x83'; : >CANARY; '", "\x81$(: >CANARY)",
}

// TestRandomScripts joins odd pieces of shell at random, damages some, and runs
// what is not refused with values that attack: none may be run. What our parser
// reads otherwise than the shell does shows here.
func TestRandomScripts(t *testing.T) {
	t.Parallel()
	for _, sh := range shells {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			haveShell(t, sh)
			seed := rand.Uint64()
			if every > 1 {
				seed = 1
			}
			rng := rand.New(rand.NewPCG(seed, 7))
			accepted := 0
			for range rounds {
				accepted += assaultOnce(t, rng, sh.args, sh.dialect)
			}
			t.Logf("seed %d: %d scripts were run", seed, accepted)
		})
	}
}

// assaultOnce runs a batch of scripts by one outer script.
func assaultOnce(t *testing.T, rng *rand.Rand, sh []string, d tera.Dialect) int {
	t.Helper()
	dir := t.TempDir()
	n := 0
	for tries := 0; n < 60 && tries < 3000; tries++ {
		src := randomScript(rng)
		tmpl, err := tera.Parse(src)
		if err != nil || tmpl.Static() {
			continue
		}
		v := assault[rng.IntN(len(assault))]
		name := filepath.Join(dir, fmt.Sprintf("s%03d", n))
		v = strings.ReplaceAll(v, "CANARY", name+".canary")
		// As for an agent: an author may well want a value to be read as code.
		script, err := tmpl.With(tera.Options{ForbidRaw: true}).Shell(tera.Vars{"x": v}, d)
		if err != nil {
			continue
		}
		// A redirection to the value itself is where the author put it.
		if strings.Contains(src, ">\"{{") && v == ">"+name+".canary" {
			continue
		}
		if os.WriteFile(name, []byte(script), 0o600) != nil || os.WriteFile(name+".src", []byte(src), 0o600) != nil {
			t.Fatal("cannot write")
		}
		n++
	}
	program := which(t, sh[0])
	if sh[0] == "env" {
		program = which(t, sh[2])
	}
	outer := "mkdir w; cd w; for f in " + dir + "/s???; do LC_ALL=C PATH=/nowhere " + program + flag(sh) + ` "$f" >/dev/null 2>&1 </dev/null; done`
	_, _ = run(t, []string{"sh"}, dir, outer)
	found, _ := filepath.Glob(filepath.Join(dir, "*.canary"))
	for _, f := range found {
		src, _ := os.ReadFile(strings.TrimSuffix(f, ".canary") + ".src")
		script, _ := os.ReadFile(strings.TrimSuffix(f, ".canary"))
		t.Errorf("a value was run\ntemplate:\n%s\nscript:\n%s", src, script)
	}
	return n
}

func randomScript(rng *rand.Rand) string {
	var parts []string
	for range 1 + rng.IntN(4) {
		parts = append(parts, odd[rng.IntN(len(odd))])
	}
	parts = append(parts, odd[rng.IntN(50)])
	if rng.IntN(2) == 0 {
		parts = append(parts, odd[rng.IntN(17)])
	}
	for range rng.IntN(2) {
		parts = append(parts, odd[rng.IntN(len(odd))])
	}
	seps := []string{"\n", "; ", "\n", " && ", " ", ""}
	var b strings.Builder
	for i, p := range parts {
		if i > 0 {
			b.WriteString(seps[rng.IntN(len(seps))])
		}
		b.WriteString(p)
	}
	src := []byte(b.String())
	for range rng.IntN(4) - 1 {
		i := rng.IntN(len(src))
		switch marks := "'\"\\$`(){}[]# \n;|&<>*~=!E"; rng.IntN(3) {
		case 0:
			src = append(src[:i], src[i+1:]...)
		case 1:
			src = append(src[:i], append([]byte{marks[rng.IntN(len(marks))]}, src[i:]...)...)
		case 2:
			src[i] = marks[rng.IntN(len(marks))]
		}
		if len(src) == 0 {
			return ""
		}
	}
	return string(src)
}

func flag(sh []string) string {
	if last := sh[len(sh)-1]; strings.HasPrefix(last, "-") {
		return " " + last
	}
	return ""
}

func which(t *testing.T, name string) string {
	t.Helper()
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return filepath.Join(dir, name)
		}
	}
	t.Skipf("%s is not on this machine", name)
	return ""
}
