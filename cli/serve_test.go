//go:build unix

package cli_test

import (
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
	"syscall"
	"testing"
	"time"

	"stroem/examples"
)

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
		"backup": "completed", "count-primes": "completed", "release": "completed"}
	inputs := map[string]map[string]any{"deploy-api": {"version": "v1"}, "release": {"version": "v1"}}
	waits := map[string][]string{"release": {"_approval", "confirm"}} // for a person, in these steps
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
				id := s.execute("w", task.Name, inputs[task.Name])
				for _, step := range waits[task.Name] {
					s.approve(id, step)
				}
				s.await(id, ends[task.Name])
				if list := s.ask("list_artifacts", map[string]any{"job_id": id}); strings.Contains(list, `"name":"contents.txt"`) != (task.Name == "backup") {
					t.Errorf("%s left %s", task.Name, list)
				}
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
