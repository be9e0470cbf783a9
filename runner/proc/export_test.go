//go:build unix

package proc

// WithWrapper has the wrapper run by another shell: its path, then its argv[0].
func WithWrapper(s Spec, argv ...string) Spec {
	s.wrapper = argv
	return s
}

// StateOf is what the text of a state file says: whether it began, the wrapper's
// pid, whether it ended, its code.
func StateOf(text string) (begun bool, pid int, ended bool, code int) {
	r := parseRecords([]byte(text))
	return r.begun, r.pid, r.ended, r.code
}

// Padding stands first in state.
var Padding = string(padding)
