package web_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// A call that is repeated with the same Idempotency-Key is one job, however the
// key is written; a key that cannot be read starts nothing.
func TestExecuteOnce(t *testing.T) {
	t.Parallel()
	srv := site(t, nil)
	const path, input = "/api/workspaces/w/tasks/hello/execute", `{"input":{"name":"hush"}}`
	send := func(body string, keys ...string) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header = http.Header{"Content-Type": {"application/json"}, "Idempotency-Key": keys}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		said, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(said)
	}
	_, first := send(input, `"a \"b\\"`)
	for body, key := range map[string]string{input: `"a \"b\\"`, `{ "input": {"name": "hush"} }`: `"a \"b\\"`} {
		if status, again := send(body, key); status != 200 || again != first {
			t.Errorf("%s again: %d %s, not %s", key, status, again, first)
		}
	}
	if _, bare := send(input, "abc"); bare == first {
		t.Error("another key gave the first job")
	} else if _, quoted := send(input, `"abc"`); quoted != bare {
		t.Errorf("abc gave %s, \"abc\" %s", bare, quoted)
	}
	if _, said := ask(t, srv, http.MethodPost, "/mcp", toolCall("execute_task", `{"workspace":"w","task_name":"hello","input":{"name":"hush"},"idempotency_key":"a \"b\\"}`), nil); !strings.Contains(said, strings.Split(first, `"`)[3]) {
		t.Errorf("over MCP: %s, not %s", said, first)
	}
	if status, said := send(`{"input":{"name":"other"}}`, "abc"); status != 409 || !strings.Contains(said, `\"abc\" was used for another call`) {
		t.Errorf("another input: %d %s", status, said)
	}
	for _, keys := range [][]string{{""}, {`"`}, {`""`}, {`"a`}, {`"a"b"`}, {`"a\b"`}, {`"a\"`}, {`"a";p=1`}, {`a"b`}, {"é"}, {"a\tb"}, {`"a"`, `"a"`}, {strings.Repeat("k", 201)}} {
		if status, said := send(input, keys...); status != 400 || !strings.Contains(said, "dempotency") {
			t.Errorf("%q: %d %s", keys, status, said)
		}
	}
	if _, said := ask(t, srv, http.MethodGet, "/api/jobs", "", nil); !strings.Contains(said, `"total":2`) {
		t.Error(said)
	}
}
