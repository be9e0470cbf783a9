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

func (v *validateCmd) Run(e *env) error {
	ws, err := loadFolder(v.Path)
	if err != nil {
		return err
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

// loadFolder reads a workspace folder without a server.
func loadFolder(path string) (*workspace.Workspace, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("open workspace folder: %w", err)
	}
	defer root.Close()
	return workspace.Load(root.FS(), nil)
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
