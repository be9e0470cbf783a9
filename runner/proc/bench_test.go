//go:build unix

package proc_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"stroem/runner/proc"
)

// BenchmarkStart is the time from Start until Done of a script that does nothing,
// beside the bare shell.
func BenchmarkStart(b *testing.B) {
	for _, shell := range []string{"sh", "bash"} {
		b.Run("bare "+shell, func(b *testing.B) {
			need(b, shell)
			for b.Loop() {
				if err := exec.Command(shell, "-c", "true").Run(); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("attempt "+shell, func(b *testing.B) {
			need(b, shell)
			benchAttempt(b, proc.Spec{Shell: shell})
		})
	}
	b.Run("attempt sh, no cgroup", func(b *testing.B) { benchAttempt(b, proc.WithoutCgroup(proc.Spec{Shell: "sh"})) })
	b.Run("attempt sh, variables around", func(b *testing.B) { benchAttempt(b, proc.Spec{Shell: "sh", Env: []string{"a.b=1"}}) })
}

func benchAttempt(b *testing.B, s proc.Spec) {
	dir := b.TempDir()
	s.Script, s.WorkDir, s.Env = "true", dir, append(s.Env, "PATH="+os.Getenv("PATH"))
	for i := 0; b.Loop(); i++ {
		s.ID = strconv.Itoa(i)
		s.Dir = filepath.Join(dir, "steps", s.ID)
		p, err := proc.Start(s)
		if err != nil {
			b.Fatal(err)
		}
		<-p.Done()
		if r := p.Result(); r.ExitCode != 0 {
			b.Fatal(r)
		}
		p.Remove()
	}
}

// BenchmarkKill is the time of a cancel of a script that heeds it.
func BenchmarkKill(b *testing.B) {
	dir := b.TempDir()
	s := proc.Spec{Shell: "sh", Script: "exec sleep 300", WorkDir: dir, Env: []string{"PATH=" + os.Getenv("PATH")}}
	for i := 0; b.Loop(); i++ {
		s.ID = strconv.Itoa(i)
		s.Dir = filepath.Join(dir, "steps", s.ID)
		p, err := proc.Start(s)
		if err != nil {
			b.Fatal(err)
		}
		kill(b, p, within)
		p.Remove()
	}
}
