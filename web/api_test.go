package web_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// start executes a task and returns the job's id.
func start(t *testing.T, srv *httptest.Server, task, input string) string {
	t.Helper()
	res, body := ask(t, srv, http.MethodPost, "/api/workspaces/w/tasks/"+task+"/execute", input, nil)
	var out struct {
		ID string `json:"job_id"`
	}
	if err := json.Unmarshal([]byte(body), &out); err != nil || res.StatusCode != 200 || out.ID == "" {
		t.Fatalf("%d %s", res.StatusCode, body)
	}
	return out.ID
}

// event is one server-sent event.
type event struct{ name, id, data string }

// stream reads events until stop says so or the stream ends.
func stream(t *testing.T, srv *httptest.Server, path string, header map[string]string, stop func(event) bool) (list []event) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range header {
		req.Header.Set(k, v)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != 200 || res.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%d %s", res.StatusCode, res.Header.Get("Content-Type"))
	}
	e := event{name: "message"}
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		field, value, _ := strings.Cut(lines.Text(), ": ")
		switch field {
		case "event":
			e.name = value
		case "id":
			e.id = value
		case "data":
			e.data = value
		case "":
			list = append(list, e)
			if stop(e) {
				return list
			}
			e = event{name: "message"}
		}
	}
	return list
}

func never(event) bool { return false }

// wait waits for the job's end.
func wait(t *testing.T, srv *httptest.Server, id string) {
	t.Helper()
	if list := stream(t, srv, "/api/jobs/"+id+"/logs/stream", nil, never); len(list) == 0 || list[len(list)-1].name != "end" {
		t.Fatalf("%v", list)
	}
}

func TestStreamTellsEverythingOnceAndIsResumed(t *testing.T) {
	t.Parallel()
	srv := site(t, nil)
	id := start(t, srv, "hello", `{"input":{"name":"Ada"}}`)
	path := "/api/jobs/" + id + "/logs/stream"
	lines := func(list []event) (texts []string) {
		for _, e := range list {
			var l struct{ Stream, Step, Line string }
			if e.name == "message" && json.Unmarshal([]byte(e.data), &l) == nil {
				texts = append(texts, fmt.Sprint(e.id, " ", l.Stream, " ", l.Step, " ", l.Line))
			}
		}
		return texts
	}
	all := []string{"1 stderr say Hello Ada", "2 stdout then-more shared"}
	list := stream(t, srv, path, nil, never)
	if diff := cmp.Diff(all, lines(list)); diff != "" {
		t.Error(diff)
	}
	if last := list[len(list)-2]; last.name != "job" || !strings.Contains(last.data, `"status":"completed"`) || list[len(list)-1].name != "end" {
		t.Errorf("the stream ends with %+v", list[len(list)-2:])
	}
	for _, resumed := range [][]event{
		stream(t, srv, path+"?after=1", nil, never),
		stream(t, srv, path, map[string]string{"Last-Event-ID": "1"}, never),
		stream(t, srv, path+"?tail=1", nil, never),
	} {
		if diff := cmp.Diff(all[1:], lines(resumed)); diff != "" {
			t.Errorf("resumed: %s", diff)
		}
	}
}

func TestLogIsChosenFrom(t *testing.T) {
	t.Parallel()
	srv := site(t, nil)
	id := start(t, srv, "talks", ``)
	wait(t, srv, id)
	for query, want := range map[string]string{
		"/logs":                              "one two three four other",
		"/logs?tail=2":                       "four other",
		"/logs?from=1&to=3":                  "two three",
		"/logs?to=3&tail=1":                  "three",
		"/logs?grep=^t":                      "two three",
		"/logs?grep=o&tail=2":                "four other",
		"/logs?stream=stderr":                "three four",
		"/logs?stream=stdout&grep=(?i)E$":    "one",
		"/steps/first/logs?tail=1":           "four",
		"/steps/last/logs?from=0&to=1":       "other",
		"/steps/last/logs?from=1":            "",
		"/steps/last/logs?grep=nothing":      "",
		"/steps/first/logs?stream=stderr":    "three four",
		"/steps/first/logs?from=2&grep=(.)$": "three four",
	} {
		res, body := ask(t, srv, http.MethodGet, "/api/jobs/"+id+query, "", nil)
		var doc struct{ Logs string }
		if err := json.Unmarshal([]byte(body), &doc); err != nil || res.StatusCode != 200 {
			t.Fatalf("%s: %d %s", query, res.StatusCode, body)
		}
		var got []string
		for lines := json.NewDecoder(strings.NewReader(doc.Logs)); ; {
			var l struct{ Line string }
			if lines.Decode(&l) != nil {
				break
			}
			got = append(got, l.Line)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	for query, says := range map[string]string{
		"?grep=(": "no regular expression", "?stream=both": "query.stream", "?tail=-1": "query.tail", "?from=x": "query.from", "?until=1": "query.until",
	} {
		if res, body := ask(t, srv, http.MethodGet, "/api/jobs/"+id+"/logs"+query, "", nil); res.StatusCode != 400 || !strings.Contains(body, says) {
			t.Errorf("%s: %d %s", query, res.StatusCode, body)
		}
	}
}

func TestStreamIsLive(t *testing.T) {
	t.Parallel()
	srv := site(t, nil)
	id := start(t, srv, "waits", ``)
	path := "/api/jobs/" + id + "/logs/stream"
	stream(t, srv, path, nil, func(e event) bool { return strings.Contains(e.data, `"line":"begun"`) })
	if res, body := ask(t, srv, http.MethodPost, "/api/jobs/"+id+"/cancel", "", nil); res.StatusCode != 200 || body != `{"status":"cancelled"}`+"\n" {
		t.Errorf("cancel: %d %s", res.StatusCode, body)
	}
	wait(t, srv, id)
	if res, _ := ask(t, srv, http.MethodPost, "/api/jobs/"+id+"/cancel", "", nil); res.StatusCode != http.StatusConflict {
		t.Errorf("second cancel: %d", res.StatusCode)
	}
}

func TestErrorsAreInStroemsShape(t *testing.T) {
	t.Parallel()
	srv := site(t, nil)
	const absent = "00000000-0000-4000-8000-000000000000"
	for _, tc := range []struct {
		method, path, body string
		status             int
		says               string
	}{
		{"GET", "/api/jobs/nonsense", "", 400, "Invalid job ID"},
		{"GET", "/api/jobs/" + absent, "", 404, absent},
		{"GET", "/api/jobs/" + absent + "/logs", "", 404, absent},
		{"GET", "/api/jobs/" + absent + "/logs/stream", "", 404, absent},
		{"POST", "/api/jobs/" + absent + "/cancel", "", 404, absent},
		{"GET", "/api/workspaces/x/tasks", "", 404, `no workspace \"x\"`},
		{"GET", "/api/workspaces/w/tasks/helo", "", 404, `did you mean \"hello\"?`},
		{"GET", "/api/workspaces/x/triggers", "", 404, "no workspace"},
		{"POST", "/api/workspaces/x/refresh", "", 404, "no workspace"},
		{"POST", "/api/workspaces/w/tasks/hello/execute", "", 400, `\"name\" is missing`},
		{"POST", "/api/workspaces/w/tasks/hello/execute", "{", 400, "error"},
		{"POST", "/api/workspaces/w/tasks/hello/execute", `{"inputs":{}}`, 400, "inputs"},
		{"POST", "/api/workspaces/w/tasks/hello/execute", `{"input":[]}`, 400, "must be a JSON object"},
		{"POST", "/api/workspaces/w/tasks/hello/execute", `{"source_job_id":"` + absent + `"}`, 400, "source_job_id"},
		{"GET", "/api/jobs?status=done", "", 400, "pending, running"},
		{"GET", "/api/jobs?limit=0", "", 400, "limit"},
		{"GET", "/api/jobs?task_name=hello", "", 400, "needs workspace"},
		{"GET", "/api/jobs?stat=failed", "", 400, "stat"},
		{"GET", "/api/nowhere", "", 404, "nothing at this address"},
		{"POST", "/api/workspaces/w/tasks/hello/execute", `{"input":{"name":"hush"},"x":1}`, 400, "body.x"},
		{"POST", "/api/workspaces/w/tasks/hello/execute", `{"input":{"name":"hush","n":1e400}`, 400, "error"},
		{"DELETE", "/api/jobs/" + absent, "", 405, "takes GET alone"},
		{"GET", "/api/workspaces/w/tasks/hello/execute", "", 405, "takes POST alone"},
	} {
		res, body := ask(t, srv, tc.method, tc.path, tc.body, nil)
		var shape map[string]string
		if err := json.Unmarshal([]byte(body), &shape); err != nil || len(shape) != 1 || shape["error"] == "" ||
			res.StatusCode != tc.status || !strings.Contains(body, tc.says) || strings.Contains(body, "hush") {
			t.Errorf("%s %s %s: %d %s", tc.method, tc.path, tc.body, res.StatusCode, body)
		}
	}
	res, body := ask(t, srv, http.MethodPost, "/api/workspaces/w/tasks/hello/execute", `{"input":{"name":"hush"}}`, map[string]string{"Content-Type": "text/plain"})
	if res.StatusCode != 415 || strings.Contains(body, "hush") || !strings.Contains(body, "application/json") {
		t.Errorf("text: %d %s", res.StatusCode, body)
	}
}

func TestRefreshIsBounded(t *testing.T) {
	t.Parallel()
	srv := site(t, nil)
	if res, body := ask(t, srv, http.MethodPost, "/api/workspaces/w/refresh", "", nil); res.StatusCode != 200 || !strings.Contains(body, `"refreshed":true`) {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	if res, _ := ask(t, srv, http.MethodPost, "/api/workspaces/w/refresh", "", nil); res.StatusCode != 429 || res.Header.Get("Retry-After") != "5" {
		t.Errorf("again: %d", res.StatusCode)
	}
}

// What the API says of itself is what it does: every operation is called, and
// its answer is what the description promises.
func TestAnswersAreAsDescribed(t *testing.T) {
	t.Parallel()
	srv := site(t, nil)
	id := start(t, srv, "hello", `{"input":{"name":"Ada","n":9007199254740993}}`)
	wait(t, srv, id)
	_, text := ask(t, srv, http.MethodGet, "/api/openapi.json", "", nil)
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("mem:///api.json", doc); err != nil {
		t.Fatal(err)
	}
	var api struct {
		OpenAPI string
		Paths   map[string]map[string]struct {
			OperationID string
			Responses   map[string]struct {
				Content map[string]struct{}
			}
		}
	}
	if err := json.Unmarshal([]byte(text), &api); err != nil || api.OpenAPI != "3.1.0" {
		t.Fatal(err, api.OpenAPI)
	}
	bodies := map[string]string{"execute": `{"input":{"name":"Bob"}}`, "approve": `{"approved":true}`}
	fill := strings.NewReplacer("{ws}", "w", "{task}", "hello", "{id}", id, "{step}", "say", "{name}", "none")
	seen := 0
	for path, methods := range api.Paths {
		for method, op := range methods {
			res, body := ask(t, srv, strings.ToUpper(method), fill.Replace(path), bodies[op.OperationID], nil)
			status := fmt.Sprint(res.StatusCode)
			if op.OperationID == "log-stream" {
				continue
			}
			ended := op.OperationID == "cancel" || op.OperationID == "approve"
			if ended {
				status = "default" // this job has ended
			}
			kind, _, _ := strings.Cut(res.Header.Get("Content-Type"), ";")
			if ended && res.StatusCode == 409 {
				seen++
				continue
			}
			if _, ok := op.Responses[status].Content[kind]; !ok {
				t.Errorf("%s answered %s %s, which is not described", op.OperationID, status, kind)
				continue
			}
			pointer := strings.NewReplacer("~", "~0", "/", "~1").Replace(path)
			media := strings.ReplaceAll(kind, "/", "~1")
			schema, err := c.Compile("mem:///api.json#/paths/" + pointer + "/" + method + "/responses/" + status + "/content/" + media + "/schema")
			if err != nil {
				t.Errorf("%s: %v", op.OperationID, err)
				continue
			}
			got, err := jsonschema.UnmarshalJSON(bytes.NewReader([]byte(body)))
			if err == nil {
				err = schema.Validate(got)
			}
			if err != nil {
				t.Errorf("%s: %v\n%s", op.OperationID, err, body)
			}
			seen++
		}
	}
	if seen != 38 {
		t.Errorf("%d operations were called", seen)
	}
	if _, body := ask(t, srv, http.MethodGet, "/api/jobs/"+id, "", nil); !strings.Contains(body, `"n":9007199254740993`) {
		t.Errorf("a digit was lost: %s", body)
	}
}

func TestListsAndCounts(t *testing.T) {
	t.Parallel()
	srv := site(t, nil)
	for range 3 {
		wait(t, srv, start(t, srv, "hello", `{"input":{"name":"Ada"}}`))
	}
	for _, tc := range []struct{ path, says string }{
		{"/api/jobs?limit=2", `"total":3`},
		{"/api/jobs?workspace=w&task_name=hello&status=completed&offset=3", `{"items":[],"total":3}`},
		{"/api/jobs?search=HEL", `"total":3`},
		{"/api/jobs?search=nothing", `{"items":[],"total":0}`},
		{"/api/stats", `"completed":3`},
		{"/api/workspaces/w/tasks/hello/stats", `"sample_size":3`},
		{"/api/workspaces/w/tasks/waits/stats", `"task":null`},
		{"/api/workspaces/w/tasks", `"id":"hello","name":"Say hello","description":"Greets","mode":"distributed","has_triggers":true`},
		{"/api/workspaces", `"tasks_count":4,"actions_count":1,"triggers_count":1`},
		{"/api/workspaces/w/triggers", `"cron":"0 2 * * *","task":"hello","enabled":true,"input":{"name":"cron"},"next_runs":["20`},
		{"/api/config", `"auth_required":false`},
	} {
		if res, body := ask(t, srv, http.MethodGet, tc.path, "", nil); res.StatusCode != 200 || !strings.Contains(body, tc.says) {
			t.Errorf("%s: %d %s", tc.path, res.StatusCode, body)
		}
	}
}
