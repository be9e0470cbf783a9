package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/url"
	"regexp"
	"strings"

	"stroem/store"
)

// maxState bounds what a client has sent back to it, in bytes.
const maxState = 2048

// What PKCE's two halves look like (RFC 7636, 4.1 and 4.2).
var (
	verifierForm  = regexp.MustCompile(`^[A-Za-z0-9._~-]{43,128}$`)
	challengeForm = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)
)

func verifies(verifier, challenge string) bool {
	sum := sha256.Sum256([]byte(verifier))
	return verifierForm.MatchString(verifier) &&
		subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(sum[:])), []byte(challenge)) == 1
}

// Ask is what a client asks a person for, checked: to act for them.
type Ask struct {
	Client    store.Client
	Redirect  string // where the person is sent back to, with the answer
	State     string // what the client knows its request again by
	Challenge string
}

// Ask checks what a client asks for. Until its id and where to send people back
// to are known to belong together, what is wrong is for the person alone
// (*Error): nobody is redirected to a stranger's address. After that it is for
// the client (*Refusal), and the Ask says where to.
func (g *Gate) Ask(ctx context.Context, given url.Values) (*Ask, error) {
	if g.resource == "" {
		return nil, &Error{Code: NotFound, Msg: "this server gives remote agents no access: that needs auth.base_url"}
	}
	if len(given["client_id"]) != 1 || len(given["redirect_uri"]) != 1 {
		return nil, invalid("the program that sent you here did not say who it is (client_id), or where to go back to (redirect_uri)")
	}
	c, err := g.client(ctx, given.Get("client_id"))
	if err != nil {
		return nil, err
	}
	a := &Ask{Client: c, Redirect: given.Get("redirect_uri")}
	if !redirectIn(c.Redirects, a.Redirect) {
		return nil, invalid("the program that sent you here wants you back at an address (redirect_uri) that is not one of its own")
	}
	if states := given["state"]; len(states) == 1 {
		a.State = states[0]
	}
	p, err := parameters(given)
	if err != nil {
		return a, err
	}
	a.Challenge = p["code_challenge"]
	return a, g.checkAsk(p)
}

// checkAsk refuses what is not asked for in the one way that is safe. A client
// that names no resource is an older one; there is only this one here, and what
// it gets is good for nothing else.
func (g *Gate) checkAsk(p map[string]string) error {
	resource, named := p["resource"]
	switch {
	case p["response_type"] == "":
		return refusal("invalid_request", "response_type is missing; it is code")
	case p["response_type"] != "code":
		return refusal("unsupported_response_type", "the response_type here is code")
	case p["response_mode"] != "" && p["response_mode"] != "query":
		return refusal("invalid_request", "the response_mode here is query")
	case p["request"] != "":
		return refusal("request_not_supported", "a request is made of single parameters here")
	case p["request_uri"] != "":
		return refusal("request_uri_not_supported", "a request is made of single parameters here")
	case p["code_challenge"] == "":
		return refusal("invalid_request", "code_challenge is missing: PKCE is required")
	case p["code_challenge_method"] != "S256":
		return refusal("invalid_request", "the code_challenge_method here is S256")
	case !challengeForm.MatchString(p["code_challenge"]):
		return refusal("invalid_request", "code_challenge is not the base64url of a SHA-256")
	case len(p["state"]) > maxState:
		return refusal("invalid_request", "state is longer than %d bytes", maxState)
	case named && resource != g.resource:
		return refusal("invalid_target", "the resource here is %s", g.resource)
	}
	return checkScope(p["scope"])
}

func checkScope(scope string) error {
	for _, s := range strings.Fields(scope) {
		if s != Scope {
			return refusal("invalid_scope", "the scope here is %s", Scope)
		}
	}
	return nil
}

// Refused is where to send the person with a refusal of what was asked.
func (g *Gate) Refused(a *Ask, why *Refusal) (redirect string) {
	return g.answer(a, url.Values{"error": {why.Name}, "error_description": {why.Msg}})
}

// Denied is the refusal of a person who said no.
func Denied() *Refusal { return refusal("access_denied", "the person said no") }

// answer is where to send the person with an answer: where the client asked
// for, with what it knows its request again by, and with who answers, so that
// it cannot take us for another (RFC 9207).
func (g *Gate) answer(a *Ask, said url.Values) (redirect string) {
	said.Set("iss", g.issuer)
	if a.State != "" {
		said.Set("state", a.State)
	}
	mark := "?"
	if strings.Contains(a.Redirect, "?") {
		mark = "&"
	}
	return a.Redirect + mark + said.Encode()
}

// ConsentByPassword gives the client what it asks for, from whoever knows the
// account's password. It is SignIn in all that is refused.
func (g *Gate) ConsentByPassword(ctx context.Context, a *Ask, email, password string) (redirect string, err error) {
	p := Principal{Door: REST, Addr: From(ctx).Addr}
	u, err := g.checkedPassword(ctx, p, strings.ToLower(strings.TrimSpace(email)), password)
	if err != nil {
		return "", err
	}
	p.is(u)
	return g.consent(ctx, p, a, func(tx *store.Tx) error {
		is, err := tx.User(u.ID)
		if errors.Is(err, store.ErrNotFound) || err == nil && is.Password != u.Password {
			return ErrSignIn
		}
		return errors.Join(err, tx.SignedIn(u.ID, g.now()))
	})
}

// Consent gives the client what it asks for, from the caller, who has signed
// in as a person.
func (g *Gate) Consent(ctx context.Context, a *Ask) (redirect string, err error) {
	if err := g.MayConsent(ctx); err != nil {
		return "", err
	}
	who := From(ctx)
	return g.consent(ctx, who, a, func(tx *store.Tx) error {
		_, err := tx.Session(who.SessionID)
		if errors.Is(err, store.ErrNotFound) {
			return ErrToken
		}
		return err
	})
}

// MayConsent is nil where the caller may give programs access: a person who
// signed in.
func (g *Gate) MayConsent(ctx context.Context) error {
	who := From(ctx)
	may := who.signedInPerson()
	if may == nil && who.Via != Session {
		may = forbidden("access is given by a person who signed in")
	}
	return g.require(ctx, "oauth.grant", may)
}

// consent makes the grant and its code, while the account is still as still
// says.
func (g *Gate) consent(ctx context.Context, p Principal, a *Ask, still func(*store.Tx) error) (redirect string, err error) {
	now := g.now()
	code := codeMark + rand.Text() + rand.Text()
	id := make([]byte, 8)
	rand.Read(id) //nolint:errcheck // it never fails (crypto/rand)
	gr := store.Grant{ID: hex.EncodeToString(id), User: p.UserID, Client: a.Client.ID, Name: a.Client.Name, Resource: g.resource,
		Redirect: a.Redirect, Code: digest(code), Challenge: a.Challenge, CreatedAt: now, ExpiresAt: now.Add(codeLife)}
	e := p.Entry(now, "oauth.grant", "ok")
	host, _ := RedirectHost(a.Redirect)
	e.Detail, err = json.Marshal(map[string]string{"grant": gr.ID, "client": gr.Client, "client_name": gr.Name, "redirect_host": host})
	if err != nil {
		return "", err
	}
	err = g.store.Update(ctx, func(tx *store.Tx) error {
		if err := still(tx); err != nil {
			return err
		}
		return errors.Join(tx.DropExpired(now), tx.InsertGrant(&gr), tx.AppendAudit(&e))
	})
	if err != nil {
		return "", err
	}
	return g.answer(a, url.Values{"code": {code}}), nil
}
