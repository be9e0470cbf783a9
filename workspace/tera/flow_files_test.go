package tera_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"stroem/workspace/tera"
)

// others are programs that reach beyond a test's folder.
var others = regexp.MustCompile(`ssh|sudo|git|tmux|make|bun|deno|rm `)

// TestFilesThatRun runs a few of the scripts above as an agent's, with values that
// attack; whatever is not refused must not run them.
func TestFilesThatRun(t *testing.T) {
	t.Parallel()
	for _, sh := range shells {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			haveShell(t, sh)
			dir, touched := canary(t)
			for _, tt := range programs {
				if others.MatchString(tt.script) {
					continue
				}
				for _, v := range assault {
					v = strings.ReplaceAll(v, "CANARY", touched)
					script, err := parse(t, tt.script).With(tera.Options{ForbidRaw: true}).Shell(tera.Vars{"x": v}, sh.dialect)
					if err == nil {
						_, _ = run(t, sh.args, dir, script)
					}
				}
			}
			if _, err := os.Stat(touched); err == nil {
				t.Error("a value was run")
			}
		})
	}
}
