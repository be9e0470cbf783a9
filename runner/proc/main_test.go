//go:build unix

package proc_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"stroem/runner/proc"
)

// serverEnv makes the test binary a server: it starts the attempt that stands
// there, and then waits to be killed.
const serverEnv = "PROC_TEST_SERVER"

// showEnvName makes the test binary print its environment.
const showEnvName = "show-env"

// bootEnv makes the test binary print the boot id.
const bootEnv = "PROC_TEST_BOOT"

func TestMain(m *testing.M) {
	if os.Getenv(bootEnv) != "" {
		fmt.Println(proc.BootID())
		os.Exit(0)
	}
	if spec := os.Getenv(serverEnv); spec != "" {
		serve(spec)
	}
	if filepath.Base(os.Args[0]) == showEnvName {
		env, err := os.ReadFile("/proc/self/environ")
		if err != nil {
			env = []byte(strings.Join(os.Environ(), "\x00"))
		}
		os.Stdout.Write(env)
		os.Exit(3)
	}
	os.Exit(m.Run())
}

// serve says on stdout that it is about to start the attempt, and that it has.
func serve(spec string) {
	var s proc.Spec
	if err := json.Unmarshal([]byte(spec), &s); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	fmt.Println("now")
	if _, err := proc.Start(s); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	fmt.Println("started")
	io.Copy(io.Discard, os.Stdin)
	os.Exit(0)
}

// within is how long anything may take before a test gives up.
const within = 30 * time.Second

// eventually waits until ok holds.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(within); !ok(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// wait waits for the end of p.
func wait(t testing.TB, p *proc.Process) proc.Result {
	t.Helper()
	select {
	case <-p.Done():
	case <-time.After(within):
		t.Fatal("the process does not end")
	}
	return p.Result()
}

// spec is an attempt that runs script by sh in a fresh folder.
func spec(t testing.TB, script string) proc.Spec {
	t.Helper()
	dir := t.TempDir()
	id := "t-" + filepath.Base(filepath.Dir(dir)) + "-" + filepath.Base(dir) + "-" + strconv.Itoa(os.Getpid())
	return proc.Spec{
		Dir: filepath.Join(dir, "steps", id), ID: id, Shell: "sh", Script: script,
		Env: []string{"PATH=" + os.Getenv("PATH")}, WorkDir: dir,
	}
}

// start starts s and lets go of it when the test ends.
func start(t testing.TB, s proc.Spec) *proc.Process {
	t.Helper()
	p, err := proc.Start(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		proc.Sweep(s.Dir, s.ID) // what a failed test left behind
		p.Close()
		proc.Remove(s.Dir)
	})
	return p
}

// attach finds s again and expects it in that state.
func attach(t testing.TB, s proc.Spec, want proc.State) *proc.Process {
	t.Helper()
	p, state, err := proc.Attach(s.Dir, s.ID)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	if state != want {
		t.Fatalf("attempt is %v, want %v", state, want)
	}
	return p
}

// text reads all of a stream, a few bytes at a time as a server might.
func text(t testing.TB, p *proc.Process, stream proc.Stream) string {
	t.Helper()
	var all bytes.Buffer
	buf := make([]byte, 7000)
	for {
		n, err := p.Read(stream, int64(all.Len()), buf)
		all.Write(buf[:n])
		if errors.Is(err, io.EOF) {
			return all.String()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// says waits until the step has written what to its stdout.
func says(t testing.TB, p *proc.Process, what string) {
	t.Helper()
	eventually(t, "step says "+what, func() bool { return strings.Contains(text(t, p, proc.Stdout), what) })
}

// wrapperPid waits for the wrapper's pid to be on record.
func wrapperPid(t testing.TB, s proc.Spec) int {
	t.Helper()
	pid := 0
	eventually(t, "wrapper notes its pid", func() bool {
		b, _ := os.ReadFile(filepath.Join(s.Dir, "state"))
		_, pid, _, _ = proc.StateOf(string(b))
		return pid != 0
	})
	return pid
}

// bearing gives the processes that have token in their arguments or environment.
func bearing(t testing.TB, token string) (found []string) {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*")
	if err != nil || len(all) == 0 {
		out, err := exec.Command("ps", "axeww", "-o", "pid=,command=").Output()
		if err != nil {
			t.Skip("neither /proc nor ps")
		}
		for line := range strings.Lines(string(out)) {
			if strings.Contains(line, token) {
				found = append(found, strings.TrimSpace(line))
			}
		}
		return found
	}
	for _, dir := range all {
		args, _ := os.ReadFile(dir + "/cmdline")
		env, _ := os.ReadFile(dir + "/environ")
		if strings.Contains(string(args)+string(env), token) {
			found = append(found, filepath.Base(dir)+" "+strings.ReplaceAll(string(args), "\x00", " "))
		}
	}
	return found
}

// need skips a test where a program is not installed.
func need(t testing.TB, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("%s is not installed", name)
		}
	}
}
