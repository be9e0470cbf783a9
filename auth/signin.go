package auth

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"stroem/store"
)

const (
	// sessionLife is how long a session lasts after its sign-in or refresh.
	sessionLife = 30 * 24 * time.Hour
	// sessionAudience tells the tokens of sessions from all others that may
	// be signed with the same secret.
	sessionAudience = "stroem-session"
)

// Tokens are what a sign-in gives.
type Tokens struct {
	Access    string // for Authorization: Bearer
	Refresh   string // good for one Refresh
	ExpiresAt time.Time
	User      store.User
}

// SignIn begins a session of whoever knows the account's password. Who does
// not gets ErrSignIn, whether there is such an account or not, after the same
// time; who tries too often gets TooMany, at that address alone.
func (g *Gate) SignIn(ctx context.Context, email, password, addr string) (Tokens, error) {
	p := Principal{Door: REST, Addr: addr}
	u, err := g.checkedPassword(ctx, p, strings.ToLower(strings.TrimSpace(email)), password)
	if err != nil {
		return Tokens{}, err
	}
	p.is(u)
	return g.begin(ctx, p, u)
}

// checkedPassword is the account whose password it is.
func (g *Gate) checkedPassword(ctx context.Context, p Principal, email, password string) (u store.User, err error) {
	from := network(p.Addr)
	wait, first := g.limit.take(g.now(), quota{"address " + from, addressTries},
		quota{"account " + from + " " + cut(email), accountTries})
	if wait > 0 {
		if !first {
			return u, tooMany(wait)
		}
		return u, g.refuseSignIn(ctx, p, email, tooMany(wait))
	}
	err = g.store.View(ctx, func(tx *store.Tx) error {
		u, err = tx.UserByEmail(email)
		return err
	})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return u, err
	}
	ok, err := g.hashing.verify(ctx, u.Password, password[:min(len(password), maxPassword+1)])
	if err != nil {
		return u, err
	}
	if !ok || len(password) > maxPassword {
		p.is(u)
		return u, g.refuseSignIn(ctx, p, email, ErrSignIn)
	}
	return u, nil
}

func (g *Gate) refuseSignIn(ctx context.Context, p Principal, email string, why *Error) error {
	e := p.Entry(g.now(), "sign-in", why.Msg)
	// What is typed in the wrong field may be a password.
	if p.Email == "" && checkEmail(email) == nil {
		e.Detail, _ = json.Marshal(map[string]string{"email": email}) //nolint:errcheck // a map of strings
	}
	if err := g.store.Update(ctx, func(tx *store.Tx) error { return tx.AppendAudit(&e) }); err != nil {
		return err
	}
	return why
}

// begin makes the session, unless the account changed while the password was
// looked at.
func (g *Gate) begin(ctx context.Context, p Principal, u store.User) (Tokens, error) {
	now := g.now()
	t, begin, err := g.newSession(u)
	if err != nil {
		return t, err
	}
	e := p.Entry(now, "sign-in", "ok")
	err = g.store.Update(ctx, func(tx *store.Tx) error {
		is, err := tx.User(u.ID)
		if errors.Is(err, store.ErrNotFound) || err == nil && is.Password != u.Password {
			return ErrSignIn
		}
		return errors.Join(err, tx.DropExpired(now), begin(tx), tx.SignedIn(u.ID, now), tx.AppendAudit(&e))
	})
	if err != nil {
		return Tokens{}, err
	}
	return t, nil
}

// newSession makes what a session of the account shows, and what keeps it in
// the store.
func (g *Gate) newSession(u store.User) (Tokens, func(*store.Tx) error, error) {
	now := g.now()
	s := store.Session{ID: uuid.NewString(), User: u.ID, CreatedAt: now, ExpiresAt: now.Add(sessionLife)}
	t, r, err := g.tokens(&s, u)
	return t, func(tx *store.Tx) error { return errors.Join(tx.InsertSession(&s), tx.InsertRefresh(&r)) }, err
}

// tokens makes what a session shows, and the record of the refresh token.
func (g *Gate) tokens(s *store.Session, u store.User) (Tokens, store.Refresh, error) {
	t := Tokens{Refresh: "strr_" + rand.Text() + rand.Text(), ExpiresAt: s.ExpiresAt, User: u}
	var err error
	t.Access, err = jwt.NewWithClaims(jwt.SigningMethodHS256, claims{Email: u.Email, Admin: u.Admin,
		RegisteredClaims: jwt.RegisteredClaims{ID: s.ID, Subject: u.ID, Issuer: g.issuer, Audience: jwt.ClaimStrings{sessionAudience},
			IssuedAt: jwt.NewNumericDate(g.now()), ExpiresAt: jwt.NewNumericDate(s.ExpiresAt)}}).SignedString(g.signing)
	return t, store.Refresh{Hash: g.refreshHash(t.Refresh), Session: s.ID, ExpiresAt: s.ExpiresAt}, err
}

// claims are what a token says. Only the session's id and the user's are
// believed; the rest is for whoever shows it.
type claims struct {
	Email string `json:"email"`
	Admin bool   `json:"is_admin"`
	jwt.RegisteredClaims
}

func (g *Gate) refreshHash(token string) []byte {
	mac := hmac.New(sha256.New, g.refreshing)
	mac.Write([]byte(token))
	return mac.Sum(nil)
}

func (g *Gate) byToken(ctx context.Context, bearer string, p Principal) (Principal, error) {
	now := g.now()
	var c claims
	_, err := jwt.ParseWithClaims(bearer, &c, func(*jwt.Token) (any, error) { return g.signing, nil },
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}), jwt.WithIssuer(g.issuer), jwt.WithAudience(sessionAudience),
		jwt.WithExpirationRequired(), jwt.WithTimeFunc(func() time.Time { return now }))
	if err != nil {
		return g.refuseToken(ctx, p)
	}
	var s store.Session
	var u store.User
	err = g.store.View(ctx, func(tx *store.Tx) error {
		if s, err = tx.Session(c.ID); err != nil {
			return err
		}
		u, err = tx.User(s.User)
		return err
	})
	if err == nil && p.Door == MCP && !s.MCP {
		err = g.store.Update(ctx, func(tx *store.Tx) error { return tx.MarkMCP(s.ID) })
		s.MCP = true
	}
	switch {
	case errors.Is(err, store.ErrNotFound), errors.Is(err, store.ErrConflict):
		return g.refuseToken(ctx, p)
	case err != nil:
		return Principal{}, err
	}
	p.is(u)
	if s.User != c.Subject || !now.Before(s.ExpiresAt) {
		return g.refuseToken(ctx, p)
	}
	p.Via, p.SessionID, p.UsedOnMCP = Session, s.ID, s.MCP
	return p, nil
}

// refuseToken is not bounded by the address: a token cannot be guessed, and a
// page whose session ended must learn that it did.
func (g *Gate) refuseToken(ctx context.Context, p Principal) (Principal, error) {
	if _, err := g.refuse(ctx, p, ErrToken); err != nil {
		return Principal{}, err
	}
	return Principal{}, ErrToken
}

// Refresh prolongs a session and gives new tokens for it. A refresh token
// works once: one that comes a second time was stolen from one side or the
// other, and ends the session.
func (g *Gate) Refresh(ctx context.Context, token, addr string) (Tokens, error) {
	now := g.now()
	p := Principal{Door: REST, Addr: addr}
	if wait := g.limit.spent(now, wrong(addr)); wait > 0 {
		return Tokens{}, tooMany(wait)
	}
	hash := g.refreshHash(token)
	var r store.Refresh
	var s store.Session
	var u store.User
	err := g.store.View(ctx, func(tx *store.Tx) (err error) {
		if r, err = tx.Refresh(hash); err != nil {
			return err
		}
		if s, err = tx.Session(r.Session); err != nil {
			return err
		}
		u, err = tx.User(s.User)
		return err
	})
	if errors.Is(err, store.ErrNotFound) || err == nil && !now.Before(r.ExpiresAt) {
		return Tokens{}, g.refuseKey(ctx, p, ErrToken)
	}
	if err != nil {
		return Tokens{}, err
	}
	p.is(u)
	s.ExpiresAt = now.Add(sessionLife)
	t, next, err := g.tokens(&s, u)
	if err != nil {
		return Tokens{}, err
	}
	e := p.Entry(now, "refresh", "ok")
	err = g.store.Update(ctx, func(tx *store.Tx) error {
		if err := tx.UseRefresh(hash, now); err != nil {
			return errors.Join(err, errReused)
		}
		return errors.Join(tx.ProlongSession(s.ID, s.ExpiresAt), tx.InsertRefresh(&next), tx.AppendAudit(&e))
	})
	switch {
	case errors.Is(err, store.ErrConflict) && errors.Is(err, errReused):
		return Tokens{}, g.stolen(ctx, p, s.ID)
	case errors.Is(err, store.ErrConflict):
		return Tokens{}, ErrToken // the session ended meanwhile
	case err != nil:
		return Tokens{}, err
	}
	return t, nil
}

var errReused = errors.New("the refresh token cannot be used")

// stolen ends a session of which a refresh token came twice.
func (g *Gate) stolen(ctx context.Context, p Principal, session string) error {
	e := p.Entry(g.now(), "sign-out", "a refresh token was used twice")
	err := g.store.Update(ctx, func(tx *store.Tx) error {
		if err := tx.DeleteSession(session); err != nil && !errors.Is(err, store.ErrConflict) {
			return err
		}
		return tx.AppendAudit(&e)
	})
	if err != nil {
		return err
	}
	return ErrToken
}

// SignOut ends the caller's session; its tokens are worth nothing at once.
func (g *Gate) SignOut(ctx context.Context) error {
	p := From(ctx)
	if p.Via != Session {
		return invalid("only a session can be signed out of")
	}
	err := g.record(ctx, "sign-out", nil, func(tx *store.Tx) error { return tx.DeleteSession(p.SessionID) })
	if errors.Is(err, store.ErrConflict) {
		return nil // it had ended
	}
	return err
}

// cut bounds a name that a stranger chose.
func cut(s string) string { return s[:min(len(s), maxEmail)] }
