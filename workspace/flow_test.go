package workspace_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"stroem/workspace"
)

// TestFlowOrder: any acyclic flow is ordered, no step stands before one it
// depends on, and steps that wait for nothing keep their order.
func TestFlowOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 30).Draw(t, "steps")
		rank := rapid.Permutation(index(n)).Draw(t, "rank")
		deps := make([][]int, n)
		sortedAlready := true
		var b strings.Builder
		b.WriteString("tasks:\n  t:\n    flow:\n")
		for i := range n {
			var names []string
			for j := range n {
				// A step may depend on those of a lower rank alone: no circle.
				if rank[j] < rank[i] && rapid.IntRange(0, 4).Draw(t, "edge") == 0 {
					deps[i] = append(deps[i], j)
					names = append(names, fmt.Sprintf("s%d", j))
					sortedAlready = sortedAlready && j < i
				}
			}
			fmt.Fprintf(&b, "      s%d: {type: script, script: echo, depends_on: [%s]}\n", i, strings.Join(names, ", "))
		}
		w, err := workspace.Load(files("a.yaml", b.String()), nil)
		if err != nil || w.Err() != "" || len(w.Tasks) != 1 {
			t.Fatalf("%v, %s", err, w.Err())
		}
		flow := w.Tasks[0].Flow
		at := map[string]int{}
		for i, s := range flow {
			at[s.Name] = i
		}
		if len(at) != n {
			t.Fatalf("%d steps of %d", len(at), n)
		}
		for i := range n {
			for _, j := range deps[i] {
				if at[fmt.Sprintf("s%d", j)] >= at[fmt.Sprintf("s%d", i)] {
					t.Fatalf("s%d stands before s%d", i, j)
				}
			}
			if sortedAlready && at[fmt.Sprintf("s%d", i)] != i {
				t.Fatalf("s%d was moved", i)
			}
			if i > 0 && len(deps[i]) == 0 && len(deps[i-1]) == 0 && at[fmt.Sprintf("s%d", i-1)] > at[fmt.Sprintf("s%d", i)] {
				t.Fatalf("s%d and s%d changed places", i-1, i)
			}
		}
	})
}

// TestFlowCycle: a circle is always found, and what is named is one.
func TestFlowCycle(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 10).Draw(t, "steps")
		deps := map[string][]string{}
		var b strings.Builder
		b.WriteString("tasks:\n  t:\n    flow:\n")
		for i := range n {
			name := fmt.Sprintf("s%d", i)
			deps[name] = []string{fmt.Sprintf("s%d", rapid.IntRange(0, n-1).Draw(t, "to"))}
			fmt.Fprintf(&b, "      %s: {type: script, script: echo, depends_on: %v}\n", name, deps[name])
		}
		w, err := workspace.Load(files("a.yaml", b.String()), nil)
		if err != nil || len(w.Problems) != 1 {
			t.Fatalf("%v, %s", err, problems(w))
		}
		_, circle, _ := strings.Cut(w.Problems[0].What, "each other: ")
		names := strings.Split(circle, " → ")
		if len(names) < 2 || names[0] != names[len(names)-1] {
			t.Fatal(circle)
		}
		for i := range names[1:] {
			if !reflect.DeepEqual(deps[names[i]], []string{names[i+1]}) {
				t.Fatalf("%s: %s does not depend on %s", circle, names[i], names[i+1])
			}
		}
	})
}

func TestFlowFacts(t *testing.T) {
	t.Parallel()
	flow := workspace.Flow{{Name: "a"}, {Name: "b", DependsOn: []string{"a"}}, {Name: "c-d", DependsOn: []string{"a"}}}
	if got := flow.Terminal(); !reflect.DeepEqual(got, []string{"b", "c-d"}) {
		t.Errorf("terminal: %v", got)
	}
	if got := flow.Dependents(); !reflect.DeepEqual(got, map[string][]string{"a": {"b", "c-d"}}) {
		t.Errorf("dependents: %v", got)
	}
	if flow.Find("c-d").Key() != "c_d" || flow.Find("c_d") != nil {
		t.Error("Find or Key")
	}
}

func index(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

func TestNearest(t *testing.T) {
	t.Parallel()
	known := []string{"deploy", "build", "run-tests", "db"}
	for name, want := range map[string]string{
		"deply": "deploy", "dpeloy": "deploy", "Deploy": "deploy", "run_tests": "run-tests", "runtests": "run-tests",
		"bulid": "build", "": "", "zebra": "", "x": "", "deploy": "", "bd": "db", "guild": "build",
		strings.Repeat("deploy", 1000): "",
	} {
		if got := workspace.Nearest(name, known); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}
