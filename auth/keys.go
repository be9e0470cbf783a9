package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"stroem/store"
)

const (
	keyMark     = "strm_"
	keyBytes    = 16
	prefixLen   = 12
	maxPatterns = 100
	maxPattern  = 200 // bytes
)

// checkPattern refuses patterns that no name can match.
func checkPattern(pattern string) error {
	switch {
	case pattern == "":
		return invalid("a pattern is empty")
	case len(pattern) > maxPattern:
		return invalid("a pattern is longer than %d bytes", maxPattern)
	case !utf8.ValidString(pattern) || strings.ContainsFunc(pattern, unicode.IsControl):
		return invalid("the pattern %q holds characters that no name has", pattern)
	}
	return nil
}

// NewKey makes a key for the account want.User, with its name, limits and
// end. The key itself is returned once and never stored. People make keys for
// themselves, the owner of the data folder for anybody.
func (g *Gate) NewKey(ctx context.Context, want store.APIKey) (plain string, k store.APIKey, err error) {
	who := From(ctx)
	may := who.mayManageKeys()
	if may == nil && who.Via != Local && who.UserID != want.User {
		may = forbidden("keys are made by the person they act for")
	}
	if err := g.require(ctx, "key.create", may); err != nil {
		return "", k, err
	}
	now := g.now()
	if err := checkKey(want, now); err != nil {
		return "", k, err
	}
	for range 3 { // a prefix may be taken
		plain, k = draw(want, now)
		err = g.change(ctx, k.User, "key.create", map[string]any{"key": k}, func(tx *store.Tx, _ store.User) error {
			return tx.InsertKey(&k)
		})
		if !errors.Is(err, store.ErrConflict) {
			break
		}
	}
	if err != nil {
		return "", store.APIKey{}, err
	}
	return plain, k, nil
}

func checkKey(want store.APIKey, now time.Time) error {
	switch {
	case strings.TrimSpace(want.Name) == "":
		return invalid("a key needs a name")
	case !want.ExpiresAt.IsZero() && !want.ExpiresAt.After(now):
		return invalid("the key's end is not in the future")
	case len(want.Workspaces)+len(want.Tasks) > maxPatterns:
		return invalid("more than %d patterns", maxPatterns)
	}
	for _, list := range [][]string{want.Workspaces, want.Tasks} {
		for _, p := range list {
			if err := checkPattern(p); err != nil {
				return err
			}
		}
	}
	return checkName("key's name", want.Name)
}

func draw(want store.APIKey, now time.Time) (plain string, k store.APIKey) {
	secret := make([]byte, keyBytes)
	rand.Read(secret) //nolint:errcheck // it never fails (crypto/rand)
	plain = keyMark + hex.EncodeToString(secret)
	sum := sha256.Sum256([]byte(plain))
	k = want
	k.Prefix, k.Hash, k.CreatedAt, k.LastUsedAt = plain[:prefixLen], sum[:], now, time.Time{}
	return plain, k
}

// Keys lists the keys of an account, or of all with "": one's own, or as an
// administrator anybody's.
func (g *Gate) Keys(ctx context.Context, user string) (list []store.APIKey, err error) {
	who := From(ctx)
	may := who.mayManageKeys()
	if may == nil && (user == "" || who.UserID != user) {
		may = who.mayManageUsers()
	}
	if err := g.require(ctx, "key.list", may); err != nil {
		return nil, err
	}
	err = g.store.View(ctx, func(tx *store.Tx) error {
		list, err = tx.Keys(user)
		return err
	})
	return list, err
}

// RevokeKey deletes a key: one's own, or as an administrator anybody's.
func (g *Gate) RevokeKey(ctx context.Context, prefix string) error {
	who := From(ctx)
	if err := g.require(ctx, "key.revoke", who.mayManageKeys()); err != nil {
		return err
	}
	err := g.record(ctx, "key.revoke", map[string]any{"key": prefix}, func(tx *store.Tx) error {
		k, err := tx.Key(prefix)
		if err != nil {
			return err
		}
		if k.User != who.UserID && who.mayManageUsers() != nil {
			return store.ErrNotFound
		}
		return tx.DeleteKey(prefix)
	})
	if errors.Is(err, store.ErrNotFound) {
		return &Error{Code: NotFound, Msg: "API key not found"}
	}
	return err
}
