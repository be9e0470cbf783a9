package mcpsrv_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"stroem/store"
)

// result is the whole answer of a tool.
func (a *agent) result(tool, args string) *mcp.CallToolResult {
	a.t.Helper()
	res, err := a.c.CallTool(a.t.Context(), mcp.CallToolRequest{Params: mcp.CallToolParams{Name: tool, Arguments: json.RawMessage(args)}})
	if err != nil {
		a.t.Fatalf("%s: %v", tool, err)
	}
	return res
}

// schemas compiles what the tools say of their answers.
func (a *agent) schemas() map[string]*jsonschema.Schema {
	a.t.Helper()
	list, err := a.c.ListTools(a.t.Context(), mcp.ListToolsRequest{})
	if err != nil {
		a.t.Fatal(err)
	}
	compiled := map[string]*jsonschema.Schema{}
	for _, tool := range list.Tools {
		doc, err := json.Marshal(tool.OutputSchema)
		if err != nil {
			a.t.Fatal(err)
		}
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(string(doc)))
		if err != nil {
			a.t.Fatal(err)
		}
		c := jsonschema.NewCompiler()
		c.AssertFormat()
		if err := c.AddResource("mem:///"+tool.Name, v); err != nil {
			a.t.Fatal(err)
		}
		if compiled[tool.Name], err = c.Compile("mem:///" + tool.Name); err != nil {
			a.t.Fatalf("%s: %v", tool.Name, err)
		}
	}
	return compiled
}

func TestStructuredContentIsTheTextAndFitsItsSchema(t *testing.T) {
	t.Parallel()
	a := connect(t)
	schemas := a.schemas()
	id := a.run("deploy", `{"version":"1"}`)
	seen := map[string]bool{}
	for _, c := range []struct{ tool, args, list string }{
		{"list_workspaces", `{}`, "workspaces"},
		{"list_tasks", `{"workspace":"ops"}`, "tasks"},
		{"get_task", `{"workspace":"ops","task_name":"deploy"}`, ""},
		{"execute_task", `{"workspace":"ops","task_name":"deploy","input":{"version":"2"}}`, ""},
		{"execute_task", `{"workspace":"ops","task_name":"deploy","input":{"version":"2"},"wait_seconds":20}`, ""},
		{"get_job_status", fmt.Sprintf(`{"job_id":%q}`, id), ""},
		{"get_job_logs", fmt.Sprintf(`{"job_id":%q}`, id), "-"},
		{"list_jobs", `{}`, ""},
		{"plan_task", `{"workspace":"ops","task_name":"deploy","input":{"version":"2"}}`, ""},
		{"rerun_job", fmt.Sprintf(`{"job_id":%q}`, id), ""},
		{"rerun_job", fmt.Sprintf(`{"job_id":%q,"wait_seconds":20}`, id), ""},
		{"get_job_logs", fmt.Sprintf(`{"job_id":%q,"after":0,"grep":"x"}`, id), "-"},
		{"list_artifacts", fmt.Sprintf(`{"job_id":%q}`, id), "artifacts"},
		{"get_artifact", fmt.Sprintf(`{"job_id":%q,"name":"count"}`, id), "-"},
		{"cancel_job", fmt.Sprintf(`{"job_id":%q}`, id), ""},
	} {
		res := a.result(c.tool, c.args)
		seen[c.tool] = true
		if err := schemas[c.tool].Validate(res.StructuredContent); err != nil || res.IsError {
			t.Errorf("%s: %v\n%v", c.tool, err, res)
			continue
		}
		var want any = res.StructuredContent
		if c.list == "-" {
			continue
		}
		if c.list != "" {
			want = want.(map[string]any)[c.list]
		}
		var got any
		if err := json.Unmarshal([]byte(res.Content[0].(mcp.TextContent).Text), &got); err != nil {
			t.Fatal(err)
		}
		if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
			t.Errorf("%s: text %s\nstructured %s", c.tool, g, w)
		}
	}
	for name := range schemas {
		if !seen[name] {
			t.Errorf("%s is not tried here", name)
		}
	}
}

func TestListsGoOnWhereTheyStopped(t *testing.T) {
	t.Parallel()
	a := connect(t)
	var ids []string
	for range 5 {
		ids = append([]string{a.run("deploy", `{"version":"1"}`)}, ids...)
	}
	type page struct {
		Jobs []struct {
			JobID string `json:"job_id"`
		}
		Tasks []struct{ Name string }
		Next  string `json:"next_cursor"`
	}
	walk := func(tool, args string) (found []string) {
		for cursor := ""; ; {
			var p page
			doc, err := json.Marshal(a.result(tool, fmt.Sprintf(args, cursor)).StructuredContent)
			if err != nil || json.Unmarshal(doc, &p) != nil {
				t.Fatal(err)
			}
			for _, j := range p.Jobs {
				found = append(found, j.JobID)
			}
			for _, k := range p.Tasks {
				found = append(found, k.Name)
			}
			if cursor = p.Next; cursor == "" || len(found) > 50 {
				return found
			}
		}
	}
	if got := walk("list_jobs", `{"limit":2,"cursor":%q}`); !slices.Equal(got, ids) {
		t.Errorf("jobs: %q, want %q", got, ids)
	}
	if got := walk("list_tasks", `{"limit":2,"cursor":%q}`); !slices.Equal(got, []string{"chatty", "deploy", "forging", "later", "long"}) {
		t.Errorf("tasks: %q", got)
	}
	if got := walk("list_tasks", `{"search":"DEPLOY","cursor":%q}`); !slices.Equal(got, []string{"deploy"}) {
		t.Errorf("search: %q", got)
	}
}

func TestJobsSince(t *testing.T) {
	t.Parallel()
	a := connect(t)
	a.run("deploy", `{"version":"1"}`)
	count := func(since time.Time) int {
		texts, _ := a.call("list_jobs", fmt.Sprintf(`{"since":%q}`, since.Format(time.RFC3339)))
		return strings.Count(texts[0], `"job_id"`)
	}
	if got := count(time.Now().Add(-time.Hour)); got != 1 {
		t.Errorf("since an hour ago: %d jobs", got)
	}
	if got := count(time.Now().Add(time.Hour)); got != 0 {
		t.Errorf("since later: %d jobs", got)
	}
	texts, isError := a.call("list_jobs", `{"since":"yesterday"}`)
	if !isError || !strings.Contains(texts[0], "since is a time such as 2026-") {
		t.Errorf("got %q", texts)
	}
}

func TestAWaitEndsWithTheJob(t *testing.T) {
	t.Parallel()
	a := connectTo(t, gated)
	gate := t.TempDir()
	var mu sync.Mutex
	var told []string
	a.c.OnNotification(func(n mcp.JSONRPCNotification) {
		mu.Lock()
		defer mu.Unlock()
		if n.Method == "notifications/progress" {
			told = append(told, fmt.Sprint(n.Params.AdditionalFields["message"]))
		}
	})
	texts, isError := a.call("execute_task", fmt.Sprintf(`{"workspace":"ops","task_name":"gated","input":{"dir":%q},"wait_seconds":1}`, gate))
	if isError || !strings.Contains(texts[0], `"status":"running"`) || !strings.Contains(texts[1], "still running after 1 seconds; get_job_status(") {
		t.Fatalf("got %q", texts)
	}
	var out struct{ ID string }
	if err := json.Unmarshal([]byte(texts[0]), &out); err != nil {
		t.Fatal(err)
	}
	answered := make(chan *mcp.CallToolResult, 1)
	req := mcp.CallToolRequest{Params: mcp.CallToolParams{Name: "get_job_status", Meta: &mcp.Meta{ProgressToken: "p"},
		Arguments: json.RawMessage(fmt.Sprintf(`{"job_id":%q,"wait_seconds":50}`, out.ID))}}
	go func() {
		res, err := a.c.CallTool(context.WithoutCancel(t.Context()), req)
		if err != nil {
			t.Error(err)
		}
		answered <- res
	}()
	openGate(t, gate)
	res := <-answered
	if res == nil || !strings.Contains(res.Content[0].(mcp.TextContent).Text, `"status":"completed"`) || len(res.Content) > 1 {
		t.Fatalf("got %v", res)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(told) == 0 || !strings.HasPrefix(told[0], "step ") || !strings.Contains(told[0], " of 2") {
		t.Errorf("progress: %q", told)
	}
}

func TestLeavingAWaitLeavesTheJobAlone(t *testing.T) {
	t.Parallel()
	a := connectTo(t, gated)
	gate := t.TempDir()
	texts, _ := a.call("execute_task", fmt.Sprintf(`{"workspace":"ops","task_name":"gated","input":{"dir":%q}}`, gate))
	var out struct {
		ID string `json:"job_id"`
	}
	if err := json.Unmarshal([]byte(texts[0]), &out); err != nil {
		t.Fatal(err)
	}
	ctx, leave := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer leave()
	_, err := a.c.CallTool(ctx, mcp.CallToolRequest{Params: mcp.CallToolParams{Name: "get_job_status",
		Arguments: json.RawMessage(fmt.Sprintf(`{"job_id":%q,"wait_seconds":50}`, out.ID))}})
	if err == nil {
		t.Error("the wait was not left")
	}
	openGate(t, gate)
	if texts, _ := a.call("get_job_status", fmt.Sprintf(`{"job_id":%q,"wait_seconds":50}`, out.ID)); !strings.Contains(texts[0], string(store.Completed)) {
		t.Errorf("got %q", texts)
	}
}
