package web_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/client/transport"
	"github.com/mark3labs/mcp-go/mcp"

	"stroem/auth"
	"stroem/control"
	"stroem/store"
	"stroem/web"
)

// browser is a client that reaches the house at its issuer, keeps no cookie,
// and follows no redirect.
func (h *house) browser() *http.Client {
	return &http.Client{
		Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, h.Listener.Addr().String())
		}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// send sends a request from a new address, with a form if there is one.
func (h *house) send(method, address string, form url.Values) answer {
	h.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		h.t.Fatal(err)
	}
	req.Header.Set("X-Forwarded-For", h.address())
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", "http://127.0.0.1:1") // as browsers do
	}
	res, err := h.browser().Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(text)}
}

var hiddenField = regexp.MustCompile(`<input type="hidden" name="([a-z_]+)" value="([^"]*)">`)

// fields are what the page would send with an answer.
func (a answer) fields(t testing.TB, said string) url.Values {
	t.Helper()
	form := url.Values{"answer": {said}, "email": {""}, "password": {""}}
	for _, f := range hiddenField.FindAllStringSubmatch(a.body, -1) {
		form.Set(f[1], strings.NewReplacer("&amp;", "&", "&#43;", "+", "&#34;", `"`, "&lt;", "<", "&gt;", ">", "&#39;", "'").Replace(f[2]))
	}
	if form.Get("client_id") == "" {
		t.Fatalf("%d %s", a.status, a.body)
	}
	return form
}

// authorize is the address at which a client has a person asked.
func authorize(client string, change map[string]string) string {
	q := url.Values{"response_type": {"code"}, "client_id": {client}, "redirect_uri": {landing}, "code_challenge": {challenge},
		"code_challenge_method": {"S256"}, "state": {"s"}, "resource": {issuer + "/mcp"}}
	for name, value := range change {
		q.Set(name, value)
	}
	return issuer + "/oauth/authorize?" + q.Encode()
}

// A client of the world finds everything by itself, from the first 401 on, and
// calls a tool in the end. What it begins is an agent's, and waits for the
// person where a rule says so.
func TestRemoteAgentConnects(t *testing.T) {
	t.Parallel()
	guarded := own
	guarded.agents = true
	h := build(t, nil, guarded)
	u := h.account("run")
	said := h.ask("POST", "/mcp", ping, "").header.Get("WWW-Authenticate")
	_, found, _ := strings.Cut(said, `resource_metadata="`)
	found, _, _ = strings.Cut(found, `"`)
	cfg := client.OAuthConfig{ProtectedResourceMetadataURL: found, RedirectURI: landing, Scopes: []string{"mcp"}, TokenStore: client.NewMemoryTokenStore(), PKCEEnabled: true, HTTPClient: h.browser()}
	c, err := client.NewOAuthStreamableHttpClient(issuer+"/mcp", cfg, transport.WithHTTPBasicClient(h.browser()))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx := t.Context()
	if err := c.Start(ctx); err != nil {
		t.Fatal(err)
	}
	hello := mcp.InitializeRequest{Params: mcp.InitializeParams{ProtocolVersion: mcp.LATEST_PROTOCOL_VERSION, ClientInfo: mcp.Implementation{Name: "t", Version: "1"}}}
	_, err = c.Initialize(ctx, hello)
	oauth := client.GetOAuthHandler(err)
	if oauth == nil {
		t.Fatal(err)
	}
	h.letIn(oauth, u)
	if _, err := c.Initialize(ctx, hello); err != nil {
		t.Fatal(err)
	}
	res, err := c.CallTool(ctx, mcp.CallToolRequest{Params: mcp.CallToolParams{Name: "execute_task", Arguments: map[string]any{"workspace": own.ws, "task_name": own.task}}})
	if err != nil || res.IsError {
		t.Fatal(res, err)
	}
	var job struct {
		ID string `json:"job_id"`
	}
	if err := json.Unmarshal([]byte(res.Content[0].(mcp.TextContent).Text), &job); err != nil {
		t.Fatal(err)
	}
	h.holdsAsAnAgents(job.ID, u, oauth.GetClientID())
	token, err := cfg.TokenStore.GetToken(ctx)
	if err != nil {
		t.Fatal(err)
	}
	h.holdsAtMCPAlone(token.AccessToken, job.ID)
	if _, err := oauth.RefreshToken(ctx, token.RefreshToken); err != nil {
		t.Fatal(err)
	}
	if _, err := c.ListTools(ctx, mcp.ListToolsRequest{}); err != nil {
		t.Errorf("after a refresh: %v", err)
	}
	// The person sees it, and takes it back.
	person := h.signIn("run")
	var grants []struct {
		ID   string
		Name string `json:"client_name"`
		User string
	}
	list := h.ask("GET", "/api/oauth/grants", "", person)
	if err := json.Unmarshal([]byte(list.body), &grants); err != nil || len(grants) != 1 || grants[0].Name != "Claude <b>" || grants[0].User != u.Email {
		t.Fatal(list, err)
	}
	for name, want := range map[string]bool{"admin": true, "view": false} {
		if a := h.ask("GET", "/api/oauth/grants", "", h.signIn(name)); a.status != 200 || strings.Contains(a.body, grants[0].ID) != want {
			t.Errorf("%s sees %v", name, a)
		}
	}
	if a := h.ask("DELETE", "/api/oauth/grants/"+grants[0].ID, "", person); a.status != 200 {
		t.Error(a)
	}
	if _, err := c.ListTools(ctx, mcp.ListToolsRequest{}); err == nil {
		t.Error("its access was taken back, and it goes on")
	}
}

// letIn has a client of the world make itself known and ask, and the person say
// yes.
func (h *house) letIn(oauth *transport.OAuthHandler, u store.User) {
	h.t.Helper()
	ctx := context.Background()
	if err := oauth.RegisterClient(ctx, "Claude <b>"); err != nil {
		h.t.Fatal(err)
	}
	secret, err := client.GenerateCodeVerifier()
	if err != nil {
		h.t.Fatal(err)
	}
	at, err := oauth.GetAuthorizationURL(ctx, "the state", client.GenerateCodeChallenge(secret))
	if err != nil {
		h.t.Fatal(err)
	}
	form := h.send("GET", at, nil).fields(h.t, "allow")
	form.Set("email", u.Email)
	form.Set("password", passphrase)
	a := h.send("POST", issuer+"/oauth/authorize", form)
	to := a.back()
	if !strings.HasPrefix(to, landing+"?") || parameter(h.t, to, "iss") != issuer || a.header.Get("Set-Cookie") != "" {
		h.t.Fatal(a)
	}
	if err := oauth.ProcessAuthorizationResponse(ctx, parameter(h.t, to, "code"), parameter(h.t, to, "state"), secret); err != nil {
		h.t.Fatal(err)
	}
}

// holdsAsAnAgents looks at a job that waits by policy, and lets the person who
// owns it go on with it.
func (h *house) holdsAsAnAgents(id string, u store.User, client string) {
	h.t.Helper()
	var requested string
	err := h.store.View(context.Background(), func(tx *store.Tx) error {
		job, err := tx.Job(id)
		if err != nil {
			return err
		}
		if !job.Agent || job.SourceType != store.SourceMCP || job.SourceID != u.Email {
			h.t.Errorf("%+v", job)
		}
		list, err := tx.Approvals(job.Seq)
		if err == nil && len(list) == 1 {
			requested = list[0].RequestedBy
		}
		log, err2 := tx.AuditTail(100)
		for _, e := range log {
			if e.Action == "execute" && (e.Key != client || e.Who != u.Email || e.Door != "mcp") {
				h.t.Errorf("%+v", e)
			}
		}
		if err == nil {
			err = err2
		}
		return err
	})
	if err != nil || !strings.HasPrefix(requested, "grant:") {
		h.t.Fatalf("%q asked for it, %v", requested, err)
	}
	agent := auth.Principal{Via: auth.OAuth, UserID: u.ID, Email: u.Email, Groups: u.Groups, Door: auth.REST, Grant: &store.Grant{ID: strings.TrimPrefix(requested, "grant:")}}
	if err := h.plane.Approve(auth.With(context.Background(), agent), control.Answer{Job: id, Step: "_approval", Approved: true}); control.CodeOf(err) != control.Forbidden {
		h.t.Errorf("it answers for itself: %v", err)
	}
}

// holdsAtMCPAlone asks for much with an access token.
func (h *house) holdsAtMCPAlone(token, job string) {
	h.t.Helper()
	for _, request := range []string{"GET /api/jobs", "GET /api/auth/me", "GET /api/jobs/" + job, "POST /api/jobs/" + job + "/steps/_approval/approve", "POST /api/auth/api-keys",
		"GET /api/users", "GET /api/oauth/grants", "POST /api/oauth/consent", "GET /mcp/x"} {
		method, path, _ := strings.Cut(request, " ")
		if a := h.ask(method, path, `{"approved":true}`, token); a.status != http.StatusUnauthorized {
			h.t.Errorf("%s: %v", request, a)
		}
	}
	if a := h.ask("POST", "/mcp?access_token="+token, ping, ""); a.status != http.StatusUnauthorized {
		h.t.Errorf("in the query: %v", a)
	}
	if a := h.tool("list_jobs", `{}`, token); a.status != 200 || !strings.Contains(a.body, job) {
		h.t.Errorf("%v", a)
	}
}

func TestMetadata(t *testing.T) {
	t.Parallel()
	h := build(t, nil, own)
	for _, path := range []string{"/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp"} {
		var doc struct {
			Resource string
			Servers  []string `json:"authorization_servers"`
		}
		a := h.ask("GET", path, "", "")
		if err := json.Unmarshal([]byte(a.body), &doc); err != nil || doc.Resource != issuer+"/mcp" || len(doc.Servers) != 1 || doc.Servers[0] != issuer {
			t.Errorf("%s: %v", path, a)
		}
	}
	a := h.ask("GET", "/.well-known/oauth-authorization-server", "", "")
	var doc map[string]any
	if err := json.Unmarshal([]byte(a.body), &doc); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"issuer": issuer, "authorization_endpoint": issuer + "/oauth/authorize", "token_endpoint": issuer + "/oauth/token", "registration_endpoint": issuer + "/oauth/register",
		"revocation_endpoint": issuer + "/oauth/revoke", "scopes_supported": "[mcp]", "response_types_supported": "[code]", "code_challenge_methods_supported": "[S256]",
		"grant_types_supported": "[authorization_code refresh_token]", "token_endpoint_auth_methods_supported": "[none client_secret_post]",
		"authorization_response_iss_parameter_supported": "true", "client_id_metadata_document_supported": "true",
	} {
		if got := fmt.Sprint(doc[name]); got != want {
			t.Errorf("%s is %s", name, got)
		}
	}
	for _, path := range []string{"/.well-known/oauth-authorization-server/mcp", "/.well-known/oauth-protected-resource/api", "/.well-known/oauth-x"} {
		if a := h.ask("GET", path, "", ""); a.status != http.StatusNotFound {
			t.Errorf("%s: %v", path, a)
		}
	}
	// Behind a path, also where RFC 8414 and RFC 9728 put it.
	below := build(t, func(c *web.Config) {
		var err error
		if c.Gate, err = auth.New(auth.Config{Store: c.Plane.Store, Issuer: "https://a.example/wf", OAuth: true}); err != nil {
			t.Fatal(err)
		}
	}, own)
	for path, says := range map[string]string{
		"/.well-known/oauth-authorization-server": `"issuer":"https://a.example/wf"`, "/.well-known/oauth-authorization-server/wf": `"issuer":"https://a.example/wf"`,
		"/.well-known/oauth-protected-resource/mcp": `"resource":"https://a.example/wf/mcp"`, "/.well-known/oauth-protected-resource/wf/mcp": `"resource":"https://a.example/wf/mcp"`,
	} {
		if a := below.ask("GET", path, "", ""); a.status != 200 || !strings.Contains(a.body, says) {
			t.Errorf("%s: %v", path, a)
		}
	}
}

// Where nobody can be asked, no client is led to believe so.
func TestOAuthOff(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*web.Config){
		"without base_url": func(c *web.Config) { c.Gate, _ = auth.New(auth.Config{Store: c.Plane.Store}) },
		"without MCP":      func(c *web.Config) { c.MCP = nil },
	} {
		h := build(t, change, own)
		for _, request := range []string{"GET /.well-known/oauth-protected-resource", "GET /.well-known/oauth-authorization-server", "POST /oauth/register",
			"GET /oauth/authorize", "POST /oauth/authorize", "POST /oauth/token", "POST /oauth/revoke", "POST /mcp"} {
			method, path, _ := strings.Cut(request, " ")
			a := h.ask(method, path, `{}`, "")
			if got := a.header.Get("WWW-Authenticate"); a.status != http.StatusUnauthorized || got != `Bearer realm="stroem"` {
				t.Errorf("%s, %s: %v %s", name, request, a.status, got)
			}
		}
	}
}

func TestChallenge(t *testing.T) {
	t.Parallel()
	h := build(t, nil, own)
	want := `Bearer realm="mcp", resource_metadata="` + issuer + `/.well-known/oauth-protected-resource/mcp", scope="mcp"`
	if got := h.ask("POST", "/mcp", "{", "").header.Get("WWW-Authenticate"); got != want {
		t.Error(got)
	}
	want += `, error="invalid_token", error_description="Invalid or expired token"`
	if got := h.ask("POST", "/mcp", "{", "stroa_x").header.Get("WWW-Authenticate"); got != want {
		t.Error(got)
	}
	if got := h.ask("GET", "/api/jobs", "", "").header.Get("WWW-Authenticate"); got != `Bearer realm="stroem"` {
		t.Error(got)
	}
}

// The endpoints for clients answer as clients expect.
func TestTokenEndpoint(t *testing.T) {
	t.Parallel()
	h := build(t, nil, own)
	id := h.program("x")
	for name, tc := range map[string]struct {
		path   string
		form   url.Values
		status int
		says   string
	}{
		"nothing":        {"/oauth/token", url.Values{}, 401, "invalid_client"},
		"unknown client": {"/oauth/token", url.Values{"client_id": {"x"}, "grant_type": {"refresh_token"}}, 401, "invalid_client"},
		"no grant type":  {"/oauth/token", url.Values{"client_id": {id}}, 400, "invalid_request"},
		"other":          {"/oauth/token", url.Values{"client_id": {id}, "grant_type": {"password"}}, 400, "unsupported_grant_type"},
		"wrong code":     {"/oauth/token", url.Values{"client_id": {id}, "grant_type": {"authorization_code"}, "code": {"x"}, "redirect_uri": {landing}, "code_verifier": {verifier}}, 400, "invalid_grant"},
		"twice":          {"/oauth/token", url.Values{"client_id": {id, id}}, 400, "invalid_request"},
		"in the query":   {"/oauth/token?grant_type=refresh_token", url.Values{"client_id": {id}}, 400, "invalid_request"},
		"revoke nothing": {"/oauth/revoke", url.Values{"client_id": {id}}, 400, "invalid_request"},
		"revoke unknown": {"/oauth/revoke", url.Values{"client_id": {id}, "token": {"x"}}, 200, "{}"},
	} {
		a := h.send("POST", issuer+tc.path, tc.form)
		var doc map[string]string
		if err := json.Unmarshal([]byte(a.body), &doc); err != nil || a.status != tc.status || !strings.Contains(a.body, tc.says) || a.header.Get("Cache-Control") != "no-store" ||
			a.header.Get("Access-Control-Allow-Origin") != "" || tc.status == 401 && a.header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: %v", name, a)
		}
	}
	for _, body := range []string{"", "[]", `{"redirect_uris":"x"}`, `{}`, `{"redirect_uris":["javascript:x"]}`} {
		if a := h.ask("POST", "/oauth/register", body, ""); a.status != 400 || !strings.Contains(a.body, `"error":"invalid_client_metadata"`) {
			t.Errorf("%s: %v", body, a)
		}
	}
	a := h.ask("POST", "/oauth/register", `{"client_name":"C","redirect_uris":["`+landing+`"],"token_endpoint_auth_method":"client_secret_post","logo_uri":"x"}`, "")
	if a.status != 201 || !strings.Contains(a.body, `"client_secret":"`) || !strings.Contains(a.body, `"client_secret_expires_at":0`) {
		t.Error(a)
	}
}

// By REST, a page of ours can do what the server's own page does.
func TestConsentByREST(t *testing.T) {
	t.Parallel()
	h := build(t, nil, own)
	id := h.program("x")
	person := h.signIn("run")
	consent := fmt.Sprintf(`{"client_id":%q,"redirect_uri":%q,"code_challenge":%q,"code_challenge_method":"S256","scope":"mcp","resource":%q,"state":"s"}`, id, landing, challenge, issuer+"/mcp")
	if a := h.ask("POST", "/api/oauth/consent", consent, person); a.status != 200 || !strings.Contains(a.body, `{"redirect_url":"`+landing+`?code=stroc_`) {
		t.Error(a)
	}
	if a := h.ask("POST", "/api/oauth/consent", strings.ReplaceAll(consent, "S256", "plain"), person); a.status != 400 || !strings.Contains(a.body, "S256") {
		t.Error(a)
	}
	if a := h.ask("GET", "/api/oauth/clients/"+id, "", person); a.status != 200 || !strings.Contains(a.body, `"client_name":"x"`) {
		t.Error(a)
	}
	if a := h.ask("GET", "/api/oauth/clients/"+url.PathEscape("https://127.0.0.1/c"), "", person); a.status != 400 || !strings.Contains(a.body, "public DNS") {
		t.Error(a)
	}
}

// A fault of ours has a name too, and tells nothing of the inside.
func TestFaultsOfOAuth(t *testing.T) {
	t.Parallel()
	var st *store.Store
	srv := site(t, func(c *web.Config) {
		st = c.Plane.Store
		var err error
		if c.Gate, err = auth.New(auth.Config{Store: st, Issuer: issuer, OAuth: true, Log: c.Log}); err != nil {
			t.Fatal(err)
		}
	})
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	res, body := ask(t, srv, http.MethodPost, "/oauth/register", `{"redirect_uris":["`+landing+`"]}`, nil)
	if res.StatusCode != 500 || !strings.Contains(body, `"error":"server_error"`) || !strings.Contains(body, "reference") || strings.Contains(body, "store") {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	res, body = ask(t, srv, http.MethodGet, "/oauth/authorize?client_id=mcp_0&redirect_uri=x", "", nil)
	if res.StatusCode != 500 || !strings.Contains(body, "Nobody was given access: Internal server error (reference ") || strings.Contains(body, "store") {
		t.Errorf("%d %s", res.StatusCode, body)
	}
}
