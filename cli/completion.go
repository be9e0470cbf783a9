package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"stroem/control"
	"stroem/store"
)

// completeWord is the hidden command by which the completion scripts ask what
// may stand at the end of a command line.
const completeWord = "__complete"

// completePatience is how long a person at a prompt is kept waiting for names
// that only the server knows.
const completePatience = 700 * time.Millisecond

type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"The shell: bash, zsh or fish."`
}

// Help shows how the command is used.
func (completionCmd) Help() string {
	return "The script completes commands and flags, and names of tasks, workspaces and jobs as the server has them.\n\n" +
		shown("source <(stroem completion bash)       # in ~/.bashrc",
			"source <(stroem completion zsh)        # in ~/.zshrc, after compinit",
			"stroem completion fish > ~/.config/fish/completions/stroem.fish")
}

var completionScripts = map[string]string{
	// Not compgen -W, which would expand what stands in the names.
	"bash": `_stroem() {
  local word
  COMPREPLY=()
  while IFS= read -r word; do
    COMPREPLY+=("$word")
  done < <(stroem ` + completeWord + ` "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _stroem stroem
`,
	"zsh": `#compdef stroem
_stroem() {
  local -a found
  found=("${(@f)$(stroem ` + completeWord + ` "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "${found[1]}" ]]; then compadd -a found; else _files; fi
}
compdef _stroem stroem
`,
	"fish": `function __stroem_complete
  set -l words (commandline -opc)
  stroem ` + completeWord + ` $words[2..-1] (commandline -ct) 2>/dev/null
end
complete -c stroem -f -a '(__stroem_complete)'
for flag in path config data
  complete -c stroem -l $flag -r -F
end
`,
}

func (c *completionCmd) Run(e *env) error {
	if e.json {
		return e.printJSON(map[string]string{"shell": c.Shell, "script": completionScripts[c.Shell]})
	}
	_, err := io.WriteString(e.stdout, completionScripts[c.Shell])
	return err
}

// completer finds the words that may end a command line.
type completer struct {
	ctx    context.Context
	app    *kong.Application
	given  map[string]string // flags with their values
	node   *kong.Node        // the command, nil before it
	args   int               // positional arguments before the last word
	opened *kong.Flag        // a flag that waits for its value
}

// complete writes the words that may stand in the place of the last of words.
func complete(ctx context.Context, parser *kong.Kong, words []string, w io.Writer) {
	ctx, cancel := context.WithTimeout(ctx, completePatience)
	defer cancel()
	last := ""
	if n := len(words); n > 0 {
		words, last = words[:n-1], words[n-1]
	}
	c := &completer{ctx: ctx, app: parser.Model, given: map[string]string{}}
	for _, word := range words {
		c.read(word)
	}
	for _, word := range c.words(last) {
		if strings.HasPrefix(word, last) && harmless(word) {
			fmt.Fprintln(w, word)
		}
	}
}

// harmless reports whether a shell takes the word as it is: names come from
// others.
func harmless(word string) bool {
	for _, r := range word {
		if r <= ' ' || r == 0x7f || strings.ContainsRune("\"'`$&|;<>()*?[]{}#~!\\", r) {
			return false
		}
	}
	return control.Clean(word) == word
}

// read takes in a word that is complete.
func (c *completer) read(word string) {
	switch {
	case c.opened != nil:
		c.given[c.opened.Name] = word
		c.opened = nil
	case strings.HasPrefix(word, "-"):
		name, value, has := strings.Cut(word, "=")
		f := c.flag(name)
		switch {
		case f == nil:
		case has:
			c.given[f.Name] = value
		case f.IsBool():
			c.given[f.Name] = "true"
		default:
			c.opened = f
		}
	case c.node == nil:
		i := slices.IndexFunc(c.app.Children, func(n *kong.Node) bool { return n.Name == word })
		if i >= 0 {
			c.node = c.app.Children[i]
		}
	default:
		c.args++
	}
}

// flags are those that may be given here.
func (c *completer) flags() (list []*kong.Flag) {
	node := c.app.Node
	if c.node != nil {
		node = c.node
	}
	for _, group := range node.AllFlags(true) {
		list = append(list, group...)
	}
	return list
}

func (c *completer) flag(word string) *kong.Flag {
	for _, f := range c.flags() {
		if word == "--"+f.Name || f.Short != 0 && word == "-"+string(f.Short) {
			return f
		}
	}
	return nil
}

// words are the candidates for the last word.
func (c *completer) words(last string) (list []string) {
	switch {
	case c.opened != nil:
		return c.values(c.opened.Name)
	case strings.HasPrefix(last, "-"):
		for _, f := range c.flags() {
			list = append(list, "--"+f.Name)
		}
		return list
	case c.node == nil:
		for _, n := range c.app.Children {
			list = append(list, n.Name)
		}
		return list
	case c.args < len(c.node.Positional):
		arg := c.node.Positional[c.args]
		if arg.Enum != "" {
			return arg.EnumSlice()
		}
		return c.values(arg.Name)
	}
	return nil
}

// values are what a flag or an argument of that name may be.
func (c *completer) values(name string) (list []string) {
	switch name {
	case "status":
		for _, s := range store.JobStatuses {
			list = append(list, string(s))
		}
	case "workspace":
		var all []store.WorkspaceInfo
		c.ask(api("workspaces"), &all)
		for _, w := range all {
			list = append(list, w.Name)
		}
	case "job":
		var page jobPage
		c.ask(api("jobs"), &page)
		for _, j := range page.Items {
			list = append(list, j.ID)
		}
	case "task":
		return c.tasks()
	}
	return list
}

// tasks are those of the folder that the command looks into, else the
// server's.
func (c *completer) tasks() (list []string) {
	path := c.given["path"]
	if path == "" && c.node.Name == "run" {
		path = "."
	}
	if path != "" {
		ws, err := loadFolder(path)
		if err != nil {
			return nil
		}
		for _, t := range ws.Tasks {
			list = append(list, t.Name)
		}
		return list
	}
	var all []control.Task
	c.ask(api("tasks"), &all)
	for _, t := range all {
		if ws := c.given["workspace"]; ws == "" || ws == t.Workspace {
			list = append(list, t.Name)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// ask asks the server; without one there is nothing to offer.
func (c *completer) ask(path string, into any) {
	e := &env{ctx: c.ctx, config: c.value("config"), url: c.value("url"), token: c.value("token")}
	e.allowHTTP, _ = strconv.ParseBool(c.value("allow-http")) // what is no yes is a no
	server, err := e.client()
	if err != nil {
		return
	}
	_ = server.get(c.ctx, path, nil, into) // silence is the answer at a prompt
}

// value is a global flag: as given, else from the environment, else its
// default.
func (c *completer) value(name string) string {
	if v := c.given[name]; v != "" {
		return v
	}
	f := c.flag("--" + name)
	for _, env := range f.Envs {
		if v := os.Getenv(env); v != "" {
			return v
		}
	}
	return f.Default
}
