package tera_test

import (
	"strings"
	"testing"

	"stroem/workspace/tera"
)

// everydayCode are whole scripts of which nothing is to be said.
var everydayCode = map[tera.Language][]string{
	tera.Python: {
		"print({{ x }})",
		"import json\nprint(json.dumps({\"a\": {{ x }} }))",
		"import requests\nname = {{ x }}\nr = requests.post(\"https://a/b\", json={\"name\": name})\nr.raise_for_status()\nprint(\"OUTPUT: \" + json.dumps({\"n\": r.json()[\"n\"]}))",
		"path = {{ x }}\nwith open(path) as f:\n    for line in f:\n        print(line.strip())",
		"import subprocess\nd = {{ x }}\nsubprocess.run([\"ls\", \"--\", d], check=True)",
		"import subprocess\nsubprocess.run([\"ls\", \"--\", {{ x }}])",
		"import argparse\np = argparse.ArgumentParser()\np.add_argument(\"--name\", default={{ x }})\na = p.parse_args()\nprint(f\"hello {a.name}\")",
		"import sqlite3\nc = sqlite3.connect(\"a.db\")\nname = {{ x }}\nfor r in c.execute(\"select * from u where name = ?\", (name,)):\n    print(r)",
		"name = {{ x }}\nprint(f\"Hello {name}\")\nos.system(\"date\")",
		"import os\nname = {{ x }}\nos.makedirs(os.path.join(\"/data\", name), exist_ok=True)\nos.system(\"sync\")",
		"d = {{ x }}\nimport subprocess\ncmd = [\"rsync\", \"-a\", \"--\", d, \"/backup/\"]\nsubprocess.run(cmd, check=True)",
		"import subprocess\ndef run(cmd):\n    print(\"+\", cmd)\n    subprocess.run(cmd, check=True)\n\nrun([\"git\", \"-C\", \"/srv\", \"commit\", \"-m\", {{ x }}])",
		"import subprocess\ndef run(*cmd):\n    return subprocess.run(cmd, check=True, capture_output=True, text=True).stdout\n\nprint(run(\"du\", \"-sh\", \"--\", {{ x }}))",
		"import subprocess, os\nenv = dict(os.environ, NAME={{ x }})\nsubprocess.run(\"echo \\\"$NAME\\\" | tr a-z A-Z\", shell=True, env=env)",
		"import os, subprocess\nos.environ[\"NAME\"] = {{ x }}\nsubprocess.run(\"echo \\\"$NAME\\\"\", shell=True, check=True)",
		"import os, shlex\nd = {{ x }}\nos.system(f\"ls -l {shlex.quote(d)}\")",
		"n = {{ x }}\nos.system(f\"sleep {int(n)}\")",
		"import re\npat = re.compile({{ x }})\nprint(pat.search(\"a\"))",
		"import re\nname = {{ x }}\np = re.compile(f\"^{re.escape(name)}$\")",
		"import logging\nlogging.info(\"name %s\", {{ x }})",
		"name = {{ x }}\ncount = len(name)\nprint(\"OUTPUT: {\\\"n\\\": %d}\" % count)",
		"name = {{ x }}\nout = json.dumps({\"name\": name})\nprint(\"OUTPUT: \" + out)",
		"name = {{ x }}\nprint(f'OUTPUT: {json.dumps({\"m\": name})}')",
		"from pathlib import Path\np = Path({{ x }})\nprint(p.read_text())\nsubprocess.run([\"wc\", \"-l\", \"--\", str(p)])",
		"import smtplib\nmsg = EmailMessage()\nmsg[\"Subject\"] = {{ x }}\nmsg.set_content(\"{{ x }}\")\ns.send_message(msg)",
		"import psycopg\ncur.execute(\"insert into t values (%s)\", ({{ x }},))",
		"items = [s.strip() for s in {{ x }}.split(\",\")]\nfor i in items:\n    print(i)",
		"import urllib.request, urllib.parse\nq = urllib.parse.quote({{ x }})\nprint(urllib.request.urlopen(f\"https://a/?q={q}\").read())",
		"import time\nname = \"{{ x }}\"\nwhile True:\n    out = subprocess.run([\"systemctl\", \"is-active\", \"--\", name], capture_output=True, text=True)\n    if out.stdout.strip() == \"active\":\n        break\n    time.sleep(5)",
		"#!/usr/bin/env python3\n# Report for {{ x }}\nimport sys\nprint(\"Report for {{ x }}\", file=sys.stderr)",
		"import csv\nwith open(\"/data/{{ x }}.csv\") as f:\n    rows = list(csv.DictReader(f))\nprint(f\"{len(rows)} rows\")",
		"import sys\nsys.path.insert(0, \"/srv/lib\")\nimport mylib\nmylib.report({{ x }})",
		"def main(name=\"{{ x }}\"):\n    print(f\"hi {name}\")\n    subprocess.run([\"make\", \"all\"], check=True)\nmain()",
		"import yaml\ncfg = yaml.safe_load(open(\"/etc/a.yml\"))\nprint(cfg[{{ x }}])",
		"import subprocess\nhost = {{ x }}\nr = subprocess.run([\"ping\", \"-c\", \"1\", \"--\", host])\nsys.exit(r.returncode)",
		"import docker\nc = docker.from_env()\nc.containers.get({{ x }}).restart()",
		"import boto3\ns3 = boto3.client(\"s3\")\ns3.upload_file(\"/a\", \"bucket\", {{ x }})\n",
		"import paho.mqtt.publish as p\np.single(\"a/b\", {{ x }}, hostname=\"h\")",
		"import webbrowser\nu = {{ x }}\nwebbrowser.open(u)",
		"import pickle\nd = pickle.load(open(\"/a\", \"rb\"))\nprint(d.get(\"k\"))\nname = {{ x }}\nprint(name)",
		"import tempfile\nwith open(\"/tmp/a.txt\", \"w\") as f:\n    f.write(\"{{ x }}\\n\")",
		"data = {\"name\": {{ x }}, \"n\": 5}\nprint(data[\"name\"])\nsubprocess.run([\"date\", \"+%s\"])",
		"x = int({{ x }})\nif x > 3: print(\"many\")",
		"import sys\nsys.stdout.write(\"{{ x }}\")\nprint(\"OUTPUT: {}\")",
		"import subprocess\ndef run(name):\n    print(name)\nrun(\"{{ x }}\")",
		"import subprocess\ndef call(name):\n    print(name)\nsubprocess.run(\"date\", shell=True)\ncall({{ x }})",
		"import subprocess\nclass A:\n    def run(self, name):\n        print(name)\n    def go(self):\n        self.run({{ x }})\nsubprocess.run(\"date\", shell=True)",
		"import yaml, json\nc = yaml.load(open(\"/etc/{{ x }}.yml\"), Loader=yaml.SafeLoader)\nd = json.loads(\"\"\"{{ x }}\"\"\")",
		"import pickle, json, yaml\nd = pickle.load(open(\"/a\", \"rb\"))\ne = json.loads({{ x }})\nf = list(map(json.loads, [{{ x }}]))\ng = yaml.load({{ x }}, Loader=yaml.SafeLoader)",
		"import subprocess\nsubprocess.run([\"bash\", \"-e\", \"-o\", \"pipefail\", \"s.sh\"], input={{ x }})\nsubprocess.run([\"bash\", f\"/srv/s.sh\"], input={{ x }})",
		"import subprocess\nsubprocess.run([\"python3\", \"-u\", \"a.py\"], input={{ x }})",
		"import subprocess, sys\np = subprocess.Popen([\"bash\"], stdin=-1)\ndata = sys.stdin.read()\ndata.append({{ x }})\nprint({{ x }}, file=sys.stderr)\nwith open(\"/a\", \"w\") as f:\n    f.write({{ x }})\n    print({{ x }}, file=f)",
		"import subprocess\ndef run(cmd, **kw):\n    print(\"+\", *cmd)\n    return subprocess.run(cmd, check=True, **kw)\n\nrun([\"git\", \"commit\", \"-m\", {{ x }}])\nrun([\"echo\", {{ x }}])\nrun([\"rsync\", \"-a\", \"--\", {{ x }}, \"/b\"], cwd=\"/srv\")",
		"import subprocess\ncmd = [\"pg_dump\", \"-d\"]\ncmd.append({{ x }})\ncmd += [\"-f\", \"/b/{{ x }}.sql\"]\nif verbose:\n    cmd.append(\"-v\")\nsubprocess.run(cmd, check=True)",
		"import subprocess\nnames = [\"awk\", {{ x }}]\nfor n in names:\n    print(n)\nfiles = []\nfiles.append({{ x }})\nprint(files)\nsubprocess.run([\"date\"])",
		"import subprocess as sp\nargs = [\"--\", {{ x }}]\nsp.run([\"ls\", \"-l\", *args])\nr = sp.run\nr([\"echo\", str({{ x }})])",
		"import subprocess\ntool = \"wc\"\nprint(tool, {{ x }})\nsubprocess.run([tool, \"-l\", \"--\", \"/data/{{ x }}\"])",
		"import os, shlex\nd = shlex.quote({{ x }})\nos.system(f\"ls 'a' {d} | tee \\\"b\\\"\")\nprint(f\"listed '{d}'\")",
		"import joblib, numpy as np\na = np.load(\"/data/{{ x }}.npy\")",
		"print(\"Gr\\u00fc\\xdfe an {{ x }} \\U0001F600{{ x }} \\x41{{ x }}\")",
		"from sqlmodel import select\nr = s.exec(select(User).where(User.name == \"{{ x }}\")).all()",
		"import subprocess\nb = {{ x }}\nsubprocess.run(f\"git checkout -- {shlex.quote(b)}\", shell=True)",
	},
	tera.JavaScript: {
		"const fs = require(\"fs\");\nconst p = {{ x }};\nconsole.log(fs.readFileSync(p, \"utf8\"));",
		"console.log({{ x }})",
		"const name = {{ x }};\nconsole.log(`hello ${name}`);\nconsole.log(`OUTPUT: ${JSON.stringify({name})}`);",
		"const r = await fetch(`https://a/${encodeURIComponent({{ x }})}`);\nconst j = await r.json();\nconsole.log(j.n);",
		"const { execFileSync } = require(\"child_process\");\nconst d = {{ x }};\nconsole.log(execFileSync(\"ls\", [\"-l\", \"--\", d]).toString());",
		"const { execSync } = require(\"child_process\");\nconst name = {{ x }};\nconst sha = execSync(\"git rev-parse HEAD\").toString().trim();\nconsole.log(`${name} at ${sha}`);",
		"const name = {{ x }};\nsetTimeout(() => console.log(name), 100);",
		"const re = new RegExp(\"^a\");\nconst m = re.exec({{ x }});\nconsole.log(m);",
		"const items = {{ x }}.split(\",\");\nfor (const i of items) console.log(i);\nitems.forEach(i => console.log(i.trim()));",
		"const { Client } = require(\"pg\");\nconst c = new Client();\nawait c.connect();\nconst r = await c.query(\"select * from u where n = $1\", [{{ x }}]);\nconsole.log(r.rows.length);",
		"const http = require(\"http\");\nhttp.get({{ x }}, (res) => {\n  res.on(\"data\", (d) => process.stdout.write(d));\n});",
		"const { spawn } = require(\"child_process\");\nconst p = spawn(\"tail\", [\"-f\", \"--\", {{ x }}]);\np.stdout.on(\"data\", (d) => console.log(String(d)));",
		"const { execSync } = require(\"child_process\");\nexecSync(\"make\", { env: { ...process.env, NAME: {{ x }} }, stdio: \"inherit\" });",
		"process.env.NAME = {{ x }};\nrequire(\"child_process\").execSync(\"make all\", {stdio: \"inherit\"});",
		"const path = require(\"path\");\nconst f = path.join(\"/data\", {{ x }});\nrequire(\"fs\").mkdirSync(f, {recursive: true});",
		"class A {\n  constructor(n) { this.n = n }\n}\nconst a = new A({{ x }});\nconsole.log(a.n);",
		"function greet(n) {\n  return `hi ${n}`;\n}\nconsole.log(greet({{ x }}));",
		"const n = {{ x }}.length;\nconsole.log(`OUTPUT: {\"n\": ${n}}`);",
		"const o = { name: {{ x }} };\nrequire(\"fs\").writeFileSync(\"/a.json\", JSON.stringify(o));",
		"(async () => {\n  const r = await axios.post(\"https://a\", { text: {{ x }} });\n  console.log(r.status);\n})();",
		"setInterval(function () { console.log({{ x }}) }, 1000)",
		"module.exports = { name: {{ x }} };",
		"const { execSync } = require(\"child_process\");\nasync function run(name) {\n  console.log(name);\n}\nrun(\"{{ x }}\");",
		"const { spawn } = require(\"child_process\");\nconst p = spawn(\"bash\");\nfs.createReadStream({{ x }}).pipe(process.stdout);\nprocess.stdout.write({{ x }});",
		"const { execFile } = require('node:child_process');\nconst run = require('node:util').promisify(execFile);\nconst { stdout } = await run('git', ['commit', '-m', {{ x }}]);\nconsole.log(stdout);",
		"const cp = require('child_process');\nconst args = ['-l', '--'];\nargs.push({{ x }});\ncp.execFileSync('ls', args);\nconst list = ['awk', {{ x }}];\nconsole.log(list.join(' '));",
		"const { spawnSync } = require('child_process');\nfunction sh(cmd, args) {\n  return spawnSync(cmd, args, { stdio: 'inherit' });\n}\nsh('git', ['commit', '-m', {{ x }}]);\nsh('mkdir', ['-p', '--', `/data/{{ x }}`]);",
		"const w = new Worker(\"./w.js\", { workerData: { name: \"{{ x }}\" } });",
		"const m = /a(b)/g.exec(\"{{ x }}\");",
		"console.log(\"Gr\\u00fc\\xdfe an {{ x }} \\u{1F600}{{ x }}\", `\\u00e9{{ x }}`);",
	},
	tera.TypeScript: {
		"type Row = { name: string; n?: number };\nconst rows: Row[] = [{ name: \"{{ x }}\" }];\nconsole.log(rows.map((r) => `${r.name}: ${(r.n ?? 0) / 100}`).join(\"\\n\"));",
		"const log = (name: string, at: string = \"/tmp\"): void => { console.log(name, at) }\nconst tmp = execSync(\"ls /tmp\").toString();\nlog({{ x }});",
		"interface A { b: string }\nconst a: A = { b: {{ x }} };\nconsole.log(a.b);",
	},
	tera.Go: {
		"package main\nimport (\"fmt\"; \"net/http\")\nfunc main() {\n\tu := {{ x }}\n\tr, err := http.Get(u)\n\tif err != nil { panic(err) }\n\tfmt.Println(r.Status)\n}",
		"package main\nimport (\"os/exec\"; \"fmt\")\nfunc main() {\n\tname := {{ x }}\n\tout, err := exec.Command(\"ls\", \"-l\", \"--\", name).CombinedOutput()\n\tfmt.Println(string(out), err)\n}",
		"package main\nimport (\"net/url\"; \"fmt\")\nfunc main() {\n\tu, _ := url.Parse(\"https://a\")\n\tu.Path = {{ x }}\n\tfmt.Println(u)\n}",
		"package main\nimport (\"os\"; \"os/exec\")\nfunc main() {\n\tc := exec.Command(\"make\", \"all\")\n\tc.Env = append(os.Environ(), \"NAME=\"+{{ x }})\n\tc.Stdin = os.Stdin\n\tc.Run()\n}",
		"package main\nimport (\"encoding/json\"; \"fmt\")\nfunc main() {\n\tb, _ := json.Marshal(map[string]string{\"name\": {{ x }}})\n\tfmt.Printf(\"OUTPUT: %s\\n\", b)\n}",
		"package main\nimport (\"os\"; \"fmt\")\nfunc main() {\n\tf, err := os.Open({{ x }})\n\tif err != nil { fmt.Println(err); os.Exit(1) }\n\tdefer f.Close()\n}",
		"package main\nimport (\"database/sql\"; \"fmt\")\nfunc main() {\n\trows, err := db.Query(\"select a from b where c = $1\", {{ x }})\n\tfmt.Println(rows, err)\n}",
		"package main\nimport \"fmt\"\nfunc greet(n string) string {\n\treturn \"hi \" + n\n}\nfunc main() {\n\tfmt.Println(greet({{ x }}))\n}",
		"package main\nimport (\"context\"; \"os/exec\")\nfunc run(ctx context.Context, name string, args ...string) error {\n\treturn exec.CommandContext(ctx, name, args...).Run()\n}\nfunc main() {\n\targs := []string{\"-l\"}\n\targs = append(args, \"--\", {{ x }})\n\texec.Command(\"ls\", args...).Run()\n\trun(context.Background(), \"git\", \"commit\", \"-m\", {{ x }})\n\tfor _, n := range []string{\"awk\", {{ x }}} {\n\t\tprintln(n)\n\t}\n}",
		"package main\nimport (\"os/exec\"; \"fmt\")\nfunc run(args ...string) {\n\tout, err := exec.Command(\"git\", args...).CombinedOutput()\n\tfmt.Println(string(out), err)\n}\nfunc main() {\n\trun(\"commit\", \"-m\", {{ x }})\n}",
	},
}

// flowingCode are scripts that read a value as code, or choose by it what they start,
// after it went from name to name; or in a place where it may well have to stand.
var flowingCode = map[tera.Language][]string{
	tera.Python: {
		"d = shlex.quote({{ x }})\nos.system(f\"echo '{d}'\")",
		"d = shlex.quote({{ x }})\nsubprocess.run(f'echo \"{d}\"', shell=True)",
		"d = shlex.quote({{ x }})\nos.system(f\"bash -c 'ls {d}'\")",
		"d = {{ x }}\nos.system(f\"ls {d}\")",
		"d = \"{{ x }}\"\nsubprocess.run(f\"ls {d!r:>4}\", shell=True)",
		"d = {{ x }}\nsubprocess.run(\"ls {}\".format(d), shell=True)",
		"for d in [\"{{ x }}\"]:\n    os.system(\"ls \" + d)",
		"for d in {{ x }}.split(\",\"):\n    os.system(d)",
		"os.system([c for c in d][0])\nd = [{{ x }}]",
		"a, b = \"{{ x }}\", 1\nos.system(\"ls \" + a)",
		"if (d := \"{{ x }}\"):\n    os.system(\"ls \" + d)",
		"def main(d=\"{{ x }}\"):\n    os.system(\"ls \" + d)\nmain()",
		"def run(c):\n    subprocess.run(c, shell=True)\nrun(\"ls {{ x }}\")",
		"run = lambda c: os.system(c)\nrun(\"{{ x }}\")",
		"def cmd():\n    return \"ls {{ x }}\"\nos.system(cmd())",
		"d = {{ x }}\ne = d\nos.system(\"ls \" + e)",
		"os.system(d)\nd = {{ x }}",
		"d: str = \"{{ x }}\"\nos.system(d)",
		"d = \"ls\"\nd += {{ x }}\nos.system(d)",
		"cfg = {\"a\": {\"b\": \"{{ x }}\"}}\nos.system(cfg[\"a\"][\"b\"])",
		"class C:\n    name = \"{{ x }}\"\nos.system(\"ls \" + C.name)",
		"c = [\"sh\", \"-c\"]\nc.append(\"ls {{ x }}\")\nsubprocess.run(c)",
		"script = \"\"\"\nls {{ x }}\n\"\"\"\nsubprocess.run([\"bash\"], input=script, text=True)",
		"c = {{ x }}\nsubprocess.run([c])",
		"c = {{ x }}\nsubprocess.run(c.split())",
		"c = {{ x }}\nos.execvp(c, [c, \"a\"])",
		"cmds = [\"{{ x }}\"]\nlist(map(os.system, cmds))",
		"h = {{ x }}\nsubprocess.run([\"ssh\", \"h\", f\"ls {h}\"])",
		`sys.path.insert(0, "{{ x }}")`,
		"sys.path.append({{ x }})",
		`sys.path += ["{{ x }}"]`,
		`site.addsitedir("{{ x }}")`,
		"p = {{ x }}\nsys.path.append(p)",
		"def f(a: \"{{ x }}\"): pass\ntyping.get_type_hints(f)",
		"class A:\n    a: \"{{ x }}\"\ninspect.signature(A, eval_str=True)",
		`subprocess.run(shlex.split("ssh h {{ x }}"))`,
		`subprocess.run([sys.executable, "-m", "{{ x }}"])`,
	},
	tera.JavaScript: {
		"const d = `{{ x }}`\nconst cmd = `ls ${d}`\nexecSync(cmd)",
		"const { d } = { d: {{ x }} }\nexecSync(`ls ${d}`)",
		"const [d] = [\"{{ x }}\"]\nexecSync(d)",
		"const o = { d: \"{{ x }}\" }\nexecSync(`ls ${o.d}`)",
		"for (const d of [\"{{ x }}\"]) execSync(`ls ${d}`)",
		`["{{ x }}"].forEach(d => execSync("ls " + d))`,
		`["{{ x }}"].forEach((d, i) => execSync("ls " + d))`,
		"const f = (d, c = \"/tmp\") => execSync(`ls ${d}`)\nf(\"{{ x }}\")",
		"const f = (d, b = []) => execSync(`ls ${d}`)\nf(\"{{ x }}\")",
		"const f = ({ d, e = \"q\" }) => execSync(`ls ${d}`)\nf({ d: {{ x }} })",
		"const run = c => execSync(c)\nrun(\"ls {{ x }}\")",
		"function run(c) { return execSync(c) }\nrun(\"ls {{ x }}\")",
		"const sh = (c) => execSync(c, { stdio: \"inherit\" })\nsh(`ls {{ x }}`)",
		"const a = [\"ls\"]\na.push(\"{{ x }}\")\nexecSync(a.join(\" \"))",
		"const s = `ls {{ x }}`\nspawnSync(\"sh\", { input: s })",
		"const c = \"{{ x }}\"\nspawnSync(c, [\"a\"])",
		"const [c, ...a] = \"{{ x }}\".split(\" \")\nspawnSync(c, a)",
		"var a = 1, d = \"{{ x }}\"\nexecSync(d)",
		"class A { d = \"{{ x }}\"; go() { execSync(`ls ${this.d}`) } }",
		"exports.d = \"{{ x }}\"\nexecSync(\"ls \" + exports.d)",
		"function g() { return \"{{ x }}\" }\nexecSync(\"ls \" + g())",
		"const g = () => \"{{ x }}\"\nexecSync(\"ls \" + g())",
		"spawnSync(process.execPath, [\"-p\", `{{ x }}`])",
	},
	tera.TypeScript: {
		"const run = (cmd: string): string => execSync(cmd).toString()\nrun(\"ls {{ x }}\")",
		"const run = (cmd: string, args: string[] = []) => execSync(cmd)\nrun(\"ls {{ x }}\")",
		"const run = (cmd: string, cwd?: string) => execSync(cmd)\nrun(\"ls {{ x }}\")",
		"const go = <T,>(d: T) => execSync(`ls ${d}`)\ngo(\"{{ x }}\")",
		"const d: string = {{ x }}\nexecSync(`ls ${d}`)",
	},
	tera.Go: {
		"var d string = \"{{ x }}\"\nexec.Command(\"sh\", \"-c\", \"ls \"+d)",
		"d := {{ x }}\ncmd := fmt.Sprintf(\"ls %s\", d)\nexec.Command(\"sh\", \"-c\", cmd)",
		"args := []string{\"-c\", {{ x }}}\nexec.Command(\"sh\", args...)",
		"s := \"{{ x }}\"\nc := exec.Command(\"sh\")\nc.Stdin = strings.NewReader(s)",
		"for _, d := range []string{\"{{ x }}\"} {\n\texec.Command(\"sh\", \"-c\", \"ls \"+d)\n}",
		"run := func(c string) { exec.Command(\"sh\", \"-c\", c) }\nrun(\"ls {{ x }}\")",
		"func run(c string) {\n\texec.Command(\"sh\", \"-c\", c)\n}\nfunc main() {\n\trun(\"ls {{ x }}\")\n}",
		"n := \"{{ x }}\"\nexec.Command(n, \"a\")",
		"f := strings.Fields(\"{{ x }}\")\nexec.Command(f[0], f[1:]...)",
		"d := struct{ N string }{ {{ x }} }\nexec.Command(\"sh\", \"-c\", \"ls \"+d.N)",
		"m := map[string]string{\"a\": {{ x }}}\nexec.Command(\"sh\", \"-c\", \"ls \"+m[\"a\"])",
		"d, e := {{ x }}, 1\nexec.Command(\"sh\", \"-c\", \"ls \"+d)",
		"b := &strings.Builder{}\nb.WriteString(\"ls {{ x }}\")\nexec.Command(\"sh\", \"-c\", b.String())",
		"v := {{ x }}\nc := exec.Command(\"bash\")\nc.Env = append(os.Environ(), \"BASH_ENV=\"+v)",
	},
}

func TestValuesThatFlowInCode(t *testing.T) {
	t.Parallel()
	for lang, scripts := range flowingCode {
		for _, script := range scripts {
			tmpl, vars := parse(t, script), tera.Vars{"x": "a"}
			if _, err := tmpl.Code(vars, lang); err != nil {
				t.Errorf("%v %q: %v", lang, script, err)
			}
			w := tmpl.WarnCode(lang)
			if len(w) != 1 || w[0].Kind != tera.Again || len(tmpl.CheckCode(lang)) > 0 {
				t.Errorf("%v %q: %v %v", lang, script, w, tmpl.CheckCode(lang))
			}
			agent := tmpl.With(tera.Options{ForbidRaw: true})
			if got, err := agent.Code(vars, lang); err == nil || !strings.Contains(err.Error(), "does not allow it") {
				t.Errorf("%v %q is not refused to an agent: %s %v", lang, script, got, err)
			}
			if _, err := agent.Code(tera.Vars{"x": "5"}, lang); err != nil {
				t.Errorf("%v %q: %v", lang, script, err)
			}
		}
	}
	for lang, scripts := range everydayCode {
		for _, script := range scripts {
			tmpl := parse(t, script)
			if errs, warnings := tmpl.CheckCode(lang), tmpl.WarnCode(lang); len(errs) > 0 || len(warnings) > 0 {
				t.Errorf("%v %q: %v %v", lang, script, errs, warnings)
			}
			if _, err := tmpl.With(tera.Options{ForbidRaw: true}).Code(tera.Vars{"x": `O"Brien -x`}, lang); err != nil {
				t.Errorf("%v %q: %v", lang, script, err)
			}
		}
	}
}

// TestOptionsInCode checks values that a program which is started may take for an
// option.
func TestOptionsInCode(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		lang          tera.Language
		script, names string
	}{
		{tera.Python, `subprocess.run(["tar", "cf", "a.tar", "{{ x }}", "."])`, "tar"},
		{tera.Python, `subprocess.run(["ls", {{ x }}])`, "ls"},
		{tera.Python, "d = \"{{ x }}\"\nsubprocess.run([\"tar\", \"cf\", \"a.tar\", d])", "tar"},
		{tera.Python, `subprocess.run(["sudo", "-n", "tar", "cf", "a.tar", {{ x }}])`, "tar"},
		{tera.Python, `subprocess.run(shlex.split("tar cf a.tar {{ x }}"))`, "tar"},
		{tera.JavaScript, `spawnSync("tar", ["cf", "a.tar", "{{ x }}", "."])`, "tar"},
		{tera.Go, `exec.Command("tar", "cf", "a.tar", {{ x }}, ".")`, "tar"},
		{tera.Python, "subprocess.run([\"tar\", \"cf\", \"a.tar\", str({{ x }}), \".\"])", "tar"},
		{tera.Python, "d = {{ x }}\nsubprocess.run([\"tar\", \"cf\", \"a.tar\", str(d), \".\"])", "tar"},
		{tera.Python, "cmd = [\"tar\", \"cf\", \"a.tar\", {{ x }}, \".\"]\nsubprocess.run(cmd)", "tar"},
		{tera.JavaScript, "spawnSync(\"tar\", [\"cf\", \"a.tar\", String({{ x }}), \".\"])", "tar"},
		{tera.Go, "exec.CommandContext(ctx, \"tar\", \"cf\", \"a.tar\", {{ x }}, \".\")", "tar"},
		{tera.Go, "exec.Command(\"tar\", \"cf\", \"a.tar\", strings.TrimSpace({{ x }}), \".\")", "tar"},
		{tera.Go, "args := []string{\"cf\", \"a.tar\"}\nargs = append(args, {{ x }}, \".\")\nexec.Command(\"tar\", args...)", "tar"},
	} {
		tmpl := parse(t, tt.script)
		if w := tmpl.WarnCode(tt.lang); len(w) != 1 || w[0].Kind != tera.Option || !strings.Contains(w[0].What, tt.names) || len(tmpl.CheckCode(tt.lang)) > 0 {
			t.Errorf("%q: %v %v", tt.script, w, tmpl.CheckCode(tt.lang))
		}
		agent := tmpl.With(tera.Options{ForbidRaw: true})
		if got, err := agent.Code(tera.Vars{"x": "-Ish"}, tt.lang); err == nil || !strings.Contains(err.Error(), "as an option") {
			t.Errorf("%q is not refused to an agent: %s %v", tt.script, got, err)
		}
		for _, err := range []error{second(agent.Code(tera.Vars{"x": "a"}, tt.lang)), second(tmpl.Code(tera.Vars{"x": "-v"}, tt.lang))} {
			if err != nil {
				t.Errorf("%q: %v", tt.script, err)
			}
		}
	}
}

func second(_ string, err error) error { return err }
