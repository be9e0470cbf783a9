package tera_test

import (
	"slices"
	"strings"
	"testing"

	"stroem/workspace/tera"
)

// byVariable are the rows of the tables of refusals that do not hold for a variable:
// why, and what is said of a value that stands there itself.
var byVariable = []struct{ why, says string }{
	{"it is about the quotes that a value gets", "a backslash|right before the value|$\"…\"|backquotes|behind this subscript|follows $|follows a $|becomes a part|shells differ"},
	{"the shell does not expand there", "comment|what runs the script|here-document|end of the pipe|would run what the value says|a coprocess"},
	{"what a variable holds is expanded no further", "pattern|with a brace|with a ~|inside ${…}|inside [[ … ]]|what the server reads"},
	{"it is a file or a descriptor, whatever it is called", "behind >&|behind <&|{name}>"},
	{"only older versions of bash expand them twice, and unquoted lists are everywhere", "among the elements behind"},
	{"no option behind which declare reads code", "option of declare"},
	{"an operator runs nothing", "in this test"},
	{"what it prints is looked at elsewhere", "conversion"},
	{"it is data, and no program", "awk"},
}

// TestVariablesAreAskedTheSame puts a variable in the place of each value that is
// refused, or of which its author is warned: it is not quieter about that.
func TestVariablesAreAskedTheSame(t *testing.T) {
	t.Parallel()
	scripts := map[string]string{}
	for _, tt := range refused {
		scripts[tt.script] = tt.only
	}
	for _, tt := range reread {
		scripts[tt.script] = tt.only
	}
	for _, tt := range launchers {
		scripts[tt.script] = ""
	}
	found := map[string]bool{}
	for script, only := range scripts {
		if only == "sh" {
			continue
		}
		direct := ""
		errs, warnings := parse(t, script).CheckShell(tera.Bash)
		for _, e := range errs {
			direct += e.What
		}
		for _, w := range warnings {
			direct += w.What
		}
		for _, word := range []string{"${y}", `"$y"`} {
			if strings.Contains(script, `"`) && word == `"$y"` {
				continue // it is in quotes already, or is not to be
			}
			moved := "y={{ x }}\n" + strings.ReplaceAll(script, "{{ x }}", word)
			errs, warnings := parse(t, moved).CheckShell(tera.Bash)
			if len(errs) > 0 || len(warnings) > 0 && warnings[0].Kind != tera.Option {
				continue
			}
			if i := slices.IndexFunc(byVariable, func(row struct{ why, says string }) bool {
				return slices.ContainsFunc(strings.Split(row.says, "|"), func(says string) bool { return strings.Contains(direct, says) })
			}); i >= 0 {
				found[byVariable[i].why] = true
				continue
			}
			t.Errorf("nothing is said of %s, and of %s: %s", moved, script, direct)
		}
	}
	for _, row := range byVariable {
		if !found[row.why] {
			t.Errorf("needless: %s", row.why)
		}
	}
}
