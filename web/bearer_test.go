package web_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"stroem/auth"
	"stroem/store"
	"stroem/web"
)

// guarded is a site with sign-in, and an administrator's key.
func guarded(t *testing.T) (srv *httptest.Server, key string) {
	t.Helper()
	var gate *auth.Gate
	srv = site(t, func(c *web.Config) {
		var err error
		if gate, err = auth.New(auth.Config{Store: c.Plane.Store, Log: c.Log}); err != nil {
			t.Fatal(err)
		}
		c.Gate = gate
	})
	ctx := auth.With(t.Context(), auth.Owner())
	u, err := gate.OwnerAccount(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if key, _, err = gate.NewKey(ctx, store.APIKey{User: u.ID, Name: "k"}); err != nil {
		t.Fatal(err)
	}
	return srv, key
}

// Who is not known is told so before their body is there: it would cost memory
// that they have no right to.
func TestBodyOfTheUnknownIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	srv, _ := guarded(t)
	for _, path := range []string{"/mcp", "/api/jobs/x/cancel", "/nothing"} {
		conn, err := net.Dial("tcp", srv.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 4194304\r\n\r\n", path)
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if res.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: %s", path, res.Status)
		}
	}
	res, text := ask(t, srv, http.MethodPost, "/api/auth/login", `{"email":"`+strings.Repeat("x", 16<<10)+`","password":"x"}`, nil)
	if res.StatusCode != http.StatusRequestEntityTooLarge || !strings.Contains(text, "16 KiB") {
		t.Errorf("login with a large body: %s %s", res.Status, text)
	}
}

func TestTokenIsLookedForInOnePlace(t *testing.T) {
	t.Parallel()
	srv, key := guarded(t)
	for name, c := range map[string]struct {
		path   string
		tokens []string
		want   int
	}{
		"one":          {"/api/jobs", []string{"Bearer " + key}, http.StatusOK},
		"in any case":  {"/api/jobs", []string{"bEARER  " + key}, http.StatusOK},
		"none":         {"/api/jobs", nil, http.StatusUnauthorized},
		"two":          {"/api/jobs", []string{"Bearer " + key, "Bearer strm_other"}, http.StatusUnauthorized},
		"twice":        {"/api/jobs", []string{"Bearer " + key, "Bearer " + key}, http.StatusUnauthorized},
		"other scheme": {"/api/jobs", []string{"Basic " + key}, http.StatusUnauthorized},
		"by a tab":     {"/api/jobs", []string{"Bearer\t" + key}, http.StatusUnauthorized},
		"in the query": {"/api/jobs?token=" + key, nil, http.StatusUnauthorized},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header["Authorization"] = c.tokens
		res, err := srv.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != c.want {
			t.Errorf("%s: %s", name, res.Status)
		}
	}
}

// What is public is so by the route that answers, however its path is written.
func TestPathIsNoWayAround(t *testing.T) {
	t.Parallel()
	srv, _ := guarded(t)
	for _, request := range []string{
		"GET //mcp", "GET /mcp/../api/jobs", "GET /api/config/../jobs", "GET /api/%2e%2e/api/jobs", "GET /%6dcp", "GET /mcp%2f", "GET /api/config/",
		"GET /api/config%2f..%2fjobs", "GET /API/config", "GET /api/config;x", "GET /api/config%00", "GET http:mcp", "GET *", "GET /api/auth/login",
		"HEAD /api/jobs", "OPTIONS /api/config", "TRACE /", "CONNECT /mcp", "get /api/config", "POST /", "POST /healthz",
		"GET http://localhost/api/jobs", "POST /api/auth/login/", "POST /api/auth/logout",
	} {
		conn, err := net.Dial("tcp", srv.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", request)
		answer, err := io.ReadAll(conn)
		if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 401 ") {
			t.Errorf("%s: %.60q, %v", request, answer, err)
		}
	}
}
