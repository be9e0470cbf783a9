package store

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Key is a key of 32 bytes for one purpose, derived from the data folder's
// secret.key, which is made when the folder is first opened.
func (s *Store) Key(purpose string) ([]byte, error) {
	s.keyFile.Lock()
	defer s.keyFile.Unlock()
	path := filepath.Join(s.dir, keyFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		text = []byte(hex.EncodeToString(random(32)) + "\n")
		err = writeNew(path, text)
	}
	if err != nil {
		return nil, diskError(s.dir, fmt.Errorf("secret key: %w", err))
	}
	master, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(master) != 32 {
		return nil, fmt.Errorf("%s does not hold 64 hexadecimal digits; put back the file that was there", path)
	}
	mac := hmac.New(sha256.New, master)
	mac.Write([]byte(purpose))
	return mac.Sum(nil), nil
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) //nolint:errcheck // it never fails (crypto/rand)
	return b
}

// writeNew makes the file whole or not at all, and durable.
func writeNew(path string, text []byte) error {
	half := path + ".new"
	f, err := os.OpenFile(half, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(half, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}
