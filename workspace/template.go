package workspace

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"stroem/workspace/tera"
)

// template is a text of the YAML that is rendered later.
type template struct {
	scalar
	name   string // what it is, for messages: `"script"`
	parsed *tera.Template
	uses   []use
	// warnings are what to tell of a script's places once the types of its input
	// are known.
	warnings []*tera.Warning
}

// What a text may ask of the template engine: the names it reads, and its
// length times the values written into it, each of which is looked at in its
// surroundings.
const (
	maxUses   = 1000
	maxEffort = 16 << 20
)

// foreign reports whether a text holds anything but secrets and what the file
// says itself.
func (t *template) foreign() bool {
	return slices.ContainsFunc(t.parsed.Refs(), func(ref tera.Ref) bool { return ref.Path[0] != "secret" && ref.Path[0] != "secrets" })
}

// template reads a text that is rendered later; nil where it is an ordinary
// text or does not parse. What the engine knows and cannot do yet is refused.
func (r *reader) template(n *yaml.Node, name string) *template {
	n = r.deref(n)
	if n.Kind != yaml.ScalarNode || !dynamic(n.Value) {
		return nil
	}
	t := &template{scalar: r.scalarOf(n), name: name}
	if n := strings.Count(n.Value, "{{") + strings.Count(n.Value, "{%"); n*len(t.value) > maxEffort {
		r.out.fail(t.first(), fmt.Sprintf("%s: %d templates in %d KiB are too many for one text", name, n, len(t.value)>>10), "split it, or read the values from the file $STROEM_INPUT_FILE")
		return nil
	}
	parsed, err := tera.Parse(n.Value)
	if err != nil {
		r.templateError(t, err)
		return nil
	}
	t.parsed = parsed
	seen := map[string]bool{} // a name once where it must be there, and once where it may be missing
	for _, ref := range parsed.Refs() {
		path := strings.Join(ref.Path, ".")
		if path == "" || seen[path] || ref.Optional && seen["?"+path] {
			continue
		}
		if ref.Optional {
			path = "?" + path
		}
		seen[path] = true
		at := t.place(ref.Line, ref.Column)
		if len(seen) > maxUses {
			r.out.fail(at, t.name+" names more than 1000 values", "hand them over in a list or a map")
			break
		}
		if unborn[ref.Path[0]] {
			r.refuse(at, quote(ref.Path[0])+" in a template"+notYet)
			continue
		}
		t.uses = append(t.uses, use{ref.Path, at, t.name, ref.Optional, ref.Hyphens})
	}
	return t
}

// unborn are the names of a template's context that nothing fills yet.
var unborn = map[string]bool{"state": true, "global_state": true, "each": true, "hook": true}

// dynamic reports whether a text is a template at all.
func dynamic(s string) bool {
	return strings.Contains(s, "{{") || strings.Contains(s, "{%") || strings.Contains(s, "{#")
}

func (r *reader) scalarOf(n *yaml.Node) scalar {
	return scalar{src: r.src, line: n.Line, column: n.Column, style: n.Style, value: n.Value}
}

// templateError reports an error of the template engine at its place in the file.
func (r *reader) templateError(t *template, err error) {
	var te *tera.Error
	if !errors.As(err, &te) {
		r.out.fail(t.first(), t.name+": "+cut(err.Error()), "")
		return
	}
	at := t.place(max(te.Line, 1), max(te.Column, 1))
	if te.Unsupported {
		r.refuse(at, t.name+": "+cut(te.What))
		return
	}
	r.out.fail(at, t.name+": "+cut(te.What), cut(te.Fix))
}

// shell checks that each value of a script lands where it can be quoted.
func (r *reader) shell(t *template, d tera.Dialect) {
	if t == nil || t.parsed == nil || t.parsed.Static() {
		return
	}
	errs, warnings := t.parsed.CheckShell(d)
	for _, err := range errs {
		r.templateError(t, err)
	}
	t.warnings = warnings
	for _, raw := range t.parsed.Raws() {
		r.out.warn(t.place(raw.Line, raw.Column), t.name+": raw writes the value as it is: it can run anything", `leave raw out unless its words are to be split, and let an action's input say what it may be`)
	}
}

// code checks that each value of a script lands where it can be a literal, or a
// part of one.
func (r *reader) code(t *template, lang tera.Language) {
	if t == nil || t.parsed == nil || t.parsed.Static() {
		return
	}
	for _, err := range t.parsed.CheckCode(lang) {
		r.templateError(t, err)
	}
	t.warnings = t.parsed.WarnCode(lang)
}

// use is one name that a template reads from its context.
type use struct {
	path []string
	at   Pos
	of   string // the text it stands in
	// optional says that the template copes without it, and hyphens is what may
	// be meant by it if no subtraction is.
	optional bool
	hyphens  []string
}

// unhyphened says how to write a name that has a hyphen, if one is meant that is
// known.
func (u use) unhyphened(known func(name string) bool) (what, fix string) {
	if len(u.hyphens) < len(u.path) {
		return "", ""
	}
	name := u.hyphens[len(u.path)-1]
	if len(u.path) > 1 {
		if !known(name) {
			return "", ""
		}
		return "the name " + quote(name) + " has a hyphen", `write ` + strings.Join(u.path[:len(u.path)-1], ".") + `["` + name + `"]`
	}
	key := strings.ReplaceAll(name, "-", "_")
	if !known(key) {
		return "", ""
	}
	return "a name in a template has no hyphens", "write " + key + " for " + name
}

// uses lists the names that templates read.
func uses(list []*template) []use {
	var out []use
	for _, t := range list {
		out = append(out, t.uses...)
	}
	return out
}
