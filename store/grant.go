package store

import (
	"database/sql"
	"fmt"
	"time"
)

// Client is a program that made itself known, to be given access by people.
type Client struct {
	ID        string
	Name      string   // what it calls itself
	Secret    []byte   // hash; none: it has no secret
	Redirects []string // where people may be sent back to
	CreatedAt time.Time
	ExpiresAt time.Time // zero once somebody has let it in
}

// Grant is the access to one resource that a person gave a program.
type Grant struct {
	ID         string    `json:"id"`
	Client     string    `json:"client_id"`
	Name       string    `json:"client_name"`
	Email      string    `json:"user"`
	CreatedAt  time.Time `json:"created_at"`
	LastUsedAt time.Time `json:"last_used_at,omitzero"`
	ExpiresAt  time.Time `json:"expires_at"`

	User        string    `json:"-"`
	Resource    string    `json:"-"`
	Redirect    string    `json:"-"` // where the code was sent
	Code        []byte    `json:"-"` // hash
	Challenge   string    `json:"-"` // what the code's verifier hashes to
	ExchangedAt time.Time `json:"-"` // when the code was used; zero: not yet
}

// GrantToken is one of the tokens of a grant.
type GrantToken struct {
	Hash      []byte
	Grant     string
	Refresh   bool // it is good for new tokens, once, and for nothing else
	ExpiresAt time.Time
	UsedAt    time.Time
}

// InsertClient adds a client and keeps no more than most: those that nobody
// let in make room first, the oldest of them. ErrConflict: all of them are in
// use.
func (tx *Tx) InsertClient(c *Client, most int) error {
	have, err := tx.CountClients()
	if err != nil {
		return err
	}
	if have >= most {
		if err := tx.change(`DELETE FROM oauth_client WHERE id = (SELECT id FROM oauth_client c
			WHERE NOT EXISTS (SELECT 1 FROM oauth_grant WHERE client = c.id)
			ORDER BY expires_at IS NULL, created_at, rowid LIMIT 1)`); err != nil {
			return err
		}
	}
	_, err = tx.exec(`INSERT INTO oauth_client (id, name, secret, redirects, created_at, expires_at) VALUES (?,?,?,?,?,?)`,
		c.ID, c.Name, c.Secret, words{&c.Redirects}, stamp{&c.CreatedAt}, stamp{&c.ExpiresAt})
	if err != nil {
		return fmt.Errorf("insert client: %w", err)
	}
	return nil
}

// CountClients counts the clients.
func (tx *Tx) CountClients() (n int, err error) {
	err = tx.row(`SELECT count(*) FROM oauth_client`, nil, &n)
	return n, err
}

// Client is the client of that id, or ErrNotFound.
func (tx *Tx) Client(id string) (c Client, err error) {
	err = tx.row(`SELECT id, name, secret, redirects, created_at, expires_at FROM oauth_client WHERE id = ?`, []any{id},
		&c.ID, &c.Name, &c.Secret, words{&c.Redirects}, stamp{&c.CreatedAt}, stamp{&c.ExpiresAt})
	return c, err
}

// InsertGrant adds a grant whose code is not used yet.
func (tx *Tx) InsertGrant(g *Grant) error {
	_, err := tx.exec(`INSERT INTO oauth_grant (id, user, client, name, resource, redirect, code, challenge, created_at, expires_at)
		VALUES (?,?,?,?,?,?,?,?,?,?)`, g.ID, g.User, g.Client, g.Name, g.Resource, g.Redirect, g.Code, g.Challenge,
		stamp{&g.CreatedAt}, stamp{&g.ExpiresAt})
	if err != nil {
		return fmt.Errorf("insert grant: %w", err)
	}
	return nil
}

const selectGrant = `SELECT g.id, g.client, g.name, u.email, g.created_at, g.last_used_at, g.expires_at, g.user, g.resource,
	g.redirect, g.code, g.challenge, g.exchanged_at FROM oauth_grant g JOIN user u ON u.id = g.user `

func (g *Grant) fields() []any {
	return []any{&g.ID, &g.Client, &g.Name, &g.Email, stamp{&g.CreatedAt}, stamp{&g.LastUsedAt}, stamp{&g.ExpiresAt}, &g.User,
		&g.Resource, &g.Redirect, &g.Code, &g.Challenge, stamp{&g.ExchangedAt}}
}

// Grant is the grant of that id, or ErrNotFound.
func (tx *Tx) Grant(id string) (g Grant, err error) {
	err = tx.row(selectGrant+`WHERE g.id = ?`, []any{id}, g.fields()...)
	return g, err
}

// GrantByCode is the grant that the code with that hash began, or ErrNotFound.
func (tx *Tx) GrantByCode(hash []byte) (g Grant, err error) {
	err = tx.row(selectGrant+`WHERE g.code = ?`, []any{hash}, g.fields()...)
	return g, err
}

// Grants lists what a user gave, or all did with "", the oldest first. What
// was given and never fetched is not among it.
func (tx *Tx) Grants(user string, now time.Time) ([]Grant, error) {
	list := []Grant{}
	err := tx.rows(func(r *sql.Rows) error {
		var g Grant
		err := r.Scan(g.fields()...)
		list = append(list, g)
		return err
	}, selectGrant+`WHERE ? IN ('', g.user) AND g.exchanged_at IS NOT NULL AND g.expires_at > ? ORDER BY g.created_at, g.id`,
		user, now.UnixMilli())
	return list, err
}

// ExchangeCode marks the grant's code used, and its client as let in.
// ErrConflict: it was already.
func (tx *Tx) ExchangeCode(g *Grant, at time.Time) error {
	if _, err := tx.exec(`UPDATE oauth_client SET expires_at = NULL WHERE id = ?`, g.Client); err != nil {
		return err
	}
	return tx.change(`UPDATE oauth_grant SET exchanged_at = ? WHERE id = ? AND exchanged_at IS NULL`, stamp{&at}, g.ID)
}

// ProlongGrant moves the grant's end. ErrConflict: there is none.
func (tx *Tx) ProlongGrant(id string, until time.Time) error {
	return tx.change(`UPDATE oauth_grant SET expires_at = ? WHERE id = ?`, stamp{&until}, id)
}

// TouchGrant records that the grant was used, and never an earlier time than
// it has.
func (tx *Tx) TouchGrant(id string, at time.Time) error {
	_, err := tx.exec(`UPDATE oauth_grant SET last_used_at = max(coalesce(last_used_at, 0), ?) WHERE id = ?`, at.UnixMilli(), id)
	return err
}

// DeleteGrant revokes the grant with its tokens. ErrConflict: there is none.
func (tx *Tx) DeleteGrant(id string) error {
	return tx.change(`DELETE FROM oauth_grant WHERE id = ?`, id)
}

// InsertGrantToken adds a token.
func (tx *Tx) InsertGrantToken(t *GrantToken) error {
	_, err := tx.exec(`INSERT INTO oauth_token (hash, grant_id, refresh, expires_at) VALUES (?,?,?,?)`,
		t.Hash, t.Grant, t.Refresh, stamp{&t.ExpiresAt})
	if err != nil {
		return fmt.Errorf("insert token: %w", err)
	}
	return nil
}

// GrantToken is the token with that hash and its grant, or ErrNotFound.
func (tx *Tx) GrantToken(hash []byte) (t GrantToken, g Grant, err error) {
	err = tx.row(`SELECT hash, grant_id, refresh, expires_at, used_at FROM oauth_token WHERE hash = ?`, []any{hash},
		&t.Hash, &t.Grant, &t.Refresh, stamp{&t.ExpiresAt}, stamp{&t.UsedAt})
	if err == nil {
		g, err = tx.Grant(t.Grant)
	}
	return t, g, err
}

// UseGrantToken marks the token used. ErrConflict: it was already.
func (tx *Tx) UseGrantToken(hash []byte, at time.Time) error {
	return tx.change(`UPDATE oauth_token SET used_at = ? WHERE hash = ? AND used_at IS NULL`, stamp{&at}, hash)
}
