package tera_test

import (
	"os"
	"testing"

	"stroem/workspace/tera"
)

// BenchmarkShell parses, renders and quotes a script of 20 lines.
func BenchmarkShell(b *testing.B) {
	src, err := os.ReadFile("testdata/deploy.sh")
	if err != nil {
		b.Fatal(err)
	}
	vars := tera.Vars{"input": map[string]any{"version": "1.2.3", "target": "it's \"prod\"", "ticket": "$(id)", "region": "north é"}}
	for _, d := range []tera.Dialect{tera.Bash, tera.POSIX} {
		b.Run(d.String(), func(b *testing.B) {
			for b.Loop() {
				tmpl, err := tera.Parse(string(src))
				if err != nil {
					b.Fatal(err)
				}
				if _, err := tmpl.Shell(vars, d); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
