package tera_test

import (
	"strings"
	"testing"

	"stroem/workspace/tera"
)

// evaluatingCode are scripts that read a value as code, by more than the one word
// before a bracket, or as what decides what runs.
var evaluatingCode = map[tera.Language][]string{
	tera.Python: {
		"cProfile.run({{ x }})", "code.InteractiveInterpreter().runsource({{ x }})", "code.InteractiveConsole().push({{ x }})", "trace.Trace().run('{{ x }}')", "bdb.Bdb().run('{{ x }}')", "doctest.run_docstring_examples('>>> {{ x }}', {})", "pickle.Unpickler(io.BytesIO({{ x }})).load()", "webbrowser.get('{{ x }} %s')", "SourceFileLoader('a', '{{ x }}')",
		"p = os.popen('sh', 'w')\np.write('{{ x }}')", "operator.methodcaller('system', {{ x }})(os)", "f = {'a': os.system}\nf['a']({{ x }})", "subprocess.run(shlex.split('{{ x }}'))", "subprocess.run(['ls'], executable={{ x }})",
		"(eval)({{ x }})", "list(map(eval, [{{ x }}]))", "f({{ x }}, eval)", "y = [{{ x }}]; z = 1\nlist(map(exec, [\n{{ x }}]))", "getattr(os, 'system')({{ x }})", "vars(os)['system']({{ x }})",
		"e = eval\ne({{ x }})", "from os import system as s\ns('ls {{ x }}')", "timeit.timeit({{ x }})", "client.exec_command('ls {{ x }}')", "torch.load({{ x }})", "import pickle, json\nloads({{ x }})", "import yaml\nfrom yaml import Loader\nyaml.load({{ x }}, Loader=Loader)", "builtins.exec({{ x }})",
		`subprocess.run(["sh"], input={{ x }}, text=True)`, `p = subprocess.Popen("bash", stdin=PIPE)` + "\np.communicate({{ x }})", "p = Popen(['/bin/sh', '-s'])\np.stdin.write('{{ x }}')", `run(input={{ x }}, args=["python3", "-"])`,
		`subprocess.run(["bash", "-ex"], input=b"{{ x }}")`, `subprocess.run(["env", "bash"], input={{ x }})`, `subprocess.run(["/usr/bin/env", "bash", "-eu"], input="{{ x }}")`, `subprocess.run(["nice", "sh"], input={{ x }})`, `subprocess.run(["bash", "/dev/stdin"], input={{ x }})`, `subprocess.run("bash -eo pipefail", shell=True, input={{ x }})`,
		`p = subprocess.Popen("bash", stdin=-1, text=True)` + "\nprint({{ x }}, file=p.stdin)", `p = Popen(["bash"], stdin=-1)` + "\nos.write(p.stdin.fileno(), b\"{{ x }}\\n\")", "r, w = os.pipe()\np = Popen([\"bash\"], stdin=r)\nos.write(w, b\"{{ x }}\")", `p = Popen("bash", stdin=-1)` + "\nf = p.stdin\nf.write({{ x }})",
		"subprocess.run([{{ x }}])", "subprocess.run({{ x }})", "from subprocess import run as r\nr([{{ x }}, 'pwned'])", "import subprocess as proc\nproc.run([{{ x }}])", "from asyncio import create_subprocess_exec as ce\nce({{ x }})", "subprocess.run(args=[{{ x }}, 'a'])", "subprocess.check_output(['/opt/{{ x }}/bin/tool', 'a'])", "os.execv({{ x }}, [])", "os.spawnv(os.P_WAIT, {{ x }}, [])", "from subprocess import run\nrun(['{{ x }}', 'a'])",
		"os.environ['LD_PRELOAD'] = {{ x }}", "os.putenv('LD_PRELOAD', {{ x }})", "os.environ.update(NODE_OPTIONS={{ x }})", "f(env={'PYTHONPATH': '/a:{{ x }}'})", "f(env={**os.environ, 'PATH': {{ x }}})", "import a, {{ x }}",
	},
	tera.JavaScript: {
		`[].map.constructor("{{ x }}")()`, `(() => {}).constructor({{ x }})`, "require('module')._load('{{ x }}')", "require('module').createRequire(a)('{{ x }}')", "cluster.setupPrimary({ exec: '{{ x }}' })", "const f = { a: execSync }\nf.a('{{ x }}')", "const f = [execSync]\nf[0]('{{ x }}')",
		"eval?.({{ x }})", "cp?.execSync?.({{ x }})", "(0, eval)({{ x }})", "eval.call(null, {{ x }})", "[{{ x }}].map(eval)", `globalThis["eval"]({{ x }})`, "new (Function)({{ x }})", `promisify(exec)("ls {{ x }}")`, "const run = promisify(exec)\nawait run(`ls {{ x }}`)",
		"const { exec: run } = require('child_process')\nrun({{ x }})", "import { execSync as sh } from 'child_process'\nsh('{{ x }}')", "execaCommand('ls {{ x }}')", "execa({{ x }}, {shell: true})", "execa('ls', ['{{ x }}'], {shell: true})", "vm.compileFunction({{ x }})", "new Worker('{{ x }}', { workerData: 1 })", "new Worker({{ x }}, { eval: true })", "m._compile({{ x }})",
		"f({ a: {{ x }}, b: eval })", "(c ? eval : f)({{ x }})", "y = `${[{{ x }}].map(eval)}`",
		"execFileSync('bash', ['-ex'], { input: `ls {{ x }}` })", "spawnSync('env', ['bash'], { input: {{ x }} })", "const p = spawn('bash', ['-e'])\np.stdin.write({{ x }})", `Readable.from(["{{ x }}"]).pipe(spawn('bash').stdin)`, "const p = spawn('bash')\npipeline(Readable.from([{{ x }}]), p.stdin, done)", "const p = spawn('bash')\nconst w = p.stdin\nw.end({{ x }})",
		`spawnSync("sh", { input: {{ x }} })`, `const p = spawn("bash", ["-s"])` + "\np.stdin.write({{ x }})", "spawnSync({{ x }})", "execFile('{{ x }}', ['a'])", "new Deno.Command({{ x }})", "const run = promisify(execFile)\nrun({{ x }}, ['pwned'])", "const c = require('child_process')\nc.spawn({{ x }})", "process.env.NODE_OPTIONS = {{ x }}", "process.env['LD_PRELOAD'] = '{{ x }}'", "spawn('ls', [], {env: {LD_PRELOAD: {{ x }}}})",
	},
	tera.TypeScript: {"execSync<string>({{ x }})", "eval<any>('{{ x }}')", "eval!({{ x }})", "(eval as any)({{ x }})", "const f: any = eval\nf({{ x }})"},
	tera.Go: {
		"import _ \"{{ x }}\"", "import f \"{{ x }}\"", "import (\n_ \"{{ x }}\"\n)", `c := exec.Cmd{Args: []string{"sh", "-c", {{ x }}}}`, `syscall.Exec("/bin/sh", []string{"sh", "-c", {{ x }}}, nil)`,
		"c := exec.Command(\"bash\", \"-ex\")\nc.Stdin = strings.NewReader(\"ls {{ x }}\")", "c := exec.Command(\"bash\")\nw, _ := c.StdinPipe()\nio.WriteString(w, \"ls {{ x }}\")", "c := exec.Command(\"bash\")\nw, err := c.StdinPipe()\nfmt.Fprintf(w, \"ls %s\", {{ x }})", "c := exec.Command(\"bash\")\nw, _ := c.StdinPipe()\nw.Write([]byte({{ x }}))",
		"exec.Command({{ x }})", "exec.CommandContext(ctx, `{{ x }}`)", "c := exec.Command(\"sh\")\nc.Stdin = strings.NewReader({{ x }})", `os.Setenv("LD_PRELOAD", {{ x }})`, "c.Env = append(c.Env, \"LD_PRELOAD={{ x }}\")",
		"c := exec.Command(\"bash\")\nc.Env = append(os.Environ(), fmt.Sprintf(\"BASH_ENV=%s\", {{ x }}))", "c := exec.Command(\"sh\")\nc.Args = append(c.Args, \"-c\", {{ x }})", "c := exec.Command(\"ls\")\nc.Path = {{ x }}",
	},
}

// fineCode are scripts in which no such thing is read.
var fineCode = map[tera.Language][]string{
	tera.Python: {
		"list(map(str, [{{ x }}]))", "y = eval\nz = {{ x }}", "system = {{ x }}", "f(exec={{ x }})", "re.compile('a').match({{ x }})", "import subprocess\nfrom a import b\ny = {{ x }}", "subprocess.run(['ls', '--', {{ x }}])", "subprocess.run(['git', 'commit', '-m', '{{ x }}'], check=True)",
		"subprocess.run(['ls', '--'] + [{{ x }}])", "subprocess.run('ls {{ x }}'.split())", "subprocess.run(['bash', 's.sh', {{ x }}])", "subprocess.run(['cat'], input={{ x }})", "subprocess.run(['python3', 'f.py'], input={{ x }})", "os.environ['NAME'] = {{ x }}", "PATH = {{ x }}", "f(env={'NAME': '{{ x }}'})",
		"subprocess.run(['ping', '-c', '1', '--', {{ x }}])", "re.compile({{ x }})", "f(env={'NAME': {{ x }}}, shell=True)", "asyncio.run(main({{ x }}))", "if a:\n    map(eval, b)\nf({{ x }})", "y = platform.system() + {{ x }}", "print(input() + {{ x }})", "print(\"{{ x }}\", 1)", "logging.info('%s', {{ x }})",
	},
	tera.JavaScript: {
		"const { exec } = require('child_process')\nconst y = {{ x }}", "import { exec } from 'child_process'\nf({{ x }})\ng(eval)", "promisify(exec)('ls'); f({{ x }})", "execFileSync('ls', ['-l', '--', {{ x }}])", "spawn('ls', [`a${b}`, '{{ x }}'])", "spawnSync('cat', { input: {{ x }} })", "process.env.NAME = {{ x }}",
		"function f() {\n  exec('ls')\n  return {{ x }}\n}", "f(function () { return {{ x }} })", "const y = {exec: {{ x }}}", "console.log('a', {{ x }})", "console.log(`${ {{ x }} }`)", "const f = (a) => {\n  g(exec)\n}\nf({{ x }})",
	},
	tera.TypeScript: {"const y: string[] = [{{ x }}]", "f<string>({{ x }})"},
	tera.Go:         {"package main\n\nimport (\n\t\"fmt\"\n)\n\nfunc main() {\n\tfmt.Println({{ x }})\n}", "import \"fmt\"\nfunc main() { fmt.Printf(\"%s\", {{ x }}) }", `exec.Command("ls", "-l", "--", {{ x }})`, `os.Setenv("NAME", {{ x }})`, "for i := range 3 {\n\tf({{ x }})\n}"},
}

func TestCodeThatEvaluates(t *testing.T) {
	t.Parallel()
	vars := tera.Vars{"x": "harmless"}
	for lang, scripts := range evaluatingCode {
		for _, script := range scripts {
			tmpl := parse(t, script)
			if got, err := tmpl.Code(vars, lang); err == nil || len(tmpl.CheckCode(lang)) == 0 {
				t.Errorf("%v %q is not refused: %q", lang, script, got)
			} else if strings.Contains(err.Error(), "not certain") {
				t.Errorf("%v %q: %v", lang, script, err)
			}
		}
	}
	for lang, scripts := range fineCode {
		for _, script := range scripts {
			tmpl := parse(t, script)
			if _, err := tmpl.With(tera.Options{ForbidRaw: true}).Code(vars, lang); err != nil {
				t.Errorf("%v %q: %v", lang, script, err)
			}
			if errs, warnings := tmpl.CheckCode(lang), tmpl.WarnCode(lang); len(errs) > 0 || len(warnings) > 0 {
				t.Errorf("%v %q: %v %v", lang, script, errs, warnings)
			}
		}
	}
}

// programsInCode are scripts that start a program with a value among its arguments,
// and what is said of it.
var programsInCode = []struct {
	lang         tera.Language
	script, says string
}{
	{tera.Python, `subprocess.run(["ssh", "h", "ls {{ x }}"])`, "ssh"}, {tera.Python, `subprocess.run(["php", "-r", {{ x }}])`, "php"}, {tera.Python, `subprocess.run(["awk", {{ x }}])`, "awk"}, {tera.Python, `subprocess.run(["sudo", "-n", "ssh", h, {{ x }}])`, "ssh"},
	{tera.Python, `subprocess.run(["ssh", *opts] + ["h", '{{ x }}'])`, "ssh"}, {tera.Python, `check_output(['env', 'A=1', 'ssh', 'h', {{ x }}])`, "ssh"}, {tera.JavaScript, `execFileSync("ssh", ["h", {{ x }}])`, "ssh"}, {tera.JavaScript, `cp.spawn("node", ["-p", {{ x }}])`, "node"},
	{tera.Go, `exec.Command("ssh", "h", {{ x }})`, "ssh"}, {tera.Python, "cmd = \"ls {{ x }}\"\nos.system(cmd)", "cmd"}, {tera.JavaScript, "const cmd = `ls {{ x }}`\nexecSync(cmd)", "cmd"}, {tera.Python, "cmd = {{ x }}\nif a:\n    eval(f(cmd), b)", "cmd"},
	{tera.Python, "from subprocess import run as r\nr([\"awk\", {{ x }}])", "awk"},
	{tera.Python, "import subprocess as proc\nproc.run([\"awk\", {{ x }}])", "awk"},
	{tera.Python, "import subprocess\nr = subprocess.run\nr([\"awk\", {{ x }}])", "awk"},
	{tera.Python, "subprocess.run(args=[\"awk\", {{ x }}])", "awk"},
	{tera.Python, "check_call(check=True, args=[\"awk\", {{ x }}])", "awk"},
	{tera.Python, "os.spawnlp(os.P_WAIT, \"sed\", \"sed\", \"-e\", {{ x }}, f)", "sed"},
	{tera.Python, "os.spawnvp(os.P_WAIT, \"sed\", [\"sed\", \"-e\", {{ x }}, f])", "sed"},
	{tera.Python, "os.execlp(\"awk\", \"awk\", {{ x }})", "awk"},
	{tera.Python, "subprocess.run([\"tar\", \"-{{ x }}\", \"a\"])", "option of tar"},
	{tera.Python, "subprocess.run([\"tar\", \"--\" + {{ x }}, \"a\"])", "option of tar"},
	{tera.Python, "subprocess.run([\"find\", \".\"] + [\"-\" + {{ x }}, \"touch\", \"pwned\", \";\"])", "option of find"},
	{tera.Python, "n = {{ x }}\nsubprocess.run([\"find\", \".\", \"-\" + n])", "option of find"},
	{tera.Python, "cmd = [\"sed\", \"-e\", \"s/a/{{ x }}/\", f]\nsubprocess.run(cmd)", "sed"},
	{tera.Python, "cmd = [\"awk\"]\ncmd.append({{ x }})\nsubprocess.run(cmd, check=True)", "awk"},
	{tera.Python, "cmd = [\"awk\"]\ncmd += [{{ x }}, f]\nsubprocess.run(cmd)", "awk"},
	{tera.Python, "cmd: list[str] = [\"awk\", {{ x }}]\nsubprocess.run(cmd)", "awk"},
	{tera.Python, "args = [\"-e\", {{ x }}]\nsubprocess.run([\"sed\", *args])", "sed"},
	{tera.Python, "p = {{ x }}\ncmd = [\"awk\", p]\nsubprocess.run(cmd)", "awk"},
	{tera.Python, "tar = \"awk\"\nsubprocess.run([tar, {{ x }}])", "awk"},
	{tera.Python, "subprocess.run([shutil.which(\"awk\"), {{ x }}])", "awk"},
	{tera.Python, "def sh(a):\n    return subprocess.run(a, check=True)\n\nsh([\"awk\", {{ x }}])", "awk"},
	{tera.Python, "import subprocess\ndef run(*cmd):\n    return subprocess.run(cmd)\n\nrun(\"awk\", {{ x }})", "awk"},
	{tera.JavaScript, "const run = promisify(cp.execFile)\nawait run('sed', ['-e', `s/a/${'{{ x }}'}/`, f])", "sed"},
	{tera.JavaScript, "const { execFileSync: f } = cp\nf('awk', [{{ x }}])", "awk"},
	{tera.JavaScript, "const f = cp.execFileSync\nf('awk', [{{ x }}])", "awk"},
	{tera.JavaScript, "import { execFile as f } from 'node:child_process'\nf('awk', [{{ x }}])", "awk"},
	{tera.JavaScript, "const c = require('child_process')\nc.spawn('awk', [{{ x }}])", "awk"},
	{tera.JavaScript, "spawnSync('find', ['.', '-{{ x }}'])", "option of find"},
	{tera.JavaScript, "const a = ['-e', `s/a/{{ x }}/`, f]\nspawnSync('sed', a)", "sed"},
	{tera.JavaScript, "const a = ['-i']\na.push({{ x }}, f)\nspawnSync('sed', a)", "sed"},
	{tera.JavaScript, "const tool = 'awk'\nspawnSync(tool, [{{ x }}])", "awk"},
	{tera.TypeScript, "const a: string[] = ['-e', `s/a/{{ x }}/`, f];\nspawnSync('sed', a);", "sed"},
	{tera.Go, "exec.CommandContext(ctx, \"awk\", {{ x }})", "awk"},
	{tera.Go, "exec.CommandContext(ctx, \"sed\", \"-e\", \"s/a/\"+{{ x }}+\"/\", f)", "sed"},
	{tera.Go, "run := exec.Command\nrun(\"awk\", {{ x }})", "awk"},
	{tera.Go, "args := []string{\"-e\", \"s/a/{{ x }}/\"}\nexec.Command(\"sed\", args...)", "sed"},
	{tera.Go, "args := []string{\"-e\"}\nargs = append(args, {{ x }}, \".\")\nexec.CommandContext(ctx, \"sed\", args...)", "sed"},
	{tera.Go, "func run(name string, a ...string) error {\n\treturn exec.Command(name, a...).Run()\n}\nfunc main() {\n\trun(\"awk\", {{ x }})\n}", "awk"},
	{tera.Go, "exec.Command(\"find\", \".\", \"-\"+{{ x }})", "option of find"},
}

// TestProgramsThatEvaluate checks programs that a script starts with a value among
// their arguments: what the rules for shells say of them is warned of, and refused
// where an agent asks.
func TestProgramsThatEvaluate(t *testing.T) {
	t.Parallel()
	for _, tt := range programsInCode {
		tmpl, vars := parse(t, tt.script), tera.Vars{"x": "a"}
		if _, err := tmpl.Code(vars, tt.lang); err != nil {
			t.Errorf("%q: %v", tt.script, err)
		}
		w := tmpl.WarnCode(tt.lang)
		if len(w) != 1 || w[0].Kind != tera.Again || !strings.Contains(w[0].What, tt.says) || w[0].Path[0] != "x" || len(tmpl.CheckCode(tt.lang)) > 0 {
			t.Errorf("%q: %v %v", tt.script, w, tmpl.CheckCode(tt.lang))
		}
		if got, err := tmpl.With(tera.Options{ForbidRaw: true}).Code(vars, tt.lang); err == nil || !strings.Contains(err.Error(), "does not allow it") {
			t.Errorf("%q is not refused to an agent: %s %v", tt.script, got, err)
		}
	}
}

// TestFormatsAndKeysOfCode checks values that a format or an object would read as
// more than a text: they are refused where it would, and written where not.
func TestFormatsAndKeysOfCode(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		lang              tera.Language
		script, bad, fine string
	}{
		{tera.Python, "print('{{ x }} %s' % 1)", "%s", "a{}"}, {tera.Python, "'{{ x }} {}'.format(y)", "{}", "a%s"}, {tera.Python, "y = \"a {{ x }}\"\\\n.format_map(z)", "}", "a"},
		{tera.Python, "y = ('{{ x }} ' 'has {} items').format(n)", "{0.__class__}", "a"}, {tera.Python, "y = '{{ x }} ' 'has {} items'.format(n)", "{", "a"}, {tera.Python, "y = '{{ x }} ' r'has %d items' % n", "%s", "a"},
		{tera.Python, "y = ('{{ x }}') % 1", "%d", "a"}, {tera.Python, "y = {{ x }} % 1", "%d", "a"}, {tera.Python, "str.format('{{ x }}', a)", "{}", "a"}, {tera.Python, "y = dedent('{{ x }} {}').strip().format(o)", "{}", "a"}, {tera.Python, "log.info('{{ x }}', a)", "%s", "a"},
		{tera.JavaScript, "console.log(\"{{ x }}\", 1)", "%s", "100% of"}, {tera.JavaScript, "util.format('{{ x }}s', a)", "a%", "a"}, {tera.JavaScript, "console.log({{ x }}, {{ x }})", "%d", "a"}, {tera.Go, `fmt.Printf("{{ x }} %d", 1)`, "%s", "a"}, {tera.Go, "fmt.Fprintf(w, `{{ x }}`)", "%", "a"},
		{tera.JavaScript, "y = { '{{ x }}' /* a */: 1 }", "__proto__", "a"}, {tera.JavaScript, "y = { '{{ x }}' // a\n: 1 }", "__proto__", "a"}, {tera.JavaScript, "y = { {{ x }} /* a */ : 1 }", "__proto__", "a"}, {tera.TypeScript, "y = { '__prot{{ x }}': 1 }", "o__", "a"},
		{tera.JavaScript, "y = { '_{{ x }}proto__': 1 }", "_", "a"}, {tera.JavaScript, "y = { '{{ x }}': 1 }", "__proto__", "proto"}, {tera.JavaScript, `y = { '\x5f_{{ x }}': 1 }`, "proto__", "a"}, {tera.JavaScript, "y = { '__{{ x }}__': 1 }", "proto", "_"},
	} {
		tmpl := parse(t, tt.script)
		if errs := tmpl.CheckCode(tt.lang); len(errs) > 0 {
			t.Errorf("%q: %v", tt.script, errs)
		}
		if got, err := tmpl.Code(tera.Vars{"x": tt.bad}, tt.lang); err == nil {
			t.Errorf("%v %q: %q is not refused: %s", tt.lang, tt.script, tt.bad, got)
		}
		if _, err := tmpl.Code(tera.Vars{"x": tt.fine}, tt.lang); err != nil {
			t.Errorf("%v %q: %q: %v", tt.lang, tt.script, tt.fine, err)
		}
	}
	for _, script := range []string{"y = '%{{ x }}' % a", "y = '{' '{{ x }}' '}'.format(a)", "y = '{0.{{ x }}}'.format(a)", "y = '%({{ x }})s' % a", "y = '%-{{ x }}' % a"} {
		if errs := parse(t, script).CheckCode(tera.Python); len(errs) != 1 || !strings.Contains(errs[0].What, "format") {
			t.Errorf("%q: %v", script, errs)
		}
	}
}
