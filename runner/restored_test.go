//go:build unix

package runner_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"stroem/store"
)

// What ran when a backup was made may have ended since, whatever this machine
// says of it: in a restored store it is neither followed nor started again.
func TestRestoredStepsAreInterruptedOrIdempotent(t *testing.T) {
	t.Parallel()
	for _, idempotent := range []bool{false, true} {
		t.Run(fmt.Sprint("idempotent ", idempotent), func(t *testing.T) {
			t.Parallel()
			ledger := filepath.Join(t.TempDir(), "ledger")
			r := newRig(t, fmt.Sprintf(`
actions:
  a: {type: script, idempotent: %v, script: "echo ran >> %s; read line < %[2]s.go"}
tasks:
  t: {flow: {s: {action: a}}}
`, idempotent, ledger))
			if err := syscall.Mkfifo(ledger+".go", 0o600); err != nil {
				t.Fatal(err)
			}
			job := r.submit("t", nil)
			r.until(job.ID, func(res result) bool { return res.steps["s"].Status == store.Running })
			await(t, ledger, 1)
			archive, dir := filepath.Join(t.TempDir(), "b.tar"), t.TempDir()
			if _, err := store.BackupFile(t.Context(), r.st.Dir(), archive, false); err != nil {
				t.Fatal(err)
			}
			open(t, ledger+".go") // the first one ends
			r.wait(job)
			r.halt()
			if _, err := store.Restore(t.Context(), archive, dir); err != nil {
				t.Fatal(err)
			}
			st, err := store.Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { st.Close() })
			r.st = st
			r.start()
			want := 1
			if idempotent {
				want = 2
				open(t, ledger+".go")
			}
			s := r.wait(job).steps["s"]
			if idempotent != (s.Status == store.Completed) || idempotent == strings.Contains(s.Error, "restored from a backup") {
				t.Errorf("step is %s: %s", s.Status, s.Error)
			}
			await(t, ledger, want)
		})
	}
}

// open lets whoever reads from the fifo go on.
func open(t testing.TB, fifo string) {
	t.Helper()
	if err := os.WriteFile(fifo, []byte("go\n"), 0); err != nil {
		t.Fatal(err)
	}
}

// await waits until the file has as many lines, and no more.
func await(t testing.TB, file string, lines int) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		text, _ := os.ReadFile(file)
		n := strings.Count(string(text), "\n")
		if n == lines {
			return
		}
		if n > lines || time.Now().After(end) {
			t.Fatalf("%s has %d lines, want %d", file, n, lines)
		}
	}
}
