// Package cli is the command line: its grammar, the configuration file, and
// the joining of the parts.
package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	_ "time/tzdata" // names of time zones mean the same on every machine

	"github.com/alecthomas/kong"

	"stroem/auth"
	"stroem/control"
)

// Exit codes.
const (
	exitDone  = 0
	exitFail  = 1 // it failed or was refused
	exitUsage = 2 // wrong use
)

// commands is the grammar.
type commands struct {
	Config    string `placeholder:"FILE" env:"STROEM_CONFIG" group:"global" help:"Configuration file of the server (./server-config.yaml if there is one)."`
	Data      string `placeholder:"DIR" env:"STROEM_DATA" group:"global" help:"Data folder, in place of the configuration's."`
	URL       string `placeholder:"URL" env:"STROEM_URL" group:"global" help:"The server to ask (the one that the configuration describes, else http://127.0.0.1:8080)."`
	Token     string `placeholder:"TOKEN" env:"STROEM_TOKEN" group:"global" help:"API key to show the server (the sign-in of stroem login, if there is one)."`
	AllowHTTP bool   `name:"allow-http" env:"STROEM_ALLOW_HTTP" group:"global" help:"Send passwords and keys to a server on another machine by http, without encryption."`
	JSON      bool   `name:"json" group:"global" help:"Answer in JSON, in the shapes of the server's API."`

	ShowVersion versionFlag `name:"version" group:"global" help:"Show the version."`

	Init     initCmd     `cmd:"" group:"local" help:"Write a first task to start from."`
	Validate validateCmd `cmd:"" group:"local" help:"Check a workspace folder and show every problem in it."`
	Run      runCmd      `cmd:"" group:"local" help:"Run a task here and now, without a server."`
	Render   renderCmd   `cmd:"" group:"local" help:"Show the scripts of a task as they would run."`
	Actions  actionsCmd  `cmd:"" group:"local" help:"List the actions of a workspace folder."`
	Triggers triggersCmd `cmd:"" group:"local" help:"List the triggers of a workspace folder."`

	Workspaces workspacesCmd `cmd:"" group:"remote" help:"List the server's workspaces."`
	Tasks      tasksCmd      `cmd:"" group:"remote" help:"List tasks: the server's, or with --path a folder's."`
	Inspect    inspectCmd    `cmd:"" group:"remote" help:"Show a task: its input, its steps, its triggers; with --path of a folder."`
	Trigger    triggerCmd    `cmd:"" group:"remote" help:"Start a task on the server."`
	Jobs       jobsCmd       `cmd:"" group:"remote" help:"List jobs, the newest first."`
	Status     statusCmd     `cmd:"" group:"remote" help:"Show how a job and its steps stand."`
	Logs       logsCmd       `cmd:"" group:"remote" help:"Show what a job's steps said."`
	Artifacts  artifactsCmd  `cmd:"" group:"remote" help:"List the files that a job's steps left, or download one."`
	Cancel     cancelCmd     `cmd:"" group:"remote" help:"End a job with everything it runs."`
	Rerun      rerunCmd      `cmd:"" group:"remote" help:"Run an ended job again, with the input that it had."`
	Approve    approveCmd    `cmd:"" group:"remote" help:"Say yes to a step that waits for a person."`
	Reject     rejectCmd     `cmd:"" group:"remote" help:"Say no to a step that waits for a person."`
	Login      loginCmd      `cmd:"" group:"remote" help:"Sign in by password, for the commands that follow."`
	Logout     logoutCmd     `cmd:"" group:"remote" help:"Sign out."`
	Passwd     passwdCmd     `cmd:"" group:"remote" help:"Change the password that you sign in with."`
	Whoami     whoamiCmd     `cmd:"" group:"remote" help:"Show who the server takes you for."`

	Serve      serveCmd      `cmd:"" group:"server" help:"Run the server."`
	Doctor     doctorCmd     `cmd:"" group:"server" help:"Check this machine and the data folder."`
	Backup     backupCmd     `cmd:"" group:"server" help:"Write the data folder to a file, also while the server runs."`
	Restore    restoreCmd    `cmd:"" group:"server" help:"Put a backup back into an empty data folder."`
	MCP        mcpCmd        `cmd:"" name:"mcp" group:"server" help:"Speak MCP on standard input and output, for hosts that start programs."`
	Connect    connectCmd    `cmd:"" group:"server" help:"Let Claude, Cursor, VS Code or another agent's host use the server."`
	Disconnect disconnectCmd `cmd:"" group:"server" help:"Take the server out of an agent's host again, and its key with it."`
	Apikey     apikeyCmd     `cmd:"" name:"apikey" group:"server" help:"Make, list and revoke API keys."`
	OAuth      oauthCmd      `cmd:"" name:"oauth" group:"server" help:"List remote agents that were given access, and take it away."`
	User       userCmd       `cmd:"" group:"server" help:"Make, list and change accounts."`
	Can        canCmd        `cmd:"" group:"server" help:"Say whether an account may view or run a task, and by which rule."`
	Audit      auditCmd      `cmd:"" group:"server" help:"Show who did what, and check that the record is whole."`

	Help       helpCmd       `cmd:"" group:"other" help:"Show how a command is used."`
	Version    versionCmd    `cmd:"" group:"other" help:"Show the version."`
	Completion completionCmd `cmd:"" group:"other" help:"Write a completion script for a shell."`
}

var groups = []kong.Group{
	{Key: "local", Title: "Write tasks and try them, without a server:"},
	{Key: "remote", Title: "Ask a server:"},
	{Key: "server", Title: "Run a server:"},
	{Key: "other", Title: "Other:"},
	{Key: "global", Title: "With every command:"},
}

// rootExamples close the help of stroem itself.
const rootExamples = `
Examples:
  stroem init && stroem run hello           a first task, run at once
  stroem serve                              a server, in another terminal
  stroem trigger hello -i who=Ada --wait    run it there, and watch
  stroem jobs --status failed               what went wrong lately
  stroem logs -f JOB                        what a job says, while it runs
`

// env is what a command runs in.
type env struct {
	ctx            context.Context
	stdout, stderr io.Writer
	config, data   string
	url, token     string
	json           bool
	allowHTTP      bool
	// still calls do while nothing is drawn; nil: nothing ever is.
	still func(do func())
	// notice tells of something beside the output; nil: on stderr, at once.
	notice func(text string)
}

func (e *env) tell(text string) {
	if e.notice != nil {
		e.notice(text)
		return
	}
	fmt.Fprintln(e.stderr, "stroem: "+text)
}

// failure is an error whose report has been printed already.
type failure struct{}

func (failure) Error() string { return "failed" }

// usageError is wrong use that the grammar alone does not see.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

func usage(format string, args ...any) error {
	return &usageError{fmt.Sprintf(format, args...)}
}

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
	parser, err := grammar(&c, stdout, stderr)
	if err != nil {
		fmt.Fprintln(stderr, "stroem:", err)
		return exitFail
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	if args[0] == completeWord {
		complete(ctx, parser, args[1:], stdout)
		return exitDone
	}
	command, err := parser.Parse(args)
	if err != nil {
		name, text := used(err)
		fmt.Fprintf(stderr, "stroem: %s\n%s --help shows how it is used.\n", control.Clean(text), name)
		return exitUsage
	}
	ctx = auth.With(ctx, auth.Owner()) // whoever can run this on the data folder owns it
	return report(stderr, command.Run(&env{ctx: ctx, stdout: stdout, stderr: stderr, config: c.Config, data: c.Data,
		url: c.URL, token: c.Token, json: c.JSON, allowHTTP: c.AllowHTTP}))
}

// grammar is the parser of the command line.
func grammar(c *commands, stdout, stderr io.Writer) (*kong.Kong, error) {
	return kong.New(c, kong.Name("stroem"),
		kong.Description("Strøm runs tasks that are declared in YAML, for people and for AI agents."),
		kong.Writers(stdout, stderr), kong.Exit(func(code int) { panic(exited(code)) }),
		kong.Vars{"hosts": hostNames()}, kong.ExplicitGroups(groups), kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true, WrapUpperBound: 100}),
		kong.Help(func(o kong.HelpOptions, ctx *kong.Context) error {
			if err := kong.DefaultHelpPrinter(o, ctx); err != nil || ctx.Selected() != nil {
				return err
			}
			_, err := io.WriteString(ctx.Stdout, rootExamples)
			return err
		}))
}

// used is the command that was used wrongly, as far as it is known, and what
// is wrong.
func used(err error) (command, text string) {
	command, text = "stroem", err.Error()
	var parse *kong.ParseError
	if !errors.As(err, &parse) || parse.Context == nil || parse.Context.Selected() == nil {
		return command, advised(strings.Replace(text, "unexpected argument ", "unknown command ", 1))
	}
	return command + " " + parse.Context.Selected().Name, advised(text)
}

// report tells what went wrong and gives the exit code.
func report(stderr io.Writer, err error) int {
	var wrong *usageError
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, failure{}):
		return exitFail
	}
	// Much of what errors say came from a server or from files.
	fmt.Fprintln(stderr, "stroem:", control.Clean(err.Error()))
	if errors.As(err, &wrong) {
		return exitUsage
	}
	return exitFail
}

// terminal is the terminal that the command writes to, nil where it is none.
func (e *env) terminal() *terminal { return terminalOf(e.stdout) }

func (e *env) println(text string) { fmt.Fprintln(e.stdout, text) }

// printJSON writes v on one line; on a terminal on many.
func (e *env) printJSON(v any) error {
	enc := json.NewEncoder(e.stdout)
	enc.SetEscapeHTML(false)
	if e.terminal() != nil {
		enc.SetIndent("", "  ")
	}
	return enc.Encode(v)
}

// printJSONLine writes v on one line, on a terminal too.
func (e *env) printJSONLine(v any) error {
	enc := json.NewEncoder(e.stdout)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// show asks the server for path and prints its answer: as it is with --json,
// else by the function.
func show[T any](e *env, c *client, path string, query map[string][]string, text func(T)) error {
	if e.json {
		var doc json.RawMessage
		if err := c.get(e.ctx, path, query, &doc); err != nil {
			return err
		}
		return e.printJSON(doc)
	}
	var v T
	if err := c.get(e.ctx, path, query, &v); err != nil {
		return err
	}
	text(v)
	return nil
}

// shown joins examples for the help of a command. go/doc, which formats it,
// keeps indented lines as they are.
func shown(lines ...string) string {
	return "Examples:\n\n    " + strings.Join(lines, "\n    ")
}
