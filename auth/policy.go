package auth

import (
	"fmt"
	"slices"
	"strings"

	"stroem/store"
)

// Perm is what a caller may do with a task and its jobs. Each includes those
// before it.
type Perm int

// The permissions. What is denied does not exist for the caller.
const (
	Deny Perm = iota
	View
	Run
)

var permNames = []string{"deny", "view", "run"}

func (p Perm) String() string { return permNames[p] }

// UnmarshalText reads deny, view or run.
func (p *Perm) UnmarshalText(text []byte) error {
	i := slices.Index(permNames, string(text))
	if i < 0 {
		return fmt.Errorf("%q is no permission; write deny, view or run", text)
	}
	*p = Perm(i)
	return nil
}

// Rule gives its users and groups a permission on tasks.
type Rule struct {
	Workspace string   // a pattern
	Tasks     []string // patterns of folder/name, or the name where there is no folder; none: all
	Action    Perm
	Groups    []string
	Users     []string // e-mails
	Approval  bool     // what an agent begins here waits for a person
}

// Policy is the access rules. Nil is none: everybody known may run everything.
type Policy struct {
	Default Perm // where no rule applies
	Rules   []Rule
}

// Decision is what a caller may do with a task, and why.
type Decision struct {
	Perm     Perm
	Rule     int    // the rule that gave it, from 0; -1 when none did
	Why      string // names the rule and what narrowed it
	Approval bool   // the caller is an agent, and a job it begins waits for a person
}

// Decide is what who may do with the task. Administrators may run everything;
// else the highest of the rules that apply counts, or the default where none
// does. A key narrows what its user may.
func (p *Policy) Decide(who Principal, ws, folder, task string) Decision {
	path := store.Path(folder, task)
	d := p.grant(who, ws, path)
	if k := who.Key; k != nil {
		d.narrow(k, ws, path)
	}
	d.Approval = d.Approval && d.Perm == Run && who.IsAgent()
	return d
}

func (p *Policy) grant(who Principal, ws, path string) Decision {
	d := Decision{Rule: -1}
	switch {
	case who.Via == Nobody:
		d.Why = "who is not known may do nothing"
		return d
	case who.unbound():
		d.Perm, d.Why = Run, "administrators may run everything"
		if who.Via == Anonymous {
			d.Why = "auth is off"
		}
	case p == nil:
		d.Perm, d.Why = Run, "there are no access rules"
	default:
		d.Perm = p.Default
	}
	if p == nil {
		return d
	}
	for i := range p.Rules {
		r := &p.Rules[i]
		if !r.covers(ws, path) || !who.unbound() && !r.names(who) {
			continue
		}
		d.Approval = d.Approval || r.Approval
		if !who.unbound() && (d.Rule < 0 || r.Action > d.Perm) {
			d.Perm, d.Rule = r.Action, i
		}
	}
	if d.Rule >= 0 {
		d.Why = fmt.Sprintf("rule %d (workspace %q, tasks %s) gives %s", d.Rule+1, p.Rules[d.Rule].Workspace, strings.Join(p.Rules[d.Rule].tasks(), ", "), d.Perm)
	} else if !who.unbound() {
		d.Why = "no rule applies; the default is " + d.Perm.String()
	}
	return d
}

// narrow takes from the decision what the key may not.
func (d *Decision) narrow(k *store.APIKey, ws, path string) {
	limit := func(perm Perm, why string) {
		if d.Perm > perm {
			d.Perm = perm
			d.Why += "; the key " + k.Prefix + " is limited to " + why
		}
	}
	if !store.MatchAny(k.Workspaces, ws) {
		limit(Deny, "workspaces "+strings.Join(k.Workspaces, ", "))
	}
	if !store.MatchAny(k.Tasks, path) {
		limit(Deny, "tasks "+strings.Join(k.Tasks, ", "))
	}
	if k.ReadOnly {
		limit(View, "reading")
	}
}

// unbound callers may run everything. A rule that asks for approval where an
// agent of theirs is at work counts all the same, whomever it names.
func (p Principal) unbound() bool {
	return p.Admin || p.Via == Anonymous || p.Via == Local || p.Via == System
}

func (r *Rule) covers(ws, path string) bool {
	return store.Match(r.Workspace, ws) && store.MatchAny(r.Tasks, path)
}

func (r *Rule) names(who Principal) bool {
	return slices.ContainsFunc(r.Users, func(u string) bool { return who.Email != "" && strings.ToLower(u) == who.Email }) ||
		slices.ContainsFunc(r.Groups, func(g string) bool { return slices.Contains(who.Groups, g) })
}

// Scope is all that who may at least view: what Decide says of each task, as
// data for the store.
func (p *Policy) Scope(who Principal) *store.Scope {
	s := new(store.Scope)
	switch {
	case who.Via == Nobody:
		return s
	case who.unbound() || p == nil:
		s.Rest = true
	default:
		s.Rest = p.Default >= View
		for i := range p.Rules {
			r := &p.Rules[i]
			if !r.names(who) {
				continue
			}
			list := &s.Shown
			if r.Action == Deny {
				list = &s.Hidden
			}
			for _, task := range r.tasks() {
				*list = append(*list, store.Place{Workspace: r.Workspace, Task: task})
			}
		}
	}
	if k := who.Key; k != nil {
		s.Workspaces, s.Tasks = k.Workspaces, k.Tasks
	}
	if s.Rest && len(s.Hidden)+len(s.Workspaces)+len(s.Tasks) == 0 {
		return nil
	}
	return s
}

func (r *Rule) tasks() []string {
	if len(r.Tasks) == 0 {
		return []string{"*"}
	}
	return r.Tasks
}

// Check says what is wrong with the rules, one error a line, each beginning
// with the rule's place, such as rules[0].
func (p *Policy) Check() error {
	var bad []string
	for i := range p.Rules {
		r := &p.Rules[i]
		at := fmt.Sprintf("rules[%d]", i)
		if r.Workspace == "" {
			bad = append(bad, at+`: says no workspace; write its name, or "*" for all`)
		} else if err := checkPattern(r.Workspace); err != nil {
			bad = append(bad, at+".workspace: "+err.Error())
		}
		for _, t := range r.Tasks {
			if err := checkPattern(t); err != nil {
				bad = append(bad, at+".tasks: "+err.Error())
			}
		}
		if len(r.Groups)+len(r.Users) == 0 {
			bad = append(bad, at+": names nobody; add groups or users")
		}
		for _, g := range r.Groups {
			if err := checkGroup(g); err != nil {
				bad = append(bad, at+".groups: "+err.Error())
			}
		}
	}
	if len(bad) == 0 {
		return nil
	}
	return invalid("%s", strings.Join(bad, "\n"))
}
