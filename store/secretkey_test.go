package store_test

import (
	"bytes"
	"path/filepath"
	"testing"

	"golang.org/x/sync/errgroup"

	"stroem/store"
)

// A command beside a server that starts must not sign with a key of its own.
func TestSecretKeyIsMadeOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	st, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	keys := make([][]byte, 16)
	var g errgroup.Group
	for i := range keys {
		g.Go(func() (err error) { keys[i], err = st.Key("x"); return err })
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		if !bytes.Equal(k, keys[0]) {
			t.Error("two of those who were first have different keys")
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "secret.key*"))
	if err != nil || len(files) != 1 {
		t.Errorf("left behind: %q, %v", files, err)
	}
}
