package tera_test

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"sync"
	"testing"

	"stroem/workspace/tera"
)

func vars() tera.Vars {
	return tera.Vars{
		"s": "text", "empty": "", "null": nil, "yes": true, "no": false,
		"i": 7, "i64": int64(-9007199254740993), "n": json.Number("18446744073709551615"), "f": 1.5, "whole": 2.0, "big": 1e21, "small": 1e-7, "num": json.Number("1.50"), "exp": json.Number("1e3"),
		"list": []any{1, "a b", nil, true, []any{}, []any{1.0, "x"}, map[string]any{"k": 1}}, "none": []any{}, "obj": map[string]any{"a": map[string]any{"b": "deep"}, "0": "zero"},
		"nested": tera.Vars{"a": tera.Vars{"b": 1}}, "quote": `a"b'c`, "lines": "a\nb", "tmpl": "{{ s }}", "nul": "a\x00b",
		"input": map[string]any{"name": "Ada", "names": []any{"x"}}, "inf": math.Inf(1), "odd": json.Number("x"), "chan": make(chan int),
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	tests := []struct{ src, want string }{
		{"", ""}, {"plain", "plain"}, {"{{ s }}", "text"}, {"<{{ empty }}>", "<>"}, {"<{{ null }}>", "<>"},
		{"{{ yes }} {{ no }}", "true false"}, {"{{ i }}", "7"}, {"{{ i64 }}", "-9007199254740993"}, {"{{ n }}", "18446744073709551615"},
		{"{{ f }} {{ whole }} {{ num }} {{ exp }}", "1.5 2 1.5 1000"}, {"{{ big }}", "1000000000000000000000"}, {"{{ small }}", "0.0000001"},
		{"{{ list }}", "[1, a b, , true, [], [1, x], [object]]"}, {"{{ none }}", "[]"}, {"{{ obj }} {{ nested }}", "[object] [object]"},
		{"{{ obj.a.b }} {{ nested.a.b }} {{ obj.0 }} {{ list.1 }} {{ list.5.1 }} {{ list.6.k }}", "deep 1 zero a b x 1"},
		{"{{ quote }}{{ lines }}", "a\"b'ca\nb"}, {"{{ tmpl }}", "{{ s }}"}, {"a \n {{- s -}} \t\n b", "atextb"}, {"a {{ s }} b", "a text b"},
		{"a {#- c -#} b", "ab"}, {"a {# c #} b", "a  b"}, {"{{ s -}} {{- s }}", "texttext"}, {"é{{ s }}ü", "étextü"}, {"${#s}", "${#s}"},
		{"\u00a0{{- s -}}\u2003x", "textx"}, {"{{ nul }}", "a\x00b"}, {"\xff{{ s }}", "\xfftext"},
	}
	for _, tt := range tests {
		t.Run(tt.src, func(t *testing.T) {
			t.Parallel()
			if got, err := parse(t, tt.src).Text(vars()); err != nil || got != tt.want {
				t.Errorf("got %q, %v, want %q", got, err, tt.want)
			}
		})
	}
}

func TestTextRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct{ src, says string }{
		{"\nab {{ input.nmae }}", "2:7: there is no variable input.nmae; did you mean input.name?"},
		{"{{ imput.name }}", "1:4: there is no variable imput; did you mean input?"},
		{"{{ Input.name }}", "did you mean input?"},
		{"{{ input.zzzzzz }}", "there is no variable input.zzzzzz; known here: input.name, input.names"},
		{"{{ obj.a.c }}", "there is no variable obj.a.c; did you mean obj.a.b?"},
		{"{{ s.x }}", "s is a string and has no field x; write {{ s }}"},
		{"{{ null.x }}", "null is null and has no field x"},
		{"{{ i.x }}", "i is a number"}, {"{{ yes.x }}", "yes is a boolean"},
		{"{{ list.x }}", "list is a list and has no field x"}, {"{{ list.9 }}", "list has 7 items, so there is no list.9"}, {"{{ none.0 }}", "none has 0 items"},
		{"{{ list.99999999999999999999 }}", "list is a list and has no field"},
		{"{{ inf }}", "inf is a number that JSON does not have"}, {"{{ odd }}", "odd is not a number"}, {"{{ chan }}", "chan has a value of type chan int"},
	}
	for _, tt := range tests {
		t.Run(tt.src, func(t *testing.T) {
			t.Parallel()
			_, err := parse(t, tt.src).Text(vars())
			var e *tera.Error
			if !errors.As(err, &e) || !strings.Contains(e.Error(), tt.says) {
				t.Fatalf("says %v, not %q", err, tt.says)
			}
			if e.Expr == "" || e.Unsupported {
				t.Errorf("%+v", e)
			}
		})
	}
	if _, err := parse(t, "{{ x }}").Text(nil); err == nil || !strings.Contains(err.Error(), "there are no variables here") {
		t.Errorf("nothing known: %v", err)
	}
}

func TestValue(t *testing.T) {
	t.Parallel()
	tests := []struct {
		src  string
		want any
	}{
		{"{{ obj.a }}", map[string]any{"b": "deep"}}, {"{{ none }}", []any{}}, {" {{ none }}\n", []any{}}, {"{{ nested.a }}", map[string]any{"b": 1}},
		{"{{ i }}", "7"}, {"{{ yes }}", "true"}, {"{{ null }}", ""}, {"{{ s }}", "text"}, {"{{ s }}\n", "text\n"}, {"x{{ none }}", "x[]"}, {"{{ none }}{{ none }}", "[][]"}, {"text", "text"}, {"", ""},
	}
	for _, tt := range tests {
		t.Run(tt.src, func(t *testing.T) {
			t.Parallel()
			if got, err := parse(t, tt.src).Value(vars()); err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %#v, %v, want %#v", got, err, tt.want)
			}
		})
	}
	if v, err := parse(t, "{{ nope }}").Value(vars()); err == nil || v != nil {
		t.Errorf("got %v, %v", v, err)
	}
}

func TestTemplatesAreSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	tmpl := parse(t, "echo {{ s }} \"{{ quote }}\"\n")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				if _, err := tmpl.Shell(vars(), tera.POSIX); err != nil {
					t.Error(err)
				}
				if errs, _ := tmpl.CheckShell(tera.Bash); errs != nil {
					t.Error(errs)
				}
			}
		})
	}
	wg.Wait()
}
