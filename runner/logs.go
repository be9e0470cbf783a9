package runner

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"stroem/runner/proc"
	"stroem/store"
)

const (
	lookEvery  = 50 * time.Millisecond  // stdout and stderr are ordered this well
	flushAfter = 200 * time.Millisecond // output is in the store this soon
	chunkBytes = 64 << 10               // a log row is about this large
	flushBytes = 1 << 20                // a commit of output is about this large
	skimBytes  = 64 << 20               // passed over at once, before others have their turn
	maxLine    = 64 << 10               // a longer line is split
	maxOutput  = 1 << 20                // of the JSON of an OUTPUT: line
	spoolBytes = 1 << 20                // of the files may be in the store before they are given back
)

// splitMark ends each piece of a line that was too long, but the last.
const splitMark = " …[line continues]\n"

var outputPrefix = []byte("OUTPUT:")

// output follows what an attempt writes to its files, up to what is in the
// store. It holds at most about flushBytes; the rest waits in the files. When
// more waits than a log keeps, what would be cut from its middle anyway is
// read and counted, and not stored.
type output struct {
	limit   int64   // bytes kept of the log
	mask    *masker // what must not be seen in it
	streams [2]struct {
		next    int64  // first byte not yet read
		partial []byte // read, but its line has not ended
		inside  bool   // its line began before: partial is no beginning
		looked  bool   // inside is known
		freed   int64  // the disk has these back
	}
	pending []store.Chunk
	size    int       // bytes pending
	since   time.Time // when the oldest of them was read
	printed json.RawMessage
	skims   bool // what is read now is not kept
	closed  bool // the collector leaves it alone: its end is being written
}

// newOutput goes on where the step's log in the store ends.
func newOutput(step *store.StepRun, limit int64, mask *masker) output {
	o := output{limit: limit, mask: mask}
	o.streams[store.Stdout].next, o.streams[store.Stderr].next = step.OutOffset, step.ErrOffset
	o.printed = step.Output
	return o
}

// look reads what is new in both files, up to the byte that end gives for
// each. It reports whether it stopped before that because enough is pending.
func (o *output) look(p *proc.Process, end [2]int64, now time.Time) (more bool, err error) {
	buf := make([]byte, chunkBytes)
	// Of stderr no more is read now than there was before stdout was looked at:
	// however long that took, what was said on stdout first comes first.
	for _, s := range []store.Stream{store.Stderr, store.Stdout} {
		size, err := p.Size(proc.Stream(s))
		if err != nil {
			return false, err
		}
		end[s] = min(end[s], size)
	}
	for _, s := range []store.Stream{store.Stdout, store.Stderr} {
		st := &o.streams[s]
		to := end[s]
		if err := o.resume(p, s); err != nil {
			return false, err
		}
		keepFrom := o.keepFrom(st.next, to)
		for skimmed := 0; st.next < to; {
			if o.size >= flushBytes || skimmed >= skimBytes {
				return true, nil
			}
			n, err := p.Read(proc.Stream(s), st.next, buf[:min(int64(len(buf)), to-st.next)])
			if n == 0 {
				if err != nil && err != io.EOF {
					return false, fmt.Errorf("read output: %w", err)
				}
				break
			}
			if o.skims = st.next < keepFrom; o.skims {
				skimmed += n
			}
			st.next += int64(n)
			o.add(s, buf[:n], now)
		}
	}
	return false, nil
}

// resume finds out whether what is read next of a stream continues a line that was
// split, of which a server before this one had the beginning.
func (o *output) resume(p *proc.Process, s store.Stream) error {
	st := &o.streams[s]
	if st.looked {
		return nil
	}
	if st.next > 0 {
		var last [1]byte
		if n, err := p.Read(proc.Stream(s), st.next-1, last[:]); n == 0 {
			if err != nil && err != io.EOF {
				return fmt.Errorf("read output: %w", err)
			}
			return nil
		}
		st.inside = last[0] != '\n'
	}
	st.looked = true
	return nil
}

// keepFrom is the first of the waiting bytes from next to to that are worth
// storing: all of them, unless the first half of the log is full and more
// waits than its last half will hold.
func (o *output) keepFrom(next, to int64) int64 {
	if o.streams[store.Stdout].next+o.streams[store.Stderr].next < o.limit || to-next <= o.limit {
		return next
	}
	return to - o.limit/2
}

// add takes bytes of a stream: whole lines become pending, the rest waits for
// its newline, and for the end of what may be a secret.
func (o *output) add(s store.Stream, data []byte, now time.Time) {
	st := &o.streams[s]
	data = append(st.partial, data...)
	whole := bytes.LastIndexByte(data[:o.mask.settled(data)], '\n') + 1
	if whole > 0 {
		o.lines(s, data[:whole], now)
	}
	rest := data[whole:]
	limit := maxLine
	if s == store.Stdout && !st.inside && bytes.HasPrefix(rest, outputPrefix) {
		limit = maxOutput + maxLine
	}
	for len(rest) > limit {
		cut := o.mask.settled(rest[:maxLine])
		if cut == 0 {
			cut = maxLine
		}
		o.push(s, append(bytes.Clone(o.shown(rest[:cut])), splitMark...), now)
		rest, limit, st.inside = rest[cut:], maxLine, true
	}
	st.partial = bytes.Clone(rest)
}

// lines takes whole lines, of which the first may be the rest of one.
func (o *output) lines(s store.Stream, lines []byte, now time.Time) {
	st := &o.streams[s]
	if begun := lines; s == store.Stdout {
		if st.inside {
			_, begun, _ = bytes.Cut(lines, []byte{'\n'})
		}
		o.scan(begun)
	}
	st.inside = false
	o.push(s, split(o.shown(lines)), now)
}

// shown is text as it goes into the log. What is only counted is not searched.
func (o *output) shown(text []byte) []byte {
	if o.skims {
		return text
	}
	return o.mask.hide(text)
}

// split breaks lines that are too long, as add does before their end has come:
// how a line is shown does not depend on when it was read.
func split(lines []byte) []byte {
	if len(lines) <= maxLine {
		return lines
	}
	var out []byte
	for line := range bytes.Lines(lines) {
		for len(line) > maxLine+1 {
			out = append(append(out, line[:maxLine]...), splitMark...)
			line = line[maxLine:]
		}
		out = append(out, line...)
	}
	return out
}

// scan remembers the last valid OUTPUT: line.
func (o *output) scan(lines []byte) {
	for at := bytes.Index(lines, outputPrefix); at >= 0; {
		line, rest, _ := bytes.Cut(lines[at:], []byte{'\n'})
		doc := bytes.TrimSpace(line[len(outputPrefix):])
		if (at == 0 || lines[at-1] == '\n') && len(doc) <= maxOutput && json.Valid(doc) {
			o.printed = o.mask.hideJSON(bytes.Clone(doc))
		}
		lines = rest
		at = bytes.Index(lines, outputPrefix)
	}
}

// push makes whole lines pending, in one chunk with those of the same stream
// just before them where that stays small.
func (o *output) push(s store.Stream, lines []byte, now time.Time) {
	if len(o.pending) == 0 {
		o.since = now
	}
	n := int64(bytes.Count(lines, []byte{'\n'}))
	if o.skims {
		o.skip(s, n, len(lines), now)
		return
	}
	o.size += len(lines)
	if k := len(o.pending) - 1; k >= 0 && o.pending[k].Stream == s && o.pending[k].Cut == 0 && len(o.pending[k].Body)+len(lines) <= chunkBytes {
		o.pending[k].Body = append(o.pending[k].Body, lines...)
		o.pending[k].Lines += n
		return
	}
	o.pending = append(o.pending, store.Chunk{Stream: s, At: now, Lines: n, Body: bytes.Clone(lines)})
}

// skip counts lines that are not kept.
func (o *output) skip(s store.Stream, lines int64, size int, now time.Time) {
	if k := len(o.pending) - 1; k >= 0 && o.pending[k].Cut > 0 {
		o.pending[k].Lines += lines
		o.pending[k].Cut += int64(size)
		return
	}
	o.pending = append(o.pending, store.Chunk{Stream: s, At: now, Lines: lines, Cut: int64(size)})
}

// finish makes pending what never got its newline.
func (o *output) finish(now time.Time) {
	for _, s := range []store.Stream{store.Stdout, store.Stderr} {
		st := &o.streams[s]
		if len(st.partial) == 0 {
			continue
		}
		o.lines(s, append(st.partial, '\n'), now)
		st.partial = nil
	}
}

func (o *output) due(now time.Time) bool {
	return o.size >= chunkBytes || len(o.pending) > 0 && now.Sub(o.since) >= flushAfter
}

// kept is the first byte that is to be read again by whoever comes after us:
// all before it is in the store once what is pending is.
func (o *output) kept(s store.Stream) int64 {
	return o.streams[s].next - int64(len(o.streams[s].partial))
}

func (o *output) flushed() { o.pending, o.size = nil, 0 }

// keep writes what is pending, and how far that brings the log, in tx. It
// changes nothing in memory, so that it may be run again.
func (a *attempt) keep(tx *store.Tx, limit int64) error {
	if len(a.out.pending) == 0 {
		return nil
	}
	step := a.step
	step.OutOffset, step.ErrOffset = a.out.kept(store.Stdout), a.out.kept(store.Stderr)
	step.Output = a.out.printed
	return tx.AppendLog(&step, a.out.pending, limit)
}

// collect brings the output of all running attempts into the store until ctx
// ends. While nothing runs, it sleeps.
func (r *Runner) collect(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		live := r.live()
		wake := tick.C
		if len(live) == 0 {
			tick.Stop()
			select {
			case <-ctx.Done():
				return
			case <-r.busy:
				tick.Reset(lookEvery)
			}
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-wake:
		}
		for more := true; more && ctx.Err() == nil; {
			more = r.lookAll(live)
			if r.flush(live, false) {
				continue
			}
			select { // the disk is full, say; what waits, waits in the files
			case <-ctx.Done():
			case <-time.After(2 * retryPause):
			}
			break
		}
	}
}

// lookAll looks once at the files of each attempt.
func (r *Runner) lookAll(live []*attempt) (more bool) {
	now := r.Now()
	for _, a := range live {
		a.mu.Lock()
		if a.proc != nil && !a.out.closed {
			m, err := a.out.look(a.proc, [2]int64{math.MaxInt64, math.MaxInt64}, now)
			if err != nil {
				r.Log.Error("look at the step's output", keyJob, a.job.ID, keyStep, a.step.Name, keyErr, err)
			}
			more = more || m
		}
		a.mu.Unlock()
	}
	return more
}

// flush commits the pending output that is due (all of it, if it must), about
// flushBytes a commit. It reports false if the store could not write.
func (r *Runner) flush(live []*attempt, must bool) bool {
	now := r.Now()
	for len(live) > 0 {
		var group []*attempt
		for size := 0; len(live) > 0 && size < flushBytes; live = live[1:] {
			a := live[0]
			a.mu.Lock()
			if a.proc == nil || a.out.closed || !must && !a.out.due(now) {
				a.mu.Unlock()
				continue
			}
			group = append(group, a)
			size += a.out.size
		}
		err := r.keepAll(group)
		for _, a := range group {
			a.mu.Unlock()
		}
		if err != nil {
			r.complain("keep output", err)
			return false
		}
	}
	return true
}

// keepAll commits the pending output of attempts that the caller has locked.
func (r *Runner) keepAll(group []*attempt) error {
	if len(group) == 0 {
		return nil
	}
	err := r.Store.UpdateLog(context.Background(), func(tx *store.Tx) error {
		for _, a := range group {
			if err := a.keep(tx, r.KeepLog); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, a := range group {
		a.out.flushed()
		if err := a.giveBack(); err != nil {
			r.Log.Warn("give back the space of the step's output", keyJob, a.job.ID, keyStep, a.step.Name, keyErr, err)
		}
	}
	return nil
}

// giveBack frees the space of what is in the store, or was passed over for good:
// after the commit, which says that it is not read again, by no other server
// either.
func (a *attempt) giveBack() error {
	var errs []error
	for s := range a.out.streams {
		st, kept := &a.out.streams[s], a.out.kept(store.Stream(s))-1 // see resume
		if kept-st.freed >= spoolBytes {
			st.freed = kept // tried once: what cannot be freed goes with the folder
			errs = append(errs, a.proc.Free(proc.Stream(s), kept))
		}
	}
	return errors.Join(errs...)
}

// drain brings the output of an ended attempt into the store, up to the size
// it has now: what is left running in the background may go on writing. The
// last piece stays pending, to be committed with the step's end.
func (r *Runner) drain(ctx context.Context, a *attempt) error {
	a.mu.Lock()
	a.out.closed = true
	a.mu.Unlock()
	var end [2]int64
	for s := range end {
		var err error
		if end[s], err = a.proc.Size(proc.Stream(s)); err != nil {
			return fmt.Errorf("size of the output: %w", err)
		}
	}
	for {
		more, err := a.out.look(a.proc, end, r.Now())
		if err != nil {
			return err
		}
		if !more {
			a.out.finish(r.Now())
			return nil
		}
		if err := r.insist(ctx, a, "keep output", func() error { return r.keepAll([]*attempt{a}) }); err != nil {
			return err
		}
	}
}
