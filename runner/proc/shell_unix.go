//go:build unix

package proc

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// usualPath is searched after PATH: a service is often given a poor one.
const usualPath = "/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin"

// FindShell finds the shell for scripts that name none: bash where there is one,
// else sh.
func FindShell() (path string, bash bool, err error) {
	for _, name := range []string{"bash", "sh"} {
		if path := search(name, os.Getenv("PATH")+":"+usualPath); path != "" {
			return path, name == "bash", nil
		}
	}
	return "", false, errors.New("there is neither bash nor sh on this machine: install bash")
}

// lookPath finds the interpreter that a script is to be given to.
func lookPath(name string, env []string) (string, error) {
	if strings.Contains(name, "/") {
		if !filepath.IsAbs(name) {
			return "", fmt.Errorf("interpreter %s is neither a plain name nor an absolute path", name)
		}
		if !executable(name) {
			return "", missing(name)
		}
		return name, nil
	}
	path := os.Getenv("PATH") + ":" + usualPath
	for _, kv := range env {
		if v, ok := strings.CutPrefix(kv, "PATH="); ok {
			path = v
		}
	}
	if found := search(name, path); found != "" {
		return found, nil
	}
	return "", missing(name)
}

// missing says why name cannot be run.
func missing(name string) error {
	if info, err := os.Stat(name); filepath.IsAbs(name) && err == nil {
		if info.IsDir() {
			return fmt.Errorf("interpreter %s is a directory", name)
		}
		return fmt.Errorf("interpreter %s may not be executed", name)
	}
	return fmt.Errorf("interpreter %q is not installed on this machine, or not in PATH", name)
}

// search looks for an executable in the absolute folders of path.
func search(name, path string) string {
	if name == "" {
		return ""
	}
	for _, dir := range filepath.SplitList(path) {
		if file := filepath.Join(dir, name); filepath.IsAbs(dir) && executable(file) {
			return file
		}
	}
	return ""
}

// executable says whether path is a file that we may run.
func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && unix.Access(path, unix.X_OK) == nil
}
