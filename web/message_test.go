package web_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
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
	// Other members say nothing, however much they look like one that does.
	if _, body := ask(t, srv, http.MethodPost, "/mcp", `{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/list","ID":2,"x":{}}`, nil); body != `{"jsonrpc":"2.0","id":1,"result":{}}`+"\n" {
		t.Errorf("a ping with foreign members is answered with %s", body)
	}
	for _, id := range []string{`"a"`, `""`, `0`, `-7`, `9007199254740991`} {
		if _, body := ask(t, srv, http.MethodPost, "/mcp", strings.Replace(ping, `"id":1`, `"id":`+id, 1), nil); !strings.Contains(body, `"id":`+id+`,"result"`) {
			t.Errorf("id %s is answered with %s", id, body)
		}
	}
}

// A tool that there is not is an error of the protocol, which names the one that
// was probably meant.
func TestUnknownToolsAreGuessed(t *testing.T) {
	t.Parallel()
	srv := site(t, nil)
	for name, want := range map[string]string{
		"lst_tasks": `no tool \"lst_tasks\"; did you mean \"list_tasks\"?"`, "Get-Task": `did you mean \"get_task\"?"`,
		"deploy": `no tool \"deploy\"; tools/list shows them all"`, "": `no tool \"\"; tools/list`,
		strings.Repeat("x", 1<<20): `x… (1048576 bytes in all)\"; tools/list shows them all"`,
	} {
		res, body := ask(t, srv, http.MethodPost, "/mcp", toolCall(name, "{}"), nil)
		if res.StatusCode != http.StatusOK || len(body) > 1<<10 || !strings.Contains(body, `"id":1,"error":{"code":-32602,`) || !strings.Contains(body, want) {
			t.Errorf("%.20q: %d %.500s", name, res.StatusCode, body)
		}
	}
	const modern = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"lst_jobs","arguments":{},"_meta":{` +
		`"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}`
	res, body := ask(t, srv, http.MethodPost, "/mcp", modern, map[string]string{"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": "lst_jobs"})
	if res.StatusCode != http.StatusBadRequest || !strings.Contains(body, `did you mean \"list_jobs\"?"`) {
		t.Errorf("of 2026-07-28: %d %s", res.StatusCode, body)
	}
}

// A large message costs the same whatever its characters are: none is written
// longer than it came.
func TestMarkupIsNotBlownUp(t *testing.T) {
	srv := site(t, nil)
	cost := func(of string) uint64 {
		body := toolCall("list_tasks", `{"search":"`+strings.Repeat(of, 3<<20)+`"}`)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if res, answer := ask(t, srv, http.MethodPost, "/mcp", body, nil); res.StatusCode != http.StatusOK {
			t.Fatal(res.StatusCode, answer)
		}
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	cost("x") // what is made once
	if plain, markup := cost("x"), cost("<"); markup > plain+plain/4 {
		t.Errorf("3 MiB of < cost %d bytes of memory, of x %d", markup, plain)
	}
}

// Of many small values there is a bound, since each takes far more memory than
// its bytes; of commas and brackets within a text there is none.
func TestAMessageHoldsSoManyValues(t *testing.T) {
	srv := site(t, nil)
	message := func(x string) string {
		return `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"x":` + x + `}}}`
	}
	many := "[" + strings.Repeat("[],", 1_300_000) + "1]"
	for path, doc := range map[string]string{
		"/mcp":                                  message(many),
		"/api/workspaces/w/tasks/hello/execute": `{"input":{"name":` + many + `}}`,
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		res, body := ask(t, srv, http.MethodPost, path, doc, nil)
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; res.StatusCode != http.StatusBadRequest || !strings.Contains(body, "at most 100000 values") || used > 64<<20 {
			t.Errorf("%s: %d bytes of memory, answered with %d %s", path, used, res.StatusCode, body)
		}
	}
	quoted, err := json.Marshal(`{"name":[` + strings.Repeat("1,", 200_000) + "1]}")
	if err != nil {
		t.Fatal(err)
	}
	call := toolCall("execute_task", `{"workspace":"w","task_name":"hello","input":`+string(quoted)+`}`)
	if _, body := ask(t, srv, http.MethodPost, "/mcp", call, nil); !strings.Contains(body, `"isError":true`) || !strings.Contains(body, "at most 100000 values") {
		t.Errorf("an input as a text is answered with %s", body)
	}
	for _, x := range []string{"[" + strings.Repeat("[],", 40_000) + "1]", `"` + strings.Repeat(`,[{\"`, 600_000) + `"`} {
		if res, body := ask(t, srv, http.MethodPost, "/mcp", message(x), nil); res.StatusCode != http.StatusOK {
			t.Errorf("%.10s is answered with %d %s", x, res.StatusCode, body)
		}
	}
}
