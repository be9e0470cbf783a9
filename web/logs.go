package web

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"stroem/auth"
	"stroem/control"
	"stroem/store"
)

const (
	// streamAhead is how many events of a stream are read before they are sent.
	streamAhead = 256
	// sendTimeout is how long a reader may leave a piece of a stream unread.
	sendTimeout = 30 * time.Second
)

// logLine is a line of a log as Strøm writes it.
type logLine struct {
	At     time.Time `json:"ts"`
	Stream string    `json:"stream" enum:"stdout,stderr"`
	Step   string    `json:"step"`
	Line   string    `json:"line"`
}

func lineOf(l *store.LogLine) logLine {
	stream := "stdout"
	if l.Stream == store.Stderr {
		stream = "stderr"
	}
	return logLine{l.At, stream, l.Step, string(l.Text)}
}

// wholeLog is described here and written by writeLog, line by line.
type wholeLog struct {
	Logs string `json:"logs" doc:"A JSON object {ts, stream, step, line} a line."`
}

func (s *site) logRoutes(api huma.API) {
	whole := huma.SchemaFromType(api.OpenAPI().Components.Schemas, reflect.TypeFor[wholeLog]())
	describe := func(op huma.Operation) huma.Operation {
		op.Responses = map[string]*huma.Response{"200": {Description: "OK", Content: map[string]*huma.MediaType{"application/json": {Schema: whole}}}}
		return op
	}
	huma.Register(api, describe(operation("job-logs", http.MethodGet, "/api/jobs/{id}/logs", "A job's log, the whole of it or what is asked for")),
		func(ctx context.Context, in *struct {
			JobID
			ChosenLines
		}) (*huma.StreamResponse, error) {
			return s.writeLog(ctx, in.ID, in.query(""))
		})
	huma.Register(api, describe(operation("step-logs", http.MethodGet, "/api/jobs/{id}/steps/{step}/logs", "A step's log, the whole of it or what is asked for")),
		func(ctx context.Context, in *struct {
			JobID
			Step string `path:"step" doc:"Step name"`
			ChosenLines
		}) (*huma.StreamResponse, error) {
			return s.writeLog(ctx, in.ID, in.query(in.Step))
		})
	op := operation("log-stream", http.MethodGet, "/api/jobs/{id}/logs/stream",
		"A job's log and states as they come, as server-sent events: lines by default, event: job, and event: end at last")
	op.Responses = map[string]*huma.Response{"200": {Description: "OK", Content: map[string]*huma.MediaType{
		"text/event-stream": {Schema: &huma.Schema{Type: huma.TypeString}}}}}
	huma.Register(api, op, s.streamLog)
}

// ChosenLines chooses lines of a log.
type ChosenLines struct {
	Stream string `query:"stream" enum:"stdout,stderr" doc:"Only this stream"`
	From   int64  `query:"from" minimum:"0" doc:"Number of the first line wanted, from 0"`
	To     int64  `query:"to" minimum:"0" doc:"Number of the first line no longer wanted; 0: to the end"`
	Grep   string `query:"grep" doc:"Only lines in which this regular expression (RE2) matches"`
	Tail   int64  `query:"tail" minimum:"0" doc:"Only the last so many of these; 0: all"`
}

func (c *ChosenLines) query(step string) control.LogQuery {
	return control.LogQuery{Step: step, Stream: c.Stream, From: c.From, To: c.To, Grep: c.Grep, Tail: c.Tail}
}

// writeLog answers with all lines that are chosen, of which only a page is in
// memory.
func (s *site) writeLog(ctx context.Context, id string, q control.LogQuery) (*huma.StreamResponse, error) {
	page, err := s.cfg.Plane.Logs(ctx, id, q)
	if err != nil {
		return nil, s.fault(err)
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		hc.SetHeader("Content-Type", "application/json")
		w := bufio.NewWriter(hc.BodyWriter())
		defer w.Flush()
		io.WriteString(w, `{"logs":"`)
		for {
			for i := range page.Lines {
				if err := writeEscaped(w, lineOf(&page.Lines[i])); err != nil {
					return // the reader is gone
				}
			}
			if page.Next < 0 {
				break
			}
			q.From, q.Tail = page.Next, 0
			if page, err = s.cfg.Plane.Logs(ctx, id, q); err != nil {
				if ctx.Err() == nil {
					s.cfg.Log.Error("read log", "job", id, "err", err)
				}
				return // an answer cut short is no valid JSON
			}
		}
		io.WriteString(w, "\"}\n")
	}}, nil
}

// writeEscaped writes a line of JSON as a part of a JSON string.
func writeEscaped(w io.Writer, l logLine) error {
	line, err := json.Marshal(l)
	if err != nil {
		return err
	}
	escaped, err := json.Marshal(string(line) + "\n")
	if err != nil {
		return err
	}
	_, err = w.Write(escaped[1 : len(escaped)-1])
	return err
}

// streamLog sends a job's news as server-sent events (WHATWG HTML, 9.2). An
// event's id is the number of the next line, so that a reader who comes back
// with Last-Event-ID goes on where it was.
func (s *site) streamLog(ctx context.Context, in *struct {
	JobID
	After int64  `query:"after" minimum:"0" doc:"Number of the first line wanted, from 0"`
	Tail  int64  `query:"tail" minimum:"-1" default:"-1" doc:"Begin with so many of the lines that are there; -1: with all"`
	Skip  bool   `query:"skip_backfill" doc:"Begin with the next line"`
	Last  string `header:"Last-Event-ID"`
}) (*huma.StreamResponse, error) {
	job, err := s.cfg.Plane.Job(ctx, in.ID)
	if err != nil {
		return nil, s.fault(err)
	}
	from := in.After
	switch {
	case in.Skip:
		from = max(from, job.LogLines)
	case in.Tail >= 0:
		from = max(from, job.LogLines-in.Tail)
	}
	if n, err := strconv.ParseInt(in.Last, 10, 64); err == nil && n > from {
		from = n
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		hc.SetHeader("Content-Type", "text/event-stream")
		out := &events{w: bufio.NewWriter(hc.BodyWriter()), next: from}
		if rw, ok := hc.BodyWriter().(http.ResponseWriter); ok {
			out.ctl = http.NewResponseController(rw)
		}
		if err := s.send(ctx, in.ID, out); err != nil && ctx.Err() == nil && out.err == nil {
			s.cfg.Log.Error("stream log", "job", in.ID, "err", err)
		}
	}}, nil
}

// send writes the job's news until its end, and a sign of life while there
// are none.
func (s *site) send(ctx context.Context, id string, out *events) error {
	news := make(chan control.Event, streamAhead)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		ended <- s.cfg.Plane.Follow(ctx, id, out.next, func(e control.Event) error {
			select {
			case news <- e:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	}()
	beat := time.NewTicker(s.cfg.Beat) // keeps proxies from closing a quiet stream
	defer beat.Stop()
	for {
		select {
		case e := <-news:
			if out.event(e); len(news) == 0 { // else there is more to send with it
				out.flush()
			}
		case <-beat.C:
			if s.mayGoOn(ctx, id) != nil {
				cancel()
				<-ended
				return nil
			}
			out.write(": still here\n\n")
			out.flush()
		case <-s.cfg.Stopping: // the reader comes back to the next server
			cancel()
			return <-ended
		case err := <-ended:
			for len(news) > 0 {
				out.event(<-news)
			}
			if err == nil {
				out.write("event: end\ndata: {}\n\n")
			}
			out.flush()
			return err
		}
		if out.err != nil {
			cancel()
			<-ended
			return out.err
		}
	}
}

// mayGoOn is nil where the reader of a stream is still known, and may still see
// the job.
func (s *site) mayGoOn(ctx context.Context, id string) error {
	if s.cfg.Gate == nil {
		return nil
	}
	who, err := s.cfg.Gate.Still(ctx, auth.From(ctx))
	if err == nil {
		_, err = s.cfg.Plane.Job(auth.With(ctx, who), id)
	}
	return err
}

// events writes server-sent events; after an error it writes no more.
type events struct {
	w    *bufio.Writer
	ctl  *http.ResponseController
	next int64
	err  error
}

func (e *events) event(ev control.Event) {
	var doc []byte
	head := ""
	if ev.Line != nil {
		e.next = ev.Line.N + 1
		doc, e.err = json.Marshal(lineOf(ev.Line))
	} else {
		head = "event: job\n"
		doc, e.err = json.Marshal(detailOf(ev.Job))
	}
	e.write(fmt.Sprintf("%sid: %d\ndata: %s\n\n", head, e.next, doc))
}

func (e *events) write(text string) {
	if e.err != nil {
		return
	}
	if e.ctl != nil { // not every writer can; then the server's own limits hold
		_ = e.ctl.SetWriteDeadline(time.Now().Add(sendTimeout))
	}
	_, e.err = e.w.WriteString(text)
}

func (e *events) flush() {
	if e.err == nil {
		e.err = e.w.Flush()
	}
	if e.err == nil && e.ctl != nil {
		e.err = e.ctl.Flush()
	}
}
