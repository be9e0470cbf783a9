package workspace

import (
	"container/heap"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Flow is the steps of a task. They stand as in the YAML, moved only where
// dependencies ask: a step never stands before one it depends on.
type Flow []Step

// Find is the step of that name; nil where there is none.
func (f Flow) Find(name string) *Step {
	for i := range f {
		if f[i].Name == name {
			return &f[i]
		}
	}
	return nil
}

// Dependents are the steps that depend on another, by its name.
func (f Flow) Dependents() map[string][]string {
	out := make(map[string][]string, len(f))
	for _, s := range f {
		for _, d := range s.DependsOn {
			out[d] = append(out[d], s.Name)
		}
	}
	return out
}

// Terminal are the steps that no other depends on: their outputs are the
// job's.
func (f Flow) Terminal() []string {
	dependents := f.Dependents()
	var names []string
	for _, s := range f {
		if len(dependents[s.Name]) == 0 {
			names = append(names, s.Name)
		}
	}
	return names
}

// graph is who depends on whom, by index: the steps of a flow before they have
// an order. deps[i] are what i depends on.
type graph struct{ deps [][]int }

// order is a stable topological order: of the steps that may come next, always
// the first. A shorter result means that the rest hangs on a cycle.
func (g graph) order() []int {
	next := make([][]int, len(g.deps))
	waits := make([]int, len(g.deps))
	ready := &indices{}
	for i, deps := range g.deps {
		waits[i] = len(deps)
		for _, d := range deps {
			next[d] = append(next[d], i)
		}
		if len(deps) == 0 {
			*ready = append(*ready, i)
		}
	}
	heap.Init(ready)
	var out []int
	for ready.Len() > 0 {
		i := heap.Pop(ready).(int)
		out = append(out, i)
		for _, j := range next[i] {
			if waits[j]--; waits[j] == 0 {
				heap.Push(ready, j)
			}
		}
	}
	return out
}

// cycle follows dependencies among the steps that no order reaches until one
// comes again, and gives that circle: each depends on the next, and the last on
// the first. It is nil where there is an order.
func (g graph) cycle() []int {
	left := make([]bool, len(g.deps))
	for i := range left {
		left[i] = true
	}
	for _, i := range g.order() {
		left[i] = false
	}
	at := -1
	for i := range left {
		if left[i] {
			at = i
			break
		}
	}
	if at < 0 {
		return nil
	}
	seen := map[int]int{}
	var path []int
	for {
		if from, ok := seen[at]; ok {
			return path[from:]
		}
		seen[at] = len(path)
		path = append(path, at)
		for _, d := range g.deps[at] {
			if left[d] {
				at = d
				break
			}
		}
	}
}

// ancestors is, for each step in an order, the set of steps it depends on,
// directly or not.
func (g graph) ancestors(order []int) []set {
	out := make([]set, len(g.deps))
	for _, i := range order {
		s := newSet(len(g.deps))
		for _, d := range g.deps[i] {
			s.add(d)
			s.join(out[d])
		}
		out[i] = s
	}
	return out
}

// set is a set of small integers.
type set []uint64

func newSet(n int) set { return make(set, (n+63)/64) }

func (s set) add(i int) { s[i/64] |= 1 << (i % 64) }

func (s set) has(i int) bool { return i/64 < len(s) && s[i/64]&(1<<(i%64)) != 0 }

func (s set) join(other set) {
	for i := range other {
		s[i] |= other[i]
	}
}

type indices []int

func (h indices) Len() int           { return len(h) }
func (h indices) Less(i, j int) bool { return h[i] < h[j] }
func (h indices) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *indices) Push(x any)        { *h = append(*h, x.(int)) }
func (h *indices) Pop() any {
	last := len(*h) - 1
	x := (*h)[last]
	*h = (*h)[:last]
	return x
}

// maxSteps bounds a flow.
const maxSteps = 1000

// flowDef is a flow as it stands in the YAML.
type flowDef struct {
	steps []*stepDef
	graph graph
	order []int // nil when there is a cycle
}

// flow reads the steps of a task and how they hang together.
func (r *reader) flow(task string, p pair) *flowDef {
	f := &flowDef{}
	list := r.flowSteps(p)
	if len(list) > maxSteps {
		r.out.fail(p.at, "a flow may have 1000 steps at the most", "split the task")
		list = list[:maxSteps]
	}
	for _, q := range list {
		f.steps = append(f.steps, r.step(task, q))
	}
	r.sameKeys(f)
	r.dependencies(f)
	if circle := f.graph.cycle(); circle != nil {
		names := make([]string, 0, len(circle)+1)
		for _, i := range append(circle, circle[0]) {
			names = append(names, f.steps[i].Name)
		}
		if len(names) > 12 {
			names = append(append(names[:6:6], "…"), names[len(names)-5:]...)
		}
		r.out.fail(f.steps[circle[0]].At, "the steps wait for each other: "+cut(strings.Join(names, " → ")), "remove one of these dependencies")
		return f
	}
	f.order = f.graph.order()
	return f
}

// flowSteps are the steps by name: of a map its entries, of a list its entries
// by their field name.
func (r *reader) flowSteps(p pair) []pair {
	n := r.deref(p.node)
	if n.Kind != yaml.SequenceNode {
		return r.pairs(p.node, `"flow"`, "a map from each step's name to what it does, or a list of steps with a name")
	}
	var list []pair
	seen := map[string]Pos{}
	for _, entry := range n.Content {
		step := r.deref(entry)
		if step.Kind != yaml.MappingNode {
			r.expected(step, "a step of a list", "a map with a name", "write - name: …")
			continue
		}
		name, rest := takeKey(step, "name")
		if name == nil || r.deref(name).Kind != yaml.ScalarNode {
			r.out.fail(r.at(step), "a step of a list has no name", "add name: as its first line")
			continue
		}
		key := r.deref(name).Value
		if first, ok := seen[key]; ok {
			r.out.fail(r.at(name), fmt.Sprintf("step %s stands twice, first at %s", quote(key), first), "rename one of the two")
			continue
		}
		seen[key] = r.at(name)
		list = append(list, pair{key: key, at: r.at(name), node: rest})
	}
	return list
}

// takeKey gives the value of a map's key, and the map without it.
func takeKey(m *yaml.Node, key string) (value, rest *yaml.Node) {
	copied := *m
	for i := 0; i+1 < len(m.Content); i += 2 {
		if m.Content[i].Value == key {
			copied.Content = slices.Concat(m.Content[:i], m.Content[i+2:])
			return m.Content[i+1], &copied
		}
	}
	return nil, m
}

// sameKeys reports steps whose outputs templates could not tell apart.
func (r *reader) sameKeys(f *flowDef) {
	seen := map[string]string{}
	for _, s := range f.steps {
		if other, ok := seen[s.Key()]; ok {
			r.out.fail(s.At, "steps "+quote(other)+" and "+quote(s.Name)+" are one name in templates, where - is _", "rename one of them")
			continue
		}
		seen[s.Key()] = s.Name
	}
}

// dependencies links depends_on to the steps it names.
func (r *reader) dependencies(f *flowDef) {
	index := make(map[string]int, len(f.steps))
	var names []string
	for i, s := range f.steps {
		index[s.Name] = i
		names = append(names, s.Name)
	}
	f.graph.deps = make([][]int, len(f.steps))
	for i, s := range f.steps {
		seen := map[int]bool{}
		for _, d := range s.deps {
			j, ok := index[d.text]
			switch {
			case !ok:
				fix := r.suggest(d.text, names)
				if fix == "" {
					fix = "name a step of this flow"
				}
				r.out.fail(r.at(d.node), "no step "+quote(d.text)+" in this flow", fix)
			case seen[j]:
				r.out.warn(r.at(d.node), "dependency "+quote(d.text)+" stands twice", "remove one of the two")
			default:
				seen[j] = true
				f.graph.deps[i] = append(f.graph.deps[i], j)
				s.DependsOn = append(s.DependsOn, d.text)
			}
		}
	}
}
