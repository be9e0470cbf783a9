package runner

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"stroem/store"
	"stroem/workspace"
)

// parse reads a flow and its runs: "a=completed b=pending:a c!=pending:a,b",
// where ! is continue_on_failure and what follows the colon is depended on.
func parse(text string) (flow workspace.Flow, runs []store.StepRun) {
	for _, word := range strings.Fields(text) {
		name, rest, _ := strings.Cut(word, "=")
		status, deps, _ := strings.Cut(rest, ":")
		step := workspace.Step{Name: strings.TrimSuffix(name, "!"), ContinueOnFailure: strings.HasSuffix(name, "!")}
		if deps != "" {
			step.DependsOn = strings.Split(deps, ",")
		}
		flow = append(flow, step)
		runs = append(runs, store.StepRun{Name: step.Name, Status: store.Status(status)})
	}
	return flow, runs
}

func TestNext(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, at, want string }{
		{"roots are ready", "a=pending b=pending c=pending:a", "ready a,b; skip ; running"},
		{"a step waits for all it depends on", "a=completed b=running c=pending:a,b", "ready ; skip ; running"},
		{"a step is ready after all of them", "a=completed b=completed c=pending:a,b", "ready c; skip ; running"},
		{"suspended has not ended", "a=suspended b=pending:a", "ready ; skip ; running"},
		{"failure skips what hangs on it", "a=failed b=pending:a c=pending:b d=pending", "ready d; skip b,c; running"},
		{"the last failure ends the job", "a=failed b=pending:a c=pending:b", "ready ; skip b,c; failed"},
		{"cancelled counts as failed for those behind", "a=cancelled b=pending:a", "ready ; skip b; completed"},
		{"continue_on_failure runs after a failure", "a=failed b!=pending:a", "ready b; skip ; running"},
		{"a failure of such a step does not fail the job", "a=completed b!=failed:a", "ready ; skip ; completed"},
		{"but what it ran after does", "a=failed b!=completed:a", "ready ; skip ; failed"},
		{"one of several skipped does not skip", "a=skipped b=completed c=pending:a,b", "ready c; skip ; running"},
		{"all skipped skips", "a=skipped b=skipped c=pending:a,b d=pending:c", "ready ; skip c,d; completed"},
		{"all skipped does not skip continue_on_failure", "a=skipped c!=pending:a", "ready c; skip ; running"},
		{"one failure is enough to skip, the job waits", "a=failed b=running c=pending:a,b", "ready ; skip c; running"},
		{"everything completed", "a=completed b=completed:a", "ready ; skip ; completed"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			flow, runs := parse(tc.at)
			d := next(flow, runs)
			names := func(places []int) string {
				var list []string
				for _, i := range places {
					list = append(list, flow[i].Name)
				}
				return strings.Join(list, ",")
			}
			got := fmt.Sprintf("ready %s; skip %s; %s", names(d.Ready), names(d.Skip), d.Status)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Whatever the flow and whatever becomes of its steps, a job comes to its end,
// no step runs before those it depends on have ended, and none runs twice.
func TestNextAlwaysEnds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		flow := make(workspace.Flow, rapid.IntRange(1, 12).Draw(t, "steps"))
		runs := make([]store.StepRun, len(flow))
		for i := range flow {
			flow[i].Name = fmt.Sprint("s", i)
			flow[i].ContinueOnFailure = rapid.Bool().Draw(t, "continue")
			for k := range i {
				if rapid.IntRange(0, 3).Draw(t, "edge") == 0 {
					flow[i].DependsOn = append(flow[i].DependsOn, flow[k].Name)
				}
			}
			runs[i] = store.StepRun{Name: flow[i].Name, Status: store.Pending}
		}
		index := func(name string) (k int) { fmt.Sscanf(name, "s%d", &k); return k }
		for range 2*len(flow) + 1 {
			d := next(flow, runs)
			if d.Status.Ended() {
				for i := range runs {
					if !runs[i].Status.Ended() && !contains(d.Skip, i) {
						t.Fatalf("the job ended while %s is %s", runs[i].Name, runs[i].Status)
					}
				}
				return
			}
			for _, i := range d.Skip {
				runs[i].Status = store.Skipped
			}
			for _, i := range d.Ready {
				for _, dep := range flow[i].DependsOn {
					if s := runs[index(dep)].Status; !s.Ended() {
						t.Fatalf("%s is ready while %s is %s", runs[i].Name, dep, s)
					}
				}
				runs[i].Status = rapid.SampledFrom([]store.Status{store.Completed, store.Failed}).Draw(t, "end")
			}
		}
		t.Fatalf("the job never ends: %v", runs)
	})
}

func contains(list []int, v int) bool {
	for _, x := range list {
		if x == v {
			return true
		}
	}
	return false
}
