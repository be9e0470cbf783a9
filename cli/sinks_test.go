//go:build unix

package cli_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// someSecrets are random texts of the characters that encodings change.
func someSecrets(n int) (list []string) {
	r := rand.New(rand.NewPCG(4, uint64(n)))
	chars := []rune("abcXYZ0189-_.~ /+=&%$`\"'\\<>ø€😀!*()")
	for range n {
		var b strings.Builder
		for b.Len() < 10+r.IntN(50) {
			b.WriteRune(chars[r.IntN(len(chars))])
		}
		list = append(list, "k"+b.String()+"y")
	}
	return list
}

// spellings are a secret as it is and as it is commonly encoded; shown is what
// must not be seen of it.
func spellings(secret string) (printed, shown []string) {
	quoted, _ := json.Marshal(secret)
	whole := []string{secret, string(quoted[1 : len(quoted)-1]), url.QueryEscape(secret), url.PathEscape(secret), strings.ReplaceAll(secret, "'", `'\''`)}
	printed, shown = append(printed, whole...), append(shown, whole...)
	for _, before := range []string{"", "x", "xy"} {
		b := base64.StdEncoding.EncodeToString([]byte(before + secret + "z"))
		printed, shown = append(printed, b), append(shown, b[4:len(b)-6])
	}
	return printed, shown
}

// TestNoSinkShowsASecret prints secrets in every encoding by real steps, and looks
// for them wherever a server puts, shows or hands on what steps say.
func TestNoSinkShowsASecret(t *testing.T) {
	t.Parallel()
	secrets := someSecrets(8)
	if campaign {
		secrets = someSecrets(200)
	}
	folder, home := t.TempDir(), t.TempDir()
	said, shown := filepath.Join(t.TempDir(), "said"), []string{}
	var text strings.Builder
	declared := map[string]string{}
	for i, secret := range secrets {
		printed, visible := spellings(secret)
		shown = append(shown, visible...)
		fmt.Fprintf(&text, "%d: %s\n", i, strings.Join(printed, " | "))
		if i > 0 { // the first is an input
			declared[fmt.Sprintf("s%d", i)] = secret
		}
	}
	write(t, filepath.Dir(said), "said", text.String())
	doc, _ := json.Marshal(declared) // JSON is YAML
	write(t, folder, "w.yaml", fmt.Sprintf(`
secrets: %s
actions:
  say:
    type: script
    input: {key: {type: string, secret: true}}
    env: {S1: "{{ secret.s1 }}"}
    script: |
      cat %[2]s
      cat %[2]s >&2
      dd if=%[2]s bs=7 2>/dev/null
      printf '%%s' "$S1$INPUT_KEY" | base64
      echo 'OUTPUT: {"a": "{{ secret.s2 }}"}'
  tell:
    type: script
    env: {D: '{ {{ secret.s2 | json_encode }}: {{ secret.s3 | json_encode }} }'}
    script: printf '%%s' "$D" >"$STROEM_OUTPUT"
tasks:
  t:
    input: {key: {type: string, secret: true}}
    flow:
      say: {action: say, input: {key: "{{ input.key }}"}}
      tell: {action: tell, depends_on: [say]}
      heard: {type: script, depends_on: [tell], env: {O: "{{ say.output.a }}{{ tell.output | json_encode }}"}, script: 'printf "%%s\n" "$O"; exit 3'}
  throw:
    flow: {s: {type: script, script: "echo {{ throw(message=secret.s1) }}"}}
  lost:
    flow: {s: {type: script, workdir: "nowhere/{{ secret.s2 }}", script: "true"}}
`, doc, said))

	cfg := config(t, "w", folder)
	s := serve(t, home, t.TempDir(), cfg)
	sinks := map[string]string{}
	input, _ := json.Marshal(map[string]any{"input": map[string]string{"key": secrets[0]}})
	for _, task := range []string{"t", "throw", "lost"} {
		var in map[string]any
		if task == "t" {
			in = map[string]any{"key": secrets[0]}
		}
		id := s.execute("w", task, in)
		sinks[task+": MCP status"] = s.await(id, "failed")
		for _, tool := range []string{"get_job_logs", "list_jobs"} {
			texts, _ := s.call(tool, map[string]any{"job_id": id}) // the other one takes no job
			sinks[task+": MCP "+tool] = strings.Join(texts, "\n")
		}
		for _, path := range []string{"", "/logs", "/logs?tail=100", "/logs/stream"} {
			sinks[task+": REST "+path] = s.body(http.MethodGet, "/api/jobs/"+id+path, "")
		}
		for _, args := range [][]string{{"status", id}, {"status", id, "--json"}, {"logs", id}, {"logs", id, "--json"}, {"jobs"}, {"audit"}, {"audit", "--json"}} {
			sinks[task+": stroem "+strings.Join(args, " ")] = s.cli(home, cfg, args...)
		}
	}
	sinks["REST execution"] = s.body(http.MethodPost, "/api/workspaces/w/tasks/t/execute", string(input))
	for _, path := range []string{"/api/jobs", "/api/workspaces", "/api/workspaces/w/tasks/t", "/api/audit"} {
		sinks["REST "+path] = s.body(http.MethodGet, path, "")
	}
	sinks["stroem run"] = s.cli(home, cfg, "run", "t", "--path", folder, "--input-json", string(input[len(`{"input":`):len(input)-1]))
	sinks["stroem run throw"] = s.cli(home, cfg, "run", "throw", "--path", folder)
	backup := filepath.Join(t.TempDir(), "b.tar")
	s.cli(home, cfg, "backup", backup)
	b, err := os.ReadFile(backup)
	if err != nil {
		t.Fatal(err)
	}
	sinks["backup"] = string(b)
	s.kill(syscall.SIGTERM)
	sinks["the server's log"] = s.log()
	err = filepath.WalkDir(home, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		sinks[path] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	looked := 0
	for where, text := range sinks {
		looked += len(text)
		for _, secret := range shown {
			if i := strings.Index(text, secret); i >= 0 {
				t.Errorf("%s shows %q: …%q", where, secret, text[max(0, i-60):min(len(text), i+len(secret)+20)])
				break
			}
		}
	}
	for _, where := range []string{"t: MCP get_job_logs", "t: REST /logs/stream", "t: stroem logs ", "throw: MCP status", "lost: MCP status", "stroem run", "backup"} {
		found := false
		for name, text := range sinks {
			found = found || strings.HasPrefix(name, where) && strings.Contains(text, "••••••")
		}
		if !found {
			t.Errorf("%s has nothing hidden: it was not reached", where)
		}
	}
	t.Logf("%d spellings of %d secrets in %d bytes of %d places", len(shown), len(secrets), looked, len(sinks))
}

// body is the whole answer of the REST API.
func (s *server) body(method, path, body string) string {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(res.Body); err != nil || res.StatusCode >= 500 {
		s.t.Fatalf("%s: %d, %v, %s", path, res.StatusCode, err, b.String())
	}
	return b.String()
}

// cli runs a command against the server; what it prints is all that counts.
func (s *server) cli(home, cfg string, args ...string) string {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), "stroem", args...)
	cmd.Env = append(os.Environ(), "HOME="+home, "XDG_DATA_HOME=", "STROEM_URL="+s.url, cfg)
	out, err := cmd.CombinedOutput()
	if testing.Verbose() {
		s.t.Logf("stroem %v: %v, %d bytes", args[0], err, len(out))
	}
	return string(out)
}
