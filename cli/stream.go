package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"stroem/control"
	"stroem/store"
)

const (
	// firstPause and longestPause bound the wait before a broken stream is
	// asked for again, and lastAttempt the tries in a row without an answer:
	// together half a minute, in which a server is restarted.
	firstPause   = 250 * time.Millisecond
	longestPause = 5 * time.Second
	lastAttempt  = 10
)

// logDoc is a line of a log in JSON.
type logDoc struct {
	At     time.Time `json:"ts"`
	Stream string    `json:"stream"`
	Step   string    `json:"step"`
	Line   string    `json:"line"`
}

func (d *logDoc) line(n int64) *store.LogLine {
	l := &store.LogLine{N: n, Step: d.Step, At: d.At, Text: []byte(d.Line)}
	if d.Stream == "stderr" {
		l.Stream = store.Stderr
	}
	return l
}

func docOf(l *store.LogLine) logDoc {
	d := logDoc{l.At, "stdout", l.Step, string(l.Text)}
	if l.Stream == store.Stderr {
		d.Stream = "stderr"
	}
	return d
}

// errBroken is the end of a stream that was not the end of the job.
var errBroken = errors.New("the stream broke off")

// emitError is an error of whoever listens, not of the stream.
type emitError struct{ error }

// follow is control.Plane.Follow of a server. A stream that breaks is taken up
// again where it was, also from a server that was started anew meanwhile.
func (c *client) follow(ctx context.Context, id string, from int64, emit func(control.Event) error) error {
	at := position{next: from}
	pause, failed := firstPause, 0
	for began := false; ; {
		at.heard = false
		err := c.stream(ctx, id, &at, emit)
		var own emitError
		switch {
		case err == nil, ctx.Err() != nil:
			return err
		case errors.As(err, &own):
			return own.error
		}
		began = began || errors.Is(err, errBroken)
		if at.heard {
			pause, failed = firstPause, 0
		}
		failed++
		switch {
		case !began || !passing(err):
			return err
		case failed == lastAttempt:
			return fmt.Errorf("%w; once there is a server again, `stroem logs -f %s` goes on", err, id)
		case failed == 1 && c.lost != nil:
			c.lost()
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
		pause = min(2*pause, longestPause)
	}
}

// passing reports whether an error may be gone at the next try.
func passing(err error) bool {
	var told *refusal
	return errors.Is(err, errBroken) || errors.Is(err, errUnreached) ||
		errors.As(err, &told) && told.status >= http.StatusInternalServerError
}

// position is how far a job was followed.
type position struct {
	next  int64 // number of the next line
	heard bool  // this stream said something
}

// stream reads one stream of server-sent events to its end.
func (c *client) stream(ctx context.Context, id string, at *position, emit func(control.Event) error) error {
	res, err := c.send(ctx, http.MethodGet, fmt.Sprintf("%s?after=%d", api("jobs", id, "logs", "stream"), at.next), nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	r := bufio.NewReaderSize(res.Body, 64<<10)
	for {
		m, err := readEvent(r)
		if err != nil {
			return fmt.Errorf("%w: %w", errBroken, err)
		}
		if m.kind == "end" {
			return nil
		}
		ev, err := m.event()
		if err != nil {
			return fmt.Errorf("read the stream of %s: %w", c.base, err)
		}
		if ev == (control.Event{}) {
			continue
		}
		if err := emit(ev); err != nil {
			return emitError{err}
		}
		at.heard = true
		if ev.Line != nil {
			at.next = ev.Line.N + 1
		}
	}
}

// serverEvent is one server-sent event (HTML, 9.2).
type serverEvent struct{ kind, id, data string }

// readEvent reads up to the empty line that ends an event.
func readEvent(r *bufio.Reader) (m serverEvent, err error) {
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return m, err
		}
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			return m, nil
		}
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "event":
			m.kind = value
		case "id":
			m.id = value
		case "data":
			if m.data != "" {
				m.data += "\n"
			}
			m.data += value
		}
	}
}

// event is the message as an event; nothing in it where it is of a kind that
// is not known, or a sign of life.
func (m serverEvent) event() (ev control.Event, err error) {
	switch m.kind {
	case "job":
		ev.Job = &control.Job{}
		err = json.Unmarshal([]byte(m.data), ev.Job)
	case "", "message":
		if m.data == "" {
			return ev, nil
		}
		next, err := strconv.ParseInt(m.id, 10, 64)
		if err != nil {
			return ev, fmt.Errorf("a line has no number: %q", m.id)
		}
		var d logDoc
		if err := json.Unmarshal([]byte(m.data), &d); err != nil {
			return ev, err
		}
		ev.Line = d.line(next - 1)
	}
	return ev, err
}
