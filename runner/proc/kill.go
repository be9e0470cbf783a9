//go:build unix

package proc

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// slayFor is how long anything is killed: what has not ended by then will not end.
const slayFor = 10 * time.Second

// errClosed is what Kill returns when Close came first.
var errClosed = errors.New("the server has let go of the attempt")

// Kill ends the whole tree: TERM, and after the grace KILL, to the group of the
// wrapper and to every other process of the attempt, whatever group or session
// it went to. It returns when nothing of it can be found any more, or when ctx
// ends: it may be called again then, after a restart too. The exit is on record
// if the script ended by TERM; a wrapper that had to be killed is Lost.
func (p *Process) Kill(ctx context.Context, grace time.Duration) error {
	h := newHunt(p.dir, p.id)
	if err := p.settle(ctx); err != nil {
		return p.killError(err)
	}
	if err := p.terminate(h); err != nil {
		return p.killError(err)
	}
	gone, err := p.await(ctx, h, grace)
	if err == nil && !gone {
		err = p.slay(ctx, h)
	}
	if err != nil {
		return p.killError(err)
	}
	select {
	case <-p.done:
		return nil
	case <-p.stop:
		return p.killError(errClosed)
	case <-ctx.Done():
		return p.killError(ctx.Err())
	}
}

// strays says whether any process bears the mark of an attempt.
func strays(dir, id string) (found bool, err error) {
	err = newHunt(dir, id).pass(0, func(member) { found = true })
	return found, err
}

// Sweep kills whatever still bears the mark of an attempt whose wrapper is gone,
// whatever became of its folder.
func Sweep(dir, id string) error {
	p, err := open(dir, id)
	if err != nil {
		p = newProcess(dir, id)
	}
	defer p.letGo()
	defer p.exit.close()
	if err := p.slay(context.Background(), newHunt(p.dir, id)); err != nil {
		return p.killError(err)
	}
	return nil
}

func (p *Process) killError(err error) error {
	return fmt.Errorf("end attempt %s: %w", p.id, err)
}

// wrapperPid is the wrapper's pid, which is its group and session too, while it
// is known to live, else 0.
func (p *Process) wrapperPid() int {
	if p.state == nil || p.ended() {
		return 0
	}
	if held, err := held(p.state); err != nil || !held {
		return 0
	}
	p.identify()
	if pid := int(p.pid.Load()); pid > 1 {
		return pid
	}
	return 0
}

// alive says whether the wrapper lives.
func (p *Process) alive() bool {
	if p.state == nil || p.ended() {
		return false
	}
	held, err := held(p.state)
	return err == nil && held
}

// settle waits for the wrapper to have caught its signals, and for the script's
// shell to have been exec'ed: until then the one would die without a word, and
// the other, still a copy of the wrapper, would lose a TERM. It waits for neither
// for long.
func (p *Process) settle(ctx context.Context) error {
	began := time.Now()
	for p.alive() && time.Since(began) < settleFor {
		rec, err := readRecords(p.state)
		if err != nil {
			return err
		}
		if pid := p.wrapperPid(); rec.begun && (pid == 0 || launched(pid)) {
			return nil
		}
		if err := p.pause(ctx, time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// terminate asks everything to end, once: who traps TERM to clean up is not to
// be interrupted in it. CONT lets what is stopped hear it. All is found before
// any is signalled, since a child without the mark is known by its parent.
func (p *Process) terminate(h *hunt) error {
	wrapper := p.wrapperPid()
	var all []member
	err := h.pass(wrapper, func(m member) { all = append(all, m) })
	told := make(map[int]bool) // groups that have been signalled
	if wrapper > 1 && p.wrapperPid() == wrapper {
		h.note(ignoreGone(unix.Kill(-wrapper, unix.SIGTERM)))
		h.note(ignoreGone(unix.Kill(-wrapper, unix.SIGCONT)))
		told[wrapper] = true
	}
	for _, m := range all {
		// It may have left a group since it was found, and not have been told.
		if now, ok := lookAt(m.pid); ok && now.start == m.start && !told[now.pgid] {
			told[h.send(now, 0, unix.SIGTERM, unix.SIGCONT)] = true
		}
	}
	return err
}

// await waits until nothing is left, for as long as the grace lasts. The table
// of processes is read only once the wrapper has ended.
func (p *Process) await(ctx context.Context, h *hunt, grace time.Duration) (gone bool, err error) {
	end := time.Now().Add(grace)
	quiet, pause := 0, time.Millisecond
	for time.Now().Before(end) {
		if !p.alive() {
			if quiet, err = h.count(quiet, 0, func(member) {}); err != nil || quiet == 2 {
				return err == nil, err
			}
		}
		if err := p.pause(ctx, min(pause, time.Until(end))); err != nil {
			return false, err
		}
		if quiet == 0 {
			pause = min(2*pause, lookEvery)
		}
	}
	return false, nil
}

// slay kills until two passes in a row have found nothing.
func (p *Process) slay(ctx context.Context, h *hunt) error {
	end := time.Now().Add(slayFor)
	quiet, pause := 0, time.Millisecond
	h.note(h.own.kill()) // on a busy machine what follows takes its time
	// As in terminate, all is found before any is killed.
	if err := h.pass(p.wrapperPid(), func(member) {}); err != nil {
		return err
	}
	for quiet < 2 {
		wrapper := p.wrapperPid()
		if wrapper > 1 {
			h.note(ignoreGone(unix.Kill(-wrapper, unix.SIGKILL)))
		}
		var left []int
		var err error
		quiet, err = h.count(quiet, wrapper, func(m member) {
			left = append(left, m.pid)
			h.send(m, wrapper, unix.SIGKILL)
		})
		if err != nil {
			return err
		}
		if p.alive() {
			quiet = 0
		}
		if time.Now().After(end) {
			return errors.Join(fmt.Errorf("processes %v do not end", left), h.err)
		}
		if err := p.pause(ctx, pause); err != nil {
			return err
		}
		if quiet == 0 {
			pause = min(2*pause, lookEvery)
		}
	}
	return nil
}

// count makes a pass and says how many in a row have now found nothing.
func (h *hunt) count(quiet, wrapper int, visit func(member)) (int, error) {
	found := false
	err := h.pass(wrapper, func(m member) {
		found = true
		visit(m)
	})
	if found || err != nil {
		return 0, err
	}
	return quiet + 1, nil
}

// pause waits, but not past the end of ctx or Close.
func (p *Process) pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-p.stop:
		return errClosed
	case <-t.C:
		return nil
	}
}
