package cli

import (
	"errors"
	"os"
	"path/filepath"
)

// writeFileAtomically puts a file of its owner's alone in the place of what
// was there.
func writeFileAtomically(path string, doc []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".stroem-*") // 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	if _, err = f.Write(doc); err != nil {
		return errors.Join(err, f.Close())
	}
	if err = errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
