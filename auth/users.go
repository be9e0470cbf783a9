package auth

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"stroem/store"
)

const (
	maxEmail  = 254
	maxName   = 200
	maxGroups = 100
)

var (
	emailForm = regexp.MustCompile(`^[\p{L}\p{N}.!#$%&'*+/=?^_{|}~-]+@[\p{L}\p{N}]([\p{L}\p{N}.-]*[\p{L}\p{N}])?$`)
	groupForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
)

func checkEmail(email string) error {
	if len(email) > maxEmail || !emailForm.MatchString(email) {
		return invalid("%q is no e-mail address", cut(email))
	}
	return nil
}

func checkGroup(name string) error {
	if !groupForm.MatchString(name) {
		return invalid("%q is no group name; use 1 to 64 of A-Z a-z 0-9 _ -", name)
	}
	return nil
}

func checkGroups(names []string) error {
	if len(names) > maxGroups {
		return invalid("more than %d groups", maxGroups)
	}
	for _, g := range names {
		if err := checkGroup(g); err != nil {
			return err
		}
	}
	return nil
}

// checkName refuses what cannot be shown on a line.
func checkName(what, name string) error {
	switch {
	case len(name) > maxName:
		return invalid("the %s is longer than %d bytes", what, maxName)
	case !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }):
		return invalid("the %s holds characters that cannot be shown", what)
	}
	return nil
}

// NewUser is an account to be made.
type NewUser struct {
	Email    string
	Name     string // "" is the e-mail's part before @
	Admin    bool
	Groups   []string
	Password string // "": none can be signed in with
}

// CreateUser makes an account. Only an administrator may.
func (g *Gate) CreateUser(ctx context.Context, n NewUser) (store.User, error) {
	if err := g.require(ctx, "user.create", From(ctx).mayManageUsers()); err != nil {
		return store.User{}, err
	}
	return g.createUser(ctx, n)
}

func (g *Gate) createUser(ctx context.Context, n NewUser) (u store.User, err error) {
	n.Email = strings.ToLower(strings.TrimSpace(n.Email))
	if err := errors.Join(checkEmail(n.Email), checkName("name", n.Name), checkGroups(n.Groups)); err != nil {
		return u, err
	}
	if n.Name == "" {
		n.Name, _, _ = strings.Cut(n.Email, "@")
	}
	u = store.User{ID: uuid.NewString(), Email: n.Email, Name: n.Name, Admin: n.Admin, Groups: sorted(n.Groups), CreatedAt: g.now()}
	if n.Password != "" {
		if u.Password, err = g.newPassword(ctx, n.Password); err != nil {
			return u, err
		}
	}
	err = g.record(ctx, "user.create", map[string]any{"user": u.Email, "admin": u.Admin, "groups": u.Groups},
		func(tx *store.Tx) error { return tx.InsertUser(&u) })
	if errors.Is(err, store.ErrConflict) {
		return u, &Error{Code: Conflict, Msg: fmt.Sprintf("there is a user %s already", u.Email)}
	}
	return u, err
}

func (g *Gate) newPassword(ctx context.Context, password string) (phc string, err error) {
	if err := checkPassword(password); err != nil {
		return "", err
	}
	return g.hashing.hash(ctx, password)
}

// Users lists the accounts. Only an administrator may.
func (g *Gate) Users(ctx context.Context) (list []store.User, err error) {
	if err := g.require(ctx, "user.list", From(ctx).mayManageUsers()); err != nil {
		return nil, err
	}
	err = g.store.View(ctx, func(tx *store.Tx) error {
		list, err = tx.Users()
		return err
	})
	return list, err
}

// User is the account of that id: an administrator may ask for any, others
// for their own.
func (g *Gate) User(ctx context.Context, id string) (u store.User, err error) {
	if who := From(ctx); who.UserID != id || id == "" {
		if err := g.require(ctx, "user.show", who.mayManageUsers()); err != nil {
			return u, err
		}
	}
	err = g.store.View(ctx, func(tx *store.Tx) error {
		u, err = tx.User(id)
		return err
	})
	return u, noUser(err)
}

// SetPassword gives an account a new password, and ends its sessions and what it
// gave to programs. Only an administrator may.
func (g *Gate) SetPassword(ctx context.Context, id, password string) error {
	if err := g.require(ctx, "user.password", From(ctx).mayManageUsers()); err != nil {
		return err
	}
	return g.setPassword(ctx, id, password)
}

// ChangePassword gives the caller's own account a new password, for the
// present one, and ends what SetPassword does. The caller goes on with the
// session that it gives.
func (g *Gate) ChangePassword(ctx context.Context, present, password string) (Tokens, error) {
	who := From(ctx)
	may := who.signedInPerson()
	if may == nil && who.Via != Session {
		may = forbidden("sign in with a password to change it")
	}
	if err := g.require(ctx, "user.password", may); err != nil {
		return Tokens{}, err
	}
	if err := checkPassword(password); err != nil {
		return Tokens{}, err
	}
	u, err := g.checkedPassword(ctx, who, who.Email, present)
	if errors.Is(err, ErrSignIn) {
		err = errPresent
	}
	if err != nil {
		return Tokens{}, err
	}
	phc, err := g.newPassword(ctx, password)
	if err != nil {
		return Tokens{}, err
	}
	t, begin, err := g.newSession(u)
	if err != nil {
		return Tokens{}, err
	}
	err = g.change(ctx, u.ID, "user.password", nil, func(tx *store.Tx, is store.User) error {
		if is.Password != u.Password { // it was changed while we looked
			return errPresent
		}
		return errors.Join(tx.SetPassword(u.ID, phc), begin(tx))
	})
	if err != nil {
		return Tokens{}, err
	}
	return t, nil
}

// errPresent is told to somebody who is signed in, unlike ErrSignIn.
var errPresent = forbidden("this is not the present password")

func (g *Gate) setPassword(ctx context.Context, id, password string) error {
	phc, err := g.newPassword(ctx, password)
	if err != nil {
		return err
	}
	return g.change(ctx, id, "user.password", nil, func(tx *store.Tx, _ store.User) error { return tx.SetPassword(id, phc) })
}

// SetAdmin makes an account an administrator's or no longer so. Only another
// administrator may.
func (g *Gate) SetAdmin(ctx context.Context, id string, admin bool) error {
	who := From(ctx)
	if err := g.require(ctx, "user.admin", who.mayManageUsers()); err != nil {
		return err
	}
	if who.UserID == id && !admin {
		return invalid("you cannot take the administrator's rights from yourself; another administrator can")
	}
	return g.change(ctx, id, "user.admin", map[string]any{"admin": admin}, func(tx *store.Tx, u store.User) error {
		if err := tx.SetAdmin(id, admin); err != nil {
			return err
		}
		return stillAdmin(tx, u)
	})
}

// SetGroups puts an account into these groups and no others. Only an
// administrator may.
func (g *Gate) SetGroups(ctx context.Context, id string, groups []string) error {
	if err := g.require(ctx, "user.groups", From(ctx).mayManageUsers()); err != nil {
		return err
	}
	if err := checkGroups(groups); err != nil {
		return err
	}
	groups = sorted(groups)
	return g.change(ctx, id, "user.groups", map[string]any{"groups": groups}, func(tx *store.Tx, _ store.User) error {
		return tx.SetGroups(id, groups)
	})
}

// DeleteUser removes an account with its keys, its sessions and what it gave to
// programs. Only another administrator may.
func (g *Gate) DeleteUser(ctx context.Context, id string) error {
	who := From(ctx)
	if err := g.require(ctx, "user.delete", who.mayManageUsers()); err != nil {
		return err
	}
	if who.UserID == id {
		return invalid("you cannot delete yourself; another administrator can")
	}
	return g.change(ctx, id, "user.delete", nil, func(tx *store.Tx, u store.User) error {
		if err := tx.DeleteUser(id); err != nil {
			return err
		}
		return stillAdmin(tx, u)
	})
}

// change changes the account of that id and writes down whose it is.
func (g *Gate) change(ctx context.Context, id, action string, detail map[string]any, change func(*store.Tx, store.User) error) error {
	said := map[string]any{}
	maps.Copy(said, detail)
	return noUser(g.record(ctx, action, said, func(tx *store.Tx) error {
		u, err := tx.User(id)
		if err != nil {
			return err
		}
		said["user"] = u.Email
		return change(tx, u)
	}))
}

// stillAdmin refuses a change that took the last administrator who could
// sign in.
func stillAdmin(tx *store.Tx, was store.User) error {
	if !canAdminister(was) {
		return nil
	}
	all, err := tx.Users()
	if err != nil || slices.ContainsFunc(all, canAdminister) {
		return err
	}
	return &Error{Code: Conflict, Msg: was.Email + " is the last administrator who can sign in; make another one first"}
}

func canAdminister(u store.User) bool { return u.Admin && u.Password != "" }

func noUser(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return &Error{Code: NotFound, Msg: "User not found"}
	}
	return err
}

func sorted(list []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(list)))
}

// OwnerAccount is the account of whoever can write the data folder, which is
// made where there is none yet.
func (g *Gate) OwnerAccount(ctx context.Context) (u store.User, err error) {
	err = g.store.View(ctx, func(tx *store.Tx) error {
		u, err = tx.UserByEmail(OwnerEmail)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return g.createUser(With(ctx, Server()), NewUser{Email: OwnerEmail, Name: "Owner", Admin: true})
	}
	return u, err
}

// EnsureAdmin sees to it that an administrator can sign in. Where none can, it
// makes first an administrator with its password; without one it gives the
// owner's account a password and returns that, the only time it is known.
func (g *Gate) EnsureAdmin(ctx context.Context, first NewUser) (password string, err error) {
	ctx = With(ctx, Server())
	var all []store.User
	err = g.store.View(ctx, func(tx *store.Tx) error {
		all, err = tx.Users()
		return err
	})
	if err != nil || slices.ContainsFunc(all, canAdminister) {
		return "", err
	}
	generated := first.Email == ""
	if generated {
		password = rand.Text()
		first = NewUser{Email: OwnerEmail, Name: "Owner", Password: password}
	}
	first.Admin = true
	i := slices.IndexFunc(all, func(u store.User) bool { return strings.EqualFold(u.Email, first.Email) })
	if i < 0 {
		_, err = g.createUser(ctx, first)
		return password, err
	}
	id := all[i].ID
	if err := g.setPassword(ctx, id, first.Password); err != nil {
		return "", err
	}
	return password, g.change(ctx, id, "user.admin", map[string]any{"admin": true}, func(tx *store.Tx, _ store.User) error {
		return tx.SetAdmin(id, true)
	})
}
