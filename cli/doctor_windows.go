package cli

import (
	"io/fs"

	"golang.org/x/sys/windows"
)

// writable cannot be known here without writing.
func writable(string) bool { return true }

// openToOthers is not told by a mode here: the folder lies in the user's own.
func openToOthers(fs.FileInfo) bool { return false }

// alive reports whether there is a process of that number.
func alive(pid int) bool {
	h, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, uint32(pid))
	if err != nil {
		return false
	}
	_ = windows.CloseHandle(h)
	return true
}
