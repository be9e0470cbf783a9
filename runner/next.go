package runner

import (
	"stroem/store"
	"stroem/workspace"
)

// decision is what follows from where the steps of a job stand. Steps are
// named by their place in the flow.
type decision struct {
	Ready  []int        // pending steps that may run now
	Skip   []int        // pending steps that will never run
	Status store.Status // of the job: Running while anything may still happen
}

// next is the whole of the scheduling. The runs stand in the order of the
// flow, one for each step.
func next(flow workspace.Flow, runs []store.StepRun) decision {
	place := make(map[string]int, len(flow))
	at := make([]store.Status, len(flow))
	for i := range flow {
		place[flow[i].Name] = i
		at[i] = runs[i].Status
	}
	// A job that a person has yet to let begin does not, whatever its steps wait
	// for; one that they did not let begin never does, whatever its steps say of
	// failures.
	asked := len(flow) > 0 && flow[0].Name == workspace.PolicyStep
	held, barred := asked && !at[0].Ended(), asked && at[0].Ended() && at[0] != store.Completed
	var d decision
	// A step never stands before one that it depends on, so one pass also
	// carries a skip on to everything behind it.
	for i := range flow {
		if at[i] != store.Pending || held && i > 0 {
			continue
		}
		deps := make([]store.Status, len(flow[i].DependsOn))
		for k, name := range flow[i].DependsOn {
			deps[k] = at[place[name]]
		}
		if at[i] = due(deps, flow[i].ContinueOnFailure); barred {
			at[i] = store.Skipped
		}
		switch at[i] {
		case store.Ready:
			d.Ready = append(d.Ready, i)
		case store.Skipped:
			d.Skip = append(d.Skip, i)
		}
	}
	d.Status = outcome(flow, at)
	return d
}

// due says what becomes of a pending step whose dependencies stand so: Ready,
// Skipped, or Pending still.
func due(deps []store.Status, onFailure bool) store.Status {
	skipped := 0
	for _, dep := range deps {
		switch {
		case !dep.Ended():
			return store.Pending
		case dep == store.Skipped:
			skipped++
		case dep != store.Completed && !onFailure:
			return store.Skipped
		}
	}
	if skipped > 0 && skipped == len(deps) && !onFailure {
		return store.Skipped
	}
	return store.Ready
}

// outcome is the state of a job whose steps stand so.
func outcome(flow workspace.Flow, at []store.Status) store.Status {
	status := store.Completed
	for i, s := range at {
		switch {
		case !s.Ended():
			return store.Running
		case s == store.Failed && !flow[i].ContinueOnFailure:
			status = store.Failed
		}
	}
	return status
}
