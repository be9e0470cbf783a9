package proc

import (
	"errors"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// wantPidfd asks for a pidfd of the child that is about to be made.
func wantPidfd(attr *syscall.SysProcAttr, fd *int) { attr.PidFD = fd }

// pidfdOpen takes hold of a process, -1 if that cannot be done.
func pidfdOpen(pid int) int {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return -1
	}
	return fd
}

// exitWait waits for the end of one process without keeping a thread.
type exitWait struct {
	mu     sync.Mutex
	f      *os.File // a pidfd in the runtime's poller; nil where there is none
	closed bool
}

// set gives it the pidfd to wait for; a negative one is none.
func (w *exitWait) set(fd int) {
	if fd < 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed || unix.SetNonblock(fd, true) != nil {
		unix.Close(fd)
		return
	}
	w.f = os.NewFile(uintptr(fd), "pidfd")
}

// wait returns true when the process has ended. It returns false when it cannot
// tell, or no longer wants to: the caller then looks for itself.
func (w *exitWait) wait() bool {
	w.mu.Lock()
	f := w.f
	w.mu.Unlock()
	if f == nil {
		return false
	}
	raw, err := f.SyscallConn()
	if err != nil {
		return false
	}
	ended := false
	err = raw.Read(func(fd uintptr) bool {
		set := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		n, err := unix.Poll(set, 0)
		ended = n == 1
		return ended || err != nil && !errors.Is(err, unix.EINTR)
	})
	if err == nil && ended {
		w.close() // waits no more: the rest is to be looked at
		return true
	}
	return false
}

// close makes wait return, and every later one return at once.
func (w *exitWait) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	if w.f != nil {
		w.f.Close()
		w.f = nil
	}
}
