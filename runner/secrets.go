package runner

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

// secretsFile is the file of an attempt's folder with the secret values that
// the attempt could see, so that its output stays masked after a restart,
// whatever became of the workspace meanwhile.
const secretsFile = "secrets.json"

// Secrets are the secret values of each workspace, in memory alone. The zero
// value has none.
type Secrets struct {
	mu     sync.RWMutex
	spaces map[string]vault
	all    *masker
}

// vault is what is secret in one workspace.
type vault struct {
	values map[string]any // as templates name them
	mask   *masker
}

// Set puts values, which may be nested, in the place of the workspace's
// secrets.
func (s *Secrets) Set(workspace string, values map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.spaces == nil {
		s.spaces = map[string]vault{}
	}
	s.spaces[workspace] = vault{values: values, mask: newMasker(leaves(values))}
	var all []string
	for _, v := range s.spaces {
		all = append(all, leaves(v.values)...)
	}
	s.all = newMasker(all)
}

func (s *Secrets) of(workspace string) vault {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.spaces[workspace]
}

// Hide replaces every secret value of every workspace in text.
func (s *Secrets) Hide(text string) string { return s.mask().hideString(text) }

// HideJSON is Hide for a JSON document, which stays one.
func (s *Secrets) HideJSON(doc []byte) []byte { return s.mask().hideJSON(doc) }

func (s *Secrets) mask() *masker {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.all
}

// leaves are the texts within nested values.
func leaves(v any) (list []string) {
	switch v := v.(type) {
	case string:
		return []string{v}
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			list = append(list, leaves(v[k])...)
		}
	case []any:
		for _, e := range v {
			list = append(list, leaves(e)...)
		}
	case nil:
	default:
		return []string{fmt.Sprint(v)}
	}
	return list
}

// foundMask is the masker of an attempt that an earlier server began.
func (r *Runner) foundMask(attempt, workspace string) *masker {
	values := leaves(r.Secrets.of(workspace).values)
	doc, err := os.ReadFile(filepath.Join(r.folder(attempt), secretsFile))
	if err == nil {
		var used []string
		err = json.Unmarshal(doc, &used)
		values = append(values, used...)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		r.Log.Warn("read the attempt's secrets", keyErr, err)
	}
	return newMasker(values)
}
