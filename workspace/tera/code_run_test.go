package tera_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"stroem/workspace/tera"
)

// codePlaces are scripts that emit the value V of x. anything says that the place
// is a comment, where only what else the script does counts.
var codePlaces = []struct {
	lang         tera.Language
	script       string
	anything     bool
	mayBeRefused bool
}{
	{lang: tera.Python, script: "emit({{ x }})"}, {lang: tera.Python, script: "y = {{ x }}\nemit(y)"}, {lang: tera.Python, script: `emit("{{ x }}")`}, {lang: tera.Python, script: `emit('{{ x }}')`},
	{lang: tera.Python, script: `emit("a\"'{{ x }}'\\"[3:-2])`}, {lang: tera.Python, script: `emit('''{{ x }}''')`}, {lang: tera.Python, script: "emit(\"\"\"a\n\"{{ x }}\"\n\"\"\"[3:-2])", mayBeRefused: true}, {lang: tera.Python, script: "emit(('{{ x }}''a')[:-1])", mayBeRefused: true},
	{lang: tera.Python, script: `emit(u'{{ x }}')`}, {lang: tera.Python, script: `emit(b'{{ x }}'.decode())`}, {lang: tera.Python, script: `emit(f"{1+1}{{ x }}{'a'}"[1:-1])`}, {lang: tera.Python, script: `emit(F'''{"a"!r:>4} {{ x }}'''[5:])`},
	{lang: tera.Python, script: "d = {'k': [ {{ x }}, 2]}\nemit(d['k'][0])"}, {lang: tera.Python, script: "d = { {{ x }}: 1 }\nemit(list(d)[0])"}, {lang: tera.Python, script: "emit('%s' % {{ x }})"}, {lang: tera.Python, script: "emit('' + {{ x }} + \"\")"},
	{lang: tera.Python, script: "if {{ x }} == \"{{ x }}\":\n  emit('{{ x }}')"}, {lang: tera.Python, script: "\n\n# was: {{ x }}\nemit('safe')", anything: true}, {lang: tera.Python, script: "def f():\n    return {{ x }}\nemit(f()) # it's"},
	{lang: tera.Python, script: `emit('\\\\{{ x }}\x41 '[2:-2])`}, {lang: tera.Python, script: "emit(\"\"\"\"{{ x }}\"\"\"[1:])", mayBeRefused: true}, {lang: tera.Python, script: "emit(('a' 'b{{ x }}' \"c\")[2:-1])"}, {lang: tera.Python, script: "s = r'\\' + 'a'\nemit({{ x }})", mayBeRefused: true},
	{lang: tera.Python, script: "import json\nemit(json.loads('OUTPUT: {\"m\": \"{{ x }}\"}'[8:])['m'])"}, {lang: tera.Python, script: "import json\nemit(json.loads(b'OUTPUT: {\"m\": \"{{ x }}\"}'[8:])['m'])"}, {lang: tera.Python, script: "import json\nemit(json.loads(('OUTPUT: {\"m\": \"' + {{ x }} + '\"}')[8:])['m'])"},
	{lang: tera.JavaScript, script: "emit(JSON.parse(`OUTPUT: {\"m\": \"{{ x }}\"}`.slice(8)).m)"}, {lang: tera.JavaScript, script: "emit(JSON.parse(`OUTPUT: {\"m\": \"${ {{ x }} }\"}`.slice(8)).m)"},
	{lang: tera.JavaScript, script: "emit({{ x }})"}, {lang: tera.JavaScript, script: "const y = {{ x }}\nemit(y)"}, {lang: tera.JavaScript, script: `emit("{{ x }}")`}, {lang: tera.JavaScript, script: `emit('{{ x }}')`}, {lang: tera.JavaScript, script: "emit(`{{ x }}`)"},
	{lang: tera.JavaScript, script: "emit(`a{{ x }}{b}${1 + {a: 1}.a}{{ x }}\\``.slice(1, -1).split('{b}2')[0])"}, {lang: tera.JavaScript, script: "emit(`${ {{ x }} }`)"}, {lang: tera.JavaScript, script: "emit(`${ `${ '{{ x }}' }` }`)"}, {lang: tera.JavaScript, script: "emit([ {{ x }} ][0])"},
	{lang: tera.JavaScript, script: "emit({k: {{ x }}}.k)"}, {lang: tera.JavaScript, script: "emit(Object.keys({ [{{ x }}]: 1 })[0])"}, {lang: tera.JavaScript, script: "// was {{ x }}\nemit('safe')", anything: true}, {lang: tera.JavaScript, script: "emit('' + {{ x }}) // it's `\n"},
	{lang: tera.JavaScript, script: "const f = () => {{ x }}\nemit(f())"}, {lang: tera.JavaScript, script: "for (const y of [{{ x }}]) emit(y)"}, {lang: tera.JavaScript, script: "const r = /['\"`/]/, n = 4 / 2\nemit(r ? '{{ x }}' : \"\")"}, {lang: tera.JavaScript, script: "const n = (4 + 4) / 2\nemit({{ x }})"},
	{lang: tera.JavaScript, script: "if ({{ x }} === '{{ x }}') emit(`{{ x }}`)"}, {lang: tera.JavaScript, script: `emit("\\\\{{ x }}\x41'".slice(2, -2))`}, {lang: tera.JavaScript, script: "emit(JSON.parse(JSON.stringify({a: \"{{ x }}\"})).a)"}, {lang: tera.JavaScript, script: "function f() { return {{ x }} }\nemit(f())"},
}

const pythonHarness = `
import builtins, glob, os, sys, io
for f in sorted(glob.glob(sys.argv[1] + "/s????")):
    out = []
    builtins.emit = lambda v: out.append(v)
    try:
        exec(compile(open(f, "rb").read(), f, "exec"), {"__name__": "x"})
    except BaseException as e:
        out.append("FAILED: " + repr(e))
    open(f + ".out", "wb").write("|".join(map(str, out)).encode("utf-8", "surrogatepass"))
`

const nodeHarness = `
const fs = require("fs"), vm = require("vm"), dir = process.argv[2]
for (const f of fs.readdirSync(dir).filter(f => /^s....$/.test(f)).sort()) {
  const out = []
  globalThis.emit = v => out.push(v)
  try { vm.runInThisContext("(function() {" + "\n" + fs.readFileSync(dir + "/" + f, "utf8") + "\n})()") } catch (e) { out.push("FAILED: " + e) }
  fs.writeFileSync(dir + "/" + f + ".out", out.join("|"))
}
`

// TestHostileValuesInCode runs every hostile value in every place of python and
// javascript: it must arrive byte for byte, or be refused, and nothing may be run.
func TestHostileValuesInCode(t *testing.T) {
	t.Parallel()
	for _, lang := range []struct {
		lang             tera.Language
		program, harness string
		args             []string
	}{{tera.Python, "python3", pythonHarness, []string{"-I"}}, {tera.JavaScript, "node", nodeHarness, nil}} {
		t.Run(lang.program, func(t *testing.T) {
			t.Parallel()
			if _, err := exec.LookPath(lang.program); err != nil {
				t.Skipf("%s is not on this machine, so nothing was run in it", lang.program)
			}
			dir, touched := canary(t)
			wants := renderAll(t, lang.lang, dir, touched)
			harness := filepath.Join(dir, "harness")
			if err := os.WriteFile(harness, []byte(lang.harness), 0o600); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, lang.program, append(lang.args, harness, dir)...)
			cmd.Dir = dir
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			for name, want := range wants {
				got, err := os.ReadFile(name + ".out")
				script, _ := os.ReadFile(name)
				if err != nil || string(got) != want {
					t.Errorf("%q arrived as %q (%v)\n%s", want, got, err, script)
				}
				if bytes.ContainsFunc(script, func(r rune) bool { return r >= 0x7f }) {
					t.Errorf("not ASCII: %q", script)
				}
			}
			if _, err := os.Stat(touched); err == nil {
				t.Error("a value was run")
			}
			t.Logf("%d scripts", len(wants))
		})
	}
}

// inCode are what else tries to get out of literals.
var inCode = []string{
	`"+__import__("os").system("touch CANARY")+"`, `'+__import__('os').system('touch CANARY')+'`, `""";__import__("os").system("touch CANARY")#`, `'''+open('CANARY','w').name+'''`, `{open("CANARY","w")}`, "{", "}", "{}", "}{",
	"`+require('fs').writeFileSync('CANARY','')+`", "${require('fs').writeFileSync('CANARY','')}", "$", "${", "\\`${emit(1)}", `\'+emit(1)+\'`, `\"+emit(1)+\"`, `\x22+emit(1)+\x22`, `\u0022+emit(1)`, `\N{QUOTATION MARK}`, "*/emit(1)/*", "//", "#", "\u2028emit(1)", "\u2029emit(1)", "\nemit(1)\n", "\remit(1)\r", "\x85emit(1)", "\x0cemit(1)",
	"</script>", "<!--", "-->", "coding: utf-7", "/// script", "__proto__", "use strict", "None", "true", "u", "x41", "41", "0", "\U0001F600", "\U0010FFFF", "\uFFFD", "\uFFFE", "a\x00b", "%s", "%(a)s", "!r", ":>9", "'", `"`, "'''", `"""`, "''", `""`, "`", "```",
}

func renderAll(t *testing.T, lang tera.Language, dir, touched string) map[string]string {
	t.Helper()
	wants := map[string]string{}
	letter := func(i int) string { return string(rune('A'+i/26)) + string(rune('a'+i%26)) }
	for i, pl := range codePlaces {
		if pl.lang != lang {
			continue
		}
		tmpl := parse(t, pl.script)
		if errs := tmpl.CheckCode(lang); len(errs) > 0 && !pl.mayBeRefused {
			t.Errorf("%q is refused: %v", pl.script, errs)
		}
		for j, v := range append(append([]string{}, hostile...), inCode...) {
			if (i+j)%every != 0 {
				continue
			}
			v = strings.ReplaceAll(v, "CANARY", touched)
			script, err := tmpl.Code(tera.Vars{"x": v}, lang)
			if err != nil {
				if strings.Contains(err.Error(), "step's output") && strings.Contains(v, "OUTPUT: {") {
					continue
				}
				if utf8.ValidString(v) && !pl.mayBeRefused {
					t.Errorf("%q: %q is refused: %v", pl.script, v, err)
				}
				continue
			}
			name := filepath.Join(dir, "s"+letter(i)+letter(j))
			if err := os.WriteFile(name, []byte(script), 0o600); err != nil {
				t.Fatal(err)
			}
			if wants[name] = v; pl.anything {
				wants[name] = "safe"
			}
		}
	}
	return wants
}
