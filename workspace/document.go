package workspace

import (
	"go.yaml.in/yaml/v4"
)

// document is what one file says, before anything is linked. It never changes
// once read, so that an unchanged file is not read twice.
type document struct {
	src      *source
	problems problems
	actions  []*actionDef
	tasks    []*taskDef
	triggers []*triggerDef
	hooks    []hookDef
	secrets  Secrets
	// connTypes are the names that its inputs may use as types.
	connTypes []string
}

// topKeys are the keys of a workflow file.
var topKeys = map[string]bool{
	"secrets": true, "connection_types": true, "connections": true, "actions": true, "tasks": true,
	"triggers": true, "mcp_servers": true, "on_success": true, "on_error": true, "on_suspended": true, "on_cancel": true,
}

// readDocument reads one file; ok is false where it is no YAML at all, so that
// nothing is known of what it meant to say.
func readDocument(name, text string) (d *document, ok bool) {
	d = &document{src: newSource(name, text)}
	r := &reader{src: d.src}
	root := r.parse()
	if root != nil {
		r.top(d, root)
	}
	d.problems = r.out
	return d, root != nil || r.out.errors == 0
}

// top reads the keys of a file.
func (r *reader) top(d *document, root *yaml.Node) {
	list := r.pairs(root, "a workflow file", "a map with actions, tasks and triggers")
	if foreign(list) {
		if len(list) > 0 {
			r.out.warn(list[0].at, "this is no workflow file: it has no tasks and no actions", "move it elsewhere, or put the workflows in a folder .workflows")
		}
		return
	}
	each := func(read func(pair)) func(pair) {
		return func(p pair) {
			for _, q := range r.pairs(p.node, quote(p.key), "a map of names") {
				read(q)
				r.refusals = nil
			}
		}
	}
	unused := func(p pair) []pair {
		list := r.pairs(p.node, quote(p.key), "a map of names")
		if len(list) > 0 {
			r.out.warn(p.at, quote(p.key)+" cannot be used by this version", "tasks that need them are refused when they are started")
		}
		return list
	}
	known := map[string]func(pair){
		"actions":     each(func(p pair) { d.actions = append(d.actions, r.action(p)) }),
		"tasks":       each(func(p pair) { d.tasks = append(d.tasks, r.task(p)) }),
		"triggers":    each(func(p pair) { d.triggers = append(d.triggers, r.trigger(p)) }),
		"secrets":     func(p pair) { d.secrets = r.secrets(p) },
		"connections": func(p pair) { unused(p) },
		"mcp_servers": func(p pair) { unused(p) },
		"connection_types": func(p pair) {
			for _, q := range unused(p) {
				if isInputType(q.key) || q.key == "bool" {
					r.out.fail(q.at, "a connection type cannot be named "+quote(q.key)+", which is a type already", "choose another name")
				}
				d.connTypes = append(d.connTypes, q.key)
			}
		},
	}
	for _, name := range hookNames {
		known[name] = func(p pair) {
			if hooks := r.hooks(p); len(hooks) > 0 {
				r.refuse(p.at, quote(p.key)+notYet)
				for i := range hooks {
					hooks[i].at = p.at
				}
				d.hooks = append(d.hooks, hooks...)
			}
		}
	}
	r.fields(list, "a workflow file", known)
}

// foreign reports whether a file has nothing of a workflow file, not even
// misspelt. Empty files are no workflow files either.
func foreign(list []pair) bool {
	names := keys(topKeys)
	for i, p := range list {
		if i == 20 {
			break
		}
		if topKeys[p.key] || Nearest(p.key, names) != "" {
			return false
		}
	}
	return true
}

// list reads a list of anything.
func (r *reader) list(p pair, want string) []*yaml.Node {
	n := r.deref(p.node)
	if null(n) {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		r.expected(n, quote(p.key), want, "")
		return nil
	}
	return n.Content
}
