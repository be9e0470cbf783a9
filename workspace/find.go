package workspace

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
)

// Bounds of a workspace.
const (
	maxFolders  = 10      // folders within folders
	maxFiles    = 1000    // YAML files
	maxFile     = 1 << 20 // bytes of one file
	maxAllFiles = 8 << 20 // bytes of all YAML files
	maxSources  = 32 << 20
	maxEntries  = 50_000 // files and folders looked at
)

// home is the folder that holds the workflows.
const home = ".workflows"

// found is a YAML file of the workspace, in the order in which they count.
type found struct {
	path   string
	folder string // below the scanned root, "" at its top
	text   string
	sops   bool // it is encrypted by sops
	failed *Problem
}

// find reads the YAML files of a workspace: below .workflows where there is
// one, else below the root; in the order of their paths, of which the last has
// the last word. Hidden files and folders, and links to folders, are passed by.
func find(fsys fs.FS) ([]found, []Problem, error) {
	root := "."
	if info, err := fs.Stat(fsys, home); err == nil && info.IsDir() {
		root = home
	}
	f := &finder{fsys: fsys, root: root}
	if err := fs.WalkDir(fsys, root, f.visit); err != nil {
		return nil, nil, err
	}
	return f.files, f.notes, nil
}

type finder struct {
	fsys    fs.FS
	root    string
	files   []found
	notes   []Problem
	bytes   int
	entries int
}

func (f *finder) visit(p string, d fs.DirEntry, err error) error {
	if err != nil {
		if p == f.root {
			return err
		}
		f.notes = append(f.notes, Problem{File: p, What: reason(err), Fix: "its files are left out; see who may read it"})
		return nil
	}
	below := strings.TrimPrefix(strings.TrimPrefix(p, f.root), "/")
	if f.root == "." {
		below = p
	}
	if f.entries++; f.entries > maxEntries {
		f.notes = append(f.notes, Problem{File: p, What: fmt.Sprintf("the workspace has more than %d files", maxEntries), Fix: "put its workflows in a folder .workflows"})
		return fs.SkipAll
	}
	if d.IsDir() {
		if p != f.root && (strings.HasPrefix(d.Name(), ".") || strings.Count(below, "/")+1 > maxFolders) {
			return fs.SkipDir
		}
		return nil
	}
	if !isYAML(d.Name()) {
		return nil
	}
	if len(f.files) == maxFiles {
		f.notes = append(f.notes, Problem{File: p, What: fmt.Sprintf("the workspace has more than %d YAML files", maxFiles), Fix: "put its workflows in a folder .workflows"})
		return fs.SkipAll
	}
	file := found{path: p, sops: strings.Contains(d.Name(), ".sops.")}
	if dir := path.Dir(below); dir != "." {
		file.folder = dir
	}
	limit := min(maxFile, maxAllFiles-f.bytes)
	text, err := readFile(f.fsys, p, limit)
	switch {
	case errors.Is(err, errTooLarge) && limit < maxFile:
		err = errors.New("the YAML files are together larger than 8 MiB")
		fallthrough
	case err != nil:
		file.failed = &Problem{File: p, What: reason(err), Fix: "the rest of the workspace goes on without it"}
	}
	file.text = text
	f.bytes += len(text)
	f.files = append(f.files, file)
	return nil
}

func isYAML(name string) bool {
	return !strings.HasPrefix(name, ".") && (strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml"))
}

var (
	errTooLarge   = errors.New("the file is larger than 1 MiB")
	errNotRegular = errors.New("this is no ordinary file")
)

// readFile reads an ordinary file up to a size. The file system is rooted, so a
// link that leads out of the workspace does not open.
func readFile(fsys fs.FS, name string, limit int) (string, error) {
	// Stat first: to open a pipe would wait for its writer.
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", errNotRegular
	}
	if info.Size() > int64(limit) {
		return "", errTooLarge
	}
	file, err := fsys.Open(name)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }()
	data, err := io.ReadAll(io.LimitReader(file, int64(limit)+1))
	if err != nil {
		return "", err
	}
	if len(data) > limit {
		return "", errTooLarge
	}
	return string(data), nil
}

// reason says why a file cannot be read, without the path, which the problem has.
func reason(err error) string {
	var pe *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "there is no such file"
	case errors.Is(err, fs.ErrPermission):
		return "the server may not read it"
	case errors.Is(err, errTooLarge), errors.Is(err, errNotRegular):
		return err.Error()
	case errors.As(err, &pe):
		return "it cannot be read: " + cut(pe.Err.Error())
	}
	return cut(err.Error())
}
