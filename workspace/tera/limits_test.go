package tera_test

import (
	"strings"
	"testing"

	"stroem/workspace/tera"
)

// TestHugeScriptsEnd checks that no template ends the process by its nesting or
// takes long by the number of its values: it is rendered or refused.
func TestHugeScriptsEnd(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, src string
		refused   bool
	}{
		{"a long script", strings.Repeat("echo \"a {{ x }}\" b\n", 1500), false},
		{"nested substitutions", strings.Repeat("$(echo ", 9000) + "{{ x }}" + strings.Repeat(")", 9000), true},
		{"nested arguments", "echo " + strings.Repeat("$(echo ", 9000) + "{{ x }}" + strings.Repeat(")", 9000), false},
		{"open substitutions", strings.Repeat("$(", 400_000) + "{{ x }}", true},
		{"open ifs", strings.Repeat("if ", 340_000) + "{{ x }}", true},
		{"a long chain", "a" + strings.Repeat("&&a", 300_000) + " {{ x }}", true},
		{"many values in a word", "echo " + strings.Repeat("{{ x }}", 3000), true},
		{"many values in a command", "echo " + strings.Repeat("{{ x }} ", 3000), true},
		{"more than a script may have", strings.Repeat("# a\n", 300_000) + ": {{ x }}", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := parse(t, tt.src).Shell(tera.Vars{"x": strings.Repeat("it's ", 800)}, tera.Bash)
			if (err != nil) != tt.refused {
				t.Errorf("refused is %v", err)
			}
		})
	}
}
