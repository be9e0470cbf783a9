package store_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"stroem/store"
)

func ada() store.User {
	return store.User{ID: "u1", Email: "Ada@Example.com", Name: "Ada", Groups: []string{"dev", "ops"}, CreatedAt: noon, Password: "$argon2id$x"}
}

func TestUserComesBackAsItWas(t *testing.T) {
	t.Parallel()
	st := open(t)
	u := ada()
	update(t, st, func(tx *store.Tx) error { return tx.InsertUser(&u) })
	if u.Email != "ada@example.com" {
		t.Errorf("e-mail kept as %q", u.Email)
	}
	view(t, st, func(tx *store.Tx) error {
		byID, err := tx.User("u1")
		byEmail, err2 := tx.UserByEmail("ADA@example.com")
		if diff := cmp.Diff(u, byID); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(u, byEmail); diff != "" {
			t.Error(diff)
		}
		return errors.Join(err, err2)
	})
	doc, err := json.Marshal(u)
	if err != nil || strings.Contains(string(doc), "argon2") {
		t.Errorf("as JSON: %s %v", doc, err)
	}
	again := ada()
	again.ID = "u2"
	if err := st.Update(t.Context(), func(tx *store.Tx) error { return tx.InsertUser(&again) }); !errors.Is(err, store.ErrConflict) {
		t.Errorf("the same e-mail again: %v", err)
	}
}

func TestUserTakesKeysAndSessionsAlong(t *testing.T) {
	t.Parallel()
	st := open(t)
	u := ada()
	k := store.APIKey{Prefix: "strm_0123456", Name: "ci", Hash: []byte{1}, User: "u1", ReadOnly: true, Workspaces: []string{"ops"},
		Tasks: []string{}, CreatedAt: noon, ExpiresAt: noon.Add(time.Hour)}
	s := store.Session{ID: "s1", User: "u1", CreatedAt: noon, ExpiresAt: noon.Add(time.Hour)}
	r := store.Refresh{Hash: []byte{2}, Session: "s1", ExpiresAt: noon.Add(time.Hour)}
	update(t, st, func(tx *store.Tx) error {
		return errors.Join(tx.InsertUser(&u), tx.InsertKey(&k), tx.InsertSession(&s), tx.InsertRefresh(&r), tx.MarkMCP("s1"),
			tx.UseRefresh([]byte{2}, noon), tx.TouchKey(k.Prefix, noon), tx.TouchKey(k.Prefix, noon.Add(-time.Hour)), tx.SignedIn("u1", noon))
	})
	k.LastUsedAt, s.MCP, r.UsedAt = noon, true, noon
	view(t, st, func(tx *store.Tx) error {
		keys, err := tx.Keys("u1")
		byHash, err2 := tx.KeyByHash([]byte{1})
		session, err3 := tx.Session("s1")
		refresh, err4 := tx.Refresh([]byte{2})
		if diff := cmp.Diff([]any{[]store.APIKey{k}, k, s, r}, []any{keys, byHash, session, refresh}); diff != "" {
			t.Error(diff)
		}
		return errors.Join(err, err2, err3, err4)
	})
	if err := st.Update(t.Context(), func(tx *store.Tx) error { return tx.UseRefresh([]byte{2}, noon) }); !errors.Is(err, store.ErrConflict) {
		t.Errorf("a second use: %v", err)
	}
	update(t, st, func(tx *store.Tx) error { return tx.SetPassword("u1", "new") })
	view(t, st, func(tx *store.Tx) error {
		if _, err := tx.Session("s1"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a session outlived a new password: %v", err)
		}
		return nil
	})
	update(t, st, func(tx *store.Tx) error { return tx.DeleteUser("u1") })
	view(t, st, func(tx *store.Tx) error {
		if keys, err := tx.Keys(""); len(keys) > 0 || err != nil {
			t.Errorf("keys outlived their user: %v %v", keys, err)
		}
		return nil
	})
}

func TestExpiredSessionsAreDropped(t *testing.T) {
	t.Parallel()
	st := open(t)
	u := ada()
	update(t, st, func(tx *store.Tx) error {
		return errors.Join(tx.InsertUser(&u),
			tx.InsertSession(&store.Session{ID: "old", User: "u1", CreatedAt: noon, ExpiresAt: noon}),
			tx.InsertSession(&store.Session{ID: "new", User: "u1", CreatedAt: noon, ExpiresAt: noon.Add(1)}),
			tx.ProlongSession("new", noon.Add(time.Hour)),
			tx.DropExpired(noon))
	})
	view(t, st, func(tx *store.Tx) error {
		_, old := tx.Session("old")
		_, err := tx.Session("new")
		if !errors.Is(old, store.ErrNotFound) {
			t.Errorf("an expired session: %v", old)
		}
		return err
	})
}
