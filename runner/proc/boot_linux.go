package proc

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// BootID names the time since the machine was last started, or, in a container,
// since the container was: no process outlives either. It is another after each
// start, and the same for every process until then.
func BootID() (string, error) {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", fmt.Errorf("read boot id: %w", err)
	}
	id := strings.TrimSpace(string(b))
	if id == "" {
		return "", errors.New("read boot id: it is empty")
	}
	// Where /proc hides the processes of others, the machine's own id is all.
	if init, ok := lookAt(1); ok {
		id += fmt.Sprint(".", init.start)
	}
	return id, nil
}
