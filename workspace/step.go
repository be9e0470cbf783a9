package workspace

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// Step is one node of a task's flow, with the action that it runs.
type Step struct {
	Name        string   `json:"name"`
	Title       string   `json:"title,omitempty"`
	Description string   `json:"description,omitempty"`
	DependsOn   []string `json:"depends_on,omitempty"`
	// When is kept for those who show the flow; its task is refused.
	When string `json:"when,omitempty"`
	// Input is not rendered yet: every text in it may be a template.
	Input             map[string]any `json:"input,omitempty"`
	ContinueOnFailure bool           `json:"continue_on_failure,omitempty"`
	// Timeout bounds a run of the step, in nanoseconds; 0: nothing does.
	Timeout time.Duration `json:"timeout,omitempty"`
	Inline  bool          `json:"inline,omitempty"`
	Action  Action        `json:"action"`
	At      Pos           `json:"at,omitzero"`
}

// Key is the step's name in templates, which have no hyphens in names.
func (s Step) Key() string { return stepKey(s.Name) }

func stepKey(name string) string { return strings.ReplaceAll(name, "-", "_") }

// MarshalJSON keeps the input's values what they are.
func (s Step) MarshalJSON() ([]byte, error) {
	type bare Step
	if s.Input != nil {
		s.Input = keepFloats(s.Input).(map[string]any)
	}
	return json.Marshal(bare(s))
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (s *Step) UnmarshalJSON(data []byte) error {
	type bare Step
	if err := decode(data, (*bare)(s)); err != nil {
		return err
	}
	_, err := plain(any(s.Input))
	return err
}

// stepDef is a step as it stands in the YAML.
type stepDef struct {
	Step
	action  *item // the action it names
	inline  *actionDef
	deps    []item
	texts   []*template // of its input
	inputAt map[string]Pos
	each    bool
	// sequential is whether the runs of a loop go one after another.
	sequential bool
}

// stepKeys are a step's own fields; an inline step has those of an action too.
var stepKeys = map[string]bool{
	"action": true, "name": true, "description": true, "depends_on": true, "input": true,
	"continue_on_failure": true, "timeout": true, "when": true, "for_each": true, "sequential": true, "retry": true,
}

// reserved are the names that the context of templates has already.
var reserved = []string{"input", "secret", "secrets", "state", "global_state", "each", "hook"}

// step reads one step of a flow.
func (r *reader) step(task string, p pair) *stepDef {
	d := &stepDef{Step: Step{Name: p.key, At: p.at}}
	r.stepName(p)
	what := "step " + quote(p.key)
	var own, rest []pair
	list := r.pairs(p.node, what, "a map")
	set := map[string]Pos{}
	form := r.asksAPerson(list) // then input is the action's, and asked of that person
	for _, q := range list {
		set[q.key] = q.at
		if stepKeys[q.key] && !(form && q.key == "input") {
			own = append(own, q)
		} else {
			rest = append(rest, q)
		}
	}
	_, named := set["action"]
	_, typed := set["type"]
	d.Inline = !named && (typed || r.looksInline(rest))
	r.fields(own, what, r.stepFields(d))
	if d.sequential && d.each {
		r.refuse(set["sequential"], `"sequential"`+notYet)
	} else if d.sequential {
		r.out.warn(set["sequential"], `"sequential" does nothing without "for_each"`, "remove it, or add for_each")
	}
	switch {
	case named && typed:
		r.out.fail(set["type"], what+` has both "action" and "type"`, "name an action, or write one inline, not both")
	case named:
		r.strayFields(rest, what)
	case d.Inline:
		r.inlineAction(d, task, rest, what)
	default:
		r.out.fail(p.at, what+" runs nothing", "add action: with the name of an action, or type: script with a script")
		r.strayFields(rest, what)
	}
	return d
}

// asksAPerson reports whether fields of a step make it an inline approval.
func (r *reader) asksAPerson(list []pair) bool {
	return slices.ContainsFunc(list, func(p pair) bool { return p.key == "type" && r.deref(p.node).Value == Approval }) &&
		!slices.ContainsFunc(list, func(p pair) bool { return p.key == "action" })
}

func (r *reader) stepName(p pair) {
	if why := badName(p.key); why != "" {
		r.out.fail(p.at, "the step's name "+why, "choose another name")
		return
	}
	switch {
	case strings.ContainsAny(p.key, "[]"):
		r.out.fail(p.at, "the step's name "+quote(p.key)+" has a bracket", "remove [ and ], which number the runs of a loop")
	case contains(reserved, stepKey(p.key)):
		r.out.fail(p.at, "a step cannot be named "+quote(p.key)+", which means something else in templates", "choose another name")
	case p.key == "_server" || p.key == PolicyStep:
		r.out.fail(p.at, "the step's name "+quote(p.key)+" is kept for the server", "choose another name")
	}
}

// looksInline reports whether fields of a script stand in a step.
func (r *reader) looksInline(rest []pair) bool {
	for _, p := range rest {
		if _, known := actionKeys[p.key]; known {
			return true
		}
	}
	return false
}

// strayFields speaks of fields that a step which names an action cannot have.
func (r *reader) strayFields(rest []pair, what string) {
	for _, p := range rest {
		if _, known := actionKeys[p.key]; known {
			r.out.fail(p.at, fmt.Sprintf("%s names an action, so it cannot have %s", what, quote(p.key)), "move it to the action, or write the action inline")
			continue
		}
		r.unknown(p, what, append(keys(stepKeys), "type"))
	}
}

// inlineAction reads the action that a step holds.
func (r *reader) inlineAction(d *stepDef, task string, rest []pair, what string) {
	a := &actionDef{Action: Action{Name: "_inline:" + task + ":" + d.Name, At: d.At}}
	before := r.out.errors
	outer := r.refusals
	r.refusals = &a.Refusals
	known, unknown := rest[:0:0], []pair(nil)
	for _, p := range rest {
		if _, ok := actionKeys[p.key]; ok {
			known = append(known, p)
		} else {
			unknown = append(unknown, p)
		}
	}
	r.actionBody(a, known, what)
	r.refusals = outer
	for _, p := range unknown {
		r.unknown(p, what, append(keys(stepKeys), keys(actionKeys)...))
	}
	a.faulty = r.out.errors > before
	d.inline = a
}

// stepFields are the readings of a step's own fields.
func (r *reader) stepFields(d *stepDef) map[string]func(pair) {
	return map[string]func(pair){
		"action": func(p pair) {
			if s := r.word(p); s != "" {
				d.action = &item{s, r.deref(p.node)}
			}
		},
		"name":                func(p pair) { d.Title = r.str(p) },
		"description":         func(p pair) { d.Description = r.str(p) },
		"depends_on":          func(p pair) { d.deps = r.items(p) },
		"input":               func(p pair) { r.stepInput(d, p) },
		"continue_on_failure": func(p pair) { d.ContinueOnFailure = r.boolean(p) },
		"timeout":             func(p pair) { d.Timeout = r.durationUpTo(p, maxStepTimeout) },
		"retry":               func(p pair) { r.retry(p) },
		"sequential":          func(p pair) { d.sequential = r.boolean(p) },
		"when": func(p pair) {
			d.When = r.written(p)
			r.refuse(p.at, `"when"`+notYet)
			r.template(p.node, `"when"`)
		},
		"for_each": func(p pair) { r.forEach(d, p) },
	}
}

// stepInput reads the values a step hands to its action.
func (r *reader) stepInput(d *stepDef, p pair) {
	list := r.pairs(p.node, `"input"`, "a map of values")
	if len(list) == 0 {
		return
	}
	d.Input = make(map[string]any, len(list))
	d.inputAt = make(map[string]Pos, len(list))
	for _, q := range list {
		what := "input " + quote(q.key)
		d.inputAt[q.key] = r.at(q.node)
		d.Input[q.key] = r.value(q.node, what, 0, func(n *yaml.Node) {
			if t := r.template(n, what); t != nil {
				d.texts = append(d.texts, t)
			}
		})
	}
}

const maxItems = 10_000

// forEach reads what a step is repeated for: a template, or a list.
func (r *reader) forEach(d *stepDef, p pair) {
	d.each = true
	r.refuse(p.at, `"for_each"`+notYet)
	n := r.deref(p.node)
	switch {
	case n.Kind == yaml.SequenceNode && len(n.Content) > maxItems:
		r.out.fail(r.at(n), fmt.Sprintf(`"for_each" has %d values, more than %d`, len(n.Content), maxItems), "work in batches")
	case n.Kind == yaml.SequenceNode:
	case n.Kind == yaml.ScalarNode && text(n):
		r.template(n, `"for_each"`)
	default:
		r.expected(n, `"for_each"`, "a list, or a template that gives one", "")
	}
}
