package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
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

// Clients number their requests from 1, each its own: one that cancels its
// first request leaves everybody else's alone.
func TestACancelEndsNobodyElsesCall(t *testing.T) {
	t.Parallel()
	srv := site(t, nil)
	answered := make(chan string, 1)
	go func() {
		_, body := ask(t, srv, http.MethodPost, "/mcp", toolCall("execute_task", `{"workspace":"w","task_name":"waits","wait_seconds":50}`), nil)
		answered <- body
	}()
	var list struct {
		Items []struct {
			ID string `json:"job_id"`
		}
	}
	for len(list.Items) == 0 {
		_, body := ask(t, srv, http.MethodGet, "/api/jobs?status=running", "", nil)
		if err := json.Unmarshal([]byte(body), &list); err != nil {
			t.Fatal(err)
		}
	}
	res, _ := ask(t, srv, http.MethodPost, "/mcp", `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`, nil)
	if res.StatusCode != http.StatusAccepted {
		t.Errorf("cancel: %d", res.StatusCode)
	}
	if res, body := ask(t, srv, http.MethodPost, "/api/jobs/"+list.Items[0].ID+"/cancel", "", nil); res.StatusCode != http.StatusOK {
		t.Errorf("cancel the job: %d %s", res.StatusCode, body)
	}
	if body := <-answered; !strings.Contains(body, `\"status\":\"cancelled\"`) {
		t.Errorf("the call of another client was answered with %s", body)
	}
}

func toolCall(tool, args string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":%q,"arguments":%s}}`, tool, args)
}

// What is no message is refused with a code and a sentence, by the rules of
// JSON-RPC, and nothing of it is done.
func TestMessagesAreReadStrictly(t *testing.T) {
	t.Parallel()
	srv := site(t, nil)
	for _, tc := range []struct{ body, version, want string }{
		{body: `{`, want: `"id":null,"error":{"code":-32700,"message":"the message is not JSON`},
		{body: "", want: `"code":-32700`},
		{body: `[` + ping + `]`, want: `"id":null,"error":{"code":-32600,"message":"a message is one JSON object; batches are not spoken here"`},
		{body: `null`, want: `"code":-32600`},
		{body: `{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/list"}`, want: `-32600,"message":"a message has no member \"Method\""`},
		{body: `{"jsonrpc":"1.0","id":1,"method":"ping"}`, want: `"id":1,"error":{"code":-32600,"message":"a message has \"jsonrpc\": \"2.0\""`},
		{body: `{"jsonrpc":"2.0","id":1.5,"method":"ping"}`, want: `"id":null,"error":{"code":-32600,"message":"the id of a request is a string or a whole number"`},
		{body: `{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}`, want: `"id":null,"error":{"code":-32600`},
		{body: `{"jsonrpc":"2.0","id":"\ud800","method":"ping"}`, want: `"id":null,"error":{"code":-32600`},
		{body: `{"jsonrpc":"2.0","id":null,"method":"ping"}`, want: `"id":null,"error":{"code":-32600`},
		{body: `{"jsonrpc":"2.0","id":{},"method":"ping"}`, want: `"id":null,"error":{"code":-32600`},
		{body: `{"jsonrpc":"2.0","method":"tools/list"}`, want: `"code":-32600,"message":"a request has an id, by which its answer is known"`},
		{body: `{"jsonrpc":"2.0","id":1,"method":5}`, want: `"id":1,"error":{"code":-32600,"message":"a message has a method, which is a string"`},
		{body: `{"jsonrpc":"2.0","id":1,"result":{}}`, want: `"id":1,"error":{"code":-32600,"message":"this server asks its clients nothing`},
		{body: `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":[1]}`, want: `"id":1,"error":{"code":-32602,"message":"params is an object"`},
		{body: ping, version: "2020-01-01", want: `"id":1,"error":{"code":-32022,`},
	} {
		res, body := ask(t, srv, http.MethodPost, "/mcp", tc.body, map[string]string{"MCP-Protocol-Version": tc.version})
		if res.StatusCode != http.StatusBadRequest || !strings.Contains(body, tc.want) || !json.Valid([]byte(body)) {
			t.Errorf("%s\n got %d %s\nwant %s", tc.body, res.StatusCode, body, tc.want)
		}
	}
	for _, id := range []string{`"a"`, `""`, `0`, `-7`, `9007199254740991`} {
		if _, body := ask(t, srv, http.MethodPost, "/mcp", strings.Replace(ping, `"id":1`, `"id":`+id, 1), nil); !strings.Contains(body, `"id":`+id+`,"result"`) {
			t.Errorf("id %s is answered with %s", id, body)
		}
	}
}

// A message may be anything: the server answers it in the time of a breath,
// with what its status says, and to the right id.
func FuzzMCP(f *testing.F) {
	h := site(f, nil).Config.Handler
	for _, m := range messages() {
		f.Add([]byte(m), "", "", "", "application/json")
		var says struct {
			Method string
			Params struct{ Name string }
		}
		_ = json.Unmarshal([]byte(m), &says) // some are no messages
		f.Add([]byte(modern(m)), says.Method, says.Params.Name, "2026-07-28", "application/json; charset=utf-8")
	}
	f.Add([]byte(modern(ping)), "tools/list", "deploy", "2025-11-25", "text/plain")
	f.Fuzz(func(t *testing.T, body []byte, method, name, version, kind string) {
		header := http.Header{"Content-Type": {kind}, "Accept": {"application/json, text/event-stream"},
			"Mcp-Method": {method}, "Mcp-Name": {name}, "Mcp-Protocol-Version": {version}}
		for key, values := range header {
			if values[0] == "" {
				header.Del(key)
			}
		}
		// A call may wait, and a subscription has no end: their callers leave.
		ctx, leave := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer leave()
		began := time.Now()
		r := httptest.NewRequestWithContext(ctx, http.MethodPost, "http://127.0.0.1/mcp", bytes.NewReader(body))
		r.Header = header
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if took := time.Since(began); took > answerIn() {
			t.Errorf("it took %s", took)
		}
		if ctx.Err() == nil {
			checkAnswer(t, body, w)
		}
	})
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
		t.Errorf("the answer to %v is one to %v", want, got.ID)
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
	for name := range m { // what is no message has no id
		if !slices.Contains([]string{"jsonrpc", "id", "method", "params", "result", "error"}, name) {
			return nil
		}
	}
	return id
}
