package tera

import (
	"slices"
	"strconv"
	"strings"
)

// keywords cannot be the first name of a path.
var keywords = map[string]any{
	"true": true, "false": false, "True": true, "False": false,
	"not": nil, "and": nil, "or": nil, "in": nil, "is": nil,
}

var comparisonOps = []string{"==", "!=", "<", "<=", ">", ">="}

// expression reads a whole expression. From the loosest to the tightest: or, and,
// not, comparisons and in, filters, ~, + and -, * and / and %.
func (p *parser) expression() (expr, *Error) {
	if err := p.deeper(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	return p.chain([]string{"or"}, func() (expr, *Error) {
		return p.chain([]string{"and"}, p.negation)
	})
}

// chain reads operands joined by operators of one precedence, from the left.
func (p *parser) chain(ops []string, operand func() (expr, *Error)) (expr, *Error) {
	left, err := operand()
	for err == nil && slices.Contains(ops, p.tok.text) && p.tok.is(p.tok.text) {
		op := p.tok.text
		if err = p.link(); err != nil {
			return nil, err
		}
		var right expr
		if right, err = operand(); err == nil {
			left = join2(op, left, right)
			p.last = left
		}
	}
	return left, err
}

func join2(op string, l, r expr) expr {
	return &operation{span: span{l.where().at, r.where().end}, op: op, l: l, r: r}
}

// link goes past an operator.
func (p *parser) link() *Error {
	if p.links++; p.links > maxLinks {
		return p.failIn(p.tok, "there are too many operators in one tag", "take it apart with {% set … %}")
	}
	p.advance()
	return p.count()
}

func (p *parser) negation() (expr, *Error) {
	at := p.tok.at
	if !p.tok.is("not") {
		return p.comparison()
	}
	if err := p.link(); err != nil {
		return nil, err
	}
	if err := p.deeper(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	x, err := p.negation()
	if err != nil {
		return nil, err
	}
	return &not{span: span{at, x.where().end}, x: x}, nil
}

func (p *parser) comparison() (expr, *Error) {
	left, err := p.operand()
	if err != nil {
		return nil, err
	}
	at := p.tok
	switch {
	case at.kind == op && slices.Contains(comparisonOps, at.text), at.is("in"):
		if err := p.link(); err != nil {
			return nil, err
		}
		right, err := p.operand()
		if err != nil {
			return nil, err
		}
		left = join2(at.text, left, right)
	case at.is("not"):
		if err := p.link(); err != nil {
			return nil, err
		}
		if err := p.expect("in", "write “not in”, or put not before the expression"); err != nil {
			return nil, err
		}
		right, err := p.operand()
		if err != nil {
			return nil, err
		}
		in := join2("in", left, right)
		left = &not{span: in.(*operation).span, x: in}
	}
	p.last = left
	return left, nil
}

// operand reads arithmetic with its filters. A filter takes all that stands to its
// left, back to the last filter: 1 + a | length is (1 + a) | length. Behind it
// operators go on: a | length + 1.
func (p *parser) operand() (expr, *Error) {
	var operands []expr
	var ops []string
	start := 0 // where that begins which a filter takes
	for {
		x, err := p.tested()
		if err != nil {
			return nil, err
		}
		operands = append(operands, x)
		if p.tok.is("|") {
			x, err = p.filters(climb(operands[start:], ops[start:]))
			if err != nil {
				return nil, err
			}
			operands, ops = append(operands[:start], x), ops[:start]
			start++
		}
		if p.tok.kind != op || !strings.Contains("+-*/%~", p.tok.text) {
			break
		}
		ops = append(ops, p.tok.text)
		if err := p.link(); err != nil {
			return nil, err
		}
	}
	if len(operands) > 1 {
		p.last = nil
	}
	return climb(operands, ops), nil
}

// climb joins operands by the precedence of their operators.
func climb(operands []expr, ops []string) expr {
	for _, level := range []string{"*/%", "+-", "~"} {
		kept, left := operands[:1:1], []string(nil)
		for i, op := range ops {
			switch n := len(kept) - 1; {
			case !strings.Contains(level, op):
				kept, left = append(kept, operands[i+1]), append(left, op)
			case op == "~":
				kept[n] = glue(kept[n], operands[i+1])
			default:
				kept[n] = join2(op, kept[n], operands[i+1])
			}
		}
		operands, ops = kept, left
	}
	return operands[0]
}

// glue joins two by ~.
func glue(l, r expr) expr {
	at := span{l.where().at, r.where().end}
	if c, ok := l.(*concat); ok {
		return &concat{span: at, parts: append(c.parts, r)}
	}
	return &concat{span: at, parts: []expr{l, r}}
}

// filters reads the filters behind an expression, and a test behind those.
func (p *parser) filters(x expr) (expr, *Error) {
	for p.tok.is("|") {
		if err := p.link(); err != nil {
			return nil, err
		}
		name, err := p.name("a filter", "write {{ name | upper }}")
		if err != nil {
			return nil, err
		}
		if x, err = p.filter(name, x); err != nil {
			return nil, err
		}
		p.last = x
	}
	if p.tok.is("is") {
		return p.test(x)
	}
	return x, nil
}

// tested reads a part and the test behind it.
func (p *parser) tested() (expr, *Error) {
	x, err := p.primary()
	if err == nil && p.tok.is("is") {
		return p.test(x)
	}
	return x, err
}

// primary reads a literal, a variable, a call or what is in parentheses.
func (p *parser) primary() (x expr, err *Error) {
	t := p.tok
	if err := p.count(); err != nil {
		return nil, err
	}
	switch {
	case t.kind == number || t.is("-"):
		x, err = p.number()
	case t.kind == quoted:
		p.advance()
		x = &literal{span{t.at, t.end()}, t.text[1 : len(t.text)-1]}
	case t.is("["):
		x, err = p.list()
	case t.is("("):
		p.advance()
		if x, err = p.expression(); err == nil {
			err = p.expect(")", "close the parenthesis")
		}
	case t.kind == ident:
		x, err = p.word()
	case t.kind == shut || t.kind == eof:
		return nil, p.incomplete()
	case t.text == "{":
		return nil, p.failIn(t, "an object cannot be written in a template", "take one from the input, or write a list: [1, 2]")
	case t.is("."): // {{.Names}} of docker and its like
		return nil, p.failIn(t, "an expression cannot begin with “.”", "write {% raw %}{{…}}{% endraw %} for braces that are meant for another program")
	default:
		return nil, p.failIn(t, "an expression cannot begin with "+p.char(t), fixPath)
	}
	p.last = x
	return x, err
}

func (p *parser) incomplete() *Error {
	if p.tok.kind == eof {
		return p.unended()
	}
	return p.failIn(p.tok, "the expression breaks off before "+p.tok.text, "write what is missing")
}

// number reads a number, with its sign.
func (p *parser) number() (expr, *Error) {
	t := p.tok
	sign := ""
	if t.is("-") {
		sign = "-"
		if p.at >= len(p.src) || !digit(p.src[p.at]) {
			return nil, p.failIn(t, "a - at the beginning stands only before a number", "write 0 - x for -x")
		}
		p.advance()
	}
	digits := sign + p.tok.text
	at := span{t.at, p.tok.end()}
	p.advance()
	if !strings.Contains(digits, ".") {
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil {
			return nil, p.failIn(t, "the number "+clip(digits)+" is too large", "write it as a text, in quotes")
		}
		return &literal{at, n}, nil
	}
	f, err := strconv.ParseFloat(digits, 64)
	if err != nil {
		return nil, p.failIn(t, "the number "+clip(digits)+" is too large", "write it as a text, in quotes")
	}
	return &literal{at, f}, nil
}

// list reads [a, b].
func (p *parser) list() (expr, *Error) {
	l := &list{span: span{at: p.tok.at}}
	p.advance()
	for !p.tok.is("]") {
		x, err := p.expression()
		if err != nil {
			return nil, err
		}
		l.items = append(l.items, x)
		if !p.tok.is("]") {
			if err := p.expect(",", "separate the items by commas, and close the list with ]"); err != nil {
				return nil, err
			}
		}
	}
	l.end = p.tok.end()
	p.advance()
	return l, nil
}

// word reads what begins with a name.
func (p *parser) word() (expr, *Error) {
	t := p.tok
	if v, keyword := keywords[t.text]; keyword {
		if v == nil {
			return nil, p.failIn(t, "an expression cannot begin with "+p.char(t), fixPath)
		}
		p.advance()
		return &literal{span{t.at, t.end()}, v}, nil
	}
	if t.text == "__tera_context" {
		return nil, p.unsupported(t, "__tera_context cannot be used, for it prints everything", "name what you need")
	}
	p.advance()
	switch {
	case p.tok.is("::"):
		return p.call(t)
	case p.tok.is("("):
		return p.function(t)
	}
	return p.variable(t)
}

// variable reads the steps behind the name of a variable.
func (p *parser) variable(first token) (expr, *Error) {
	v := &variable{span: span{first.at, first.end()}, name: first.text}
	for p.tok.at == v.end && (p.tok.is(".") || p.tok.is("[")) {
		if err := p.count(); err != nil {
			return nil, err
		}
		h, err := p.hop(v)
		if err != nil {
			return nil, err
		}
		v.steps = append(v.steps, h)
	}
	v.hyphens = p.hyphens(v)
	return v, nil
}

// hop reads one step of a path.
func (p *parser) hop(v *variable) (h hop, err *Error) {
	at := p.tok
	if at.is(".") {
		p.at = at.end()
		seg := p.segment()
		if seg.text == "" {
			return h, p.failIn(at, "a name is missing after the dot", "write a field's name or a list's index there")
		}
		v.end = seg.end()
		p.advance()
		return hop{name: seg.text}, nil
	}
	p.advance()
	if h.x, err = p.expression(); err != nil {
		return h, err
	}
	v.end = p.tok.end()
	if err = p.expect("]", "close the bracket"); err != nil {
		return h, err
	}
	if l, ok := h.x.(*literal); ok {
		switch n := l.v.(type) {
		case string:
			return hop{name: n}, nil
		case int64:
			return hop{name: strconv.FormatInt(n, 10)}, nil
		}
	}
	return h, nil
}

// hyphens reads a path on as if the hyphens right behind it belonged to its
// names; nil where there are none.
func (p *parser) hyphens(v *variable) []string {
	path := v.names()
	rest := p.src[v.end:]
	if len(path) != len(v.steps)+1 || len(rest) < 2 || rest[0] != '-' || !letter(rest[1]) || !letter(p.src[v.end-1]) && !digit(p.src[v.end-1]) {
		return nil
	}
	const most = 20
	for len(path) < most && rest != "" && (rest[0] == '-' || rest[0] == '.') {
		n := count(rest[1:], wordly)
		if n == 0 {
			break
		}
		if rest[0] == '.' {
			path = append(path, rest[1:1+n])
		} else {
			path[len(path)-1] += rest[:1+n]
		}
		rest = rest[1+n:]
	}
	return path
}
