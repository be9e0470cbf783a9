package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

type initCmd struct {
	Dir string `arg:"" optional:"" default:"." type:"path" help:"Folder that is to be a workspace; it is made if it is not there."`
}

// Help shows how the command is used.
func (initCmd) Help() string {
	return "It writes .workflows/hello.yaml, and never over a file that is there.\n\n" +
		shown("stroem init", "stroem init ~/ops && stroem run hello --path ~/ops")
}

// firstTask is what init writes.
const firstTask = `# Your first task. stroem run hello runs it; stroem validate checks it.
tasks:
  hello:
    description: Greet somebody
    input:
      who: { type: string, default: World, description: Whom to greet }
    flow:
      greet:
        type: script
        script: |
          echo "Hello, {{ input.who }}!"
          printf '{"system": "%s"}' "$(uname)" > "$STROEM_OUTPUT"
      report:
        depends_on: [greet]
        type: script
        script: echo "the greeting came from a {{ greet.output.system }} machine"
`

func (c *initCmd) Run(e *env) error {
	dir := filepath.Join(c.Dir, ".workflows")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make the workspace: %w", err)
	}
	file := filepath.Join(dir, "hello.yaml")
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already; nothing was changed", file)
	}
	if err != nil {
		return fmt.Errorf("write the first task: %w", err)
	}
	_, err = f.WriteString(firstTask)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write the first task: %w", err)
	}
	if e.json {
		return e.printJSON(map[string]string{"file": file})
	}
	where := (&inFolder{Path: c.Dir}).where()
	fmt.Fprintf(e.stdout, `Wrote %s, a task named hello. Now:

  stroem run hello -i who=Ada%s
  stroem inspect hello --path %s

`, file, where, c.Dir)
	if where == "" {
		e.println("`stroem serve` in this folder serves it to people and agents.")
	} else {
		fmt.Fprintf(e.stdout, "`stroem serve` in %s serves it to people and agents.\n", c.Dir)
	}
	return nil
}
