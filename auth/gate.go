package auth

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"stroem/store"
)

// MinSecret is how long a signing secret must be, in characters.
const MinSecret = 32

// How many tries a minute are looked at.
const (
	accountTries = 20 // sign-ins to one account from one address
	addressTries = 60 // sign-ins from one address
	wrongTries   = 20 // credentials of one address that are refused
)

// How often a credential may call at /mcp: agents that work are far from it,
// one that runs wild is kept from the others' share of the server.
const (
	callsASecond = 200
	callsAtOnce  = 2000
)

// Config is what a Gate is made of. A secret that is empty is made once and
// kept in the data folder.
type Config struct {
	Store         *store.Store
	Issuer        string // of tokens; "" is stroem
	OAuth         bool   // people may give remote agents access; Issuer is then where those reach the server, by https
	Documents     Documents
	JWTSecret     string // at least 32 characters
	RefreshSecret string // likewise
	Now           func() time.Time
	Log           *slog.Logger
}

// Gate tells who calls, and keeps accounts, sessions and keys. Its methods
// may be called at the same time.
type Gate struct {
	store      *store.Store
	log        *slog.Logger
	now        func() time.Time
	issuer     string
	resource   string
	signing    []byte
	refreshing []byte

	hashing hashing
	limit   *limiter
	calls   *meter
	used    chan use

	registering *meter
	documents   *documents

	mu   sync.Mutex
	good map[[sha256.Size]byte]struct{} // hashes of keys that were right, at most maxWatched
}

// New makes the gate.
func New(c Config) (*Gate, error) {
	g := &Gate{store: c.Store, log: c.Log, now: c.Now, issuer: c.Issuer, hashing: newHashing(), limit: newLimiter(),
		calls: newMeter(callsASecond, callsAtOnce), used: make(chan use, 256), good: map[[sha256.Size]byte]struct{}{},
		registering: newMeter(registrationsASecond, registrationsAtOnce), documents: newDocuments(c.Documents)}
	switch {
	case c.OAuth && c.Issuer == "":
		return nil, errors.New("remote agents need to know where the server is: set auth.base_url")
	case c.OAuth:
		g.resource = c.Issuer + "/mcp"
	case c.Issuer == "":
		g.issuer = "stroem"
	}
	if g.now == nil {
		g.now = time.Now
	}
	if g.log == nil {
		g.log = slog.Default()
	}
	for _, s := range []struct {
		key    *[]byte
		given  string
		name   string
		stored string
	}{
		{&g.signing, c.JWTSecret, "auth.jwt_secret", "sessions"},
		{&g.refreshing, c.RefreshSecret, "auth.refresh_secret", "refresh"},
	} {
		*s.key = []byte(s.given)
		switch {
		case s.given == "":
			var err error
			if *s.key, err = c.Store.Key(s.stored); err != nil {
				return nil, err
			}
		case len(s.given) < MinSecret:
			return nil, fmt.Errorf("%s is shorter than %d characters; write a longer one, or none to have it made", s.name, MinSecret)
		}
	}
	return g, nil
}

// use says that a credential was used.
type use struct {
	credential string
	mark       func(*store.Tx) error
}

// Run writes down when credentials were last used, until ctx ends.
func (g *Gate) Run(ctx context.Context) error {
	for {
		select {
		case u := <-g.used:
			g.touch(u)
		case <-ctx.Done():
			for {
				select {
				case u := <-g.used:
					g.touch(u)
				default:
					return nil
				}
			}
		}
	}
}

func (g *Gate) touch(u use) {
	if err := g.store.Update(context.Background(), u.mark); err != nil {
		g.log.Error("record the use of a credential", "credential", u.credential, "err", err)
	}
}

// noteUse has Run write down that a credential was used. Where it cannot keep
// up, the next call of the credential does.
func (g *Gate) noteUse(credential string, mark func(*store.Tx) error) {
	select {
	case g.used <- use{credential, mark}:
	default:
	}
}

// Identify tells whose credential it is, a key, a session's token or a remote
// agent's, that came in by a door from an address. It asks the store each time, so that what
// is revoked, changed or deleted counts from the next call on.
func (g *Gate) Identify(ctx context.Context, bearer string, door Door, addr string) (Principal, error) {
	if bearer == "" {
		return Principal{}, ErrNoCredential
	}
	by := g.byToken
	switch {
	case strings.HasPrefix(bearer, keyMark):
		by = g.byKey
	case strings.HasPrefix(bearer, accessMark):
		by = g.byGrant
	}
	p, err := by(ctx, bearer, Principal{Door: door, Addr: addr})
	if err != nil || door != MCP {
		return p, err
	}
	if wait := g.calls.take(g.now(), p.Credential()); wait > 0 {
		return Principal{}, tooMany(wait)
	}
	return p, nil
}

// Still is a caller as the store knows them now, for what goes on after the
// call that Identify looked at. Whoever showed a credential that is worth
// nothing any more is not known.
func (g *Gate) Still(ctx context.Context, p Principal) (Principal, error) {
	var k store.APIKey
	var s store.Session
	var u store.User
	err := g.store.View(ctx, func(tx *store.Tx) (err error) {
		switch p.Via {
		case Key:
			k, err = tx.Key(p.Key.Prefix)
			s.User, s.ExpiresAt = k.User, k.ExpiresAt
		case Session:
			s, err = tx.Session(p.SessionID)
		default:
			return store.ErrNotFound
		}
		if err == nil {
			u, err = tx.User(s.User)
		}
		return err
	})
	switch {
	case errors.Is(err, store.ErrNotFound):
		return Principal{}, ErrToken
	case err != nil:
		return Principal{}, err
	case !s.ExpiresAt.IsZero() && !g.now().Before(s.ExpiresAt), p.Via == Key && !bytes.Equal(k.Hash, p.Key.Hash):
		return Principal{}, ErrToken
	}
	if p.is(u); p.Via == Key {
		p.Key = &k
	}
	return p, nil
}

func (g *Gate) byKey(ctx context.Context, bearer string, p Principal) (Principal, error) {
	now := g.now()
	sum := sha256.Sum256([]byte(bearer))
	// An address that shows wrong keys is not listened to, but for the keys
	// that were right before: a stale key must not lock its neighbours out.
	if wait := g.limit.spent(now, wrong(p.Addr)); wait > 0 && !g.wasGood(sum) {
		return Principal{}, tooMany(wait)
	}
	k, u, err := g.lookUp(ctx, sum)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return Principal{}, g.refuseKey(ctx, p, ErrKey)
	case err != nil:
		return Principal{}, err
	}
	p.Via, p.Key = Key, &k
	p.is(u)
	switch {
	case !k.ExpiresAt.IsZero() && !now.Before(k.ExpiresAt):
		return Principal{}, g.refuseKey(ctx, p, ErrKeyExpired)
	case k.MCPOnly && p.Door != MCP:
		return Principal{}, g.refuseKey(ctx, p, forbidden("this key works at /mcp only"))
	}
	g.setGood(sum)
	if now.Sub(k.LastUsedAt) >= minute {
		g.noteUse(p.Credential(), func(tx *store.Tx) error { return tx.TouchKey(k.Prefix, now) })
	}
	return p, nil
}

// lookUp finds a key by its hash. What the time of that tells is about the
// hash, which nobody can choose.
func (g *Gate) lookUp(ctx context.Context, sum [sha256.Size]byte) (k store.APIKey, u store.User, err error) {
	err = g.store.View(ctx, func(tx *store.Tx) error {
		if k, err = tx.KeyByHash(sum[:]); err != nil {
			return err
		}
		if subtle.ConstantTimeCompare(k.Hash, sum[:]) != 1 {
			return store.ErrNotFound
		}
		u, err = tx.User(k.User)
		return err
	})
	return k, u, err
}

func (g *Gate) refuseKey(ctx context.Context, p Principal, why *Error) error {
	wait, err := g.refuse(ctx, p, why)
	switch {
	case err != nil:
		return err
	case wait > 0:
		return tooMany(wait)
	}
	return why
}

// refuse writes down that a credential was refused, as long as its address
// does not show too many: each record costs a write to the disk. wait is how
// long that will be.
func (g *Gate) refuse(ctx context.Context, p Principal, why *Error) (wait time.Duration, err error) {
	now := g.now()
	e := p.Entry(now, "refuse", why.Msg)
	wait, first := g.limit.take(now, wrong(p.Addr))
	if wait > 0 {
		if !first {
			return wait, nil
		}
		e.Result = tooMany(wait).Msg
	}
	return wait, g.store.Update(ctx, func(tx *store.Tx) error { return tx.AppendAudit(&e) })
}

func wrong(addr string) quota { return quota{"wrong " + network(addr), wrongTries} }

func tooMany(wait time.Duration) *Error {
	return &Error{Code: TooMany, Msg: "Too many requests", RetryAfter: wait}
}

func (g *Gate) wasGood(sum [sha256.Size]byte) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	_, ok := g.good[sum]
	return ok
}

func (g *Gate) setGood(sum [sha256.Size]byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.good) >= maxWatched {
		clear(g.good)
	}
	g.good[sum] = struct{}{}
}

// is makes the principal that user.
func (p *Principal) is(u store.User) {
	p.UserID, p.Email, p.Name, p.Admin, p.Groups = u.ID, u.Email, u.Name, u.Admin, u.Groups
}

// record makes a change and writes down in the same transaction that the
// caller made it. change may add to the detail.
func (g *Gate) record(ctx context.Context, action string, detail map[string]any, change func(*store.Tx) error) error {
	e := From(ctx).Entry(g.now(), action, "ok")
	return g.store.Update(ctx, func(tx *store.Tx) (err error) {
		if err := change(tx); err != nil {
			return err
		}
		if detail != nil {
			if e.Detail, err = json.Marshal(detail); err != nil {
				return err
			}
		}
		return tx.AppendAudit(&e)
	})
}

// require writes down that the caller was refused, where there is a reason to.
func (g *Gate) require(ctx context.Context, action string, reason error) error {
	var why *Error
	if !errors.As(reason, &why) {
		return reason
	}
	who := From(ctx)
	e := who.Entry(g.now(), "refuse", why.Msg)
	e.Detail, _ = json.Marshal(map[string]string{"action": action}) //nolint:errcheck // a map of strings
	if wait, _ := g.limit.take(g.now(), quota{"forbidden " + who.Credential(), wrongTries}); wait > 0 {
		return why
	}
	if err := g.store.Update(ctx, func(tx *store.Tx) error { return tx.AppendAudit(&e) }); err != nil {
		return err
	}
	return why
}
