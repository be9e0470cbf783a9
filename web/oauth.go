package web

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"stroem/auth"
	"stroem/store"
)

// oauthOn reports whether people may give remote agents access.
func (cfg Config) oauthOn() bool {
	return cfg.Gate != nil && cfg.MCP != nil && cfg.Gate.Resource() != ""
}

// wellKnown is where remote agents look for who gives them access.
const wellKnown = "/.well-known/oauth-"

// oauth registers what remote agents ask for, and the page on which people
// answer. Where it is off, there is none of it.
func (s *site) oauth(mux *http.ServeMux) {
	if !s.cfg.oauthOn() {
		return
	}
	mux.HandleFunc("GET /.well-known/oauth-protected-resource", s.resourceMetadata)
	mux.HandleFunc("GET /.well-known/oauth-protected-resource/{at...}", s.resourceMetadata)
	mux.HandleFunc("GET /.well-known/oauth-authorization-server", s.serverMetadata)
	mux.HandleFunc("GET /.well-known/oauth-authorization-server/{at...}", s.serverMetadata)
	mux.HandleFunc("POST /oauth/register", s.register)
	mux.HandleFunc("GET /oauth/authorize", s.askConsent)
	mux.HandleFunc("POST /oauth/authorize", s.takeConsent)
	mux.HandleFunc("POST /oauth/token", s.token)
	mux.HandleFunc("POST /oauth/revoke", s.disown)
}

// oauthRoutes registers what people do about remote agents who have signed in.
func (s *site) oauthRoutes(api huma.API) {
	authRoute(s, api, "oauth-client", http.MethodGet, "/api/oauth/clients/{client}", "What a program says of itself that asks for access", s.oauthClient)
	authRoute(s, api, "consent", http.MethodPost, "/api/oauth/consent", "Give a program the access it asks for", s.consent)
	authRoute(s, api, "grants", http.MethodGet, "/api/oauth/grants", "List the access that one gave to programs; an administrator sees everybody's", s.grants)
	authRoute(s, api, "revoke-grant", http.MethodDelete, "/api/oauth/grants/{grant}", "Take access away from a program", s.revokeGrant)
}

// base is the path at which a proxy serves us, without slashes around it.
func (s *site) base() string {
	u, err := url.Parse(s.cfg.Gate.Issuer())
	if err != nil {
		return ""
	}
	return strings.Trim(u.Path, "/")
}

// resourceMetadata says who gives access to MCP (RFC 9728), at the root and
// where the resource's path puts it.
func (s *site) resourceMetadata(w http.ResponseWriter, r *http.Request) {
	switch r.PathValue("at") {
	case "", "mcp", strings.Trim(s.base()+"/mcp", "/"):
	default:
		writeError(w, http.StatusNotFound, "there is nothing at this address")
		return
	}
	issuer := s.cfg.Gate.Issuer()
	writeJSON(w, http.StatusOK, object{
		"resource": s.cfg.Gate.Resource(), "authorization_servers": []string{issuer}, "scopes_supported": []string{auth.Scope},
		"bearer_methods_supported": []string{"header"}, "resource_name": "Strøm MCP", "resource_documentation": issuer + "/llms.txt",
	})
}

// serverMetadata says how access is asked for (RFC 8414).
func (s *site) serverMetadata(w http.ResponseWriter, r *http.Request) {
	if at := r.PathValue("at"); at != "" && at != s.base() {
		writeError(w, http.StatusNotFound, "there is nothing at this address")
		return
	}
	issuer := s.cfg.Gate.Issuer()
	writeJSON(w, http.StatusOK, object{
		"issuer": issuer, "authorization_endpoint": issuer + "/oauth/authorize", "token_endpoint": issuer + "/oauth/token",
		"registration_endpoint": issuer + "/oauth/register", "revocation_endpoint": issuer + "/oauth/revoke",
		"scopes_supported": []string{auth.Scope}, "response_types_supported": []string{"code"}, "response_modes_supported": []string{"query"},
		"grant_types_supported": auth.GrantTypes, "code_challenge_methods_supported": []string{"S256"},
		"token_endpoint_auth_methods_supported": auth.Methods, "revocation_endpoint_auth_methods_supported": auth.Methods,
		"authorization_response_iss_parameter_supported": true, "client_id_metadata_document_supported": true,
	})
}

func (s *site) register(w http.ResponseWriter, r *http.Request) {
	var m auth.Metadata
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
		writeRefusal(w, http.StatusBadRequest, &auth.Refusal{Name: "invalid_client_metadata", Msg: "the body is not the JSON that is asked for here (RFC 7591)"})
		return
	}
	out, err := s.cfg.Gate.Register(r.Context(), m)
	if err != nil {
		s.refuse(w, err)
		return
	}
	writeJSON(w, http.StatusCreated, out)
}

func (s *site) token(w http.ResponseWriter, r *http.Request) {
	if !s.form(w, r) {
		return
	}
	out, err := s.cfg.Gate.Exchange(r.Context(), r.PostForm)
	if err != nil {
		s.refuse(w, err)
		return
	}
	writeJSON(w, http.StatusOK, out)
}

func (s *site) disown(w http.ResponseWriter, r *http.Request) {
	if !s.form(w, r) {
		return
	}
	if err := s.cfg.Gate.Disown(r.Context(), r.PostForm); err != nil {
		s.refuse(w, err)
		return
	}
	writeJSON(w, http.StatusOK, object{})
}

// form reads a form of the body, whose fields the query has no part in: it
// ends up in logs.
func (s *site) form(w http.ResponseWriter, r *http.Request) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" || r.URL.RawQuery != "" || r.ParseForm() != nil {
		writeRefusal(w, http.StatusBadRequest, &auth.Refusal{Name: "invalid_request", Msg: "this takes a form in the body (application/x-www-form-urlencoded), and no query"})
		return false
	}
	return true
}

// refuse answers a client as OAuth asks (RFC 6749, 5.2).
func (s *site) refuse(w http.ResponseWriter, err error) {
	var refused *auth.Refusal
	if errors.As(err, &refused) {
		status := http.StatusBadRequest
		if refused.Name == "invalid_client" {
			status = http.StatusUnauthorized
			w.Header().Set("WWW-Authenticate", `Bearer realm="mcp"`)
		}
		writeRefusal(w, status, refused)
		return
	}
	told := s.told(err)
	maps.Copy(w.Header(), told.header)
	if told.status == http.StatusInternalServerError {
		writeRefusal(w, told.status, &auth.Refusal{Name: "server_error", Msg: told.Text})
		return
	}
	writeJSON(w, told.status, told)
}

// told is err as this door tells it, outside the API too.
func (s *site) told(err error) *apiError {
	var told *apiError
	if !errors.As(s.fault(err), &told) {
		return &apiError{status: http.StatusInternalServerError, Text: "Internal server error"}
	}
	return told
}

func writeRefusal(w http.ResponseWriter, status int, why *auth.Refusal) {
	writeJSON(w, status, object{"error": why.Name, "error_description": why.Msg})
}

// program is a client as people who signed in are told of it.
type program struct {
	ID        string   `json:"client_id"`
	Name      string   `json:"client_name"`
	Redirects []string `json:"redirect_uris"`
	Scope     string   `json:"scope"`
}

func (s *site) oauthClient(ctx context.Context, in *struct {
	Client string `path:"client"`
}) (program, error) {
	c, err := s.cfg.Gate.Client(ctx, in.Client)
	return program{c.ID, c.Name, c.Redirects, auth.Scope}, err
}

type redirected struct {
	URL string `json:"redirect_url"`
}

func (s *site) consent(ctx context.Context, in *struct {
	Body struct {
		Client    string  `json:"client_id"`
		Redirect  string  `json:"redirect_uri"`
		Challenge string  `json:"code_challenge"`
		Method    string  `json:"code_challenge_method"`
		Scope     string  `json:"scope,omitempty"`
		Resource  *string `json:"resource,omitempty"`
		State     string  `json:"state,omitempty"`
	}
}) (redirected, error) {
	b := in.Body
	asked := url.Values{"response_type": {"code"}, "client_id": {b.Client}, "redirect_uri": {b.Redirect}, "code_challenge": {b.Challenge},
		"code_challenge_method": {b.Method}, "scope": {b.Scope}, "state": {b.State}}
	if b.Resource != nil {
		asked.Set("resource", *b.Resource)
	}
	if err := s.cfg.Gate.MayConsent(ctx); err != nil { // before anything is looked up for them
		return redirected{}, err
	}
	a, err := s.cfg.Gate.Ask(ctx, asked)
	var told *auth.Refusal
	if errors.As(err, &told) {
		err = &auth.Error{Code: auth.Invalid, Msg: told.Error()}
	}
	if err != nil {
		return redirected{}, err
	}
	to, err := s.cfg.Gate.Consent(ctx, a)
	return redirected{to}, err
}

// grant is the access that somebody gave to a program.
type grant struct {
	ID         string     `json:"id"`
	Client     string     `json:"client_id"`
	Name       string     `json:"client_name"`
	User       string     `json:"user"`
	CreatedAt  time.Time  `json:"created_at"`
	LastUsedAt *time.Time `json:"last_used_at"`
	ExpiresAt  time.Time  `json:"expires_at"`
}

func grantOf(g store.Grant) grant {
	return grant{g.ID, g.Client, g.Name, g.Email, g.CreatedAt, present(g.LastUsedAt), g.ExpiresAt}
}

func (s *site) grants(ctx context.Context, _ *struct{}) ([]grant, error) {
	who := auth.From(ctx)
	user := who.UserID
	if who.Admin {
		user = ""
	}
	all, err := s.cfg.Gate.Grants(ctx, user)
	list := []grant{}
	for _, g := range all {
		list = append(list, grantOf(g))
	}
	return list, err
}

func (s *site) revokeGrant(ctx context.Context, in *struct {
	Grant string `path:"grant"`
}) (done, error) {
	err := s.cfg.Gate.RevokeGrant(ctx, in.Grant)
	return done{"ok"}, err
}
