package tera

// span is a piece of the source.
type span struct{ at, end int }

func (s span) where() span { return s }

// stmt is a piece of a template.
type stmt interface{ exec(r *run) (signal, *Error) }

// signal says how a statement ended.
type signal int

const (
	onward   signal = iota
	leave           // break
	nextTurn        // continue
)

type (
	// text is copied.
	text struct {
		at int
		s  string
	}
	// output writes a value.
	output struct {
		tag   string // the whole of it, braces and all
		inner string // what is between them
		x     expr
		raw   bool // {{ … | raw }}
	}
	// choose is an if: the first branch whose condition holds.
	choose struct {
		id       int    // its number among the template's choices
		key      string // what its conditions are written like
		branches []branch
	}
	branch struct {
		tag  string
		cond expr // nil for else
		body []stmt
	}
	// each is a for.
	each struct {
		id         int
		tag, key   string
		name, with string // with is the value's name where there is a key
		in         expr
		body, none []stmt
	}
	// assign is a set or a set_global.
	assign struct {
		span
		tag, name string
		global    bool
		x         expr
	}
	// section is a filter around a piece of the template.
	section struct {
		out  *output // what it writes: a filter applied to captured
		body []stmt
	}
	// jump is a break or a continue.
	jump struct{ how signal }
)

// macro is a piece of a template with a name and arguments.
type macro struct {
	span
	name     string
	params   []string
	defaults []expr // nil where an argument is required
	body     []stmt
}

// expr is a part of an expression.
type expr interface {
	eval(r *run) (any, *Error)
	where() span
}

type (
	literal struct {
		span
		v any
	}
	list struct {
		span
		items []expr
	}
	// variable is a name and the steps from there.
	variable struct {
		span
		name    string
		steps   []hop
		hyphens []string // see Ref.Hyphens
	}
	// hop is one step of a path: a name, or an expression in brackets.
	hop struct {
		name string
		x    expr
	}
	// operation is an operator between two: + - * / % == != < <= > >= and or in.
	operation struct {
		span
		op   string
		l, r expr
	}
	concat struct {
		span
		parts []expr
	}
	not struct {
		span
		x expr
	}
	// use applies a filter, asks a test, or calls a function, which has no x.
	use struct {
		span
		name    string
		def     *builtin
		x       expr
		args    []expr // in the order of the definition; nil where one is not given
		negated bool   // of a test
	}
	// call is self::name(…).
	call struct {
		span
		name  string
		names []string
		args  []expr
	}
	// captured is the text inside a filter section.
	captured struct{ span }
)
