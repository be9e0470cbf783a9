//go:build unix

package cli_test

import (
	"encoding/json"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/mcp"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// With an empty home and no configuration there is a useful server.
func TestNewcomersServer(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	s := serve(t, home, t.TempDir())
	for _, want := range []string{s.url, filepath.Join(home, ".local", "share", "stroem"), `6 tasks in workspace "default"`,
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
	talkMCPGo(t, c)
}

func talkMCPGo(t *testing.T, c *client.Client) {
	t.Helper()
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
	talkSDK(t, s)
}

func talkSDK(t *testing.T, s *sdk.ClientSession) {
	t.Helper()
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

// helloWorld lists, looks, runs and waits, reads the log, and cancels what
// waits for a person, as .ci/clients/steps.mjs does.
func helloWorld(t *testing.T, s session) {
	want := []string{"cancel_job", "execute_task", "get_artifact", "get_job_logs", "get_job_status", "get_task", "list_artifacts", "list_jobs", "list_tasks", "list_workspaces", "plan_task", "rerun_job"}
	if diff := cmp.Diff(want, s.tools()); diff != "" {
		t.Error(diff)
	}
	if got := s.call("list_tasks", nil); !strings.Contains(got, `"name":"hello-world"`) {
		t.Errorf("list_tasks: %s", got)
	}
	task := map[string]any{"workspace": "default", "task_name": "hello-world"}
	if got := s.call("get_task", task); !strings.Contains(got, `"example":{"workspace":"default","task_name":"hello-world","input":{`) {
		t.Errorf("get_task: %s", got)
	}
	task["input"], task["wait_seconds"] = map[string]any{"name": "Ada"}, 30
	done := s.call("execute_task", task)
	if !strings.Contains(done, `"status":"completed","started_at"`) {
		t.Errorf("execute_task: %s", done)
	}
	if got := s.call("get_job_logs", map[string]any{"job_id": jobID(t, done)}); got != "[greet] Hello, Ada!" {
		t.Errorf("get_job_logs: %q", got)
	}
	begun := s.call("execute_task", map[string]any{"workspace": "default", "task_name": "release", "input": map[string]any{"version": "v1"}})
	arg := map[string]any{"job_id": jobID(t, begun)}
	if got := s.call("cancel_job", arg); got != `{"status":"cancelled"}` {
		t.Errorf("cancel_job: %s", got)
	}
	if got := s.call("get_job_status", arg); !strings.Contains(got, `"status":"cancelled"`) {
		t.Errorf("get_job_status: %s", got)
	}
}

func jobID(t *testing.T, execution string) string {
	t.Helper()
	var job struct {
		ID string `json:"job_id"`
	}
	if err := json.Unmarshal([]byte(execution), &job); err != nil {
		t.Fatal(err)
	}
	return job.ID
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
