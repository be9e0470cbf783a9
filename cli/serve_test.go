//go:build unix

package cli_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/mcp"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"stroem/examples"
)

// server is a stroem serve, a process of its own.
type server struct {
	t       testing.TB
	cmd     *exec.Cmd
	url     string
	greeted string
	mu      sync.Mutex
	stderr  bytes.Buffer
	ended   chan struct{}
}

// Write keeps what the server logs.
func (s *server) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stderr.Write(p)
}

func (s *server) log() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stderr.String()
}

var listensOn = regexp.MustCompile(`listens on (http://\S+)`)

// serve starts a server with its home, and thereby its data, in home, in the
// folder dir.
func serve(t testing.TB, home, dir string, env ...string) *server {
	t.Helper()
	return serveBinary(t, "stroem", home, dir, env...)
}

func serveBinary(t testing.TB, bin, home, dir string, env ...string) *server {
	t.Helper()
	s := &server{t: t, cmd: exec.Command(bin, "serve"), ended: make(chan struct{})}
	s.cmd.Dir = dir
	s.cmd.Env = append(os.Environ(), append([]string{"HOME=" + home, "XDG_DATA_HOME=", "STROEM__LISTEN=127.0.0.1:0"}, env...)...)
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.kill(syscall.SIGKILL) })
	return s
}

// start starts the server and waits until it has said where it listens.
func (s *server) start() error {
	s.cmd.Stderr = s
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := s.cmd.Start(); err != nil {
		return err
	}
	lines := bufio.NewReader(out)
	for s.url == "" || !strings.Contains(s.greeted, "agents") {
		line, err := lines.ReadString('\n')
		if err != nil {
			_ = s.cmd.Wait()
			return fmt.Errorf("the server ended: %s", s.log())
		}
		s.greeted += line
		if m := listensOn.FindStringSubmatch(line); m != nil {
			s.url = m[1]
		}
	}
	go func() {
		_, _ = io.Copy(io.Discard, lines)
		_ = s.cmd.Wait()
		close(s.ended)
	}()
	return nil
}

// kill sends the signal and waits for the end.
func (s *server) kill(sig syscall.Signal) {
	_ = s.cmd.Process.Signal(sig)
	<-s.ended
}

// call calls a tool over plain HTTP and returns its text blocks.
func (s *server) call(tool string, args any) (texts []string, isError bool) {
	s.t.Helper()
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": "tools/call",
		"params": map[string]any{"name": tool, "arguments": args}})
	if err != nil {
		s.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.url+"/mcp", bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	var answer struct {
		Result struct {
			Content []struct{ Text string }
			IsError bool
		}
		Error any
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil || answer.Error != nil {
		s.t.Fatalf("%s: %v %v", tool, err, answer.Error)
	}
	for _, c := range answer.Result.Content {
		texts = append(texts, c.Text)
	}
	return texts, answer.Result.IsError
}

// ask calls a tool that must succeed, and returns its first text block.
func (s *server) ask(tool string, args map[string]any) string {
	s.t.Helper()
	texts, isError := s.call(tool, args)
	if isError || len(texts) == 0 {
		s.t.Fatalf("%s: %q", tool, texts)
	}
	return texts[0]
}

func (s *server) execute(ws, task string, input map[string]any) (id string) {
	s.t.Helper()
	var out struct {
		JobID string `json:"job_id"`
	}
	text := s.ask("execute_task", map[string]any{"workspace": ws, "task_name": task, "input": input})
	if err := json.Unmarshal([]byte(text), &out); err != nil || out.JobID == "" {
		s.t.Fatalf("execute_task: %q %v", text, err)
	}
	return out.JobID
}

// poll asks again until the answer is as wanted.
func poll(t testing.TB, ask func() string, wanted func(string) bool) string {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	var got string
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); <-tick.C {
		if got = ask(); wanted(got) {
			return got
		}
	}
	t.Fatalf("waited too long; the last answer is %s", got)
	return ""
}

func (s *server) await(id, status string) string {
	s.t.Helper()
	return poll(s.t, func() string { return s.ask("get_job_status", map[string]any{"job_id": id}) },
		func(got string) bool {
			return strings.Contains(got, `"status":"`+status+`"`) && strings.HasPrefix(got, `{"id":"`+id+`","status":"`+status+`"`)
		})
}

func (s *server) awaitLog(id, want string) {
	s.t.Helper()
	poll(s.t, func() string { return s.ask("get_job_logs", map[string]any{"job_id": id}) },
		func(got string) bool { return got == want })
}

// With an empty home and no configuration there is a useful server.
func TestNewcomersServer(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	s := serve(t, home, t.TempDir())
	for _, want := range []string{s.url, filepath.Join(home, ".local", "share", "stroem"), `5 tasks in workspace "default"`,
		"claude mcp add --transport http stroem " + s.url + "/mcp"} {
		if !strings.Contains(s.greeted, want) {
			t.Errorf("the greeting lacks %q:\n%s", want, s.greeted)
		}
	}
	t.Run("mcp-go", func(t *testing.T) { withMCPGo(t, s.url+"/mcp") })
	t.Run("go-sdk", func(t *testing.T) { withSDK(t, s.url+"/mcp/") })
}

// session is a client of MCP, whichever library it is by.
type session struct {
	tools func() []string
	call  func(tool string, args map[string]any) string
}

func withMCPGo(t *testing.T, url string) {
	c, err := client.NewStreamableHttpClient(url)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Initialize(t.Context(), mcp.InitializeRequest{}); err != nil {
		t.Fatal(err)
	}
	helloWorld(t, session{
		tools: func() (names []string) {
			res, err := c.ListTools(t.Context(), mcp.ListToolsRequest{})
			if err != nil {
				t.Fatal(err)
			}
			for _, tool := range res.Tools {
				names = append(names, tool.Name)
			}
			return names
		},
		call: func(tool string, args map[string]any) string {
			res, err := c.CallTool(t.Context(), mcp.CallToolRequest{Params: mcp.CallToolParams{Name: tool, Arguments: args}})
			if err != nil || res.IsError {
				t.Fatalf("%s: %v %+v", tool, err, res)
			}
			return res.Content[0].(mcp.TextContent).Text
		},
	})
}

func withSDK(t *testing.T, url string) {
	c := sdk.NewClient(&sdk.Implementation{Name: "test", Version: "1"}, nil)
	s, err := c.Connect(t.Context(), &sdk.StreamableClientTransport{Endpoint: url}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	helloWorld(t, session{
		tools: func() (names []string) {
			res, err := s.ListTools(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, tool := range res.Tools {
				names = append(names, tool.Name)
			}
			return names
		},
		call: func(tool string, args map[string]any) string {
			res, err := s.CallTool(t.Context(), &sdk.CallToolParams{Name: tool, Arguments: args})
			if err != nil || res.IsError {
				t.Fatalf("%s: %v %+v", tool, err, res)
			}
			return res.Content[0].(*sdk.TextContent).Text
		},
	})
}

// helloWorld lists, runs, sees the end, and reads the log.
func helloWorld(t *testing.T, s session) {
	want := []string{"cancel_job", "execute_task", "get_job_logs", "get_job_status", "get_task", "list_jobs", "list_tasks", "list_workspaces"}
	if diff := cmp.Diff(want, s.tools()); diff != "" {
		t.Error(diff)
	}
	if got := s.call("list_tasks", nil); !strings.Contains(got, `"name":"hello-world"`) {
		t.Errorf("list_tasks: %s", got)
	}
	var job struct {
		ID string `json:"job_id"`
	}
	started := s.call("execute_task", map[string]any{"workspace": "default", "task_name": "hello-world", "input": map[string]any{"name": "Ada"}})
	if err := json.Unmarshal([]byte(started), &job); err != nil {
		t.Fatal(err)
	}
	arg := map[string]any{"job_id": job.ID}
	poll(t, func() string { return s.call("get_job_status", arg) },
		func(got string) bool { return strings.Contains(got, `"status":"completed","started_at"`) })
	if got := s.call("get_job_logs", arg); got != "[greet] Hello, Ada!" {
		t.Errorf("get_job_logs: %q", got)
	}
}

// config writes a configuration with one workspace.
func config(t testing.TB, name, folder string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "server-config.yaml")
	text := fmt.Sprintf("mcp: {enabled: true}\nworkspaces:\n  %s: {type: folder, path: %q}\n", name, folder)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return "STROEM_CONFIG=" + path
}

func write(t testing.TB, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// The order's example, call by call.
func TestOrdersSequence(t *testing.T) {
	t.Parallel()
	folder, err := filepath.Abs("../examples/deploy")
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, t.TempDir(), t.TempDir(), config(t, "production", folder))
	same := func(what, got, want string) {
		t.Helper()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
	}
	same("list_workspaces", s.ask("list_workspaces", nil), `[{"name":"production","task_count":1}]`)
	same("list_tasks", s.ask("list_tasks", map[string]any{"workspace": "production"}),
		`[{"name":"deploy-api","description":"Deploy API server","can_execute":true,"workspace":"production"}]`)
	same("get_task", s.ask("get_task", map[string]any{"workspace": "production", "task_name": "deploy-api"}),
		`{"name":"deploy-api","description":"Deploy API server",`+
			`"input":{"version":{"type":"string","required":true},"environment":{"type":"string","default":"staging"}},`+
			`"flow":[{"name":"pull-image","action":"docker-pull"},{"name":"start-container","action":"docker-run","depends_on":["pull-image"]}],`+
			`"workspace":"production","can_execute":true,`+
			`"input_schema":{"type":"object","properties":{"version":{"type":"string","pattern":"^[^\\x00-\\x08\\x0a-\\x1f\\x7f-\\x9f]*$"},`+
			`"environment":{"type":"string","default":"staging","pattern":"^[^\\x00-\\x08\\x0a-\\x1f\\x7f-\\x9f]*$"}},`+
			`"required":["version"],"additionalProperties":false},`+
			`"example":{"workspace":"production","task_name":"deploy-api","input":{"version":"…"}},"last_jobs":[]}`)
	started := s.ask("execute_task", map[string]any{"workspace": "production", "task_name": "deploy-api", "input": map[string]any{"version": "v1.2.3"}})
	id := regexp.MustCompile(`^\{"job_id":"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"\}$`).FindStringSubmatch(started)
	if id == nil {
		t.Fatalf("execute_task: %s", started)
	}
	status := s.await(id[1], "completed")
	shape := regexp.MustCompile(`"steps":\[\{"name":"pull-image","status":"completed","duration_secs":[0-9.]+\},` +
		`\{"name":"start-container","status":"completed","duration_secs":[0-9.]+\}\]`)
	if !shape.MatchString(status) || !strings.Contains(status, `"source_type":"mcp"`) {
		t.Errorf("get_job_status: %s", status)
	}
	logs := s.ask("get_job_logs", map[string]any{"job_id": id[1]})
	if !regexp.MustCompile(`^\[pull-image\] .*us-docker.io/stroem/api:v1.2.3\n(.*\n)*\[start-container\] `).MatchString(logs) {
		t.Errorf("get_job_logs: %s", logs)
	}
	only := s.ask("get_job_logs", map[string]any{"job_id": id[1], "step": "start-container"})
	if strings.Contains(only, "[pull-image]") || !strings.HasPrefix(only, "[start-container] ") {
		t.Errorf("get_job_logs of a step: %s", only)
	}
	jobs := s.ask("list_jobs", map[string]any{"workspace": "production", "task_name": "deploy-api", "status": "completed", "limit": 5})
	if !strings.HasPrefix(jobs, `{"jobs":[{"job_id":"`+id[1]+`","workspace":"production","task_name":"deploy-api","status":"completed"`) ||
		!strings.HasSuffix(jobs, `"count":1}`) {
		t.Errorf("list_jobs: %s", jobs)
	}
	same("cancel_job", s.ask("cancel_job", map[string]any{"job_id": id[1]}),
		`{"status":"already_terminal","message":"the job is already completed"}`)
}

func TestRunningStepHasItsStartInTheStatus(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "w.yaml", "tasks: {t: {flow: {s: {type: script, script: 'echo begun; sleep 1000'}}}}\n")
	s := serve(t, t.TempDir(), t.TempDir(), config(t, "w", dir))
	id := s.execute("w", "t", nil)
	s.awaitLog(id, "[s] begun")
	status := s.await(id, "running")
	if !regexp.MustCompile(`"steps":\[\{"name":"s","status":"running","started_at":"[0-9T:.-]+Z"\}\]`).MatchString(status) {
		t.Errorf("get_job_status: %s", status)
	}
	if got := s.ask("cancel_job", map[string]any{"job_id": id}); got != `{"status":"cancelled"}` {
		t.Errorf("cancel_job: %s", got)
	}
	poll(t, func() string { return s.ask("get_job_status", map[string]any{"job_id": id}) },
		func(got string) bool { return strings.Contains(got, `"name":"s","status":"cancelled"`) })
}

// waiting is a task whose first step waits until something is written to a
// named pipe.
func waiting(t testing.TB) (dir, fifo string) {
	t.Helper()
	dir = t.TempDir()
	fifo = filepath.Join(t.TempDir(), "go")
	mkfifo(t, fifo)
	write(t, dir, "w.yaml", fmt.Sprintf(`
tasks:
  t:
    flow:
      first: {type: script, script: "echo begun; read line < %s; echo $line"}
      second: {type: script, script: echo done, depends_on: [first]}
`, fifo))
	return dir, fifo
}

func TestJobCompletesAfterKillMinus9(t *testing.T) {
	t.Parallel()
	dir, fifo := waiting(t)
	home, cfg := t.TempDir(), config(t, "w", dir)
	s := serve(t, home, t.TempDir(), cfg)
	id := s.execute("w", "t", nil)
	s.awaitLog(id, "[first] begun")
	s.kill(syscall.SIGKILL)
	again := serve(t, home, t.TempDir(), cfg)
	if err := os.WriteFile(fifo, []byte("went on\n"), 0); err != nil {
		t.Fatal(err)
	}
	again.await(id, "completed")
	again.awaitLog(id, "[first] begun\n[first] went on\n[second] done")
}

func TestTermLeavesStepsRunningAndNamesThem(t *testing.T) {
	t.Parallel()
	dir, fifo := waiting(t)
	home, cfg := t.TempDir(), config(t, "w", dir)
	s := serve(t, home, t.TempDir(), cfg)
	id := s.execute("w", "t", nil)
	s.awaitLog(id, "[first] begun")
	began := time.Now()
	s.kill(syscall.SIGTERM)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the server took %s to end", took)
	}
	if code := s.cmd.ProcessState.ExitCode(); code != 0 || !strings.Contains(s.log(), `"step":"first"`) {
		t.Errorf("exit code %d:\n%s", code, s.log())
	}
	if err := os.WriteFile(fifo, []byte("in between\n"), 0); err != nil { // while no server runs
		t.Fatal(err)
	}
	again := serve(t, home, t.TempDir(), cfg)
	again.await(id, "completed")
	again.awaitLog(id, "[first] begun\n[first] in between\n[second] done")
}

func TestChangedFileIsReloaded(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "a.yaml", "tasks: {a: {flow: {s: {type: script, script: echo a}}}}\n")
	write(t, dir, "b.yaml", "tasks: {b: {flow: {s: {type: script, script: echo b}}}}\n")
	s := serve(t, t.TempDir(), t.TempDir(), config(t, "w", dir))
	tasks := func() string { return s.ask("list_tasks", map[string]any{"workspace": "w"}) }
	workspaces := func() string { return s.ask("list_workspaces", nil) }

	write(t, dir, "b.yaml", "tasks: {b: [\n")
	if err := os.Mkdir(filepath.Join(dir, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "sub/c.yaml", "tasks: {c: {flow: {s: {type: script, script: echo c}}}}\n")
	poll(t, tasks, func(got string) bool { return strings.Contains(got, `"name":"c"`) })
	poll(t, workspaces, func(got string) bool { return strings.Contains(got, `"error":"b.yaml:`) })
	for _, name := range []string{"a", "b", "c"} {
		if !strings.Contains(tasks(), `"name":"`+name+`"`) {
			t.Errorf("task %s is gone: %s", name, tasks())
		}
	}
	s.await(s.execute("w", "b", nil), "completed")

	write(t, dir, "b.yaml", "tasks: {}\n")
	poll(t, workspaces, func(got string) bool { return !strings.Contains(got, "error") })
	if got := tasks(); strings.Contains(got, `"name":"b"`) {
		t.Errorf("task b is still there: %s", got)
	}
}

// Without a configuration, a folder with .workflows is the workspace, and its
// scripts run in that folder.
func TestWorkflowsOfTheFolderWeStandIn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, ".workflows"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, dir, ".workflows/w.yaml", "tasks: {t: {flow: {s: {type: script, script: 'ls'}}}}\n")
	write(t, dir, "here", "")
	s := serve(t, t.TempDir(), dir)
	id := s.execute("default", "t", nil)
	s.await(id, "completed")
	s.awaitLog(id, "[s] here")
}

func TestTakenPortAndTakenFolder(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	s := serve(t, home, t.TempDir())
	fails := func(home, listen, want string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		cmd := exec.CommandContext(ctx, "stroem", "serve")
		cmd.Dir = t.TempDir()
		cmd.Env = append(os.Environ(), "HOME="+home, "XDG_DATA_HOME=", "STROEM__LISTEN="+listen)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		err := cmd.Run()
		if cmd.ProcessState.ExitCode() != 1 || !strings.Contains(stderr.String(), want) {
			t.Errorf("%v: %s", err, stderr.String())
		}
	}
	fails(home, "127.0.0.1:0", "the data folder is in use by another stroem server (process "+fmt.Sprint(s.cmd.Process.Pid))
	fails(t.TempDir(), strings.TrimPrefix(s.url, "http://"), "cannot listen on")
}

func TestMCPIsOffUnlessConfigured(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "server-config.yaml", "workspaces: {}\n")
	s := serve(t, t.TempDir(), dir)
	res, err := http.Post(s.url+"/mcp", "application/json", strings.NewReader("{}")) //nolint:noctx // a test's own server
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusNotFound || !strings.Contains(string(body), "mcp.enabled: true") {
		t.Errorf("%d %s %v", res.StatusCode, body, err)
	}
}

// Every example runs to the end that it is meant to have.
func TestExamples(t *testing.T) {
	t.Parallel()
	ends := map[string]string{"hello-world": "completed", "deploy-api": "completed", "failing-report": "failed",
		"backup": "completed", "count-primes": "completed"}
	inputs := map[string]map[string]any{"deploy-api": {"version": "v1"}}
	folders, err := fs.ReadDir(examples.FS, ".")
	if err != nil || len(folders) == 0 {
		t.Fatal(folders, err)
	}
	for _, folder := range folders {
		t.Run(folder.Name(), func(t *testing.T) {
			t.Parallel()
			path := t.TempDir() // scripts run in their workspace, and leave files in it
			if err := os.CopyFS(path, os.DirFS(filepath.Join("../examples", folder.Name()))); err != nil {
				t.Fatal(err)
			}
			s := serve(t, t.TempDir(), t.TempDir(), config(t, "w", path))
			var tasks []struct{ Name string }
			if err := json.Unmarshal([]byte(s.ask("list_tasks", nil)), &tasks); err != nil || len(tasks) == 0 {
				t.Fatalf("tasks: %v %v", tasks, err)
			}
			for _, task := range tasks {
				if ends[task.Name] == "" {
					t.Fatalf("how is %s meant to end?", task.Name)
				}
				s.await(s.execute("w", task.Name, inputs[task.Name]), ends[task.Name])
			}
		})
	}
}

// A script that an action names is a part of the workspace.
func TestChangedSourceIsReloaded(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, sub := range []string{".workflows", "scripts"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(t, dir, "scripts/say.sh", "echo before\n")
	write(t, dir, ".workflows/w.yaml", "tasks: {t: {flow: {s: {type: script, source: scripts/say.sh}}}}\n")
	s := serve(t, t.TempDir(), t.TempDir(), config(t, "w", dir))
	said := func() string {
		id := s.execute("w", "t", nil)
		s.await(id, "completed")
		return s.ask("get_job_logs", map[string]any{"job_id": id})
	}
	if got := said(); got != "[s] before" {
		t.Errorf("said %q", got)
	}
	write(t, dir, "scripts/say.sh", "echo after\n")
	poll(t, said, func(got string) bool { return got == "[s] after" })
}

// A secret input reaches its script and nobody else.
func TestSecretInputOfARealServer(t *testing.T) {
	t.Parallel()
	dir, home := t.TempDir(), t.TempDir()
	write(t, dir, "w.yaml", `
secrets: {token: the-workspace-secret}
tasks:
  t:
    input: {key: {type: string, secret: true, required: true}}
    flow:
      s: {type: script, script: 'echo "${#INPUT_KEY} $INPUT_KEY {{ secret.token }}"'}
`)
	s := serve(t, home, t.TempDir(), config(t, "w", dir))
	id := s.execute("w", "t", map[string]any{"key": "the-input-secret"})
	s.await(id, "completed")
	s.awaitLog(id, "[s] 16 •••••• ••••••")
	res, err := http.Get(s.url + "/api/jobs/" + id) //nolint:noctx // a test's own server
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, err := io.ReadAll(res.Body); err != nil || !strings.Contains(string(body), `"input":{"key":"••••••"}`) {
		t.Errorf("%s %v", body, err)
	}
	s.kill(syscall.SIGTERM)
	for _, secret := range []string{"the-input-secret", "the-workspace-secret"} {
		out, _ := exec.Command("grep", "-rl", secret, home).Output()
		if len(out) > 0 || strings.Contains(s.log(), secret) {
			t.Errorf("%q is in %s or in the server's log", secret, out)
		}
	}
}
