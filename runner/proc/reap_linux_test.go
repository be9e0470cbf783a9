package proc

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// initEnv makes the test be process 1 of a container.
const initEnv = "PROC_TEST_INIT"

// TestOrphansAreReaped runs itself as process 1 of a pid namespace.
func TestOrphansAreReaped(t *testing.T) {
	if os.Getenv(initEnv) != "" {
		beInit(t)
		return
	}
	t.Parallel()
	unshare := []string{"unshare", "--pid", "--fork", "--mount-proc", "--kill-child"}
	if out, err := exec.Command(unshare[0], append(unshare[1:], "true")...).CombinedOutput(); err != nil {
		t.Skipf("no pid namespace can be made here: %v %s", err, out)
	}
	cmd := exec.Command(unshare[0], append(unshare[1:], os.Args[0], "-test.run=^TestOrphansAreReaped$", "-test.v")...)
	cmd.Env = append(os.Environ(), initEnv+"=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func beInit(t *testing.T) {
	if os.Getpid() != 1 {
		t.Fatal("not process 1")
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		reapOrphans(ctx, 200*time.Millisecond)
	}()
	// Each leaves a child behind that ends as an orphan, and has an exit code that
	// must not be taken from whoever waits for it.
	for i := range 20 {
		var exit *exec.ExitError
		if err := exec.Command("sh", "-c", "sleep 0.05 & exit 7").Run(); !errors.As(err, &exit) || exit.ExitCode() != 7 {
			t.Errorf("a command of ours: %v", err)
		}
		dir := t.TempDir()
		id := fmt.Sprint(i)
		p, err := Start(Spec{Dir: filepath.Join(dir, id), ID: id, Shell: "sh", Script: "(sleep 0.05 &); exit 8", WorkDir: dir, Env: os.Environ()})
		if err != nil {
			t.Fatal(err)
		}
		if <-p.Done(); p.Result() != (Result{ExitCode: 8}) {
			t.Errorf("an attempt: %+v", p.Result())
		}
		p.Close()
	}
	seen := 0
	for end := time.Now().Add(20 * time.Second); ; <-time.After(10 * time.Millisecond) {
		pids, _ := listPids()
		seen = max(seen, len(deadChildren()))
		if len(pids) == 1 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("processes %v are left, zombies %v", pids, deadChildren())
		}
	}
	if seen == 0 {
		t.Error("nothing was left to reap: the test shows nothing")
	}
	cancel()
	<-ended
}
