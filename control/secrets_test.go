//go:build unix

package control

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestVals puts shell scripts in the place of vals.
func TestVals(t *testing.T) {
	const secret = "hunter2-the-secret"
	for _, tt := range []struct{ name, script, want, says string }{
		{"answer", `grep -q '"value":"ref+file://x"' && [ "$*" = "eval -o json -f -" ] && echo '{"value":"` + secret + `"}'`, secret, ""},
		{"failure that tells", `echo '{"value":"` + secret + `"}'; echo ` + secret + ` >&2; exit 4`, "", "exit status 4"},
		{"garbage", `head -c 5000 /dev/urandom`, "", "not JSON"},
		{"an object", `echo '{"value":{"a":"` + secret + `"}}'`, "", "not JSON"},
		{"no end of it", `exec yes ` + secret, "", "more than 1 MiB"},
		{"hang", "echo " + secret + "; sleep 30 &\nsleep 30", "", "in time"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "vals"), []byte("#!/bin/sh\n"+tt.script), 0o700); err != nil {
				t.Fatal(err)
			}
			t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
			ctx, stop := t.Context(), func() {}
			if tt.name == "hang" {
				ctx, stop = context.WithTimeout(ctx, 100*time.Millisecond)
			}
			defer stop()
			got, err := vals(ctx, "ref+file://x")
			if tt.says == "" && err != nil || tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), secret)) || got != tt.want {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := vals(t.Context(), "ref+x"); err == nil || !strings.Contains(err.Error(), "vals is not installed") {
		t.Error(err)
	}
}
