package control

import (
	"context"
	"slices"
	"time"

	"stroem/store"
)

// maxRecent is how many single runs a summary names.
const maxRecent = 20

// TaskStats says how long the last completed runs of a task took.
type TaskStats struct {
	Window int         `json:"window"` // how many runs were looked at, at most
	Task   *Durations  `json:"task"`   // nil when none has completed
	Steps  []Durations `json:"steps"`  // in the order of the flow
}

// Durations sums up how long something took, in milliseconds.
type Durations struct {
	Step       string      `json:"step_name,omitempty"`
	SampleSize int         `json:"sample_size"`
	Avg        int64       `json:"avg_ms"`
	P50        int64       `json:"p50_ms"`
	P95        int64       `json:"p95_ms"`
	Min        int64       `json:"min_ms"`
	Max        int64       `json:"max_ms"`
	Recent     []RecentRun `json:"recent,omitempty"`
}

// RecentRun is one completed run.
type RecentRun struct {
	JobID       string    `json:"job_id"`
	Duration    int64     `json:"duration_ms"`
	CompletedAt time.Time `json:"completed_at"`
}

// TaskStats sums up the last completed runs of a task, at most window of them.
func (p *Plane) TaskStats(ctx context.Context, ws, name string, window int) (TaskStats, error) {
	stats := TaskStats{Window: window, Steps: []Durations{}}
	err := p.Store.View(ctx, func(tx *store.Tx) error {
		task, err := p.task(ctx, tx, ws, name)
		if err != nil {
			return err
		}
		samples, err := tx.Samples(ws, name, window, p.scope(ctx))
		if err != nil {
			return err
		}
		by := map[string][]store.Sample{}
		for _, s := range samples {
			by[s.Step] = append(by[s.Step], s)
		}
		if whole := by[""]; len(whole) > 0 {
			d := sumUp("", whole)
			for _, s := range whole[:min(len(whole), maxRecent)] {
				d.Recent = append(d.Recent, RecentRun{s.JobID, s.Duration.Milliseconds(), s.CompletedAt})
			}
			stats.Task = &d
		}
		for i := range task.Flow {
			if step := task.Flow[i].Name; len(by[step]) > 0 {
				stats.Steps = append(stats.Steps, sumUp(step, by[step]))
			}
		}
		return nil
	})
	return stats, err
}

// sumUp sums up at least one sample.
func sumUp(step string, samples []store.Sample) Durations {
	var all []int64
	var sum int64
	for _, s := range samples {
		all = append(all, s.Duration.Milliseconds())
		sum += s.Duration.Milliseconds()
	}
	slices.Sort(all)
	at := func(percent int) int64 { return all[(len(all)-1)*percent/100] }
	return Durations{Step: step, SampleSize: len(all), Avg: sum / int64(len(all)), P50: at(50), P95: at(95),
		Min: all[0], Max: all[len(all)-1]}
}
