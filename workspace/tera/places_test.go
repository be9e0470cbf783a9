package tera_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"stroem/workspace/tera"
)

func TestPlacesAreNamed(t *testing.T) {
	t.Parallel()
	const script = "echo {{ a }} '{{ a }}' \"{{ a }}\"\n# {{ a }}\ncat <<E\n{{ a }}\nE\necho $(( {{ n }} + 1 ))\n{% if n > 9 %}echo {{ a }}{% endif %}\n"
	tpl, err := tera.Parse(script)
	if err != nil {
		t.Fatal(err)
	}
	list, err := tpl.Places(tera.Vars{"a": "x", "n": 3}, tera.Bash)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range list {
		got = append(got, fmt.Sprintf("%d:%d %s %s", p.Line, p.Column, p.Expr, p.Where))
	}
	want := []string{
		"1:9 {{ a }} as a word", "1:18 {{ a }} in '…'", "1:28 {{ a }} in \"…\"", "2:6 {{ a }} in a comment",
		"4:4 {{ a }} in a here-document that expands", "6:13 {{ n }} in arithmetic",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
