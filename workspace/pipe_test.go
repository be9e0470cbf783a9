//go:build unix

package workspace_test

import (
	"os"
	"path/filepath"
	"reflect"
	"syscall"
	"testing"

	"stroem/workspace"
)

// TestPipe: to open a pipe would wait for ever for its writer.
func TestPipe(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.yaml"), 0o600); err != nil {
		t.Skip(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	w, err := workspace.Load(root.FS(), nil)
	if err != nil || !reflect.DeepEqual(w.Broken(), []string{"pipe.yaml"}) {
		t.Fatalf("%v, %+v", err, w)
	}
}
