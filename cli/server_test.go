//go:build unix

package cli_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
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
)

// server is a stroem serve, a process of its own.
type server struct {
	t       testing.TB
	cmd     *exec.Cmd
	stdout  io.Reader
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
	s := newServer(t, bin, home, dir, env...)
	s.mustStart()
	return s
}

// newServer is a server that has not been started.
func newServer(t testing.TB, bin, home, dir string, env ...string) *server {
	s := &server{t: t, cmd: exec.Command(bin, "serve"), ended: make(chan struct{})}
	s.cmd.Dir = dir
	s.cmd.Env = append(os.Environ(), append([]string{"HOME=" + home, "XDG_DATA_HOME=", "STROEM__LISTEN=127.0.0.1:0"}, env...)...)
	return s
}

func (s *server) mustStart() {
	s.t.Helper()
	if err := s.start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { s.kill(syscall.SIGKILL) })
}

// start starts the server and waits until it has said where it listens.
func (s *server) start() error {
	if err := s.spawn(); err != nil {
		return err
	}
	return s.hear()
}

func (s *server) spawn() (err error) {
	s.cmd.Stderr = s
	if s.stdout, err = s.cmd.StdoutPipe(); err != nil {
		return err
	}
	return s.cmd.Start()
}

// hear waits until the server has said where it listens, or has ended.
func (s *server) hear() error {
	lines := bufio.NewReader(s.stdout)
	for s.url == "" || !strings.Contains(s.greeted, "agents") {
		line, err := lines.ReadString('\n')
		if err != nil {
			_ = s.cmd.Wait()
			close(s.ended)
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

// manyCallers keeps a connection for each of them.
var manyCallers = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}

// rest asks the REST API and decodes its answer into into, unless that is nil.
// The code is 0 where no whole answer came.
func (s *server) rest(method, path, body string, into any) (code int, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, s.url+path, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := manyCallers.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, err
	}
	if into != nil && res.StatusCode < 400 {
		err = json.Unmarshal(answer, into)
	}
	return res.StatusCode, err
}

// mustRest is rest where anything but success ends the test.
func (s *server) mustRest(method, path, body string, into any) {
	s.t.Helper()
	if code, err := s.rest(method, path, body, into); err != nil || code >= 400 {
		s.t.Fatalf("%s %s: %d %v\n%s", method, path, code, err, s.log())
	}
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
