//go:build unix

package proc

// WithWrapper has the wrapper run by another shell: its path, then its argv[0].
func WithWrapper(s Spec, argv ...string) Spec {
	s.wrapper = argv
	return s
}

// WithoutCgroup has the attempt go without one, as on most machines.
func WithoutCgroup(s Spec) Spec {
	s.noCgroup = true
	return s
}

// CgroupOf is where an attempt's cgroup is, "" if it has none.
func CgroupOf(s Spec) string { return string(cgroupOf(s.Dir, s.ID)) }

// StateOf is what the text of a state file says: whether it began, the wrapper's
// pid, whether it ended, its code.
func StateOf(text string) (begun bool, pid int, ended bool, code int) {
	r := parseRecords([]byte(text))
	return r.begun, r.pid, r.ended, r.code
}

// Padding stands first in state.
var Padding = string(padding)
