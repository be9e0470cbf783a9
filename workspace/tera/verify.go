package tera

import (
	"reflect"
	"strings"
	"unicode/utf8"

	"mvdan.cc/sh/v3/syntax"
)

// verify parses the script that is to run and compares it with the marked one:
// the same commands, and in every word the same text, with each value in its
// place, whole and quoted.
func (s *script) verify(d Dialect) error {
	out := s.quote((*place).standIn)
	for i, lang := range d.readings() {
		final, err := parseShell(out, lang)
		if err != nil || !s.same(reflect.ValueOf(s.files[i]), reflect.ValueOf(final)) {
			return s.t.fault(s.places[0].node, "the script would not mean the same with these values in it", fixEnv)
		}
	}
	return nil
}

// final is what is written at a place.
func (p *place) final() string { return p.plain }

// standIn is what is written to be parsed. The sign of a number makes a tree of
// its own, and is left out.
func (p *place) standIn() string {
	if p.kind == summed {
		return strings.Trim(p.plain, "' -")
	}
	return standIn(p.plain)
}

// standIn replaces the bytes that our parser would drop or refuse. To a shell
// they are never more than text inside quotes.
func standIn(v string) string {
	if strings.IndexFunc(v, func(r rune) bool { return r == '\r' || r >= utf8.RuneSelf }) < 0 {
		return v
	}
	b := []byte(v)
	for i, c := range b {
		if c == '\r' || c >= utf8.RuneSelf {
			b[i] = '"'
		}
	}
	return string(b)
}

// same compares two syntax trees, the first with marks, the second with values.
// Of positions only their being there counts.
func (s *script) same(a, b reflect.Value) bool {
	if a.Type() != b.Type() {
		return false
	}
	switch a.Kind() {
	case reflect.Pointer:
		if a.IsNil() || b.IsNil() {
			return a.IsNil() && b.IsNil()
		}
		if w, ok := a.Interface().(*syntax.Word); ok {
			return s.sameWord(w, b.Interface().(*syntax.Word))
		}
		return s.same(a.Elem(), b.Elem())
	case reflect.Interface:
		if a.IsNil() || b.IsNil() {
			return a.IsNil() && b.IsNil()
		}
		return s.same(a.Elem(), b.Elem())
	case reflect.Slice:
		if a.Len() != b.Len() {
			return false
		}
		for i := range a.Len() {
			if !s.same(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Struct:
		switch p := a.Addr().Interface().(type) {
		case *syntax.Comment:
			return s.replace(p.Text, (*place).standIn) == b.Addr().Interface().(*syntax.Comment).Text
		case *syntax.Pos:
			return p.IsValid() == b.Addr().Interface().(*syntax.Pos).IsValid()
		}
		for i := range a.NumField() {
			if !s.same(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	}
	return a.Equal(b)
}

func (s *script) sameWord(a, b *syntax.Word) bool {
	if from, to := a.Pos().Offset(), a.End().Offset(); to <= uint(len(s.src)) && !strings.Contains(s.src[from:to], s.places[0].stem()) {
		return s.same(reflect.ValueOf(a.Parts), reflect.ValueOf(b.Parts)) // no value is in it
	}
	read := pieces
	if expanded, here := s.heres[a]; here {
		read = func(parts []syntax.WordPart, _ bool) []piece { return herePieces(parts, expanded) }
	}
	want := join(s.fill(read(a.Parts, false)))
	got := join(read(b.Parts, false))
	if len(want) != len(got) {
		return false
	}
	for i, w := range want {
		g := got[i]
		if w.text != g.text || w.quoted != g.quoted || w.dollar != g.dollar || (w.node == nil) != (g.node == nil) {
			return false
		}
		if w.node != nil && !s.same(reflect.ValueOf(w.node), reflect.ValueOf(g.node)) {
			return false
		}
	}
	return true
}

// fill puts the values where the marks are.
func (s *script) fill(in []piece) []piece {
	out := make([]piece, 0, len(in)+4)
	for _, w := range in {
		for w.node == nil {
			before, p, after := s.cut(w.text)
			if p == nil {
				break
			}
			out = append(out, piece{text: before, quoted: w.quoted, dollar: w.dollar})
			if p.kind == fallback {
				out = append(out, substituted(p.standIn())...)
			} else {
				out = append(out, piece{text: p.standIn(), quoted: p.kind != summed})
			}
			w.text = after
		}
		out = append(out, w)
	}
	return out
}
