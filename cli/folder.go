package cli

import (
	"fmt"
	"path/filepath"
	"strings"

	"stroem/workspace"
)

// localName is what a folder that no server serves is called as a workspace.
const localName = "default"

// inFolder is a folder given with --path.
type inFolder struct {
	Path string `placeholder:"DIR" type:"path" default:"." help:"Workspace folder (the one you stand in)."`
}

// load reads the folder, and says on stderr when a part of it is broken.
func (in *inFolder) load(e *env) (*workspace.Workspace, error) {
	ws, err := loadFolder(in.Path)
	if err != nil {
		return nil, err
	}
	if n := len(ws.Broken()); n > 0 {
		fmt.Fprintf(e.stderr, "stroem: %s in %s cannot be used as it is: %s\n", count(n, "file"), in.Path, ws.Err())
	}
	return ws, nil
}

// task is the task of that name in the folder.
func (in *inFolder) task(e *env, name string) (*workspace.Workspace, *workspace.Task, error) {
	ws, err := in.load(e)
	if err != nil {
		return nil, nil, err
	}
	var names []string
	for _, t := range ws.Tasks {
		if t.Name == name {
			return ws, t, nil
		}
		names = append(names, t.Name)
	}
	text := fmt.Sprintf("no task %q in %s", name, in.Path)
	switch near := workspace.Nearest(name, names); {
	case near != "":
		text += fmt.Sprintf("; did you mean %q?", near)
	case len(ws.Broken()) > 0:
		text += "; it may stand in a file that does not load"
	case len(names) == 0:
		text += "; it has no tasks: `stroem init` writes a first one, --path names another folder"
	case len(names) <= 10:
		text += "; it has " + strings.Join(names, ", ")
	default:
		text += "; `stroem tasks --path " + quote(in.Path) + "` lists them"
	}
	return nil, nil, fmt.Errorf("%s", text)
}

// where is the flag that names the folder again, for examples.
func (in *inFolder) where() string {
	if here, err := filepath.Abs("."); err == nil && here == in.Path {
		return ""
	}
	return " --path " + quote(in.Path)
}
