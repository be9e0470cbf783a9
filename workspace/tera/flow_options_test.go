package tera_test

import (
	"strings"
	"testing"

	"stroem/workspace/tera"
)

// TestWordsOfAValueAreOptions checks what a variable outside of quotes brings: each of
// its words may be an option.
func TestWordsOfAValueAreOptions(t *testing.T) {
	t.Parallel()
	for script, value := range map[string]string{
		"y={{ x }}; find . -name $y": "a -exec touch b ;", "y={{ x }}; tar -cf a.tar $y": "a --checkpoint=1", "y={{ x }}; cat a$y": "b -n", "f() { sort $1; }; f {{ x }}": "a -o b",
		"run() { \"$@\"; }; y={{ x }}; run find . $y": "a -exec b", "y={{ x }}; tar -cf a $(echo \"$y\")": "a --b",
		"y={{ x }}; echo \"$y\" | xargs -n1 docker pull": "a -b", "y={{ x }}; printf '%s\\n' \"$y\" | sort | xargs -d '\\n' rm": "-r",
		"find . $(echo {{ x }})": "f -exec b", "echo {{ x }} | xargs tar cf a.tar": "f \"--b=c d\"",
		"for y in {{ x }}; do sort a $y; done": "b -o c", "IFS=,; y={{ x }}; rm a$y": "b,-r", "y={{ x }}; sh -c 'rm $1' _ \"$y\"": "a -r",
	} {
		tmpl := parse(t, script)
		if errs, warnings := tmpl.CheckShell(tera.Bash); len(errs) > 0 || len(warnings) == 0 || warnings[0].Kind != tera.Option {
			t.Errorf("%s: %v, %v", script, errs, warnings)
		}
		if _, err := tmpl.Shell(tera.Vars{"x": value}, tera.Bash); err != nil {
			t.Errorf("%s: %v", script, err)
		}
		agent := tmpl.With(tera.Options{ForbidRaw: true})
		if text, err := agent.Shell(tera.Vars{"x": value}, tera.Bash); err == nil || !strings.Contains(err.Error(), `put "…" around it`) && !strings.Contains(err.Error(), "that xargs runs") {
			t.Errorf("%s with %s came out as %s, %v", script, value, text, err)
		}
		if _, err := agent.Shell(tera.Vars{"x": "a b-c"}, tera.Bash); err != nil {
			t.Errorf("%s: %v", script, err)
		}
	}
}
