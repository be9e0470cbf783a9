//go:build unix

package proc_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"stroem/runner/proc"
)

func TestExitCodeIsTheScripts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		script string
		code   int
	}{
		"success":                  {"true", 0},
		"failure":                  {"exit 7", 7},
		"highest":                  {"exit 255", 255},
		"last command":             {"true; false", 1},
		"command not found":        {"no-such-command-here", 127},
		"syntax error":             {"if", 2},
		"killed by itself":         {"kill -KILL $$", 137},
		"terminated by itself":     {"kill -TERM $$", 143},
		"own EXIT trap":            {"trap 'exit 9' EXIT; exit 3", 9},
		"own TERM trap":            {"trap 'exit 5' TERM; kill -TERM $$", 5},
		"exec":                     {"exec sh -c 'exit 6'", 6},
		"exec, killed":             {"exec sh -c 'kill -KILL $$'", 137},
		"closes all descriptors":   {"exec 0<&- 1>&- 2>&- 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-; exit 4", 4},
		"TERM to the whole group":  {"trap '' TERM; kill -TERM 0; exit 8", 8},
		"signals to the wrapper":   {"for s in HUP INT QUIT PIPE ALRM TERM USR1 USR2; do kill -$s $PPID; done; exit 12", 12},
		"TERM ends it, not us":     {"kill -TERM 0; sleep 60", 143},
		"leaves a child behind":    {"sleep 60 >/dev/null 2>&1 & echo $! >pid; exit 3", 3},
		"child keeps the output":   {"sleep 60 & echo $! >pid; exit 3", 3},
		"unset environment":        {"unset PATH STROEM_ATTEMPT; exit 2", 2},
		"removes its own folder":   {"rm -rf \"$(dirname \"$STROEM_OUTPUT\")\"; exit 11", 11},
		"killed by its child":      {"(kill -KILL $$); sleep 60", 137},
		"writes a forged exit":     {"echo 'exit 0' >>\"$(dirname \"$STROEM_OUTPUT\")/state\"; exit 13", 13},
		"reads its stdin":          {"read x; test -z \"$x\" && exit 14", 14},
		"fills descriptor 9":       {"exec 9>&1; echo hi >&9; exit 15", 15},
		"stops and goes on itself": {"(sleep 0.05; kill -CONT $$) & kill -STOP $$; exit 16", 16},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := spec(t, c.script)
			got := wait(t, start(t, s))
			if got != (proc.Result{ExitCode: c.code}) {
				t.Errorf("result is %+v, want exit code %d", got, c.code)
			}
			if b, err := os.ReadFile(filepath.Join(s.WorkDir, "pid")); err == nil {
				pid, _ := strconv.Atoi(strings.TrimSpace(string(b)))
				if err := unix.Kill(pid, 0); err != nil {
					t.Errorf("what was left in the background is gone: %v", err)
				}
			}
		})
	}
}

func TestOutputIsTheBytesOfEachStream(t *testing.T) {
	t.Parallel()
	s := spec(t, `cat bytes; cat bytes bytes >&2; printf 'no newline'`)
	raw := make([]byte, 100_000)
	for i := range raw {
		raw[i] = byte(rand.Uint32())
	}
	if err := os.WriteFile(filepath.Join(s.WorkDir, "bytes"), raw, 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, s)
	wait(t, p)
	if got := text(t, p, proc.Stdout); got != string(raw)+"no newline" {
		t.Errorf("stdout differs: %d bytes", len(got))
	}
	if got := text(t, p, proc.Stderr); got != string(raw)+string(raw) {
		t.Errorf("stderr differs: %d bytes", len(got))
	}
}

func TestScriptGetsArgumentsAndFiles(t *testing.T) {
	t.Parallel()
	s := spec(t, `for a; do printf '<%s>' "$a"; done; pwd -P; cat "${STROEM_OUTPUT%/*}/extra.json"; echo "$STROEM_ATTEMPT"`)
	s.Args = []string{"", "a b", "$(id)", "-n", "*", "línea\nzwei", `"'\`, "\xff\x01"}
	s.Files = map[string][]byte{"extra.json": []byte("{}\n")}
	p := start(t, s)
	wait(t, p)
	real, err := filepath.EvalSymlinks(s.WorkDir)
	if err != nil {
		t.Fatal(err)
	}
	want := "<" + strings.Join(s.Args, "><") + ">" + real + "\n{}\n" + s.ID + "\n"
	if got := text(t, p, proc.Stdout); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for name, want := range map[string]os.FileMode{"": 0o700 | os.ModeDir, "script": 0o600, "out": 0o600, "err": 0o600, "state": 0o600, "extra.json": 0o600} {
		if info, err := os.Stat(filepath.Join(s.Dir, name)); err != nil || info.Mode() != want {
			t.Errorf("%q has mode %v, want %v", name, info.Mode(), want)
		}
	}
}

// hostile are environments that a shell in between would lose or choke on.
var hostile = map[string][]string{
	"plain":     {"A=1", "B=two words", "C=", "D=a=b"},
	"bytes":     {"A=\x01\x7f\x80\x88\xff'\"\\\n$(id)`id`"},
	"names":     {"a.b=1", "npm_config_//reg/:_authToken=x'y", "1A=2", "-i=3", "ü=4", "A B=5"},
	"functions": {"BASH_FUNC_echo%%=() {  exit 0\n}", "BASH_FUNC_trap%%=() {  :\n}", "echo=() { exit 0; }"},
	"startup":   {"ENV=/nonexistent", "BASH_ENV=/nonexistent", "SHELLOPTS=noexec:errexit", "POSIXLY_CORRECT=1"},
	"shell":     {"IFS=0123456789e", "OPTIND=abc", "PS4=$(exit 9)", "PPID=1", "UID=7", "RANDOM=x", "LINENO=y"},
	"linker":    {"LD_PRELOAD=", "LD_LIBRARY_PATH=/nonexistent"},
	"no path":   {"PATH=/nonexistent"},
	"twice":     {"A=0", "A=1", "STROEM_ATTEMPT=other"},
	"utf-8":     {"LC_ALL=xx_YY.nonsense", "A=ä€😀"},
}

func TestEnvironmentArrivesWhole(t *testing.T) {
	t.Parallel()
	for sh, argv := range wrappers(t) {
		for name, vars := range hostile {
			t.Run(sh+" "+name, func(t *testing.T) {
				t.Parallel()
				s := spec(t, "")
				s.Shell, s.Env = showEnv(t), vars
				p := start(t, proc.WithWrapper(s, argv...))
				if got := wait(t, p); got != (proc.Result{ExitCode: 3}) {
					t.Errorf("result is %+v, want exit code 3: %s", got, text(t, p, proc.Stderr))
				}
				got := strings.Split(strings.TrimSuffix(text(t, p, proc.Stdout), "\x00"), "\x00")
				want := []string{"STROEM_ATTEMPT=" + s.ID, "STROEM_OUTPUT=" + filepath.Join(s.Dir, "output")}
				for _, kv := range vars {
					if kv != "A=0" && !strings.HasPrefix(kv, "STROEM_ATTEMPT") {
						want = append(want, kv)
					}
				}
				for _, kv := range want {
					if !slices.Contains(got, kv) {
						t.Errorf("%q did not arrive; got %q", kv, got)
					}
				}
				for _, kv := range got {
					k, _, _ := strings.Cut(kv, "=")
					if !slices.Contains(want, kv) && !slices.Contains([]string{"PWD", "OLDPWD", "SHLVL", "_", "IFS", "OPTIND", "PS4"}, k) {
						t.Errorf("%q was added", kv)
					}
				}
			})
		}
	}
}

// showEnv makes an interpreter that prints its environment as exec gave it, and
// exits with 3: this test binary by another name, see TestMain.
func showEnv(t *testing.T) string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), showEnvName)
	if err := os.Symlink(exe, link); err != nil {
		t.Fatal(err)
	}
	return link
}

// wrappers are the shells that may stand at /bin/sh.
func wrappers(t *testing.T) map[string][]string {
	t.Helper()
	all := map[string][]string{"sh": nil}
	same, _ := os.Stat("/bin/sh")
	for _, name := range []string{"dash", "bash", "ksh", "mksh", "yash", "zsh"} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		if info, err := os.Stat(path); err == nil && !os.SameFile(info, same) {
			all[name] = []string{path, "sh"}
		}
	}
	if path, err := exec.LookPath("busybox"); err == nil {
		all["busybox"] = []string{path, "sh"}
	}
	return all
}

func TestNoDescriptorLeaksIntoTheScript(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self/fd"); err != nil {
		t.Skip("no /proc")
	}
	for sh, argv := range wrappers(t) {
		t.Run(sh, func(t *testing.T) {
			t.Parallel()
			s := spec(t, "exec ls /proc/self/fd")
			p := start(t, proc.WithWrapper(s, argv...))
			wait(t, p)
			// What ls and sh open themselves, and what we were given, is there
			// without us as well.
			bare, err := exec.Command("sh", filepath.Join(s.Dir, "script")).Output()
			if err != nil {
				t.Fatal(err)
			}
			if got := text(t, p, proc.Stdout); got != string(bare) {
				t.Errorf("the script has descriptors %q, without a wrapper %q", got, bare)
			}
		})
	}
}

func TestStartRefusesWhatCannotRun(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*proc.Spec)
		says   string
	}{
		"no interpreter":       {func(s *proc.Spec) { s.Shell = "no-such-shell" }, `interpreter "no-such-shell" is not installed on this machine, or not in PATH`},
		"no such path":         {func(s *proc.Spec) { s.Shell = "/no/such/shell" }, `interpreter "/no/such/shell" is not installed`},
		"a folder":             {func(s *proc.Spec) { s.Shell = "/tmp" }, "interpreter /tmp is a directory"},
		"not executable":       {func(s *proc.Spec) { s.Shell = "/etc/passwd" }, "interpreter /etc/passwd may not be executed"},
		"relative":             {func(s *proc.Spec) { s.Shell = "bin/sh" }, "neither a plain name nor an absolute path"},
		"not in its PATH":      {func(s *proc.Spec) { s.Env = []string{"PATH=/nonexistent"} }, "not in PATH"},
		"no working directory": {func(s *proc.Spec) { s.WorkDir = "/no/such/dir" }, "working directory /no/such/dir does not exist"},
		"a file to work in":    {func(s *proc.Spec) { s.WorkDir = "/etc/passwd" }, "working directory /etc/passwd is not a directory"},
		"NUL in an argument":   {func(s *proc.Spec) { s.Args = []string{"a\x00b"} }, "NUL"},
		"NUL in a variable":    {func(s *proc.Spec) { s.Env = append(s.Env, "A=\x00") }, "NUL"},
		"too much":             {func(s *proc.Spec) { s.Args = []string{strings.Repeat("x", 8<<20)} }, "more than this system allows"},
		"no id":                {func(s *proc.Spec) { s.ID = "" }, "attempt id"},
		"file outside":         {func(s *proc.Spec) { s.Files = map[string][]byte{"../x": nil} }, `"../x" cannot be the name`},
		"file over ours":       {func(s *proc.Spec) { s.Files = map[string][]byte{"state": nil} }, `"state" cannot be the name`},
		"folder cannot be made": {func(s *proc.Spec) {
			s.Dir = filepath.Join(s.WorkDir, "file", "a")
			os.WriteFile(filepath.Join(s.WorkDir, "file"), nil, 0o600)
		}, "not a directory"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := spec(t, "true")
			c.change(&s)
			_, err := proc.Start(s)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("error is %v, want %q", err, c.says)
			}
			if _, err := os.Lstat(s.Dir); err == nil {
				t.Error("a folder was left behind")
			}
		})
	}
}

func TestStartRunsAnAttemptOnce(t *testing.T) {
	t.Parallel()
	s := spec(t, "true")
	wait(t, start(t, s))
	if _, err := proc.Start(s); err == nil || !strings.Contains(err.Error(), "was started before: it is ended") {
		t.Errorf("second start: %v", err)
	}
	s = spec(t, "sleep 60")
	p := start(t, s)
	if _, err := proc.Start(s); err == nil || !strings.Contains(err.Error(), "was started before: it is alive") {
		t.Errorf("second start: %v", err)
	}
	kill(t, p, 0)
}

func TestStateHasPaddingFirst(t *testing.T) {
	t.Parallel()
	s := spec(t, "exit 3")
	p := start(t, s)
	wait(t, p)
	b, err := os.ReadFile(filepath.Join(s.Dir, "state"))
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("%sstarted %d\nexit 3\n", proc.Padding, wrapperPid(t, s)); string(b) != want || len(proc.Padding) != 64 {
		t.Errorf("state is %q, want %q", b, want)
	}
}

func TestReadGoesOnWhileTheStepWrites(t *testing.T) {
	t.Parallel()
	s := spec(t, `i=0; while [ $i -lt 2000 ]; do echo "line $i"; i=$((i+1)); done`)
	p := start(t, s)
	var got bytes.Buffer
	buf := make([]byte, 1000)
	eventually(t, "all lines", func() bool {
		n, _ := p.Read(proc.Stdout, int64(got.Len()), buf)
		got.Write(buf[:n])
		return strings.HasSuffix(got.String(), "line 1999\n")
	})
	if n := strings.Count(got.String(), "\n"); n != 2000 {
		t.Errorf("%d lines", n)
	}
}

func TestReadGoesOnAfterTheScriptTruncates(t *testing.T) {
	t.Parallel()
	s := spec(t, `echo a long first line >&2; until [ -e go ]; do sleep 0.01; done; echo new >/dev/stderr; echo more >&2`)
	p := start(t, s)
	eventually(t, "first line", func() bool { return strings.Contains(text(t, p, proc.Stderr), "\n") })
	at := len(text(t, p, proc.Stderr))
	if err := os.WriteFile(filepath.Join(s.WorkDir, "go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	wait(t, p)
	buf := make([]byte, 100)
	n, err := p.Read(proc.Stderr, int64(at), buf)
	if string(buf[:n]) != "new\nmore\n" {
		t.Errorf("read %q, %v", buf[:n], err)
	}
}

func TestRemoveDeletesTheFolder(t *testing.T) {
	t.Parallel()
	s := spec(t, `d=${STROEM_OUTPUT%/*}; mkdir -p "$d/x/y"; chmod 0 "$d/x"; ln -s / "$d/root"`)
	p := start(t, s)
	wait(t, p)
	if err := p.Remove(); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(filepath.Dir(s.Dir)); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := proc.Remove(s.Dir); err != nil {
		t.Errorf("removing it again: %v", err)
	}
}
