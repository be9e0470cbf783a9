//go:build linux

package cli_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestFailedWritesLoseNothing has the n-th write, and the n-th fsync, of each
// of a server's threads fail, some once and some several times over, and looks
// at what became of the jobs that were asked for meanwhile.
func TestFailedWritesLoseNothing(t *testing.T) {
	t.Parallel()
	needStrace(t)
	faults := make(chan fault)
	var wg sync.WaitGroup
	var sum tally
	for range 4 {
		wg.Go(func() {
			for f := range faults {
				t.Run(f.String(), func(t *testing.T) { f.run(t, &sum) })
			}
		})
	}
	step := sized(250, 2)
	for n := 1; n <= 500; n += step {
		faults <- fault{n, "EIO", 1}
		faults <- fault{n + step/2, "ENOSPC", 3}
	}
	close(faults)
	wg.Wait()
	t.Logf("%d runs, %d of them with failed calls, %d in all; %d did not start; %d jobs accepted, %d refused; back to work after %s at most",
		sum.runs, sum.struck, sum.injected, sum.unstarted, sum.accepted, sum.refused, sum.slowest.Round(time.Millisecond))
}

// tally adds up what was done and seen.
type tally struct {
	mu                                sync.Mutex
	runs, struck, injected, unstarted int
	accepted, refused                 int
	slowest                           time.Duration
}

// fault is what goes wrong in one run.
type fault struct {
	n     int
	errno string
	times int // in a row
}

func (f fault) String() string { return fmt.Sprintf("%s at %d", f.errno, f.n) }

func (f *fault) run(t *testing.T, sum *tally) {
	dir, ledger := printing(t, 900_000)
	home, cfg := inMemory(t), config(t, "w", dir)
	inject := fmt.Sprintf("inject=pwrite64,fsync,fdatasync:error=%s:when=%d..%d", f.errno, f.n, f.n+f.times-1)
	s, trace, err := straced(t, home, cfg, "-e", "trace=pwrite64,fsync,fdatasync", "-e", inject)
	var names []string
	var refused int
	var took time.Duration
	if err != nil {
		if !strings.Contains(err.Error(), "cannot be read or written: ") && !strings.Contains(err.Error(), " is full: ") {
			t.Errorf("the start that failed says: %v", err)
		}
	} else {
		names, refused, took = f.load(t, s)
		s.kill(syscall.SIGKILL)
	}
	injected := 0
	readTrace(t, trace, func(c call) {
		if c.injected {
			injected++
		}
	})
	data := filepath.Join(home, "stroem")
	again := serve(t, home, t.TempDir(), cfg, "XDG_DATA_HOME="+home)
	if last, _, said := again.submit("last"); last == "" || again.awaitREST(last) != "completed" {
		t.Errorf("the next server: %s", said)
	}
	again.kill(syscall.SIGTERM)
	if err := intact(filepath.Join(data, "stroem.db")); err != nil {
		t.Error(err)
	}
	ranOnce(t, ledger, append(names, "last"))
	sum.mu.Lock()
	defer sum.mu.Unlock()
	sum.runs, sum.injected = sum.runs+1, sum.injected+injected
	if injected > 0 {
		sum.struck++
	}
	if err != nil {
		sum.unstarted++
	}
	sum.accepted, sum.refused = sum.accepted+len(names), sum.refused+refused
	sum.slowest = max(sum.slowest, took)
}

// load asks for jobs until enough was written for the fault to come, and sees
// those that were accepted to their end. It gives their names, how many others
// were refused, and how long after the last refusal all was well.
func (f *fault) load(t *testing.T, s *server) (names []string, refused int, took time.Duration) {
	t.Helper()
	var ids []string
	last := time.Now()
	for i := range 3 + f.n/100 {
		name := fmt.Sprint("n", i)
		id, status, said := s.submit(name)
		if id != "" {
			ids, names = append(ids, id), append(names, name)
			if i%4 == 3 {
				s.awaitREST(id)
			}
			continue
		}
		refused, last = refused+1, time.Now()
		if status != http.StatusServiceUnavailable || !strings.Contains(said, "was not started: the disk of the server's data folder") {
			t.Errorf("refused with %d %s", status, said)
		}
	}
	for i, id := range ids {
		if got := s.awaitREST(id); got != "completed" {
			_, said := s.said(http.MethodGet, "/api/jobs/"+id, "")
			t.Errorf("job %s is %s: %s", names[i], got, said)
		}
	}
	poll(t, s.healthy, func(got string) bool { return strings.Contains(got, `"ok"`) })
	if took = time.Since(last); refused > 0 && took > healWithin {
		t.Errorf("back to work after %s", took)
	}
	if lines := s.troubles(); len(lines) > 1 {
		t.Errorf("it is logged %d times:\n%s", len(lines), strings.Join(lines, ""))
	}
	return names, refused, took
}
