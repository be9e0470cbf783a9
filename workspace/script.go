package workspace

import (
	"cmp"
	"path"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"

	"stroem/workspace/tera"
)

// maxScript bounds a script, written in the YAML or in a file.
const maxScript = 1 << 20

// script reads a script that is written in the YAML.
func (r *reader) script(d *actionDef, p pair) {
	n := r.deref(p.node)
	if n.Kind == yaml.ScalarNode && (null(n) || strings.TrimSpace(n.Value) == "") {
		r.out.fail(p.at, `"script" is empty`, "write the commands to run")
		return
	}
	if d.Script = r.str(p); d.Script == "" {
		return
	}
	if strings.ContainsRune(d.Script, 0) {
		r.out.fail(r.at(n), "a script cannot hold a NUL", "remove it")
	}
	whole := r.scalarOf(n)
	d.ScriptAt = whole.first()
	d.script = r.template(n, `"script"`)
	d.add(d.script)
}

// source reads the name of a file that holds the script.
func (r *reader) source(d *actionDef, p pair) {
	s := r.word(p)
	if s == "" {
		return
	}
	d.sourceAt = r.at(p.node)
	if strings.Contains(s, "{{") {
		r.refuse(d.sourceAt, `a template in "source"`+notYet)
		d.Source = s
		return
	}
	clean, err := Inside(s)
	if err != nil || clean == "." {
		what := quote(s) + " is no file"
		if err != nil {
			what = err.Error()
		}
		r.out.fail(d.sourceAt, `"source" `+what, "name a file of the workspace, such as scripts/deploy.sh")
		return
	}
	d.Source = clean
}

// scriptAction checks what the fields of a script ask of each other.
func (r *reader) scriptAction(d *actionDef, what string) {
	scriptAt, hasScript := d.fields["script"]
	_, hasSource := d.fields["source"]
	switch {
	case hasScript && hasSource:
		r.out.fail(scriptAt, what+` has both "script" and "source"`, "remove one of the two")
	case !hasScript && !hasSource:
		r.out.fail(d.At, what+" has nothing to run", "add script: with the commands, or source: with a file that holds them")
	}
	language := cmp.Or(d.Language, "shell")
	switch at := d.fields["dependencies"]; {
	case len(d.Dependencies) == 0, language == "python":
	case language == "shell":
		r.out.fail(at, `"dependencies" are for languages other than shell`, "remove them, or set language:")
	default:
		r.refuse(at, `"dependencies" of a `+language+` script`+notYet)
	}
	if lang, ok := tera.LanguageOf(language); ok {
		r.code(d.script, lang)
	}
	if at, ok := d.fields["manifest"]; ok && (d.fields["runner"].Line == 0) {
		r.out.fail(at, `"manifest" is for runner: pod`, "remove it")
	}
	r.interpreter(d, language)
	if language == "shell" {
		r.shell(d.script, d.dialect())
		for _, p := range unkept(d.Script, d.ScriptAt) {
			r.out.add(p)
			d.Refusals = append(d.Refusals, p)
		}
	}
}

var interpreterChars = regexp.MustCompile(`^[A-Za-z0-9._/+-]+$`)

// interpreters are the names of the programs that read a script of a language,
// with or without a version, and those to name in a message. One that reads another
// language would run what was quoted for this one.
var interpreters = map[string]struct {
	names *regexp.Regexp
	such  string
}{
	"shell":      {regexp.MustCompile(`^(sh|bash)$`), "sh or bash"},
	"python":     {regexp.MustCompile(`^(i?python|pythonw|pypy|graalpy)[0-9.]*t?(\.exe)?$`), "python3, pypy3"},
	"javascript": {regexp.MustCompile(`^(node|nodejs|bun|deno)[-0-9.]*(\.exe)?$`), "node, bun, deno"},
	"typescript": {regexp.MustCompile(`^(bun|deno|tsx|ts-node|node)[-0-9.]*(\.exe)?$`), "bun, deno, tsx, ts-node"},
	"go":         {regexp.MustCompile(`^(yaegi|gorun)(\.exe)?$`), "yaegi, gorun"},
}

// interpreter checks the program that runs the script: one of its language.
func (r *reader) interpreter(d *actionDef, language string) {
	if d.Interpreter == "" {
		return
	}
	at := r.at(d.interp.node)
	base := path.Base(d.Interpreter)
	own, known := interpreters[language]
	fits := known && own.names.MatchString(base)
	switch {
	case !interpreterChars.MatchString(d.Interpreter):
		r.out.fail(at, quote(d.Interpreter)+" cannot be an interpreter", "write the program's name or path alone")
	case fits && (language != "shell" || base == d.Interpreter || path.IsAbs(d.Interpreter)):
	case d.language.node == nil:
		r.out.fail(at, `"interpreter" other than sh or bash needs "language"`, "add language:")
	case language == "shell":
		r.refuse(at, `"interpreter: `+d.Interpreter+`"`+notYet)
	case known:
		r.out.fail(at, `"interpreter: `+d.Interpreter+`" is not known to run the file of a `+language+" script, for which its values are written",
			"write one that does ("+own.such+"), by its name or path, or remove it")
	}
}

var (
	// keptDirs are read for state, which nothing keeps yet.
	keptDirs = regexp.MustCompile(`\$\{?(STATE_DIR|STATE_OUT_DIR|GLOBAL_STATE_DIR|GLOBAL_STATE_OUT_DIR)\b`)
	// stateLine is a printed STATE: line with JSON, or with what may be JSON.
	stateLine = regexp.MustCompile(`(?m)(?:^|["']|\becho(?:\s+-\w+)*|\\n)\s*((?:GLOBAL_)?STATE): ?(?:\\?["'])*[{$%]`)
)

// unkept finds where a script leaves state, which is not kept yet. A variable
// that the script itself sets is its own affair.
func unkept(script string, at Pos) []Problem {
	var found []Problem
	seen := map[string]bool{}
	note := func(offset int, name, what string) {
		start := strings.LastIndexByte(script[:offset], '\n') + 1
		if seen[name] || strings.HasPrefix(strings.TrimSpace(script[start:]), "#") {
			return
		}
		seen[name] = true
		found = append(found, refusal(inScript(script, offset, at), what))
	}
	if !strings.Contains(script, "_DIR") && !strings.Contains(script, "STATE:") {
		return nil // most scripts, spared the two searches
	}
	for _, m := range keptDirs.FindAllStringSubmatchIndex(script, -1) {
		name := script[m[2]:m[3]]
		if !seen[name] && !assigned(script, name) {
			note(m[0], name, "$"+name+notYet+": state is not kept")
		}
	}
	for _, m := range stateLine.FindAllStringSubmatchIndex(script, -1) {
		note(m[2], script[m[2]:m[3]]+":", script[m[2]:m[3]]+": {…}"+notYet+": state is not kept")
	}
	return found
}

// assigned reports whether the script sets the variable.
func assigned(script, name string) bool {
	for rest := script; ; {
		i := strings.Index(rest, name+"=")
		if i < 0 {
			return false
		}
		if i == 0 || strings.IndexByte(" \t\n;&|(", rest[i-1]) >= 0 {
			return true
		}
		rest = rest[i+1:]
	}
}

// inScript is the place of an offset in a script that begins at a place, where
// the script stands line by line as it is in the file.
func inScript(script string, offset int, at Pos) Pos {
	before := script[:offset]
	lines := strings.Count(before, "\n")
	if at.Line == 0 {
		return at
	}
	column := len([]rune(before[strings.LastIndexByte(before, '\n')+1:]))
	return Pos{at.File, at.Line + lines, at.Column + column}
}
