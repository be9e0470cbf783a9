package tera_test

import (
	"os"
	"testing"

	"stroem/workspace/tera"
)

// BenchmarkShell parses, renders and quotes scripts of 20 lines: one that only
// names values, and one with an if, a for and filters.
func BenchmarkShell(b *testing.B) {
	vars := tera.Vars{"input": map[string]any{"version": "1.2.3", "target": "it's \"prod\"", "ticket": "$(id)", "region": "north é", "regions": []any{"north é", "south", "it's"}, "dry": false}}
	for _, file := range []string{"deploy.sh", "rollout.sh"} {
		src, err := os.ReadFile("testdata/" + file)
		if err != nil {
			b.Fatal(err)
		}
		for _, d := range []tera.Dialect{tera.Bash, tera.POSIX} {
			b.Run(file+" "+d.String(), func(b *testing.B) { quoted(b, string(src), vars, d) })
		}
	}
}

func quoted(b *testing.B, src string, vars tera.Vars, d tera.Dialect) {
	for b.Loop() {
		tmpl, err := tera.Parse(src)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := tmpl.Shell(vars, d); err != nil {
			b.Fatal(err)
		}
	}
}
