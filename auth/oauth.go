package auth

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"stroem/store"
)

// How long what OAuth gives is good for.
const (
	codeLife   = time.Minute
	accessLife = time.Hour
	grantLife  = 30 * 24 * time.Hour // since its last refresh
)

// What the secrets of OAuth begin with. Each is looked for in its own place,
// so that none passes for another, nor for a key or a session's token.
const (
	codeMark    = "stroc_"
	accessMark  = "stroa_"
	renewalMark = "stror_"
)

// Scope is the only one there is: MCP, as the person may use it.
const Scope = "mcp"

// Refusal is an error to which OAuth gives a name.
type Refusal struct {
	Name string // such as invalid_grant
	Msg  string
}

func (r *Refusal) Error() string { return r.Name + ": " + r.Msg }

func refusal(name, format string, args ...any) *Refusal {
	return &Refusal{Name: name, Msg: fmt.Sprintf(format, args...)}
}

// Issuer is where remote agents find who gives them access.
func (g *Gate) Issuer() string { return g.issuer }

// Resource is the one thing that remote agents are given access to, "" where
// they are given none.
func (g *Gate) Resource() string { return g.resource }

// parameters are those of a request, each of which may come once (OAuth 2.1,
// 3.1): which of several counts would be for each program to guess.
func parameters(given url.Values) (map[string]string, error) {
	p := make(map[string]string, len(given))
	for name, values := range given {
		if len(values) != 1 {
			return nil, refusal("invalid_request", "a parameter comes more than once")
		}
		p[name] = values[0]
	}
	return p, nil
}

// digest is how the store keeps a secret that nobody could guess.
func digest(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// byGrant knows the access token of a remote agent. It is good at /mcp alone,
// for what it was given for, and as long as the store still has the grant.
func (g *Gate) byGrant(ctx context.Context, bearer string, p Principal) (Principal, error) {
	if g.resource == "" {
		return g.refuseToken(ctx, p)
	}
	now := g.now()
	var t store.GrantToken
	var gr store.Grant
	var u store.User
	err := g.store.View(ctx, func(tx *store.Tx) (err error) {
		if t, gr, err = tx.GrantToken(digest(bearer)); err != nil {
			return err
		}
		u, err = tx.User(gr.User)
		return err
	})
	switch {
	case errors.Is(err, store.ErrNotFound):
		return g.refuseToken(ctx, p)
	case err != nil:
		return Principal{}, err
	}
	p.is(u)
	p.Via, p.Grant = OAuth, &gr
	if p.Door != MCP || t.Refresh || !now.Before(t.ExpiresAt) || !now.Before(gr.ExpiresAt) || gr.Resource != g.resource {
		return g.refuseToken(ctx, p)
	}
	if now.Sub(gr.LastUsedAt) >= minute {
		g.noteUse(p.Credential(), func(tx *store.Tx) error { return tx.TouchGrant(gr.ID, now) })
	}
	return p, nil
}

// Grants lists the access that an account gave to programs, or that all gave
// with "": one's own, or as an administrator anybody's.
func (g *Gate) Grants(ctx context.Context, user string) (list []store.Grant, err error) {
	who := From(ctx)
	may := who.signedInPerson()
	if may == nil && (user == "" || who.UserID != user) {
		may = who.mayManageUsers()
	}
	if err := g.require(ctx, "oauth.list", may); err != nil {
		return nil, err
	}
	err = g.store.View(ctx, func(tx *store.Tx) error {
		list, err = tx.Grants(user, g.now())
		return err
	})
	return list, err
}

// RevokeGrant takes access away from a program: what one gave oneself, or as an
// administrator what anybody gave.
func (g *Gate) RevokeGrant(ctx context.Context, id string) error {
	who := From(ctx)
	if err := g.require(ctx, "oauth.revoke", who.signedInPerson()); err != nil {
		return err
	}
	detail := map[string]any{"grant": id}
	err := g.record(ctx, "oauth.revoke", detail, func(tx *store.Tx) error {
		gr, err := tx.Grant(id)
		if err != nil {
			return err
		}
		if gr.User != who.UserID && who.mayManageUsers() != nil {
			return store.ErrNotFound
		}
		detail["client"], detail["user"] = gr.Client, gr.Email
		return tx.DeleteGrant(id)
	})
	if errors.Is(err, store.ErrNotFound) {
		return &Error{Code: NotFound, Msg: "no access with this id was given to a program"}
	}
	return err
}

// endGrant takes access away because of how it was used, and writes down why.
func (g *Gate) endGrant(tx *store.Tx, p Principal, why string) error {
	e := p.Entry(g.now(), "oauth.revoke", why)
	e.Detail, _ = json.Marshal(map[string]string{"grant": p.Grant.ID}) //nolint:errcheck // a map of strings
	if err := tx.DeleteGrant(p.Grant.ID); err != nil && !errors.Is(err, store.ErrConflict) {
		return err
	}
	return tx.AppendAudit(&e)
}
