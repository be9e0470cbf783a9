package proc

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"
)

// zombie is p_stat of a process that waits to be reaped (SZOMB).
const zombie = 5

// forEach visits every living process, the newest first: one that forks for ever
// and leaves its parents behind must be met before it has forked again.
func forEach(visit func(member)) error {
	all, err := unix.SysctlKinfoProcSlice("kern.proc.all")
	if err != nil {
		return fmt.Errorf("list processes: %w", err)
	}
	list := make([]member, 0, len(all))
	for i := range all {
		if m, ok := memberOf(&all[i]); ok {
			list = append(list, m)
		}
	}
	slices.SortFunc(list, func(a, b member) int {
		switch {
		case a.start > b.start:
			return -1
		case a.start < b.start:
			return 1
		}
		return b.pid - a.pid
	})
	for _, m := range list {
		visit(m)
	}
	return nil
}

// lookAt is what the system says of a living process.
func lookAt(pid int) (member, bool) {
	k, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	if err != nil || int(k.Proc.P_pid) != pid {
		return member{}, false
	}
	return memberOf(k)
}

// memberOf understands an entry of the system's table.
func memberOf(k *unix.KinfoProc) (member, bool) {
	if k.Proc.P_stat == zombie || k.Proc.P_pid <= 0 {
		return member{}, false
	}
	m := member{
		pid: int(k.Proc.P_pid), ppid: int(k.Eproc.Ppid), pgid: int(k.Eproc.Pgid), tty: k.Eproc.Tdev != -1,
		start: uint64(k.Proc.P_starttime.Sec)*1e6 + uint64(k.Proc.P_starttime.Usec),
	}
	sid, err := unix.Getsid(m.pid)
	if err != nil {
		return member{}, false
	}
	m.sid = sid
	return m, true
}

// environOf is the environment of a process, and whether it is known: the system
// shows it for processes of our own user that it does not protect. It follows
// the number of arguments, the path of the program, and the arguments.
func environOf(pid int) ([]byte, bool) {
	b, err := unix.SysctlRaw("kern.procargs2", pid)
	if err != nil || len(b) < 4 {
		return nil, false
	}
	argc := int(binary.NativeEndian.Uint32(b))
	b = b[4:]
	_, b, _ = bytes.Cut(b, []byte{0})
	b = bytes.TrimLeft(b, "\x00")
	for ; argc > 0; argc-- {
		_, b, _ = bytes.Cut(b, []byte{0})
	}
	return b, len(b) > 0
}

// holds would need calls that are to be had only through C here.
func holds(member, string) (writes, sits bool) { return false, false }

// launched says whether the wrapper has a child.
func launched(wrapper int) bool {
	found := false
	err := forEach(func(m member) { found = found || m.ppid == wrapper })
	return found || err != nil
}

// signal sends sig to the process that m was, and to no other that has its pid
// by now.
func (m member) signal(sig unix.Signal) error {
	if now, ok := lookAt(m.pid); !ok || now.start != m.start {
		return nil
	}
	return ignoreGone(unix.Kill(m.pid, sig))
}
