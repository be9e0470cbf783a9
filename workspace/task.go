package workspace

import (
	"fmt"
	"strings"
	"time"
)

// Task is a flow of steps that can be started. It is a closed value: its steps
// carry their actions, so that it runs without the workspace it came from.
type Task struct {
	Name        string `json:"name"`
	Title       string `json:"title,omitempty"`
	Description string `json:"description,omitempty"`
	Folder      string `json:"folder,omitempty"`
	File        string `json:"file"`
	Mode        string `json:"mode"`
	Input       Fields `json:"input,omitempty"`
	Flow        Flow   `json:"flow"`
	// Timeout bounds a job, from the start of its first step, in nanoseconds;
	// 0: nothing does.
	Timeout time.Duration `json:"timeout,omitempty"`
	// Approval says whose jobs wait for a person before their first step.
	Approval TaskApproval `json:"approval,omitzero"`
	At       Pos          `json:"at,omitzero"`
	// Refusals are what this version cannot run. With any, the task is listed
	// and not started.
	Refusals []Problem `json:"refusals,omitempty"`
}

// TaskApproval says whose jobs of a task wait for a person before they begin.
type TaskApproval struct {
	Agents bool `json:"agents,omitempty"`
}

// PolicyStep is the name of the step in which a job waits for a person because
// a task or a rule says so. No author's step has it.
const PolicyStep = "_approval"

// Refusal is a sentence that says why the task cannot run yet, or "".
func (t *Task) Refusal() string {
	if len(t.Refusals) == 0 {
		return ""
	}
	p := t.Refusals[0]
	s := fmt.Sprintf("task %s cannot run yet: %s: %s", quote(t.Name), p.Pos(), p.What)
	switch n := len(t.Refusals) - 1; n {
	case 0:
	case 1:
		s += " (and 1 thing more)"
	default:
		s += fmt.Sprintf(" (and %d things more)", n)
	}
	return s
}

// taskDef is a task as it stands in the YAML.
type taskDef struct {
	Task
	faulty bool
	types  []typeUse
	flow   *flowDef
	hooks  []hookDef
}

// task reads one task.
func (r *reader) task(p pair) *taskDef {
	d := &taskDef{Task: Task{Name: p.key, File: r.src.name, Mode: "distributed", At: p.at}, flow: &flowDef{}}
	before := r.out.errors
	r.refusals = &d.Refusals
	r.taskName(p)
	hasFlow := false
	known := map[string]func(pair){
		"name":        func(q pair) { d.Title = r.str(q) },
		"description": func(q pair) { d.Description = r.str(q) },
		"mode":        func(q pair) { r.mode(d, q) },
		"folder":      func(q pair) { r.folder(d, q) },
		"input":       func(q pair) { d.Input, d.types = r.inputs(q) },
		"flow":        func(q pair) { hasFlow = true; d.flow = r.flow(p.key, q) },
		"timeout":     func(q pair) { d.Timeout = r.durationUpTo(q, maxTaskTimeout) },
		"retry":       func(q pair) { r.retry(q) },
		"approval":    func(q pair) { r.taskApproval(d, q) },
	}
	for _, name := range hookNames {
		known[name] = func(q pair) {
			if hooks := r.hooks(q); len(hooks) > 0 {
				r.refuse(q.at, quote(q.key)+notYet)
				d.hooks = append(d.hooks, hooks...)
			}
		}
	}
	what := "task " + quote(p.key)
	errors := r.out.errors
	r.fields(r.pairs(p.node, what, "a map"), what, known)
	if len(d.flow.steps) == 0 && (hasFlow || r.out.errors == errors) {
		r.out.fail(p.at, what+" has no steps", "add flow: with at least one step")
	}
	r.refusals = nil
	d.faulty = r.out.errors > before
	return d
}

// taskApproval reads whose jobs wait for a person.
func (r *reader) taskApproval(d *taskDef, p pair) {
	for _, q := range r.pairs(p.node, `"approval"`, "a map such as {agents: true}") {
		if q.key == "agents" {
			d.Approval.Agents = r.boolean(q)
			continue
		}
		// What would not be kept may be what keeps the task safe.
		r.refuse(q.at, "unknown field "+quote(q.key)+` in "approval", which knows "agents"`)
	}
}

func (r *reader) taskName(p pair) {
	switch why := badName(p.key); {
	case why != "":
		r.out.fail(p.at, "the task's name "+why, "choose another name")
	case strings.Contains(p.key, "/"):
		r.out.fail(p.at, "the task's name "+quote(p.key)+` has a "/"`, "say the folder with folder:")
	case strings.HasPrefix(p.key, "_hook:") || p.key == "_global_state":
		r.out.fail(p.at, "the task's name "+quote(p.key)+" is kept for the server", "choose another name")
	}
}

func (r *reader) mode(d *taskDef, p pair) {
	switch s := r.word(p); s {
	case "", "distributed":
	case "local":
		d.Mode = s
		r.refuse(p.at, `"mode: local"`+notYet)
	default:
		r.out.fail(r.at(p.node), "unknown mode "+quote(s), r.typeHint(s, []string{"distributed", "local"}))
	}
}

func (r *reader) folder(d *taskDef, p pair) {
	s := strings.Trim(r.str(p), "/")
	if s == "" {
		return
	}
	for _, part := range strings.Split(s, "/") {
		if why := badName(part); why != "" || part == "." || part == ".." {
			r.out.fail(r.at(p.node), quote(s)+" is no folder to sort tasks into", "write names with / between them")
			return
		}
	}
	d.Folder = s
}

// hookNames are the lists of actions that run when a job has ended.
var hookNames = []string{"on_success", "on_error", "on_suspended", "on_cancel"}

// hookDef is one entry of such a list.
type hookDef struct {
	list   string
	action *item
	at     Pos
}

// hooks reads a list of hooks.
func (r *reader) hooks(p pair) []hookDef {
	var out []hookDef
	for _, n := range r.list(p, "a list of hooks") {
		h := hookDef{list: p.key, at: r.at(n)}
		what := "a hook of " + quote(p.key)
		r.fields(r.pairs(n, what, "a map with an action"), what, map[string]func(pair){
			"action": func(q pair) {
				if s := r.word(q); s != "" {
					h.action = &item{s, r.deref(q.node)}
				}
			},
			"input": func(q pair) { r.value(q.node, `"input"`, 0, nil) },
		})
		if h.action == nil {
			r.out.fail(h.at, what+" has no action", "add action: with the name of an action")
			continue
		}
		out = append(out, h)
	}
	return out
}
