package workspace

import (
	"fmt"
	"path"
	"regexp"
	"strings"

	"stroem/workspace/tera"
)

// Action is what a step runs.
type Action struct {
	Name        string `json:"name"` // of an inline action _inline:{task}:{step}
	Title       string `json:"title,omitempty"`
	Description string `json:"description,omitempty"`
	Type        string `json:"type"`
	// Script is the text to run: written in the YAML, and then a template, or
	// the content of the Source file, and then never one.
	Script      string `json:"script,omitempty"`
	Source      string `json:"source,omitempty"`   // relative to the workspace
	Language    string `json:"language,omitempty"` // "" is shell
	Interpreter string `json:"interpreter,omitempty"`
	// Dependencies are the packages of a python script.
	Dependencies []string `json:"dependencies,omitempty"`
	Args         []string `json:"args,omitempty"`    // templates
	Env          []EnvVar `json:"env,omitempty"`     // in YAML order
	Workdir      string   `json:"workdir,omitempty"` // a template, relative to the workspace
	// Message is what an approval asks a person: a template. Its Input is then
	// the form that the answer fills in.
	Message    string  `json:"message,omitempty"`
	Input      Fields  `json:"input,omitempty"`
	Output     Outputs `json:"output,omitempty"`
	Idempotent bool    `json:"idempotent,omitempty"`
	// AllowRaw lets the script write input by raw, and hand it to programs that
	// read it as code, even in an agent's job.
	AllowRaw bool `json:"allow_raw,omitempty"`
	At       Pos  `json:"at,omitzero"`
	// ScriptAt is the place of the first character of Script.
	ScriptAt Pos `json:"script_at,omitzero"`
	// Refusals say what of the action cannot be run yet, with its place.
	Refusals []Problem `json:"refusals,omitempty"`
}

// EnvVar is a variable of a script's environment. The value is a template.
type EnvVar struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// actionDef is an action as it stands in the YAML.
type actionDef struct {
	Action
	faulty   bool // has errors of its own, so nothing may be built on it
	language pair
	interp   pair
	sourceAt Pos
	task     *item // of type task: the task it starts
	texts    []*template
	script   *template
	types    []typeUse
	fields   map[string]Pos // the fields that are set
}

// dependency is a package with an optional version and extras. Nothing in it
// could be an option.
var dependency = regexp.MustCompile(`^[A-Za-z0-9@][A-Za-z0-9._@/\[\],=<>!~^+-]*$`)

// Approval is the type of actions that wait for a person.
const Approval = "approval"

// actionTypes are the types of actions; scripts and approvals run.
var actionTypes = []string{"script", "docker", "pod", "task", "agent", Approval}

// actionKeys says for which types a field is; "" is for all.
var actionKeys = map[string]string{
	"type": "", "name": "", "description": "", "input": "", "output": "", "env": "", "tags": "", "workdir": "",
	"resources": "", "retry": "", "idempotent": "",
	"script": "script", "source": "script", "runner": "script", "language": "script", "dependencies": "script",
	"interpreter": "script", "args": "script", "allow_raw": "script", "manifest": "script pod",
	"image": "docker pod", "cmd": "docker pod", "command": "docker pod", "entrypoint": "docker pod",
	"task": "task", "message": "approval",
	"provider": "agent", "prompt": "agent", "system_prompt": "agent", "model": "agent", "max_tokens": "agent",
	"temperature": "agent", "tools": "agent", "max_turns": "agent", "interactive": "agent",
}

// requiredKeys are the fields that a type cannot do without.
var requiredKeys = map[string][]string{
	"docker": {"image"}, "pod": {"image"}, "task": {"task"}, "agent": {"provider", "prompt"}, "approval": {"message"},
}

var languages = []string{"shell", "python", "javascript", "js", "typescript", "ts", "go"}

// action reads a named action.
func (r *reader) action(p pair) *actionDef {
	d := &actionDef{Action: Action{Name: p.key, At: p.at}}
	before := r.out.errors
	r.refusals = &d.Refusals
	if why := badName(p.key); why != "" {
		r.out.fail(p.at, "the action's name "+why, "choose another name")
	} else if strings.HasPrefix(p.key, "_inline:") {
		r.out.fail(p.at, `names that begin with "_inline:" are kept for inline actions`, "choose another name")
	}
	r.actionBody(d, r.pairs(p.node, "action "+quote(p.key), "a map"), "action "+quote(p.key))
	d.faulty = r.out.errors > before
	return d
}

// actionBody reads the fields of an action, named or inline.
func (r *reader) actionBody(d *actionDef, list []pair, what string) {
	d.fields = make(map[string]Pos, len(list))
	for _, p := range list {
		d.fields[p.key] = p.at
		if p.key == "type" {
			d.Type = r.word(p)
			if d.Type != "" && !contains(actionTypes, d.Type) {
				r.out.fail(r.at(p.node), "unknown action type "+quote(d.Type), r.typeHint(d.Type, actionTypes))
			} else if d.Type != "" && d.Type != "script" && d.Type != Approval {
				r.refuse(r.at(p.node), "an action of type "+quote(d.Type)+notYet)
			}
		}
	}
	if _, ok := d.fields["type"]; !ok {
		r.out.fail(d.At, what+" has no type", "add type: script")
	}
	read := r.actionFields(d)
	for _, p := range list {
		types, known := actionKeys[p.key]
		switch {
		case !known:
			r.unknown(p, what, keys(actionKeys))
		case types != "" && contains(actionTypes, d.Type) && !strings.Contains(" "+types+" ", " "+d.Type+" "):
			r.out.fail(p.at, fmt.Sprintf("%s does not go with type: %s", quote(p.key), d.Type), keyFix(p.key, types))
		case read[p.key] != nil:
			read[p.key](p)
		}
	}
	for _, k := range requiredKeys[d.Type] {
		if _, ok := d.fields[k]; !ok {
			r.out.fail(d.At, fmt.Sprintf("%s of type %s has no %s", what, quote(d.Type), quote(k)), "add it")
		}
	}
	switch d.Type {
	case "script":
		r.scriptAction(d, what)
	case Approval:
		r.approvalAction(d)
	}
}

// approvalAction speaks of fields that only something that is run can use.
func (r *reader) approvalAction(d *actionDef) {
	for _, key := range []string{"output", "env", "workdir", "idempotent"} {
		if at, set := d.fields[key]; set {
			r.out.warn(at, quote(key)+" means nothing to an approval, which runs nothing", "it may be left out")
		}
	}
}

// keyFix says what to do about a field of another type.
func keyFix(key, types string) string {
	switch key {
	case "cmd", "command", "entrypoint":
		return "write script: for a script, or type: docker"
	}
	return "it belongs to type: " + either(strings.Fields(types)...)
}

// actionFields are the readings of an action's fields. A field without one is
// of a type that is refused as a whole.
func (r *reader) actionFields(d *actionDef) map[string]func(pair) {
	refuse := func(p pair) { r.refuse(p.at, quote(p.key)+notYet) }
	return map[string]func(pair){
		"name":        func(p pair) { d.Title = r.str(p) },
		"description": func(p pair) { d.Description = r.str(p) },
		"input":       func(p pair) { d.Input, d.types = r.inputs(p) },
		"output":      func(p pair) { d.Output = r.outputs(p) },
		"env":         func(p pair) { r.env(d, p) },
		"tags": func(p pair) {
			if tags := r.items(p); len(tags) > 0 {
				r.out.warn(p.at, `"tags" mean nothing here: all runs on this one machine`, "they may be left out")
			}
		},
		"resources": func(p pair) {
			r.pairs(p.node, `"resources"`, "a map")
			r.out.warn(p.at, `"resources" mean nothing here: a script may use what this machine has`, "they may be left out")
		},
		"workdir":    func(p pair) { r.workdir(d, p) },
		"retry":      func(p pair) { r.retry(p) },
		"idempotent": func(p pair) { d.Idempotent = r.boolean(p) },
		"allow_raw":  func(p pair) { d.AllowRaw = r.boolean(p) },
		"message":    func(p pair) { r.message(d, p) },
		"script":     func(p pair) { r.script(d, p) },
		"source":     func(p pair) { r.source(d, p) },
		"runner": func(p pair) {
			switch s := r.word(p); s {
			case "", "local":
			case "docker", "pod":
				r.refuse(p.at, `"runner: `+s+`"`+notYet)
			default:
				r.out.fail(r.at(p.node), "unknown runner "+quote(s), r.typeHint(s, []string{"local", "docker", "pod"}))
			}
		},
		"language": func(p pair) {
			d.language = p
			switch s := r.word(p); s {
			case "", "shell":
			case "js":
				d.Language = "javascript"
			case "ts":
				d.Language = "typescript"
			case "python", "javascript", "typescript", "go":
				d.Language = s
			default:
				r.out.fail(r.at(p.node), "unknown language "+quote(s), r.typeHint(s, languages))
			}
		},
		"dependencies": func(p pair) {
			for _, it := range r.items(p) {
				if !dependency.MatchString(it.text) {
					r.out.fail(r.at(it.node), quote(it.text)+" is no name of a package", "write it as the package manager does, such as requests==2.32.3")
				}
				d.Dependencies = append(d.Dependencies, it.text)
			}
		},
		"interpreter": func(p pair) { d.interp = p; d.Interpreter = r.word(p) },
		"args": func(p pair) {
			for i, it := range r.items(p) {
				d.Args = append(d.Args, it.text)
				d.add(r.template(it.node, fmt.Sprintf(`"args" entry %d`, i+1)))
			}
		},
		"manifest": refuse, "task": func(p pair) { d.task = &item{r.word(p), r.deref(p.node)} },
	}
}

// message reads what an approval asks.
func (r *reader) message(d *actionDef, p pair) {
	if d.Message = r.str(p); strings.TrimSpace(d.Message) == "" {
		r.out.fail(p.at, `"message" is empty`, "write what a person is to decide")
	}
	d.add(r.template(p.node, `"message"`))
}

func (d *actionDef) add(t *template) {
	if t != nil {
		d.texts = append(d.texts, t)
	}
}

// env reads variables, whose values are what is written.
func (r *reader) env(d *actionDef, p pair) {
	for _, q := range r.pairs(p.node, `"env"`, "a map of names to texts") {
		switch {
		case !envName.MatchString(q.key):
			r.out.fail(q.at, quote(q.key)+" cannot be the name of a variable", "use letters, digits and _, and no digit first")
			continue
		case strings.HasPrefix(q.key, "STROEM_"):
			r.out.fail(q.at, "variables that begin with STROEM_ are the server's own", "choose another name")
			continue
		}
		value := r.written(q)
		if strings.ContainsRune(value, 0) {
			r.out.fail(r.at(q.node), "a variable cannot hold a NUL", "remove it")
		}
		d.Env = append(d.Env, EnvVar{q.key, value})
		t := r.template(q.node, "env "+quote(q.key))
		if t != nil && tera.Decides(q.key) && t.foreign() {
			r.out.fail(q.at, "a value cannot be assigned to "+q.key+", which decides what runs", "set it to something fixed")
		}
		d.add(t)
	}
}

var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// workdir reads where the script runs.
func (r *reader) workdir(d *actionDef, p pair) {
	d.Workdir = r.str(p)
	if d.Type != "" && d.Type != "script" {
		return // inside a container
	}
	if t := r.template(p.node, `"workdir"`); t != nil {
		d.add(t)
		return
	}
	if d.Workdir != "" && !dynamic(d.Workdir) {
		clean, err := Inside(d.Workdir)
		if err != nil {
			r.out.fail(r.at(p.node), `"workdir" `+err.Error(), "name a folder of the workspace, such as scripts")
		}
		d.Workdir = clean
	}
}

// Inside cleans a path that is relative to the workspace; an error says why it
// is none, or leads out.
func Inside(p string) (string, error) {
	switch {
	case p == "":
		return ".", nil
	case strings.ContainsRune(p, 0):
		return "", fmt.Errorf("%s holds a NUL", quote(p))
	case path.IsAbs(p) || strings.Contains(p, `\`) || len(p) > 1 && p[1] == ':':
		return "", fmt.Errorf("%s is no path relative to the workspace", quote(p))
	}
	clean := path.Clean(p)
	if clean == ".." || strings.HasPrefix(clean, "../") {
		return "", fmt.Errorf("%s leads out of the workspace", quote(p))
	}
	return clean, nil
}

// dialect is the shell that will run the action's script.
func (d *actionDef) dialect() tera.Dialect {
	if path.Base(d.Interpreter) == "sh" {
		return tera.POSIX
	}
	return tera.Bash
}
