//go:build unix

package workspace_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"stroem/workspace"
)

// stand puts a shell script in the place of a program.
func stand(t *testing.T, name, script string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
}

const hunter = "hunter2-the-secret"

func TestDecryptedFiles(t *testing.T) {
	for _, tt := range []struct{ name, script, says string }{
		{"answer", `grep -q ENC || exit 3; printf 'secrets: {token: ` + hunter + `}\n'`, ""},
		{"failure that tells", `echo "` + hunter + `"; echo "` + hunter + `" >&2; exit 9`, "exit status 9"},
		{"nothing", `exit 0`, ""},
		{"no YAML", `printf 'secrets: "` + hunter + `'`, "ends within quotes"},
		{"a text", `echo ` + hunter, "found the text …"},
		{"no map of names", `echo secrets: ` + hunter, "found the text …"},
		{"a type", `echo 'actions: {a: {type: ` + hunter + `}}'`, "unknown action type …"},
		{"garbage", `head -c 100000 /dev/urandom`, ""},
		{"no end of it", `exec yes ` + hunter, "more than 1 MiB"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			stand(t, "sops", tt.script)
			fsys := fstest.MapFS{".workflows/s.sops.yaml": {Data: []byte("secrets: ENC[x]\n")}, ".workflows/t.yaml": {Data: []byte("tasks: {t: {flow: {s: {type: script, script: \"echo {{ secret.token }}\"}}}}\n")}}
			ws, err := workspace.Load(fsys, nil)
			if err != nil {
				t.Fatal(err)
			}
			if said := fmt.Sprint(ws.Problems); strings.Contains(said, hunter) || !strings.Contains(said, tt.says) {
				t.Errorf("problems are %s", said)
			}
			if token, ok := ws.Secrets["token"].(*workspace.Secret); (tt.name == "answer") != (ok && token.Text == hunter) {
				t.Errorf("secrets are %v", ws.Secrets)
			}
		})
	}
}

// A program that does not end, and leaves another behind that keeps its output
// open, is waited for no longer than it may take.
func TestAskIsBounded(t *testing.T) {
	stand(t, "endless", "sleep 30 &\nsleep 30")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	begun := time.Now()
	_, err := workspace.Ask(ctx, "", "endless")
	if err == nil || !strings.Contains(err.Error(), "in time") || time.Since(begun) > 20*time.Second {
		t.Errorf("%v after %s", err, time.Since(begun))
	}
	if _, err := workspace.Ask(t.Context(), "", "no-such-program"); err == nil || !strings.Contains(err.Error(), "not installed") {
		t.Error(err)
	}
}

// What a secret's text holds is in no message about it.
func TestSecretThatIsNoTemplate(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"a{{b " + hunter, "{% if " + hunter, hunter + "{{ | }}", "{# " + hunter} {
		if _, err := workspace.RenderSecret(text, nil); err == nil || strings.Contains(err.Error(), hunter) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
