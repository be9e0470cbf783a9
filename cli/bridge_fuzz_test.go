//go:build unix

package cli_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"stroem/cli"
	"stroem/mcpsrv"
)

// saying is an answer that a server gives, whatever it is asked.
type saying struct {
	status int
	kind   string
	body   []byte
}

// A host may say anything, and what the bridge reaches may answer anything: the
// host hears messages of JSON-RPC, one a line, and the bridge ends with its
// input. A server of ours answers each request once.
func FuzzBridge(f *testing.F) {
	dir := f.TempDir()
	write(f, dir, "w.yaml", "tasks: {t: {input: {x: {type: string}}, flow: {s: {type: script, script: 'true'}}}}\n")
	ours := serve(f, f.TempDir(), f.TempDir(), config(f, "w", dir))
	var says atomic.Pointer[saying]
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		s := says.Load()
		w.Header().Set("Content-Type", s.kind)
		w.WriteHeader(s.status)
		_, _ = w.Write(s.body) // the bridge may be gone
	}))
	f.Cleanup(other.Close)
	for _, line := range hostSays() {
		f.Add([]byte(line+"\n"), []byte(nil), uint8(0))
	}
	f.Add([]byte(strings.Join(hostSays(), "\n")), []byte(nil), uint8(0))
	f.Add([]byte(initialize+"\n"+toolCall(2, "list_jobs", "{}")), []byte(`{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-11-25"}}`), uint8(1))
	f.Add([]byte(toolCall(2, "list_jobs", "{}")), []byte("event: message\ndata: {\"jsonrpc\":\"2.0\",\ndata: \"id\":2,\"result\":{}}\n\n"), uint8(2))
	f.Add([]byte(initialize), []byte("<html>"), uint8(3))
	f.Fuzz(func(t *testing.T, said, answer []byte, how uint8) {
		base := other.URL
		switch how % 4 {
		case 0:
			base = ours.url
		case 1:
			says.Store(&saying{http.StatusOK, "application/json", answer})
		case 2:
			says.Store(&saying{http.StatusOK, "text/event-stream", answer})
		case 3:
			says.Store(&saying{http.StatusBadGateway, "text/html", answer})
		}
		var heard bytes.Buffer
		began := time.Now()
		if err := cli.Bridge(t.Context(), base, bytes.NewReader(said), &heard); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("it took %s to end", took)
		}
		ids := answersIn(t, heard.String())
		if want, sure := requestsIn(said); how%4 == 0 && sure && !slices.Equal(ids, want) {
			t.Errorf("requests %q are answered with %q", want, heard.String())
		}
	})
}

// answersIn are the ids of the answers that a host hears, in order.
func answersIn(t *testing.T, heard string) (ids []string) {
	t.Helper()
	for line := range strings.Lines(heard) {
		var m struct {
			JSONRPC, Method string
			ID              any
		}
		if err := json.Unmarshal([]byte(line), &m); err != nil || m.JSONRPC != "2.0" || !strings.HasSuffix(line, "\n") {
			t.Errorf("the host hears %q", line)
		}
		if m.Method == "" && m.ID != nil {
			ids = append(ids, fmt.Sprint(m.ID))
		}
	}
	slices.Sort(ids)
	return ids
}

// requestsIn are the ids of the requests that a host makes, in order. It is
// sure of them where the host says nothing else, and cancels and awaits nothing.
func requestsIn(said []byte) (ids []string, sure bool) {
	for line := range bytes.Lines(said) {
		var m map[string]json.RawMessage
		if json.Unmarshal(line, &m) != nil {
			return nil, false
		}
		for name := range m {
			if !slices.Contains([]string{"jsonrpc", "id", "method", "params"}, name) {
				return nil, false
			}
		}
		id := plainID(m["id"])
		if id == "" || slices.Contains(ids, id) {
			return nil, false
		}
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids, !slices.ContainsFunc([]string{"wait_seconds", "subscriptions/listen", "notifications"},
		func(word string) bool { return bytes.Contains(said, []byte(word)) })
}

// plainID is an id as an answer has to bear it, "" if none can.
func plainID(doc json.RawMessage) string {
	var id any
	_ = json.Unmarshal(doc, &id) // none if it is not there
	switch v := id.(type) {
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return fmt.Sprint(v)
		}
	case string:
		if !strings.Contains(v, "\uFFFD") {
			return v
		}
	}
	return ""
}

// hostSays are a call of each tool, as the guide shows it, and other lines.
func hostSays() (lines []string) {
	for i, m := range regexp.MustCompile(`(?m)^([a-z_]+) (\{.*\})$`).FindAllStringSubmatch(mcpsrv.Guide(), -1) {
		args := strings.NewReplacer(`"ops"`, `"w"`, `"deploy"`, `"t"`, `"version"`, `"x"`, `,"wait_seconds":50`, "").Replace(m[2])
		lines = append(lines, toolCall(i+10, m[1], args))
	}
	return append(lines, initialize, `{"jsonrpc":"2.0","method":"notifications/initialized"}`, `{"jsonrpc":"2.0","id":"l","method":"tools/list"}`,
		`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2}}`,
		`{"jsonrpc":"2.0","id":3,"method":"server/discover","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",`+
			`"io.modelcontextprotocol/clientInfo":{"name":"t","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}}}`,
		`{"jsonrpc":"2.0","id":4,"method":"ping","params":[1]}`, `{"jsonrpc":"2.0","id":{"a":1},"method":"ping"}`, `{"id":5}`,
		`[`+initialize+`]`, "no JSON", "\x00\xff", `{"jsonrpc":"2.0","id":6,"method":"initialize"`, "")
}
