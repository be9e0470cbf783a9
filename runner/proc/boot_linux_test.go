package proc_test

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"stroem/runner/proc"
)

// TestContainerHasABootOfItsOwn asks in a PID namespace, where another process
// is PID 1.
func TestContainerHasABootOfItsOwn(t *testing.T) {
	t.Parallel()
	outside, err := proc.BootID()
	if err != nil {
		t.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", `mount -t proc proc /proc && "$0"; true`, exe)
	cmd.Env = append(os.Environ(), bootEnv+"=1")
	// Go makes the mounts private with the namespace that it unshares.
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID, Unshareflags: syscall.CLONE_NEWNS}
	out, err := cmd.CombinedOutput()
	inside, told, _ := strings.Cut(string(out), " ")
	if err != nil || told != "<nil>\n" {
		t.Skipf("no container can be made here: %v %s", err, out)
	}
	machine, began, _ := strings.Cut(outside, ".")
	if !strings.HasPrefix(inside, machine+".") || inside == outside || began == "" {
		t.Errorf("the boot is %q outside, and %q in a container", outside, inside)
	}
}
