package cli

import (
	"errors"
	"io"
	"os"
	"path/filepath"
)

// writeFileAtomically puts a file of its owner's alone in the place of what
// was there.
func writeFileAtomically(path string, doc []byte) error {
	return writeAtomically(path, func(w io.Writer) error {
		_, err := w.Write(doc)
		return err
	})
}

// writeAtomically is writeFileAtomically for what write writes.
func writeAtomically(path string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".stroem-*") // 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	if err = write(f); err != nil {
		return errors.Join(err, f.Close())
	}
	if err = errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
