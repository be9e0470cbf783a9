//go:build unix

package runner_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"stroem/store"
)

// leaks lists the files of the data folder that hold the text.
func (r *rig) leaks(text string) (files []string) {
	r.t.Helper()
	err := filepath.WalkDir(r.st.Dir(), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if strings.Contains(string(content), text) {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return files
}

func TestSecretsReachScriptsAndNothingElse(t *testing.T) {
	t.Parallel()
	r := newRig(t, `
secrets:
  token: hunter2-the-secret
  db: {password: "pass'word"}
actions:
  use:
    type: script
    input: {key: {type: string, secret: true}}
    env: {TOKEN: "{{ secret.token }}"}
    script: |
      test "$TOKEN" = hunter2-the-"$(echo secret)" && echo "env is right"
      test {{ secrets.db.password }} = "pass'wo"rd && echo "script is right"
      test "$INPUT_KEY" = open-sesame-"$(echo 42)" && echo "input is right"
      echo "$TOKEN and {{ secret.db.password }} and $INPUT_KEY"
      printf '%s' "$TOKEN" | base64
      printf 'OUTPUT: {"t": "%s"}\n' "$TOKEN"
      printf '%s' "$TOKEN" | cut -c1-10 | tr -d '\n' >&2; sleep 0.1; printf '%s' "$TOKEN" | cut -c11- >&2
      exit 7
tasks:
  t:
    input: {key: {type: string, secret: true, required: true}}
    flow:
      s: {action: use}

`[1:])
	const input = "open-sesame-42"
	res := r.run("t", map[string]any{"key": input})
	want := []string{"env is right", "script is right", "input is right", "•••••• and •••••• and ••••••", "••••••", `OUTPUT: {"t": "••••••"}`, "••••••"}
	if diff := cmp.Diff(want, res.log); diff != "" {
		t.Error(diff)
	}
	if s := res.steps["s"]; s.Error != "exit code 7" || strings.Contains(string(s.Output), "hunter2") {
		t.Errorf("step: %s %s", s.Error, s.Output)
	}
	r.halt()
	for _, text := range []string{"hunter2-the-secret", "pass'word", input} {
		if files := r.leaks(text); len(files) > 0 {
			t.Errorf("%q is in %v", text, files)
		}
	}
	if strings.Contains(string(res.Input), input) || !strings.Contains(string(res.Input), "sealed:") {
		t.Errorf("input is stored as %s", res.Input)
	}
}

func TestMaskingGoesOnAfterARestart(t *testing.T) {
	t.Parallel()
	fifo := filepath.Join(t.TempDir(), "go")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	r := newRig(t, fmt.Sprintf(`
secrets: {token: hunter2-the-secret}
tasks:
  t:
    flow:
      s:
        type: script
        env: {TOKEN: "{{ secret.token }}"}
        script: |
          echo "before $TOKEN"
          read line < %s
          echo "after $TOKEN"
`, fifo))
	job := r.submit("t", nil)
	r.until(job.ID, func(res result) bool { return len(res.log) == 1 })
	r.halt()
	r.secret = nil // the workspace has forgotten it meanwhile
	r.start()
	if err := os.WriteFile(fifo, []byte("\n"), 0); err != nil {
		t.Fatal(err)
	}
	res := r.wait(job)
	if diff := cmp.Diff([]string{"before ••••••", "after ••••••"}, res.log); diff != "" || res.Status != store.Completed {
		t.Errorf("%s %s %s", res.Status, res.Error, diff)
	}
}

func TestMaskedOutputStaysJSON(t *testing.T) {
	t.Parallel()
	r := newRig(t, `
secrets: {pin: "123456", word: 'a"b\c'}
tasks:
  t:
    flow:
      s:
        type: script
        env: {WORD: "{{ secret.word }}"}
        script: |
          printf '{"n": %s, "list": ["x%sy"], "ok": true}' 123456 123456 > "$STROEM_OUTPUT"
`)
	res := r.run("t", nil)
	if got := string(res.steps["s"].Output); got != `{"list":["x••••••y"],"n":"••••••","ok":true}` {
		t.Errorf("%s %s", got, res.Error)
	}
}

// A cancel that comes while a found step is being taken up is not lost.
func TestStepOfACancelledJobIsNotStarted(t *testing.T) {
	t.Parallel()
	r := newRig(t, one("echo ran"))
	r.halt()
	job := r.submit("t", nil)
	r.claimAndVanish()
	if err := r.rn.Cancel(t.Context(), job.ID); err != nil {
		t.Fatal(err)
	}
	r.start()
	res := r.wait(job)
	if res.steps["s"].Status != store.Cancelled || len(res.log) != 0 || !res.StartedAt.IsZero() {
		t.Errorf("step is %s, %v, job started at %s", res.steps["s"].Status, res.log, res.StartedAt)
	}
}

// A step whose folder somebody took away is not started a second time.
func TestStepWithoutItsFolderIsLost(t *testing.T) {
	t.Parallel()
	r := newRig(t, one("echo $$\nsleep 1000"))
	job := r.submit("t", nil)
	res := r.until(job.ID, func(res result) bool { return len(res.log) == 1 })
	r.halt()
	if err := os.RemoveAll(filepath.Join(r.st.Dir(), "steps", res.steps["s"].Attempt)); err != nil {
		t.Fatal(err)
	}
	r.start()
	got := r.wait(job)
	if got.Status != store.Failed || !strings.Contains(got.Error, "killed from outside") {
		t.Errorf("job is %s: %s", got.Status, got.Error)
	}
	gone(t, pids(t, res.log)[0])
}
