package tera_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"stroem/workspace/tera"
)

// TestLiterals checks how values are written where an expression stands.
func TestLiterals(t *testing.T) {
	t.Parallel()
	deep := map[string]any{"b": []any{nil, true, "é'"}, "__proto__": map[string]any{}, "a": 1.0}
	tests := []struct {
		lang   tera.Language
		script string
		value  any
		want   string
	}{
		{tera.Python, "y = {{ x }}", deep, `y = {"__proto__": {}, "a": 1.0, "b": [None, True, "\u00e9\u0027"]}`},
		{tera.JavaScript, "y = {{ x }}", deep, `y = ({["__proto__"]: {}, "a": 1.0, "b": [null, true, "\u00e9\u0027"]})`},
		{tera.TypeScript, "const y: T = {{ x }}", []any{"😀", json.Number("1e3")}, `const y: T = ["\ud83d\ude00", 1e3]`},
		{tera.Python, "y = {{ x }}", "😀", `y = "\U0001f600"`},
		{tera.Go, "y := {{ x }}", "😀/\x00", `y := "\U0001f600\u002f\u0000"`},
		{tera.Go, "y := {{ x }}", -3, `y := (-3)`}, {tera.Go, "y := {{ x }}", false, `y := false`},
		{tera.Python, "y = 1 -{{ x }}", -1, `y = 1 -(-1)`}, {tera.Python, "y = {{ x }}.real", 5, `y = (5).real`},
		{tera.Python, "y = '{{ x }}'", true, `y = 'true'`}, {tera.Python, "y = [{{ x }}, {{ x }}]", nil, `y = [None, None]`},
		{tera.JavaScript, "f(...{{ x }})", []any{1}, `f(...[1])`},
		{tera.Python, "\n\n# a {{ x }}\ny", "b\n'''evil", "\n\n# a b    evil\ny"},
		{tera.Python, "#!/bin/python3\n# Report for {{ x }}\ny", "a\nb", "#!/bin/python3\n# Report for a b\ny"},
		{tera.Python, "{% for i in x %}f({{ i }})\n{% endfor %}", []any{1, "a"}, "f(1)\nf(\"a\")\n"},
	}
	for _, tt := range tests {
		if got, err := parse(t, tt.script).Code(tera.Vars{"x": tt.value}, tt.lang); err != nil || got != tt.want {
			t.Errorf("%v %q came out as %s, %v", tt.lang, tt.script, got, err)
		}
	}
}

// TestValuesWithoutLiteral checks what is refused for the value's sake.
func TestValuesWithoutLiteral(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		lang  tera.Language
		value any
	}{
		{tera.Go, nil}, {tera.Go, []any{}}, {tera.Go, map[string]any{}}, {tera.JavaScript, int64(1) << 60}, {tera.JavaScript, json.Number("9007199254740993")},
		{tera.Python, json.Number("1e999")}, {tera.Python, json.Number("__import__('os')")}, {tera.Python, json.Number("007")}, {tera.Python, "\xff"}, {tera.Python, []any{"\xff"}},
		{tera.Python, math.Inf(1)},
	} {
		if got, err := parse(t, "y = {{ x }}").Code(tera.Vars{"x": tt.value}, tt.lang); err == nil {
			t.Errorf("%v %v is not refused: %s", tt.lang, tt.value, got)
		}
	}
}

// refusedCode are places where no value can stand.
var refusedCode = map[tera.Language][]string{
	tera.Python: {
		"f{{ x }}", "f {{ x }}", "r'{{ x }}'", "rb'''{{ x }}'''", "t'{{ x }}'", "f'{ {{ x }} }'", "f'{a[{{ x }}]}'", "y = f{{ x }}", "y = 1{{ x }}", "y = {{ x }}a", "y = a.{{ x }}", "{{ x }}", "y = 1\n{{ x }}",
		`y = '\{{ x }}'`, `y = '\x4{{ x }}'`, `y = '\u00{{ x }}'`, `y = '\N{{ x }}'`, `y = '\0{{ x }}'`, `y = '\u00e{{ x }}'`, `y = '\U0001F60{{ x }}'`, "# coding: {{ x }}", "# a\n# -*- coding={{ x }}", "#!x\r\n# coding: {{ x }}\r\n", "#!/bin/{{ x }}\n", "\n\n#{{ x }}", "\n\n# /// script\n# dependencies = [\"{{ x }}\"]\n# ///",
		"import {{ x }}", "from {{ x }} import a", "eval({{ x }})", "eval('{{ x }}')", "exec('''{{ x }}''')", "os.system('ls {{ x }}')", "subprocess.run(f'ls {{ x }}', shell=True)", "subprocess.run(['sh', '-c', 'ls {{ x }}'])",
		"os.execvp('sh', ['sh', '-c', {{ x }}])", "import pickle\npickle.loads({{ x }}.encode())", "yaml.load({{ x }}, Loader=yaml.Loader)", "yaml.unsafe_load('{{ x }}')",
		"y = '\n{{ x }}'", "y = 'a {{ x }}", "y = ({{ x }}", "y = {{ x }})", "f'{a:'>9}' + {{ x }}", "f\"{a['\"']}\" + {{ x }}", "y = a ` {{ x }}", "y = {{ x }} + (1]", "def {{ x }}(): pass", "y = a\\\n{{ x }}", "@{{ x }}\ndef f(): pass", "f'}' {{ x }}", "f'{a\\n}' + {{ x }}",
	},
	tera.JavaScript: {
		"{{ x }}", "a\n{{ x }}", "a {{ x }}", "f()\n{{ x }}", "y = a{{ x }}", "y = {{ x }}`a`", "y = tag`{{ x }}`", "y = String.raw`{{ x }}`", "y = /{{ x }}/", "y = /[/{{ x }}]/", "/* {{ x }} */", "//{{ x }}", "//# sourceMappingURL={{ x }}", "/// <reference path=\"{{ x }}\"/>",
		"y = `${{ x }}{a}`", `y = '\{{ x }}'`, `y = "\u{1{{ x }}}"`, "import a from '{{ x }}'", "import('{{ x }}')", "import '{{ x }}'", "require('{{ x }}')", "eval(`{{ x }}`)", "new Function({{ x }})", "execSync('ls {{ x }}')", "spawn('sh', ['-c', {{ x }}])", "vm.runInNewContext({{ x }})",
		"if (a) /'/.test({{ x }})", "y = a <!-- '\n{{ x }}", "y = '{{ x }}", "y = `{{ x }}", "y = `${ {{ x }}`", "y = a.return {{ x }}", "a++ {{ x }}", "y = a\n/'/ + {{ x }}", "class { #{{ x }} }", "y = {{ x }}\\",
	},
	tera.TypeScript: {"f<T> {{ x }}", "a! {{ x }}", "y = a as B {{ x }}", "// @ts-ignore {{ x }}"},
	tera.Go:         {"import \"{{ x }}\"", "import ( \"{{ x }}\" )", "'{{ x }}'", "//go:build {{ x }}", "// +build {{ x }}", "/* {{ x }} */", "y := {{ x }}a", "func {{ x }}() {}", "// #include {{ x }}\nimport \"C\"", "// int {{ x }}\nimport \"C\"", "exec.Command(\"sh\", \"-c\", {{ x }})", "y := a {{ x }}"},
}

func TestUnsafeCode(t *testing.T) {
	t.Parallel()
	for lang, scripts := range refusedCode {
		for _, script := range scripts {
			tmpl, err := tera.Parse(script)
			if err != nil {
				t.Errorf("%q: %v", script, err)
				continue
			}
			got, err := tmpl.Code(tera.Vars{"x": "harmless"}, lang)
			if err == nil {
				t.Errorf("%v %q is not refused: %q", lang, script, got)
			}
			errs := tmpl.CheckCode(lang)
			if len(errs) == 0 {
				t.Errorf("%v %q: not found without values", lang, script)
			}
			for _, e := range errs {
				if e.Line < 1 || e.Column < 1 || e.What == "" || e.Fix == "" {
					t.Errorf("%q: %+v", script, e)
				}
			}
		}
	}
}

// TestHostileValuesInGo reads what was written with Go's own parser.
func TestHostileValuesInGo(t *testing.T) {
	t.Parallel()
	for _, script := range []string{`{{ x }}`, `"{{ x }}"`, "`{{ x }}`", `"\\\"{{ x }}" // it's` + "\n"} {
		tmpl := parse(t, "package p\nvar y = "+script)
		for _, v := range append(append([]string{}, hostile...), inCode...) {
			src, err := tmpl.Code(tera.Vars{"x": v}, tera.Go)
			if err != nil {
				if utf8.ValidString(v) && !strings.ContainsAny(v, "`\r\x00\ufeff") && !strings.Contains(v, "OUTPUT: {") {
					t.Errorf("%q is refused: %v", v, err)
				}
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), "x.go", src, 0)
			if err != nil {
				t.Errorf("%q: %v in %s", v, err, src)
				continue
			}
			decl, ok := file.Decls[0].(*ast.GenDecl)
			if !ok || len(file.Decls) != 1 || len(decl.Specs) != 1 {
				t.Fatalf("%q changed the script: %s", v, src)
			}
			lit, ok := decl.Specs[0].(*ast.ValueSpec).Values[0].(*ast.BasicLit)
			if !ok {
				t.Fatalf("%q is no literal: %s", v, src)
			}
			if got, err := strconv.Unquote(lit.Value); err != nil || strings.TrimPrefix(got, map[bool]string{true: `\"`}[len(script) > 15]) != v {
				t.Errorf("%q arrived as %q, %v", v, got, err)
			}
		}
	}
}

// TestLimitsOfCode checks that reading a script takes time in proportion to it.
func TestLimitsOfCode(t *testing.T) {
	for _, script := range []string{"\n\n{% for i in range(end=20000) %}# a {{ x }}\n{% endfor %}", "f({% for i in range(end=20000) %}run({{ x }}),{% endfor %} '-c')", "f({% for i in range(end=40000) %}({{ x }},{% endfor %}", "y = '{% for i in range(end=20000) %}{{ x }}\\\\{% endfor %}'", "subprocess.run(['a'{% for i in range(end=10000) %}, {{ x }}{% endfor %}])", "y = '{% for i in range(end=20000) %}{{ x }}{% endfor %}'" + strings.Repeat(".format", 50_000), "print('OUTPUT: '{% for i in range(end=20000) %}, '\"a{{ x }}'{% endfor %})",
		"y = {{ x }}" + strings.Repeat(" + 'OUTPUT: a'", 50_000), "y = f({{ x }})" + strings.Repeat(".map(eval)", 50_000), "y = {{ x }}" + strings.Repeat(" / a", 200_000), "y = {{ x }}" + strings.Repeat("`${", 300_000), "y = f'{{ x }}" + strings.Repeat("{a}", 300_000) + "'",
		"def f(a): eval(a)\n" + strings.Repeat("f(", 90) + strings.Repeat("a, b=a,", 5_000) + "{{ x }}" + strings.Repeat(")", 90), "y = {{ x }}" + strings.Repeat(" = a", 50_000), "y = {{ x }}\n" + strings.Repeat("a = y\ny = a\n", 20_000) + "eval(a)", "import subprocess\nrun(['tar', {% for i in range(end=2000) %}a, {% endfor %}{{ x }}])"} {
		begun := time.Now()
		tmpl := parse(t, script)
		for l := tera.Python; l <= tera.Go; l++ {
			_, _ = tmpl.Code(tera.Vars{"x": "it's"}, l)
			tmpl.CheckCode(l)
		}
		if took := time.Since(begun); took > hang {
			t.Errorf("%.60s took %v", script, took)
		}
	}
}
