package tera

const notCode = "raw writes into shell scripts alone"

// Raws lists every {{ … | raw }} of the template: the first variable in it, if it
// has one, and its place.
func (t *Template) Raws() []Ref {
	refs := make([]Ref, 0, len(t.raws))
	for _, n := range t.raws {
		var ref Ref
		ref.Line, ref.Column = position(t.src, n.x.where().at)
		variables(n.x, func(v *variable) {
			if ref.Path == nil {
				ref.Path = v.names()
			}
		})
		refs = append(refs, ref)
	}
	return refs
}

// variables visits the variables in an expression.
func variables(x expr, visit func(*variable)) {
	all := func(list []expr) {
		for _, e := range list {
			if e != nil {
				variables(e, visit)
			}
		}
	}
	switch x := x.(type) {
	case *variable:
		visit(x)
		for _, h := range x.steps {
			all([]expr{h.x})
		}
	case *list:
		all(x.items)
	case *concat:
		all(x.parts)
	case *not:
		variables(x.x, visit)
	case *operation:
		all([]expr{x.l, x.r})
	case *use:
		all([]expr{x.x})
		all(x.args)
	case *call:
		all(x.args)
	}
}

// naked checks that a value may be written as it is.
func (r *run) naked(n *output) (err *Error) {
	if r.page.code {
		return r.t.fault(n, notCode, fixInput)
	}
	if !r.t.options.ForbidRaw {
		return nil
	}
	variables(n.x, func(v *variable) {
		if err == nil && r.stranger(v) {
			err = r.t.fault(n, "raw would run what "+v.upTo(r, len(v.steps))+" says, and this action does not allow it", "leave raw out, or set allow_raw: true on the action if whoever starts the task may run anything")
		}
	})
	return err
}

// stranger reports whether whoever starts a job may choose what a variable holds:
// all but secrets, for what the template has set may be made of anything.
func (r *run) stranger(v *variable) bool {
	_, own := (&run{in: r.in}).lookup(v.name)
	return own || v.name != "secret" && v.name != "secrets"
}

// foreign reports whether whoever starts a job may choose what an expression gives.
func (r *run) foreign(n *output) (yes bool) {
	_, section := innermost(n.x).(*captured)
	variables(n.x, func(v *variable) { yes = yes || r.stranger(v) })
	return yes || section
}

// innermost is what the filters of an expression are given.
func innermost(x expr) expr {
	for {
		u, ok := x.(*use)
		if !ok {
			return x
		}
		x = u.x
	}
}
