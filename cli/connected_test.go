//go:build unix

package cli_test

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// connectedHost is the home of a person with Claude Desktop and a server.
type connectedHost struct {
	t          *testing.T
	home, file string
	env        []string
}

func (h *connectedHost) stroem(args ...string) string {
	h.t.Helper()
	cmd := exec.Command("stroem", args...)
	cmd.Dir, cmd.Env = h.home, append(os.Environ(), h.env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		h.t.Fatalf("%v: %v\n%s", args, err, out)
	}
	return string(out)
}

// entry is what Claude Desktop starts.
func (h *connectedHost) entry() (e struct {
	Command string
	Args    []string
	Env     map[string]string
}) {
	h.t.Helper()
	var doc struct {
		Servers map[string]json.RawMessage `json:"mcpServers"`
	}
	text, err := os.ReadFile(h.file)
	if err == nil {
		err = json.Unmarshal(text, &doc)
	}
	if err == nil {
		err = json.Unmarshal(doc.Servers["stroem"], &e)
	}
	if err != nil {
		h.t.Fatalf("%v\n%s", err, text)
	}
	return e
}

// tools starts the entry as the host does, with no more environment than it
// gives, and lists the tools.
func (h *connectedHost) tools() (n int) {
	h.t.Helper()
	e := h.entry()
	cmd := exec.Command(e.Command, e.Args...)
	cmd.Dir, cmd.Env = "/", []string{"HOME=" + h.home, "PATH=" + os.Getenv("PATH")}
	for name, value := range e.Env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	c := sdk.NewClient(&sdk.Implementation{Name: "claude-ai", Version: "1"}, nil)
	s, err := c.Connect(h.t.Context(), &sdk.CommandTransport{Command: cmd}, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	defer s.Close()
	list, err := s.ListTools(h.t.Context(), nil)
	if err != nil {
		h.t.Fatal(err)
	}
	res, err := s.CallTool(h.t.Context(), &sdk.CallToolParams{Name: "list_tasks"})
	if err != nil || res.IsError || !strings.Contains(res.Content[0].(*sdk.TextContent).Text, "hello-world") {
		h.t.Fatalf("list_tasks: %v %+v", err, res)
	}
	return len(list.Tools)
}

// What connect writes for Claude Desktop starts, and works with its key at
// /mcp alone until it is disconnected.
func TestWhatConnectWritesWorks(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	s := serve(t, home, home, "STROEM__AUTH={}")
	h := &connectedHost{t: t, home: home, file: filepath.Join(home, "claude.json"),
		env: []string{"HOME=" + home, "XDG_DATA_HOME=", "STROEM__AUTH={}", "STROEM_URL=" + s.url, "CLAUDE_DESKTOP_CONFIG=" + filepath.Join(home, "claude.json")}}
	write(t, home, "claude.json", `{"mcpServers": {"other": {"command": "x"}}, "scale": 0}`)
	if out := h.stroem("connect", "claude-desktop"); !strings.Contains(out, "start it again") || strings.Contains(out, "stroem: ") {
		t.Errorf("connect says:\n%s", out)
	}
	if e := h.entry(); !filepath.IsAbs(e.Command) {
		t.Errorf("the entry is %+v", e)
	}
	if n := h.tools(); n < 8 {
		t.Errorf("%d tools", n)
	}
	first := h.entry().Env["STROEM_TOKEN"]
	h.stroem("connect", "claude-desktop")
	second := h.entry().Env["STROEM_TOKEN"]
	if first == second || !regexp.MustCompile(`^strm_[0-9a-f]{32}$`).MatchString(second) {
		t.Errorf("the keys are %q and %q", first, second)
	}
	h.tools()
	for _, tc := range []struct {
		key, path string
		want      int
	}{{first, "/mcp", 401}, {second, "/mcp", 200}, {second, "/api/jobs", 403}} {
		if got := status(t, s.url+tc.path, tc.key); got != tc.want {
			t.Errorf("%s with %s: %d, want %d", tc.path, tc.key, got, tc.want)
		}
	}
	h.stroem("disconnect", "claude-desktop")
	if got := status(t, s.url+"/mcp", second); got != 401 {
		t.Errorf("after disconnect the key is answered with %d", got)
	}
	text, err := os.ReadFile(h.file)
	if err != nil || string(text) != `{"mcpServers": {"other": {"command": "x"}}, "scale": 0}` {
		t.Errorf("after disconnect the file is %v %s", err, text)
	}
}

// The path of a program that is gone tomorrow is not written.
func TestProgramOfGoRunIsRefused(t *testing.T) {
	t.Parallel()
	here, err := exec.LookPath("stroem")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(here)
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	for _, dir := range []string{"go-build123/b001/exe", "go-build/" + strings.Repeat("0f", 32) + "-d"} {
		self := filepath.Join(home, dir, "stroem")
		if err := os.MkdirAll(filepath.Dir(self), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(self, text, 0o700); err != nil {
			t.Fatal(err)
		}
		for host, want := range map[string]string{"claude-desktop": "for this once", "cursor": "Cursor can use"} {
			cmd := exec.Command(self, "connect", host)
			cmd.Dir, cmd.Env = home, append(os.Environ(), "HOME="+home, "XDG_DATA_HOME=", "XDG_CONFIG_HOME=", "STROEM_URL=http://127.0.0.1:1")
			out, err := cmd.CombinedOutput()
			if (err == nil) != (host == "cursor") || !strings.Contains(string(out), want) {
				t.Errorf("%s by %s: %v %s", host, self, err, out)
			}
		}
	}
	if _, err := os.Stat(filepath.Join(home, ".config", "Claude")); err == nil {
		t.Error("a file was written")
	}
}

// status is what a server answers to a key: by POST at /mcp, else by GET.
func status(t *testing.T, url, key string) int {
	t.Helper()
	method, body := http.MethodGet, ""
	if strings.HasSuffix(url, "/mcp") {
		method, body = http.MethodPost, `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}`
	}
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	return res.StatusCode
}
