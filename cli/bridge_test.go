//go:build unix

package cli_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/mcp"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// host is a program that started stroem mcp and speaks to it by lines.
type host struct {
	t   testing.TB
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func startHost(t testing.TB, dir string, env ...string) *host {
	t.Helper()
	h := &host{t: t, cmd: exec.Command("stroem", "mcp")}
	h.cmd.Dir, h.cmd.Env = dir, append(os.Environ(), env...)
	var err error
	if h.in, err = h.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := h.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	h.out = bufio.NewReader(out)
	if err := h.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.cmd.Process.Kill() })
	return h
}

func (h *host) say(line string) {
	h.t.Helper()
	if _, err := io.WriteString(h.in, line+"\n"); err != nil {
		h.t.Fatal(err)
	}
}

// hear is the next line, which must be a message of JSON-RPC.
func (h *host) hear() string {
	h.t.Helper()
	line, err := h.out.ReadString('\n')
	var m struct{ JSONRPC string }
	if err != nil || json.Unmarshal([]byte(line), &m) != nil || m.JSONRPC != "2.0" {
		h.t.Fatalf("heard %q, %v", line, err)
	}
	return line
}

// hangUp closes the program's input: it must exit with 0 soon, saying nothing
// more that is no message.
func (h *host) hangUp() {
	h.t.Helper()
	began := time.Now()
	if err := h.in.Close(); err != nil {
		h.t.Fatal(err)
	}
	for {
		if _, err := h.out.Peek(1); err != nil {
			break
		}
		h.hear()
	}
	if err := h.cmd.Wait(); err != nil || time.Since(began) > 5*time.Second {
		h.t.Errorf("it ended after %s: %v", time.Since(began), err)
	}
}

const initialize = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`

func toolCall(id int, tool, args string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":%q,"arguments":%s}}`, id, tool, args)
}

// Hosts that start programs come in with a key, by either library.
func TestBridgeWithAKey(t *testing.T) {
	t.Parallel()
	s := serveClosed(t)
	key, revoke := s.key("--mcp-only")
	env := append(append(os.Environ(), s.env...), "STROEM_TOKEN="+key)
	t.Run("mcp-go", func(t *testing.T) {
		c, err := client.NewStdioMCPClient("stroem", env, "mcp")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Initialize(t.Context(), mcp.InitializeRequest{}); err != nil {
			t.Fatal(err)
		}
		talkMCPGo(t, c)
	})
	t.Run("go-sdk", func(t *testing.T) {
		cmd := exec.Command("stroem", "mcp")
		cmd.Env = env
		c, err := sdk.NewClient(&sdk.Implementation{Name: "test", Version: "1"}, nil).Connect(t.Context(), &sdk.CommandTransport{Command: cmd}, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		talkSDK(t, c)
	})
	t.Run("by lines", func(t *testing.T) {
		h := startHost(t, t.TempDir(), append(s.env, "STROEM_TOKEN="+key)...)
		h.say(initialize)
		h.hear()
		h.say("no JSON")
		if got := h.hear(); !strings.Contains(got, "-32700") {
			t.Error(got)
		}
		h.say(toolCall(2, "list_workspaces", "{}"))
		if got := h.hear(); !strings.Contains(got, "default") {
			t.Error(got)
		}
		h.say(`{"jsonrpc":"2.0","id":"x","method":"tools/call","params":{"name":" größer\n","_meta":` +
			`{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}`)
		if got := h.hear(); !strings.Contains(got, `"id":"x"`) || !strings.Contains(got, `no tool \" größer\\n\"; tools/list`) {
			t.Error(got)
		}
		revoke()
		h.say(toolCall(3, "list_workspaces", "{}"))
		if got := h.hear(); !strings.Contains(got, `"id":3`) || !strings.Contains(got, "`stroem apikey create NAME` makes a key") {
			t.Error(got)
		}
		h.hangUp()
	})
}

// Who signed in is a person: the program that a host starts does not become
// one, and does not spoil their session for approvals.
func TestBridgeDoesNotUseAPersonsSession(t *testing.T) {
	t.Parallel()
	s := serveClosed(t)
	login := exec.Command("stroem", "login", "--email", "ada@example.org", "--password-stdin")
	login.Env, login.Stdin = append(os.Environ(), s.env...), strings.NewReader(ownersPassword+"\n")
	if out, err := login.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	h := startHost(t, t.TempDir(), s.env...)
	h.say(initialize)
	if got := h.hear(); !strings.Contains(got, "STROEM_TOKEN") || !strings.Contains(got, `"error"`) {
		t.Error(got)
	}
	h.hangUp()
	if got := s.command("whoami"); !strings.Contains(got, "ada@example.org, an administrator") {
		t.Error(got)
	}
}

// What the host cancels is cancelled at the server, and nothing is answered.
func TestBridgePassesCancelsOn(t *testing.T) {
	t.Parallel()
	came, left := make(chan struct{}), make(chan struct{})
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch {
		case strings.Contains(string(body), "execute_task"):
			close(came)
			<-r.Context().Done()
			close(left)
		case strings.Contains(string(body), `"id":3`):
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"jsonrpc":"2.0","id":3,"result":{}}`)
		default:
			w.WriteHeader(http.StatusAccepted)
		}
	}))
	defer upstream.Close()
	h := startHost(t, t.TempDir(), "HOME="+t.TempDir(), "STROEM_URL="+upstream.URL)
	h.say(toolCall(2, "execute_task", "{}"))
	<-came
	h.say(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2}}`)
	<-left
	h.say(`{"jsonrpc":"2.0","id":3,"method":"ping"}`)
	if got := h.hear(); !strings.Contains(got, `"id":3`) {
		t.Errorf("what was cancelled was answered: %s", got)
	}
	h.hangUp()
}

// With a call under way that takes long, the bridge ends all the same.
func TestBridgeEndsWithItsHost(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "w.yaml", "tasks: {long: {flow: {s: {type: script, script: exec sleep 1000}}}}\n")
	s := serve(t, t.TempDir(), t.TempDir(), config(t, "w", dir))
	h := startHost(t, t.TempDir(), "HOME="+t.TempDir(), "STROEM_URL="+s.url+"/mcp")
	h.say(toolCall(2, "execute_task", `{"workspace":"w","task_name":"long","wait_seconds":50}`))
	poll(t, func() string { return s.ask("list_jobs", nil) }, func(got string) bool { return strings.Contains(got, `"status":"running"`) })
	h.hangUp()
}

// A host that stands in somebody's repository does not run what lies there:
// it is told why there is no server, and what to do.
func TestBridgeRunsNothingOfTheHostsFolder(t *testing.T) {
	t.Parallel()
	for _, given := range []string{".workflows/w.yaml", "server-config.yaml"} {
		t.Run(given, func(t *testing.T) {
			t.Parallel()
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			addr := l.Addr().String()
			l.Close()
			home, dir := t.TempDir(), t.TempDir()
			if err := os.Mkdir(filepath.Join(dir, ".workflows"), 0o755); err != nil {
				t.Fatal(err)
			}
			write(t, dir, ".workflows/w.yaml", "tasks: {t: {flow: {s: {type: script, script: touch ran}}}}\n")
			if given == "server-config.yaml" {
				write(t, dir, given, "mcp: {enabled: true}\nworkspaces: {w: {type: folder, path: .}}\n")
			}
			h := startHost(t, dir, "HOME="+home, "XDG_DATA_HOME=", "STROEM__LISTEN="+addr)
			h.say(initialize)
			if got := h.hear(); !strings.Contains(got, `"error"`) || !strings.Contains(got, strings.Split(given, "/")[0]+" says") || !strings.Contains(got, "STROEM_CONFIG") {
				t.Error(got)
			}
			h.hangUp()
			if _, err := os.Stat(filepath.Join(home, ".local")); !os.IsNotExist(err) {
				t.Errorf("there is a data folder: %v", err)
			}
		})
	}
}

// Where no server runs one is started, and it outlives the host.
func TestBridgeStartsAServer(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	home := t.TempDir()
	h := startHost(t, t.TempDir(), "HOME="+home, "XDG_DATA_HOME=", "STROEM__LISTEN="+addr)
	h.say(initialize)
	if got := h.hear(); !strings.Contains(got, `"serverInfo"`) {
		t.Error(got)
	}
	h.hangUp()
	res, err := http.Get("http://" + addr + "/healthz")
	if err != nil {
		t.Fatalf("the server ended with the host: %v", err)
	}
	res.Body.Close()
	lock, err := os.ReadFile(filepath.Join(home, ".local", "share", "stroem", "stroem.lock"))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(lock)))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	poll(t, func() string { return fmt.Sprint(syscall.Kill(pid, 0)) }, func(got string) bool { return got != "<nil>" })
}
