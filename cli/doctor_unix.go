//go:build unix

package cli

import (
	"errors"
	"io/fs"

	"golang.org/x/sys/unix"
)

// writable reports whether we may write in the folder.
func writable(dir string) bool { return unix.Access(dir, unix.W_OK|unix.X_OK) == nil }

// openToOthers reports whether other users may look into the folder.
func openToOthers(info fs.FileInfo) bool { return info.Mode().Perm()&0o077 != 0 }

// alive reports whether there is a process of that number.
func alive(pid int) bool {
	err := unix.Kill(pid, 0)
	return pid > 0 && (err == nil || errors.Is(err, unix.EPERM))
}
