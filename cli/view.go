package cli

import (
	"cmp"
	"slices"
	"time"

	"stroem/control"
	"stroem/store"
)

// keepLines is how many of each step's last lines are kept for showing.
const keepLines = 20

// view is what is known of a job that somebody watches: how it stands, and
// the last lines of each step.
type view struct {
	job   control.Job
	tails map[string][]store.LogLine
	total int // lines there were
}

// add takes in what is new.
func (v *view) add(ev control.Event) {
	if ev.Job != nil {
		v.job = *ev.Job
	}
	if ev.Line == nil {
		return
	}
	if v.tails == nil {
		v.tails = map[string][]store.LogLine{}
	}
	v.total++
	tail := append(v.tails[ev.Line.Step], *ev.Line)
	if len(tail) > 2*keepLines {
		tail = append([]store.LogLine(nil), tail[len(tail)-keepLines:]...)
	}
	v.tails[ev.Line.Step] = tail
}

// tail is the last n lines of a step.
func (v *view) tail(step string, n int) []store.LogLine {
	lines := v.tails[step]
	return lines[max(0, len(lines)-n):]
}

// last is the last n lines of the steps that are wanted, in their order.
func (v *view) last(n int, wanted func(*control.Step) bool) (lines []store.LogLine) {
	for i := range v.job.Steps {
		if s := &v.job.Steps[i]; wanted(s) {
			lines = append(lines, v.tail(s.Name, n)...)
		}
	}
	slices.SortFunc(lines, func(a, b store.LogLine) int { return cmp.Compare(a.N, b.N) })
	return lines[max(0, len(lines)-n):]
}

// waitsFor names the steps that a step that has not begun waits for.
func (v *view) waitsFor(s *control.Step) (names []string) {
	for i := range v.job.Steps {
		if other := &v.job.Steps[i]; !other.Status.Ended() && slices.Contains(s.DependsOn, other.Name) {
			names = append(names, other.Name)
		}
	}
	return names
}

// lasted is how long what began and ended at these times took until now.
func lasted(from, to, now time.Time) time.Duration {
	switch {
	case from.IsZero():
		return 0
	case to.IsZero():
		to = now
	}
	return max(0, to.Sub(from))
}
