package cli_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"stroem/cli"
	"stroem/control"
	"stroem/store"
)

var update = flag.Bool("update", false, "write the golden files anew")

// noon is when the jobs of the golden files began.
var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func at(secs float64) time.Time { return noon.Add(time.Duration(secs * float64(time.Second))) }

// step is a step that began and ended so many seconds after noon; a negative
// number is never.
func step(name string, status store.Status, from, to float64, deps ...string) control.Step {
	s := control.Step{StepRun: store.StepRun{Name: name, Status: status}, DependsOn: deps}
	if from >= 0 {
		s.StartedAt = at(from)
	}
	if to >= 0 {
		s.CompletedAt = at(to)
	}
	return s
}

// failing is step with the error of a failure.
func failing(s control.Step, text string) control.Step {
	s.Error = text
	return s
}

// asking is step with what it asks a person.
func asking(s control.Step, text string) control.Step {
	s.Message = text
	return s
}

// giving is step with an output.
func giving(s control.Step, output string) control.Step {
	s.Output = []byte(output)
	return s
}

func told(task string, status store.Status, ended float64, lines []string, steps ...control.Step) (events []control.Event) {
	for i, text := range lines {
		name, text, _ := strings.Cut(text, ": ")
		events = append(events, control.Event{Line: &store.LogLine{N: int64(i), Step: name, Text: []byte(text)}})
	}
	job := &control.Job{Steps: steps, Job: store.Job{ID: "019ab3c4-d5e6-7f01-8234-56789abcdef0", Task: task, Workspace: "production",
		Status: status, StartedAt: noon}}
	if status == store.Failed {
		job.Error = `step "check" failed: exit code 3`
	}
	if ended >= 0 {
		job.CompletedAt = at(ended)
	}
	return append(events, control.Event{Job: job})
}

func numbered(step string, n int) (lines []string) {
	for i := range n {
		lines = append(lines, fmt.Sprintf("%s: line %d", step, i+1))
	}
	return lines
}

// pictures are a passing, a failing and a cancelled run, each under way and at
// its end, and what does not fit.
func pictures() map[string]struct {
	events []control.Event
	last   bool
} {
	long := "build: a line that is far too long for a narrow terminal, with \x1b[31mcolour\x1b[0m,\ta tab and a bell\a, and it goes on and on and on"
	many := []control.Step{}
	for i := range 60 {
		status, from, to := store.Pending, -1., -1.
		switch {
		case i < 25:
			status, from, to = store.Completed, 0, 1
		case i < 28:
			status, from = store.Running, 1
		}
		many = append(many, step(fmt.Sprintf("part-%d", i), status, from, to))
	}
	wide := "a-step-with-a-name-that-nobody-would-choose"
	return map[string]struct {
		events []control.Event
		last   bool
	}{
		"passing": {told("deploy-api", store.Running, -1, []string{"fetch: got it", long, "lint: 生命 is wide"},
			step("fetch", store.Completed, 0, 0.02), step("build", store.Running, 0.1, -1, "fetch"), step("lint", store.Running, 0.1, -1, "fetch"),
			step(wide, store.Ready, -1, -1, "fetch"), step("publish", store.Pending, -1, -1, "build", "lint", wide)), false},
		"passed": {told("deploy-api", store.Completed, 75, append(numbered("build", 30), long),
			step("fetch", store.Completed, 0, 0.02), step("build", store.Completed, 0.1, 74.9, "fetch")), true},
		"failing": {told("nightly", store.Running, -1, append(numbered("check", 9), "other: at work"),
			failing(step("check", store.Failed, 0, 1.5), "exit code 3"), step("other", store.Running, 0, -1),
			step("publish", store.Skipped, -1, 1.5, "check"), asking(step("person", store.Suspended, 1, -1), "Publish\nv2?")), false},
		"failed": {told("nightly", store.Failed, 9, append(numbered("check", 30), "other: done"),
			failing(step("check", store.Failed, 0, 1.5), "exit code 3"), step("other", store.Completed, 0, 9),
			step("publish", store.Skipped, -1, 1.5, "check")), true},
		"cancelling": {told("forever", store.Cancelled, 2, []string{"one: going"},
			step("one", store.Running, 0, -1), step("two", store.Cancelled, -1, 2, "one")), false},
		"cancelled": {told("forever", store.Cancelled, 2, []string{"one: going", "one: gone"},
			step("one", store.Cancelled, 0, 3.1), step("two", store.Cancelled, -1, 2, "one")), true},
		"gave": {told("report", store.Completed, 2, nil, giving(step("ask", store.Completed, 0, 1), `{"rows": 3}`),
			giving(step("sum", store.Completed, 1, 2, "ask"), `{"text":"`+strings.Repeat("much ", 99)+`"}`), giving(step("none", store.Completed, 1, 2), "null")), true},
		"folded": {told("many", store.Running, -1, []string{"part-26: at work"}, many...), false},
	}
}

func TestPicture(t *testing.T) {
	t.Parallel()
	for name, p := range pictures() {
		for _, width := range []int{80, 120} {
			t.Run(fmt.Sprintf("%s at %d", name, width), func(t *testing.T) {
				t.Parallel()
				lines := cli.Picture(p.events, width, 24, at(12.3), false, p.last)
				golden(t, fmt.Sprintf("%s-%d", name, width), strings.Join(lines, "\n")+"\n")
				for _, l := range lines {
					if strings.ContainsAny(l, "\x1b\a\t\r") {
						t.Errorf("a control character: %q", l)
					}
				}
				if !p.last && len(lines) > 24 {
					t.Errorf("%d lines for a terminal of 24", len(lines))
				}
			})
		}
	}
}

// Colour adds escapes and changes nothing else.
func TestPictureInColour(t *testing.T) {
	t.Parallel()
	for name, p := range pictures() {
		plain := strings.Join(cli.Picture(p.events, 80, 24, at(12.3), false, p.last), "\n")
		coloured := strings.Join(cli.Picture(p.events, 80, 24, at(12.3), true, p.last), "\n")
		if !strings.Contains(coloured, "\x1b[") {
			t.Errorf("%s has no colour", name)
		}
		for _, code := range []string{"0", "1", "2", "31", "32", "33", "36"} {
			coloured = strings.ReplaceAll(coloured, "\x1b["+code+"m", "")
		}
		if diff := cmp.Diff(plain, coloured); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// A picture is never higher than its terminal, nor wider.
func TestPictureFitsAnyTerminal(t *testing.T) {
	t.Parallel()
	for name, p := range pictures() {
		for _, size := range [][2]int{{30, 5}, {40, 10}, {200, 60}} {
			lines := cli.Picture(p.events, size[0], size[1], at(12.3), false, false)
			if len(lines) > size[1] {
				t.Errorf("%s: %d lines on %v", name, len(lines), size)
			}
			for _, l := range lines {
				if n := len([]rune(l)); n > size[0] {
					t.Errorf("%s: %d columns on %v: %q", name, n, size, l)
				}
			}
		}
	}
}

// golden compares got with testdata/picture/name.golden.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", "picture", name+".golden")
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Error(diff)
	}
}
