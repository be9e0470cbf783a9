package auth_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"stroem/auth"
	"stroem/store"
)

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

// Secrets of clients are guessed from an address: few are looked at and all of
// it is written down, and who knows one goes on there.
func TestGuessedClientSecrets(t *testing.T) {
	t.Parallel()
	s := remote(t)
	u := s.user(auth.NewUser{Email: "ada@example.com"})
	c, unseen := s.register(auth.Metadata{Method: "client_secret_post"}), s.register(auth.Metadata{Method: "client_secret_post"})
	evil := stranger("203.0.113.1")
	show := func(ctx context.Context, c auth.Registered, secret string) error {
		_, err := s.Exchange(ctx, showing(c.ID, s.code(c.ID, u.Email), map[string]string{"client_secret": secret}))
		return err
	}
	if err := show(evil, c, c.Secret); err != nil {
		t.Fatal(err)
	}
	before, looked := len(s.audit()), 0
	for i := range 200 {
		_, err := s.Exchange(evil, renewing(c.ID, "strr", map[string]string{"client_secret": fmt.Sprint("guess ", i)}))
		switch {
		case named(err) == "invalid_client":
			looked++
		case auth.CodeOf(err) != auth.TooMany:
			t.Fatal(err)
		}
		if i == 0 {
			if got := s.last(); got != "|"+c.ID+"|203.0.113.1|rest|refuse||client_secret is not the client's" {
				t.Error(got)
			}
		}
	}
	if n := len(s.audit()) - before; looked != 20 || n != 20 {
		t.Errorf("%d secrets were looked at, %d audit records", looked, n)
	}
	if err := show(evil, c, c.Secret); err != nil {
		t.Errorf("a secret that was right before: %v", err)
	}
	code(t, show(evil, unseen, unseen.Secret), auth.TooMany)
	if err := show(passerBy(), unseen, unseen.Secret); err != nil {
		t.Errorf("from elsewhere: %v", err)
	}
	if _, err := s.Exchange(evil, showing("https://a.example/c", "stroc_x", nil)); named(err) != "invalid_grant" {
		t.Errorf("a client that needs none: %v", err)
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
