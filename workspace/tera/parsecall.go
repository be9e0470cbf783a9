package tera

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// filter reads the arguments of a filter whose name has been read.
func (p *parser) filter(name token, x expr) (expr, *Error) {
	if name.text == "raw" {
		return x, p.raws(name)
	}
	def, ok := filters[name.text]
	if !ok {
		return nil, p.unknown(name, "filter", filters)
	}
	u := &use{span: span{x.where().at, name.end()}, name: name.text, def: def, x: x}
	return u, p.arguments(u, name)
}

// raws checks a filter raw: it stands last in {{ … }}, and where what is written
// goes into the script itself.
func (p *parser) raws(name token) *Error {
	switch {
	case p.open.text[1] != '{' || p.tok.kind != shut:
		return p.failIn(name, "raw stands last in an expression", "write {{ value | raw }}")
	case p.sealed > 0:
		return p.failIn(name, "raw cannot stand in a macro or a filter section, whose text is one value", "write it outside of that")
	}
	p.naked = true
	return nil
}

// function reads a call of a function whose name has been read.
func (p *parser) function(name token) (expr, *Error) {
	if name.text == "super" {
		return nil, p.unsupported(name, "super() cannot be used, for a template extends no other", "write the text here")
	}
	def, ok := functions[name.text]
	if !ok {
		if filters[name.text] != nil {
			return nil, p.failIn(name, name.text+" is a filter and no function", "write {{ value | "+name.text+" }}")
		}
		if p.t.macros[name.text] != nil {
			return nil, p.failIn(name, name.text+" is a macro and no function", "write {{ self::"+name.text+"(…) }}")
		}
		return nil, p.unknown(name, "function", functions)
	}
	u := &use{span: span{name.at, name.end()}, name: name.text, def: def}
	return u, p.arguments(u, name)
}

func (p *parser) unknown(name token, what string, known map[string]*builtin) *Error {
	return p.failIn(name, "there is no "+what+" "+clip(name.text), near(name.text, slices.Collect(maps.Keys(known)), "see the list of Tera's built-in "+what+"s"))
}

// arguments reads the named arguments of a filter or of a function, in
// parentheses or not at all, and puts them in the order of the definition.
func (p *parser) arguments(u *use, name token) *Error {
	u.args = make([]expr, len(u.def.params))
	if p.tok.is("(") {
		end, err := p.named(func(arg token, x expr) *Error {
			i := u.def.param(arg.text)
			switch {
			case i < 0 && len(u.def.params) == 0:
				return p.failIn(arg, u.name+" takes no arguments", "leave it out")
			case i < 0:
				return p.failIn(arg, u.name+" takes no argument "+clip(arg.text), near(arg.text, u.def.names(), "it takes "+strings.Join(u.def.names(), ", ")))
			case u.args[i] != nil:
				return p.failIn(arg, arg.text+" is given twice", "remove one of the two")
			}
			u.args[i] = x
			return nil
		}, name)
		if err != nil {
			return err
		}
		u.end = end
	}
	for i, param := range u.def.params {
		if strings.HasSuffix(param, "!") && u.args[i] == nil {
			param = strings.TrimSuffix(param, "!")
			return p.failIn(name, u.name+" needs the argument "+param, "write "+u.name+"("+param+"=…)")
		}
	}
	return nil
}

// named reads (a=1, b=2) and returns where it ends.
func (p *parser) named(each func(arg token, x expr) *Error, of token) (end int, err *Error) {
	fix := "write " + clip(of.text) + "(name=value)"
	p.advance()
	for !p.tok.is(")") {
		arg := p.tok
		if p.advance(); arg.kind != ident || !p.tok.is("=") {
			if arg.kind == eof || arg.kind == shut {
				p.tok = arg
				return 0, p.incomplete()
			}
			return 0, p.failIn(arg, "arguments are given by name", fix)
		}
		p.advance()
		x, err := p.expression()
		if err != nil {
			return 0, err
		}
		if err := each(arg, x); err != nil {
			return 0, err
		}
		if !p.tok.is(")") {
			if err := p.expect(",", "separate the arguments by commas, and close them with )"); err != nil {
				return 0, err
			}
		}
	}
	end = p.tok.end()
	p.advance()
	return end, nil
}

// call reads self::name(…).
func (p *parser) call(space token) (expr, *Error) {
	if space.text != "self" {
		return nil, p.unsupported(space, "macros of another file cannot be used, for a template reads no other file", "define the macro here and write self::name(…)")
	}
	p.advance()
	name, err := p.name("the macro", "write self::name(a=1)")
	if err != nil {
		return nil, err
	}
	if !p.tok.is("(") {
		return nil, p.unexpected("a macro is called with parentheses", "write self::"+clip(name.text)+"()")
	}
	c := &call{name: name.text}
	end, err := p.named(func(arg token, x expr) *Error {
		if slices.Contains(c.names, arg.text) {
			return p.failIn(arg, arg.text+" is given twice", "remove one of the two")
		}
		c.names, c.args = append(c.names, arg.text), append(c.args, x)
		return nil
	}, name)
	c.span = span{space.at, end}
	return c, err
}

// test reads is name, is not name, and the arguments.
func (p *parser) test(x expr) (expr, *Error) {
	if err := p.link(); err != nil {
		return nil, err
	}
	negated := p.accept("not")
	name, err := p.name("a test", "write {% if name is defined %}")
	if err != nil {
		return nil, err
	}
	def, ok := tests[name.text]
	if !ok {
		return nil, p.unknown(name, "test", tests)
	}
	u := &use{span: span{x.where().at, name.end()}, name: name.text, def: def, x: x, negated: negated}
	if p.tok.is("(") {
		p.advance()
		for !p.tok.is(")") {
			a, err := p.expression()
			if err != nil {
				return nil, err
			}
			u.args = append(u.args, a)
			if !p.tok.is(")") {
				if err := p.expect(",", "close the arguments with )"); err != nil {
					return nil, err
				}
			}
		}
		u.end = p.tok.end()
		p.advance()
	}
	if len(u.args) != len(def.params) {
		return nil, p.failIn(name, "the test "+name.text+" takes "+arguments(len(def.params))+", not "+strconv.Itoa(len(u.args)), "write is "+name.text+example(def))
	}
	if err := p.pattern(u); err != nil {
		return nil, err
	}
	p.last = u
	return u, nil
}

func arguments(n int) string {
	if n == 0 {
		return "no argument"
	}
	return "one argument"
}

func example(def *builtin) string {
	if len(def.params) == 0 {
		return ""
	}
	return "(…)"
}

// pattern checks a regular expression that is written in the template.
func (p *parser) pattern(u *use) *Error {
	if u.name != "matching" {
		return nil
	}
	l, ok := u.args[0].(*literal)
	if !ok {
		return nil
	}
	s, ok := l.v.(string)
	if !ok {
		return nil
	}
	if _, what := weigh(s); what != "" {
		return p.failIn(token{at: l.at}, what, "mend it; the language is RE2's")
	}
	return nil
}
