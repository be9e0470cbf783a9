package tera_test

import (
	"errors"
	"strings"
	"testing"

	"stroem/workspace/tera"
)

func TestStaticScriptsComeThroughUntouched(t *testing.T) {
	t.Parallel()
	for _, src := range []string{"", "echo 'unclosed", "if then (((\r\n\x00\xff", "echo ${#x} $'a' `b`\n", "cat <<EOF\n$(\nEOF"} {
		for _, d := range []tera.Dialect{tera.Bash, tera.POSIX} {
			tmpl := parse(t, src)
			if got, err := tmpl.Shell(nil, d); err != nil || got != src {
				t.Errorf("%v %q came out as %q, %v", d, src, got, err)
			}
			if errs, warnings := tmpl.CheckShell(d); errs != nil || warnings != nil {
				t.Errorf("%v %q: %v", d, src, errs)
			}
		}
	}
}

// refused are scripts with a place where no value can stand, with a part of what
// is said about it. The dialect is both, unless bash or sh is named.
var refused = []struct{ script, says, only string }{
	{script: `echo $'\{{ x }}'`, says: "a backslash", only: "bash"},
	{script: `echo $'\x4{{ x }}'`, says: "a backslash", only: "bash"},
	{script: `echo $'\c{{ x }}'`, says: "a backslash", only: "bash"},
	{script: `echo $'\u00e{{ x }}'`, says: "a backslash", only: "bash"},
	{script: `echo $'{{ x }}'`, says: `a $ before a quote`, only: "sh"},
	{script: `echo $"{{ x }}"`, says: `$"…"`, only: "bash"},
	{script: "bash <<EOF\n{{ x }}\nEOF\n", says: "would run what the value says"},
	{script: "sudo -n sh -s <<'EOF'\n{{ x }}\nEOF\n", says: "would run what the value says"},
	{script: "ssh host 'cd . && bash -s' <<'E'\n{{ x }}\nE", says: "would run what the value says"},
	{script: `s=bash; echo {{ x }} | $s`, says: "end of the pipe"},
	{script: `s="bash -s"; echo {{ x }} | $s`, says: "end of the pipe"},
	{script: `s=(bash -s); echo {{ x }} | "${s[@]}"`, says: "end of the pipe", only: "bash"},
	{script: `echo {{ x }} | $(which bash)`, says: "end of the pipe"},
	{script: `echo {{ x }} | ${S:-bash}`, says: "end of the pipe"},
	{script: `echo {{ x }} | {bash,-s}`, says: "end of the pipe"},
	{script: `echo {{ x }} | ba${z}sh`, says: "end of the pipe"},
	{script: `echo {{ x }} | /bin/ba*h`, says: "end of the pipe"},
	{script: "s=bash; $s <<E\n{{ x }}\nE", says: "would run what the value says"},
	{script: `exec 5> >(bash); echo {{ x }} >&5`, says: "hands to it", only: "bash"},
	{script: `coproc bash; echo {{ x }} >&${COPROC[1]}`, says: "hands to it", only: "bash"},
	{script: "eval 'alias e=eval'\ne {{ x }}", says: "whose name"},
	{script: "a=e; alias $a=eval\ne {{ x }}", says: "whose name"},
	{script: `echo {{ x }} > >(bash)`, says: "bash in >(…)", only: "bash"},
	{script: `{ echo {{ x }}; } 2>&1 > >(cat | sh -s)`, says: "sh in >(…)", only: "bash"},
	{script: "cat <((cat <<'EOF'\n{{ x }}\nEOF\n))", says: "arithmetic at first", only: "bash"},
	{script: "cat <<'EOF' | sh\n{{ x }}\nEOF\n", says: "end of the pipe"},
	{script: "ssh host <<'EOF'\n{{ x }}\nEOF\n", says: "would run what the value says"},
	{script: "cat <<EOF\n\\{{ x }}\nEOF\n", says: "backslash"},
	{script: "cat <<EOF\n${y:-{{ x }}}\nEOF\n", says: "here-document"},
	{script: ": $\\\n{y: #{y:-#} f {{ x }} && : $(( {{ x }} ))", says: "broken off behind a $"},
	{script: "cat <<'EO'F\n{{ x }}\nEOF\n", says: "quoted in part"},
	{script: "cat <<\"\"EOF\n{{ x }}\nEOF\n", says: "quoted in part"},
	{script: "cat <<EOF\n$y{{ x }}\nEOF\n", says: "here-document"},
	{script: "cat <<EOF\n$(( {{ x }} ))\nEOF\n", says: "here-document"},
	{script: "cat <<EOF\n`echo {{ x }}`\nEOF\n", says: "here-document"},
	{script: "while read -r l; do eval \"$l\"; done <<EOF\n{{ x }}\nEOF\n", says: "eval"},
	{script: "cat <<-EOF\n\t$(echo {{ x }})\n\tEOF\n", says: "here-document"},
	{script: "cat <<{{ x }}\nfoo\n{{ x }}\n", says: "here-document"},
	{script: `echo ${y:={{ x }}}`, says: "inside ${…}"},
	{script: `echo ${y:?{{ x }}}`, says: "inside ${…}"},
	{script: `echo ${y:-${z:-{{ x }}}}`, says: "inside ${…}"},
	{script: `echo ${y:-$(echo {{ x }})}`, says: "inside ${…}"},
	{script: `${y:-{{ x }}}`, says: "choose what runs"},
	{script: `${y:-{{ x }}} a`, says: "choose what runs"},
	{script: `echo OUTPUT: ${y:-{{ x }}}`, says: "what the server reads"},
	{script: `printf '%s\n' 'OUTPUT: {"m": "'${y:-{{ x }}}'"}'`, says: "what the server reads"},
	{script: `echo $(( ${y:-{{ x }}} ))`, says: "arithmetic"},
	{script: `cat <<EOF` + "\n${y:-{{ x }}}\nEOF", says: "here-document"},
	{script: `[ ${y:-{{ x }}} = a ]`, says: "in this test"},
	{script: `echo "${y:-"{{ x }}"}"`, says: "inside ${…}"},
	{script: `echo "${y:-$(echo {{ x }})}"`, says: "inside ${…}"},
	{script: `echo "${y#{{ x }}}"`, says: "inside ${…}"},
	{script: `echo ${{ x }}`, says: "follows a $"},
	{script: `echo "cost $y{{ x }}"`, says: "follows $y"},
	{script: `echo ${y/a/{{ x }}}`, says: "inside ${…}", only: "bash"},
	{script: `echo $(( 1{{ x }} + 1 ))`, says: "arithmetic"},
	{script: `echo $(( 16#{{ x }} ))`, says: "arithmetic", only: "bash"},
	{script: `echo $(( y{{ x }} ))`, says: "arithmetic"},
	{script: `echo $(( "{{ x }}" ))`, says: "arithmetic"},
	{script: `echo $(( '{{ x }}' ))`, says: "arithmetic", only: "bash"},
	{script: `echo $(( ${{ x }} ))`, says: "arithmetic"},
	{script: `echo $(( $(echo {{ x }}) + 1 ))`, says: "arithmetic"},
	{script: `echo $[ {{ x }} + 1 ]`, says: "arithmetic", only: "bash"},
	{script: `(( n = y{{ x }} ))`, says: "arithmetic", only: "bash"},
	{script: `let "n={{ x }}"`, says: "computes", only: "sh"},
	{script: `declare -n n={{ x }}`, says: "option of declare", only: "bash"},
	{script: `typeset -A m=(a {{ x }})`, says: "declare it first", only: "bash"},
	{script: `declare {{ x }}`, says: "declare takes a value only as NAME=", only: "bash"},
	{script: `declare {{ x }}`, says: "takes names", only: "sh"},
	{script: `declare "n={{ x }}"`, says: "declare takes a value only as NAME=", only: "bash"},
	{script: `export {{ x }}`, says: "export takes a value only as NAME="},
	{script: `export {{ x }}=1`, says: "a value cannot stand", only: "bash"},
	{script: `export {{ x }}=1`, says: "export takes a value only as NAME=", only: "sh"},
	{script: `export -f {{ x }}`, says: "export"},
	{script: `export "$NAME"={{ x }}`, says: "export"},
	{script: `readonly {{ x }}`, says: "readonly takes a value only as NAME="},
	{script: `builtin declare y={{ x }}`, says: "takes names"},
	{script: `{{ x }}`, says: "choose what runs"},
	{script: `{{ x }} arg`, says: "choose what runs"},
	{script: `"{{ x }}" arg`, says: "choose what runs"},
	{script: `./bin/{{ x }} arg`, says: "choose what runs"},
	{script: `y=1 {{ x }}`, says: "choose what runs"},
	{script: `$SUDO {{ x }}`, says: "choose what runs"},
	{script: `$(echo {{ x }}) arg`, says: "choose what runs"},
	{script: `if {{ x }}; then :; fi`, says: "choose what runs"},
	{script: `exec {{ x }}`, says: "choose what runs"},
	{script: `exec -a y {{ x }}`, says: "choose what runs"},
	{script: `command {{ x }}`, says: "choose what runs"},
	{script: `builtin {{ x }}`, says: "choose what runs"},
	{script: `env {{ x }}`, says: "choose what runs"},
	{script: `env A=1 {{ x }}`, says: "choose what runs"},
	{script: `env -u A {{ x }}`, says: "choose what runs"},
	{script: `env -S "a {{ x }}"`, says: "choose what runs"},
	{script: `env {{ x }}=1 cmd`, says: "choose what runs"},
	{script: `env BASH_ENV={{ x }} bash y.sh`, says: "BASH_ENV"},
	{script: `sudo {{ x }}`, says: "choose what runs"},
	{script: `sudo -u root {{ x }}`, says: "choose what runs"},
	{script: `nohup {{ x }}`, says: "choose what runs"},
	{script: `nice -n 5 {{ x }}`, says: "choose what runs"},
	{script: `time {{ x }}`, says: "choose what runs"},
	{script: `timeout 5 {{ x }}`, says: "choose what runs"},
	{script: `timeout a{{ x }} cmd`, says: "choose what runs"},
	{script: `timeout -k 1 5 {{ x }}`, says: "choose what runs"},
	{script: `setsid {{ x }}`, says: "choose what runs"},
	{script: `stdbuf -oL {{ x }}`, says: "choose what runs"},
	{script: `flock /tmp/l -c {{ x }}`, says: "choose what runs"},
	{script: `{{ x }}=1`, says: "name of a variable"},
	{script: `y{{ x }}=1`, says: "name of a variable"},
	{script: `PATH={{ x }}:$PATH`, says: "PATH"},
	{script: `PS4={{ x }}`, says: "PS4"},
	{script: `LD_PRELOAD={{ x }} cmd`, says: "LD_PRELOAD"},
	{script: `export BASH_ENV={{ x }}`, says: "BASH_ENV"},
	{script: `RANDOM={{ x }}`, says: "RANDOM"},
	{script: "y=`echo {{ x }}`", says: "backquotes"},
	{script: "#!/bin/{{ x }}\necho a", says: "what runs the script"},
	{script: "echo $(echo a # {{ x }}\n)", says: "comment"},
	{script: "cat <(echo a # {{ x }}\n)", says: "comment", only: "bash"},
	{script: "echo `echo a # {{ x }}\n`", says: "a value cannot stand"},
	{script: "echo ${y:-a # {{ x }}*}", says: "pattern"},
	{script: `case $y in {{ x }}) ;; esac`, says: "pattern of case"},
	{script: `case $y in a|"{{ x }}") ;; esac`, says: "pattern of case"},
	{script: `{{ x }}() { :; }`, says: "name of a function"},
	{script: `function {{ x }} { :; }`, says: "name of a function", only: "bash"},
	{script: `for PATH in {{ x }}; do ls; done`, says: "PATH"},
	{script: `for {{ x }} in a; do :; done`, says: "variable of a for"},
	{script: `coproc {{ x }} { :; }`, says: "coprocess", only: "bash"},
	{script: `ls [{{ x }}]*.txt`, says: "pattern"},
	{script: `ls [{{ x }}]`, says: "pattern"},
	{script: `ls @(a|{{ x }})`, says: "a value cannot stand", only: "bash"},
	{script: `echo {a,{{ x }}}`, says: "brace"},
	{script: `echo {a,"{{ x }}"}`, says: "brace"},
	{script: `ls ~{{ x }}`, says: "~"},
	{script: `y=a:~{{ x }}`, says: "~"},
	{script: `echo \{{ x }}`, says: "backslash"},
	{script: `echo "\{{ x }}"`, says: "backslash"},
	{script: "echo \\\n{{ x }}", says: "backslash"},
	{script: `[ {{ x }} -a b ]`, says: "in this test"},
	{script: `[ {{ x }} {{ x }} ]`, says: "in this test"},
	{script: `[ a {{ x }} b ]`, says: "in this test"},
	{script: `[ "$y" = {{ x }} -o -n "$z" ]`, says: "in this test"},
	{script: `[ $y = {{ x }} ]`, says: "in this test"},
	{script: `printf -v{{ x }} a`, says: "printf"},
	{script: `printf $OPTS {{ x }}`, says: "printf"},
	{script: `printf '%{{ x }}d' 1`, says: "conversion"},
	{script: `printf '\0{{ x }}' 1`, says: "conversion"},
	{script: `printf '%n' {{ x }}`, says: "%n"},
	{script: `read -r -p {{ x }} y`, says: "takes names"},
	{script: `getopts {{ x }} y`, says: "takes names"},
	{script: `mapfile -t {{ x }}`, says: "takes names"},
	{script: `readarray -C {{ x }} y`, says: "takes names"},
	{script: `bash {{ x }}`, says: "choose what bash runs"},
	{script: `bash -s {{ x }}`, says: "second time"},
	{script: `python {{ x }}`, says: "choose what python runs"},
	{script: `alias y={{ x }}`, says: "second time"},
	{script: `set {{ x }}`, says: "parameters"},
	{script: `shopt -s {{ x }}`, says: "shell"},
	{script: `history -s {{ x }}`, says: "shell"},
	{script: `fc {{ x }}`, says: "second time"},
	{script: `complete -C {{ x }} y`, says: "second time"},
	{script: `make SHELL={{ x }}`, says: "own language"},
	{script: `: {fd}>{{ x }}`, says: "{name}>", only: "bash"},
	{script: `echo a >&{{ x }}`, says: "behind >&"},
	{script: `cat <&{{ x }}`, says: "behind <&"},
	{script: `bash <<< {{ x }}`, says: "would run what the value says", only: "bash"},
	{script: `bash < {{ x }}`, says: "would run what the value says"},
	{script: `echo {{ x }} | sh`, says: "end of the pipe"},
	{script: `echo {{ x }} | tee f | sudo bash -s`, says: "end of the pipe"},
	{script: `{ echo {{ x }}; } | while read -r l; do eval "$l"; done`, says: "end of the pipe"},
	{script: `a=({{ x }})`, says: "does not parse as sh", only: "sh"},
	{script: `cat <(echo {{ x }})`, says: "does not parse as sh", only: "sh"},
	{script: `cat <<< {{ x }}`, says: "does not parse as sh", only: "sh"},
	{script: `echo {{ x }} (`, says: "does not parse"},
	{script: `echo "{{ x }}`, says: "does not parse"},
	{script: `if true; then echo {{ x }}`, says: "does not parse"},
	{script: `echo "$$(echo "{{ x }}")"`, says: "bash reads the second $"},
	{script: `echo $${{ x }}`, says: "right before the value"},
	{script: "cat <<E\n${y:-\"'\"}E\n: a; y={{ x }}\n: a\n", says: "this here-document ends"},
	{script: "y=$(cat <<E)\n{{ x }}\nE\n", says: "this here-document ends"},
	{script: "case $(cat <<E) in *) :;; esac\n{{ x }}\nE\n", says: "this here-document ends"},
	{script: "cat <<EOF\n{{ x }}\nE\\\nOF\n{{ x }}\nEOF\n", says: "this here-document ends"},
	{script: "cat <<E\n$(echo\nE\n)\nE\n: {{ x }}\n", says: ""},
	{script: "cat <<E\n${y}E\n: {{ x }}\n", says: ""},
	{script: "echo a # b \\\neval {{ x }}", says: "comment ends in a backslash"},
	{script: "# b\\\nif {{ x }}; then :; fi", says: ""},
	{script: "f() { # b \\\n  eval {{ x }}\n}", says: ""},
	{script: "cat $(echo a # b \\\n eval {{ x }})", says: ""},
	{script: "case a in # b \\\n a) # c \\\n eval {{ x }};; esac", says: ""},
	{script: "a=(b # c \\\n)\necho {{ x }}", says: "comment ends in a backslash", only: "bash"},
	{script: "echo {{ x }} && # c \\\n echo a", says: "comment ends in a backslash"},
	{script: "echo {{ x }} | # c \\\n sh", says: ""},
	{script: "n={{ x }}; : {a[n]}</dev/null", says: "in front of a redirection"},
	{script: "a=(b)# {{ x }}", says: "whether a comment begins", only: "bash"},
	{script: "a=(b)# it's\necho {{ x }}", says: "whether a comment begins", only: "bash"},
	{script: ": >&-# {{ x }}", says: "bash reads >&- by itself"},
	{script: ">&-eval b {{ x }}", says: "bash reads >&- by itself"},
	{script: "# {{ x }}\\\necho a", says: "comment ends in a backslash"},
	{script: "echo {{ x }}\r\n", says: "carriage return"},
	{script: `echo "${y:-'}'}" {{ x }}`, says: "shells differ on a single quote"},
	{script: `echo $'it\'s' {{ x }} '`, says: "a $ before a quote", only: "sh"},
	{script: `xargs {{ x }}`, says: "choose what runs"},
	{script: `xargs -n 1 {{ x }} a`, says: "choose what runs"},
	{script: `find . -exec {{ x }} a \;`, says: "choose what runs"},
	{script: `let "n=1{{ x }}"`, says: "arithmetic", only: "bash"},
	{script: `let "n={{ x }}a"`, says: "arithmetic", only: "bash"},
	{script: `let "$n={{ x }}"`, says: "arithmetic", only: "bash"},
	{script: `let n{{ x }}=1`, says: "arithmetic", only: "bash"},
	{script: `let n={{ x }}`, says: "computes", only: "sh"},
	{script: `[[ a{{ x }} -eq 1 ]]`, says: "[["},
	{script: `[[ "$(echo {{ x }})" -eq 1 ]]`, says: "[["},
	{script: `[[ -o {{ x }} ]]`, says: "[["},
	{script: `[[ -t {{ x }} ]]`, says: "[["},
	{script: `[[ -R {{ x }} ]]`, says: "[["},
	{script: `[[ $y == @({{ x }}) ]]`, says: "pattern", only: "bash"},
	{script: `[[ $y == [{{ x }}] ]]`, says: "pattern", only: "bash"},
	{script: ": `echo \\\\`\n# `{{ x }}\n", says: "two backslashes"},
	{script: `echo $$"{{ x }}"`, says: "${$}"},
	{script: `local -a a=("{{ x }}")`, says: "declare it first", only: "bash"},
	{script: `[[ $y =~ {{ x }} ]]`, says: "[["},
	{script: `[[ -v a[{{ x }}] ]]`, says: "[["},
	{script: `a["{{ x }}"]=1`, says: "arithmetic", only: "bash"},
	{script: `a["k"]={{ x }}`, says: "this subscript", only: "bash"},
	{script: `a[$(id)]={{ x }}`, says: "this subscript", only: "bash"},
	{script: `echo "${a['{{ x }}']}"`, says: "single quote", only: "bash"},
	{script: `echo ${y:a{{ x }}}`, says: "a value cannot stand", only: "bash"},
	{script: `declare -i n=1{{ x }}`, says: "in a sum", only: "bash"},
	{script: `declare -i n+={{ x }}1`, says: "in a sum", only: "bash"},
	{script: `declare -l n={{ x }}`, says: "option of declare", only: "bash"},
	{script: `declare -A n={{ x }}`, says: "option of declare", only: "bash"},
	{script: `declare +i n={{ x }}`, says: "option of declare", only: "bash"},
	{script: `declare "$OPTS" n={{ x }}`, says: "option of declare", only: "bash"},
	{script: `read a{{ x }}`, says: "takes names"},
	{script: `read $OPTS {{ x }}`, says: "takes names"},
	{script: `read -t {{ x }} y`, says: "takes names"},
	{script: `unset "a[{{ x }}]"`, says: "takes names"},
	{script: `printf -v "y$z{{ x }}" a`, says: "printf"},
	{script: `[ ! -v "a{{ x }}" ]`, says: "in this test"},
	{script: `echo "${y:-"a"{{ x }}}"`, says: "inside ${…}"},
	{script: `echo "${y:-\}{{ x }}}"`, says: "inside ${…}"},
	{script: `echo "${y:-$z{{ x }}}"`, says: "inside ${…}"},
	{script: `echo "${y:={{ x }}}"`, says: "inside ${…}"},
	{script: `echo "${y:-${z:-{{ x }}}}"`, says: "inside ${…}"},
	{script: `echo >"${y:-{{ x }}}"`, says: "inside ${…}"},
	{script: "cat <<E\n${y:-{{ x }}}\nE", says: "here-document"},
	{script: `"${y:-{{ x }}}" a`, says: "choose what runs"},
	{script: `printf '%s\n' "OUTPUT: ${y:-{{ x }}}"`, says: "what the server reads"},
}

// reread are scripts in which a program reads the value as code a second time: an
// author is warned, and an agent refused.
var reread = []struct{ script, says, only string }{
	{script: `E=eval; builtin "$E" {{ x }}`, says: "second time"},
	{script: `c="bash -c"; timeout 5 $c {{ x }}`, says: "-c"},
	{script: `c=(bash -c); env "${c[@]}" {{ x }}`, says: "-c", only: "bash"},
	{script: `o=-c; bash "$o" {{ x }}`, says: "-c"},
	{script: `eval ${y:-{{ x }}}`, says: "second time"},
	{script: `sudo -u root -n bash -c {{ x }}`, says: "second time"},
	{script: `nohup nice env timeout 1 bash -c {{ x }}`, says: "second time"},
	{script: `eval {{ x }}`, says: "second time"},
	{script: `eval "y='{{ x }}'"`, says: "second time"},
	{script: `eval "$(echo {{ x }})"`, says: "second time"},
	{script: `e''val {{ x }}`, says: "second time"},
	{script: `\eval {{ x }}`, says: "second time"},
	{script: `sh -c {{ x }}`, says: "second time"},
	{script: `bash -ec "echo {{ x }}"`, says: "second time"},
	{script: `zsh -c 'echo "$1"' _ {{ x }}`, says: "nothing is quoted"},
	{script: `/bin/sh -c "echo '{{ x }}'"`, says: "second time"},
	{script: `"$SHELL" -c {{ x }}`, says: "-c"},
	{script: `docker exec box sh -c "echo {{ x }}"`, says: "second time"},
	{script: `kubectl exec pod -- /bin/bash -lc "echo {{ x }}"`, says: "second time"},
	{script: `ssh host {{ x }}`, says: "other machine"},
	{script: `ssh host ls {{ x }}`, says: "other machine"},
	{script: `su -c {{ x }}`, says: "second time"},
	{script: `trap {{ x }} EXIT`, says: "second time"},
	{script: `xargs rm {{ x }}`, says: "xargs"},
	{script: `find . -exec rm {{ x }} ;`, says: "-exec"},
	{script: `find . -exec sh -c "echo {{ x }}" \;`, says: "-exec"},
	{script: `python3 -c "print('{{ x }}')"`, says: "as a program"},
	{script: `python3.12 -uc {{ x }}`, says: "as a program"},
	{script: `perl -ne {{ x }} f`, says: "as a program"},
	{script: `node -e {{ x }}`, says: "as a program"},
	{script: `node --eval {{ x }}`, says: "as a program"},
	{script: `ruby -e "puts '{{ x }}'"`, says: "as a program"},
	{script: `awk '{ print "{{ x }}" }'`, says: "as a program"},
	{script: `gawk "/{{ x }}/"`, says: "as a program"},
	{script: `source {{ x }}`, says: "the file that the value names"},
	{script: `. {{ x }}`, says: "the file that the value names"},
	{script: `source <(echo {{ x }})`, says: "the file that the value names", only: "bash"},
	{script: `eval "${y:-{{ x }}}"`, says: "second time"},
	{script: `jq ".a = \"{{ x }}\"" f`, says: "jq"},
	{script: `jq -r --arg y z {{ x }}`, says: "jq"},
	{script: `ls | xargs sh -c {{ x }}`, says: "xargs"},
}

// TestReread checks that an author is warned of such a place, with what to write
// instead, and that an agent is refused unless the value is none of its own.
func TestReread(t *testing.T) {
	t.Parallel()
	vars := tera.Vars{"x": "it's", "secret": map[string]any{"x": "it's"}}
	for _, tt := range reread {
		for name, d := range map[string]tera.Dialect{"bash": tera.Bash, "sh": tera.POSIX} {
			if tt.only != "" && tt.only != name {
				continue
			}
			tmpl := parse(t, tt.script)
			errs, warnings := tmpl.CheckShell(d)
			if len(errs) > 0 || len(warnings) != 1 {
				t.Errorf("%s: %v, %v", tt.script, errs, warnings)
				continue
			}
			if w := warnings[0]; w.Kind != tera.Again || !strings.Contains(w.What, tt.says) || w.Fix == "" || w.Column != strings.Index(tt.script, "x }}")+1 || w.Path[0] != "x" {
				t.Errorf("%s: %+v", tt.script, w)
			}
			if _, err := tmpl.Shell(vars, d); err != nil {
				t.Errorf("%s: %v", tt.script, err)
			}
			agent := tera.Options{ForbidRaw: true}
			if text, err := tmpl.With(agent).Shell(vars, d); err == nil || !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), "allow_raw: true") {
				t.Errorf("%s came out as %s, %v", tt.script, text, err)
			}
			filter := strings.ReplaceAll(tt.script, "{{ x }}", "{% filter trim %}{{ secret.x }}{% endfilter %}")
			if _, err := parse(t, filter).With(agent).Shell(vars, d); err == nil {
				t.Errorf("%s is not refused", filter)
			}
			own := strings.ReplaceAll(tt.script, "{{ x }}", "{{ secret.x }}")
			if _, err := parse(t, own).With(agent).Shell(vars, d); err != nil {
				t.Errorf("%s: %v", own, err)
			}
		}
	}
}

// TestUnsafePlaces checks that every place which is not built is refused, where
// it is, with a reason and with what to write instead.
func TestUnsafePlaces(t *testing.T) {
	t.Parallel()
	for _, tt := range refused {
		for name, d := range map[string]tera.Dialect{"bash": tera.Bash, "sh": tera.POSIX} {
			if tt.only != "" && tt.only != name {
				continue
			}
			t.Run(name+" "+tt.script, func(t *testing.T) {
				t.Parallel()
				tmpl := parse(t, tt.script)
				_, err := tmpl.Shell(tera.Vars{"x": "harmless"}, d)
				var e *tera.Error
				if !errors.As(err, &e) {
					t.Fatalf("not refused: %v", err)
				}
				if !strings.Contains(e.Error(), tt.says) && !(name == "sh" && strings.Contains(e.What, "does not parse as sh")) {
					t.Errorf("says %q, not %q", e, tt.says)
				}
				if e.Line < 1 || e.Column < 1 || e.Fix == "" {
					t.Errorf("no place or nothing to do: %+v", e)
				}
				if errs, _ := tmpl.CheckShell(d); len(errs) == 0 {
					t.Error("not found without values")
				}
			})
		}
	}
}

// TestListsAreNotAssigned gives values to variables that bash may know as arrays.
func TestListsAreNotAssigned(t *testing.T) {
	t.Parallel()
	const own = `declare a={{ x }}; export b={{ x }}; f() { local a={{ x }}; }`
	if _, err := parse(t, own).Shell(tera.Vars{"x": "($(id))"}, tera.Bash); err != nil {
		t.Errorf("in a script without arrays: %v", err)
	}
	for _, script := range []string{
		`a=(1); declare a={{ x }}`, `a[1]=; declare -x a={{ x }}`, `declare -a a; typeset a="{{ y }}{{ x }}"`, `. ./lib; declare a="$z"{{ x }}`, `mapfile a <f; export a={{ x }}`, `read -ra a; readonly a='{{ x }}'`,
		`f() { local -ra a; local -r a={{ x }}; }; f`, `a=(); command export a={{ x }}`, `a=(); builtin readonly a={{ x }}`, `a=(); declare a+={{ x }}`, `a=(); declare a="({{ y }})"`, `a=(); export a=$'\x28{{ y }}'`,
	} {
		tmpl := parse(t, script)
		if text, err := tmpl.Shell(tera.Vars{"x": "($(id))", "y": ""}, tera.Bash); err == nil || !strings.Contains(err.Error(), "elements of an array") {
			t.Errorf("%s came out as %s, %v", script, text, err)
		}
		if _, err := tmpl.Shell(tera.Vars{"x": "a ($(id))", "y": ""}, tera.Bash); err != nil && strings.Contains(script, "x }}") {
			t.Errorf("%s: %v", script, err)
		}
	}
}
