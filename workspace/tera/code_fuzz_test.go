package tera_test

import (
	"testing"

	"stroem/workspace/tera"
)

// FuzzCode checks that no script makes the lexers panic or hang, and that what is
// refused with a harmless value is refused without one, unless it is for the value.
func FuzzCode(f *testing.F) {
	for _, p := range codePlaces {
		f.Add(p.script, "'\"`${")
	}
	for _, scripts := range refusedCode {
		for _, s := range scripts {
			f.Add(s, "a")
		}
	}
	f.Fuzz(func(t *testing.T, src, value string) {
		tmpl, err := tera.Parse(src)
		if err != nil || tmpl.Static() {
			return
		}
		for l := tera.Python; l <= tera.Go; l++ {
			tmpl.CheckCode(l)
			placed(t, src, func(v tera.Vars) (string, error) { return tmpl.Code(v, l) }, fill(tmpl, value))
		}
	})
}
