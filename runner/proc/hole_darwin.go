package proc

import (
	"errors"
	"unsafe"

	"golang.org/x/sys/unix"
)

// fpunchhole is fpunchhole_t of <sys/fcntl.h>.
type fpunchhole struct {
	flags, reserved uint32
	offset, length  int64
}

// punch gives the disk back what a file holds up to byte end, and leaves its
// size. A file system that cannot do that keeps it.
func punch(fd int, end int64) error {
	hole := fpunchhole{length: end}
	_, _, errno := unix.Syscall(unix.SYS_FCNTL, uintptr(fd), unix.F_PUNCHHOLE, uintptr(unsafe.Pointer(&hole)))
	if errno == 0 || errors.Is(errno, unix.ENOTSUP) || errors.Is(errno, unix.EINVAL) {
		return nil
	}
	return errno
}
