package auth_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"stroem/auth"
	"stroem/store"
)

func TestSignIn(t *testing.T) {
	t.Parallel()
	s := start(t)
	u := s.user(auth.NewUser{Email: "Ada@Example.com", Groups: []string{"b", "a", "b"}})
	tokens, err := s.SignIn(t.Context(), " ADA@example.com", password, home)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := s.last(), "ada@example.com||"+home+"|rest|sign-in||ok"; got != want {
		t.Errorf("audit: %s, want %s", got, want)
	}
	p, err := s.Identify(t.Context(), tokens.Access, auth.REST, home)
	if err != nil {
		t.Fatal(err)
	}
	if p.Via != auth.Session || p.UserID != u.ID || p.Email != "ada@example.com" || fmt.Sprint(p.Groups) != "[a b]" || p.IsAgent() || p.MayAnswer() != nil {
		t.Errorf("identified %+v", p)
	}
	var c jwt.MapClaims
	if _, _, err := jwt.NewParser().ParseUnverified(tokens.Access, &c); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"sub", "email", "is_admin", "iat", "exp", "iss", "aud", "jti"} {
		if c[name] == nil {
			t.Errorf("the token has no %s", name)
		}
	}
	if life := c["exp"].(float64) - c["iat"].(float64); life != 30*24*3600 {
		t.Errorf("it lives %v s", life)
	}
	for _, wrong := range [][2]string{{u.Email, "wrong"}, {u.Email, ""}, {"nobody@example.com", password}, {"", ""}, {u.Email, strings.Repeat("x", 5000)}} {
		if _, err := s.SignIn(t.Context(), wrong[0], wrong[1], home); !errors.Is(err, auth.ErrSignIn) {
			t.Errorf("%.20q: %v", wrong, err)
		}
	}
	// The page's fields may be mixed up: no password gets into the log.
	s.SignIn(t.Context(), password, u.Email, home) //nolint:errcheck // refused
	for _, e := range s.audit() {
		if strings.Contains(fmt.Sprint(e, string(e.Detail)), password) {
			t.Errorf("a password is in the log: %v", e)
		}
	}
}

func TestSessionEnds(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*server, store.User, auth.Tokens) error{
		"sign-out": func(s *server, _ store.User, k auth.Tokens) error { return s.SignOut(s.as(k.Access)) },
		"a new password": func(s *server, u store.User, _ auth.Tokens) error {
			return s.SetPassword(s.owner(), u.ID, "another one")
		},
		"a change of it": func(s *server, _ store.User, k auth.Tokens) error {
			_, err := s.ChangePassword(s.as(k.Access), password, "another one")
			return err
		},
		"user deleted": func(s *server, u store.User, _ auth.Tokens) error { return s.DeleteUser(s.owner(), u.ID) },
		"thirty days":  func(s *server, _ store.User, _ auth.Tokens) error { s.pass(30 * 24 * time.Hour); return nil },
		"expired, dropped": func(s *server, _ store.User, _ auth.Tokens) error {
			s.pass(30 * 24 * time.Hour)
			s.user(auth.NewUser{Email: "eve@example.com"})
			s.signIn("eve@example.com")
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			u := s.user(auth.NewUser{Email: "ada@example.com"})
			tokens := s.signIn(u.Email)
			s.as(tokens.Access)
			if err := end(s, u, tokens); err != nil {
				t.Fatal(err)
			}
			s.refused(tokens.Access, auth.ErrToken)
			if _, err := s.Refresh(t.Context(), tokens.Refresh, home); !errors.Is(err, auth.ErrToken) {
				t.Errorf("refresh: %v", err)
			}
		})
	}
}

func TestPasswordIsChangedForThePresentOne(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.user(auth.NewUser{Email: "ada@example.com"})
	ctx := s.as(s.signIn("ada@example.com").Access)
	for present, c := range map[string]struct {
		password string
		want     auth.Code
	}{"wrong": {"another one", auth.Forbidden}, password: {"short", auth.Invalid}} {
		_, err := s.ChangePassword(ctx, present, c.password)
		code(t, err, c.want)
	}
	aside := s.signIn("ada@example.com")
	goesOn, err := s.ChangePassword(ctx, password, "another one")
	if err != nil {
		t.Error(err)
	}
	if got := s.last(); got != `ada@example.com||`+home+`|rest|user.password|{"user":"ada@example.com"}|ok` {
		t.Error(got)
	}
	if who := auth.From(s.as(goesOn.Access)); who.Email != "ada@example.com" || who.Via != auth.Session {
		t.Errorf("the new session is %+v", who)
	}
	if _, err := s.Identify(t.Context(), aside.Access, auth.REST, home); !errors.Is(err, auth.ErrToken) {
		t.Errorf("another session goes on: %v", err)
	}
	if _, err := s.Refresh(t.Context(), goesOn.Refresh, home); err != nil {
		t.Error(err)
	}
	for range 30 { // as with a sign-in, guesses are bounded
		_, err = s.ChangePassword(ctx, password, "a third one")
	}
	code(t, err, auth.TooMany)
	if _, err := s.SignIn(t.Context(), "ada@example.com", "another one", "198.51.100.7"); err != nil {
		t.Error(err)
	}
}

func TestRefresh(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.user(auth.NewUser{Email: "ada@example.com"})
	first := s.signIn("ada@example.com")
	if _, err := s.Identify(t.Context(), first.Access, auth.MCP, home); err != nil {
		t.Fatal(err)
	}
	s.pass(20 * 24 * time.Hour)
	second, err := s.Refresh(t.Context(), first.Refresh, home)
	if err != nil {
		t.Fatal(err)
	}
	s.pass(20 * 24 * time.Hour)
	p := auth.From(s.as(second.Access))
	if !p.UsedOnMCP || p.MayAnswer() == nil {
		t.Error("a refresh washed off that the session was used on /mcp")
	}
	s.refused(first.Access, auth.ErrToken) // its own 30 days are over
	s.refused(second.Refresh, auth.ErrToken)
	s.refused(first.Refresh, auth.ErrToken)

	third, err := s.Refresh(t.Context(), second.Refresh, home)
	if err != nil {
		t.Fatal(err)
	}
	// Whoever uses the second one again has stolen it, or was stolen from.
	if _, err := s.Refresh(t.Context(), second.Refresh, "203.0.113.9"); !errors.Is(err, auth.ErrToken) {
		t.Errorf("reuse: %v", err)
	}
	if got, want := s.last(), "ada@example.com||203.0.113.9|rest|sign-out||a refresh token was used twice"; got != want {
		t.Errorf("audit: %s, want %s", got, want)
	}
	s.refused(third.Access, auth.ErrToken)
	if _, err := s.Refresh(t.Context(), third.Refresh, home); !errors.Is(err, auth.ErrToken) {
		t.Errorf("the thief's: %v", err)
	}
}

func TestRefreshAtOnceSucceedsOnce(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.user(auth.NewUser{Email: "ada@example.com"})
	first := s.signIn("ada@example.com")
	var wg sync.WaitGroup
	var mu sync.Mutex
	won := 0
	for range 8 {
		wg.Go(func() {
			_, err := s.Refresh(t.Context(), first.Refresh, home)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won++
			} else if !errors.Is(err, auth.ErrToken) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won != 1 {
		t.Errorf("%d of 8 got new tokens", won)
	}
	s.refused(first.Access, auth.ErrToken)
}

// TestForgedTokens makes tokens as an attacker might, and some with the true
// secret that differ in one claim.
func TestForgedTokens(t *testing.T) {
	t.Parallel()
	s := start(t)
	secret := strings.Repeat("s", 32)
	s.Gate = gate(t, auth.Config{Store: s.store, Now: s.clock, JWTSecret: secret, Issuer: "https://stroem.example"})
	u := s.user(auth.NewUser{Email: "ada@example.com"})
	other := s.user(auth.NewUser{Email: "root@example.com", Admin: true})
	tokens := s.signIn(u.Email)
	var good jwt.MapClaims
	if _, _, err := jwt.NewParser().ParseUnverified(tokens.Access, &good); err != nil {
		t.Fatal(err)
	}
	with := func(name string, value any) jwt.MapClaims {
		c := jwt.MapClaims{}
		for k, v := range good {
			c[k] = v
		}
		if c[name] = value; value == nil {
			delete(c, name)
		}
		return c
	}
	sign := func(m jwt.SigningMethod, key any, c jwt.MapClaims) string {
		text, err := jwt.NewWithClaims(m, c).SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	hs := func(c jwt.MapClaims) string { return sign(jwt.SigningMethodHS256, []byte(secret), c) }
	if s.as(hs(good)) == nil { // the forger of this test can forge
		t.Fatal()
	}
	head, rest, _ := strings.Cut(tokens.Access, ".")
	now := s.clock().Unix()
	for name, forged := range map[string]string{
		"none":            sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, good),
		"HS384":           sign(jwt.SigningMethodHS384, []byte(secret), good),
		"HS512":           sign(jwt.SigningMethodHS512, []byte(secret), good),
		"other secret":    sign(jwt.SigningMethodHS256, []byte(strings.Repeat("t", 32)), good),
		"empty secret":    sign(jwt.SigningMethodHS256, []byte{}, good),
		"other issuer":    hs(with("iss", "stroem")),
		"no issuer":       hs(with("iss", nil)),
		"other audience":  hs(with("aud", "https://stroem.example/mcp")),
		"no audience":     hs(with("aud", nil)),
		"expired":         hs(with("exp", now)),
		"no expiry":       hs(with("exp", nil)),
		"not yet":         hs(with("nbf", now+100)),
		"no session":      hs(with("jti", nil)),
		"unknown session": hs(with("jti", "x")),
		"other user":      hs(with("sub", other.ID)),
		"no user":         hs(with("sub", nil)),
		"refresh token":   tokens.Refresh,
		"cut":             tokens.Access[:len(tokens.Access)-1],
		"no signature":    tokens.Access[:strings.LastIndex(tokens.Access, ".")+1],
		"other header":    "eyJhbGciOiJub25lIn0." + rest,
		"header alone":    head,
		"garbage":         "garbage", "dots": "..", "NUL": "\x00", "long": strings.Repeat("a.", 100000),
	} {
		p, err := s.Identify(t.Context(), forged, auth.REST, home)
		if !errors.Is(err, auth.ErrToken) || p.Via != auth.Nobody {
			t.Errorf("%s: %v %v", name, p, err)
		}
	}
	lies := with("is_admin", true)
	lies["email"] = other.Email
	if p := auth.From(s.as(hs(lies))); p.Admin || p.Email != u.Email {
		t.Errorf("the token's word was taken for %s, admin %v", p.Email, p.Admin)
	}
}

func TestSecretsAreKeptOrGiven(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.user(auth.NewUser{Email: "ada@example.com"})
	tokens := s.signIn("ada@example.com")
	s.Gate = gate(t, auth.Config{Store: s.store, Now: s.clock}) // a restart
	s.as(tokens.Access)
	long := strings.Repeat("x", 32)
	s.Gate = gate(t, auth.Config{Store: s.store, Now: s.clock, RefreshSecret: long})
	s.as(tokens.Access)
	if _, err := s.Refresh(t.Context(), tokens.Refresh, home); !errors.Is(err, auth.ErrToken) {
		t.Errorf("with another refresh secret: %v", err)
	}
	s.Gate = gate(t, auth.Config{Store: s.store, Now: s.clock, JWTSecret: long})
	s.refused(tokens.Access, auth.ErrToken)
	if _, err := auth.New(auth.Config{Store: s.store, JWTSecret: long[1:]}); err == nil || !strings.Contains(err.Error(), "auth.jwt_secret") {
		t.Errorf("a short secret: %v", err)
	}
}
