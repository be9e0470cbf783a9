package store

import (
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// User is an account.
type User struct {
	ID          string    `json:"user_id"`
	Email       string    `json:"email"` // in lower case
	Name        string    `json:"name"`
	Admin       bool      `json:"is_admin"`
	Groups      []string  `json:"groups"`
	CreatedAt   time.Time `json:"created_at"`
	LastLoginAt time.Time `json:"last_login_at,omitzero"`
	Password    string    `json:"-"` // its hash as a PHC string; "": none can be signed in with
}

const userColumns = `id, email, user.name, admin, created_at, last_login_at, password,
	(SELECT json_group_array(g.name) FROM (SELECT name FROM user_group WHERE user_group.user = user.id ORDER BY name) g)`

func (u *User) fields() []any {
	return []any{&u.ID, &u.Email, &u.Name, &u.Admin, stamp{&u.CreatedAt}, stamp{&u.LastLoginAt}, &u.Password, words{&u.Groups}}
}

// InsertUser adds an account with its groups. ErrConflict: the e-mail is
// taken.
func (tx *Tx) InsertUser(u *User) error {
	u.Email = strings.ToLower(u.Email)
	if _, err := tx.exec(`INSERT INTO user (id, email, name, admin, password, created_at, last_login_at)
		VALUES (?,?,?,?,?,?,?)`, u.ID, u.Email, u.Name, u.Admin, u.Password, stamp{&u.CreatedAt},
		stamp{&u.LastLoginAt}); err != nil {
		return fmt.Errorf("insert user: %w", err)
	}
	return tx.SetGroups(u.ID, u.Groups)
}

// User is the account of that id, or ErrNotFound.
func (tx *Tx) User(id string) (User, error) { return tx.user(`id = ?`, id) }

// UserByEmail is the account with that e-mail, in any case, or ErrNotFound.
func (tx *Tx) UserByEmail(email string) (User, error) {
	return tx.user(`email = ?`, strings.ToLower(email))
}

func (tx *Tx) user(where, arg string) (u User, err error) {
	err = tx.row(`SELECT `+userColumns+` FROM user WHERE `+where, []any{arg}, u.fields()...)
	return u, err
}

// Users lists all accounts by e-mail.
func (tx *Tx) Users() ([]User, error) {
	list := []User{}
	err := tx.rows(func(r *sql.Rows) error {
		var u User
		err := r.Scan(u.fields()...)
		list = append(list, u)
		return err
	}, `SELECT `+userColumns+` FROM user ORDER BY email`)
	return list, err
}

// SetPassword puts the hash of a new password in place and ends what the old
// one began: the account's sessions, and what it gave to programs.
// ErrConflict: there is no such account.
func (tx *Tx) SetPassword(id, hash string) error {
	for _, query := range []string{`DELETE FROM session WHERE user = ?`, `DELETE FROM oauth_grant WHERE user = ?`} {
		if _, err := tx.exec(query, id); err != nil {
			return err
		}
	}
	return tx.change(`UPDATE user SET password = ? WHERE id = ?`, hash, id)
}

// SetAdmin says whether the account is an administrator's. ErrConflict: there
// is no such account.
func (tx *Tx) SetAdmin(id string, admin bool) error {
	return tx.change(`UPDATE user SET admin = ? WHERE id = ?`, admin, id)
}

// SetGroups puts the account into these groups and no others.
func (tx *Tx) SetGroups(id string, groups []string) error {
	if _, err := tx.exec(`DELETE FROM user_group WHERE user = ?`, id); err != nil {
		return err
	}
	for _, g := range groups {
		if _, err := tx.exec(`INSERT OR IGNORE INTO user_group (user, name) VALUES (?, ?)`, id, g); err != nil {
			return fmt.Errorf("group %q: %w", g, err)
		}
	}
	return nil
}

// SignedIn records when the account was last signed in to.
func (tx *Tx) SignedIn(id string, at time.Time) error {
	return tx.change(`UPDATE user SET last_login_at = ? WHERE id = ?`, stamp{&at}, id)
}

// DeleteUser removes the account with its keys, sessions and grants.
// ErrConflict: there is no such account.
func (tx *Tx) DeleteUser(id string) error {
	return tx.change(`DELETE FROM user WHERE id = ?`, id)
}

// words stores a list of words as JSON.
type words struct{ list *[]string }

func (w words) Value() (driver.Value, error) {
	doc, err := json.Marshal(append([]string{}, *w.list...))
	return string(doc), err
}

func (w words) Scan(v any) error {
	text, ok := v.(string)
	if !ok {
		return fmt.Errorf("a list is stored as %T", v)
	}
	return json.Unmarshal([]byte(text), w.list)
}
