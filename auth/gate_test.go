package auth_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"stroem/auth"
	"stroem/store"
)

const (
	password = "correct horse"
	home     = "192.0.2.1"
)

// server is a gate over a store of its own, whose clock the test moves.
type server struct {
	*auth.Gate
	t     testing.TB
	store *store.Store
	mu    sync.Mutex
	now   time.Time
	// people are the contexts of those who signed in, by e-mail.
	people map[string]context.Context
}

func (s *server) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *server) pass(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

func start(t testing.TB) *server {
	t.Helper()
	st, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, store: st, now: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)}
	t.Cleanup(func() {
		if n, err := st.VerifyAudit(context.Background()); err != nil {
			t.Errorf("after %d audit records: %v", n, err)
		}
		st.Close()
	})
	s.Gate = gate(t, auth.Config{Store: st, Now: s.clock})
	return s
}

func gate(t testing.TB, c auth.Config) *auth.Gate {
	t.Helper()
	g, err := auth.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// owner is the context of the command line on the data folder.
func (s *server) owner() context.Context { return auth.With(s.t.Context(), auth.Owner()) }

// user makes an account, with the password where it says none.
func (s *server) user(n auth.NewUser) store.User {
	s.t.Helper()
	u, err := s.CreateUser(s.owner(), n)
	if err != nil {
		s.t.Fatal(err)
	}
	if n.Password == "" {
		u.Password = hashed()
		if err := s.store.Update(s.t.Context(), func(tx *store.Tx) error { return tx.SetPassword(u.ID, u.Password) }); err != nil {
			s.t.Fatal(err)
		}
	}
	return u
}

// hashed is the password's hash, which is dear to make.
var hashed = sync.OnceValue(func() string {
	phc, err := auth.Hash(context.Background(), password)
	if err != nil {
		panic(err)
	}
	return phc
})

func (s *server) signIn(email string) auth.Tokens {
	s.t.Helper()
	tokens, err := s.SignIn(s.t.Context(), email, password, home)
	if err != nil {
		s.t.Fatal(err)
	}
	return tokens
}

func (s *server) key(k store.APIKey) string {
	s.t.Helper()
	if k.Name == "" {
		k.Name = "ci"
	}
	plain, _, err := s.NewKey(s.owner(), k)
	if err != nil {
		s.t.Fatal(err)
	}
	return plain
}

// as is the context of whoever shows the credential over REST.
func (s *server) as(bearer string) context.Context {
	s.t.Helper()
	p, err := s.Identify(s.t.Context(), bearer, auth.REST, home)
	if err != nil {
		s.t.Fatal(err)
	}
	return auth.With(s.t.Context(), p)
}

// refused expects the credential to be refused with that error, at both doors.
func (s *server) refused(bearer string, want error) {
	s.t.Helper()
	for _, door := range []auth.Door{auth.REST, auth.MCP} {
		p, err := s.Identify(s.t.Context(), bearer, door, home)
		if !errors.Is(err, want) || p.Via != auth.Nobody {
			s.t.Errorf("at %s: %v %v, want %v", door, p, err, want)
		}
	}
}

// code expects an error of that kind.
func code(t *testing.T, err error, want auth.Code) {
	t.Helper()
	if got := auth.CodeOf(err); err == nil || got != want {
		t.Errorf("%v is of kind %d, want %d", err, got, want)
	}
}

func (s *server) audit() []store.AuditEntry {
	s.t.Helper()
	var list []store.AuditEntry
	err := s.store.View(s.t.Context(), func(tx *store.Tx) (err error) { list, err = tx.Audit(0, 100000); return err })
	if err != nil {
		s.t.Fatal(err)
	}
	return list
}

// last is the newest audit record in a line.
func (s *server) last() string {
	all := s.audit()
	e := all[len(all)-1]
	return strings.Join([]string{e.Who, e.Key, e.Addr, e.Door, e.Action, string(e.Detail), e.Result}, "|")
}

func TestKeyActsForItsUser(t *testing.T) {
	t.Parallel()
	s := start(t)
	u := s.user(auth.NewUser{Email: "ada@example.com", Groups: []string{"ops"}})
	plain := s.key(store.APIKey{User: u.ID, Name: "agent", ReadOnly: true, Tasks: []string{"deploy/*"}})
	if !strings.HasPrefix(plain, "strm_") || len(plain) != 37 {
		t.Fatalf("a key is %q", plain)
	}
	p, err := s.Identify(t.Context(), plain, auth.MCP, home)
	if err != nil {
		t.Fatal(err)
	}
	if p.Email != u.Email || p.Credential() != "key:"+plain[:12] || !p.IsAgent() || !p.Key.ReadOnly || p.Groups[0] != "ops" {
		t.Errorf("identified %+v", p)
	}
	if p.MayAnswer() == nil {
		t.Error("a key may answer for a person")
	}

	// What changes counts on the next call.
	if err := errors.Join(s.SetAdmin(s.owner(), u.ID, true), s.SetGroups(s.owner(), u.ID, []string{"dev"})); err != nil {
		t.Fatal(err)
	}
	if p, err := s.Identify(t.Context(), plain, auth.REST, home); err != nil || !p.Admin || p.Groups[0] != "dev" {
		t.Errorf("after a change: %+v %v", p, err)
	}
	if err := s.RevokeKey(s.owner(), plain[:12]); err != nil {
		t.Fatal(err)
	}
	s.refused(plain, auth.ErrKey)
	code(t, s.RevokeKey(s.owner(), plain[:12]), auth.NotFound)
}

func TestKeyEndsWithItsTimeAndItsUser(t *testing.T) {
	t.Parallel()
	s := start(t)
	u := s.user(auth.NewUser{Email: "ada@example.com"})
	short := s.key(store.APIKey{User: u.ID, ExpiresAt: s.clock().Add(time.Hour)})
	long := s.key(store.APIKey{User: u.ID})
	s.pass(time.Hour - 1)
	s.as(short)
	s.pass(1)
	s.refused(short, auth.ErrKeyExpired)
	s.as(long)
	if err := s.DeleteUser(s.owner(), u.ID); err != nil {
		t.Fatal(err)
	}
	s.refused(long, auth.ErrKey)
	s.refused("strm_", auth.ErrKey)
	s.refused("", auth.ErrNoCredential)
}

func TestKeyForMCPAlone(t *testing.T) {
	t.Parallel()
	s := start(t)
	u := s.user(auth.NewUser{Email: "ada@example.com"})
	plain := s.key(store.APIKey{User: u.ID, MCPOnly: true})
	if _, err := s.Identify(t.Context(), plain, auth.MCP, home); err != nil {
		t.Error(err)
	}
	_, err := s.Identify(t.Context(), plain, auth.REST, home)
	code(t, err, auth.Forbidden)
}

func TestKeyManagesNothing(t *testing.T) {
	t.Parallel()
	s := start(t)
	admin := s.user(auth.NewUser{Email: "root@example.com", Admin: true})
	plain := s.key(store.APIKey{User: admin.ID})
	used := s.signIn(admin.Email).Access
	if _, err := s.Identify(t.Context(), used, auth.MCP, home); err != nil {
		t.Fatal(err)
	}
	for name, ctx := range map[string]context.Context{
		"key": s.as(plain), "session an agent had": s.as(used), "nobody": t.Context(),
		"no auth": auth.With(t.Context(), auth.Anyone(auth.REST, home)), "server": auth.With(t.Context(), auth.Server()),
	} {
		_, err1 := s.CreateUser(ctx, auth.NewUser{Email: "x@example.com"})
		_, _, err2 := s.NewKey(ctx, store.APIKey{User: admin.ID, Name: "wider"})
		_, err3 := s.Users(ctx)
		_, err4 := s.Keys(ctx, admin.ID)
		_, err5 := s.ChangePassword(ctx, password, "another password")
		for i, err := range []error{err1, err2, err3, err4, err5, s.SetPassword(ctx, admin.ID, "another password"),
			s.SetAdmin(ctx, admin.ID, true), s.SetGroups(ctx, admin.ID, nil), s.DeleteUser(ctx, admin.ID), s.RevokeKey(ctx, plain[:12])} {
			if c := auth.CodeOf(err); c != auth.Forbidden && c != auth.Unauthenticated && c != auth.Invalid {
				t.Errorf("%s, call %d: %v", name, i, err)
			}
		}
	}
	_, _, err := s.NewKey(s.as(plain), store.APIKey{User: admin.ID, Name: "wider"})
	if err == nil || err.Error() != "API key management requires JWT authentication" {
		t.Error(err)
	}
	if got, want := s.last(), "root@example.com|"+plain[:12]+"|"+home+`|rest|refuse|{"action":"key.create"}|API key management requires JWT authentication`; got != want {
		t.Errorf("audit:\n%s, want\n%s", got, want)
	}
	s.as(plain)
}

func TestPeopleManageTheirOwnKeys(t *testing.T) {
	t.Parallel()
	s := start(t)
	ada, eve := s.user(auth.NewUser{Email: "ada@example.com"}), s.user(auth.NewUser{Email: "eve@example.com"})
	s.user(auth.NewUser{Email: "root@example.com", Admin: true})
	asAda, asEve, asRoot := s.as(s.signIn(ada.Email).Access), s.as(s.signIn(eve.Email).Access), s.as(s.signIn("root@example.com").Access)
	plain, k, err := s.NewKey(asAda, store.APIKey{User: ada.ID, Name: "mine"})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := s.last(), ada.Email+"||"+home+`|rest|key.create|{"key":{"prefix":"`+k.Prefix+`","name":"mine","created_at":"2026-11-24T12:00:00Z"},"user":"ada@example.com"}|ok`; got != want {
		t.Errorf("audit:\n%s, want\n%s", got, want)
	}
	_, _, err = s.NewKey(asEve, store.APIKey{User: ada.ID, Name: "hers"})
	code(t, err, auth.Forbidden)
	_, _, err = s.NewKey(asRoot, store.APIKey{User: ada.ID, Name: "hers"})
	code(t, err, auth.Forbidden)
	_, err = s.Keys(asEve, ada.ID)
	code(t, err, auth.Forbidden)
	_, err = s.Keys(asEve, "")
	code(t, err, auth.Forbidden)
	code(t, s.RevokeKey(asEve, k.Prefix), auth.NotFound)
	for _, ctx := range []context.Context{asAda, asRoot, s.owner()} {
		if list, err := s.Keys(ctx, ada.ID); err != nil || len(list) != 1 || list[0].Prefix != plain[:12] {
			t.Errorf("keys: %v %v", list, err)
		}
	}
	if err := s.RevokeKey(asRoot, k.Prefix); err != nil {
		t.Error(err)
	}
	for name, bad := range map[string]store.APIKey{
		"no name": {User: ada.ID}, "line break": {User: ada.ID, Name: "a\nb"}, "past": {User: ada.ID, Name: "x", ExpiresAt: s.clock()},
		"empty pattern": {User: ada.ID, Name: "x", Tasks: []string{""}}, "NUL": {User: ada.ID, Name: "x", Workspaces: []string{"a\x00"}},
	} {
		if _, _, err := s.NewKey(asAda, bad); auth.CodeOf(err) != auth.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestUseOfAKeyIsWrittenDownOnceAMinute(t *testing.T) {
	t.Parallel()
	s := start(t)
	u := s.user(auth.NewUser{Email: "ada@example.com"})
	plain := s.key(store.APIKey{User: u.ID})
	used := func() time.Time {
		s.as(plain)
		ctx, cancel := context.WithCancel(t.Context())
		cancel() // Run writes what waits, and returns
		if err := s.Run(ctx); err != nil {
			t.Fatal(err)
		}
		list, err := s.Keys(s.owner(), u.ID)
		if err != nil {
			t.Fatal(err)
		}
		return list[0].LastUsedAt
	}
	first := s.clock()
	if got := used(); !got.Equal(first) {
		t.Errorf("used %v, want %v", got, first)
	}
	s.pass(time.Minute - 1)
	if got := used(); !got.Equal(first) {
		t.Errorf("used %v, want %v still", got, first)
	}
	s.pass(1)
	if got := used(); !got.Equal(s.clock()) {
		t.Errorf("used %v, want %v", got, s.clock())
	}
}

func TestManyCallersAtOnce(t *testing.T) {
	t.Parallel()
	s := start(t)
	u := s.user(auth.NewUser{Email: "ada@example.com"})
	plain, token := s.key(store.APIKey{User: u.ID}), s.signIn(u.Email).Access
	ctx, cancel := context.WithCancel(t.Context())
	var wg, run sync.WaitGroup
	run.Go(func() { s.Run(ctx) }) //nolint:errcheck // it returns nil
	for i := range 50 {
		wg.Go(func() {
			bearer, door := plain, auth.REST
			if i%2 == 0 {
				bearer, door = token, auth.MCP
			}
			if i%5 == 0 {
				s.SignIn(t.Context(), u.Email, "wrong", home)  //nolint:errcheck // refused
				s.Identify(t.Context(), "strm_no", door, home) //nolint:errcheck // refused
			}
			if _, err := s.Identify(t.Context(), bearer, door, home); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	cancel()
	run.Wait()
}

// BenchmarkIdentify is what each call pays for being known.
func BenchmarkIdentify(b *testing.B) {
	s := start(b)
	u := s.user(auth.NewUser{Email: "ada@example.com", Groups: []string{"dev", "ops"}})
	for name, bearer := range map[string]string{"key": s.key(store.APIKey{User: u.ID}), "token": s.signIn(u.Email).Access} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := s.Identify(b.Context(), bearer, auth.REST, home); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkDecide is a task of a list against a hundred rules.
func BenchmarkDecide(b *testing.B) {
	p := &auth.Policy{}
	for range 100 {
		p.Rules = append(p.Rules, auth.Rule{Workspace: "prod-*", Tasks: []string{"deploy/*", "db/*"}, Action: auth.Run, Groups: []string{"ops"}})
	}
	who := auth.Principal{Via: auth.Session, Email: "ada@example.com", Groups: []string{"dev", "ops"}}
	for b.Loop() {
		p.Decide(who, "prod-eu", "web", "restart")
	}
}
