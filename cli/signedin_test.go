//go:build unix

package cli_test

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/client/transport"
	"github.com/mark3labs/mcp-go/mcp"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

const ownersPassword = "correct horse battery"

// closedServer is a server with sign-in, whose owner has a password.
type closedServer struct {
	*server
	env []string // in which commands use the same data
}

func serveClosed(t *testing.T) *closedServer {
	t.Helper()
	home, path := t.TempDir(), filepath.Join(t.TempDir(), "server-config.yaml")
	text := "mcp: {enabled: true}\nauth: {initial_user: {email: ada@example.org, password: " + ownersPassword + "}}\n" +
		"workspaces: {default: {type: folder, path: " + examplesDir(t) + "}}\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	env := []string{"HOME=" + home, "XDG_DATA_HOME=", "STROEM_CONFIG=" + path, "STROEM_TOKEN="}
	s := serve(t, home, t.TempDir(), "STROEM_CONFIG="+path)
	return &closedServer{s, append(env, "STROEM_URL="+s.url)}
}

func examplesDir(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../examples")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// command runs stroem beside the server and returns what it prints.
func (s *closedServer) command(args ...string) string {
	s.t.Helper()
	cmd := exec.Command("stroem", args...)
	var stderr bytes.Buffer
	cmd.Env, cmd.Stderr = append(os.Environ(), s.env...), &stderr
	out, err := cmd.Output()
	if err != nil {
		s.t.Fatalf("stroem %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return string(out)
}

// key makes an API key, and how it is revoked.
func (s *closedServer) key(args ...string) (plain string, revoke func()) {
	s.t.Helper()
	var made struct{ Key, Prefix string }
	if err := json.Unmarshal([]byte(s.command(append([]string{"--json", "apikey", "create", "test", "--user", "ada@example.org"}, args...)...)), &made); err != nil {
		s.t.Fatal(err)
	}
	return made.Key, func() { s.command("apikey", "revoke", made.Prefix) }
}

// session signs in, and says how to sign out.
func (s *closedServer) session() (token string, signOut func()) {
	s.t.Helper()
	var answer struct {
		Access string `json:"access_token"`
	}
	s.mustRest(http.MethodPost, "/api/auth/login", `{"email":"ada@example.org","password":"`+ownersPassword+`"}`, &answer)
	return answer.Access, func() {
		req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.url+"/api/auth/logout", nil)
		if err != nil {
			s.t.Fatal(err)
		}
		res, err := bearing{answer.Access}.RoundTrip(req)
		if err != nil || res.StatusCode != http.StatusOK {
			s.t.Fatalf("logout: %v %v", res, err)
		}
		res.Body.Close()
	}
}

// bearing adds the credential to each request.
type bearing struct{ token string }

func (b bearing) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.Header.Set("Authorization", "Bearer "+b.token)
	return http.DefaultTransport.RoundTrip(req)
}

// Both libraries' clients connect by key and by session, and what is revoked
// fails on the next call.
func TestClientsComeWithCredentials(t *testing.T) {
	t.Parallel()
	s := serveClosed(t)
	for name, credential := range map[string]func() (string, func()){
		"key": func() (string, func()) { return s.key() }, "session": s.session,
	} {
		t.Run(name+" of mcp-go", func(t *testing.T) {
			token, end := credential()
			c, err := client.NewStreamableHttpClient(s.url+"/mcp", transport.WithHTTPHeaders(map[string]string{"Authorization": "Bearer " + token}))
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if _, err := c.Initialize(t.Context(), mcp.InitializeRequest{}); err != nil {
				t.Fatal(err)
			}
			talkMCPGo(t, c)
			end()
			if _, err := c.CallTool(t.Context(), mcp.CallToolRequest{Params: mcp.CallToolParams{Name: "list_tasks"}}); err == nil {
				t.Error("it goes on after its end")
			}
		})
		t.Run(name+" of go-sdk", func(t *testing.T) {
			token, end := credential()
			c, err := sdk.NewClient(&sdk.Implementation{Name: "test", Version: "1"}, nil).Connect(t.Context(),
				&sdk.StreamableClientTransport{Endpoint: s.url + "/mcp", HTTPClient: &http.Client{Transport: bearing{token}}}, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			talkSDK(t, c)
			end()
			if _, err := c.CallTool(t.Context(), &sdk.CallToolParams{Name: "list_tasks"}); err == nil {
				t.Error("it goes on after its end")
			}
		})
	}
	// Nobody comes in without.
	if _, err := sdk.NewClient(&sdk.Implementation{Name: "test", Version: "1"}, nil).Connect(t.Context(),
		&sdk.StreamableClientTransport{Endpoint: s.url + "/mcp"}, nil); err == nil {
		t.Error("a client without a credential connected")
	}
}

// With auth: {} the owner's password is made and shown once, at the start that
// made it. A changed record of what was done is found.
func TestOwnersPasswordIsShownOnce(t *testing.T) {
	t.Parallel()
	home, path := t.TempDir(), filepath.Join(t.TempDir(), "server-config.yaml")
	if err := os.WriteFile(path, []byte("auth: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := serve(t, home, t.TempDir(), "STROEM_CONFIG="+path)
	found := regexp.MustCompile(`as owner@localhost with the password ([A-Z2-7]{26}) \(shown this once`).FindStringSubmatch(s.greeted)
	if found == nil {
		t.Fatalf("no password in the greeting:\n%s", s.greeted)
	}
	s.kill(syscall.SIGTERM)
	if strings.Contains(s.log(), found[1]) {
		t.Error("the password is in the log")
	}
	again := serve(t, home, t.TempDir(), "STROEM_CONFIG="+path)
	if strings.Contains(again.greeted, "password") {
		t.Errorf("the second greeting:\n%s", again.greeted)
	}
	again.mustRest(http.MethodPost, "/api/auth/login", `{"email":"owner@localhost","password":"`+found[1]+`"}`, nil)
	if code, err := again.rest(http.MethodGet, "/api/jobs", "", nil); code != http.StatusUnauthorized || err != nil {
		t.Errorf("a stranger: %d %v", code, err)
	}
	again.kill(syscall.SIGTERM)

	verify := exec.Command("stroem", "audit", "--verify")
	verify.Env = append(os.Environ(), "HOME="+home, "XDG_DATA_HOME=", "STROEM_CONFIG="+path)
	if out, err := verify.CombinedOutput(); err != nil || !strings.Contains(string(out), "none changed") {
		t.Errorf("%v: %s", err, out)
	}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(home, ".local", "share", "stroem", "stroem.db"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), `DROP TRIGGER audit_unchanged; UPDATE audit SET who = 'mallory' WHERE seq = 1`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	verify = exec.Command("stroem", "audit", "--verify")
	verify.Env = append(os.Environ(), "HOME="+home, "XDG_DATA_HOME=", "STROEM_CONFIG="+path)
	if out, err := verify.CombinedOutput(); verify.ProcessState.ExitCode() != 1 {
		t.Errorf("after a change: %v: %s", err, out)
	}
}
