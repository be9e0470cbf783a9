//go:build !linux

package proc

import "os"

// cgroup is Linux's alone.
type cgroup string

func newCgroup(*Spec) cgroup         { return "" }
func cgroupOf(string, string) cgroup { return "" }
func holdsPid(string, int) bool      { return false }
func (cgroup) kill() error           { return nil }
func (cgroup) remove()               {}
func (*cgroup) start(path string, argv []string, attr *os.ProcAttr) (*os.Process, error) {
	return os.StartProcess(path, argv, attr)
}
