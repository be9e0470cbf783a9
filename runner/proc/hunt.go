//go:build unix

package proc

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// member is a process as the system shows it. Pid and start together name it.
type member struct {
	pid, ppid, pgid, sid int
	start                uint64
	tty                  bool // somebody sits at its terminal
}

// How sure it is that a process is of the attempt.
const (
	foreign = iota
	// near: it is of the attempt for all we can see, but nothing says that what
	// it has gathered around itself is, too.
	near
	// marked: it was born inside the attempt.
	marked
)

// hunt finds the processes of one attempt, again and again. What it has once
// found to be foreign it does not examine twice, and what it has found to be the
// attempt's stays so, whatever becomes of its parents and its environment.
type hunt struct {
	dir  string // as the system names it, without links
	id   string // of the attempt
	mark string
	own  cgroup // of the attempt
	self member
	seen map[int]verdict // by pid
	sids map[int]bool    // sessions that began inside the attempt
	err  error           // the last one that a signal gave
}

// verdict is what was found out about the process with that start.
type verdict struct {
	start uint64
	how   int
}

// newHunt prepares for finding the processes of attempt id.
func newHunt(dir, id string) *hunt {
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	self, _ := lookAt(os.Getpid())
	self.pid = os.Getpid()
	return &hunt{dir: dir, id: id, mark: varAttempt + "=" + id, own: cgroupOf(dir, id), self: self, seen: make(map[int]verdict), sids: make(map[int]bool)}
}

// pass looks once at every process and visits those of the attempt. While the
// wrapper lives, wrapper is its pid: all that is in its session is of the
// attempt. So are children of what is found, and what is in a session that began
// inside, whatever they did to their environment.
func (h *hunt) pass(wrapper int, visit func(member)) error {
	var rest []member
	found := make(map[int]bool)
	take := func(m member) {
		found[m.pid] = true
		if h.group(m, wrapper) > 1 {
			h.sids[m.sid] = true
		}
		visit(m)
	}
	err := forEach(func(m member) {
		switch {
		case m.pid <= 1 || m.pid == h.self.pid:
		case h.judge(m, wrapper) != foreign:
			take(m)
		default:
			rest = append(rest, m)
		}
	})
	for _, m := range rest {
		if h.seen[m.pid].start == m.start {
			continue
		}
		// Its environment was not to be seen: in execve it is not, for a moment.
		if now, ok := lookAt(m.pid); ok && now.start == m.start && h.judge(now, wrapper) != foreign {
			take(now)
		}
	}
	for again := true; again; {
		again = false
		for _, m := range rest {
			if !found[m.pid] && (found[m.ppid] || h.within(m)) {
				h.seen[m.pid] = verdict{m.start, marked}
				again = true
				take(m)
			}
		}
	}
	return err
}

// within says whether a process is in a session that began inside the attempt.
// The number of a session is not given to another while anything is left in it;
// if a leader that we do not know has it, it was given away.
func (h *hunt) within(m member) bool {
	if !h.sids[m.sid] || m.pid == m.sid {
		return false
	}
	leader, ok := lookAt(m.sid)
	v := h.seen[m.sid]
	return !ok || v.start == leader.start && v.how == marked
}

// judge says whether a process is of the attempt.
func (h *hunt) judge(m member, wrapper int) int {
	if v, ok := h.seen[m.pid]; ok && v.start == m.start {
		return v.how
	}
	how, certain := h.examine(m, wrapper)
	if certain {
		h.seen[m.pid] = verdict{m.start, how}
	}
	return how
}

// examine looks at a process's session, cgroup, environment and files. It is not certain
// of one whose environment could not be seen, nor of one that may go away.
func (h *hunt) examine(m member, wrapper int) (how int, certain bool) {
	if wrapper > 1 && m.sid == wrapper {
		return marked, true
	}
	if h.own != "" && holdsPid(h.id, m.pid) {
		return marked, true
	}
	env, known := environOf(m.pid)
	if known && hasMark(env, h.mark) {
		return marked, true
	}
	switch writes, sits := holds(m, h.dir); {
	case writes:
		return marked, true
	case sits && !m.tty: // at a terminal somebody has come to look
		return near, false
	}
	return foreign, known
}

// hasMark says whether mark is one of the variables in env.
func hasMark(env []byte, mark string) bool {
	for len(env) > 0 {
		kv, rest, _ := bytes.Cut(env, []byte{0})
		if string(kv) == mark {
			return true
		}
		env = rest
	}
	return false
}

// group is the process group of a process if all in it are the attempt's, else 0.
// They are when its session began inside the attempt, since nobody can enter a
// session but by being born in it. Where the leader of the session is gone, a
// process that was born inside the attempt, at no terminal, vouches for it.
func (h *hunt) group(m member, wrapper int) int {
	switch {
	case m.pgid <= 1 || m.sid <= 1 || m.pgid == h.self.pgid || m.sid == h.self.sid:
		return 0
	case wrapper > 1 && m.sid == wrapper:
		return m.pgid
	}
	if leader, ok := lookAt(m.sid); ok {
		if h.judge(leader, wrapper) != marked {
			return 0
		}
		return m.pgid
	}
	if h.judge(m, wrapper) != marked || m.tty {
		return 0
	}
	return m.pgid
}

// send signals a process, together with its group if that is the attempt's, and
// says which group it was. A group goes whole: what forks in it cannot slip through,
// and nothing in it is signalled twice.
func (h *hunt) send(m member, wrapper int, sigs ...unix.Signal) (group int) {
	group = h.group(m, wrapper)
	if now, ok := lookAt(m.pid); !ok || now.start != m.start || now.pgid != group {
		group = 0
	}
	for _, sig := range sigs {
		if group > 1 {
			h.note(ignoreGone(unix.Kill(-group, sig)))
		} else {
			h.note(m.signal(sig))
		}
	}
	return group
}

// note keeps an error for the time when something is found not to end.
func (h *hunt) note(err error) {
	if err != nil {
		h.err = err
	}
}

// ignoreGone forgets that a process ended before the signal came.
func ignoreGone(err error) error {
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	return err
}
