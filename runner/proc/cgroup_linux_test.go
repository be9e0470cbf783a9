package proc_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"stroem/runner/proc"
)

// faithless leaves a process behind that nothing but a cgroup tells to be of the
// attempt: no environment, no parent, a session and a folder of its own, and no
// file.
const faithless = `here=$PWD; (cd /; env -i setsid sh -c 'trap "" TERM; echo $$ >"$1"; exec sleep "$0"' "$TOKEN" "$here/pid" </dev/null >/dev/null 2>&1 &)
until [ -s pid ]; do sleep 0.01; done; echo ready; `

// inCgroup starts an attempt that has a cgroup.
func inCgroup(t *testing.T, script string) (p *proc.Process, s proc.Spec, token, group string) {
	t.Helper()
	need(t, "setsid")
	s, token = nastySpec(t, script)
	p = start(t, s)
	if group = proc.CgroupOf(s); group == "" {
		t.Skip("there is no cgroup v2 here that we may write to")
	}
	says(t, p, "ready")
	return p, s, token, group
}

// absent says whether the cgroup is gone.
func absent(group string) bool {
	_, err := os.Stat(group)
	return errors.Is(err, fs.ErrNotExist)
}

func TestCgroupEndsWhatNothingElseFinds(t *testing.T) {
	t.Parallel()
	p, s, token, group := inCgroup(t, faithless+"sleep $TOKEN")
	kill(t, p, 50*time.Millisecond)
	survived(t, s, token)
	if err := p.Remove(); err != nil || !absent(group) {
		t.Errorf("%s is left (%v)", group, err)
	}
}

func TestCgroupIsFoundAgain(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]string{
		"as noted": "", "not noted": `rm "${0%/*}/cgroup"; `, "noted falsely": `echo /proc/self >"${0%/*}/cgroup"; `,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			need(t, "setsid")
			s, token := nastySpec(t, spoil+faithless+"sleep $TOKEN")
			abandon(t, s)
			p := attach(t, s, proc.Alive)
			says(t, p, "ready")
			group := proc.CgroupOf(s)
			if group == "" {
				kill(t, p, 0)
				t.Skip("there is no cgroup v2 here that we may write to")
			}
			// Whoever killed the wrapper did not kill the rest.
			unix.Kill(wrapperPid(t, s), unix.SIGKILL)
			wait(t, p)
			if err := proc.Sweep(s.Dir, s.ID); err != nil {
				t.Error(err)
			}
			survived(t, s, token)
			if err := p.Remove(); err != nil || !absent(group) {
				t.Errorf("%s is left (%v)", group, err)
			}
		})
	}
}

func TestCgroupStaysAsLongAsWhatAStepLeftRunning(t *testing.T) {
	t.Parallel()
	p, s, token, group := inCgroup(t, faithless+"exit 3")
	if r := wait(t, p); r.ExitCode != 3 {
		t.Errorf("result is %+v", r)
	}
	if err := p.Remove(); err != nil || absent(group) || len(bearing(t, token)) != 1 {
		t.Fatalf("removed under a living process: %v, %q", err, bearing(t, token))
	}
	if err := proc.Sweep(s.Dir, s.ID); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a later start removes it", func() bool {
		q := start(t, spec(t, "true"))
		wait(t, q)
		return absent(group)
	})
}

// TestCgroupBelowIsRemovedToo has a script that makes cgroups of its own.
func TestCgroupBelowIsRemovedToo(t *testing.T) {
	t.Parallel()
	p, s, token, group := inCgroup(t, `echo ready; until [ -s group ]; do sleep 0.01; done; read g <group
mkdir "$g/a" && mkdir "$g/a/b" && echo $$ >"$g/a/b/cgroup.procs" || exit; `+strings.Replace(faithless, "ready", "moved", 1)+`sleep $TOKEN`)
	if err := os.WriteFile(filepath.Join(s.WorkDir, "group"), []byte(group+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	says(t, p, "moved")
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	if err := p.Kill(ctx, 50*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	survived(t, s, token)
	if err := p.Remove(); err != nil || !absent(group) {
		t.Errorf("%s is left (%v)", group, err)
	}
}

// TestCgroupBelowALivingStepStays has another server start, and clear away what is
// left, when a script has made cgroups that nothing is in.
func TestCgroupBelowALivingStepStays(t *testing.T) {
	t.Parallel()
	p, _, _, group := inCgroup(t, "echo ready; sleep $TOKEN")
	below := filepath.Join(group, "a", "b")
	if err := os.MkdirAll(below, 0o755); err != nil {
		t.Fatal(err)
	}
	abandon(t, spec(t, "true"))
	if absent(below) {
		t.Errorf("%s of a living step is gone", below)
	}
	kill(t, p, 0)
	if err := p.Remove(); err != nil || !absent(group) {
		t.Errorf("%s is left (%v)", group, err)
	}
}
