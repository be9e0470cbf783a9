package auth

import (
	"context"
	"crypto/rand"
	"errors"
	"net/url"
	"strings"
	"time"

	"stroem/store"
)

// issues is how often a grant is asked for tokens in a minute.
const issues = 20

// Issued is what a client gets for a code or a refresh token.
type Issued struct {
	Access  string `json:"access_token"`
	Type    string `json:"token_type"`
	Expires int    `json:"expires_in"` // seconds
	Refresh string `json:"refresh_token"`
	Scope   string `json:"scope"`
}

// Exchange gives a client tokens for what it shows. Errors: *Refusal, TooMany.
func (g *Gate) Exchange(ctx context.Context, given url.Values) (Issued, error) {
	p, c, err := g.clientRequest(ctx, given)
	if err != nil {
		return Issued{}, err
	}
	if resource, named := p["resource"]; named && resource != g.resource {
		return Issued{}, refusal("invalid_target", "the resource here is %s", g.resource)
	}
	switch p["grant_type"] {
	case "authorization_code":
		return g.exchangeCode(ctx, p, c)
	case "refresh_token":
		return g.renew(ctx, p, c)
	case "":
		return Issued{}, refusal("invalid_request", "grant_type is missing")
	}
	return Issued{}, refusal("unsupported_grant_type", "the grant_type here is %s", strings.Join(GrantTypes, " or "))
}

// clientRequest is a request of a client that shows that it is that client. One
// with a description needs no secret and has none; nobody is asked for that
// here, where only what was given to it counts.
func (g *Gate) clientRequest(ctx context.Context, given url.Values) (p map[string]string, c store.Client, err error) {
	if p, err = parameters(given); err != nil {
		return nil, c, err
	}
	switch id := p["client_id"]; {
	case id == "":
		return nil, c, refusal("invalid_client", "client_id is missing")
	case isDocument(id):
		c.ID = id
	default:
		if c, err = g.client(ctx, id); errors.Is(err, errNoClient) {
			return nil, c, refusal("invalid_client", "no such client")
		}
	}
	if err == nil {
		err = g.authentic(ctx, c, p["client_secret"])
	}
	return p, c, err
}

// exchangeCode gives the first tokens of a grant. A code is good for one
// exchange that is right; whatever else is done with it ends the grant: it was
// seen by somebody whom it is not for.
func (g *Gate) exchangeCode(ctx context.Context, p map[string]string, c store.Client) (Issued, error) {
	for _, name := range []string{"code", "redirect_uri", "code_verifier"} {
		if p[name] == "" {
			return Issued{}, refusal("invalid_request", "%s is missing", name)
		}
	}
	hash := digest(p["code"])
	by := func(tx *store.Tx) (store.Grant, error) { return tx.GrantByCode(hash) }
	return g.issue(ctx, "oauth.token", by, func(tx *store.Tx, gr *store.Grant) (why string, err error) {
		now := g.now()
		switch {
		case !gr.ExchangedAt.IsZero():
			return "the code was used twice", nil
		case !now.Before(gr.ExpiresAt):
			return "the code is too old", nil
		case gr.Client != c.ID:
			return "the code was shown by another client", nil
		case gr.Redirect != p["redirect_uri"]:
			return "the code was shown with another redirect_uri", nil
		case gr.Resource != g.resource:
			return "the code is for another resource", nil
		case !verifies(p["code_verifier"], gr.Challenge):
			return "the code was shown with a wrong code_verifier", nil
		}
		return "", tx.ExchangeCode(gr, now)
	})
}

// renew gives new tokens for a refresh token, which is good for that once: one
// that comes a second time was stolen from one side or the other, and ends the
// grant.
func (g *Gate) renew(ctx context.Context, p map[string]string, c store.Client) (Issued, error) {
	if p["refresh_token"] == "" {
		return Issued{}, refusal("invalid_request", "refresh_token is missing")
	}
	if err := checkScope(p["scope"]); err != nil {
		return Issued{}, err
	}
	hash := digest(p["refresh_token"])
	by := func(tx *store.Tx) (store.Grant, error) {
		t, gr, err := tx.GrantToken(hash)
		if err == nil && (!t.Refresh || !g.now().Before(t.ExpiresAt) || gr.Client != c.ID || gr.Resource != g.resource) {
			err = store.ErrNotFound
		}
		return gr, err
	}
	return g.issue(ctx, "oauth.refresh", by, func(tx *store.Tx, _ *store.Grant) (why string, err error) {
		if err = tx.UseGrantToken(hash, g.now()); errors.Is(err, store.ErrConflict) {
			return "a refresh token was used twice", nil
		}
		return "", err
	})
}

// issue gives new tokens of the grant that by finds, once spend has spent what
// was shown for them. Where spend says why not, the grant ends.
func (g *Gate) issue(ctx context.Context, action string, by func(*store.Tx) (store.Grant, error),
	spend func(*store.Tx, *store.Grant) (why string, err error)) (Issued, error) {
	const gone = "what was shown is not, or no longer, good"
	now := g.now()
	who := Principal{Door: REST, Addr: From(ctx).Addr}
	var gr store.Grant
	err := g.store.View(ctx, func(tx *store.Tx) (err error) {
		gr, err = by(tx)
		return err
	})
	switch {
	case errors.Is(err, store.ErrNotFound):
		if _, err := g.refuse(ctx, who, ErrToken); err != nil {
			return Issued{}, err
		}
		return Issued{}, refusal("invalid_grant", gone)
	case err != nil:
		return Issued{}, err
	}
	if wait, _ := g.limit.take(now, quota{"issue " + gr.ID, issues}); wait > 0 {
		return Issued{}, tooMany(wait)
	}
	out, keep := newTokens(gr.ID, now)
	var why string
	err = g.store.Update(ctx, func(tx *store.Tx) (err error) {
		why = ""
		if gr, err = by(tx); errors.Is(err, store.ErrNotFound) { // it ended meanwhile
			why = gone
			return nil
		} else if err != nil {
			return err
		}
		u, err := tx.User(gr.User)
		if err != nil {
			return err
		}
		who.is(u)
		who.Via, who.Grant = OAuth, &gr
		if why, err = spend(tx, &gr); err != nil {
			return err
		}
		if why != "" {
			return g.endGrant(tx, who, why)
		}
		e := who.Entry(now, action, "ok")
		return errors.Join(tx.ProlongGrant(gr.ID, now.Add(grantLife)), tx.DropExpired(now), keep(tx), tx.AppendAudit(&e))
	})
	switch {
	case err != nil:
		return Issued{}, err
	case why != "":
		return Issued{}, refusal("invalid_grant", "%s", why)
	}
	return out, nil
}

// newTokens makes what a client gets, and what keeps it in the store.
func newTokens(grant string, now time.Time) (Issued, func(*store.Tx) error) {
	out := Issued{Access: accessMark + rand.Text() + rand.Text(), Type: "Bearer", Expires: int(accessLife.Seconds()),
		Refresh: renewalMark + rand.Text() + rand.Text(), Scope: Scope}
	return out, func(tx *store.Tx) error {
		return errors.Join(
			tx.InsertGrantToken(&store.GrantToken{Hash: digest(out.Access), Grant: grant, ExpiresAt: now.Add(accessLife)}),
			tx.InsertGrantToken(&store.GrantToken{Hash: digest(out.Refresh), Grant: grant, Refresh: true, ExpiresAt: now.Add(grantLife)}))
	}
}

// Disown ends the grant of which a client shows a token (RFC 7009). A token
// that is none, or not this client's, is as ended as it can be.
func (g *Gate) Disown(ctx context.Context, given url.Values) error {
	p, c, err := g.clientRequest(ctx, given)
	if err != nil {
		return err
	}
	if p["token"] == "" {
		return refusal("invalid_request", "token is missing")
	}
	var gr store.Grant
	var u store.User
	err = g.store.View(ctx, func(tx *store.Tx) (err error) {
		if _, gr, err = tx.GrantToken(digest(p["token"])); err != nil {
			return err
		}
		u, err = tx.User(gr.User)
		return err
	})
	if errors.Is(err, store.ErrNotFound) || err == nil && gr.Client != c.ID {
		return nil
	}
	if err != nil {
		return err
	}
	who := Principal{Via: OAuth, Grant: &gr, Door: REST, Addr: From(ctx).Addr}
	who.is(u)
	return g.store.Update(ctx, func(tx *store.Tx) error { return g.endGrant(tx, who, "ok") })
}
