//go:build unix

package proc

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Descriptors that the wrapper has and the script has not.
const (
	fdErr   = 8 // the step's stderr; the wrapper's own is /dev/null
	fdState = 9 // state, whose lock it holds by having it open
)

// The wrapper uses what is built into every sh, so that no PATH and no function
// can come between. It catches signals and does nothing about them: one that is
// ignored instead would be ignored in the script as well. `started` must be on
// record before the script can be running: an attempt without it is run again.
// The script's shell is exec'ed in a subshell because a plain command could be
// taken for a function, and has neither of the two descriptors.
const (
	wrapperTraps = "trap : HUP INT QUIT PIPE ALRM TERM USR1 USR2 XCPU XFSZ VTALRM PROF\n"
	wrapperRun   = `echo "started $$" >&9 || exit 125
(exec "$@" 2>&8 8>&- 9>&-)
echo "exit $?" >&9
`
)

// wrapperShell is what runs the wrapper.
var wrapperShell = []string{"/bin/sh"}

// launch makes the folder and starts the wrapper in it. The lock is taken before
// the wrapper exists and handed down with the descriptor, so there is no moment
// at which it runs, or may still run, and the lock is free.
func (p *Process) launch(s *Spec) error {
	lock, err := s.furnish()
	if err != nil {
		return err
	}
	defer lock.Close() // from here on the wrapper alone holds it
	if err := control(lock, func(fd int) error { return unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) }); err != nil {
		return fmt.Errorf("lock state of attempt: %w", err)
	}
	if p.state, err = openPlain(filepath.Join(s.Dir, fileState)); err != nil {
		return fmt.Errorf("open state of attempt: %w", err)
	}
	write, err := p.outputs(s.Dir)
	defer func() { closeAll(write[:]) }()
	if err != nil {
		return err
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("start attempt: %w", err)
	}
	defer null.Close()
	argv, env, err := s.wrap()
	if err != nil {
		return err
	}
	files := make([]*os.File, fdState+1) // nil is closed
	files[0], files[1], files[2], files[fdErr], files[fdState] = null, write[Stdout], null, write[Stderr], lock
	return p.spawn(s, argv, &os.ProcAttr{Dir: s.WorkDir, Env: env, Files: files})
}

// spawn starts the wrapper as a child of ours and watches it.
func (p *Process) spawn(s *Spec, argv []string, attr *os.ProcAttr) error {
	attr.Sys = &syscall.SysProcAttr{Setsid: true}
	pidfd := -1
	wantPidfd(attr.Sys, &pidfd)
	path := wrapperShell[0]
	if len(s.wrapper) > 0 {
		path = s.wrapper[0]
	}
	group := newCgroup(s)
	own, err := group.start(path, argv, attr)
	switch {
	case errors.Is(err, unix.E2BIG):
		return errors.New("start attempt: arguments and environment together are more than this system allows")
	case err != nil:
		return fmt.Errorf("start attempt: %w", err)
	}
	p.pid.Store(int64(own.Pid))
	p.own = true
	own.Release() // it is reaped by watch
	p.begin(pidfd)
	return nil
}

// wrap gives the arguments and the environment of the wrapper. Variables that a
// shell would not carry, or would be led astray by, go around it: they are set
// by env(1) between the wrapper and the script's shell, from a file, since the
// wrapper's own arguments can be read by every user of the machine.
func (s *Spec) wrap() (argv, env []string, err error) {
	var around []string
	for _, kv := range s.environ() {
		if carried(kv) {
			env = append(env, kv)
		} else {
			around = append(around, kv)
		}
	}
	text := wrapperTraps + wrapperRun
	if len(around) > 0 {
		if strings.Contains(s.Shell, "=") { // env(1) would take it for a variable
			return nil, nil, fmt.Errorf("interpreter %s: a path with an equals sign cannot be used together with variable %s", s.Shell, key(around[0]))
		}
		tool, err := lookPath("env", nil)
		if err != nil {
			return nil, nil, fmt.Errorf("set variable %s: %w", key(around[0]), err)
		}
		var b strings.Builder
		b.WriteString("set -- " + quote(tool) + " --")
		for _, kv := range around {
			b.WriteString(" " + quote(kv))
		}
		b.WriteString(" \"$@\"\n")
		path := filepath.Join(s.Dir, fileEnv)
		if err := writeNew(path, []byte(b.String())); err != nil {
			return nil, nil, err
		}
		text = wrapperTraps + ". " + quote(path) + "\n" + wrapperRun
	}
	argv0 := wrapperShell
	if len(s.wrapper) > 0 {
		argv0 = s.wrapper[1:]
	}
	argv = append(argv[:0:0], argv0...)
	argv = append(argv, "-c", text, "stroem-attempt", s.Shell)
	return slices.Concat(argv, s.Flags, []string{s.file()}, s.Args), env, nil
}

// Variables that some sh drops, resets, refuses to start with, or obeys.
var strange = map[string]bool{
	"ENV": true, "IFS": true, "PS1": true, "PS2": true, "PS4": true, "OPTIND": true, "LINENO": true,
	"PPID": true, "UID": true, "EUID": true, "RANDOM": true, "SRANDOM": true, "SECONDS": true,
	"EPOCHSECONDS": true, "EPOCHREALTIME": true, "DIRSTACK": true, "GROUPS": true, "HISTCMD": true,
	"FUNCNAME": true, "FUNCNEST": true, "SHELLOPTS": true, "COMP_WORDBREAKS": true, "POSIXLY_CORRECT": true,
}

// carried says whether a shell hands a variable on as it is, unharmed by it.
func carried(kv string) bool {
	k, v, _ := strings.Cut(kv, "=")
	for i := 0; i < len(k); i++ {
		c := k[i]
		letter := c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	for _, prefix := range []string{"BASH", "LD_", "DYLD_"} {
		if strings.HasPrefix(k, prefix) {
			return false
		}
	}
	// "() {" is how old shells hand a function down.
	return k != "" && !strange[k] && !strings.HasPrefix(v, "()")
}

// quote makes one word of the shell of any bytes.
func quote(v string) string { return "'" + strings.ReplaceAll(v, "'", `'\''`) + "'" }
