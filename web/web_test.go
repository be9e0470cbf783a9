package web_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"stroem/control"
	"stroem/mcpsrv"
	"stroem/runner"
	"stroem/store"
	"stroem/web"
)

const yaml = `
actions:
  shared: {type: script, script: echo shared}
tasks:
  hello:
    name: Say hello
    description: Greets
    input: {name: {type: string, required: true}, n: {type: integer}}
    flow:
      say: {type: script, script: 'echo "Hello {{ input.name }}" >&2', input: {name: "{{ input.name }}"}}
      then-more: {action: shared, depends_on: [say]}
  talks:
    flow:
      first: {type: script, script: 'echo one; echo two; sleep 0.1; echo three >&2; echo four >&2'}
      last: {type: script, script: 'echo other', depends_on: [first]}
  waits:
    flow:
      s: {type: script, script: 'echo begun; sleep 1000'}
  gate:
    flow:
      ask: {type: approval, message: "Go <on>?", timeout: 1h, input: {why: {type: string, required: true}, n: {type: integer, default: 3}}}
triggers:
  nightly: {type: scheduler, cron: "0 2 * * *", task: hello, input: {name: cron}}
`

// site is a whole handler over a real store and a runner, with what change
// makes of its configuration.
func site(t testing.TB, change func(*web.Config)) *httptest.Server {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "w.yaml"), []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	rn := &runner.Runner{Store: st, Slots: 4, KeepLog: 1 << 20, Grace: time.Second, Log: log, Now: time.Now}
	plane := &control.Plane{Store: st, Runner: rn, Folders: []control.Folder{{Name: "w", Path: dir}}, Log: log, Now: time.Now}
	cfg := web.Config{Plane: plane, MCP: mcpsrv.Handler(plane, "test", log), Guide: mcpsrv.Guide(), URL: "http://127.0.0.1:8080", Version: "test", Log: log}
	if change != nil {
		change(&cfg)
	}
	ctx, stop := context.WithCancel(context.Background())
	ready, done := make(chan struct{}), make(chan error, 2)
	go func() { done <- plane.Sync(ctx, ready) }()
	go func() { done <- rn.Run(ctx) }()
	<-ready
	srv := httptest.NewServer(web.Handler(cfg))
	t.Cleanup(func() {
		srv.Close()
		stop()
		for range 2 {
			if err := <-done; err != nil && !errors.Is(err, store.ErrClosed) {
				t.Error(err)
			}
		}
		st.Close()
	})
	return srv
}

const ping = `{"jsonrpc":"2.0","id":1,"method":"ping"}`

// ask sends a request and returns its status and body.
func ask(t *testing.T, srv *httptest.Server, method, path, body string, header map[string]string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, srv.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	for k, v := range header {
		if k == "Host" {
			req.Host = v
			continue
		}
		req.Header.Set(k, v)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(text)
}

func TestHostAndOriginAreGuarded(t *testing.T) {
	t.Parallel()
	srv := site(t, func(c *web.Config) {
		c.AllowedHosts = []string{"stroem.example"}
		c.AllowedOrigins = []string{"https://app.example"}
	})
	for _, tc := range []struct {
		name   string
		header map[string]string
		status int
		says   string
	}{
		{"loopback", nil, 200, "result"},
		{"localhost", map[string]string{"Host": "localhost:1"}, 200, "result"},
		{"IPv6 loopback", map[string]string{"Host": "[::1]:8080"}, 200, "result"},
		{"allowed host", map[string]string{"Host": "Stroem.example:443"}, 200, "result"},
		{"foreign host", map[string]string{"Host": "evil.example"}, 403, "mcp.allowed_hosts"},
		{"host that starts like ours", map[string]string{"Host": "localhost.evil.example"}, 403, "mcp.allowed_hosts"},
		{"address of another machine", map[string]string{"Host": "192.168.1.1"}, 403, "mcp.allowed_hosts"},
		{"own origin", map[string]string{"Origin": "http://localhost:8080"}, 200, "result"},
		{"allowed origin", map[string]string{"Origin": "https://app.example"}, 200, "result"},
		{"own page", map[string]string{"Origin": "http://localhost:8080", "Sec-Fetch-Site": "same-origin"}, 200, "result"},
		{"page of another port", map[string]string{"Origin": "http://localhost:3000", "Sec-Fetch-Site": "same-site"}, 403, "mcp.allowed_origins"},
		{"page of another loopback name", map[string]string{"Origin": "http://127.0.0.1:8080", "Sec-Fetch-Site": "cross-site"}, 403, "mcp.allowed_origins"},
		{"allowed page", map[string]string{"Origin": "https://app.example", "Sec-Fetch-Site": "cross-site"}, 200, "result"},
		{"foreign origin", map[string]string{"Origin": "http://evil.example"}, 403, "mcp.allowed_origins"},
		{"hidden origin", map[string]string{"Origin": "null"}, 403, "mcp.allowed_origins"},
		{"origin that looks like ours", map[string]string{"Origin": "http://localhost@evil.example"}, 403, "mcp.allowed_origins"},
		{"origin of no page", map[string]string{"Origin": "file://localhost"}, 403, "mcp.allowed_origins"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			for _, path := range []string{"/mcp", "/mcp/"} {
				res, body := ask(t, srv, http.MethodPost, path, ping, tc.header)
				if res.StatusCode != tc.status || !strings.Contains(body, tc.says) || !json.Valid([]byte(body)) {
					t.Errorf("%s: %d %s", path, res.StatusCode, body)
				}
				for name := range res.Header {
					if strings.HasPrefix(name, "Access-Control-") || name == "Mcp-Session-Id" {
						t.Errorf("%s: the answer has the header %s", path, name)
					}
				}
			}
		})
	}
}

func TestBodyIsBounded(t *testing.T) {
	t.Parallel()
	srv := site(t, nil)
	big := `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":"` + strings.Repeat("x", 5<<20) + `"}}`
	res, body := ask(t, srv, http.MethodPost, "/mcp", big, nil)
	if res.StatusCode != http.StatusRequestEntityTooLarge || !strings.Contains(body, "4 MiB") {
		t.Errorf("%d %.200s", res.StatusCode, body)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL+"/mcp", io.MultiReader(strings.NewReader(big))) // of unknown length
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	chunked, err := http.DefaultClient.Do(req)
	if err != nil {
		return // cut off while sending
	}
	defer chunked.Body.Close()
	if chunked.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("of unknown length: %d", chunked.StatusCode)
	}
}

func TestMCPTakesPostsOfJSONAlone(t *testing.T) {
	t.Parallel()
	srv := site(t, nil)
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete, http.MethodOptions} {
		if res, _ := ask(t, srv, method, "/mcp", "", nil); res.StatusCode != http.StatusMethodNotAllowed || res.Header.Get("Allow") != "POST" {
			t.Errorf("%s: %d", method, res.StatusCode)
		}
	}
	res, body := ask(t, srv, http.MethodPost, "/mcp", ping, map[string]string{"Content-Type": "text/plain"})
	if res.StatusCode != http.StatusUnsupportedMediaType || !json.Valid([]byte(body)) {
		t.Errorf("text: %d %s", res.StatusCode, body)
	}
}

func TestDeepJSONIsAnswered(t *testing.T) {
	t.Parallel()
	srv := site(t, nil)
	for _, body := range []string{strings.Repeat("[", 10_000), `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"execute_task","arguments":{"workspace":"w","task_name":"t","input":` +
		strings.Repeat(`{"a":`, 10_000) + "1" + strings.Repeat("}", 10_000) + "}}}"} {
		res, text := ask(t, srv, http.MethodPost, "/mcp", body, nil)
		if res.StatusCode >= 500 {
			t.Errorf("%d %.200s", res.StatusCode, text)
		}
	}
}

func TestSessionsAndStreamsDoNotExist(t *testing.T) {
	t.Parallel()
	srv := site(t, nil)
	if res, _ := ask(t, srv, http.MethodGet, "/mcp", "", nil); res.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", res.StatusCode)
	}
	res, body := ask(t, srv, http.MethodPost, "/mcp", ping, map[string]string{"Mcp-Session-Id": "forged"})
	if res.StatusCode != http.StatusOK || !strings.Contains(body, "result") {
		t.Errorf("forged session: %d %s", res.StatusCode, body)
	}
}

func TestHeaderThatContradictsTheBodyIsRefused(t *testing.T) {
	t.Parallel()
	srv := site(t, nil)
	body := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_jobs","arguments":{},"_meta":{` +
		`"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"t","version":"1"},` +
		`"io.modelcontextprotocol/clientCapabilities":{}}}}`
	res, text := ask(t, srv, http.MethodPost, "/mcp", body,
		map[string]string{"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": "list_tasks"})
	if res.StatusCode != http.StatusBadRequest || !strings.Contains(text, "-32020") {
		t.Errorf("%d %s", res.StatusCode, text)
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	srv := site(t, nil)
	off := site(t, func(c *web.Config) { c.MCP = nil })
	for _, tc := range []struct {
		srv    *httptest.Server
		path   string
		status int
		says   string
	}{
		{srv, "/", 200, "claude mcp add --transport http stroem http://127.0.0.1:8080/mcp"},
		{off, "/", 200, "mcp.enabled: true"},
		{off, "/mcp", 404, "mcp.enabled: true"},
		{srv, "/llms.txt", 200, "execute_task {"},
		{off, "/llms.txt", 404, "mcp.enabled: true"},
		{srv, "/healthz", 200, `{"db":"ok","status":"ok"}`},
		{srv, "/nowhere", 404, `"error"`},
		{srv, "/mcp/deeper", 404, `"error"`},
	} {
		res, body := ask(t, tc.srv, http.MethodGet, tc.path, "", nil)
		if res.StatusCode != tc.status || !strings.Contains(body, tc.says) {
			t.Errorf("%s: %d %s", tc.path, res.StatusCode, body)
		}
	}
}

func TestUnhealthyStoreIsSaid(t *testing.T) {
	t.Parallel()
	var st *store.Store
	srv := site(t, func(c *web.Config) { st = c.Plane.Store })
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	if res, body := ask(t, srv, http.MethodGet, "/healthz", "", nil); res.StatusCode != 503 || !strings.Contains(body, "unhealthy") {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	// What a tool cannot tell its caller is a reference, and nothing of the inside.
	_, body := ask(t, srv, http.MethodPost, "/mcp", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_jobs","arguments":{}}}`, nil)
	if !strings.Contains(body, "internal error (reference ") || strings.Contains(body, "sql") {
		t.Errorf("%s", body)
	}
}

func TestPanicIsAnsweredWithAReference(t *testing.T) {
	t.Parallel()
	srv := site(t, func(c *web.Config) {
		c.MCP = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("the inside") })
	})
	res, body := ask(t, srv, http.MethodPost, "/mcp", ping, nil)
	if res.StatusCode != 500 || !strings.Contains(body, "reference") || strings.Contains(body, "the inside") {
		t.Errorf("%d %s", res.StatusCode, body)
	}
}
