package store_test

import (
	"bytes"
	"errors"
	"path/filepath"
	"testing"

	"golang.org/x/sync/errgroup"

	"stroem/store"
)

// Commands that begin at once must not each sign with a key of their own.
func TestSecretKeyIsMadeOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	keys := make([][]byte, 8)
	var g errgroup.Group
	for i := range keys {
		g.Go(func() error {
			st, err := store.OpenBeside(dir)
			for errors.Is(err, store.ErrOtherSchema) { // another is making it ready
				st, err = store.OpenBeside(dir)
			}
			if err != nil {
				return err
			}
			defer st.Close()
			keys[i], err = st.Key("x")
			return err
		})
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
