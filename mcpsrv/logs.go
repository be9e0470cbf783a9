package mcpsrv

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"stroem/control"
	"stroem/store"
)

const (
	maxLogLine = 4 << 10           // bytes shown of one log line
	maxLogText = maxResult - 1<<10 // bytes of lines in a result
	logLines   = 200               // lines shown of a log where nobody says how many
	maxTail    = 1000
)

func logOptions() []mcp.ToolOption {
	return []mcp.ToolOption{
		mcp.WithString("step", mcp.Description("Only this step's lines, numbered by themselves")),
		mcp.WithInteger("tail", mcp.Min(1), mcp.Max(maxTail), mcp.Description(fmt.Sprintf("Only the last so many lines; %d where after is not given", logLines))),
		mcp.WithInteger("after", mcp.Min(0), mcp.Description("Only lines behind the one of this number, from there on: the next of an answer, or 0 for the first lines")),
		mcp.WithString("stream", mcp.Enum("stdout", "stderr"), mcp.Description("Only lines of this stream")),
		mcp.WithString("grep", mcp.Description("Only lines in which this regular expression (RE2) matches")),
		mcp.WithBoolean("timestamps", mcp.DefaultBool(false), mcp.Description("Begin each line with when it was read")),
	}
}

type logArgs struct {
	JobID      string `json:"job_id"`
	Step       string `json:"step"`
	Tail       *int64 `json:"tail"`
	After      *int64 `json:"after"`
	Stream     string `json:"stream"`
	Grep       string `json:"grep"`
	Timestamps bool   `json:"timestamps"`
}

// query is what is asked of the plane, a tail of 0 meaning from the front on.
func (a *logArgs) query() (q control.LogQuery, err error) {
	q = control.LogQuery{Step: a.Step, Stream: a.Stream, Grep: a.Grep}
	switch {
	case a.Tail != nil && (*a.Tail < 1 || *a.Tail > maxTail):
		return q, &control.Error{Code: control.Invalid, Msg: fmt.Sprintf("tail is a number from 1 to %d", maxTail)}
	case a.After != nil && *a.After < 0:
		return q, &control.Error{Code: control.Invalid, Msg: "after is the number of a line, or 0"}
	case a.Tail != nil:
		q.Tail = *a.Tail
	case a.After == nil:
		q.Tail = logLines
	}
	if a.After != nil {
		q.From = *a.After
	}
	return q, nil
}

type logPage struct {
	Lines []string `json:"lines"`
	From  int64    `json:"from" jsonschema:"the number of the first line shown, from 1"`
	To    int64    `json:"to" jsonschema:"the number of the last line shown"`
	Total int64    `json:"total" jsonschema:"how many lines there are, whichever were asked for"`
	Next  int64    `json:"next,omitempty" jsonschema:"there is more: the after that goes on"`
}

func (t tools) jobLogs(ctx context.Context, args logArgs) (out reply[logPage], err error) {
	q, err := args.query()
	if err != nil {
		return out, err
	}
	w := window{args: &args, tail: q.Tail}
	var page control.LogPage
	for first := true; ; first = false {
		more, err := t.plane.Logs(ctx, args.JobID, q)
		if err != nil {
			return out, err
		}
		if first {
			page = more
		}
		w.take(more.Lines)
		if more.Next < 0 || w.full {
			break
		}
		q.From, q.To, q.Tail = more.Next, page.Total, 0
	}
	out.Data = logPage{Lines: []string{}, Total: page.Total}
	for _, l := range w.lines {
		out.Data.Lines = append(out.Data.Lines, l.text)
	}
	out.Text = strings.Join(out.Data.Lines, "\n")
	if len(w.lines) == 0 {
		out.Text = nothing(&args, page.Total)
		return out, nil
	}
	out.Data.From, out.Data.To = w.lines[0].number+1, w.lines[len(w.lines)-1].number+1
	if w.full {
		out.Data.Next = out.Data.To
	}
	out.Notes = w.notes(&out.Data, &page)
	return out, nil
}

func nothing(args *logArgs, total int64) string {
	switch {
	case total == 0:
		return "(no logs available)"
	case args.Grep != "" || args.Stream != "":
		return fmt.Sprintf("(none of the %d lines is such a one)", total)
	}
	return fmt.Sprintf("(there are %d lines)", total)
}

// window is the part of a log that is shown: the last lines of it, or with a
// tail of 0 its first, as many as there is room for.
type window struct {
	args    *logArgs
	tail    int64
	lines   []shownLine
	size    int
	last    int64 // number of the last line taken
	seen    int64
	dropped bool // lines stand before the first one shown
	full    bool // lines stand behind the last one shown
}

type shownLine struct {
	number int64
	text   string
}

// take goes on with the next lines of the log.
func (w *window) take(lines []store.LogLine) {
	for i := range lines {
		text := w.print(&lines[i])
		if room := w.size+len(text)+1 <= maxLogText || len(w.lines) == 0; w.tail == 0 && (!room || len(w.lines) == maxTail) {
			w.full = true
			return
		}
		w.lines = append(w.lines, shownLine{lines[i].N, text})
		w.size += len(text) + 1
		w.seen++
		w.last = lines[i].N
		for w.tail > 0 && w.size > maxLogText && len(w.lines) > 1 {
			w.size -= len(w.lines[0].text) + 1
			w.lines, w.dropped = w.lines[1:], true
		}
	}
}

func (w *window) chosen() bool { return w.args.Grep != "" || w.args.Stream != "" }

func (w *window) print(l *store.LogLine) string {
	text := "[" + l.Step + "] " + lineText(l, maxLogLine)
	if w.args.Timestamps {
		text = l.At.UTC().Format(time.RFC3339Nano) + " " + text
	}
	if gap := l.N - w.last - 1; w.seen > 0 && gap > 0 && !w.chosen() {
		text = fmt.Sprintf("(%d lines were not kept: log.max_bytes)\n", gap) + text
	}
	return text
}

// lineText is so much of a line as text that is fit to be read.
func lineText(l *store.LogLine, most int) string {
	text, mark := l.Text, ""
	if len(text) > most {
		text, mark = text[:most], fmt.Sprintf(" …(%d more bytes)", len(text)-most)
	}
	return control.CleanLine(string(text)) + mark
}

// notes say what is not shown and how to get it.
func (w *window) notes(d *logPage, page *control.LogPage) (notes []string) {
	start := int64(0)
	if w.args.After != nil {
		start = *w.args.After
	}
	before := w.dropped || w.tail > 0 && w.seen >= w.tail && d.From-1 > start
	whole := d.From == 1 && d.To == d.Total
	if before || w.full || !whole && !w.chosen() || len(page.Cut) > 0 {
		notes = append(notes, fmt.Sprintf("lines %d–%d of %d", d.From, d.To, d.Total))
	}
	if before {
		notes = append(notes, fmt.Sprintf("after:%d without tail shows from the first of them on", start))
	}
	if w.full {
		notes = append(notes, fmt.Sprintf("after:%d goes on", d.Next))
	}
	if len(notes) > 0 && w.args.Step == "" {
		notes = append(notes, "name a step to see that one alone")
	}
	for _, s := range page.Cut {
		notes = append(notes, fmt.Sprintf("%d bytes in %d lines are missing from the middle of step %s, whose log is longer than log.max_bytes",
			s.CutBytes, s.CutLines, s.Name))
	}
	return notes
}
