package auth_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"stroem/auth"
	"stroem/store"
)

const (
	issuer    = "https://stroem.example.org"
	resource  = issuer + "/mcp"
	back      = "https://claude.ai/api/mcp/auth_callback"
	verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" // RFC 7636, appendix B
	challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

// remote is a server whose people may give remote agents access.
func remote(t testing.TB) *server {
	t.Helper()
	s := start(t)
	s.people = map[string]context.Context{}
	s.Gate = gate(t, auth.Config{Store: s.store, Issuer: issuer, OAuth: true, Now: s.clock})
	return s
}

// stranger is the context of who comes from an address and is not known.
func stranger(addr string) context.Context {
	return auth.With(context.Background(), auth.Principal{Door: auth.REST, Addr: addr})
}

var callers atomic.Int64

// passerBy is a stranger whom nobody has seen.
func passerBy() context.Context {
	n := callers.Add(1)
	return stranger(fmt.Sprintf("100.%d.%d.%d", n>>16&255, n>>8&255, n&255))
}

func (s *server) register(m auth.Metadata) auth.Registered {
	s.t.Helper()
	if m.Redirects == nil {
		m.Redirects = []string{back}
	}
	c, err := s.Register(passerBy(), m)
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// asking is what a right client asks for, with some of it changed: "" takes a
// parameter out.
func asking(client string, change map[string]string) url.Values {
	q := map[string]string{"response_type": "code", "client_id": client, "redirect_uri": back, "code_challenge": challenge,
		"code_challenge_method": "S256", "resource": resource, "state": "s1"}
	return values(q, change)
}

func values(q, change map[string]string) url.Values {
	maps.Copy(q, change)
	v := url.Values{}
	for name, value := range q {
		if value != "" {
			v.Set(name, value)
		}
	}
	return v
}

// code is what the account gives the client.
func (s *server) code(client, email string) string {
	s.t.Helper()
	a, err := s.Ask(passerBy(), asking(client, nil))
	if err != nil {
		s.t.Fatal(err)
	}
	if s.people[email] == nil { // passwords are dear
		s.people[email] = s.as(s.signIn(email).Access)
	}
	to, err := s.Consent(s.people[email], a)
	if err != nil {
		s.t.Fatal(err)
	}
	u, err := url.Parse(to)
	if err != nil || u.Query().Get("state") != "s1" || u.Query().Get("iss") != issuer || !strings.HasPrefix(to, back+"?") {
		s.t.Fatal(to, err)
	}
	return u.Query().Get("code")
}

func showing(client, code string, change map[string]string) url.Values {
	return values(map[string]string{"grant_type": "authorization_code", "code": code, "redirect_uri": back, "code_verifier": verifier,
		"client_id": client, "resource": resource}, change)
}

func renewing(client, token string, change map[string]string) url.Values {
	return values(map[string]string{"grant_type": "refresh_token", "refresh_token": token, "client_id": client}, change)
}

// let is what the account gives a new client.
func (s *server) let(email string) (client string, out auth.Issued) {
	s.t.Helper()
	client = s.register(auth.Metadata{Name: "Claude"}).ID
	out, err := s.Exchange(passerBy(), showing(client, s.code(client, email), nil))
	if err != nil {
		s.t.Fatal(err)
	}
	return client, out
}

func (s *server) knows(token string) error {
	_, err := s.Identify(context.Background(), token, auth.MCP, home)
	return err
}

// named is the name of a refusal.
func named(err error) string {
	var r *auth.Refusal
	if errors.As(err, &r) {
		return r.Name
	}
	return fmt.Sprint(err)
}

func TestRemoteAgentIsItsUserAndNoMore(t *testing.T) {
	t.Parallel()
	s := remote(t)
	ada := s.user(auth.NewUser{Email: "ada@example.com", Admin: true, Groups: []string{"ops"}})
	client, out := s.let(ada.Email)
	if out.Type != "Bearer" || out.Expires != 3600 || out.Scope != "mcp" || out.Refresh == "" {
		t.Errorf("%+v", out)
	}
	p, err := s.Identify(t.Context(), out.Access, auth.MCP, home)
	if err != nil {
		t.Fatal(err)
	}
	if p.Via != auth.OAuth || p.UserID != ada.ID || !p.Admin || fmt.Sprint(p.Groups) != "[ops]" || !p.IsAgent() || p.Grant.Client != client {
		t.Errorf("%+v", p)
	}
	if p.Caller() != "grant:"+p.Grant.ID || p.Credential() != p.Caller() || p.Entry(s.clock(), "execute", "ok").Key != client {
		t.Errorf("it is %s, %s, and in the audit %+v", p.Caller(), p.Credential(), p.Entry(s.clock(), "execute", "ok"))
	}
	// Even if it came in by another door, it is no person.
	p.Door = auth.REST
	ctx := auth.With(t.Context(), p)
	a, err := s.Ask(ctx, asking(client, nil))
	if err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"answer": p.MayAnswer(),
		"make keys": second(func() (string, error) {
			k, _, err := s.NewKey(ctx, store.APIKey{User: ada.ID, Name: "k"})
			return k, err
		}),
		"list keys":      second(func() ([]store.APIKey, error) { return s.Keys(ctx, ada.ID) }),
		"revoke keys":    s.RevokeKey(ctx, "strm_0000000"),
		"list users":     second(func() ([]store.User, error) { return s.Users(ctx) }),
		"make users":     second(func() (store.User, error) { return s.CreateUser(ctx, auth.NewUser{Email: "eve@example.com"}) }),
		"change groups":  s.SetGroups(ctx, ada.ID, []string{"all"}),
		"change itself":  second(func() (auth.Tokens, error) { return s.ChangePassword(ctx, password, "another one") }),
		"let others in":  second(func() (string, error) { return s.Consent(ctx, a) }),
		"list grants":    second(func() ([]store.Grant, error) { return s.Grants(ctx, ada.ID) }),
		"revoke grants":  s.RevokeGrant(ctx, p.Grant.ID),
		"look at others": second(func() (store.Client, error) { return s.Client(ctx, client) }),
	} {
		if auth.CodeOf(err) != auth.Forbidden {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := s.SignOut(ctx); auth.CodeOf(err) != auth.Invalid {
		t.Errorf("sign out: %v", err)
	}
	if _, err := s.Still(ctx, p); !errors.Is(err, auth.ErrToken) {
		t.Errorf("still: %v", err)
	}
}

func second[T any](fn func() (T, error)) error {
	_, err := fn()
	return err
}

// What a person gave ends with the person, with their word, and with time; and
// it is what the person is at that moment.
func TestRemoteAgentEnds(t *testing.T) {
	t.Parallel()
	s := remote(t)
	for name, end := range map[string]func(u store.User, grant string) error{
		"revoked by the owner": func(_ store.User, grant string) error { return s.RevokeGrant(s.owner(), grant) },
		"revoked by the person": func(u store.User, grant string) error {
			return s.RevokeGrant(s.as(s.signIn(u.Email).Access), grant)
		},
		"without its user":    func(u store.User, _ string) error { return s.DeleteUser(s.owner(), u.ID) },
		"with a new password": func(u store.User, _ string) error { return s.SetPassword(s.owner(), u.ID, "another one") },
	} {
		u := s.user(auth.NewUser{Email: strings.ReplaceAll(name, " ", ".") + "@example.com"})
		client, out := s.let(u.Email)
		p, err := s.Identify(t.Context(), out.Access, auth.MCP, home)
		if err != nil || p.Admin {
			t.Fatal(p, err)
		}
		if err := s.SetAdmin(s.owner(), u.ID, true); err != nil {
			t.Fatal(err)
		}
		if p, _ = s.Identify(t.Context(), out.Access, auth.MCP, home); !p.Admin {
			t.Errorf("%s: what changed does not count", name)
		}
		s.user(auth.NewUser{Email: "keep." + u.Email, Admin: true}) // somebody must administer
		if err := end(u, p.Grant.ID); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := s.knows(out.Access); !errors.Is(err, auth.ErrToken) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := s.Exchange(passerBy(), renewing(client, out.Refresh, nil)); named(err) != "invalid_grant" {
			t.Errorf("%s: refresh: %v", name, err)
		}
	}
	u := s.user(auth.NewUser{Email: "ada@example.com"})
	client, out := s.let(u.Email)
	s.pass(time.Hour - time.Second)
	if err := s.knows(out.Access); err != nil {
		t.Error(err)
	}
	s.pass(time.Second)
	if err := s.knows(out.Access); !errors.Is(err, auth.ErrToken) {
		t.Errorf("after an hour: %v", err)
	}
	s.pass(29 * 24 * time.Hour)
	next, err := s.Exchange(passerBy(), renewing(client, out.Refresh, nil))
	if err != nil {
		t.Fatalf("after 29 days: %v", err)
	}
	s.pass(30 * 24 * time.Hour)
	if _, err := s.Exchange(passerBy(), renewing(client, next.Refresh, nil)); named(err) != "invalid_grant" {
		t.Errorf("30 days later: %v", err)
	}
	if list, err := s.Grants(s.owner(), ""); err != nil || len(list) != 0 {
		t.Error(list, err)
	}
}

// One server's secrets are each good for one thing.
func TestNoSecretPassesForAnother(t *testing.T) {
	t.Parallel()
	s := remote(t)
	u := s.user(auth.NewUser{Email: "ada@example.com"})
	session := s.signIn(u.Email)
	key := s.key(store.APIKey{User: u.ID})
	client, out := s.let(u.Email)
	code := s.code(client, u.Email)
	for _, door := range []auth.Door{auth.REST, auth.MCP, auth.CLI} {
		for name, token := range map[string]string{"code": code, "refresh token": out.Refresh, "session's refresh token": session.Refresh,
			"access token as a session": strings.TrimPrefix(out.Access, "stroa_"), "session as an access token": "stroa_" + session.Access,
			"key as an access token": "stroa_" + key, "refresh token as an access token": "stroa_" + strings.TrimPrefix(out.Refresh, "stror_")} {
			if _, err := s.Identify(t.Context(), token, door, "192.0.2.77"); auth.CodeOf(err) != auth.Unauthenticated {
				t.Errorf("%s at %s: %v", name, door, err)
			}
		}
		if _, err := s.Identify(t.Context(), out.Access, door, home); (door == auth.MCP) != (err == nil) {
			t.Errorf("the access token at %s: %v", door, err)
		}
	}
	for name, token := range map[string]string{"access token": out.Access, "session": session.Access, "session's refresh token": session.Refresh, "key": key, "code": code} {
		if _, err := s.Exchange(passerBy(), renewing(client, token, nil)); named(err) != "invalid_grant" {
			t.Errorf("%s as a refresh token: %v", name, err)
		}
		if _, err := s.Exchange(passerBy(), showing(client, token, nil)); (name == "code") != (err == nil) {
			t.Errorf("%s as a code: %v", name, err)
		}
	}
	if _, err := s.Refresh(t.Context(), out.Refresh, home); !errors.Is(err, auth.ErrToken) {
		t.Errorf("a remote agent's refresh token for a session: %v", err)
	}
	// Where the server is, is what the token is for.
	moved := gate(t, auth.Config{Store: s.store, Issuer: "https://elsewhere.example.org", OAuth: true, Now: s.clock})
	off := gate(t, auth.Config{Store: s.store, Issuer: issuer, Now: s.clock})
	for name, g := range map[string]*auth.Gate{"moved": moved, "off": off} {
		if _, err := g.Identify(t.Context(), out.Access, auth.MCP, home); !errors.Is(err, auth.ErrToken) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := g.Exchange(passerBy(), renewing(client, out.Refresh, nil)); named(err) != "invalid_grant" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := off.Ask(passerBy(), asking(client, nil)); auth.CodeOf(err) != auth.NotFound {
		t.Errorf("off: %v", err)
	}
	if err := s.knows(out.Access); err != nil {
		t.Errorf("it was shown in the wrong places, and ended: %v", err)
	}
	err := s.store.View(t.Context(), func(tx *store.Tx) error {
		_, _, err := tx.GrantToken([]byte(out.Access))
		return err
	})
	if !errors.Is(err, store.ErrNotFound) {
		t.Errorf("it is stored as it is: %v", err)
	}
}
