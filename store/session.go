package store

import (
	"fmt"
	"time"
)

// Session is what began with a sign-in and lasts until it expires or is
// revoked, which deletes it.
type Session struct {
	ID        string
	User      string
	MCP       bool // was ever used on /mcp
	CreatedAt time.Time
	ExpiresAt time.Time
}

// Refresh is a token that prolongs a session once.
type Refresh struct {
	Hash      []byte
	Session   string
	ExpiresAt time.Time
	UsedAt    time.Time
}

// InsertSession adds a session.
func (tx *Tx) InsertSession(s *Session) error {
	_, err := tx.exec(`INSERT INTO session (id, user, mcp, created_at, expires_at) VALUES (?,?,?,?,?)`,
		s.ID, s.User, s.MCP, stamp{&s.CreatedAt}, stamp{&s.ExpiresAt})
	if err != nil {
		return fmt.Errorf("insert session: %w", err)
	}
	return nil
}

// Session is the session of that id, or ErrNotFound.
func (tx *Tx) Session(id string) (s Session, err error) {
	err = tx.row(`SELECT id, user, mcp, created_at, expires_at FROM session WHERE id = ?`, []any{id},
		&s.ID, &s.User, &s.MCP, stamp{&s.CreatedAt}, stamp{&s.ExpiresAt})
	return s, err
}

// ProlongSession moves the session's end. ErrConflict: there is none.
func (tx *Tx) ProlongSession(id string, until time.Time) error {
	return tx.change(`UPDATE session SET expires_at = ? WHERE id = ?`, stamp{&until}, id)
}

// MarkMCP records that the session was used on /mcp. ErrConflict: there is
// none.
func (tx *Tx) MarkMCP(id string) error {
	return tx.change(`UPDATE session SET mcp = 1 WHERE id = ?`, id)
}

// DeleteSession revokes the session with its tokens. ErrConflict: there is
// none.
func (tx *Tx) DeleteSession(id string) error {
	return tx.change(`DELETE FROM session WHERE id = ?`, id)
}

// DropExpired removes the sessions, grants, tokens and clients that have
// expired.
func (tx *Tx) DropExpired(now time.Time) error {
	for _, query := range []string{
		`DELETE FROM session WHERE expires_at <= ?`, `DELETE FROM refresh WHERE expires_at <= ?`,
		`DELETE FROM oauth_grant WHERE expires_at <= ?`, `DELETE FROM oauth_token WHERE expires_at <= ?`,
		`DELETE FROM oauth_client WHERE expires_at <= ?`,
	} {
		if _, err := tx.exec(query, now.UnixMilli()); err != nil {
			return err
		}
	}
	return nil
}

// InsertRefresh adds a refresh token.
func (tx *Tx) InsertRefresh(r *Refresh) error {
	_, err := tx.exec(`INSERT INTO refresh (hash, session, expires_at) VALUES (?,?,?)`, r.Hash, r.Session, stamp{&r.ExpiresAt})
	if err != nil {
		return fmt.Errorf("insert refresh token: %w", err)
	}
	return nil
}

// Refresh is the refresh token with that hash, or ErrNotFound.
func (tx *Tx) Refresh(hash []byte) (r Refresh, err error) {
	err = tx.row(`SELECT hash, session, expires_at, used_at FROM refresh WHERE hash = ?`, []any{hash},
		&r.Hash, &r.Session, stamp{&r.ExpiresAt}, stamp{&r.UsedAt})
	return r, err
}

// UseRefresh marks the token used. ErrConflict: it was already.
func (tx *Tx) UseRefresh(hash []byte, at time.Time) error {
	return tx.change(`UPDATE refresh SET used_at = ? WHERE hash = ? AND used_at IS NULL`, stamp{&at}, hash)
}
