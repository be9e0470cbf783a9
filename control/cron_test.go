package control_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"stroem/auth"
	"stroem/control"
	"stroem/runner"
	"stroem/store"
	"stroem/workspace"
)

// clock is a server's schedules over a real store, in a bubble of time whose
// wall clock can be set. Nothing runs the jobs, so they stay as they begin.
type clock struct {
	*testing.T
	dir   string // of the data
	st    *store.Store
	plane *control.Plane
	ahead atomic.Int64 // of the wall clock
	log   strings.Builder
	stop  func()
}

// inTime runs the test in a bubble, in which it is midnight UTC, 2000-01-01.
func inTime(t *testing.T, yaml string, test func(*clock)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &clock{T: t, dir: t.TempDir()}
		c.open()
		c.load(yaml)
		c.serve()
		defer func() { c.halt() }()
		synctest.Wait()
		test(c)
	})
}

func (c *clock) now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

func (c *clock) open() {
	c.Helper()
	st, err := store.Open(c.dir)
	if err != nil {
		c.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(&c.log, nil))
	c.st = st
	c.plane = &control.Plane{Store: st, Log: log, Now: c.now,
		Runner: &runner.Runner{Store: st, Key: make([]byte, 32), Now: c.now, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}}
}

// load makes the YAML the workspace w.
func (c *clock) load(yaml string) {
	c.Helper()
	dir := c.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "w.yaml"), []byte(yaml), 0o600); err != nil {
		c.Fatal(err)
	}
	ws, err := workspace.Load(os.DirFS(dir), nil)
	if err != nil {
		c.Fatal(err)
	}
	c.update(func(tx *store.Tx) error { return tx.ReplaceWorkspace("w", dir, ws, c.now()) })
}

func (c *clock) update(fn func(*store.Tx) error) {
	c.Helper()
	if err := c.st.Update(context.Background(), fn); err != nil {
		c.Fatal(err)
	}
}

func (c *clock) serve() {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.plane.Cron(ctx) }()
	c.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			c.Error(err)
		}
	}
}

// halt ends the server.
func (c *clock) halt() {
	c.stop()
	if err := c.st.Close(); err != nil {
		c.Error(err)
	}
}

// pass lets time go by.
func (c *clock) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// set sets the wall clock that much ahead, or behind, and lets two seconds go by.
func (c *clock) set(d time.Duration) {
	c.ahead.Add(int64(d))
	c.pass(2 * time.Second)
}

// expect are the jobs of all triggers, in order: when each was made, by the
// wall clock, and how it stands.
func (c *clock) expect(want ...string) {
	c.Helper()
	var got []string
	err := c.st.View(context.Background(), func(tx *store.Tx) error {
		jobs, err := tx.Jobs(store.JobFilter{Limit: -1})
		for _, j := range jobs {
			if j.SourceType != store.SourceTrigger || j.Agent || j.Duration() < 0 {
				c.Errorf("job %+v", j)
			}
			got = append([]string{fmt.Sprintf("%s %s %s", j.SourceID, j.CreatedAt.Format("02T15:04:05"), j.Status)}, got...)
		}
		return err
	})
	if err != nil || strings.Join(got, "\n") != strings.Join(want, "\n") {
		c.Fatalf("jobs:\n%s\nwant:\n%s\n%v\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"), err, c.log.String())
	}
}

// decided are the decisions that were recorded for the trigger t, in order.
func (c *clock) decided(want ...string) {
	c.Helper()
	var got []string
	err := c.st.View(context.Background(), func(tx *store.Tx) error {
		list, err := tx.Outages("w", "t")
		for _, o := range list {
			got = append([]string{fmt.Sprintf("%s to %s: %d, %s, %d started", o.First.Format("02T15:04:05"), o.Last.Format("02T15:04:05"),
				o.Missed, o.CatchUp, o.Started)}, got...)
		}
		return err
	})
	if err != nil || strings.Join(got, "\n") != strings.Join(want, "\n") {
		c.Fatalf("decisions:\n%s\nwant:\n%s\n%v", strings.Join(got, "\n"), strings.Join(want, "\n"), err)
	}
}

// hourly is a workspace whose trigger t fires each hour, with more fields.
func hourly(more string) string { return trigger(`"0 * * * *"`, more) }

func trigger(cron, more string) string {
	return "tasks:\n  x: {input: {n: {type: integer, default: 1}}, flow: {s: {type: script, script: echo}}}\n" +
		"triggers:\n  t: {type: scheduler, task: x, cron: " + cron + more + "}\n"
}

func TestCronFires(t *testing.T) {
	inTime(t, hourly(""), func(c *clock) {
		c.pass(time.Hour - time.Second)
		c.expect()
		c.pass(time.Second)
		c.expect("w/t 01T01:00:00 pending")
		c.pass(2 * time.Hour)
		c.expect("w/t 01T01:00:00 pending", "w/t 01T02:00:00 pending", "w/t 01T03:00:00 pending")
		c.decided()
	})
}

func TestCronFiresEachSecond(t *testing.T) {
	inTime(t, trigger(`"* * * * * *"`, ""), func(c *clock) {
		c.pass(3 * time.Second)
		c.expect("w/t 01T00:00:01 pending", "w/t 01T00:00:02 pending", "w/t 01T00:00:03 pending")
	})
}

func TestCronKeepsToTheConcurrency(t *testing.T) {
	for concurrency, want := range map[string]string{"allow": "pending pending", "skip": "pending skipped", "cancel_previous": "cancelled pending"} {
		t.Run(concurrency, func(t *testing.T) {
			inTime(t, hourly(", concurrency: "+concurrency), func(c *clock) {
				c.pass(2 * time.Hour)
				first, second, _ := strings.Cut(want, " ")
				c.expect("w/t 01T01:00:00 "+first, "w/t 01T02:00:00 "+second)
				if concurrency != workspace.SkipOthers {
					return
				}
				var active []store.Job
				c.update(func(tx *store.Tx) (err error) {
					active, err = tx.ActiveJobs("w/t")
					return err
				})
				if err := c.plane.Cancel(auth.With(context.Background(), auth.Owner()), active[0].ID, ""); err != nil {
					c.Fatal(err)
				}
				c.pass(time.Hour)
				c.expect("w/t 01T01:00:00 cancelled", "w/t 01T02:00:00 skipped", "w/t 01T03:00:00 pending")
			})
		})
	}
}

// asleep is the machine asleep for eight hours: timers stand still, and the
// wall clock has gone on.
const asleep = 8 * time.Hour

func TestCronSettlesASuspend(t *testing.T) {
	for catchUp, want := range map[string]int{"": 1, "last": 1, "none": 0, "all": 8} {
		t.Run("catch_up "+catchUp, func(t *testing.T) {
			more, done := "", "last"
			if catchUp != "" {
				more, done = ", catch_up: "+catchUp, catchUp
			}
			inTime(t, hourly(more), func(c *clock) {
				c.pass(30 * time.Minute)
				c.set(asleep)
				decision := fmt.Sprintf("01T01:00:00 to 01T08:00:00: 8, %s, %d started", done, want)
				c.decided(decision)
				c.pass(30 * time.Minute)
				c.decided(decision)
				jobs := slices.Repeat([]string{"w/t 01T08:30:01 pending"}, want)
				c.expect(append(jobs, "w/t 01T09:00:00 pending")...)
			})
		})
	}
}

func TestCronSettlesAnOutage(t *testing.T) {
	inTime(t, hourly(", catch_up: all, concurrency: skip"), func(c *clock) {
		c.pass(90 * time.Minute)
		c.halt()
		c.pass(asleep)
		c.open()
		c.serve()
		c.pass(time.Second)
		c.decided("01T02:00:00 to 01T09:00:00: 8, all, 0 started")
		c.halt()
		c.open()
		c.serve()
		c.pass(time.Second)
		c.decided("01T02:00:00 to 01T09:00:00: 8, all, 0 started")
	})
}

// A restart that takes less than a minute is no outage.
func TestCronFiresLate(t *testing.T) {
	inTime(t, hourly(", catch_up: none"), func(c *clock) {
		c.pass(time.Hour - 10*time.Second)
		c.halt()
		c.pass(69 * time.Second)
		c.open()
		c.serve()
		c.pass(time.Second)
		c.expect("w/t 01T01:00:59 pending")
		c.decided()
	})
}

// Of very many only the newest are started.
func TestCronCatchesUpWithAThousand(t *testing.T) {
	inTime(t, trigger(`"*/10 * * * * *"`, ", catch_up: all"), func(c *clock) {
		c.pass(5 * time.Second)
		c.set(asleep)
		c.decided("01T00:00:10 to 01T08:00:00: 2880, all, 1000 started")
	})
}

func TestCronNeverFiresAgain(t *testing.T) {
	inTime(t, hourly(""), func(c *clock) {
		c.pass(2 * time.Hour)
		fired := []string{"w/t 01T01:00:00 pending", "w/t 01T02:00:00 pending"}
		c.set(-90 * time.Minute)
		c.pass(time.Hour)
		c.expect(fired...)
		c.halt()
		c.open()
		c.serve()
		c.pass(30 * time.Minute) // two o'clock once more
		c.expect(fired...)
		c.pass(time.Hour)
		c.expect(append(fired, "w/t 01T03:00:00 pending")...)
		c.decided()
		if !strings.Contains(c.log.String(), "set back") {
			c.Error("the log does not say why nothing fires")
		}
	})
}

// A clock that was more than a year ahead was wrong: what it fired does not
// keep the trigger from its work for years.
func TestCronForgetsAWrongClock(t *testing.T) {
	inTime(t, hourly(""), func(c *clock) {
		c.set(10 * 365 * 24 * time.Hour)
		c.set(-10 * 365 * 24 * time.Hour)
		c.pass(time.Hour)
		var last string
		err := c.st.View(context.Background(), func(tx *store.Tx) error {
			jobs, err := tx.Jobs(store.JobFilter{Limit: 1})
			last = jobs[0].CreatedAt.Format(time.DateTime)
			return err
		})
		if err != nil || last != "2000-01-01 01:00:00" {
			c.Fatal(last, err)
		}
	})
}

func TestCronSeesAnEdit(t *testing.T) {
	inTime(t, hourly(""), func(c *clock) {
		c.pass(90 * time.Minute)
		c.load(trigger(`"15 * * * *"`, ", timezone: Asia/Kathmandu")) // 5:45 ahead
		c.pass(time.Hour)
		c.expect("w/t 01T01:00:00 pending", "w/t 01T02:30:00 pending")
		c.load(trigger(`"0 * * * *"`, ", enabled: false"))
		c.pass(time.Hour)
		c.load(hourly(""))
		c.pass(time.Hour)
		c.expect("w/t 01T01:00:00 pending", "w/t 01T02:30:00 pending", "w/t 01T04:00:00 pending")
		c.decided()
	})
}

// What cannot be started is told once, and does not keep others from firing.
func TestCronGoesOnPastARefusal(t *testing.T) {
	yaml := trigger(`"* * * * *"`, ", input: {n: many}") + "  u: {type: scheduler, task: x, cron: \"0 * * * *\", input: {n: 2}}\n"
	inTime(t, yaml, func(c *clock) {
		c.pass(time.Hour)
		c.expect("w/u 01T01:00:00 pending")
		if n := strings.Count(c.log.String(), `input \"n\" must be an integer`); n != 1 {
			c.Errorf("told %d times: %s", n, c.log.String())
		}
	})
}

// A workspace that nobody follows is loaded by its trigger alone. One that does
// not load keeps the tasks it had.
func TestCronRefreshes(t *testing.T) {
	inTime(t, "", func(c *clock) {
		dir := c.TempDir()
		write := func(yaml string) {
			if err := os.WriteFile(filepath.Join(dir, "v.yaml"), []byte(yaml), 0o600); err != nil {
				c.Fatal(err)
			}
		}
		write(hourly(", force_refresh: true"))
		c.plane.Folders = []control.Folder{{Name: "v", Path: dir}}
		ctx, cancel := context.WithCancel(context.Background())
		ready := make(chan struct{})
		go func() { <-ready; cancel() }()
		if err := c.plane.Sync(ctx, ready); err != nil {
			c.Fatal(err)
		}
		write(strings.ReplaceAll(hourly(", force_refresh: true"), "default: 1", "default: 2"))
		c.pass(time.Hour)
		write("tasks: [")
		c.pass(time.Hour)
		c.expect("v/t 01T01:00:00 pending", "v/t 01T02:00:00 pending")
		c.update(func(tx *store.Tx) error {
			jobs, err := tx.ActiveJobs("v/t")
			for _, j := range jobs {
				if job, err := tx.Job(j.ID); err != nil || string(job.Input) != `{"n":2}` {
					c.Errorf("input %s, %v", job.Input, err)
				}
			}
			return err
		})
	})
}

// The picture of what comes next is true also where the clock was set back.
func TestTriggersShowWhatComesNext(t *testing.T) {
	inTime(t, hourly(", timezone: Asia/Tokyo"), func(c *clock) {
		c.pass(2 * time.Hour)
		c.set(-90 * time.Minute)
		list, err := c.plane.Triggers(auth.With(context.Background(), auth.Owner()), "w", "")
		if err != nil || len(list) != 1 || len(list[0].NextRuns) != control.NextRuns {
			c.Fatal(list, err)
		}
		if got := list[0].NextRuns[0].Format(time.RFC3339); got != "2000-01-01T12:00:00+09:00" {
			c.Error(got)
		}
	})
}
