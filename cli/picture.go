package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"stroem/control"
	"stroem/store"
)

const (
	outputLines = 10 // under a picture that is still moving
	leastOutput = 5  // for which steps make room
	failedLines = 5  // under a failed step of such a picture
	widestName  = 32
	longestLine = 2000 // columns of a line of output in a last picture
)

// frame says how a picture is to be drawn.
type frame struct {
	width  int
	height int
	now    time.Time
	paint  paint
	last   bool   // nothing more will come: show what stays to be read
	hint   string // stands at the bottom
}

// marks are what people see of a state first.
var marks = map[store.Status]string{
	store.Pending: "○", store.Ready: "○", store.Running: "●", store.Suspended: "◆",
	store.Completed: "✓", store.Failed: "✗", store.Cancelled: "■", store.Skipped: "–",
}

// block is a step in a picture: its row, and lines of its output under it.
type block struct {
	status store.Status
	row    string
	below  []string
}

// picture draws a job: a line about it, its steps in the order of the flow,
// and below them the last lines of the steps that run. It depends on its
// arguments alone.
func picture(v *view, f frame) []string {
	lines := []string{header(v, f)}
	foot := []string{}
	if f.hint != "" {
		foot = append(foot, f.paint.faint(cut(f.hint, f.width)))
	}
	room := max(1, f.height-len(lines)-len(foot))
	if f.last {
		room = math.MaxInt
	}
	for _, b := range fold(blocks(v, f), room-min(leastOutput, room/2), f) {
		lines = append(lines, b.row)
		lines = append(lines, b.below...)
		room -= 1 + len(b.below)
	}
	if f.last { // it may be longer than the terminal, but not by its output
		room = max(outputLines, f.height-rows(lines, f.width))
	}
	lines = append(lines, output(v, f, room-1)...)
	if f.last && v.job.Error != "" { // its beginning may be out of sight by now
		lines = append(lines, "", f.paint.red(clean(v.job.Error)))
	}
	return append(lines, foot...)
}

// header is the line about the job itself.
func header(v *view, f frame) string {
	j := &v.job
	left := marks[j.Status] + " " + clean(j.Task)
	state := string(j.Status)
	if d := lasted(j.StartedAt, j.CompletedAt, f.now); !j.StartedAt.IsZero() {
		state += " " + took(d)
	}
	right := clean(j.Workspace) + " · " + shortID(j.ID)
	room := f.width - width(state) - 2*len(gap)
	if width(left)+width(right) > room {
		right = shortID(j.ID)
	}
	if width(left)+width(right) > room {
		right = ""
	}
	left = cut(left, max(8, room-width(right)))
	space := f.width - width(left) - len(gap) - width(state) - width(right)
	text := f.paint.bold(f.paint.status(j.Status, left)) + gap + f.paint.status(j.Status, state)
	if right != "" {
		text += strings.Repeat(" ", max(1, space)) + f.paint.faint(right)
	}
	return text
}

// blocks are the steps, each with its mark, name, time and what is to be said
// of it.
func blocks(v *view, f frame) []block {
	names := 0
	for i := range v.job.Steps {
		names = max(names, width(clean(v.job.Steps[i].Name)))
	}
	names = min(names, widestName, max(8, f.width/2))
	var list []block
	for i := range v.job.Steps {
		s := &v.job.Steps[i]
		span := ""
		if !s.StartedAt.IsZero() {
			span = took(lasted(s.StartedAt, s.CompletedAt, f.now))
		}
		start := fmt.Sprintf("  %s %s  %s", marks[s.Status], pad(cut(clean(s.Name), names), names), padLeft(span, 6))
		b := block{status: s.Status, row: f.paint.status(s.Status, strings.TrimRight(start, " "))}
		if note := note(v, s); note != "" {
			note = cut(note, f.width-width(start)-len(gap))
			b.row = f.paint.status(s.Status, start) + gap + f.paint.faint(note)
			if s.Status == store.Failed {
				b.row = f.paint.red(start + gap + note)
			}
		}
		if s.Status == store.Failed {
			b.below = quoted(v, s, f)
		}
		if text := outputOf(s); text != "" && f.last {
			b.below = append(b.below, f.paint.faint("    → ")+cut(text, max(f.width, 2*f.width-8)-6))
		}
		list = append(list, b)
	}
	return list
}

// note is what is to be said of a step beside its time.
func note(v *view, s *control.Step) string {
	switch s.Status {
	case store.Pending:
		if names := v.waitsFor(s); len(names) > 0 {
			return "waits for " + clean(strings.Join(names, ", "))
		}
	case store.Ready:
		return "waits for a free place"
	case store.Running:
		if v.job.Status == store.Cancelled {
			return "is being ended"
		}
	case store.Suspended:
		return waitsFor(s)
	case store.Cancelled, store.Skipped:
		return string(s.Status)
	case store.Failed:
		return clean(s.Error)
	}
	return ""
}

// waitsFor is what a suspended step asks, on one line.
func waitsFor(s *control.Step) string { return "waiting for approval: " + clean(s.Message) }

// outputOf is what a step gave to those after it, "" for nothing.
func outputOf(s *control.Step) string {
	var b bytes.Buffer
	if err := json.Compact(&b, s.Output); err != nil { // there is none
		return ""
	}
	if text := b.String(); text != "null" && text != "{}" {
		return clean(text)
	}
	return ""
}

// quoted are a failed step's last lines, to stand under its row.
func quoted(v *view, s *control.Step, f frame) (lines []string) {
	most, wide := failedLines, f.width
	if f.last {
		most, wide = keepLines, longestLine
	}
	for _, l := range v.tail(s.Name, most) {
		lines = append(lines, f.paint.red("    │ ")+cut(clean(string(l.Text)), wide-6))
	}
	return lines
}

// output are the last lines of the steps that run, at most room of them; of a
// job that has ended without a failure, the last lines it had.
func output(v *view, f frame, room int) []string {
	most := min(outputLines, room)
	wanted := func(s *control.Step) bool { return s.Status == store.Running }
	wide := f.width
	if f.last {
		most, wide = min(keepLines, room), longestLine
		wanted = func(s *control.Step) bool { return v.job.Status != store.Failed }
	}
	if most <= 0 {
		return nil
	}
	found := v.last(most, wanted)
	if len(found) == 0 {
		return nil
	}
	var lines []string
	for _, l := range found {
		prefix := "[" + clean(l.Step) + "] "
		lines = append(lines, f.paint.cyan(prefix)+cut(clean(string(l.Text)), max(1, wide-width(prefix))))
	}
	for len(lines) > 1 && rows(lines, f.width) > room {
		lines = lines[1:]
	}
	head := []string{""}
	if f.last && v.total > len(lines) {
		head = append(head, f.paint.faint(fmt.Sprintf("(the last %d of %d lines)", len(lines), v.total)))
	}
	return append(head, lines...)
}

// fold makes the steps fit into room lines: what failed steps said is taken
// away first, then the oldest steps that are done, then the last of those that
// wait, become one line.
func fold(list []block, room int, f frame) []block {
	if height(list) > room {
		for i := range list {
			list[i].below = list[i].below[max(0, len(list[i].below)-1):]
		}
	}
	list = gather(list, room, false, f, "  … %d done", store.Completed, store.Skipped, store.Cancelled)
	list = gather(list, room, true, f, "  … %d wait", store.Pending, store.Ready)
	for n, all := len(list), len(list); height(list) > room && n > 0; n-- {
		list = append(list[:n-1:n-1], block{row: f.paint.faint(fmt.Sprintf("  … %d more", all-n+1))})
	}
	return list
}

// gather puts one line in the place of as many blocks in these states as must
// go: the first of them, or the last.
func gather(list []block, room int, last bool, f frame, format string, states ...store.Status) []block {
	var found []int
	for i, b := range list {
		if slices.Contains(states, b.status) {
			found = append(found, i)
		}
	}
	gone := min(len(found), height(list)-room+1)
	if gone < 2 || height(list) <= room {
		return list
	}
	if last {
		found = found[len(found)-gone:]
	} else {
		found = found[:gone]
	}
	var kept []block
	for i, b := range list {
		switch {
		case !slices.Contains(found, i):
			kept = append(kept, b)
		case i == found[0]:
			kept = append(kept, block{row: f.paint.faint(fmt.Sprintf(format, gone))})
		}
	}
	return kept
}

func height(list []block) (n int) {
	for _, b := range list {
		n += 1 + len(b.below)
	}
	return n
}

// clean is text of others made fit for one line of a terminal.
func clean(s string) string {
	return strings.ReplaceAll(control.CleanLine(s), "\t", "    ")
}

// shortID is the part of a job's id that tells it from others: the time to the
// millisecond and a counter.
func shortID(id string) string { return id[:min(18, len(id))] }
