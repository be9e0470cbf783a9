// Package cli is the command line: its grammar, the configuration file, and
// the joining of the parts.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"

	"github.com/alecthomas/kong"
)

// Exit codes.
const (
	exitDone  = 0
	exitFail  = 1 // it failed or was refused
	exitUsage = 2 // wrong use
)

// commands is the grammar.
type commands struct {
	Config string `placeholder:"FILE" env:"STROEM_CONFIG" help:"Configuration file (./server-config.yaml if there is one)."`
	Data   string `placeholder:"DIR" env:"STROEM_DATA" help:"Data folder, in place of the configuration's."`

	Serve    serveCmd    `cmd:"" help:"Run the server."`
	Validate validateCmd `cmd:"" help:"Check a workspace folder and show every problem in it."`
	Version  versionCmd  `cmd:"" help:"Show the version."`
}

// env is what a command runs in.
type env struct {
	ctx            context.Context
	stdout, stderr io.Writer
	config, data   string
}

// failure is an error whose report has been printed already.
type failure struct{}

func (failure) Error() string { return "failed" }

// exited carries kong's wish to exit, after --help, up to Main.
type exited int

// Main runs the command that args name and returns the exit code: 0 done, 1
// it failed or was refused, 2 wrong use. ctx ends what runs.
func Main(ctx context.Context, args []string, stdout, stderr io.Writer) (code int) {
	defer func() {
		if p := recover(); p != nil {
			wish, ok := p.(exited)
			if !ok {
				panic(p)
			}
			code = int(wish)
		}
	}()
	var c commands
	parser, err := kong.New(&c, kong.Name("stroem"),
		kong.Description("Strøm runs tasks that are declared in YAML, for people and for AI agents."),
		kong.Writers(stdout, stderr), kong.Exit(func(code int) { panic(exited(code)) }),
		kong.UsageOnError(), kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	if err != nil {
		fmt.Fprintln(stderr, "stroem:", err)
		return exitFail
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	command, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(stderr, "stroem: %v\nstroem --help shows how it is used.\n", err)
		return exitUsage
	}
	err = command.Run(&env{ctx: ctx, stdout: stdout, stderr: stderr, config: c.Config, data: c.Data})
	switch {
	case err == nil:
		return exitDone
	case !errors.Is(err, failure{}):
		fmt.Fprintln(stderr, "stroem:", err)
	}
	return exitFail
}

type versionCmd struct{}

func (versionCmd) Run(e *env) error {
	fmt.Fprintln(e.stdout, "stroem", version())
	return nil
}

// version is the module's version, or the commit of a build from a checkout.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return "dev-" + s.Value[:min(12, len(s.Value))]
		}
	}
	return "dev"
}
