package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"stroem/mcpsrv"
)

// A message may be anything: the server answers it in the time of a breath,
// with what its status says, and to the right id.
func FuzzMCP(f *testing.F) {
	h := site(f, nil).Config.Handler
	for _, m := range messages() {
		f.Add([]byte(m), "", "", "", "application/json", uint16(0))
		var says struct {
			Method string
			Params struct{ Name string }
		}
		_ = json.Unmarshal([]byte(m), &says) // some are no messages
		f.Add([]byte(modern(m)), says.Method, says.Params.Name, "2026-07-28", "application/json; charset=utf-8", uint16(0))
	}
	f.Add([]byte(modern(ping)), "tools/list", "deploy", "2025-11-25", "text/plain", uint16(0))
	f.Fuzz(func(t *testing.T, body []byte, method, name, version, kind string, swap uint16) {
		if changed := swapped(body, int(swap)); changed != nil {
			body = changed
		}
		header := http.Header{"Content-Type": {kind}, "Accept": {"application/json, text/event-stream"},
			"Mcp-Method": {method}, "Mcp-Name": {name}, "Mcp-Protocol-Version": {version}}
		for key, values := range header {
			if values[0] == "" {
				header.Del(key)
			}
		}
		putMessage(t, h, body, header)
	})
}

// Any value may stand anywhere in a message: a third of all that swapped makes
// is tried, of each place.
func TestAnyValueMayStandAnywhere(t *testing.T) {
	t.Parallel()
	h := site(t, nil).Config.Handler
	tried := 0
	for _, m := range messages() {
		for n := 1; ; n += 3 {
			body := swapped([]byte(m), n)
			if body == nil {
				break
			}
			tried++
			putMessage(t, h, body, http.Header{"Content-Type": {"application/json"}})
		}
	}
	t.Logf("%d messages", tried)
}

// putMessage hands a message to the server, and looks at its answer.
func putMessage(t *testing.T, h http.Handler, body []byte, header http.Header) {
	t.Helper()
	patience := time.Minute
	if bytes.Contains(body, []byte("wait_seconds")) || bytes.Contains(body, []byte("subscriptions/listen")) {
		patience = 50 * time.Millisecond // what may take long, or has no end, is left
	}
	ctx, leave := context.WithTimeout(t.Context(), patience)
	defer leave()
	began := time.Now()
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "http://127.0.0.1/mcp", bytes.NewReader(body))
	r.Header = header
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if took := time.Since(began); took > answerIn() {
		t.Errorf("%.300s took %s", body, took)
	}
	if ctx.Err() == nil {
		checkAnswer(t, body, w)
	}
}

// strange are values that may stand in a place where others are meant to.
var strange = []any{nil, true, -1, 0, 1e308, json.Number("9223372036854775808"), "", "\x00", "../../etc/passwd", "\u202e\U000e0041", "null", "{",
	strings.Repeat("x", 70_000), []any{}, []any{1}, map[string]any{}, map[string]any{"name": map[string]any{"": nil}}}

// swapped is the n-th of the documents that doc becomes with a strange value in
// the place of one of its own, counted from 1; nil if there are fewer.
func swapped(doc []byte, n int) []byte {
	var v any
	if n == 0 || json.Unmarshal(doc, &v) != nil {
		return nil
	}
	place, left := strange[(n-1)%len(strange)], (n-1)/len(strange)
	v = swapAt(v, &left, place)
	if left >= 0 {
		return nil
	}
	out, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	return out
}

// swapAt is v with other in its left-th place. It counts left down to -1.
func swapAt(v any, left *int, other any) any {
	if *left--; *left == -1 {
		return other
	}
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if *left >= 0 {
				v[name] = swapAt(v[name], left, other)
			}
		}
	case []any:
		for i := range v {
			if *left >= 0 {
				v[i] = swapAt(v[i], left, other)
			}
		}
	}
	return v
}

// answerIn is how long an answer may take: where the machine has much to do at
// once, as among other tests, only what hangs takes longer.
func answerIn() time.Duration {
	if slices.ContainsFunc(os.Args, func(arg string) bool { return strings.HasPrefix(arg, "-test.fuzz=") }) {
		return time.Second
	}
	return 20 * time.Second
}

// messages are a call of each tool, as the guide shows it, and others of all kinds.
func messages() (all []string) {
	for _, m := range regexp.MustCompile(`(?m)^([a-z_]+) (\{.*\})$`).FindAllStringSubmatch(mcpsrv.Guide(), -1) {
		all = append(all, toolCall(m[1], m[2]), toolCall(m[1], strings.ReplaceAll(strings.ReplaceAll(m[2], "ops", "w"), "deploy", "hello")))
	}
	return append(all, ping, `{"jsonrpc":"2.0","id":"x","method":"tools/list","params":{"cursor":"x"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`,
		`{"jsonrpc":"2.0","method":"notifications/initialized"}`, `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`,
		`{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{}}`, `{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{"notifications":{"toolsListChanged":true}}}`,
		`{"jsonrpc":"2.0","id":1,"method":"resources/list"}`, `{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"stroem://x"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{"name":"x"}}`, `{"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{"level":"debug"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{"ref":{"type":"ref/prompt","name":"x"},"argument":{"name":"a","value":"b"}}}`,
		`{"jsonrpc":"2.0","id":1,"method":"tasks/get","params":{"taskId":"x"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"execute_task","arguments":{"workspace":"w","task_name":"hello","input":"{\"name\":\"x\"}","wait_seconds":1},"_meta":{"progressToken":"p"}}}`,
		`{"jsonrpc":"2.0","id":1,"result":{}}`, `[`+ping+`]`, `{}`, `7`, ``, "\x00", strings.Repeat(`[`, 10_001), `{"jsonrpc":"2.0","id":1e300,"method":"ping"}`)
}

// modern is a message of revision 2026-07-28.
func modern(m string) string {
	const meta = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"t","version":"1"},` +
		`"io.modelcontextprotocol/clientCapabilities":{}}`
	if !strings.Contains(m, `"params":{`) {
		return strings.TrimSuffix(m, "}") + `,"params":{` + meta + `}}`
	}
	return strings.Replace(strings.Replace(m, `"params":{`, `"params":{`+meta+`,`, 1), ",}", "}", 1)
}

// rpcAnswer is an answer of JSON-RPC.
type rpcAnswer struct {
	JSONRPC string
	ID      any
	Method  string
	Result  json.RawMessage
	Error   *struct {
		Code    int
		Message string
	}
}

// checkAnswer looks whether the answer is one to that message.
func checkAnswer(t *testing.T, body []byte, w *httptest.ResponseRecorder) {
	t.Helper()
	text := w.Body.String()
	switch w.Code {
	case http.StatusAccepted:
		if id := idOf(body); id != nil || text != "" {
			t.Errorf("a request of id %v was taken as a notification, with %q", id, text)
		}
		return
	case http.StatusUnsupportedMediaType, http.StatusRequestEntityTooLarge:
		var told struct{ Error string }
		if err := json.Unmarshal([]byte(text), &told); err != nil || told.Error == "" {
			t.Errorf("%d %q", w.Code, text)
		}
		return
	case http.StatusOK, http.StatusBadRequest, http.StatusNotFound:
	default:
		t.Errorf("status %d: %s", w.Code, text)
		return
	}
	if strings.HasPrefix(w.Header().Get("Content-Type"), "text/event-stream") {
		events := strings.Split(strings.TrimSpace(text), "data: ")
		text = events[len(events)-1]
	}
	var got rpcAnswer
	if err := json.Unmarshal([]byte(text), &got); err != nil || got.JSONRPC != "2.0" || got.Method != "" || (got.Result == nil) == (got.Error == nil) {
		t.Fatalf("%d, and no answer: %q %v", w.Code, text, err)
	}
	if want := idOf(body); !reflect.DeepEqual(got.ID, want) {
		t.Errorf("the answer to %v is one to %v: %q: %s", want, got.ID, body, text)
	}
	switch codes := []int{-32700, -32600, -32601, -32602, -32020, -32021, -32022}; {
	case got.Error == nil && w.Code != http.StatusOK, got.Error != nil && !slices.Contains(codes, got.Error.Code),
		w.Code == http.StatusNotFound && got.Error.Code != -32601, w.Code == http.StatusBadRequest && got.Error.Code == -32601:
		t.Errorf("status %d with %s", w.Code, text)
	}
}

// idOf is the id of a request as an answer has to bear it.
func idOf(body []byte) any {
	var m map[string]json.RawMessage
	var id any
	if json.Unmarshal(body, &m) != nil || json.Unmarshal(m["id"], &id) != nil {
		return nil
	}
	switch v := id.(type) {
	case string:
		if strings.Contains(v, "\uFFFD") {
			return nil
		}
	case float64:
		if v != float64(int64(v)) || v >= 1<<53 || v <= -1<<53 {
			return nil
		}
	default:
		return nil
	}
	return id
}
