package store

import (
	"database/sql"
	"fmt"
	"time"
)

// APIKey is a key that acts for its user, and may be narrower than they are.
type APIKey struct {
	Prefix     string    `json:"prefix"` // its first characters, by which people know it
	Name       string    `json:"name"`
	Hash       []byte    `json:"-"`
	User       string    `json:"-"`
	ReadOnly   bool      `json:"read_only,omitempty"`
	MCPOnly    bool      `json:"mcp_only,omitempty"`
	Workspaces []string  `json:"workspaces,omitempty"` // patterns; none: no limit
	Tasks      []string  `json:"tasks,omitempty"`      // patterns of folder/name; none: no limit
	CreatedAt  time.Time `json:"created_at"`
	ExpiresAt  time.Time `json:"expires_at,omitzero"`
	LastUsedAt time.Time `json:"last_used_at,omitzero"`
}

const keyColumns = `prefix, name, hash, user, read_only, mcp_only, workspaces, tasks, created_at, expires_at, last_used_at`

func (k *APIKey) fields() []any {
	return []any{&k.Prefix, &k.Name, &k.Hash, &k.User, &k.ReadOnly, &k.MCPOnly, words{&k.Workspaces}, words{&k.Tasks},
		stamp{&k.CreatedAt}, stamp{&k.ExpiresAt}, stamp{&k.LastUsedAt}}
}

// InsertKey adds a key. ErrConflict: its prefix is taken.
func (tx *Tx) InsertKey(k *APIKey) error {
	_, err := tx.exec(`INSERT INTO api_key (`+keyColumns+`) VALUES (?,?,?,?,?,?,?,?,?,?,?)`, k.Prefix, k.Name, k.Hash,
		k.User, k.ReadOnly, k.MCPOnly, words{&k.Workspaces}, words{&k.Tasks}, stamp{&k.CreatedAt}, stamp{&k.ExpiresAt},
		stamp{&k.LastUsedAt})
	if err != nil {
		return fmt.Errorf("insert key: %w", err)
	}
	return nil
}

// Key is the key with that prefix, or ErrNotFound.
func (tx *Tx) Key(prefix string) (k APIKey, err error) {
	err = tx.row(`SELECT `+keyColumns+` FROM api_key WHERE prefix = ?`, []any{prefix}, k.fields()...)
	return k, err
}

// KeyByHash is the key with that hash, or ErrNotFound.
func (tx *Tx) KeyByHash(hash []byte) (k APIKey, err error) {
	err = tx.row(`SELECT `+keyColumns+` FROM api_key WHERE hash = ?`, []any{hash}, k.fields()...)
	return k, err
}

// Keys lists the keys of a user, or of all with "", the oldest first.
func (tx *Tx) Keys(user string) ([]APIKey, error) {
	list := []APIKey{}
	err := tx.rows(func(r *sql.Rows) error {
		var k APIKey
		err := r.Scan(k.fields()...)
		list = append(list, k)
		return err
	}, `SELECT `+keyColumns+` FROM api_key WHERE ? IN ('', user) ORDER BY created_at, prefix`, user)
	return list, err
}

// DeleteKey revokes a key. ErrConflict: there is none with that prefix.
func (tx *Tx) DeleteKey(prefix string) error {
	return tx.change(`DELETE FROM api_key WHERE prefix = ?`, prefix)
}

// TouchKey records that the key was used, and never an earlier time than it
// has.
func (tx *Tx) TouchKey(prefix string, at time.Time) error {
	_, err := tx.exec(`UPDATE api_key SET last_used_at = max(coalesce(last_used_at, 0), ?) WHERE prefix = ?`,
		at.UnixMilli(), prefix)
	return err
}
