package tera_test

import (
	"strings"
	"testing"

	"stroem/workspace/tera"
)

// TestCodeThatPrintsOutput checks values in lines that the server reads, which are
// written into JSON before they are into a literal.
func TestCodeThatPrintsOutput(t *testing.T) {
	t.Parallel()
	const v = "\",\"a\":1,\"z\":\"`\n"
	const text = `\u005cu0022,\u005cu0022a\u005cu0022:1,\u005cu0022z\u005cu0022:\u005cu0022\u0060\u005cu000a`
	const raw = `\u0022,\u0022a\u0022:1,\u0022z\u0022:\u0022\u0060\u000a`
	const plain = `"\u0022,\u0022a\u0022:1,\u0022z\u0022:\u0022\u0060\u000a"`
	for _, tt := range []struct {
		lang   tera.Language
		script string
		value  any
		want   string // what comes to stand for the value; "" if it is refused
		says   string
	}{
		{tera.Python, `print('OUTPUT: {"m": "{{ x }}"}')`, v, text, ""},
		{tera.Python, `print("a\n OUTPUT: {\"m\": \"{{ x }}\"}")`, v, text, ""},
		{tera.Python, "print('''\nSTATE: {\"m\": \"{{ x }}\"}''')", v, text, ""},
		{tera.Python, `print('OUTPUT: {"m": "' '{{ x }}' '"}')`, v, text, ""},
		{tera.Python, `print('OUTPUT:', '{"m": "{{ x }}"}')`, v, text, ""},
		{tera.Python, `print('OUTPUT: {"m": "' + {{ x }} + '"}')`, v, `"` + text + `"`, ""},
		{tera.Python, `print('OUTPUT: {"m": "%s"}' % {{ x }})`, v, `"` + text + `"`, ""},
		{tera.Python, `print('OUTPUT: {"m": "%s", "n": %s}' % (a, {{ x }}))`, v, "", "string outside"},
		{tera.Python, `print(f'OUTPUT: {a["b"]}, "{{ x }}"')`, v, text, ""},
		{tera.Python, `print('OUTPUT: %s' % {{ x }})`, v, "", "string outside"},
		{tera.Python, `print('OUTPUT:', {{ x }})`, v, "", "string outside"},
		{tera.Python, `print('OUTPUT:', {{ x }})`, []any{1, "a"}, `"\u005b1,\u0022a\u0022\u005d"`, ""},
		{tera.Python, `print('OUTPUT: {"n": {{ x }} }')`, v, "", "string outside"},
		{tera.Python, `print('OUTPUT: {"n": {{ x }} }')`, 5, "5", ""},
		{tera.Python, `print('OUTPUT: ' + json.dumps({"m": {{ x }} }))`, v, plain, ""},
		{tera.Python, `print('OUTPUT: {"m": "\\{{ x }}"}')`, v, "", "backslash"},
		{tera.Python, "print('OUTPUT: {}')\nprint('{{ x }}')", "a", "a", ""},
		{tera.JavaScript, "console.log(`OUTPUT: {\"m\": \"{{ x }}\"}`)", v, text, ""},
		{tera.JavaScript, "console.log(`OUTPUT: {\"m\": \"${ {{ x }} }\"}`)", v, `"` + text + `"`, ""},
		{tera.JavaScript, "console.log(`OUTPUT: ${JSON.stringify({m: {{ x }} })}`)", v, plain, ""},
		{tera.TypeScript, "console.log(`OUTPUT: ${ {{ x }} }`)", v, "", "string outside"},
		{tera.Go, "fmt.Println(`OUTPUT: {\"m\": \"{{ x }}\"}`)", v, raw, ""},
		{tera.Go, `fmt.Println("OUTPUT: {\"m\": \"{{ x }}\"}")`, v, text, ""},
		{tera.Go, `fmt.Printf("OUTPUT: {\"m\": %q}\n", {{ x }})`, "a", "", "string outside"},
		{tera.Go, `fmt.Printf("OUTPUT: {\"m\": \"%s\"}\n", {{ x }})`, v, `"` + text + `"`, ""},
		{tera.Python, "name = {{ x }}\nprint('OUTPUT: {\"m\": \"%s\"}' % name)", v, "", "by way of name"},
		{tera.Python, "name = {{ x }}\nprint('OUTPUT: {\"m\": \"%s\"}' % name)", "O'Brien", `"O\u0027Brien"`, ""},
		{tera.Python, "name = '{{ x }}'\nprint(f'OUTPUT: {name}')", "{}", "", "by way of name"},
		{tera.Python, "d = '{\"m\": \"{{ x }}\"}'\nprint('OUTPUT:', d)", v, "", "by way of d"},
		{tera.Python, "def out(j): print('OUTPUT: ' + j)\nout('{\"m\": \"{{ x }}\"}')", v, "", "by way of j"},
		{tera.JavaScript, "const n = '{{ x }}'\nconsole.log(`OUTPUT: {\"m\": \"${n}\"}`)", v, "", "by way of n"},
		{tera.JavaScript, "const n = '{{ x }}'\nconsole.log('OUTPUT: {\"m\": \"' + n + '\"}')", v, "", "by way of n"},
		{tera.Python, "sys.stdout.write('OUTPUT: ')\nsys.stdout.write('{\"m\": \"{{ x }}\"}')", v, text, ""},
		{tera.Python, "print('OUTPUT: ', end='')\nprint('{\"m\": \"{{ x }}\"}')", v, text, ""},
		{tera.Python, `print("OUT" + "{{ x }}")`, `PUT: {"a":1}`, "", "step's output"},
		{tera.Python, `print("OUT", {{ x }}, sep="")`, `PUT: {"a":1}`, "", "step's output"},
		{tera.Python, "a = {{ x }}\nprint('OUT' + a)", `PUT: {"a":1}`, "", "step's output"},
	} {
		got, err := parse(t, tt.script).Code(tera.Vars{"x": tt.value}, tt.lang)
		switch want := strings.Replace(tt.script, "{{ x }}", tt.want, 1); {
		case tt.want == "" && (err == nil || !strings.Contains(err.Error(), tt.says)):
			t.Errorf("%v %q: %s, %v", tt.lang, tt.script, got, err)
		case tt.want != "" && (err != nil || got != want):
			t.Errorf("%v %q came out as\n%s, %v, not\n%s", tt.lang, tt.script, got, err, want)
		}
	}
}
