package workspace

import (
	"errors"
	"fmt"
	"hash"
	"io/fs"
)

// maxPlan bounds what a task is as a plan of its own, maxPlans what all are:
// a script is copied into every step that runs it.
const (
	maxPlan  = 8 << 20
	maxPlans = 64 << 20
)

// linker puts the files of a workspace together.
type linker struct {
	fsys        fs.FS
	parts       []*part
	before      map[*part]*part // the same files in the last load
	notes       []Problem
	sources     map[string]*sourceFile
	sourceBytes int
	sum         hash.Hash
	hints       int
	plans       int
	marks       int

	actions   map[string]*owned[*actionDef]
	tasks     map[string]*owned[*taskDef]
	triggers  map[string]*owned[*triggerDef]
	connTypes map[string]bool
	hooks     []hookDef
	secrets   Secrets
	missing   string // a file that could not be read and may hold what is missing
}

// owned is a definition with the file it stands in.
type owned[T any] struct {
	def  T
	part *part
	bad  bool // it has errors, so that nothing may be built on it
	used bool
}

// link merges, links and checks.
func (l *linker) link() *Workspace {
	l.merge()
	w := &Workspace{Secrets: l.secrets, parts: map[string]*part{}}
	for _, name := range keys(l.actions) {
		if a := l.actions[name]; !a.bad {
			action := a.def.Action
			w.Actions = append(w.Actions, &action)
		}
	}
	var linked []*Task
	for _, name := range keys(l.tasks) {
		if t := l.tasks[name]; !t.part.broken {
			linked = append(linked, l.task(t.part, t.def))
		}
	}
	for _, name := range keys(l.actions) {
		l.checkAction(l.actions[name])
	}
	for _, p := range l.parts {
		l.checkHooks(p, p.doc.hooks)
	}
	for _, name := range keys(l.triggers) {
		if t := l.triggers[name]; !t.bad && l.checkTrigger(t) {
			trigger := t.def.Trigger
			w.Triggers = append(w.Triggers, &trigger)
		}
	}
	l.sameTools()
	for _, t := range linked {
		if l.tasks[t.Name].part.problems.errors == 0 {
			w.Tasks = append(w.Tasks, t)
		}
	}
	w.Problems = l.notes
	for _, p := range l.parts {
		w.Problems = append(w.Problems, p.problems.list...)
		w.parts[p.path] = p
	}
	w.Problems = sorted(w.Problems)
	w.Revision = l.revision()
	return w
}

// merge brings the definitions of all files under their names. The last file
// has the last word; who loses it is told.
func (l *linker) merge() {
	l.actions, l.tasks, l.triggers = map[string]*owned[*actionDef]{}, map[string]*owned[*taskDef]{}, map[string]*owned[*triggerDef]{}
	l.connTypes, l.secrets = map[string]bool{}, Secrets{}
	for _, p := range l.parts {
		l.secrets.add(p.doc.secrets)
		if !p.known {
			l.missing = p.path
		}
		for _, t := range p.doc.connTypes {
			l.connTypes[t] = true
		}
	}
	for _, p := range l.parts {
		for _, d := range p.doc.actions {
			put(l.actions, "action", d.Name, d.At, l.action(p, d))
		}
		for _, d := range p.doc.tasks {
			put(l.tasks, "task", d.Name, d.At, &owned[*taskDef]{def: d, part: p, bad: d.faulty})
		}
		for _, d := range p.doc.triggers {
			put(l.triggers, "trigger", d.Name, d.At, &owned[*triggerDef]{def: d, part: p, bad: d.faulty})
		}
		l.hooks = append(l.hooks, p.doc.hooks...)
	}
}

func put[T any](table map[string]*owned[T], what, name string, at Pos, o *owned[T]) {
	if old, ok := table[name]; ok {
		o.part.problems.warn(at, fmt.Sprintf("%s %s replaces the one in %s", what, quote(name), old.part.path), "the last file has the last word; rename one of them if that is not meant")
	}
	table[name] = o
}

// action is a definition fit for use: with its source's content, or as it was
// when it was last sound.
func (l *linker) action(p *part, d *actionDef) *owned[*actionDef] {
	var sound *actionDef
	if !d.faulty && !p.broken {
		errors := p.problems.errors
		typed := *d
		l.typesOf(p, &typed.Refusals, d.types)
		if p.problems.errors == errors {
			sound = l.source(p, &typed)
		}
	}
	if before := l.before[p]; sound == nil && before != nil {
		sound = before.good[d.Name]
	}
	if sound == nil {
		return &owned[*actionDef]{def: d, part: p, bad: true}
	}
	p.good[d.Name] = sound
	return &owned[*actionDef]{def: sound, part: p}
}

// suggest is [suggest] with an end, as that of a reader.
func (l *linker) suggest(name string, known func() []string, otherwise string) string {
	if l.hints++; l.hints <= 500 {
		if fix := suggest(name, known()); fix != "" {
			return fix
		}
	}
	if l.missing != "" {
		return "mend " + l.missing + " first: it may stand there"
	}
	return otherwise
}

// names lists the keys of a table when they are asked for.
func names[V any](table map[string]V) func() []string {
	return func() []string { return keys(table) }
}

// typesOf checks the inputs whose type is none of ours: it must be a connection
// type, and connections cannot be used yet.
func (l *linker) typesOf(p *part, refusals *[]Problem, used []typeUse) {
	for _, u := range used {
		switch {
		case l.connTypes[u.name], dotted(u.name):
			x := refusal(u.at, "an input that is a connection"+notYet)
			*refusals = append((*refusals)[:len(*refusals):len(*refusals)], x)
			p.problems.add(x)
		default:
			known := func() []string { return append(keys(l.connTypes), inputTypes...) }
			p.problems.fail(u.at, "unknown input type "+quote(u.name), l.suggest(u.name, known, "write "+either(inputTypes...)))
		}
	}
}

// dotted reports whether a name is one of a library or of another workspace.
func dotted(name string) bool {
	for i := 1; i+1 < len(name); i++ {
		if name[i] == '.' {
			return true
		}
	}
	return false
}

// checkHooks sees that the hooks' actions exist.
func (l *linker) checkHooks(p *part, hooks []hookDef) {
	if p.broken {
		return
	}
	for _, h := range hooks {
		at := Pos{p.path, h.action.node.Line, h.action.node.Column}
		switch _, ok := l.actions[h.action.text]; {
		case ok:
		case dotted(h.action.text):
			p.problems.warn(at, "action "+quote(h.action.text)+" is of a library or another workspace, which this version does not know", "")
		default:
			p.problems.fail(at, "no action "+quote(h.action.text), l.suggest(h.action.text, names(l.actions), "add it under actions:"))
		}
	}
}

// checkTrigger sees that a trigger's tasks exist; false where they do not.
func (l *linker) checkTrigger(o *owned[*triggerDef]) bool {
	d, p := o.def, o.part
	if p.broken {
		return l.tasks[d.Task] != nil
	}
	good := true
	for _, t := range []*item{d.task, d.target} {
		if t == nil || t.text == "" {
			continue
		}
		at := Pos{p.path, t.node.Line, t.node.Column}
		switch _, ok := l.tasks[t.text]; {
		case ok:
		case dotted(t.text):
			p.problems.warn(at, "task "+quote(t.text)+" is of a library or another workspace, which this version does not know", "")
			good = false
		default:
			p.problems.fail(at, "no task "+quote(t.text), l.suggest(t.text, names(l.tasks), "add it under tasks:"))
			good = false
		}
	}
	if task := l.tasks[d.Task]; task != nil && !task.bad && good && d.Type == "scheduler" && !p.problems.full() {
		l.checkTriggerInput(o, task.def.Input)
	}
	return good
}

// checkTriggerInput warns where the task does not take what the trigger gives it.
func (l *linker) checkTriggerInput(o *owned[*triggerDef], fields Fields) {
	_, err := fields.Check(o.def.Input)
	var wrong *InputError
	if !errors.As(err, &wrong) {
		return
	}
	for _, f := range wrong.Faults {
		at, ok := o.def.inputAt[f.Name]
		if !ok {
			at = o.def.At
		}
		o.part.problems.warn(at, fmt.Sprintf("trigger %s starts nothing: %s", quote(o.def.Name), f), "give it what task "+quote(o.def.Task)+" takes")
	}
}

// sameTools warns of tasks that an agent could not tell apart as tools.
func (l *linker) sameTools() {
	seen := map[string]string{}
	for _, name := range keys(l.tasks) {
		key := stepKey(name)
		if other, ok := seen[key]; ok {
			t := l.tasks[name]
			t.part.problems.warn(t.def.At, fmt.Sprintf("tasks %s and %s differ in - and _ alone", quote(other), quote(name)), "rename one of them: people and agents will mix them up")
		}
		seen[key] = name
	}
}

// byPlace sorts refusals as they stand, each once.
func byPlace(list []Problem) []Problem {
	if len(list) == 0 {
		return nil
	}
	out := sorted(list)
	return out[:min(len(out), maxRefusals):min(len(out), maxRefusals)]
}
