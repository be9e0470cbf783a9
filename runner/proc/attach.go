//go:build unix

package proc

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// lookEvery is how often a process is looked at that cannot be waited for.
const lookEvery = 20 * time.Millisecond

// child is what we know of the wrapper.
type child struct {
	pid     atomic.Int64 // 0 while it is not known
	own     bool         // we are its parent and have to reap it
	exit    exitWait
	watched chan struct{} // closed when watch has returned; nil if it never ran
}

// held says whether somebody holds the lock on state, which is to say whether
// the wrapper lives.
func held(f *os.File) (bool, error) {
	err := control(f, func(fd int) error { return unix.Flock(fd, unix.LOCK_SH|unix.LOCK_NB) })
	switch {
	case errors.Is(err, unix.EWOULDBLOCK):
		return true, nil
	case err != nil:
		return false, fmt.Errorf("try the lock on state: %w", err)
	}
	return false, control(f, func(fd int) error { return unix.Flock(fd, unix.LOCK_UN) })
}

// control calls f with the descriptor of file, which stays open meanwhile.
func control(file *os.File, f func(fd int) error) error {
	raw, err := file.SyscallConn()
	if err != nil {
		return err
	}
	var ferr error
	if err := raw.Control(func(fd uintptr) {
		for {
			if ferr = f(int(fd)); !errors.Is(ferr, unix.EINTR) {
				return
			}
		}
	}); err != nil {
		return err
	}
	return ferr
}

// openPlain opens a plain file for reading, and neither follows a link nor waits
// at a fifo that a script put in its place.
func openPlain(path string) (*os.File, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a plain file", path)
	}
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	if info, err = f.Stat(); err != nil || !info.Mode().IsRegular() {
		f.Close()
		return nil, errors.Join(err, fmt.Errorf("%s is not a plain file", path))
	}
	return f, nil
}

// begin watches a wrapper that we started, by its pidfd if there is one.
func (p *Process) begin(pidfd int) {
	p.exit.set(pidfd)
	p.watched = make(chan struct{})
	go p.watch()
}

// follow watches a wrapper that somebody else started.
func (p *Process) follow() {
	p.watched = make(chan struct{})
	p.identify()
	go p.watch()
}

// unwatch ends watch and returns when it has ended.
func (p *Process) unwatch() {
	p.exit.close()
	if p.watched != nil {
		<-p.watched
	}
}

// watch closes done when the wrapper has ended. It returns early at Close.
func (p *Process) watch() {
	defer close(p.watched)
	pause := time.Millisecond
	for p.running() {
		if p.exit.wait() {
			continue
		}
		p.identify()
		select {
		case <-p.stop:
			return
		case <-time.After(pause):
		}
		pause = min(2*pause, lookEvery)
	}
	p.finish()
}

// running says whether the wrapper lives, and reaps it if it has ended and is
// ours.
func (p *Process) running() bool {
	if p.own {
		var ws unix.WaitStatus
		for {
			pid, err := unix.Wait4(int(p.pid.Load()), &ws, unix.WNOHANG, nil)
			if !errors.Is(err, unix.EINTR) {
				return pid == 0 && err == nil
			}
		}
	}
	held, err := held(p.state)
	return held || err != nil
}

// identify learns the pid of a wrapper that we did not start, as soon as it has
// written it. The lock is asked again at the end: only if it is held still was
// the pid the wrapper's when we took hold of it.
func (p *Process) identify() {
	if p.own || p.pid.Load() != 0 {
		return
	}
	rec, err := readRecords(p.state)
	if err != nil || !rec.begun || rec.pid <= 1 {
		return
	}
	fd := pidfdOpen(rec.pid)
	held, err := held(p.state)
	if err != nil || !held || !leads(rec.pid, p.id) || !p.pid.CompareAndSwap(0, int64(rec.pid)) {
		if fd >= 0 {
			unix.Close(fd)
		}
		return
	}
	p.exit.set(fd)
}

// leads says whether pid may be the wrapper of attempt id: it leads a session
// and a group, and bears the mark as far as the system lets that be seen.
func leads(pid int, id string) bool {
	sid, err := unix.Getsid(pid)
	if err != nil || sid != pid {
		return false
	}
	if pgid, err := unix.Getpgid(pid); err != nil || pgid != pid {
		return false
	}
	env, known := environOf(pid)
	return !known || hasMark(env, varAttempt+"="+id)
}
