package workspace

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
)

// task links one task: each step gets its action, and what it names is checked.
func (l *linker) task(p *part, d *taskDef) *Task {
	t := d.Task
	if t.Folder == "" {
		t.Folder = p.folder
	}
	var refusals []Problem
	l.typesOf(p, &refusals, d.types)
	l.checkHooks(p, d.hooks)
	if !l.fits(p, d) {
		return &t // its file is broken by that
	}
	refusals = append(refusals, d.Refusals...)
	flow := l.open(p, d)
	steps := make([]*Step, len(d.flow.steps))
	for i, s := range d.flow.steps {
		steps[i] = flow.step(i, s)
		refusals = append(refusals, steps[i].Action.Refusals...)
	}
	refusals = append(refusals, flow.refusals...)
	refusals = append(refusals, l.hookRefusals(d, steps)...)
	for _, i := range d.flow.order {
		t.Flow = append(t.Flow, *steps[i])
	}
	t.Refusals = byPlace(refusals)
	return &t
}

// hookRefusals are those of the workspace's own hooks, which every task has
// that has none of that list itself. Only an approval suspends a task.
func (l *linker) hookRefusals(d *taskDef, steps []*Step) []Problem {
	own := map[string]bool{}
	for _, h := range d.hooks {
		own[h.list] = true
	}
	suspends := d.Approval.Agents
	for _, s := range steps {
		suspends = suspends || s.Action.Type == Approval
	}
	var out []Problem
	for _, h := range l.hooks {
		if !own[h.list] && (h.list != "on_suspended" || suspends) && len(out) < maxRefusals {
			out = append(out, refusal(h.at, quote(h.list)+notYet))
		}
	}
	return out
}

// fits holds plans to a size: an action is in each step that runs it. It comes
// before the steps are linked, whose work it bounds too.
func (l *linker) fits(p *part, d *taskDef) bool {
	n := 0
	for _, s := range d.flow.steps {
		n += 500 + size(s.Input)
		switch {
		case s.inline != nil:
			n += s.inline.size()
		case s.action != nil && l.actions[s.action.text] != nil:
			n += l.actions[s.action.text].def.size()
		}
	}
	l.plans += n
	what := ""
	switch {
	case n > maxPlan:
		what = fmt.Sprintf("task %s is larger than 8 MiB with the scripts of all its steps", quote(d.Name))
	case l.plans > maxPlans:
		what = "the tasks of the workspace are larger than 64 MiB with the scripts of all their steps"
	default:
		return true
	}
	p.problems.fail(d.At, what, "keep long scripts in files, and call those from short ones")
	return false
}

// size is what the action adds to a plan, roughly.
func (d *actionDef) size() int {
	n := len(d.Script) + len(d.Message) + len(d.Description) + 100*(len(d.Input)+len(d.Output)+len(d.Refusals))
	for _, t := range d.texts {
		n += 20 * len(t.uses)
	}
	for _, s := range d.Args {
		n += len(s)
	}
	for _, e := range d.Env {
		n += len(e.Name) + len(e.Value)
	}
	for _, f := range d.Input {
		n += size(f.Default) + len(f.Description)
		for _, o := range f.Options {
			n += len(o)
		}
	}
	return n
}

// linkedFlow links the steps of one task.
type linkedFlow struct {
	*linker
	part      *part
	task      *taskDef
	keys      map[string]int // a step by its name in templates
	ancestors []set          // nil where the steps go in a circle
	input     inputs         // of the task
	refusals  []Problem
}

func (l *linker) open(p *part, d *taskDef) *linkedFlow {
	f := &linkedFlow{linker: l, part: p, task: d, keys: map[string]int{}}
	for i, s := range d.flow.steps {
		f.keys[s.Key()] = i
	}
	if d.flow.order != nil {
		f.ancestors = d.flow.graph.ancestors(d.flow.order)
	}
	f.input = inputs{declared: declared(d.Input), otherwise: "declare it under the task's input"}
	return f
}

// inputs are the names that input.x may have, and what to do about others.
type inputs struct {
	declared  map[string]bool
	given     map[string]any
	otherwise string
}

func (in inputs) has(name string) bool {
	_, given := in.given[name]
	return given || in.declared[name]
}

func (in inputs) names() []string { return append(keys(in.declared), keys(in.given)...) }

func declared(f Fields) map[string]bool {
	m := make(map[string]bool, len(f))
	for i := range f {
		m[f[i].Name] = true
	}
	return m
}

// step links one step to its action.
func (f *linkedFlow) step(i int, d *stepDef) *Step {
	s := d.Step
	f.check(i, uses(d.texts), f.input)
	switch {
	case d.inline != nil:
		f.typesOf(f.part, &f.refusals, d.inline.types)
		a := d.inline
		if !a.faulty {
			if a = f.source(f.part, a); a == nil {
				a = d.inline
			}
		}
		s.Action = a.Action
		f.childTask(f.part, a)
		f.startsItself(d, a)
		// An inline action sees the job's input with the step's over it.
		in := f.input
		in.given, in.otherwise = d.Input, in.otherwise+", or give it in the step's"
		f.caution(f.part, a, a.Input, given(d.Input), f.task.Input)
		f.check(i, uses(a.texts), in)
	case d.action != nil:
		if a := f.named(d); a != nil {
			s.Action = a.Action
			f.startsItself(d, a)
			s.Input = f.handOver(i, d, a)
		}
	}
	return &s
}

// named finds the action that a step names.
func (f *linkedFlow) named(d *stepDef) *actionDef {
	name, at := d.action.text, Pos{f.part.path, d.action.node.Line, d.action.node.Column}
	o, ok := f.actions[name]
	switch {
	case ok && !o.bad:
		o.used = true
		return o.def
	case ok && o.part == f.part:
		return nil // its own errors stand in the same file
	case ok:
		f.part.problems.fail(at, fmt.Sprintf("action %s has errors of its own", quote(name)), "mend them first: "+o.def.At.String())
		return nil
	case dotted(name):
		x := refusal(at, "an action of a library or another workspace"+notYet)
		f.part.problems.add(x)
		return &actionDef{Action: Action{Name: name, At: d.At, Refusals: []Problem{x}}}
	}
	f.part.problems.fail(at, "no action "+quote(name), f.suggest(name, names(f.actions), "add it under actions:"))
	return nil
}

// childTask sees that the task exists that an action of type task starts.
func (l *linker) childTask(p *part, a *actionDef) {
	if a.Type != "task" || a.task == nil || a.task.text == "" || l.tasks[a.task.text] != nil || dotted(a.task.text) {
		return
	}
	at := Pos{p.path, a.task.node.Line, a.task.node.Column}
	p.problems.fail(at, "no task "+quote(a.task.text), l.suggest(a.task.text, names(l.tasks), "add it under tasks:"))
}

func (f *linkedFlow) startsItself(d *stepDef, a *actionDef) {
	if a.Type == "task" && a.task != nil && a.task.text == f.task.Name {
		f.part.problems.fail(d.At, "task "+quote(f.task.Name)+" starts itself", "name another task")
	}
}

// handOver checks what a step gives to the action it names: what the action
// requires is there, and what its texts read. It gives the step's input, with
// literals in the types that the action declares.
func (f *linkedFlow) handOver(i int, d *stepDef, a *actionDef) map[string]any {
	input := maps.Clone(d.Input)
	if a.Type == Approval {
		// Its inputs are asked of a person. Its message sees the job's input with
		// the step's over it.
		in := f.input
		in.given, in.otherwise = d.Input, "add it to the step's input, or to the task's"
		f.bodyUses(i, d, a, in)
		return input
	}
	for j := range a.Input {
		field := &a.Input[j]
		if v, given := input[field.Name]; given {
			input[field.Name] = f.literal(d, field, a, v)
		} else if field.Required && field.Default == nil && !f.input.has(field.Name) {
			f.part.problems.fail(d.At, fmt.Sprintf("step %s does not give %s, which action %s requires", quote(d.Name), quote(field.Name), quote(a.Name)), "add it to the step's input")
		}
	}
	in := inputs{declared: declared(a.Input), given: d.Input, otherwise: "add it to the step's input, or to the action's"}
	for _, name := range keys(d.Input) {
		if len(a.Input) > 0 && !in.declared[name] {
			f.part.problems.warn(d.inputAt[name], fmt.Sprintf("action %s has no input %s", quote(a.Name), quote(name)), f.suggest(name, a.Input.Names, "declare it there, or remove it here"))
		}
	}
	f.bodyUses(i, d, a, in)
	return input
}

// bodyUses checks the names that the texts of a named action read.
func (f *linkedFlow) bodyUses(i int, d *stepDef, a *actionDef, in inputs) {
	for _, u := range uses(a.texts) {
		if f.part.problems.full() {
			return
		}
		f.bodyUse(i, d, a, u, in)
	}
}

// bodyUse checks a name that the text of a named action reads. What is wrong
// is the step's to mend: another step may well give what this one does not.
func (f *linkedFlow) bodyUse(i int, d *stepDef, a *actionDef, u use, in inputs) {
	what, fix := "", ""
	switch {
	case u.path[0] != "input":
		what, fix = f.stepUse(i, u)
	case len(u.path) > 1 && !in.has(u.path[1]) && !u.optional:
		if what, fix = u.unhyphened(in.has); what == "" {
			what, fix = "no input "+quote(u.path[1])+" is declared or given", in.otherwise
		}
	}
	if what != "" {
		f.part.problems.fail(d.At, fmt.Sprintf("step %s cannot run action %s: %s at %s: %s", quote(d.Name), quote(a.Name), u.of, u.at, what), fix)
	}
}

// literal checks a value that is no template against the input it is for, and
// gives it in that input's type.
func (f *linkedFlow) literal(d *stepDef, field *Field, a *actionDef, given any) any {
	if given == nil || !isInputType(field.Type) || hasTemplate(given) {
		return given
	}
	v := given
	if textual(field.Type) && !field.Multiple {
		switch n := v.(type) {
		case int64:
			v = strconv.FormatInt(n, 10)
		case float64:
			v = strconv.FormatFloat(n, 'f', -1, 64)
		case bool:
			v = strconv.FormatBool(n)
		}
	}
	out, what := field.check(v)
	if what != "" {
		f.part.problems.fail(d.inputAt[field.Name], fmt.Sprintf("input %s of action %s %s", quote(field.Name), quote(a.Name), what), "")
		return given
	}
	return out
}

// hasTemplate reports whether a value holds a template anywhere.
func hasTemplate(v any) bool {
	switch v := v.(type) {
	case string:
		return dynamic(v)
	case []any:
		for _, e := range v {
			if hasTemplate(e) {
				return true
			}
		}
	case map[string]any:
		for _, e := range v {
			if hasTemplate(e) {
				return true
			}
		}
	}
	return false
}

// check reports the names that a step's own texts cannot have.
func (f *linkedFlow) check(i int, list []use, in inputs) {
	for _, u := range list {
		if f.part.problems.full() {
			return
		}
		what, fix := "", ""
		switch {
		case u.path[0] != "input":
			what, fix = f.stepUse(i, u)
		case len(u.path) > 1 && !in.has(u.path[1]) && !u.optional:
			if what, fix = u.unhyphened(in.has); what == "" {
				what, fix = "no input "+quote(u.path[1])+" is known here", f.suggest(u.path[1], in.names, in.otherwise)
			}
		}
		if what != "" {
			f.part.problems.fail(u.at, u.of+": "+what, fix)
		}
	}
}

// stepUse checks a name that must be a step's.
func (f *linkedFlow) stepUse(i int, u use) (what, fix string) {
	j, ok := f.keys[u.path[0]]
	steps := f.task.flow.steps
	switch {
	case u.path[0] == "secret" || u.path[0] == "secrets":
		return f.secretUse(u)
	case !ok && u.optional:
		return "", ""
	case !ok:
		step := func(name string) bool { _, ok := f.keys[name]; return ok }
		if what, fix = u.unhyphened(step); what != "" {
			return what, fix
		}
		known := func() []string { return append(keys(f.keys), "input") }
		return "there is no step " + quote(u.path[0]), f.suggest(u.path[0], known, "name input, or a step this one depends on")
	case j == i:
		return "a step cannot read its own output", "name a step it depends on"
	case f.ancestors != nil && !f.ancestors[i].has(j):
		return fmt.Sprintf("step %s is not among what %s depends on", quote(steps[j].Name), quote(steps[i].Name)), "add it to depends_on"
	case len(u.path) > 1 && u.path[1] != "output":
		return fmt.Sprintf("of step %s only the output can be read", quote(steps[j].Name)), "write " + u.path[0] + ".output"
	}
	f.outputUse(j, u)
	return "", ""
}

// secretUse checks the name of a secret.
func (l *linker) secretUse(u use) (what, fix string) {
	if u.optional || l.secrets.Has(u.path[1:]) {
		return "", ""
	}
	name := strings.Join(u.path[1:], ".")
	return "there is no secret " + quote(name), l.suggest(name, func() []string { return keys(l.secrets) }, "declare it under secrets")
}

// outputUse warns of an output that the step's action does not declare.
func (f *linkedFlow) outputUse(j int, u use) {
	if len(u.path) < 3 {
		return
	}
	d := f.task.flow.steps[j]
	var out Outputs
	switch {
	case d.inline != nil:
		out = d.inline.Output
	case d.action != nil && f.actions[d.action.text] != nil:
		out = f.actions[d.action.text].def.Output
	}
	if len(out) == 0 || out.Find(u.path[2]) != nil {
		return
	}
	known := func() []string {
		var names []string
		for _, o := range out {
			names = append(names, o.Name)
		}
		return names
	}
	f.part.problems.warn(u.at, fmt.Sprintf("step %s declares no output %s", quote(d.Name), quote(u.path[2])), f.suggest(u.path[2], known, "declare it, or check the name"))
}

// checkAction checks an action by itself. What its texts read is checked for
// each step that runs it; where none does, here.
func (l *linker) checkAction(o *owned[*actionDef]) {
	if o.part.broken {
		return
	}
	l.childTask(o.part, o.def)
	l.caution(o.part, o.def, o.def.Input)
	if o.used || o.def.Type == Approval { // whose message sees the job's input
		return
	}
	in := inputs{declared: declared(o.def.Input)}
	for _, u := range uses(o.def.texts) {
		if u.path[0] == "input" && len(u.path) > 1 && !in.has(u.path[1]) && !u.optional && !o.part.problems.full() {
			o.part.problems.warn(u.at, fmt.Sprintf("%s reads input %s, which action %s does not declare", u.of, quote(u.path[1]), quote(o.def.Name)), l.suggest(u.path[1], in.names, "declare it under the action's input"))
		}
	}
}
