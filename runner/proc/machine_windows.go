package proc

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"unsafe"

	"golang.org/x/sys/windows"
)

// systemPid is the process that Windows begins with.
const systemPid = 4

// BootID names the time since the machine was last started: the moment at which
// the System process was made, which stays when the clock is set.
func BootID() (string, error) {
	size := uint32(1 << 20)
	for range 8 {
		buf := make([]uint64, size/8) // aligned as the entries are
		err := windows.NtQuerySystemInformation(windows.SystemProcessInformation, unsafe.Pointer(&buf[0]), size, &size)
		if errors.Is(err, windows.STATUS_INFO_LENGTH_MISMATCH) {
			size = (size + 1<<16) &^ 7
			continue
		}
		if err != nil {
			return "", fmt.Errorf("read boot time: %w", err)
		}
		base := unsafe.Pointer(&buf[0])
		for {
			entry := (*windows.SYSTEM_PROCESS_INFORMATION)(base)
			if entry.UniqueProcessID == systemPid {
				return strconv.FormatInt(entry.CreateTime, 16), nil
			}
			if entry.NextEntryOffset == 0 {
				return "", errors.New("read boot time: there is no System process")
			}
			base = unsafe.Add(base, entry.NextEntryOffset)
		}
	}
	return "", errors.New("read boot time: the list of processes keeps growing")
}

// FindShell finds the shell for scripts that name none: Git's bash. The bash of
// the system folder is another machine's (WSL) and does not see our files.
func FindShell() (path string, bash bool, err error) {
	var places []string
	if git, err := exec.LookPath("git.exe"); err == nil {
		places = append(places, filepath.Join(filepath.Dir(filepath.Dir(git)), "bin", "bash.exe"))
	}
	for _, v := range []string{"ProgramFiles", "ProgramW6432", "ProgramFiles(x86)"} {
		if dir := os.Getenv(v); dir != "" {
			places = append(places, filepath.Join(dir, "Git", "bin", "bash.exe"))
		}
	}
	if dir := os.Getenv("LocalAppData"); dir != "" {
		places = append(places, filepath.Join(dir, "Programs", "Git", "bin", "bash.exe"))
	}
	for _, path := range places {
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path, true, nil
		}
	}
	return "", false, errors.New("there is no bash on this machine: install Git for Windows (https://git-scm.com), which brings one")
}

// lookPath finds the interpreter that a script is to be given to.
func lookPath(name string, _ []string) (string, error) {
	if name == "bash" || name == "sh" {
		path, _, err := FindShell()
		return path, err
	}
	path, err := exec.LookPath(name)
	if err != nil || !filepath.IsAbs(path) {
		return "", fmt.Errorf("interpreter %q is not installed on this machine, or not in PATH", name)
	}
	return path, nil
}
