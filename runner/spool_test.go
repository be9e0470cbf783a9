//go:build linux || darwin

package runner_test

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"stroem/store"
)

// TestSpoolStaysSmall has a step write much more than its log keeps: the disk
// gets back what was committed, while the step goes on, and no byte is read twice
// or from a hole, across a restart of the server too.
func TestSpoolStaysSmall(t *testing.T) {
	t.Parallel()
	const lines = 1_000_000 // of 32 bytes
	r := newRig(t, one(`write() { awk "BEGIN { for (i = $1; i < $2; i++) printf \"line %026d\\n\", i }"; }
write 0 500000; until [ -e on ]; do sleep 0.02; done
write 500000 1000000; until [ -e end ]; do sleep 0.02; done; echo the end`))
	job := r.submit("t", nil)
	step := r.until(job.ID, func(res result) bool { return res.LogLines == lines/2 }).steps["s"]
	r.halt()
	spool := func() (size, used int64) {
		info, err := os.Stat(filepath.Join(r.st.Dir(), "steps", step.Attempt, "out"))
		if err != nil {
			t.Fatal(err)
		}
		return info.Size(), info.Sys().(*syscall.Stat_t).Blocks * 512
	}
	if size, used := spool(); size != 16_000_000 || used > size-12_000_000 {
		t.Errorf("of %d bytes written, %d are held", size, used)
	}
	r.start()
	touch(t, filepath.Join(r.dir, "on"))
	r.until(job.ID, func(res result) bool { return res.LogLines == lines })
	touch(t, filepath.Join(r.dir, "end"))
	res := r.wait(job)
	if res.Status != store.Completed || res.LogLines != lines+1 {
		t.Errorf("job is %s with %d lines", res.Status, res.LogLines)
	}
	err := r.st.View(t.Context(), func(tx *store.Tx) error {
		kept, err := tx.LogLines(res.Seq, 0, 0, lines+1)
		for _, l := range kept[:len(kept)-1] {
			if want := fmt.Sprintf("line %026d", l.N); string(l.Text) != want {
				return fmt.Errorf("line %d is %q", l.N, l.Text)
			}
		}
		if last := kept[len(kept)-1]; string(last.Text) != "the end" || len(kept) < 30_000 {
			return fmt.Errorf("%d lines are kept, the last is %q", len(kept), last.Text)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestSpoolOfAFastWriter measures what the disk holds at most of the output of a
// step that writes as fast as it can.
func TestSpoolOfAFastWriter(t *testing.T) {
	r := newRig(t, one(fmt.Sprintf("yes 0123456789012345678901234567890123456789012345678901234567890 | head -c %d", spoolMiB<<20)))
	job := r.submit("t", nil)
	var peak int64
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for res := r.read(job.ID); !res.Status.Ended(); res = r.read(job.ID) {
		<-tick.C
		if info, err := os.Stat(filepath.Join(r.st.Dir(), "steps", res.steps["s"].Attempt, "out")); err == nil {
			peak = max(peak, info.Sys().(*syscall.Stat_t).Blocks*512)
		}
	}
	t.Logf("of %d MiB the disk held %d MiB at most", spoolMiB, peak>>20)
	if peak > 256<<20 {
		t.Error("that is too much")
	}
	if res := r.wait(job); res.Status != store.Completed || res.LogLines != spoolMiB<<20/62+1 {
		t.Errorf("job is %s with %d lines", res.Status, res.LogLines)
	}
}

func touch(t *testing.T, path string) {
	t.Helper()
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
}
