package proc

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// relists bounds how often one pass reads the table anew.
const relists = 20

// forEach visits every living process but the kernel's own, the newest first,
// and then those that have come meanwhile, until there are no more: one that
// forks for ever and leaves its parents behind must be met before it has forked
// again.
func forEach(visit func(member)) error {
	met := make(map[int]bool)
	for range relists {
		pids, err := listPids()
		if err != nil {
			return fmt.Errorf("list processes: %w", err)
		}
		pids = slices.DeleteFunc(pids, func(pid int) bool { return met[pid] })
		if len(pids) == 0 {
			break
		}
		for _, pid := range slices.Backward(pids) {
			met[pid] = true
			if m, ok := lookAt(pid); ok {
				visit(m)
			}
		}
	}
	return nil
}

// listPids gives the pids of all processes in rising order.
func listPids() ([]int, error) {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	pids := make([]int, 0, len(names))
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	return pids, nil
}

// lookAt is what the system says of a living process. One that waits to be
// reaped lives no more.
func lookAt(pid int) (member, bool) {
	m, dead, ok := statOf(pid)
	return m, ok && !dead
}

// statOf is what the system says of a process that is not the kernel's own.
func statOf(pid int) (m member, dead, ok bool) {
	var buf [1024]byte
	b, err := slurp("/proc/"+strconv.Itoa(pid)+"/stat", buf[:], len(buf))
	if err != nil {
		return m, false, false
	}
	// The name stands in brackets and may hold anything, brackets too.
	f := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	const state, ppid, pgrp, session, tty, flags, threads, start = 0, 1, 2, 3, 4, 6, 17, 19
	if len(f) <= start {
		return m, false, false
	}
	num := func(i int) int { n, _ := strconv.Atoi(string(f[i])); return n }
	const kernelThread = 0x00200000
	// A process whose first thread has returned looks like a zombie, and is none
	// as long as it has others.
	dead = f[state][0] == 'X' || f[state][0] == 'Z' && num(threads) <= 1
	if num(flags)&kernelThread != 0 {
		return m, false, false
	}
	at, err := strconv.ParseUint(string(f[start]), 10, 64)
	return member{pid: pid, ppid: num(ppid), pgid: num(pgrp), sid: num(session), tty: num(tty) != 0, start: at}, dead, err == nil
}

// maxEnviron bounds what is read of a process's environment or arguments.
const maxEnviron = 4 << 20

// slurp reads a file of /proc, at most limit bytes of it, into buf if it fits.
func slurp(path string, buf []byte, limit int) ([]byte, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	buf = buf[:cap(buf)]
	for n := 0; ; {
		if n == len(buf) {
			if n >= limit {
				return buf, nil
			}
			buf = append(buf, make([]byte, len(buf))...)
		}
		got, err := unix.Read(fd, buf[n:])
		switch {
		case err == unix.EINTR:
		case err != nil:
			return nil, err
		case got == 0:
			return buf[:n], nil
		default:
			n += got
		}
	}
}

// environOf is the environment of a process, and whether it is known: we may not
// see it, and for a moment in execve there is none to be seen.
func environOf(pid int) ([]byte, bool) {
	var buf [16 << 10]byte
	for range 3 {
		env, err := slurp("/proc/"+strconv.Itoa(pid)+"/environ", buf[:], maxEnviron)
		if err != nil {
			return nil, false
		}
		if len(env) > 0 {
			return env, true
		}
	}
	return nil, false
}

// holds says whether a process has the folder of an attempt in use: it has a
// file there open for writing, or its working directory lies there. What merely
// reads there (a backup, somebody's tail -f) is not of the attempt.
func holds(m member, dir string) (writes, sits bool) {
	if beingMade(m) {
		return false, false
	}
	base := "/proc/" + strconv.Itoa(m.pid)
	within := func(link string) bool {
		to, err := os.Readlink(link)
		return err == nil && (to == dir || strings.HasPrefix(to, dir+"/") || to == dir+" (deleted)")
	}
	sits = within(base + "/cwd")
	d, err := os.Open(base + "/fd")
	if err != nil {
		return false, sits
	}
	defer d.Close()
	fds, _ := d.Readdirnames(-1)
	for _, fd := range fds {
		if within(filepath.Join(base, "fd", fd)) && opensToWrite(base+"/fdinfo/"+fd) {
			return true, sits
		}
	}
	return false, sits
}

// opensToWrite reads the access mode of a descriptor.
func opensToWrite(info string) bool {
	var buf [1024]byte
	b, err := slurp(info, buf[:], len(buf))
	if err != nil {
		return false
	}
	_, rest, _ := bytes.Cut(b, []byte("flags:"))
	line, _, _ := bytes.Cut(rest, []byte{'\n'})
	flags, err := strconv.ParseInt(string(bytes.TrimSpace(line)), 8, 64)
	return err == nil && flags&unix.O_ACCMODE != unix.O_RDONLY
}

// beingMade says whether a process is one that we are just making: until it has
// exec'ed it has all of our own descriptors.
func beingMade(m member) bool {
	if m.ppid != os.Getpid() {
		return false
	}
	ours, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return false
	}
	its, err := os.Readlink("/proc/" + strconv.Itoa(m.pid) + "/exe")
	return err == nil && its == ours
}

// launched says whether the script's shell runs: the wrapper has a child that is
// no longer a copy of it.
func launched(wrapper int) bool {
	args := func(pid int) string {
		var buf [16 << 10]byte
		b, _ := slurp("/proc/"+strconv.Itoa(pid)+"/cmdline", buf[:], maxEnviron)
		return string(b)
	}
	pids, err := listPids()
	if err != nil {
		return true
	}
	for _, pid := range slices.Backward(pids) {
		if m, ok := lookAt(pid); ok && m.ppid == wrapper {
			return args(pid) != args(wrapper)
		}
	}
	return false
}

// signal sends sig to the process that m was, and to no other that has its pid
// by now.
func (m member) signal(sig unix.Signal) error {
	same := func() bool { now, ok := lookAt(m.pid); return ok && now.start == m.start }
	fd, err := unix.PidfdOpen(m.pid, 0)
	if err != nil { // gone, or a kernel without them
		if !same() {
			return nil
		}
		return ignoreGone(unix.Kill(m.pid, sig))
	}
	defer unix.Close(fd)
	if !same() {
		return nil
	}
	return ignoreGone(unix.PidfdSendSignal(fd, sig, nil, 0))
}
