//go:build linux

package cli_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// healWithin is how soon after there is space again all must be well.
const healWithin = 10 * time.Second

// small is a server whose data folder is on a small disk of its own, which
// goes with it.
type small struct {
	*server
	disk string // the disk's folder as we reach it
}

// serveSmall mounts a file system in memory, with the given options, where
// only the server sees it.
func serveSmall(t *testing.T, options, cfg string) *small {
	t.Helper()
	flags := []string{"-m"}
	if os.Geteuid() != 0 {
		flags = []string{"-r", "-m"}
	}
	mount := func(dir string) []string {
		return append(flags, "sh", "-c", `mount -t tmpfs -o "$1" none "$2" && shift 2 && exec "$@"`, "sh", options, dir)
	}
	if out, err := exec.Command("unshare", append(mount(t.TempDir()), "true")...).CombinedOutput(); err != nil {
		t.Skipf("skipped: a small disk cannot be mounted here: %v %s", err, out)
	}
	home := t.TempDir()
	s := &server{t: t, ended: make(chan struct{}), cmd: exec.Command("unshare", append(mount(home), "stroem", "serve")...)}
	s.cmd.Dir = t.TempDir()
	s.cmd.Env = append(os.Environ(), "HOME="+home, "XDG_DATA_HOME="+home, "STROEM__LISTEN=127.0.0.1:0", cfg)
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.kill(syscall.SIGKILL) })
	disk := fmt.Sprintf("/proc/%d/root%s", s.cmd.Process.Pid, home)
	return &small{server: s, disk: disk}
}

// fill takes all the space there is.
func (s *small) fill() {
	s.t.Helper()
	f, err := os.OpenFile(filepath.Join(s.disk, "ballast"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		s.t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size > 0; {
		if _, err := f.Write(make([]byte, size)); errors.Is(err, syscall.ENOSPC) {
			size /= 2
		} else if err != nil {
			s.t.Fatal(err)
		}
	}
}

func (s *small) free() {
	s.t.Helper()
	if err := os.Remove(filepath.Join(s.disk, "ballast")); err != nil {
		s.t.Fatal(err)
	}
}

// end kills the server and gives a copy of its database.
func (s *small) end() (path string) {
	s.t.Helper()
	root, err := os.OpenRoot(filepath.Join(s.disk, "stroem")) // keeps the disk there
	if err != nil {
		s.t.Fatal(err)
	}
	defer root.Close()
	s.kill(syscall.SIGKILL)
	dir := s.t.TempDir()
	for _, name := range []string{"stroem.db", "stroem.db-wal"} {
		b, err := root.ReadFile(name)
		if err != nil {
			s.t.Fatal(err)
		}
		write(s.t, dir, name, string(b))
	}
	return filepath.Join(dir, "stroem.db")
}

// troubles are the lines of the server's log that tell of something wrong.
func (s *server) troubles() (lines []string) {
	for line := range strings.Lines(s.log()) {
		if strings.Contains(line, `"level":"ERROR"`) || strings.Contains(line, `"level":"WARN"`) {
			lines = append(lines, line)
		}
	}
	return lines
}

func (s *server) healthy() string {
	_, said := s.said(http.MethodGet, "/healthz", "")
	return said
}

func TestFullDiskIsSaidAndHealsByItself(t *testing.T) {
	t.Parallel()
	dir, ledger := printing(t, 100_000)
	out := filepath.Dir(ledger)
	write(t, dir, "busy.yaml", fmt.Sprintf(`
tasks:
  busy: {flow: {s: {type: script, script: 'while [ ! -e %[1]s/stop ]; do echo alive; echo x >> %[1]s/beats; sleep 0.02; done; exit 7'}}}
  late: {timeout: 2s, flow: {s: {type: script, script: 'sleep 1000'}}}
`, out))
	s := serveSmall(t, "size=16m", config(t, "w", dir))
	busy := s.execute("w", "busy", nil)
	poll(t, func() string { return s.ask("get_job_logs", map[string]any{"job_id": busy}) },
		func(got string) bool { return strings.Contains(got, "alive") })
	first, _, said := s.submit("before")
	if first == "" || s.awaitREST(first) != "completed" {
		t.Fatal(said)
	}

	late := s.execute("w", "late", nil)
	s.await(late, "running")
	s.fill()
	accepted := s.submitUntilRefused()
	s.saysFull(busy)
	beats := func() (n int) { b, _ := os.ReadFile(out + "/beats"); return len(b) }
	was := beats()
	poll(t, func() string { return "its script stands still" }, func(string) bool { return beats() > was+10 })
	write(t, out, "stop", "") // the step ends, and its end cannot be written
	s.waitsOut(2 * time.Second)
	if lines := s.troubles(); len(lines) != 1 || !strings.Contains(lines[0], "is full") {
		t.Errorf("the log tells of the full disk %d times:\n%s", len(lines), strings.Join(lines, ""))
	}

	s.free()
	began := time.Now()
	poll(t, s.healthy, func(got string) bool { return strings.Contains(got, `"ok"`) })
	if got := s.awaitREST(busy); got != "failed" {
		t.Errorf("the step that ended meanwhile: the job is %s", got)
	}
	if got := s.awaitREST(late); got != "cancelled" {
		t.Errorf("the job whose time was up meanwhile is %s", got)
	}
	last, _, said := s.submit("after")
	if last == "" {
		t.Fatal(said)
	}
	for _, id := range append(accepted, last) {
		if got := s.awaitREST(id); got != "completed" {
			t.Errorf("job %s is %s", id, got)
		}
	}
	if took := time.Since(began); took > healWithin {
		t.Errorf("back to work after %s", took)
	} else {
		t.Logf("back to work after %s; %d jobs were accepted on the full disk", took, len(accepted))
	}
	if err := intact(s.end()); err != nil {
		t.Error(err)
	}
	ranOnce(t, ledger, append(namesOf("full", len(accepted)), "before", "after"))
}

// namesOf gives prefix0, prefix1 and so on.
func namesOf(prefix string, n int) (names []string) {
	for i := range n {
		names = append(names, fmt.Sprint(prefix, i))
	}
	return names
}

// submitUntilRefused gives the jobs for which there was room still, in the WAL.
func (s *small) submitUntilRefused() (ids []string) {
	s.t.Helper()
	for {
		id, status, said := s.submit(fmt.Sprint("full", len(ids)))
		if id == "" {
			if status != http.StatusServiceUnavailable || !strings.Contains(said, `task \"p\" was not started: the disk of the server's data folder is full`) {
				s.t.Errorf("refused with %d %s", status, said)
			}
			return ids
		}
		ids = append(ids, id)
	}
}

// saysFull asks at each door for what needs the disk.
func (s *small) saysFull(job string) {
	s.t.Helper()
	if got := s.healthy(); got != `{"db":"error","status":"unhealthy"}`+"\n" {
		s.t.Errorf("/healthz while the disk is full: %s", got)
	}
	if texts, isError := s.call("execute_task", map[string]any{"workspace": "w", "task_name": "p", "input": map[string]any{"n": "mcp"}}); !isError ||
		!strings.Contains(strings.Join(texts, ""), "is full; free some space there and try again") {
		s.t.Errorf("execute_task: %v", texts)
	}
	if status, said := s.said(http.MethodPost, "/api/jobs/"+job+"/cancel", ""); status != 503 || !strings.Contains(said, "was not cancelled: the disk") {
		s.t.Errorf("cancel: %d %s", status, said)
	}
}

// waitsOut lets time pass in which what is wrong could show.
func (s *server) waitsOut(d time.Duration) {
	select {
	case <-time.After(d):
	case <-s.ended:
		s.t.Fatalf("the server ended: %s", s.log())
	}
}

// ranOnce looks in the ledger: both steps of each of the jobs ran once, and
// nothing else did.
func ranOnce(t *testing.T, ledger string, names []string) {
	t.Helper()
	text, err := os.ReadFile(ledger)
	if err != nil {
		t.Fatal(err)
	}
	ran := map[string]int{}
	for line := range strings.Lines(string(text)) {
		ran[strings.TrimSpace(line)]++
	}
	for _, name := range names {
		for _, step := range []string{" first", " second"} {
			if n := ran[name+step]; n != 1 {
				t.Errorf("%s%s ran %d times", name, step, n)
			}
			delete(ran, name+step)
		}
	}
	if len(ran) > 0 {
		t.Errorf("ran without being accepted: %v", ran)
	}
}

// Where there is room in the database and none for a step's files, the step
// waits: it has done nothing yet, so it has not failed.
func TestStepWaitsForRoomForItsFiles(t *testing.T) {
	t.Parallel()
	dir, ledger := printing(t, 100_000)
	s := serveSmall(t, "size=64m,nr_inodes=100", config(t, "w", dir))
	taken := 0
	for ; ; taken++ {
		err := os.WriteFile(filepath.Join(s.disk, fmt.Sprint("file", taken)), nil, 0o600)
		if errors.Is(err, syscall.ENOSPC) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	id, _, said := s.submit("waits")
	if id == "" {
		t.Fatal(said)
	}
	poll(t, s.log, func(log string) bool { return strings.Contains(log, "start step when there is space") })
	s.waitsOut(time.Second)
	if lines := s.troubles(); len(lines) != 1 {
		t.Errorf("it is logged %d times:\n%s", len(lines), strings.Join(lines, ""))
	}
	for n := range taken {
		if err := os.Remove(filepath.Join(s.disk, fmt.Sprint("file", n))); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.awaitREST(id); got != "completed" {
		t.Errorf("the job is %s", got)
	}
	ranOnce(t, ledger, []string{"waits"})
}

// Artifacts that do not fit are written once, which takes the rest of the disk
// for a moment, and then not again before they do.
func TestArtifactsThatDoNotFitAreNotWrittenAgain(t *testing.T) {
	t.Parallel()
	dir, ledger := printing(t, 10)
	out := filepath.Dir(ledger)
	write(t, dir, "left.yaml", fmt.Sprintf(`
tasks:
  left: {flow: {s: {type: script, script: 'head -c 8388608 /dev/zero > "$ARTIFACTS_DIR/a"; echo ready; until [ -e %s/go ]; do sleep 0.02; done'}}}
`, out))
	s := serveSmall(t, "size=40m", config(t, "w", dir))
	id := s.execute("w", "left", nil)
	poll(t, func() string { return s.ask("get_job_logs", map[string]any{"job_id": id}) },
		func(got string) bool { return strings.Contains(got, "ready") })
	var space syscall.Statfs_t
	if err := syscall.Statfs(s.disk, &space); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.disk, "ballast"), make([]byte, int(space.Bavail)*int(space.Bsize)-4<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	write(t, out, "go", "")
	poll(t, s.log, func(log string) bool { return strings.Contains(log, "keep artifacts when that is possible") })
	changed := func() time.Time {
		info, err := os.Stat(filepath.Join(s.disk, "stroem", "artifacts"))
		if err != nil {
			t.Fatal(err)
		}
		return info.ModTime()
	}
	was := changed()
	if other, _, said := s.submit("meanwhile"); other == "" || s.awaitREST(other) != "completed" {
		t.Errorf("another job meanwhile: %s", said)
	}
	s.waitsOut(6 * time.Second) // it was every 5 s
	if is := changed(); !is.Equal(was) {
		t.Errorf("it was written again %s later", is.Sub(was))
	}
	if lines := s.troubles(); len(lines) != 1 || !strings.Contains(lines[0], "(8388608 bytes in all)") {
		t.Errorf("the log tells of it %d times:\n%s", len(lines), strings.Join(lines, ""))
	}
	s.free()
	began := time.Now()
	if got := s.awaitREST(id); got != "completed" || time.Since(began) > healWithin {
		t.Errorf("with room for it again, the job is %s after %s", got, time.Since(began))
	}
	if got := s.ask("list_artifacts", map[string]any{"job_id": id}); !strings.Contains(got, `"size_bytes":8388608`) {
		t.Error(got)
	}
}
