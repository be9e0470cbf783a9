package mcpsrv_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/mcp"

	"stroem/auth"
	"stroem/control"
	"stroem/mcpsrv"
	"stroem/runner"
	"stroem/store"
)

const yaml = `
tasks:
  deploy:
    description: "Deploy \e[31mred\e[0m"
    input:
      version: {type: string, required: true}
      count: {type: integer}
    flow:
      s: {type: script, script: 'echo "$INPUT_COUNT" | tee "$ARTIFACTS_DIR/count"'}
  chatty:
    flow:
      s: {type: script, script: 'i=0; while [ $i -lt 1000 ]; do echo "line $i"; i=$((i+1)); done'}
  long:
    flow:
      s: {type: script, script: 'head -c 50000 /dev/zero | tr "\0" x; echo'}
  forging:
    flow:
      s:
        type: script
        script: |
          printf 'a\r[other] b\n\033[2J\033]0;title\007c\xff\n'
  later:
    flow:
      s: {type: script, script: 'true', when: "true"}
`

// agent is an MCP client of a whole server.
type agent struct {
	t  *testing.T
	c  *client.Client
	st *store.Store
}

func connect(t *testing.T) *agent { return connectTo(t, yaml) }

func connectTo(t *testing.T, yaml string) *agent {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "w.yaml"), []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	rn := &runner.Runner{Store: st, Slots: 4, KeepLog: 1 << 20, Grace: time.Second, Log: log, Now: time.Now}
	plane := &control.Plane{Store: st, Runner: rn, Folders: []control.Folder{{Name: "ops", Path: dir}}, Log: log, Now: time.Now}
	ctx, stop := context.WithCancel(context.Background())
	ready, done := make(chan struct{}), make(chan error, 2)
	go func() { done <- plane.Sync(ctx, ready) }()
	go func() { done <- rn.Run(ctx) }()
	<-ready
	h := mcpsrv.Handler(plane, "test", log)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(w, r.WithContext(auth.With(r.Context(), auth.Anyone(auth.MCP, "127.0.0.1"))))
	}))
	t.Cleanup(func() {
		srv.Close()
		stop()
		for range 2 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	})
	c, err := client.NewStreamableHttpClient(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Initialize(t.Context(), mcp.InitializeRequest{}); err != nil {
		t.Fatal(err)
	}
	return &agent{t, c, st}
}

func (a *agent) call(tool, args string) (texts []string, isError bool) {
	a.t.Helper()
	res, err := a.c.CallTool(a.t.Context(), mcp.CallToolRequest{Params: mcp.CallToolParams{Name: tool, Arguments: json.RawMessage(args)}})
	if err != nil {
		a.t.Fatalf("%s: %v", tool, err)
	}
	for _, block := range res.Content {
		texts = append(texts, block.(mcp.TextContent).Text)
	}
	return texts, res.IsError
}

// run executes a task and waits for its end.
func (a *agent) run(task, input string) (id string) {
	a.t.Helper()
	texts, isError := a.call("execute_task", fmt.Sprintf(`{"workspace":"ops","task_name":%q,"input":%s}`, task, input))
	var out struct {
		ID string `json:"job_id"`
	}
	if isError || json.Unmarshal([]byte(texts[0]), &out) != nil {
		a.t.Fatalf("execute_task: %q", texts)
	}
	for {
		var job store.Job
		if err := a.st.View(a.t.Context(), func(tx *store.Tx) (err error) {
			job, err = tx.Job(out.ID)
			return err
		}); err != nil {
			a.t.Fatal(err)
		}
		wake, stop := a.st.Watch(store.TopicJob(job.Seq))
		texts, _ := a.call("get_job_status", fmt.Sprintf(`{"job_id":%q}`, out.ID))
		if strings.Contains(texts[0], `"completed_at"`) {
			stop()
			return out.ID
		}
		select {
		case <-wake:
		case <-a.t.Context().Done():
		}
		stop()
	}
}

func TestMistakesAreToldInSentences(t *testing.T) {
	t.Parallel()
	a := connect(t)
	for _, tc := range []struct{ tool, args, want string }{
		{"list_tasks", `{"workspace":"opps"}`, `no workspace "opps"; did you mean "ops"? list_workspaces shows them all`},
		{"get_task", `{"workspace":"ops","task_name":"deply"}`, `no task "deply" in workspace "ops"; did you mean "deploy"? list_tasks(workspace:"ops") shows them all`},
		{"get_task", `{"workspace":"ops","task_name":"zzz"}`, `no task "zzz" in workspace "ops"; list_tasks(workspace:"ops") shows them all`},
		{"get_task", `{"workspace":"ops"}`, `get_task: argument "task_name" is required (it takes task_name, workspace)`},
		{"get_task", `{"workspace":"ops","task":"deploy"}`, `get_task: unknown argument "task" (did you mean "task_name"?); argument "task_name" is required (it takes task_name, workspace)`},
		{"get_task", `{"workspace":"ops","task_name":7}`, `get_task: argument "task_name" must be a string, not number`},
		{"list_workspaces", `{"x":1}`, `list_workspaces: unknown argument "x" (it takes no arguments)`},
		{"execute_task", `{"workspace":"ops","task_name":"deploy","input":[1]}`, `execute_task: argument "input": the input must be a JSON object that maps the task's fields to values; get_task shows the fields`},
		{"execute_task", `{"workspace":"ops","task_name":"deploy","input":"{"}`, `execute_task: argument "input": the input must be a JSON object that maps the task's fields to values; get_task shows the fields`},
		{"execute_task", `{"workspace":"ops","task_name":"deploy"}`, `task "deploy" was not started: input "version" is missing`},
		{"execute_task", `{"workspace":"ops","task_name":"later"}`, `task "later" cannot run yet: w.yaml:`},
		{"get_job_status", `{"job_id":"x"}`, `no job "x"; execute_task returns a job's id, list_jobs shows the recent ones`},
		{"get_job_logs", `{"job_id":"../../etc/passwd"}`, `no job "../../etc/passwd"; `},
		{"cancel_job", `{"job_id":"\u0000\n"}`, `no job "\x00\n"; `},
		{"list_jobs", `{"status":"done"}`, `no status "done"; it is one of pending, running, completed, failed, cancelled, skipped`},
		{"list_jobs", `{"limit":0}`, `limit is a number from 1 to 100`},
		{"list_jobs", `{"limit":"many"}`, `list_jobs: argument "limit" must be a whole number, not string`},
	} {
		texts, isError := a.call(tc.tool, tc.args)
		if !isError || len(texts) != 1 || !strings.HasPrefix(texts[0], tc.want) {
			t.Errorf("%s %s\n got %q\nwant %q", tc.tool, tc.args, texts, tc.want)
		}
	}
	if texts, _ := a.call("list_jobs", `{}`); texts[0] != `{"jobs":[],"count":0}` {
		t.Errorf("a refused call left a job: %s", texts[0])
	}
}

// Whatever is wrong is said in few bytes, however many the caller sent.
func TestMistakesAreToldInFewBytes(t *testing.T) {
	t.Parallel()
	a := connect(t)
	long, many := strings.Repeat("\u202e", 100_000), &strings.Builder{}
	for i := range 20_000 {
		fmt.Fprintf(many, `"x%d":1,`, i)
	}
	for _, tc := range []struct{ tool, args string }{
		{"list_tasks", `{"workspace":"` + long + `"}`}, {"list_tasks", `{"search":"` + long + `"}`},
		{"get_task", `{"workspace":"ops","task_name":"` + long + `"}`}, {"get_job_status", `{"job_id":"` + long + `"}`},
		{"list_jobs", `{"status":"` + long + `"}`}, {"list_jobs", `{"since":"` + long + `"}`}, {"list_jobs", `{"` + long + `":1}`},
		{"list_jobs", `{` + many.String() + `"y":1}`},
		{"execute_task", `{"workspace":"ops","task_name":"deploy","input":{` + many.String() + `"version":"1"}}`},
	} {
		texts, isError := a.call(tc.tool, tc.args)
		if !isError || len(texts) != 1 || len(texts[0]) > 24<<10 {
			t.Errorf("%s %.40s: %d bytes in the first of %d texts, error %t", tc.tool, tc.args, len(texts[0]), len(texts), isError)
		}
	}
}

func TestInputMayComeAsAString(t *testing.T) {
	t.Parallel()
	a := connect(t)
	const big = "9007199254740993" // beyond what a float64 holds
	for _, input := range []string{`{"version":"v1","count":` + big + `}`, `"{\"version\":\"v1\",\"count\":` + big + `}"`} {
		id := a.run("deploy", input)
		if texts, _ := a.call("get_job_logs", fmt.Sprintf(`{"job_id":%q}`, id)); texts[0] != "[s] "+big {
			t.Errorf("input %s arrived as %q", input, texts[0])
		}
	}
	for _, input := range []string{`null`, `""`, `{}`, `"null"`} {
		if id := a.run("chatty", input); id == "" {
			t.Errorf("input %s", input)
		}
	}
}

func TestLogsAreBoundedAndSaySo(t *testing.T) {
	t.Parallel()
	a := connect(t)
	id := a.run("chatty", `{}`)
	texts, _ := a.call("get_job_logs", fmt.Sprintf(`{"job_id":%q}`, id))
	lines := strings.Split(texts[0], "\n")
	if len(lines) != 200 || lines[0] != "[s] line 800" || lines[199] != "[s] line 999" {
		t.Errorf("%d lines, from %q to %q", len(lines), lines[0], lines[len(lines)-1])
	}
	if len(texts) != 2 || !strings.HasPrefix(texts[1], "lines 801–1000 of 1000") {
		t.Errorf("note: %q", texts[1:])
	}
	id = a.run("long", `{}`)
	texts, _ = a.call("get_job_logs", fmt.Sprintf(`{"job_id":%q}`, id))
	if len(texts[0]) > 5000 || !strings.HasSuffix(texts[0], "…(45904 more bytes)") {
		t.Errorf("a long line is shown as %d bytes: …%s", len(texts[0]), texts[0][len(texts[0])-40:])
	}
}

func TestLargeResultsAreCutAndSaySo(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("tasks:\n  wide:\n    flow:\n      first: {type: script, script: exit 1}\n")
	for i := range 600 {
		fmt.Fprintf(&b, "      step-%d: {type: script, script: 'true', depends_on: [first]}\n", i)
	}
	for i := range 400 {
		fmt.Fprintf(&b, "  task-%d: {description: one of very many tasks, flow: {s: {type: script, script: 'true'}}}\n", i)
	}
	a := connectTo(t, b.String())
	texts, _ := a.call("list_tasks", `{}`)
	if len(texts) != 2 || len(texts[0]) > 24<<10 || !json.Valid([]byte(texts[0])) || !strings.Contains(texts[1], "of 401 tasks are shown") {
		t.Errorf("list_tasks: %d bytes, %q", len(texts[0]), texts[1:])
	}
	id := a.run("wide", `{}`)
	texts, _ = a.call("get_job_status", fmt.Sprintf(`{"job_id":%q}`, id))
	if len(texts) != 2 || len(texts[0]) > 24<<10 || !strings.Contains(texts[0], `"steps":[{"name":"first","status":"failed"`) {
		t.Errorf("get_job_status: %d bytes, %.300s %q", len(texts[0]), texts[0], texts[1:])
	}
	if texts, isError := a.call("list_jobs", `{"limit":1.0,"task_name":"wide"}`); isError || !strings.Contains(texts[0], `"count":1`) {
		t.Errorf("list_jobs: %q", texts)
	}
}

func TestLogTextCannotPretend(t *testing.T) {
	t.Parallel()
	a := connect(t)
	id := a.run("forging", `{}`)
	texts, _ := a.call("get_job_logs", fmt.Sprintf(`{"job_id":%q}`, id))
	if want := "[s] a\\x0d[other] b\n[s] c\uFFFD"; texts[0] != want {
		t.Errorf("got %q, want %q", texts[0], want)
	}
	texts, _ = a.call("list_tasks", `{}`)
	if strings.Contains(texts[0], `\u001b`) || !strings.Contains(texts[0], "Deploy red") {
		t.Errorf("list_tasks: %s", texts[0])
	}
}

func TestOutputShowsWhatItHolds(t *testing.T) {
	t.Parallel()
	a := connectTo(t, `
tasks:
  hiding:
    flow:
      s: {type: script, script: 'printf "OUTPUT: {\"a\": \"x\\342\\200\\256y\\363\\240\\201\\201\\303\\270\"}\n"'}
`)
	texts, _ := a.call("get_job_status", fmt.Sprintf(`{"job_id":%q}`, a.run("hiding", "{}")))
	if want := `"a":"x\u202ey\udb40\udc41ø"`; !strings.Contains(texts[0], want) {
		t.Errorf("%s\nlacks %s", texts[0], want)
	}
}

func TestEveryToolIsAnnotatedAndItsListIsSmall(t *testing.T) {
	t.Parallel()
	a := connect(t)
	res, err := a.c.ListTools(t.Context(), mcp.ListToolsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	acts := map[string]bool{"execute_task": true, "cancel_job": true, "rerun_job": true}
	for _, tool := range res.Tools {
		n := tool.Annotations
		if n.ReadOnlyHint == nil || n.DestructiveHint == nil || n.IdempotentHint == nil || n.OpenWorldHint == nil {
			t.Errorf("%s: a hint is missing", tool.Name)
			continue
		}
		if *n.ReadOnlyHint == acts[tool.Name] || *n.DestructiveHint != acts[tool.Name] || *n.OpenWorldHint {
			t.Errorf("%s: hints %v %v %v", tool.Name, *n.ReadOnlyHint, *n.DestructiveHint, *n.OpenWorldHint)
		}
		if tool.Description == "" {
			t.Errorf("%s has no description", tool.Name)
		}
	}
	doc, err := json.Marshal(res)
	if err != nil || len(doc) > 32<<10 {
		t.Errorf("tools/list has %d bytes, %v", len(doc), err)
	}
}

// gated has a step that ends when somebody writes to the pipe in dir.
const gated = `
tasks:
  gated:
    input: {dir: {type: string, required: true}}
    flow:
      hold: {type: script, script: 'mkfifo {{ input.dir }}/gate; read x < {{ input.dir }}/gate'}
      after: {type: script, script: 'true', depends_on: [hold]}
`

func openGate(t *testing.T, dir string) {
	t.Helper()
	path := filepath.Join(dir, "gate")
	for {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err == nil {
			fmt.Fprintln(f, "go")
			f.Close()
			return
		}
		if t.Context().Err() != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
	}
}
