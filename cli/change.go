package cli

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"stroem/auth"
	"stroem/store"
)

// change is what happens to a file of a host.
type change struct {
	path          string
	before, after []byte
	existed       bool
	old           []byte // our entry as it was
	backup        string // where the file as it was is kept
	written       bool
}

func (c *change) differs() bool { return !bytes.Equal(c.before, c.after) }

// told says what was done to the file.
func (c *change) told(what string) string {
	switch text := what + c.path; {
	case !c.differs():
		return text + ", as it did already."
	case c.backup == "":
		return text + ", which is new."
	default:
		return text + "; as it was it is kept in " + c.backup + "."
	}
}

// changesOf are the changes to the host's files that put the entry in, or with
// nil take it out. Where one of them cannot be made, there are none.
func changesOf(h *host, files []string, entry any) (list []change, err error) {
	for _, path := range files {
		c := change{path: path}
		if real, err := filepath.EvalSymlinks(path); err == nil { // a link stays one
			c.path = real
		}
		switch c.before, err = os.ReadFile(c.path); {
		case err == nil:
			c.existed = true
		case !errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("read the file of %s: %w", h.title, err)
		case entry == nil:
			continue
		}
		if c.after, c.old, err = h.edit(c.before, entry); err != nil {
			return nil, fmt.Errorf("%s cannot be changed: %w; nothing was changed: mend the file, or see --print for what to write by hand", c.path, err)
		}
		if entry == nil && c.old == nil {
			continue
		}
		list = append(list, c)
	}
	return list, nil
}

// writeChanges makes the changes. Each file is kept as it was beside the new one.
func writeChanges(list []change) error {
	for i := range list {
		if c := &list[i]; c.differs() {
			if err := c.write(time.Now()); err != nil {
				return fmt.Errorf("write %s: %w", c.path, err)
			}
			c.written = true
		}
	}
	return nil
}

func (c *change) write(now time.Time) error {
	if err := os.MkdirAll(filepath.Dir(c.path), 0o700); err != nil {
		return err
	}
	if c.existed {
		backup := c.path + ".stroem-backup-" + now.Format("20060102-150405.000")
		if err := writeFileAtomically(backup, c.before); err != nil {
			return err
		}
		c.backup = backup
	}
	return writeFileAtomically(c.path, c.after)
}

// written are the files that were changed.
func written(list []change) []string {
	paths := []string{}
	for _, c := range list {
		if c.written {
			paths = append(paths, c.path)
		}
	}
	return paths
}

// keyInEntry is a key as it stands in an entry.
var keyInEntry = regexp.MustCompile(`strm_[0-9a-f]{32}`)

// revokeKeys revokes the keys that connect made for the host and that stand in
// the old entries, but for the one in use. It gives their prefixes, and tells
// of what is left.
func (e *env) revokeKeys(host string, changes []change, inUse string) (prefixes []string) {
	prefixes = []string{}
	var keys []string
	for _, c := range changes {
		key := string(keyInEntry.Find(c.old))
		if key != "" && key != inUse && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return prefixes
	}
	err := e.onData(func(ctx context.Context, cfg *Config, _ *store.Store, g *auth.Gate) error {
		known, err := g.Keys(ctx, "")
		if err != nil {
			return err
		}
		for _, plain := range keys {
			sum := sha256.Sum256([]byte(plain))
			i := slices.IndexFunc(known, func(k store.APIKey) bool { return bytes.Equal(k.Hash, sum[:]) })
			switch {
			case i < 0:
				e.tell("the key " + plain[:12] + "… that stood there is none of " + cfg.Data + "; if it is of another server, it is still good there")
			case known[i].Name != host || !known[i].MCPOnly:
				e.tell("the key " + known[i].Prefix + "… that stood there was not made by connect and is still good; `stroem apikey revoke " + known[i].Prefix + "` ends it")
			default:
				if err := g.RevokeKey(ctx, known[i].Prefix); err != nil {
					return err
				}
				prefixes = append(prefixes, known[i].Prefix)
			}
		}
		return nil
	})
	if err != nil {
		e.tell("a key that stood there could not be revoked and is still good: " + err.Error())
	}
	return prefixes
}
