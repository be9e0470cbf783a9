//go:build unix

package cli_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"stroem/cli"
)

// TestMain makes this test binary a stroem as well: tests start it by that
// name as a real process.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"stroem": func() {
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			os.Exit(cli.Main(ctx, os.Args[1:], os.Stdout, os.Stderr))
		},
	})
}

func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOME", e.WorkDir+"/home")
			e.Setenv("TMPDIR", e.WorkDir+"/tmp")
			e.Setenv("XDG_DATA_HOME", "")
			e.Setenv("STROEM__LISTEN", "127.0.0.1:0")
			e.Setenv("STROEM_URL", "http://127.0.0.1:1") // where nobody listens
			return errors.Join(os.Mkdir(e.WorkDir+"/home", 0o755), os.Mkdir(e.WorkDir+"/tmp", 0o755))
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"serve": serveInScript, "keep": keep, "rc": exitCode,
		},
	})
}

// serveInScript is the command "serve [DIR]": a server that stands in DIR until
// the script ends, STROEM_URL that names it, and a file greeting with what it
// said.
func serveInScript(ts *testscript.TestScript, _ bool, args []string) {
	s := &server{cmd: exec.Command("stroem", "serve"), ended: make(chan struct{})}
	s.cmd.Dir = ts.MkAbs(strings.Join(args, ""))
	s.cmd.Env = append(os.Environ(), "XDG_DATA_HOME=", "STROEM__LISTEN=127.0.0.1:0", "HOME="+ts.Getenv("HOME"), "STROEM_DATA="+ts.Getenv("STROEM_DATA"))
	ts.Check(s.start())
	ts.Defer(func() { s.kill(syscall.SIGKILL) })
	ts.Setenv("STROEM_URL", s.url)
	ts.Check(os.WriteFile(ts.MkAbs("greeting"), []byte(s.greeted), 0o600))
}

// keep is the command "keep NAME": what was printed last becomes a variable.
func keep(ts *testscript.TestScript, _ bool, args []string) {
	ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile("stdout")))
}

// exitCode is the command "rc N COMMAND…": it must exit with N.
func exitCode(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	code := "0"
	if exit, ok := err.(*exec.ExitError); ok { //nolint:errorlint // as ts.Exec returns it
		code = exit.ProcessState.String()
	}
	if strings.TrimPrefix(code, "exit status ") != args[0] {
		ts.Fatalf("%v: exit %s, want %s", args[1:], code, args[0])
	}
}
