package tera

import (
	"maps"
	"slices"
	"strings"
)

// statement reads the rest of a tag after its name, and its block.
func (p *parser) statement(name token) (stmt, *Error) {
	if err := p.deeper(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	switch name.text {
	case "if":
		return p.choose()
	case "for":
		return p.each()
	case "set", "set_global":
		return p.assign(name)
	case "raw":
		return p.raw()
	case "filter":
		return p.section()
	case "macro":
		return nil, p.define(name)
	case "break", "continue":
		return p.jump(name)
	}
	return nil, p.unknownTag(name)
}

// leftOut are the tags of Tera that are refused, and why.
var leftOut = map[string]string{
	"include": "a template reads no other file", "import": "a template reads no other file", "extends": "a template extends no other",
	"block": "there is nothing to extend", "endblock": "there is nothing to extend",
}

// tags are the tags that begin something, and those that end or continue it.
var tags = map[string]string{
	"if": "", "for": "", "set": "", "set_global": "", "raw": "", "filter": "", "macro": "", "break": "", "continue": "",
	"elif": "if", "else": "if", "endif": "if", "endfor": "for", "endraw": "raw", "endfilter": "filter", "endmacro": "macro",
}

func (p *parser) unknownTag(name token) *Error {
	if why, ok := leftOut[name.text]; ok {
		return p.unsupported(name, "{% "+name.text+" %} cannot be used, for "+why, "define macros in this template, or write the text here")
	}
	if of, ok := tags[name.text]; ok {
		return p.failIn(name, "{% "+name.text+" %} stands here without {% "+of+" … %}", "open it first, or remove this")
	}
	if name.text == "elseif" || name.text == "elsif" {
		return p.failIn(name, "there is no tag "+name.text, "write {% elif … %}")
	}
	return p.failIn(name, "there is no tag "+name.text, near(name.text, slices.Collect(maps.Keys(tags)), "write {% raw %} around what is no template"))
}

func (p *parser) choose() (stmt, *Error) {
	n := &choose{id: p.choice()}
	opener, closed := p.open, false
	var key strings.Builder
	cond, err := p.condition(&key)
	for {
		if err != nil {
			return nil, err
		}
		b := branch{tag: whole(p.src, p.open.at), cond: cond}
		ends := []string{"elif", "else", "endif"}
		if cond == nil {
			ends = []string{"endif"}
			closed = true
		}
		if b.body, err = p.body(opener, ends...); err != nil {
			return nil, err
		}
		n.branches = append(n.branches, b)
		switch p.ending {
		case "elif":
			cond, err = p.condition(&key)
		case "else":
			cond, err = nil, p.close("%}")
		default:
			if !closed {
				n.branches = append(n.branches, branch{})
			}
			n.key = key.String()
			return n, p.close("%}")
		}
	}
}

// condition reads the condition of a branch and the end of its tag.
func (p *parser) condition(key *strings.Builder) (expr, *Error) {
	if p.tok.kind == shut {
		return nil, p.failIn(p.tok, "the condition is missing", "write {% if name == \"value\" %}")
	}
	x, err := p.expression()
	if err != nil {
		return nil, err
	}
	key.WriteString(p.src[x.where().at:x.where().end] + "\n")
	return x, p.close("%}")
}

// choice numbers an if or a for.
func (p *parser) choice() int {
	p.t.choices++
	return p.t.choices - 1
}

func (p *parser) each() (stmt, *Error) {
	const form = "write {% for item in list %}, or {% for key, value in object %}"
	n := &each{id: p.choice(), tag: whole(p.src, p.open.at)}
	opener := p.open
	t, err := p.name("the loop's variable", form)
	if err != nil {
		return nil, err
	}
	n.name = t.text
	if p.accept(",") {
		if t, err = p.name("the value's variable", form); err != nil {
			return nil, err
		}
		n.with = t.text
	}
	if err = p.expect("in", form); err != nil {
		return nil, err
	}
	if n.in, err = p.expression(); err != nil {
		return nil, err
	}
	n.key = "for " + p.src[n.in.where().at:n.in.where().end]
	if err = p.close("%}"); err != nil {
		return nil, err
	}
	p.loops++
	n.body, err = p.body(opener, "else", "endfor")
	p.loops--
	if err == nil && p.ending == "else" {
		if err = p.close("%}"); err == nil {
			n.none, err = p.body(opener, "endfor")
		}
	}
	if err != nil {
		return nil, err
	}
	return n, p.close("%}")
}

func (p *parser) assign(tag token) (stmt, *Error) {
	n := &assign{tag: whole(p.src, p.open.at), global: tag.text == "set_global"}
	form := "write {% " + tag.text + " name = value %}"
	t, err := p.name("the variable", form)
	if err != nil {
		return nil, err
	}
	n.name, n.at = t.text, t.at
	if n.name == "self" {
		return nil, p.failIn(t, "“self” cannot be the name of the variable", "choose another name")
	}
	if err = p.expect("=", form); err != nil {
		return nil, err
	}
	if n.x, err = p.expression(); err != nil {
		return nil, err
	}
	n.end = n.x.where().end
	return n, p.close("%}")
}

// raw copies everything up to {% endraw %}.
func (p *parser) raw() (stmt, *Error) {
	if err := p.close("%}"); err != nil {
		return nil, err
	}
	opener, start := p.open, p.at
	for from := start; ; {
		i := strings.Index(p.src[from:], "{%")
		if i < 0 {
			return nil, p.fail(opener, "a block begins here and has no end", "close it with {% endraw %}")
		}
		p.at = from + i
		begin := token{kind: plain, at: start, text: p.src[start:p.at]}
		tag := p.lexer.open()
		if p.advance(); p.tok.is("endraw") {
			p.open = tag
			p.advance()
			n := p.text(begin, strings.HasSuffix(tag.text, "-"))
			return n, p.close("%}")
		}
		from += i + 2
	}
}

func (p *parser) section() (stmt, *Error) {
	opener := p.open
	tag := whole(p.src, p.open.at)
	t, err := p.name("a filter", "write {% filter upper %}")
	if err != nil {
		return nil, err
	}
	x, err := p.filter(t, &captured{span{t.at, t.end()}})
	if err != nil {
		return nil, err
	}
	if p.tok.is("|") {
		return nil, p.failIn(p.tok, "a filter section has one filter", "nest a second section in it")
	}
	if err = p.close("%}"); err != nil {
		return nil, err
	}
	n := &section{out: &output{tag: tag, inner: "{% filter " + t.text + " %}", x: x}}
	p.sealed++
	defer func() { p.sealed-- }()
	if n.body, err = p.body(opener, "endfilter"); err != nil {
		return nil, err
	}
	return n, p.close("%}")
}

func (p *parser) jump(name token) (stmt, *Error) {
	if p.loops == 0 {
		return nil, p.failIn(name, "{% "+name.text+" %} stands outside of a loop", "put it between {% for … %} and {% endfor %}")
	}
	if name.text == "break" {
		return &jump{leave}, p.close("%}")
	}
	return &jump{nextTurn}, p.close("%}")
}

// define reads a macro.
func (p *parser) define(tag token) *Error {
	const form = `write {% macro name(a, b=1) %}`
	if p.depth > 1 {
		return p.failIn(tag, "a macro is defined inside of a block", "define it at the top, outside of everything")
	}
	opener := p.open
	t, err := p.name("the macro", form)
	if err != nil {
		return err
	}
	if p.t.macros[t.text] != nil {
		return p.failIn(t, "there are two macros "+t.text, "rename one of them")
	}
	m := &macro{span: span{t.at, t.end()}, name: t.text}
	if err = p.params(m, form); err != nil {
		return err
	}
	if err = p.close("%}"); err != nil {
		return err
	}
	p.sealed++
	defer func() { p.sealed-- }()
	if m.body, err = p.body(opener, "endmacro"); err != nil {
		return err
	}
	if p.tok.kind == ident && p.tok.text != t.text {
		return p.failIn(p.tok, "the macro "+t.text+" ends as "+p.tok.text, "write {% endmacro "+t.text+" %}")
	}
	p.accept(t.text)
	p.t.macros[t.text] = m
	return p.close("%}")
}

// params reads the parameters of a macro, whose defaults are literals.
func (p *parser) params(m *macro, form string) *Error {
	if err := p.expect("(", form); err != nil {
		return err
	}
	for !p.accept(")") {
		t, err := p.name("an argument", form)
		if err != nil {
			return err
		}
		if slices.Contains(m.params, t.text) {
			return p.failIn(t, "the macro has two arguments "+t.text, "rename one of them")
		}
		var value expr
		if p.accept("=") {
			at := p.tok
			if value, err = p.expression(); err != nil {
				return err
			}
			if _, ok := value.(*literal); !ok {
				return p.failIn(at, "the default of a macro's argument is a literal", `write a number, a text in quotes, true or false`)
			}
		}
		m.params, m.defaults = append(m.params, t.text), append(m.defaults, value)
		if !p.tok.is(")") {
			if err := p.expect(",", form); err != nil {
				return err
			}
		}
	}
	return nil
}
