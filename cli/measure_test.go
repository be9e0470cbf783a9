//go:build unix

package cli_test

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// alone keeps the tests of a campaign, which hold figures, from running beside
// others.
func alone(t *testing.T) {
	if !campaign {
		t.Parallel()
	}
}

// rounds is how many rounds a test has; in a campaign as many as the variable
// ROUNDS says, where it is to be a shorter one.
func rounds(everyday, full int) int {
	n, err := strconv.Atoi(os.Getenv("ROUNDS"))
	if campaign && err == nil && n > 0 {
		return n
	}
	return sized(everyday, full)
}

// sized is how much of something a test has.
func sized(everyday, full int) int {
	if campaign {
		return full
	}
	return everyday
}

// What of a process's memory is asked for, as /proc names it.
const (
	resident = "VmRSS:"
	peak     = "VmHWM:" // of what was resident since forgetPeak
)

// memory is the memory of a process in bytes.
func memory(t testing.TB, pid int, what string) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Skip("memory is read from /proc")
	}
	_, rest, _ := strings.Cut(string(text), what)
	var kb int64
	_, _ = fmt.Sscan(rest, &kb)
	return kb << 10
}

// forgetPeak makes what the process has now its peak.
func forgetPeak(t testing.TB, pid int) {
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0); err != nil {
		t.Skip("the peak of memory is read from /proc")
	}
}

// latencies are how long answers took.
type latencies []time.Duration

// percentile is the p-th of them, from 0 to 99.
func (l latencies) percentile(p int) time.Duration {
	slices.Sort(l)
	return l[len(l)*p/100]
}

// probe asks the server for paths, one after another, until stop is called;
// that returns how long each answer took.
func (s *server) probe(paths ...string) (stop func() latencies) {
	var all latencies
	end := make(chan struct{})
	var asking sync.WaitGroup
	asking.Go(func() {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for i := 0; ; i++ {
			began := time.Now()
			if code, err := s.rest(http.MethodGet, paths[i%len(paths)], "", nil); err != nil || code != http.StatusOK {
				s.t.Errorf("GET %s: %d %v", paths[i%len(paths)], code, err)
			}
			all = append(all, time.Since(began))
			select {
			case <-end:
				return
			case <-tick.C:
			}
		}
	})
	return func() latencies {
		close(end)
		asking.Wait()
		return all
	}
}
