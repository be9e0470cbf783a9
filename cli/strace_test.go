//go:build linux

package cli_test

import (
	"bufio"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// needStrace skips the test, in a line that says why, where strace cannot
// watch a process.
func needStrace(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skip("skipped: strace is not installed (apt-get install strace)")
	}
	cmd := exec.Command("strace", "-f", "-D", "--seccomp-bpf", "-e", "trace=fsync", "-e", "inject=fsync:error=EIO:when=1", "true")
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "exited with 0") {
		t.Skipf("skipped: strace cannot watch a process here: %v %s", err, out)
	}
}

// straced starts a server under strace, whose trace is complete once the
// server's ended is closed. The server is our child, and strace its child.
func straced(t *testing.T, dataHome, cfg string, flags ...string) (s *server, trace string, err error) {
	t.Helper()
	trace = filepath.Join(t.TempDir(), "trace")
	args := append([]string{"-f", "-D", "--seccomp-bpf", "-y", "-o", trace}, flags...)
	s = &server{t: t, ended: make(chan struct{}), cmd: exec.Command("strace", append(args, "stroem", "serve")...)}
	s.cmd.Dir = t.TempDir()
	s.cmd.Env = append(os.Environ(), "HOME="+dataHome, "XDG_DATA_HOME="+dataHome, "STROEM__LISTEN=127.0.0.1:0", cfg)
	if err := s.start(); err != nil {
		return s, trace, err
	}
	t.Cleanup(func() { s.kill(syscall.SIGKILL) })
	return s, trace, nil
}

// call is a system call of a trace: twice if others came between its entry
// and its return.
type call struct {
	name      string
	args      string
	ret       int64
	in, out   bool // it enters here, it has returned here
	injected  bool
	fd, other string // the file of its first descriptor or its first path; its second path
}

var (
	callLine   = regexp.MustCompile(`^\d+ +(\w+)\((.*)$`)
	resumeLine = regexp.MustCompile(`^\d+ +<\.\.\. \w+ resumed>(.*)$`)
	result     = regexp.MustCompile(`\) += (-?\d+)[^")]*(?:\(.*\))?$`)
	descriptor = regexp.MustCompile(`^-?\w+<([^>]*)>`)
	quoted     = regexp.MustCompile(`"([^"]*)"`)
)

// readTrace gives each call of a trace in the order in which strace, which
// stops its processes at entry and return, let them happen.
func readTrace(t *testing.T, path string, each func(call)) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	open := map[string]call{} // by process
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		line := lines.Text()
		pid, _, _ := strings.Cut(line, " ")
		var c call
		switch m, r := callLine.FindStringSubmatch(line), resumeLine.FindStringSubmatch(line); {
		case m != nil:
			c = call{name: m[1], args: m[2], in: true}
		case r != nil && open[pid].name != "":
			c = open[pid]
			c.args, c.in = c.args+r[1], false
			delete(open, pid)
		default:
			continue
		}
		if args, unfinished := strings.CutSuffix(c.args, " <unfinished ...>"); unfinished {
			c.args = args
			open[pid] = c
		} else if m := result.FindStringSubmatchIndex(c.args); m != nil {
			c.out, c.injected = true, strings.HasSuffix(c.args, "(INJECTED)")
			c.ret, _ = strconv.ParseInt(c.args[m[2]:m[3]], 10, 64)
			c.args = c.args[:m[0]]
		}
		c.files()
		each(c)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
}

// files finds the files that the call is about.
func (c *call) files() {
	if m := descriptor.FindStringSubmatch(c.args); m != nil && !strings.HasPrefix(c.args, "AT_FDCWD") {
		c.fd = unhex(m[1])
		return
	}
	if all := quoted.FindAllStringSubmatch(c.args, 2); len(all) > 0 {
		c.fd = unhex(all[0][1])
		if len(all) > 1 {
			c.other = unhex(all[1][1])
		}
	}
}

// data is what a write writes.
func (c *call) data() []byte {
	m := quoted.FindStringSubmatch(c.args)
	if m == nil {
		return nil
	}
	b := []byte(unhex(m[1]))
	if c.out && c.ret >= 0 && c.ret < int64(len(b)) {
		b = b[:c.ret]
	}
	return b
}

// last is the last argument, a number.
func (c *call) last() int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(c.args[strings.LastIndexByte(c.args, ',')+1:]), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// unhex decodes a string of strace -xx.
func unhex(s string) string {
	b, err := hex.DecodeString(strings.ReplaceAll(s, `\x`, ""))
	if err != nil {
		return s
	}
	return string(b)
}
