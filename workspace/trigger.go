package workspace

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// Trigger starts a task by itself. This version fires those of type scheduler,
// and reads and checks the others.
type Trigger struct {
	Name    string         `json:"name"`
	Type    string         `json:"type"`
	Task    string         `json:"task"`
	Enabled bool           `json:"enabled"`
	Input   map[string]any `json:"input,omitempty"`
	File    string         `json:"file"`
	At      Pos            `json:"at,omitzero"`

	// Of type scheduler.
	Cron        string `json:"cron,omitempty"`
	Timezone    string `json:"timezone,omitempty"`
	Concurrency string `json:"concurrency,omitempty"`
	CatchUp     string `json:"catch_up,omitempty"`

	// Of type webhook. Its secret is not kept here.
	Hook        string `json:"hook,omitempty"` // its name in the URL
	Mode        string `json:"mode,omitempty"`
	TimeoutSecs int    `json:"timeout_secs,omitempty"`

	// Of type event_source.
	TargetTask    string   `json:"target_task,omitempty"`
	Env           []EnvVar `json:"env,omitempty"`
	RestartPolicy string   `json:"restart_policy,omitempty"`
	BackoffSecs   int      `json:"backoff_secs,omitempty"`
	MaxInFlight   int      `json:"max_in_flight,omitempty"`

	ForceRefresh bool `json:"force_refresh,omitempty"`
}

// What a trigger of type scheduler does while a job of its own has not ended.
const (
	AllowOthers    = "allow" // start another one; so if nothing is said
	SkipOthers     = "skip"  // start none
	CancelPrevious = "cancel_previous"
)

// What becomes of the times that a trigger of type scheduler missed.
const (
	CatchUpNone = "none"
	CatchUpLast = "last" // one job for all; so if nothing is said
	CatchUpAll  = "all"
)

// Schedule is when the trigger fires; nil when no clock fires it.
func (t *Trigger) Schedule() (*Schedule, error) {
	if t.Type != "scheduler" || !t.Enabled {
		return nil, nil
	}
	return ParseSchedule(t.Cron, t.Timezone)
}

// MarshalJSON keeps the input's values what they are.
func (t Trigger) MarshalJSON() ([]byte, error) {
	type bare Trigger
	if t.Input != nil {
		t.Input = keepFloats(t.Input).(map[string]any)
	}
	return json.Marshal(bare(t))
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (t *Trigger) UnmarshalJSON(data []byte) error {
	type bare Trigger
	if err := decode(data, (*bare)(t)); err != nil {
		return err
	}
	_, err := plain(any(t.Input))
	return err
}

// triggerDef is a trigger as it stands in the YAML.
type triggerDef struct {
	Trigger
	faulty  bool
	task    *item
	target  *item
	inputAt map[string]Pos
}

var triggerTypes = []string{"scheduler", "webhook", "event_source"}

// triggerKeys says for which types a field is; "" is for all.
var triggerKeys = map[string]string{
	"type": "", "task": "", "input": "", "enabled": "", "description": "",
	"cron": "scheduler", "timezone": "scheduler", "concurrency": "scheduler", "catch_up": "scheduler",
	"name": "webhook", "secret": "webhook", "mode": "webhook", "timeout_secs": "webhook",
	"force_refresh": "scheduler webhook",
	"target_task":   "event_source", "env": "event_source", "restart_policy": "event_source",
	"backoff_secs": "event_source", "max_in_flight": "event_source",
}

// trigger reads one trigger.
func (r *reader) trigger(p pair) *triggerDef {
	d := &triggerDef{Trigger: Trigger{Name: p.key, Enabled: true, File: r.src.name, At: p.at}}
	before := r.out.errors
	what := "trigger " + quote(p.key)
	if why := badName(p.key); why != "" {
		r.out.fail(p.at, "the trigger's name "+why, "choose another name")
	}
	list := r.pairs(p.node, what, "a map")
	set := map[string]bool{}
	for _, q := range list {
		set[q.key] = true
		if q.key == "type" {
			if d.Type = r.word(q); d.Type != "" && !contains(triggerTypes, d.Type) {
				r.out.fail(r.at(q.node), "unknown trigger type "+quote(d.Type), r.typeHint(d.Type, triggerTypes))
			}
		}
	}
	read := r.triggerFields(d)
	for _, q := range list {
		types, known := triggerKeys[q.key]
		switch {
		case !known:
			r.unknown(q, what, keys(triggerKeys))
		case types != "" && contains(triggerTypes, d.Type) && !strings.Contains(" "+types+" ", " "+d.Type+" "):
			r.out.fail(q.at, fmt.Sprintf("%s does not go with type: %s", quote(q.key), d.Type), "it belongs to type: "+either(strings.Fields(types)...))
		case read[q.key] != nil:
			read[q.key](q)
		}
	}
	need := []string{"type", "task"}
	switch d.Type {
	case "scheduler":
		need = append(need, "cron")
	case "webhook":
		need = append(need, "name")
	case "event_source":
		need = append(need, "target_task")
	}
	for _, k := range need {
		if !set[k] {
			r.out.fail(p.at, what+" has no "+quote(k), "add it")
		}
	}
	if d.target != nil && d.task != nil && d.target.text == d.task.text {
		r.out.fail(r.at(d.target.node), "the task and the target_task of "+what+" are the same", "name two tasks")
	}
	if d.Enabled && (d.Type == "webhook" || d.Type == "event_source") {
		r.out.warn(p.at, "triggers of type "+d.Type+" are not fired by this version, so "+what+" starts nothing", "start its task by hand or over MCP")
	}
	d.faulty = r.out.errors > before
	return d
}

// triggerFields are the readings of a trigger's fields.
func (r *reader) triggerFields(d *triggerDef) map[string]func(pair) {
	oneOf := func(to *string, choices ...string) func(pair) {
		return func(p pair) {
			if *to = r.word(p); *to != "" && !contains(choices, *to) {
				r.out.fail(r.at(p.node), fmt.Sprintf("unknown %s %s", p.key, quote(*to)), r.typeHint(*to, choices))
			}
		}
	}
	return map[string]func(pair){
		"task":           func(p pair) { d.Task = r.word(p); d.task = &item{d.Task, r.deref(p.node)} },
		"target_task":    func(p pair) { d.TargetTask = r.word(p); d.target = &item{d.TargetTask, r.deref(p.node)} },
		"enabled":        func(p pair) { d.Enabled = r.boolean(p) },
		"description":    func(p pair) { r.str(p) },
		"force_refresh":  func(p pair) { d.ForceRefresh = r.boolean(p) },
		"cron":           func(p pair) { r.cron(d, p) },
		"timezone":       func(p pair) { r.timezone(d, p) },
		"concurrency":    oneOf(&d.Concurrency, AllowOthers, SkipOthers, CancelPrevious),
		"catch_up":       oneOf(&d.CatchUp, CatchUpNone, CatchUpLast, CatchUpAll),
		"mode":           oneOf(&d.Mode, "async", "sync"),
		"restart_policy": oneOf(&d.RestartPolicy, "always", "on_failure", "never"),
		"secret":         func(p pair) { r.written(p) },
		"timeout_secs":   func(p pair) { d.TimeoutSecs = r.integer(p, 1, 300) },
		"backoff_secs":   func(p pair) { d.BackoffSecs = r.integer(p, 1, 300) },
		"max_in_flight":  func(p pair) { d.MaxInFlight = r.integer(p, 1, 1_000_000) },
		"name": func(p pair) {
			if d.Hook = r.word(p); d.Hook != "" && !hookName.MatchString(d.Hook) {
				r.out.fail(r.at(p.node), quote(d.Hook)+" cannot stand in a URL", "use letters, digits, - and _")
			}
		},
		"env": func(p pair) {
			a := &actionDef{}
			r.env(a, p)
			d.Env = a.Env
		},
		"input": func(p pair) {
			list := r.pairs(p.node, `"input"`, "a map of values")
			d.inputAt = make(map[string]Pos, len(list))
			for _, q := range list {
				if d.Input == nil {
					d.Input = make(map[string]any, len(list))
				}
				d.inputAt[q.key] = q.at
				d.Input[q.key] = r.value(q.node, "input "+quote(q.key), 0, func(n *yaml.Node) {})
			}
		},
	}
}

var hookName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// cron checks that the schedule can be read, and that it ever fires.
func (r *reader) cron(d *triggerDef, p pair) {
	if d.Cron = r.word(p); d.Cron == "" || r.out.full() {
		return
	}
	if _, what, fix := parseCron(d.Cron); what != "" {
		r.out.fail(r.at(p.node), what, fix)
	}
}

// timezone checks that there is such a zone.
func (r *reader) timezone(d *triggerDef, p pair) {
	if d.Timezone = r.str(p); d.Timezone == "" {
		return
	}
	if _, err := time.LoadLocation(d.Timezone); err != nil || d.Timezone == "Local" {
		r.out.fail(r.at(p.node), "there is no time zone "+quote(d.Timezone), "write one such as Europe/Copenhagen")
	}
}
