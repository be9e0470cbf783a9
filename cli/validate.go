package cli

import (
	"fmt"
	"os"

	"stroem/workspace"
)

type validateCmd struct {
	Path   string `arg:"" default:"." help:"Workspace folder."`
	Strict bool   `help:"Take warnings as errors."`
}

// Help shows how the command is used.
func (validateCmd) Help() string {
	return shown("stroem validate", "stroem validate --strict deploy/")
}

func (v *validateCmd) Run(e *env) error {
	ws, err := loadFolder(v.Path)
	if err != nil {
		return err
	}
	if e.json {
		return v.json(e, ws)
	}
	bad := 0
	for _, p := range ws.Problems {
		kind := ""
		if p.Warning && !v.Strict {
			kind = "warning: "
		} else {
			bad++
		}
		fmt.Fprintf(e.stdout, "%s%s\n", kind, p)
	}
	if bad > 0 {
		fmt.Fprintf(e.stderr, "stroem: %s in %s\n", count(bad, "problem"), v.Path)
		return failure{}
	}
	fmt.Fprintf(e.stdout, "%s: %s, no errors\n", v.Path, count(len(ws.Tasks), "task"))
	return nil
}

// json prints the problems as data; with --strict warnings fail as well.
func (v *validateCmd) json(e *env, ws *workspace.Workspace) error {
	bad := len(ws.Broken()) > 0 || v.Strict && len(ws.Problems) > 0
	err := e.printJSON(struct {
		Tasks    int                 `json:"tasks_count"`
		Problems []workspace.Problem `json:"problems"`
	}{len(ws.Tasks), append([]workspace.Problem{}, ws.Problems...)})
	if err == nil && bad {
		err = failure{}
	}
	return err
}

// loadFolder reads a workspace folder without a server.
func loadFolder(path string) (*workspace.Workspace, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("open workspace folder: %w", err)
	}
	defer root.Close()
	return workspace.Load(root.FS(), nil)
}
