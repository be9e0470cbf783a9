package runner

import (
	"os"
	"sync"
	"testing"

	"stroem/workspace"
	"stroem/workspace/tera"
)

// TestTemplatesAreParsedOnce checks that a plan keeps what it parsed, whichever of
// its steps asks.
func TestTemplatesAreParsedOnce(t *testing.T) {
	t.Parallel()
	var kept templates
	first, err := kept.parse("echo {{ input.x }}")
	if err != nil {
		t.Fatal(err)
	}
	var steps sync.WaitGroup
	for range 8 {
		steps.Go(func() {
			if again, err := kept.parse("echo {{ input.x }}"); err != nil || again != first {
				t.Errorf("parsed again: %v", err)
			}
			if _, err := kept.parse("echo {{"); err == nil {
				t.Error("half a template is no error")
			}
		})
	}
	steps.Wait()
	if len(kept.byText) != 1 {
		t.Errorf("%d are kept", len(kept.byText))
	}
}

// BenchmarkScript renders a script of 20 lines, by a template that is parsed each
// time and by one that is kept with its plan.
func BenchmarkScript(b *testing.B) {
	src, err := os.ReadFile("../workspace/tera/testdata/rollout.sh")
	if err != nil {
		b.Fatal(err)
	}
	action := &workspace.Action{Script: string(src)}
	vars := tera.Vars{"input": map[string]any{"version": "1.2.3", "target": "it's \"prod\"", "ticket": "$(id)", "region": "north é", "regions": []any{"north é", "south", "it's"}, "dry": false}}
	for name, kept := range map[string]*templates{"parsed": nil, "kept": {}} {
		rend := renderer{vars: vars, parsed: kept}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := rend.script(action, program{bash: true}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
