package workspace

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// What a file may hold, aliases resolved; see also maxMarks.
const (
	maxDepth  = 100      // values within values
	maxVisits = 300_000  // values read
	maxText   = 16 << 20 // bytes of text read, some of them more than once
)

// reader walks the nodes of one file. Each of its readings says what it
// expected and found where the YAML has another kind of thing, so that callers
// only name what they want.
type reader struct {
	src *source
	out problems
	// refusals is where what cannot run yet is noted: the task or action that
	// is being read, which it belongs to.
	refusals *[]Problem

	visits, bytes int
	exhausted     bool
	hints         int
}

// pair is one key of a map with its value.
type pair struct {
	key  string
	at   Pos // of the key
	node *yaml.Node
}

func (r *reader) at(n *yaml.Node) Pos {
	return Pos{File: r.src.name, Line: max(n.Line, 1), Column: max(n.Column, 1)}
}

// refuse notes what we know but cannot run yet.
func (r *reader) refuse(at Pos, what string) {
	p := refusal(at, what)
	r.out.add(p)
	if r.refusals != nil && len(*r.refusals) < maxRefusals {
		*r.refusals = append(*r.refusals, p)
	}
}

// maxRefusals bounds what is kept of the reasons why something does not run.
const maxRefusals = 50

// refusal is the problem of what this version does not run.
func refusal(at Pos, what string) Problem {
	return Problem{File: at.File, Line: at.Line, Column: at.Column, Warning: true,
		What: what, Fix: "a task with it is listed, and not started"}
}

const notYet = " is not supported yet"

// suggest is [suggest] with an end: looking for near names has a price.
func (r *reader) suggest(name string, known []string) string {
	if r.hints++; r.hints > 200 {
		return ""
	}
	return suggest(name, known)
}

// deref follows an alias. It counts: what aliases repeat is paid for each time.
func (r *reader) deref(n *yaml.Node) *yaml.Node {
	at := n
	for hops := 0; n.Kind == yaml.AliasNode && n.Alias != nil && hops < maxDepth; hops++ {
		n = n.Alias
	}
	r.visits++
	r.bytes += len(n.Value)
	if r.visits <= maxVisits && r.bytes <= maxText && n.Kind != yaml.AliasNode {
		return n
	}
	if !r.exhausted {
		r.exhausted = true
		r.out.fail(r.at(at), "the aliases of this file repeat too much", "write out what is meant, without * and &")
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Line: at.Line, Column: at.Column}
}

// kind says in a newcomer's words what a node is.
func kind(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a map"
	case yaml.SequenceNode:
		return "a list"
	}
	switch n.ShortTag() {
	case "!!null":
		return "nothing"
	case "!!bool":
		return n.Value
	case "!!int", "!!float":
		return "the number " + n.Value
	}
	return "the text " + quote(n.Value)
}

// expected reports that something else stands where want should.
func (r *reader) expected(n *yaml.Node, what, want, fix string) {
	if bare(n) {
		r.out.fail(r.at(n), "YAML reads this template as a map", `quote the template: "{{ … }}"`)
		return
	}
	r.out.fail(r.at(n), fmt.Sprintf("%s expects %s, found %s", what, want, kind(n)), fix)
}

// bare reports whether n is a template that lacks its quotes: YAML reads
// {{ x }} as a map whose key is a map.
func bare(n *yaml.Node) bool {
	return n.Kind == yaml.MappingNode && n.Style&yaml.FlowStyle != 0 && len(n.Content) == 2 &&
		n.Content[0].Kind == yaml.MappingNode && n.Content[0].Style&yaml.FlowStyle != 0 &&
		n.Content[0].Line == n.Line && n.Content[0].Column == n.Column+1
}

func null(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// pairs reads a map: its keys are text and stand once. An absent value is an
// empty map. Maps merged with << give the keys that are not there.
func (r *reader) pairs(n *yaml.Node, what, want string) []pair {
	n = r.deref(n)
	if null(n) {
		return nil
	}
	if n.Kind != yaml.MappingNode || bare(n) {
		r.expected(n, what, want, "")
		return nil
	}
	seen := make(map[string]Pos, len(n.Content)/2)
	var list []pair
	var merged []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if k.Kind == yaml.ScalarNode && k.ShortTag() == "!!merge" {
			merged = append(merged, v)
			continue
		}
		k = r.deref(k)
		at := r.at(n.Content[i])
		if k.Kind != yaml.ScalarNode || k.ShortTag() != "!!str" && !text(k) {
			r.out.fail(at, fmt.Sprintf("a key of %s is text, found %s", what, kind(k)), "put the key in quotes")
			continue
		}
		if first, ok := seen[k.Value]; ok {
			r.out.fail(at, fmt.Sprintf("%s stands twice in %s, first at line %d", quote(k.Value), what, first.Line),
				"remove one of the two, or rename it")
			continue
		}
		seen[k.Value] = at
		list = append(list, pair{k.Value, at, v})
	}
	for _, m := range merged {
		list = r.merge(list, seen, m, what, 0)
	}
	return list
}

// merge adds the keys of a merged map, or of a list of them, that are not there yet.
func (r *reader) merge(list []pair, seen map[string]Pos, n *yaml.Node, what string, depth int) []pair {
	at := r.at(n)
	n = r.deref(n)
	if n.Kind == yaml.SequenceNode && depth < maxDepth {
		for _, m := range n.Content {
			list = r.merge(list, seen, m, what, depth+1)
		}
		return list
	}
	if n.Kind != yaml.MappingNode || depth >= maxDepth {
		r.expected(n, `"<<" in `+what, "a map", "")
		return list
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := r.deref(n.Content[i]), n.Content[i+1]
		if k.Kind != yaml.ScalarNode {
			continue // said where the map itself is read
		}
		if k.ShortTag() == "!!merge" {
			list = r.merge(list, seen, v, what, depth+1)
		} else if _, ok := seen[k.Value]; !ok {
			seen[k.Value] = at
			list = append(list, pair{k.Value, at, v})
		}
	}
	return list
}

// fields hands each key of a map to its reading; a key without one is unknown.
func (r *reader) fields(list []pair, what string, known map[string]func(pair)) {
	var names []string
	for _, p := range list {
		if read := known[p.key]; read != nil {
			read(p)
			continue
		}
		if names == nil {
			names = keys(known)
		}
		r.unknown(p, what, names)
	}
}

// unknown warns of a key that nothing reads.
func (r *reader) unknown(p pair, what string, known []string) {
	if r.out.full() {
		return
	}
	fix := r.suggest(p.key, known)
	if fix == "" {
		fix = "it is ignored; remove it"
	}
	r.out.warn(p.at, fmt.Sprintf("unknown field %s in %s", quote(p.key), what), fix)
}

// text reports whether a scalar is text to people: dates are.
func text(n *yaml.Node) bool {
	switch n.ShortTag() {
	case "!!str", "!!timestamp", "!!merge":
		return true
	case "!!null", "!!bool", "!!int", "!!float":
		return false
	}
	return true
}

// str reads a text.
func (r *reader) str(p pair) string {
	n := r.deref(p.node)
	if n.Kind != yaml.ScalarNode || !text(n) {
		fix := ""
		if n.Kind == yaml.ScalarNode && !null(n) {
			fix = "put it in quotes"
		}
		r.expected(n, quote(p.key), "text", fix)
		return ""
	}
	return n.Value
}

// word reads a text that is not empty.
func (r *reader) word(p pair) string {
	n := r.deref(p.node)
	if n.Kind == yaml.ScalarNode && text(n) && strings.TrimSpace(n.Value) == "" {
		r.out.fail(r.at(n), quote(p.key)+" is empty", "write a value, or remove it")
		return ""
	}
	return r.str(p)
}

// written reads a text, or a number or truth value as it is written.
func (r *reader) written(p pair) string {
	n := r.deref(p.node)
	if n.Kind != yaml.ScalarNode || null(n) {
		r.expected(n, quote(p.key), "text", "")
		return ""
	}
	return n.Value
}

// boolean reads true or false.
func (r *reader) boolean(p pair) bool {
	n := r.deref(p.node)
	if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!bool" {
		return strings.EqualFold(n.Value, "true")
	}
	r.expected(n, quote(p.key), "true or false", "")
	return false
}

// integer reads an integer between two bounds.
func (r *reader) integer(p pair, from, to int) int {
	n := r.deref(p.node)
	if n.Kind == yaml.ScalarNode {
		if v, ok := number12(n).(int64); ok {
			if v < int64(from) || v > int64(to) {
				r.out.fail(r.at(n), fmt.Sprintf("%s must be from %d to %d, found %d", quote(p.key), from, to, v), "")
				return 0
			}
			return int(v)
		}
	}
	r.expected(n, quote(p.key), "an integer", "")
	return 0
}

// item is an entry of a list of texts.
type item struct {
	text string
	node *yaml.Node
}

// items reads a list of texts; numbers and truth values count as they are written.
func (r *reader) items(p pair) []item {
	n := r.deref(p.node)
	if null(n) {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		fix := ""
		if n.Kind == yaml.ScalarNode {
			fix = fmt.Sprintf("write %s: [%s]", p.key, n.Value)
			if len(n.Value) > 40 {
				fix = "put it in [ ]"
			}
		}
		r.expected(n, quote(p.key), "a list of strings", fix)
		return nil
	}
	var list []item
	for _, c := range n.Content {
		v := r.deref(c)
		if v.Kind != yaml.ScalarNode || null(v) {
			r.expected(v, "an entry of "+quote(p.key), "text", "")
			continue
		}
		list = append(list, item{v.Value, v})
	}
	return list
}

// value reads anything, as plain Go; each text in it is shown to see.
func (r *reader) value(n *yaml.Node, what string, depth int, see func(*yaml.Node)) any {
	n = r.deref(n)
	if depth > maxDepth {
		if !r.exhausted {
			r.exhausted = true
			r.out.fail(r.at(n), fmt.Sprintf("%s holds more than %d values within each other", what, maxDepth), "an alias may hold itself; write out what is meant")
		}
		return nil
	}
	switch n.Kind {
	case yaml.MappingNode:
		if bare(n) {
			r.expected(n, what, "text", "")
			return nil
		}
		m := map[string]any{}
		for _, p := range r.pairs(n, what, "a map") {
			m[p.key] = r.value(p.node, quote(p.key), depth+1, see)
		}
		return m
	case yaml.SequenceNode:
		list := make([]any, 0, len(n.Content))
		for _, c := range n.Content {
			list = append(list, r.value(c, what, depth+1, see))
		}
		return list
	}
	return r.scalar(n, what, see)
}

// scalar reads one value as YAML 1.2 does.
func (r *reader) scalar(n *yaml.Node, what string, see func(*yaml.Node)) any {
	switch n.ShortTag() {
	case "!!null":
		return nil
	case "!!bool":
		return strings.EqualFold(n.Value, "true")
	case "!!int", "!!float":
		v := number12(n)
		if f, ok := v.(float64); ok {
			if math.IsInf(f, 0) || math.IsNaN(f) {
				r.out.fail(r.at(n), fmt.Sprintf("%s is no number that can be passed on", n.Value), "put it in quotes, or write another")
				return nil
			}
			if strings.HasSuffix(n.Value, "0") && strings.Contains(n.Value, ".") && !strings.ContainsAny(n.Value, "eE") {
				r.out.warn(r.at(n), fmt.Sprintf("%s is read as a number, which loses its last 0", n.Value), "put it in quotes if it is a version or a name")
			}
		}
		return v
	}
	if see != nil {
		see(n)
	}
	return n.Value
}

// number12 reads a number as YAML 1.2 does: 017 and 1_000 are text, and so is
// an integer that no int64 holds.
func number12(n *yaml.Node) any {
	s := n.Value
	digits := strings.TrimLeft(s, "+-")
	switch n.ShortTag() {
	case "!!int":
		if strings.Contains(s, "_") || len(digits) > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9' {
			return s
		}
		if i, err := strconv.ParseInt(s, 0, 64); err == nil {
			return i
		}
		return s
	case "!!float":
		switch strings.ToLower(digits) {
		case ".inf":
			return math.Inf(1)
		case ".nan":
			return math.NaN()
		}
		if strings.Contains(s, "_") || !strings.ContainsAny(s, ".eE") {
			return s
		}
		if f, err := strconv.ParseFloat(s, 64); err == nil || math.IsInf(f, 0) {
			return f
		}
		return s
	}
	return nil
}
