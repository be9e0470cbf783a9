package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"

	"stroem/store"
)

const (
	// clientLife is how long a client is kept that nobody lets in.
	clientLife   = 30 * 24 * time.Hour
	maxClients   = 1000
	maxRedirects = 5
)

// How often a program of one address may make itself known.
const (
	registrationsASecond = 1.0 / 12
	registrationsAtOnce  = 5
)

// Methods are how clients may show that they are themselves.
var Methods = []string{"none", "client_secret_post"}

// GrantTypes are what tokens are given for.
var GrantTypes = []string{"authorization_code", "refresh_token"}

// Metadata is what a program says of itself (RFC 7591, 2). What else it says
// is not looked at.
type Metadata struct {
	Name          string   `json:"client_name"`
	Redirects     []string `json:"redirect_uris"`
	GrantTypes    []string `json:"grant_types"`
	ResponseTypes []string `json:"response_types"`
	Method        string   `json:"token_endpoint_auth_method"`
}

func (m *Metadata) check() error {
	switch {
	case len(m.Redirects) == 0:
		return errors.New("redirect_uris is missing: the addresses to which people are sent back")
	case len(m.GrantTypes) > 0 && !slices.Contains(m.GrantTypes, "authorization_code"):
		return errors.New("grant_types lacks authorization_code, the only way here to be given access")
	case len(m.ResponseTypes) > 0 && !slices.Contains(m.ResponseTypes, "code"):
		return errors.New("response_types lacks code, the only one here")
	}
	return checkName("client_name", m.Name)
}

// Registered is a client as it is told of itself (RFC 7591, 3.2.1). What it
// asked for and does not get, it sees here.
type Registered struct {
	ID            string   `json:"client_id"`
	Secret        string   `json:"client_secret,omitempty"`
	IssuedAt      int64    `json:"client_id_issued_at"`
	SecretEnds    int64    `json:"client_secret_expires_at"` // 0: it does not, once somebody let the client in
	Name          string   `json:"client_name"`
	Redirects     []string `json:"redirect_uris"`
	GrantTypes    []string `json:"grant_types"`
	ResponseTypes []string `json:"response_types"`
	Scope         string   `json:"scope"`
	Method        string   `json:"token_endpoint_auth_method"`
}

// Register makes a program known. That gives it nothing: people do. Errors:
// *Refusal, TooMany.
func (g *Gate) Register(ctx context.Context, m Metadata) (Registered, error) {
	now := g.now()
	if wait := g.registering.take(now, network(From(ctx).Addr)); wait > 0 {
		return Registered{}, tooMany(wait)
	}
	if m.Method == "" {
		m.Method = "none"
	}
	err := m.check()
	switch {
	case err != nil:
	case !slices.Contains(Methods, m.Method):
		err = errors.New("token_endpoint_auth_method is not one of " + strings.Join(Methods, ", "))
	case len(m.Redirects) > maxRedirects:
		err = errors.New("redirect_uris has more than 5")
	}
	for _, r := range m.Redirects {
		if bad := checkRedirect(r); err == nil && bad != nil {
			err = errors.New("one of redirect_uris " + bad.Error())
		}
	}
	if err != nil {
		return Registered{}, refusal("invalid_client_metadata", "%s", err)
	}
	id := make([]byte, 16)
	rand.Read(id) //nolint:errcheck // it never fails (crypto/rand)
	c := store.Client{ID: "mcp_" + hex.EncodeToString(id), Name: m.Name, Redirects: m.Redirects, CreatedAt: now, ExpiresAt: now.Add(clientLife)}
	out := Registered{ID: c.ID, IssuedAt: now.Unix(), Name: m.Name, Redirects: m.Redirects, GrantTypes: GrantTypes,
		ResponseTypes: []string{"code"}, Scope: Scope, Method: m.Method}
	if m.Method == "client_secret_post" {
		out.Secret = rand.Text() + rand.Text()
		c.Secret = digest(out.Secret)
	}
	err = g.store.Update(ctx, func(tx *store.Tx) error {
		return errors.Join(tx.DropExpired(now), tx.InsertClient(&c, maxClients))
	})
	if errors.Is(err, store.ErrConflict) {
		return Registered{}, tooMany(time.Hour) // people use all that may be known
	}
	return out, err
}

// errNoClient is told to people, who cannot mend it.
var errNoClient = invalid("the program that sent you here is not known to this server; take the server out of it and add it again")

// client is the client of that id: one that made itself known, or one whose id
// is the address of its own description.
func (g *Gate) client(ctx context.Context, id string) (c store.Client, err error) {
	if isDocument(id) {
		return g.documents.client(ctx, g.now(), id)
	}
	err = g.store.View(ctx, func(tx *store.Tx) error {
		c, err = tx.Client(id)
		return err
	})
	if errors.Is(err, store.ErrNotFound) || err == nil && !c.ExpiresAt.IsZero() && !g.now().Before(c.ExpiresAt) {
		return c, errNoClient
	}
	return c, err
}

// Client is what a person who signed in is told of a program that asks for
// access.
func (g *Gate) Client(ctx context.Context, id string) (c store.Client, err error) {
	if err := g.require(ctx, "oauth.client", From(ctx).signedInPerson()); err != nil {
		return c, err
	}
	if c, err = g.client(ctx, id); errors.Is(err, errNoClient) {
		err = &Error{Code: NotFound, Msg: "no such client"}
	}
	return c, err
}

// authentic is nil where the secret is that of the client, or neither has one.
// A wrong one is treated like a wrong key: it is written down, and an address
// that shows too much of the kind is not listened to, but for secrets that were
// right before. Errors: *Refusal, TooMany.
func (g *Gate) authentic(ctx context.Context, c store.Client, secret string) error {
	if len(c.Secret) == 0 && secret == "" {
		return nil
	}
	who := Principal{Door: REST, Addr: From(ctx).Addr}
	sum := sha256.Sum256([]byte(c.ID + " " + secret))
	if wait := g.limit.spent(g.now(), wrong(who.Addr)); wait > 0 && !g.wasGood(sum) {
		return tooMany(wait)
	}
	if len(c.Secret) > 0 && subtle.ConstantTimeCompare(c.Secret, digest(secret)) == 1 {
		g.setGood(sum)
		return nil
	}
	why := &Error{Code: Unauthenticated, Msg: "client_secret is not the client's"}
	if !isDocument(c.ID) { // else it is a stranger's text
		who.Grant = &store.Grant{Client: c.ID}
	}
	switch wait, err := g.refuse(ctx, who, why); {
	case err != nil:
		return err
	case wait > 0:
		return tooMany(wait)
	}
	return refusal("invalid_client", "%s", why.Msg)
}
