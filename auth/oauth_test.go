package auth_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"strings"
	"sync"
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
		"change itself":  s.ChangePassword(ctx, password, "another one"),
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

// A code is good for one exchange that is right. Whatever else is done with it
// ends what it gave.
func TestCodeIsGoodOnce(t *testing.T) {
	t.Parallel()
	s := remote(t)
	u := s.user(auth.NewUser{Email: "ada@example.com"})
	client, other := s.register(auth.Metadata{}).ID, s.register(auth.Metadata{}).ID
	for name, c := range map[string]struct {
		change map[string]string
		pass   time.Duration
		want   string
		burns  bool
	}{
		"another client":      {map[string]string{"client_id": other}, 0, "invalid_grant", true},
		"other redirect":      {map[string]string{"redirect_uri": back + "/"}, 0, "invalid_grant", true},
		"wrong verifier":      {map[string]string{"code_verifier": strings.Repeat("a", 43)}, 0, "invalid_grant", true},
		"the challenge":       {map[string]string{"code_verifier": challenge}, 0, "invalid_grant", true},
		"too late":            {nil, time.Minute, "invalid_grant", true},
		"other resource":      {map[string]string{"resource": issuer}, 0, "invalid_target", false},
		"no verifier":         {map[string]string{"code_verifier": ""}, 0, "invalid_request", false},
		"no redirect":         {map[string]string{"redirect_uri": ""}, 0, "invalid_request", false},
		"no code":             {map[string]string{"code": ""}, 0, "invalid_request", false},
		"no client":           {map[string]string{"client_id": ""}, 0, "invalid_client", false},
		"unknown client":      {map[string]string{"client_id": "mcp_0"}, 0, "invalid_client", false},
		"a secret":            {map[string]string{"client_secret": "x"}, 0, "invalid_client", false},
		"document's client":   {map[string]string{"client_id": "https://a.example/c"}, 0, "invalid_grant", true},
		"no grant type":       {map[string]string{"grant_type": ""}, 0, "invalid_request", false},
		"other grant type":    {map[string]string{"grant_type": "client_credentials"}, 0, "unsupported_grant_type", false},
		"password grant type": {map[string]string{"grant_type": "password", "username": u.Email, "password": password}, 0, "unsupported_grant_type", false},
		"a wrong code":        {map[string]string{"code": "stroc_x"}, 0, "invalid_grant", false},
	} {
		code := s.code(client, u.Email)
		s.pass(c.pass)
		if _, err := s.Exchange(passerBy(), showing(client, code, c.change)); named(err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := s.Exchange(passerBy(), showing(client, code, nil)); (err == nil) == c.burns {
			t.Errorf("%s, then all right: %v", name, err)
		}
	}
	twice := showing(client, s.code(client, u.Email), nil)
	twice.Add("code", "stroc_x")
	if _, err := s.Exchange(passerBy(), twice); named(err) != "invalid_request" {
		t.Errorf("two codes: %v", err)
	}
	code := s.code(client, u.Email)
	out, err := s.Exchange(passerBy(), showing(client, code, map[string]string{"resource": ""}))
	if err != nil {
		t.Fatal(err)
	}
	s.pass(40 * time.Minute) // also long after
	if _, err := s.Exchange(passerBy(), showing(client, code, nil)); named(err) != "invalid_grant" {
		t.Errorf("replayed: %v", err)
	}
	if err := s.knows(out.Access); !errors.Is(err, auth.ErrToken) {
		t.Errorf("what a replayed code gave: %v", err)
	}
	if e := s.audit(); e[len(e)-2].Action != "oauth.revoke" || e[len(e)-2].Result != "the code was used twice" || e[len(e)-2].Key != client {
		t.Errorf("%+v", e[len(e)-2:])
	}
}

func TestCodeAtOnce(t *testing.T) {
	t.Parallel()
	s := remote(t)
	u := s.user(auth.NewUser{Email: "ada@example.com"})
	client := s.register(auth.Metadata{}).ID
	code := s.code(client, u.Email)
	var done sync.WaitGroup
	var won atomic.Int64
	var access atomic.Value
	for range 50 {
		done.Go(func() {
			switch out, err := s.Exchange(passerBy(), showing(client, code, nil)); {
			case err == nil:
				won.Add(1)
				access.Store(out.Access)
			case named(err) != "invalid_grant" && auth.CodeOf(err) != auth.TooMany:
				t.Error(err)
			}
		})
	}
	done.Wait()
	if won.Load() != 1 {
		t.Fatalf("%d of 50 exchanges of one code were right", won.Load())
	}
	if err := s.knows(access.Load().(string)); !errors.Is(err, auth.ErrToken) {
		t.Errorf("the code was used twice, and what it gave goes on: %v", err)
	}
}

func TestRefreshTokenIsGoodOnce(t *testing.T) {
	t.Parallel()
	s := remote(t)
	u := s.user(auth.NewUser{Email: "ada@example.com"})
	client, first := s.let(u.Email)
	_, aside := s.let(u.Email) // in another tab
	other := s.register(auth.Metadata{}).ID
	for want, form := range map[string]url.Values{
		"invalid_grant":   renewing(other, first.Refresh, nil),
		"invalid_client":  renewing("mcp_0", first.Refresh, nil),
		"invalid_scope":   renewing(client, first.Refresh, map[string]string{"scope": "mcp admin"}),
		"invalid_target":  renewing(client, first.Refresh, map[string]string{"resource": issuer + "/api"}),
		"invalid_request": renewing(client, "", nil),
	} {
		if _, err := s.Exchange(passerBy(), form); named(err) != want {
			t.Errorf("%s: %v", want, err)
		}
	}
	next, err := s.Exchange(passerBy(), renewing(client, first.Refresh, map[string]string{"scope": "mcp", "resource": resource}))
	if err != nil || next.Refresh == first.Refresh || next.Access == first.Access {
		t.Fatal(next, err)
	}
	for _, token := range []string{first.Access, next.Access} {
		if err := s.knows(token); err != nil {
			t.Error(err)
		}
	}
	if _, err := s.Exchange(passerBy(), renewing(other, first.Refresh, nil)); named(err) != "invalid_grant" || s.knows(next.Access) != nil {
		t.Errorf("another client shows a used token: %v, %v", err, s.knows(next.Access))
	}
	if _, err := s.Exchange(passerBy(), renewing(client, first.Refresh, nil)); named(err) != "invalid_grant" {
		t.Errorf("a second time: %v", err)
	}
	for _, token := range []string{first.Access, next.Access} {
		if err := s.knows(token); !errors.Is(err, auth.ErrToken) {
			t.Errorf("after reuse: %v", err)
		}
	}
	if _, err := s.Exchange(passerBy(), renewing(client, next.Refresh, nil)); named(err) != "invalid_grant" {
		t.Errorf("the newest after reuse: %v", err)
	}
	if err := s.knows(aside.Access); err != nil {
		t.Errorf("what was given in another tab ended too: %v", err)
	}
}

func TestClientSecret(t *testing.T) {
	t.Parallel()
	s := remote(t)
	u := s.user(auth.NewUser{Email: "ada@example.com"})
	c := s.register(auth.Metadata{Name: "Closed", Method: "client_secret_post"})
	if c.Secret == "" {
		t.Fatal(c)
	}
	for _, wrong := range []string{"", "x", c.Secret + "x"} {
		code := s.code(c.ID, u.Email)
		if _, err := s.Exchange(passerBy(), showing(c.ID, code, map[string]string{"client_secret": wrong})); named(err) != "invalid_client" {
			t.Errorf("%q: %v", wrong, err)
		}
	}
	out, err := s.Exchange(passerBy(), showing(c.ID, s.code(c.ID, u.Email), map[string]string{"client_secret": c.Secret}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Exchange(passerBy(), renewing(c.ID, out.Refresh, nil)); named(err) != "invalid_client" {
		t.Errorf("refresh without the secret: %v", err)
	}
	end := func(client, secret, token string) error {
		return s.Disown(passerBy(), values(map[string]string{"client_id": client, "client_secret": secret, "token": token}, nil))
	}
	other := s.register(auth.Metadata{}).ID
	for want, err := range map[string]error{"invalid_client": end(c.ID, "", out.Access), "invalid_request": end(c.ID, c.Secret, ""), "<nil>": end(other, "", out.Access)} {
		if named(err) != want || s.knows(out.Access) != nil {
			t.Errorf("%s: %v", want, err)
		}
	}
	if err := errors.Join(end(c.ID, c.Secret, "no token"), end(c.ID, c.Secret, out.Refresh)); err != nil || s.knows(out.Access) == nil {
		t.Errorf("disowned: %v", err)
	}
}

// Clients are not many, whoever makes them known; those that people let in stay.
func TestClientsAreBounded(t *testing.T) {
	t.Parallel()
	s := remote(t)
	u := s.user(auth.NewUser{Email: "ada@example.com"})
	const most = 1000
	used, out := s.let(u.Email)
	idle := s.register(auth.Metadata{}).ID
	s.pass(time.Second)
	refused := 0
	for range 10 {
		if _, err := s.Register(stranger(home), auth.Metadata{Redirects: []string{back}}); auth.CodeOf(err) == auth.TooMany {
			refused++
		}
	}
	if refused != 5 {
		t.Errorf("of 10 at once, %d were refused", refused)
	}
	s.pass(12 * time.Second)
	if _, err := s.Register(stranger(home), auth.Metadata{Redirects: []string{back}}); err != nil {
		t.Errorf("12 s later: %v", err)
	}
	var done sync.WaitGroup
	for range 100 {
		done.Go(func() {
			for range registrations / 100 {
				if _, err := s.Register(passerBy(), auth.Metadata{Redirects: []string{back}}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	done.Wait()
	err := s.store.View(t.Context(), func(tx *store.Tx) error {
		n, err := tx.CountClients()
		if n > most {
			t.Errorf("%d clients are kept", n)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if _, err := s.Ask(passerBy(), asking(idle, nil)); auth.CodeOf(err) != auth.Invalid {
		t.Errorf("the oldest that nobody let in: %v", err)
	}
	s.pass(29 * 24 * time.Hour)
	if _, err := s.Exchange(passerBy(), renewing(used, out.Refresh, nil)); err != nil {
		t.Errorf("one that was let in: %v", err)
	}
	fresh := s.register(auth.Metadata{}).ID
	s.pass(30 * 24 * time.Hour)
	if _, err := s.Ask(passerBy(), asking(fresh, nil)); auth.CodeOf(err) != auth.Invalid {
		t.Errorf("one that nobody let in for 30 days: %v", err)
	}
	if _, err := s.Ask(passerBy(), asking(used, nil)); err != nil {
		t.Errorf("one that was let in once: %v", err)
	}
}
