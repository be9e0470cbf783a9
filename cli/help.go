package cli

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

type helpCmd struct {
	Command []string `arg:"" optional:"" help:"The command; without one, all are listed."`
}

// Run is --help of the command, with its exit code.
func (c *helpCmd) Run(e *env) error {
	panic(exited(Main(e.ctx, append(c.Command, "--help"), e.stdout, e.stderr)))
}

// versionFlag is the command version for those who expect a flag.
type versionFlag bool

// BeforeReset answers before anything else on the command line is looked at.
func (versionFlag) BeforeReset(app *kong.Kong) error {
	_, err := fmt.Fprintln(app.Stdout, "stroem "+version())
	app.Exit(exitDone)
	return err
}

// synonyms are what other programs call our commands.
var synonyms = map[string]string{
	"ps": "jobs", "ls": "jobs", "list": "jobs", "start": "trigger", "exec": "trigger", "stop": "cancel", "kill": "cancel",
	"show": "inspect", "log": "logs", "server": "serve", "check": "validate",
}

// advised is what the grammar says of wrong use, with better advice where it
// has none or a wrong one.
func advised(text string) string {
	if rest, ok := strings.CutPrefix(text, "unknown command "); ok {
		word, _, _ := strings.Cut(rest, ",")
		if meant := synonyms[word]; meant != "" {
			return fmt.Sprintf("unknown command %s, did you mean %q?", word, meant)
		}
	}
	// Kong takes -1 for a flag and says how to give it all the same, but these
	// are numbers that are never negative.
	for flag, least := range map[string]int{"--limit": 1, "--tail": 0} {
		if strings.HasPrefix(text, flag+": ") && strings.Contains(text, "perhaps try ") {
			return fmt.Sprintf("%s: give a number from %d", flag, least)
		}
	}
	return text
}
