package web_test

import (
	"crypto/sha256"
	"encoding/base64"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"stroem/auth"
)

// The page runs nothing, stands in no frame, and shows what a client says of
// itself as text.
func TestConsentPage(t *testing.T) {
	t.Parallel()
	h := build(t, nil, own)
	for _, name := range []string{`<script>alert(1)</script>`, `" onfocus="x`, `{{.Email}}`, `</style><img src=x>`, `Strøm & Søn`, ""} {
		c, err := h.gate.Register(h.anybody(), auth.Metadata{Name: name, Redirects: []string{landing, "https://cb.example/x", "http://[::1]/cb"}})
		if err != nil {
			t.Fatal(err)
		}
		a := h.send("GET", authorize(c.ID, map[string]string{"state": `"><script>x</script>`, "redirect_uri": "https://cb.example/x"}), nil)
		style := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(a.body)
		if a.status != 200 || len(style) != 2 {
			t.Fatal(a)
		}
		sum := sha256.Sum256([]byte(style[1]))
		for header, want := range map[string]string{
			"Content-Security-Policy": "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
				"'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
			"X-Frame-Options": "DENY", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Content-Type": "text/html; charset=utf-8",
			"Referrer-Policy": "same-origin", "Set-Cookie": "",
		} {
			if got := a.header.Get(header); got != want {
				t.Errorf("%s: %s", header, got)
			}
		}
		for _, bad := range []string{"<script", "<img", `onfocus="`, "javascript:", "http-equiv"} {
			if strings.Contains(a.body, bad) {
				t.Errorf("%q: the page holds %s", name, bad)
			}
		}
		for _, want := range []string{`<p class="host">cb.example</p>`, "It cannot approve anything for you", c.ID, `autocomplete="current-password"`} {
			if !strings.Contains(strings.Join(strings.Fields(a.body), " "), want) {
				t.Errorf("%q: the page lacks %s", name, want)
			}
		}
		if got := a.fields(t, "").Get("state"); got != `"><script>x</script>` {
			t.Errorf("the state travels as %q", got)
		}
		if a := h.send("GET", authorize(c.ID, nil), nil); !strings.Contains(a.body, "program on the computer that you sit at") {
			t.Errorf("of a program here: %v", a)
		}
	}
}

// back is where the answer to a form leads, "" where it leads nowhere.
func (a answer) back() string {
	to, leads := strings.CutPrefix(a.header.Get("Refresh"), "0;url=")
	if !leads || a.status != http.StatusOK || !strings.Contains(a.body, `<a href="`+strings.ReplaceAll(html.EscapeString(to), "+", "&#43;")+`">`) {
		return ""
	}
	return to
}

// Whoever is not the person gives nothing, and the page says so.
func TestConsentAnswers(t *testing.T) {
	t.Parallel()
	h := build(t, nil, own)
	u := h.account("run")
	id := h.program("Claude")
	form := h.send("GET", authorize(id, nil), nil).fields(t, "allow")
	post := func(change map[string]string) answer {
		f := url.Values{}
		for name, values := range form {
			f[name] = values
		}
		for name, value := range change {
			f.Set(name, value)
		}
		return h.send("POST", issuer+"/oauth/authorize", f)
	}
	right := map[string]string{"email": u.Email, "password": passphrase}
	with := func(name, value string) map[string]string {
		return map[string]string{"email": u.Email, "password": passphrase, name: value}
	}
	if a := post(with("password", "wrong")); a.status != http.StatusForbidden || !strings.Contains(a.body, "password is wrong") || a.back() != "" ||
		strings.Contains(a.body, `value="wrong"`) || !strings.Contains(a.body, `value="run@example.org"`) {
		t.Error(a)
	}
	if a := post(with("email", `"><script>`)); a.status != http.StatusForbidden || strings.Contains(a.body, "<script") {
		t.Error(a)
	}
	for name, want := range map[string]string{"answer": "neither yes nor no", "redirect_uri": "redirect_uri", "client_id": "not known"} {
		if a := post(with(name, "https")); a.status != http.StatusBadRequest || a.back() != "" || !strings.Contains(a.body, want) {
			t.Errorf("%s: %v", name, a)
		}
	}
	for name, want := range map[string]string{"code_challenge_method": "invalid_request", "resource": "invalid_target", "scope": "invalid_scope"} {
		if a := post(with(name, "other")); parameter(t, a.back(), "error") != want {
			t.Errorf("%s: %v", name, a)
		}
	}
	if a := post(map[string]string{"answer": "deny"}); parameter(t, a.back(), "error") != "access_denied" ||
		parameter(t, a.back(), "iss") != issuer || parameter(t, a.back(), "state") != "s" {
		t.Error(a)
	}
	// Two tabs: each has its own code, and each is good.
	one, two := post(right), post(with("state", "other"))
	for state, a := range map[string]answer{"s": one, "other": two} {
		to := a.back()
		token := h.send("POST", issuer+"/oauth/token", url.Values{"grant_type": {"authorization_code"}, "client_id": {id}, "redirect_uri": {landing},
			"code": {parameter(t, to, "code")}, "code_verifier": {verifier}})
		if token.status != 200 || parameter(t, to, "state") != state || token.header.Get("Cache-Control") != "no-store" || !strings.Contains(token.body, `"token_type":"Bearer"`) {
			t.Errorf("%s: %v", to, token)
		}
	}
	// Another site's page cannot answer in the person's name.
	req, err := http.NewRequestWithContext(t.Context(), "POST", issuer+"/oauth/authorize", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Origin": {"https://evil.example"}}
	res, err := h.browser().Do(req)
	if err != nil || res.StatusCode != http.StatusForbidden {
		t.Error(res, err)
	}
	res.Body.Close()
}

// Nobody is redirected by who is not known, nor told of it as markup.
func TestNobodyIsSentAstray(t *testing.T) {
	t.Parallel()
	h := build(t, nil, own)
	id := h.program("x")
	for name, at := range map[string]string{
		"unknown client": authorize("mcp_<b>", nil), "javascript": authorize(id, map[string]string{"redirect_uri": "javascript:alert(1)"}),
		"data": authorize(id, map[string]string{"redirect_uri": "data:text/html,<script>"}), "another's": authorize(id, map[string]string{"redirect_uri": "https://evil.example/"}),
		"user": authorize(id, map[string]string{"redirect_uri": "http://127.0.0.1:33418@evil.example/callback"}), "lines": authorize(id, map[string]string{"redirect_uri": landing + "\r\nX: y"}),
		"backslash": authorize(id, map[string]string{"redirect_uri": `http://127.0.0.1:33418\@evil.example/callback`}), "fragment": authorize(id, map[string]string{"redirect_uri": landing + "#x"}),
		"broken query": issuer + "/oauth/authorize?client_id=%zz", "inside": authorize("https://127.0.0.1/c", nil), "no client": issuer + "/oauth/authorize",
	} {
		a := h.send("GET", at, nil)
		if a.status != http.StatusBadRequest || a.header.Get("Location") != "" || a.header.Get("Content-Type") != "text/plain; charset=utf-8" ||
			strings.Contains(a.body, "evil") || strings.Contains(a.body, "<") {
			t.Errorf("%s: %v", name, a)
		}
	}
	// Nor on to another host by a link that only looks like ours: they may go.
	c, err := h.gate.Register(h.anybody(), auth.Metadata{Redirects: []string{"https://evil.example/"}})
	if err != nil {
		t.Fatal(err)
	}
	led := h.send("GET", authorize(c.ID, map[string]string{"redirect_uri": "https://evil.example/", "response_type": "token"}), nil)
	if led.status != http.StatusBadRequest || led.header.Get("Location")+led.header.Get("Refresh") != "" || !strings.Contains(led.body, `<p class="host">evil.example</p>`) ||
		!strings.Contains(led.body, `<a href="https://evil.example/?error=unsupported_response_type`) || strings.Contains(led.body, "<form") {
		t.Error(led)
	}
	a := h.send("GET", authorize(id, map[string]string{"response_type": "token", "state": "a\r\nb"}), nil)
	if to := a.header.Get("Location"); a.status != http.StatusSeeOther || parameter(t, to, "error") != "unsupported_response_type" || parameter(t, to, "state") != "a\r\nb" {
		t.Error(a)
	}
}
