package proc

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// BootID names the time since the machine was last started. It is another after
// each boot, and the same for every process until then.
func BootID() (string, error) {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", fmt.Errorf("read boot id: %w", err)
	}
	id := strings.TrimSpace(string(b))
	if id == "" {
		return "", errors.New("read boot id: it is empty")
	}
	return id, nil
}
