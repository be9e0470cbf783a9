package proc

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// child is the script's shell, in a job object that ends all of it together, and
// with us: there is no wrapper here.
type child struct {
	mu  sync.Mutex
	job windows.Handle // 0 once the process has ended
}

// held would say whether a wrapper lives. None outlives us.
func held(*os.File) (bool, error) { return false, nil }

// follow has nothing to follow, since no attempt is ever found Alive.
func (p *Process) follow() { p.finish() }

// unwatch leaves the watching to the end of the server: to close the job would
// end the process.
func (p *Process) unwatch() {}

// Free does nothing: the files of a step are given back with its folder.
func (p *Process) Free(Stream, int64) error { return nil }

// openPlain opens a plain file for reading.
func openPlain(path string) (*os.File, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a plain file", path)
	}
	return os.Open(path)
}

// launch makes the folder and starts the script's shell. The shell is made
// standing still, put into the job, and noted in state before it may run: if the
// server dies in between, what is on record is true.
func (p *Process) launch(s *Spec) error {
	state, err := s.furnish()
	if err != nil {
		return err
	}
	if err := p.run(s, state); err != nil {
		state.Close()
		return err
	}
	return nil
}

// run starts the shell and hands state to the goroutine that waits for it.
func (p *Process) run(s *Spec, state *os.File) error {
	var err error
	if p.state, err = openPlain(filepath.Join(s.Dir, fileState)); err != nil {
		return fmt.Errorf("open state of attempt: %w", err)
	}
	write, err := p.outputs(s.Dir)
	defer func() { closeAll(write[:]) }()
	if err != nil {
		return err
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDONLY, 0)
	if err != nil {
		return fmt.Errorf("start attempt: %w", err)
	}
	defer null.Close()
	job, err := newJob()
	if err != nil {
		return err
	}
	own, err := os.StartProcess(s.Shell, slices.Concat([]string{s.Shell}, s.Flags, []string{filepath.ToSlash(s.file())}, s.Args), &os.ProcAttr{
		Dir: s.WorkDir, Env: s.environ(), Files: []*os.File{null, write[Stdout], write[Stderr]},
		Sys: &syscall.SysProcAttr{CreationFlags: windows.CREATE_SUSPENDED | windows.CREATE_NEW_PROCESS_GROUP, HideWindow: true},
	})
	if err != nil {
		windows.CloseHandle(job)
		return fmt.Errorf("start attempt: %w", err)
	}
	if err := release(own, job, state); err != nil {
		windows.CloseHandle(job)
		own.Kill()
		own.Wait()
		return err
	}
	p.job = job
	go p.watch(own, state)
	return nil
}

// release puts a process that stands still into the job and lets it run. If it
// gives an error, the process has not run.
func release(own *os.Process, job windows.Handle, state *os.File) error {
	var assigned error
	if err := own.WithHandle(func(h uintptr) { assigned = windows.AssignProcessToJobObject(job, windows.Handle(h)) }); err != nil {
		return fmt.Errorf("put attempt into its job object: %w", err)
	}
	if assigned != nil {
		return fmt.Errorf("put attempt into its job object: %w", assigned)
	}
	thread, err := firstThread(uint32(own.Pid))
	if err != nil {
		return err
	}
	defer windows.CloseHandle(thread)
	if _, err := fmt.Fprintf(state, "started %d\n", own.Pid); err != nil {
		return fmt.Errorf("write state of attempt: %w", err)
	}
	if _, err := windows.ResumeThread(thread); err != nil {
		return fmt.Errorf("let attempt run: %w", err)
	}
	return nil
}

// firstThread opens the one thread of a process that has not run yet.
func firstThread(pid uint32) (windows.Handle, error) {
	snap, err := windows.CreateToolhelp32Snapshot(windows.TH32CS_SNAPTHREAD, 0)
	if err != nil {
		return 0, fmt.Errorf("list threads: %w", err)
	}
	defer windows.CloseHandle(snap)
	entry := windows.ThreadEntry32{Size: uint32(unsafe.Sizeof(windows.ThreadEntry32{}))}
	for err = windows.Thread32First(snap, &entry); err == nil; err = windows.Thread32Next(snap, &entry) {
		if entry.OwnerProcessID == pid {
			thread, err := windows.OpenThread(windows.THREAD_SUSPEND_RESUME, false, entry.ThreadID)
			if err != nil {
				return 0, fmt.Errorf("open thread of attempt: %w", err)
			}
			return thread, nil
		}
	}
	return 0, fmt.Errorf("find thread of attempt: %w", err)
}

// newJob makes a job object whose processes end when we do.
func newJob() (windows.Handle, error) {
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return 0, fmt.Errorf("make job object: %w", err)
	}
	if err := limit(job, windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE); err != nil {
		windows.CloseHandle(job)
		return 0, err
	}
	return job, nil
}

// limit sets the flags of a job object.
func limit(job windows.Handle, flags uint32) error {
	info := windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION{
		BasicLimitInformation: windows.JOBOBJECT_BASIC_LIMIT_INFORMATION{LimitFlags: flags},
	}
	if _, err := windows.SetInformationJobObject(job, windows.JobObjectExtendedLimitInformation,
		uintptr(unsafe.Pointer(&info)), uint32(unsafe.Sizeof(info))); err != nil {
		return fmt.Errorf("limit job object: %w", err)
	}
	return nil
}

// watch waits for the shell, records its exit and closes done. What it left
// running is set free of the job.
func (p *Process) watch(own *os.Process, state *os.File) {
	ended, err := own.Wait()
	if err == nil {
		fmt.Fprintf(state, "exit %d\n", uint32(ended.ExitCode()))
	}
	state.Close()
	p.mu.Lock()
	limit(p.job, 0)
	windows.CloseHandle(p.job)
	p.job = 0
	p.mu.Unlock()
	// Close may have let go of state meanwhile; the result is then for nobody.
	p.finish()
}

// killedCode is the exit code of what Kill ended, as of a KILL elsewhere.
const killedCode = 137

// Kill ends the whole tree at once: there is no TERM here, so the grace is not
// used.
func (p *Process) Kill(ctx context.Context, _ time.Duration) error {
	p.mu.Lock()
	var err error
	if p.job != 0 {
		err = windows.TerminateJobObject(p.job, killedCode)
	}
	p.mu.Unlock()
	if err != nil {
		return fmt.Errorf("end attempt %s: %w", p.id, err)
	}
	select {
	case <-p.done:
		return nil
	case <-p.stop:
		return fmt.Errorf("end attempt %s: %w", p.id, errors.New("the server has let go of the attempt"))
	case <-ctx.Done():
		return fmt.Errorf("end attempt %s: %w", p.id, ctx.Err())
	}
}

// strays are none: what an attempt had ended with its job object.
func strays(string, string) (bool, error) { return false, nil }

// Sweep has nothing to do: what an attempt had ended with its job object.
func Sweep(string, string) error { return nil }
