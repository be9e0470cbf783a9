package proc

import "syscall"

// Processes are looked at here: a kqueue that waits for one cannot be stopped
// by the runtime's poller.

func wantPidfd(*syscall.SysProcAttr, *int) {}

func pidfdOpen(int) int { return -1 }

// exitWait never knows.
type exitWait struct{}

func (*exitWait) set(int)    {}
func (*exitWait) wait() bool { return false }
func (*exitWait) close()     {}
