package proc

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// cgroup is the folder of an attempt's own control group (cgroup v2), "" where it
// has none. It is made below the server's, enables no controller there, and is
// gone when the attempt's folder is, or when the last process that the step left
// running has ended. What is in it can be told by nothing that a script does to
// its environment, session or files, and is killed whole.
type cgroup string

// cgroupName begins the name of an attempt's cgroup.
const cgroupName = "stroem-"

// cgroups is what this server knows of them.
var cgroups struct {
	off  atomic.Bool // they cannot be used here
	mu   sync.Mutex
	left []cgroup // of steps that ended and left something running
}

// ownCgroup is the server's own, "" where there is no cgroup v2. It clears away
// what earlier servers left there; what has a process in it cannot be removed.
var ownCgroup = sync.OnceValue(func() string {
	mounts, _ := os.ReadFile("/proc/self/mountinfo")
	self, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return ""
	}
	own := cgroupPath(self)
	for line := range strings.Lines(string(mounts)) {
		// 41 31 0:38 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup2 rw
		f := strings.Fields(line)
		if i := slices.Index(f, "-"); i < 5 || i+1 >= len(f) || f[i+1] != "cgroup2" {
			continue
		}
		below, err := filepath.Rel(f[3], own)
		if err != nil || own == "" || !filepath.IsLocal(below) {
			continue
		}
		dir := filepath.Join(f[4], below)
		old, _ := filepath.Glob(filepath.Join(dir, cgroupName+"*"))
		for _, path := range old {
			_ = cgroup(path).rmdir()
		}
		return dir
	}
	return ""
})

// cgroupPath is the path that /proc/*/cgroup names in the hierarchy of version 2.
func cgroupPath(text []byte) string {
	for line := range bytes.Lines(text) {
		if path, ok := bytes.CutPrefix(line, []byte("0::")); ok {
			return string(bytes.TrimSuffix(path, []byte{'\n'}))
		}
	}
	return ""
}

// newCgroup makes the attempt's cgroup, if one can be made, and notes it in the
// attempt's folder, for the next server.
func newCgroup(s *Spec) cgroup {
	c := ownCgroupOf(s.ID)
	if c == "" || s.noCgroup {
		return ""
	}
	cgroups.mu.Lock()
	cgroups.left = slices.DeleteFunc(cgroups.left, func(c cgroup) bool { return c.rmdir() == nil })
	cgroups.mu.Unlock()
	err := os.Mkdir(string(c), 0o755)
	if errors.Is(err, fs.ErrExist) && c.rmdir() == nil { // of a start that was cut short
		err = os.Mkdir(string(c), 0o755)
	}
	switch {
	case errors.Is(err, fs.ErrPermission) || errors.Is(err, unix.EROFS):
		cgroups.off.Store(true)
		return ""
	case err != nil: // there are too many, say
		return ""
	}
	if writeNew(filepath.Join(s.Dir, fileCgroup), []byte(c)) != nil {
		c.remove()
		return ""
	}
	return c
}

// ownCgroupOf is where the cgroup of attempt id is made, "" where none can be.
func ownCgroupOf(id string) cgroup {
	if cgroups.off.Load() || ownCgroup() == "" || len(id) > 200 || strings.ContainsAny(id, "/\n") {
		return ""
	}
	return cgroup(filepath.Join(ownCgroup(), cgroupName+id))
}

// start starts a process in the cgroup. Where that cannot be done, and it can be
// done without, no other is tried: a kernel that is too old, a filter of system
// calls, a cgroup that was made for threads.
func (c *cgroup) start(path string, argv []string, attr *os.ProcAttr) (*os.Process, error) {
	if *c == "" {
		return os.StartProcess(path, argv, attr)
	}
	fd, err := unix.Open(string(*c), unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err == nil {
		attr.Sys.UseCgroupFD, attr.Sys.CgroupFD = true, fd
		own, err := os.StartProcess(path, argv, attr)
		unix.Close(fd)
		if err == nil {
			return own, nil
		}
		attr.Sys.UseCgroupFD = false
	}
	c.remove()
	*c = ""
	own, err := os.StartProcess(path, argv, attr)
	if err == nil {
		cgroups.off.Store(true)
	}
	return own, err
}

// cgroupOf finds an attempt's cgroup: as it is noted in the attempt's folder, by
// whichever server, else where ours would be. The folder is the script's as well,
// so what is noted has to be the attempt's own by its name.
func cgroupOf(dir, id string) cgroup {
	c := ownCgroupOf(id)
	if f, err := openPlain(filepath.Join(dir, fileCgroup)); err == nil {
		path, err := io.ReadAll(io.LimitReader(f, unix.PathMax))
		f.Close()
		if err == nil && filepath.Base(string(path)) == cgroupName+id && filepath.IsAbs(string(path)) {
			c = cgroup(path)
		}
	}
	if _, err := os.Lstat(string(c)); err != nil {
		return ""
	}
	return c
}

// kill ends all that is in it, at once and with all that forks. A kernel before
// 5.14 cannot.
func (c cgroup) kill() error {
	if c == "" {
		return nil
	}
	err := os.WriteFile(filepath.Join(string(c), "cgroup.kill"), []byte{'1'}, 0)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENODEV) {
		return nil
	}
	return err
}

// remove removes it, or keeps it in mind where something still runs in it.
func (c cgroup) remove() {
	if c == "" || c.rmdir() == nil {
		return
	}
	cgroups.mu.Lock()
	defer cgroups.mu.Unlock()
	cgroups.left = append(cgroups.left, c)
}

// rmdir gives no error when it is gone. Nothing in it is touched while a process
// is: a script may be just about to use the empty ones that it has made.
func (c cgroup) rmdir() error {
	err := unix.Rmdir(string(c))
	if errors.Is(err, unix.EBUSY) && !c.populated() {
		// A script may have made some below, which are empty now.
		var below []string
		_ = filepath.WalkDir(string(c), func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				below = append(below, path)
			}
			return nil
		})
		for _, path := range slices.Backward(below) {
			err = unix.Rmdir(path)
		}
	}
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	return err
}

// populated says whether a process is in it, or below it
// (https://docs.kernel.org/admin-guide/cgroup-v2.html, "(Un)populated
// Notification").
func (c cgroup) populated() bool {
	events, err := os.ReadFile(filepath.Join(string(c), "cgroup.events"))
	return err != nil || bytes.Contains(events, []byte("populated 1\n"))
}

// holdsPid says whether a process is in the cgroup of attempt id, or below it.
func holdsPid(id string, pid int) bool {
	var buf [4096]byte
	text, err := slurp("/proc/"+strconv.Itoa(pid)+"/cgroup", buf[:], len(buf))
	return err == nil && strings.Contains(cgroupPath(text)+"/", "/"+cgroupName+id+"/")
}
