package tera

// ShellBeside renders a script by the values v, so that conditions and loops go
// as they do with them, and then writes other values in their places.
func (t *Template) ShellBeside(v Vars, d Dialect, other func(string) string) (string, error) {
	r := newRun(t, v)
	r.page.script = true
	if err := r.all(); err != nil {
		return "", err
	}
	for i, p := range r.page.pieces {
		if p.out != nil {
			s := other(p.val.text)
			r.page.pieces[i].val = value{any: s, text: s}
		}
	}
	s, err := t.script(r.page.pieces, true)
	if err != nil {
		return "", err
	}
	if errs := s.read(d); len(errs) > 0 {
		return "", errs[0]
	}
	return s.quote((*place).final), nil
}

// Plainest is for values that stand in "${name:-…}" without a command around them.
var Plainest = plainest
