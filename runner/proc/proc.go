// Package proc runs one child process to its end, even past our own death, and
// hands over its output.
//
// An attempt lives in a folder of its own: the script, what it writes to stdout
// and stderr, and the file state, in which a small wrapper around the script
// notes that it began and how it ended. On Unix the wrapper, and nobody else,
// holds a lock on state for as long as it lives, so whoever comes later can tell
// a running attempt from an ended one without being its parent.
//
// An attempt's processes are known by its session, the mark in their environment,
// their parents, and what they hold open in its folder, whatever they do to get
// away from some of these. On Linux, where the server may make cgroups (version
// 2) below its own, each attempt has one, and nothing gets away; elsewhere what
// drops its environment, parent, session and files at once does (env -i setsid, in
// the background). On macOS the table of processes shows neither the files of a
// process nor the environment of other users' and of protected programs: sessions,
// parents and the mark are what there is. On Windows a job object holds all of an
// attempt; there a step ends with the server, nothing is asked to end before it is
// made to, and the server itself writes the notes.
package proc

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

// Names in an attempt's folder.
const (
	fileScript = "script"
	fileOut    = "out"
	fileErr    = "err"
	fileState  = "state"
	fileOutput = "output"
	fileEnv    = "env"
	fileCgroup = "cgroup"
)

// Variables that every script finds in its environment.
const (
	varAttempt = "STROEM_ATTEMPT"
	varOutput  = "STROEM_OUTPUT"
)

// settleFor is how long a wrapper is waited for that has been spawned and has not
// begun. It takes a millisecond or two.
const settleFor = time.Second

// maxOutput is how much Output gives back at most.
const maxOutput = 1 << 20

// Spec says what to run and where its attempt's folder is.
type Spec struct {
	// Dir is the attempt's folder. Start makes it.
	Dir string
	// ID is the attempt's id. It stands in the environment as STROEM_ATTEMPT,
	// the mark by which processes of the attempt are found.
	ID string
	// Shell is the interpreter that runs the script: an absolute path, or a name
	// that is looked up in the PATH of Env, or in ours where Env has none.
	Shell string
	// Flags are the arguments of Shell before the script's file.
	Flags []string
	// Script is the text that Shell is given as a file, Name the file's name:
	// "script" when empty. Some interpreters go by how it ends.
	Script string
	Name   string
	// Args are the positional arguments of the script.
	Args []string
	// Env is the whole environment, KEY=value, the last of a key wins. Start
	// adds STROEM_ATTEMPT and STROEM_OUTPUT.
	Env []string
	// WorkDir is where the script runs.
	WorkDir string
	// Files are written into Dir beside the script, by plain names.
	Files map[string][]byte
	// Folders are made in Dir for the script to write into, by plain names.
	Folders []string

	// wrapper is the shell that runs the wrapper, /bin/sh when empty. Tests set
	// it to see that others do as well.
	wrapper []string
	// noCgroup is set by tests to see that it goes without as well.
	noCgroup bool
}

// Stream is one of the two that a script writes to.
type Stream int

// The streams of a process.
const (
	Stdout Stream = iota
	Stderr
)

// State is what Attach found.
type State int

// What can have become of an attempt.
const (
	// Ended: its exit is recorded.
	Ended State = iota
	// Alive: its wrapper runs.
	Alive
	// NeverBegan: nothing of the script has run, and nothing will.
	NeverBegan
	// Lost: it began and its wrapper is gone without a record of its exit.
	Lost
)

// String names the state as messages do.
func (s State) String() string {
	switch s {
	case Ended:
		return "ended"
	case Alive:
		return "alive"
	case NeverBegan:
		return "never began"
	case Lost:
		return "lost"
	}
	return fmt.Sprintf("State(%d)", int(s))
}

// Result is how a process ended.
type Result struct {
	// ExitCode is the script's, 128+n if signal n ended it, -1 if it is not known.
	ExitCode int
	// Lost says that the wrapper ended without recording an exit.
	Lost bool
}

// Process is one attempt, running or ended.
type Process struct {
	dir, id string

	state *os.File    // read-only, not the description that is locked; nil if there is none
	out   [2]*os.File // for reading; nil if there is none
	shift [2]atomic.Int64

	done   chan struct{} // closed once result stands
	result Result
	stop   chan struct{} // closed by Close
	once   sync.Once     // of Close

	child // what the system at hand needs to watch and end it
}

// Start runs s and returns as soon as its wrapper is under way. When it returns
// an error nothing has run, and nothing will.
func Start(s Spec) (*Process, error) {
	dir, err := filepath.Abs(s.Dir)
	if err != nil {
		return nil, fmt.Errorf("find folder %s: %w", s.Dir, err)
	}
	s.Dir = dir
	if err := s.check(); err != nil {
		return nil, err
	}
	if err := vacant(dir, s.ID); err != nil {
		return nil, err
	}
	p := newProcess(dir, s.ID)
	if err := p.launch(&s); err != nil {
		p.letGo()
		os.RemoveAll(dir) // what stays says truly that nothing began
		return nil, err
	}
	return p, nil
}

// Attach finds an attempt again after a restart of the server, and looks after
// it from then on if it is Alive. The process it returns is never nil without an
// error: what there is of its output can be read in every state.
func Attach(dir, id string) (*Process, State, error) {
	p, err := open(dir, id)
	if err != nil {
		return nil, Lost, err
	}
	state, err := p.settled()
	if err != nil {
		p.letGo()
		return nil, Lost, fmt.Errorf("look at attempt %s: %w", id, err)
	}
	if state == NeverBegan && p.state == nil {
		// Somebody may have taken the folder away from under a living step.
		found, err := strays(dir, id)
		if err != nil {
			p.letGo()
			return nil, Lost, fmt.Errorf("look for attempt %s: %w", id, err)
		}
		if found {
			state = Lost
		}
	}
	if state == Alive {
		p.follow()
	} else {
		p.finish()
	}
	return p, state, nil
}

// newProcess is a process that has nothing open yet.
func newProcess(dir, id string) *Process {
	return &Process{dir: dir, id: id, done: make(chan struct{}), stop: make(chan struct{})}
}

// open opens what there is of an attempt.
func open(dir, id string) (*Process, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("find folder %s: %w", dir, err)
	}
	p := newProcess(dir, id)
	for name, f := range map[string]**os.File{fileState: &p.state, fileOut: &p.out[Stdout], fileErr: &p.out[Stderr]} {
		*f, err = openPlain(filepath.Join(dir, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			p.letGo()
			return nil, fmt.Errorf("open attempt %s: %w", id, err)
		}
	}
	return p, nil
}

// look says what has become of the attempt. The lock is asked before the file is
// read: once it is free, no record can follow.
func (p *Process) look() (State, error) {
	if p.state == nil {
		return NeverBegan, nil
	}
	held, err := held(p.state)
	if err != nil {
		return Lost, err
	}
	if held {
		return Alive, nil
	}
	rec, err := readRecords(p.state)
	switch {
	case err != nil:
		return Lost, err
	case rec.ended:
		return Ended, nil
	case rec.begun:
		return Lost, nil
	}
	return NeverBegan, nil
}

// settled is look, but gives a wrapper that has not noted that it began a while
// to do so. Right after a crash something else may hold the lock: a child that
// the server was making at that moment for another purpose has all of its
// descriptors until it execs or ends.
func (p *Process) settled() (State, error) {
	for end := time.Now().Add(settleFor); ; <-time.After(2 * time.Millisecond) {
		state, err := p.look()
		if err != nil || state != Alive || time.Now().After(end) {
			return state, err
		}
		if rec, err := readRecords(p.state); err != nil || rec.begun {
			return state, err
		}
	}
}

// finish notes the result. It is called once, when the wrapper is known to have
// ended: what counts is its record, not what a parent is told.
func (p *Process) finish() {
	p.result = Result{ExitCode: -1, Lost: true}
	if p.state != nil {
		if rec, err := readRecords(p.state); err == nil && rec.ended {
			p.result = Result{ExitCode: rec.code}
		}
	}
	close(p.done)
}

// Done is closed when the process has ended. All that it wrote is then there to
// be read. It stays open after Close if the process was still running.
func (p *Process) Done() <-chan struct{} { return p.done }

// Result is how the process ended. It stands once Done is closed.
func (p *Process) Result() Result { return p.result }

// ended says whether Done is closed.
func (p *Process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// Read reads what the step wrote to stream from byte off on. It returns io.EOF
// when nothing more is there now, which says nothing about later. One reader a
// stream, which goes forward: a script that truncates its own output (a shell
// does on `> /dev/stderr`) makes the file start anew, and what comes then is
// given from where the reader stood. What it truncates before it was read is lost,
// and so is the beginning of what comes then, if that outgrows what there was
// before the next look: nothing tells such a file from one that only grew. A
// script that means to append says `>&2` or `>> /dev/stderr`.
func (p *Process) Read(stream Stream, off int64, buf []byte) (int, error) {
	f := p.out[stream]
	if f == nil {
		return 0, io.EOF
	}
	at := off - p.shift[stream].Load()
	if at < 0 {
		at = off
	}
	n, err := f.ReadAt(buf, at)
	if n > 0 || len(buf) == 0 {
		return n, nil
	}
	if !errors.Is(err, io.EOF) {
		return 0, fmt.Errorf("read output of attempt %s: %w", p.id, err)
	}
	info, err := f.Stat()
	if err != nil {
		return 0, fmt.Errorf("read output of attempt %s: %w", p.id, err)
	}
	if info.Size() >= at {
		return 0, io.EOF
	}
	p.shift[stream].Store(off)
	if n, _ = f.ReadAt(buf, 0); n > 0 {
		return n, nil
	}
	return 0, io.EOF
}

// Size is how far the output to stream can be read now, in the offsets of
// Read.
func (p *Process) Size(stream Stream) (int64, error) {
	f := p.out[stream]
	if f == nil {
		return 0, nil
	}
	info, err := f.Stat()
	if err != nil {
		return 0, fmt.Errorf("size of the output of attempt %s: %w", p.id, err)
	}
	return info.Size() + p.shift[stream].Load(), nil
}

// Output is what the script wrote to $STROEM_OUTPUT, nil if that is nothing. It
// gives an error above 1 MiB, and when the script left anything but a plain file.
func (p *Process) Output() ([]byte, error) {
	path := filepath.Join(p.dir, fileOutput)
	f, err := openPlain(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read $%s: %w", varOutput, err)
	}
	defer f.Close()
	// One byte more than is allowed tells "too much" from "just enough".
	b, err := io.ReadAll(io.LimitReader(f, maxOutput+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read $%s: %w", varOutput, err)
	case len(b) > maxOutput:
		return nil, fmt.Errorf("the script wrote more than 1 MiB to $%s", varOutput)
	case len(b) == 0:
		return nil, nil
	}
	return b, nil
}

// Close lets go of what is open and stops watching, without touching the
// process. On Windows the process ends with the server all the same.
func (p *Process) Close() error {
	p.once.Do(func() {
		close(p.stop)
		p.unwatch()
		p.letGo()
	})
	return nil
}

// letGo closes the files.
func (p *Process) letGo() {
	for _, f := range []*os.File{p.state, p.out[Stdout], p.out[Stderr]} {
		if f != nil {
			f.Close()
		}
	}
}

// Remove closes an ended process and deletes its folder.
func (p *Process) Remove() error {
	if !p.ended() {
		return fmt.Errorf("remove attempt %s: it is still running", p.id)
	}
	p.Close()
	return Remove(p.dir)
}
