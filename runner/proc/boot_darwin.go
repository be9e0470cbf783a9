package proc

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// BootID names the time since the machine was last started. It is another after
// each boot, and the same for every process until then.
func BootID() (string, error) {
	if id, err := unix.Sysctl("kern.bootsessionuuid"); err == nil && id != "" {
		return id, nil
	}
	tv, err := unix.SysctlTimeval("kern.boottime")
	if err != nil {
		return "", fmt.Errorf("read boot time: %w", err)
	}
	return fmt.Sprintf("boottime-%d", tv.Sec), nil
}
