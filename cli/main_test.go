package cli_test

import (
	"context"
	"os"
	"os/signal"
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
			e.Setenv("STROEM__LISTEN", "127.0.0.1:0")
			return os.Mkdir(e.WorkDir+"/home", 0o755)
		},
	})
}
