package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"stroem/control"
	"stroem/store"
)

// redraw is how often a moving picture is drawn.
const redraw = 100 * time.Millisecond

// follower tells emit what is new about a job until its end, as
// control.Plane.Follow does: from the store, or from a server.
type follower func(ctx context.Context, id string, from int64, emit func(control.Event) error) error

// watch shows a job until it has ended and returns it as it stood last: a
// picture on a terminal, plain lines elsewhere, nothing with --json.
func (e *env) watch(ctx context.Context, follow follower, id, hint string) (*control.Job, error) {
	t := e.terminal()
	switch {
	case e.json:
		v := &view{}
		err := follow(ctx, id, 0, func(ev control.Event) error { v.add(ev); return nil })
		return &v.job, err
	case t == nil:
		p := &printer{out: e.stdout, begun: map[string]bool{}, asked: map[string]bool{}, told: map[string]bool{}}
		err := follow(ctx, id, 0, p.event)
		return &p.job, err
	}
	s := &stage{env: e, hint: hint}
	e.notice, e.still = s.tell, s.still
	defer func() { e.notice, e.still = nil, nil }()
	err := s.run(ctx, follow, id)
	return &s.v.job, err
}

// ended is how a command that watched a job ends.
func ended(j *control.Job) error {
	if j.Status != store.Completed {
		return failure{}
	}
	return nil
}

// stage draws the picture of a job again and again in one place.
type stage struct {
	*env
	hint string

	mu    sync.Mutex
	v     view
	drawn []string // what stands on the terminal
}

func (s *stage) run(ctx context.Context, follow follower, id string) error {
	ended := make(chan error, 1)
	go func() {
		ended <- follow(ctx, id, 0, func(ev control.Event) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.v.add(ev)
			return nil
		})
	}()
	tick := time.NewTicker(redraw)
	defer tick.Stop()
	for {
		select {
		case err := <-ended:
			s.draw(true)
			return err
		case <-tick.C:
			s.draw(false)
		}
	}
}

// tell leaves the picture as it stands and goes on below the text.
func (s *stage) tell(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintln(s.stderr, "stroem: "+text)
	s.drawn = nil
}

// still calls do under the picture as it stands, which goes on below whatever
// do left on the terminal.
func (s *stage) still(do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paintOver(false)
	do()
	s.drawn = nil
}

func (s *stage) draw(last bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paintOver(last)
}

// paintOver puts the picture over the last one. One write holds it all, so that
// it does not flicker. s.mu is held.
func (s *stage) paintOver(last bool) {
	t := s.terminal()
	if t == nil || s.v.job.ID == "" {
		return
	}
	f := frame{width: t.width - 1, height: t.height - 1, now: time.Now(), paint: t.paint, last: last}
	if !last && !s.v.job.Status.Ended() {
		f.hint = s.hint
	}
	lines := picture(&s.v, f)
	if !last && strings.Join(lines, "\n") == strings.Join(s.drawn, "\n") {
		return
	}
	var b strings.Builder
	b.WriteByte('\r')
	if up := rows(s.drawn, t.width); up > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", up)
	}
	for _, line := range lines {
		b.WriteString(line + "\x1b[K\n")
	}
	b.WriteString("\x1b[J")
	_, _ = io.WriteString(s.stdout, b.String())
	s.drawn = lines
}

// rows is how many rows the lines take now: the terminal may have become
// narrower since they were drawn.
func rows(lines []string, wide int) (n int) {
	for _, line := range lines {
		n += max(1, (width(line)+wide-1)/wide)
	}
	return n
}

// mostHeld bounds the lines that a printer keeps back.
const mostHeld = 1000

// printer writes a job as plain lines: what steps say as "[step] text", and a
// line for each change of state.
type printer struct {
	out   io.Writer
	job   control.Job
	begun map[string]bool // steps that were said to run
	asked map[string]bool // steps that were said to wait for a person
	told  map[string]bool // steps that were said to have ended
	ended bool            // the job was
	// held are lines of steps that were not said to run. Lines come before the
	// states of their moment, but the end of one step is to be told before
	// another speaks that waited for it.
	held []store.LogLine
	err  error
}

func (p *printer) event(ev control.Event) error {
	if ev.Line != nil {
		switch {
		case p.begun[ev.Line.Step]:
			p.line(ev.Line)
		case len(p.held) == mostHeld:
			p.release("")
			p.line(ev.Line)
		default:
			p.held = append(p.held, *ev.Line)
		}
		return p.err
	}
	p.job = *ev.Job
	for i := range p.job.Steps {
		s := &p.job.Steps[i]
		if !s.StartedAt.IsZero() && !p.begun[s.Name] {
			p.begin(s.Name)
			p.release(s.Name)
		}
		if s.Status == store.Suspended && !p.asked[s.Name] {
			p.asked[s.Name] = true
			p.say("%s: %s", clean(s.Name), waitsFor(s))
		}
		if s.Status.Ended() && !p.told[s.Name] {
			p.told[s.Name] = true
			if text := outputOf(s); text != "" {
				p.say("[%s] output: %s", clean(s.Name), cut(text, longestLine))
			}
			p.end(s.Name, s.Status, s.Duration(), s.Error)
		}
	}
	// A cancelled job has ended before its last step has.
	if p.job.Status.Ended() && len(p.told) == len(p.job.Steps) && !p.ended {
		p.ended = true
		p.end(p.job.Task, p.job.Status, p.job.Duration(), p.job.Error)
	}
	return p.err
}

// release writes the held lines of a step, or of all with "".
func (p *printer) release(step string) {
	var kept []store.LogLine
	for i := range p.held {
		if l := &p.held[i]; step == "" || l.Step == step {
			p.line(l)
		} else {
			kept = append(kept, *l)
		}
	}
	p.held = kept
}

func (p *printer) line(l *store.LogLine) {
	p.begin(l.Step)
	p.say("[%s] %s", clean(l.Step), control.CleanLine(string(l.Text)))
}

// begin says that a step runs, once, and before anything that it says.
func (p *printer) begin(step string) {
	if !p.begun[step] {
		p.begun[step] = true
		p.say("%s: running", clean(step))
	}
}

func (p *printer) end(name string, status store.Status, d time.Duration, why string) {
	text := clean(name) + ": " + string(status)
	if status != store.Skipped && d > 0 {
		text += " in " + took(d)
	}
	if why != "" {
		text += ": " + clean(why)
	}
	p.say("%s", text)
}

// say writes a line; after an error it writes no more.
func (p *printer) say(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.out, format+"\n", args...)
	}
}
