package auth_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"stroem/auth"
	"stroem/store"
)

// hostile are addresses that nobody may be sent to, nor shown as a link.
var hostile = []string{
	"", "javascript:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd", "claude://cb", "//evil.example/cb", "/cb", "evil.example/cb",
	"http://evil.example/cb", "http://localhost.evil.example/cb", "http://127.0.0.1.evil.example/", "http://127.0.0.2/", "http://0.0.0.0/", "http://[::]/",
	"http://2130706433/", "https://good.example@evil.example/cb", "https://good.example:x@evil.example/", "https://@evil.example/", "https://a.example/cb#x",
	"https://a.example/cb#", "https://a.example\\@evil.example/", "https://a.example/\\cb", "https:\\\\a.example/", "https:a.example/cb", "https:///cb", "https://",
	"https://a.example/cb\r\nSet-Cookie: x=y", "https://a.example/\ncb", "https://a.example/ cb", " https://a.example/cb", "https://a.example/cb\x00",
	"https://a.example/<b>", `https://a.example/"onload=x`, "https://a.example;script-src */cb", "https://a.example,b.example/", "https://a.example'/",
	"https://*.example/cb", "https://a.example:99999999/", "https://a.example:x/", "https://ä.example/cb", "https://a.example/ü", "HTTPS://a.example/cb",
	"https://%65vil.example/", "https://a.example/%zz", "https://[::1%25eth0]/", "https://a.example/`id`", "https://-a.example/",
	"https://a.example/" + strings.Repeat("x", 500),
}

func TestRegistration(t *testing.T) {
	t.Parallel()
	s := remote(t)
	for _, r := range hostile {
		if _, err := s.Register(passerBy(), auth.Metadata{Redirects: []string{back, r}}); named(err) != "invalid_client_metadata" || strings.ContainsAny(err.Error(), "<\r\n") {
			t.Errorf("%q: %v", r, err)
		}
	}
	ok := auth.Metadata{Name: "Claude", Redirects: []string{back, "http://localhost:1234/cb?x=1", "http://127.0.0.1/", "http://[::1]:8080/cb", "https://[2001:db8::1]/cb"},
		GrantTypes: []string{"authorization_code"}, ResponseTypes: []string{"code"}}
	out, err := s.Register(passerBy(), ok)
	if err != nil || !strings.HasPrefix(out.ID, "mcp_") || out.Secret != "" || out.Method != "none" || out.Scope != "mcp" || out.IssuedAt != s.clock().Unix() {
		t.Errorf("%+v %v", out, err)
	}
	for name, change := range map[string]func(*auth.Metadata){
		"none":             func(m *auth.Metadata) { m.Redirects = nil },
		"six":              func(m *auth.Metadata) { m.Redirects = []string{back, back, back, back, back, back} },
		"long name":        func(m *auth.Metadata) { m.Name = strings.Repeat("x", 201) },
		"name of lines":    func(m *auth.Metadata) { m.Name = "a\nb" },
		"name that turns":  func(m *auth.Metadata) { m.Name = "a\u202eb" },
		"name in tatters":  func(m *auth.Metadata) { m.Name = "a\xff" },
		"basic":            func(m *auth.Metadata) { m.Method = "client_secret_basic" },
		"key":              func(m *auth.Metadata) { m.Method = "private_key_jwt" },
		"implicit":         func(m *auth.Metadata) { m.ResponseTypes = []string{"token"} },
		"only credentials": func(m *auth.Metadata) { m.GrantTypes = []string{"client_credentials"} },
	} {
		m := ok
		change(&m)
		if _, err := s.Register(passerBy(), m); named(err) != "invalid_client_metadata" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRedirectIsTheClientsOwn(t *testing.T) {
	t.Parallel()
	s := remote(t)
	c := s.register(auth.Metadata{Redirects: []string{back, "http://localhost:1234/cb?x=1", "http://[::1]/", "https://a.example:8443/cb"}}).ID
	for _, good := range []string{back, "http://localhost:1234/cb?x=1", "http://localhost:9/cb?x=1", "http://localhost/cb?x=1", "http://[::1]:65535/", "https://a.example:8443/cb"} {
		if a, err := s.Ask(passerBy(), asking(c, map[string]string{"redirect_uri": good})); err != nil || a.Redirect != good {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range append(hostile, back+"/", back+"?x=1", back+"/../x", "https://claude.ai/", "https://claude.ai:444/api/mcp/auth_callback",
		"https://CLAUDE.ai/api/mcp/auth_callback", "https://claude.ai.evil.example/api/mcp/auth_callback", "https://a.example/cb", "https://a.example:1/cb",
		"https://localhost:1234/cb?x=1", "http://127.0.0.1:1234/cb?x=1", "http://localhost:1234/cb", "http://localhost:1234/cb?x=2", "http://localhost:1234/CB?x=1",
		"http://localhost:1234@evil.example/cb?x=1", "http://[::1]:1/x") {
		a, err := s.Ask(passerBy(), asking(c, map[string]string{"redirect_uri": bad}))
		if a != nil || auth.CodeOf(err) != auth.Invalid || bad != "" && strings.Contains(err.Error(), bad) {
			t.Errorf("%q: %v, %v", bad, a, err)
		}
	}
	for name, q := range map[string]url.Values{
		"no client": asking("", nil), "unknown client": asking("mcp_00", nil), "SQL": asking("' or 1=1 --", nil),
		"two clients": {"client_id": {c, c}, "redirect_uri": {back}}, "two redirects": {"client_id": {c}, "redirect_uri": {back, back}},
	} {
		if a, err := s.Ask(passerBy(), q); a != nil || auth.CodeOf(err) != auth.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What is asked for in another way than the safe one, the client is told.
func TestWhatIsAsked(t *testing.T) {
	t.Parallel()
	s := remote(t)
	c := s.register(auth.Metadata{}).ID
	for name, tc := range map[string]struct {
		change map[string]string
		want   string
	}{
		"right":             {nil, "<nil>"},
		"with scope":        {map[string]string{"scope": "mcp"}, "<nil>"},
		"with unknown":      {map[string]string{"nonce": "n", "prompt": "consent"}, "<nil>"},
		"older, no target":  {map[string]string{"resource": ""}, "<nil>"},
		"query mode":        {map[string]string{"response_mode": "query"}, "<nil>"},
		"no response type":  {map[string]string{"response_type": ""}, "invalid_request"},
		"token":             {map[string]string{"response_type": "token"}, "unsupported_response_type"},
		"code and token":    {map[string]string{"response_type": "code token"}, "unsupported_response_type"},
		"fragment mode":     {map[string]string{"response_mode": "fragment"}, "invalid_request"},
		"request object":    {map[string]string{"request": "eyJ"}, "request_not_supported"},
		"request elsewhere": {map[string]string{"request_uri": "https://a.example/r"}, "request_uri_not_supported"},
		"no PKCE":           {map[string]string{"code_challenge": "", "code_challenge_method": ""}, "invalid_request"},
		"plain":             {map[string]string{"code_challenge_method": "plain"}, "invalid_request"},
		"plain by default":  {map[string]string{"code_challenge_method": ""}, "invalid_request"},
		"method alone":      {map[string]string{"code_challenge": ""}, "invalid_request"},
		"short challenge":   {map[string]string{"code_challenge": "abc"}, "invalid_request"},
		"padded challenge":  {map[string]string{"code_challenge": challenge + "="}, "invalid_request"},
		"other scope":       {map[string]string{"scope": "mcp admin"}, "invalid_scope"},
		"other target":      {map[string]string{"resource": "https://evil.example/mcp"}, "invalid_target"},
		"target with slash": {map[string]string{"resource": resource + "/"}, "invalid_target"},
		"the issuer":        {map[string]string{"resource": issuer}, "invalid_target"},
		"long state":        {map[string]string{"state": strings.Repeat("x", 2049)}, "invalid_request"},
	} {
		a, err := s.Ask(passerBy(), asking(c, tc.change))
		if named(err) != tc.want {
			t.Errorf("%s: %v", name, err)
		}
		var r *auth.Refusal
		if errors.As(err, &r) {
			q, err := url.Parse(s.Refused(a, r))
			if err != nil || q.Query().Get("error") != tc.want || q.Query().Get("iss") != issuer || q.Query().Get("code") != "" || !strings.HasPrefix(q.String(), back+"?") {
				t.Errorf("%s: %s %v", name, q, err)
			}
		}
	}
	for _, name := range []string{"state", "resource", "code_challenge", "scope", "x"} {
		q := asking(c, map[string]string{"scope": "mcp", "x": "1"})
		q.Add(name, q.Get(name))
		if a, err := s.Ask(passerBy(), q); a == nil || named(err) != "invalid_request" {
			t.Errorf("two of %s: %v", name, err)
		}
	}
}

// A state comes back byte for byte, whatever is in it and in the address.
func TestStateComesBack(t *testing.T) {
	t.Parallel()
	s := remote(t)
	const withQuery = "http://localhost/cb?a=1&b=%20"
	c := s.register(auth.Metadata{Redirects: []string{withQuery}}).ID
	for _, state := range []string{"a&code=evil&iss=x", "\r\nLocation: x", "ü\x00%00#?", `"><script>`, "+ %2B"} {
		a, err := s.Ask(passerBy(), asking(c, map[string]string{"redirect_uri": withQuery, "state": state}))
		if err != nil {
			t.Fatal(err)
		}
		to := s.Refused(a, auth.Denied())
		u, err := url.Parse(to)
		if err != nil || !strings.HasPrefix(to, withQuery+"&") || strings.ContainsAny(to, "\r\n #") || u.Query().Get("state") != state || u.Query().Get("iss") != issuer ||
			u.Query().Get("error") != "access_denied" || u.Query().Get("b") != " " || u.Query().Has("code") {
			t.Errorf("%q: %s %v", state, to, err)
		}
	}
}

// The password that gives access is guessed no faster than any.
func TestConsentIsASignIn(t *testing.T) {
	t.Parallel()
	s := remote(t)
	u := s.user(auth.NewUser{Email: "ada@example.com"})
	c := s.register(auth.Metadata{Name: "Claude"}).ID
	a, err := s.Ask(passerBy(), asking(c, nil))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.ConsentByPassword(stranger(home), a, " ADA@example.com ", password); err != nil {
		t.Error(err)
	}
	e := s.audit()
	if got := e[len(e)-1]; got.Action != "oauth.grant" || got.Who != u.Email || got.Addr != home || !strings.Contains(string(got.Detail), `"redirect_host":"claude.ai"`) ||
		!strings.Contains(string(got.Detail), c) {
		t.Errorf("%+v", got)
	}
	wrong, many := 0, 0
	for range 40 {
		switch _, err := s.ConsentByPassword(stranger("192.0.2.9"), a, u.Email, "wrong"); {
		case errors.Is(err, auth.ErrSignIn):
			wrong++
		case auth.CodeOf(err) == auth.TooMany:
			many++
		}
	}
	if wrong != 20 || many != 20 {
		t.Errorf("%d wrong, %d too many", wrong, many)
	}
	if _, err := s.ConsentByPassword(stranger("192.0.2.9"), a, u.Email, password); auth.CodeOf(err) != auth.TooMany {
		t.Errorf("the right one among guesses: %v", err)
	}
	if _, err := s.SignIn(t.Context(), u.Email, password, "192.0.2.9"); auth.CodeOf(err) != auth.TooMany {
		t.Errorf("they are not counted together: %v", err)
	}
	// By a session that is a person's, while it lasts.
	session := s.signIn(u.Email).Access
	ctx := s.as(session)
	if to, err := s.Consent(ctx, a); err != nil || !strings.HasPrefix(to, back) {
		t.Error(to, err)
	}
	if err := s.SignOut(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Consent(ctx, a); !errors.Is(err, auth.ErrToken) {
		t.Errorf("of a session that ended: %v", err)
	}
	agents := s.signIn(u.Email).Access
	if _, err := s.Identify(t.Context(), agents, auth.MCP, home); err != nil {
		t.Fatal(err)
	}
	for name, ctx := range map[string]string{"a session that an agent had": agents, "a key": s.key(store.APIKey{User: u.ID})} {
		if _, err := s.Consent(s.as(ctx), a); auth.CodeOf(err) != auth.Forbidden {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := s.Consent(passerBy(), a); !errors.Is(err, auth.ErrNoCredential) {
		t.Errorf("nobody: %v", err)
	}
	// What was not fetched in its minute is gone.
	s.pass(2 * time.Minute)
	s.register(auth.Metadata{})
	if list, err := s.Grants(s.owner(), ""); err != nil || len(list) != 0 {
		t.Error(list, err)
	}
}
