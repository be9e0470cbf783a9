package tera_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"stroem/workspace/tera"

	"mvdan.cc/sh/v3/syntax"
)

func FuzzParse(f *testing.F) {
	for _, s := range []string{"", "{{ x }}", "{{- a.b.0 -}}", "{# c #}", "{% if x %}", "{{ a|b }}", "{{ my-step.output }}", "${#x}", "{{ 'a' }}", "é{{ x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		tmpl, err := tera.Parse(src)
		if err != nil {
			var e *tera.Error
			if !errors.As(err, &e) || e.Line < 1 || e.Column < 1 || e.What == "" {
				t.Fatalf("%q: no place or no reason: %#v", src, err)
			}
			return
		}
		if tmpl.Static() && len(tmpl.Refs()) > 0 {
			t.Fatalf("%q: Static and Refs differ", src)
		}
		for _, r := range tmpl.Refs() {
			lines := strings.Split(src, "\n")
			line := []rune(strings.ToValidUTF8(lines[r.Line-1], "\uFFFD"))
			if r.Column > len(line) && len(line) == len([]rune(lines[r.Line-1])) {
				t.Fatalf("%q: %v is behind the end of its line", src, r)
			}
		}
		placed(t, src, tmpl.Text, fill(tmpl, "v"))
	})
}

// placed renders and checks that an error says where and why.
func placed(t *testing.T, src string, render func(tera.Vars) (string, error), v tera.Vars) {
	t.Helper()
	_, err := render(v)
	var e *tera.Error
	if err != nil && (!errors.As(err, &e) || e.Line < 1 || e.Column < 1 || e.What == "" && !strings.Contains(src, "throw")) {
		t.Fatalf("%q: no place or no reason: %#v", src, err)
	}
}

// FuzzRender renders with values of every kind: nothing panics or hangs, and
// what Text makes is what Value makes of it.
func FuzzRender(f *testing.F) {
	for _, tt := range rendered {
		f.Add(tt.src)
	}
	f.Fuzz(func(t *testing.T, src string) {
		tmpl, err := tera.Parse(src)
		if err != nil {
			return
		}
		tmpl = tmpl.With(exact)
		for _, v := range []any{"it's", int64(-3), 2.5, nil, true, []any{"a", 1, []any{}}, map[string]any{"a": "b", "c": []any{nil}}} {
			vars := fill(tmpl, v)
			begun := time.Now()
			placed(t, src, tmpl.Text, vars)
			text, err := tmpl.Text(vars)
			whole, err2 := tmpl.Value(vars)
			if s, ok := whole.(string); ok && err == nil && s != text {
				t.Fatalf("%q: %q and %q", src, text, s)
			}
			if err == nil && err2 != nil && !strings.Contains(err2.Error(), "too large") && !strings.Contains(err2.Error(), "too deeply") {
				t.Fatalf("%q: only Value fails: %v", src, err2)
			}
			if d := time.Since(begun); d > hang {
				t.Fatalf("%q took %v", src, d)
			}
		}
	})
}

// fill gives every variable of a template the same value.
func fill(tmpl *tera.Template, v any) tera.Vars {
	vars := tera.Vars{}
	for _, r := range tmpl.Refs() {
		in := map[string]any(vars)
		for i, name := range r.Path {
			next, ok := in[name].(map[string]any)
			switch {
			case i == len(r.Path)-1 && in[name] == nil:
				in[name] = v
			case !ok:
				next = map[string]any{}
				in[name] = next
			}
			in = next
		}
	}
	return vars
}

// FuzzShell checks that a value never changes what a script does: with a hostile
// value in it the script has the same commands, words and expansions as with a
// harmless one, or it is refused.
func FuzzShell(f *testing.F) {
	for _, p := range places {
		f.Add(p.script, "'; touch x; '")
	}
	for _, r := range append(refused, reread...) {
		f.Add(r.script, "$(touch x)")
	}
	for _, sum := range sums {
		f.Add(sum.script, "-5")
	}
	for _, s := range []string{"{% if x %}echo {{ x }}{% endif %}", "{% for i in x %}echo \"{{ i }}\"{% endfor %}", "echo {% filter trim %}{{ x }}{% endfilter %}", "{% macro m(a) %}{{ a }}{% endmacro %}: {{ self::m(a=x) }}", "{% set y = x ~ x %}y='{{ y | upper }}'"} {
		f.Add(s, "'; touch x; '")
	}
	if b, err := os.ReadFile("testdata/deploy.sh"); err == nil {
		f.Add(string(b), "a\"b\\c`d$e")
	}
	f.Fuzz(func(t *testing.T, src, value string) {
		tmpl, err := tera.Parse(src)
		if err != nil || tmpl.Static() {
			return
		}
		for _, d := range []tera.Dialect{tera.Bash, tera.POSIX} {
			tmpl.CheckShell(d)
			tame, err := tmpl.ShellBeside(fill(tmpl, value), d, func(v string) string {
				if tera.Plainest(v) {
					return "harmless"
				}
				return "harm'less"
			})
			if err != nil {
				continue
			}
			wild, err := tmpl.Shell(fill(tmpl, value), d)
			if err != nil {
				continue
			}
			if a, b := outline(t, tame, d), outline(t, wild, d); a != b {
				t.Fatalf("%v: %q with %q\ntame %s\nwild %s\nscript %q", d, src, value, a, b, wild)
			}
		}
	})
}

// outline lists the nodes of a script other than literals and quotes. It knows
// nothing of how the package compares scripts.
func outline(t *testing.T, script string, d tera.Dialect) string {
	t.Helper()
	lang := syntax.LangBash
	if d == tera.POSIX {
		lang = syntax.LangPOSIX
	}
	clean := strings.Map(func(r rune) rune {
		if r == '\r' || r == '\uFFFD' {
			return 'R'
		}
		return r
	}, strings.ToValidUTF8(script, "R"))
	file, err := syntax.NewParser(syntax.Variant(lang), syntax.KeepComments(true)).Parse(strings.NewReader(clean), "")
	if err != nil {
		t.Fatalf("%v: %q does not parse: %v", d, script, err)
	}
	var b strings.Builder
	syntax.Walk(file, func(n syntax.Node) bool {
		switch n := n.(type) {
		case nil:
			b.WriteByte(')')
		case *syntax.Lit, *syntax.SglQuoted:
			b.WriteString("(")
		case *syntax.Word:
			b.WriteString("(word " + expansions(n.Parts) + ")")
			return false
		default:
			b.WriteString("(" + strings.TrimPrefix(typeName(n), "*syntax."))
		}
		return true
	})
	return b.String()
}

// expansions names what the shell expands in a word, at whatever depth.
func expansions(parts []syntax.WordPart) string {
	var b strings.Builder
	for _, p := range parts {
		switch p := p.(type) {
		case *syntax.Lit, *syntax.SglQuoted:
		case *syntax.DblQuoted:
			b.WriteString(expansions(p.Parts))
		default:
			b.WriteString(typeName(p) + " ")
		}
	}
	return b.String()
}

func typeName(n syntax.Node) string { return fmt.Sprintf("%T", n) }
