package tera

import (
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	fixPath  = "write {{ dotted.path }}, or what else Tera knows"
	fixClose = "close it with }}"
)

// Parse reads a template. An error is an *[Error].
func Parse(src string) (*Template, error) {
	p := &parser{lexer: lexer{src: src}, t: &Template{src: src, macros: map[string]*macro{}}}
	nodes, err := p.body(token{})
	if err != nil {
		return nil, err
	}
	p.t.nodes = nodes
	if err := resolve(p.t); err != nil {
		return nil, err
	}
	return p.t, nil
}

// parser reads a template. Between the delimiters tok is the next token, and the
// lexer stands behind it.
type parser struct {
	lexer
	t      *Template
	trim   bool  // the last tag ended in a -: the text after it loses its leading space
	open   token // what opened the tag that is being read
	tok    token
	last   expr // the last part of an expression that was read
	depth  int  // blocks and parentheses that are open
	links  int  // operators and filters of this tag
	nodes  int
	loops  int  // fors that are open
	sealed int  // macros and filter sections that are open
	naked  bool // {{ … | raw }} is being read
	ending string
}

// body reads a template up to the tag that ends the block begun by opener, or to
// the end of the source when there is none. The name of that tag is left in
// p.ending, and p.tok is what follows it.
func (p *parser) body(opener token, ends ...string) ([]stmt, *Error) {
	var nodes []stmt
	for {
		txt := p.lexer.text()
		p.open = p.lexer.open()
		if n := p.text(txt, strings.HasSuffix(p.open.text, "-")); n != nil {
			nodes = append(nodes, n)
		}
		if p.open.kind == eof {
			if len(ends) > 0 {
				p.open = opener
				return nil, p.fail(opener, "a block begins here and has no end", "close it with {% "+ends[len(ends)-1]+" %}")
			}
			return nodes, nil
		}
		p.links = 0
		if p.nodes++; p.nodes > maxNodes {
			return nil, p.fail(p.open, "the template has too many parts", "split it")
		}
		n, ended, err := p.tag(ends)
		if err != nil || ended {
			return nodes, err
		}
		if n != nil {
			nodes = append(nodes, n)
		}
	}
}

// tag reads what an opening delimiter begins; ended is true for one of ends.
func (p *parser) tag(ends []string) (n stmt, ended bool, err *Error) {
	switch p.open.text[1] {
	case '{':
		n, err = p.output()
		return n, false, err
	case '#':
		end, ok := p.comment()
		if !ok {
			return nil, false, p.fail(p.open, "a comment begins here and has no end", "close it with #}")
		}
		p.trim = strings.HasPrefix(end.text, "-")
		return nil, false, nil
	}
	p.advance()
	name := p.tok
	if name.kind == eof {
		return nil, false, p.unended()
	}
	if name.kind != ident {
		return nil, false, p.failIn(name, "a tag has no name", "write a tag of Tera's, such as {% if … %}")
	}
	p.advance()
	if slices.Contains(ends, name.text) {
		p.ending = name.text
		return nil, true, nil
	}
	n, err = p.statement(name)
	return n, false, err
}

// text makes a node of the text between two tags, less what their - marks take
// away; nil when nothing is left.
func (p *parser) text(t token, trimEnd bool) stmt {
	s, at := t.text, t.at
	if p.trim {
		s = trimLeft(s)
		at = t.end() - len(s)
		p.trim = false
	}
	if trimEnd {
		s = trimRight(s)
	}
	if s == "" {
		return nil
	}
	p.nodes++
	return &text{at: at, s: s}
}

// output reads what follows {{ up to and with }}.
func (p *parser) output() (stmt, *Error) {
	open := p.open
	p.advance()
	switch {
	case p.tok.kind == shut || p.tok.kind == eof:
		return nil, p.failIn(open, "there is nothing between the braces", "name a variable: {{ dotted.path }}")
	case p.tok.text == "{" && p.tok.at == open.end():
		return nil, p.failIn(p.tok, "there is a brace too many", "write {{ dotted.path }}")
	}
	p.naked = false
	x, err := p.expression()
	if err != nil {
		return nil, err
	}
	end := p.tok
	if err := p.close("}}"); err != nil {
		return nil, err
	}
	n := &output{tag: p.src[open.at:end.end()], inner: strings.TrimSpace(p.src[open.end():end.at]), x: x, raw: p.naked}
	if n.raw {
		p.t.raws = append(p.t.raws, n)
	}
	return n, nil
}

// advance goes to the next token.
func (p *parser) advance() { p.tok = p.next() }

// accept goes on if the next token is s.
func (p *parser) accept(s string) bool {
	if !p.tok.is(s) {
		return false
	}
	p.advance()
	return true
}

// expect goes on if the next token is s, and is an error if it is not.
func (p *parser) expect(s, fix string) *Error {
	if p.accept(s) {
		return nil
	}
	return p.unexpected("“"+s+"” is missing here", fix)
}

// name reads a name.
func (p *parser) name(of, fix string) (token, *Error) {
	t := p.tok
	if t.kind != ident {
		return t, p.unexpected("the name of "+of+" is missing here", fix)
	}
	if _, ok := keywords[t.text]; ok {
		return t, p.failIn(t, "“"+t.text+"” cannot be the name of "+of, "choose another name")
	}
	p.advance()
	return t, nil
}

// close expects the end of the tag, and stays right behind it.
func (p *parser) close(with string) *Error {
	if p.tok.kind != shut || !strings.HasSuffix(p.tok.text, with) {
		if p.tok.kind == shut || p.tok.kind == eof {
			return p.unended()
		}
		return p.follow(with)
	}
	p.trim = strings.HasPrefix(p.tok.text, "-")
	return nil
}

// follow says what is wrong with the token after an expression.
func (p *parser) follow(with string) *Error {
	t := p.tok
	what := p.char(t) + " cannot stand here"
	fix := "close it with " + with
	if _, ok := p.last.(*variable); ok {
		what = p.char(t) + " cannot stand after a variable"
	}
	switch {
	case t.is("("):
		fix = "only functions and macros are called: range(end=3), self::name(a=1)"
	case t.is("["):
		what, fix = "[ follows something that is no variable", "{% set %} it to a variable first"
	case slices.Contains(comparisonOps, t.text):
		what, fix = "comparisons cannot be chained", "join two of them by and"
	case t.is("="):
		fix = "compare by =="
	case t.text == "?" || t.text == "if":
		fix = "write {% if … %}…{% else %}…{% endif %}"
	}
	return p.failIn(t, what, fix)
}

// unexpected is an error at the next token, or about the whole tag when it ends here.
func (p *parser) unexpected(what, fix string) *Error {
	if p.tok.kind == eof {
		return p.unended()
	}
	return p.failIn(p.tok, what, fix)
}

func (p *parser) unended() *Error {
	if strings.HasPrefix(p.open.text, "{{") {
		return p.failIn(p.open, "an expression begins here and has no end", fixClose)
	}
	return p.failIn(p.open, "a tag begins here and has no end", "close it with %}")
}

// unsupported is an error about something of Tera's that is left out.
func (p *parser) unsupported(at token, what, fix string) *Error {
	err := p.failIn(at, "", fix)
	err.What = what + ": " + err.Expr
	err.Unsupported = true
	return err
}

// deeper opens a block or a parenthesis, and counts a node.
func (p *parser) deeper() *Error {
	if p.depth++; p.depth > maxNesting {
		return p.failIn(p.tok, "the template is nested too deeply", "take it apart with {% set … %}")
	}
	return p.count()
}

// count counts a node.
func (p *parser) count() *Error {
	if p.nodes++; p.nodes > maxNodes {
		return p.failIn(p.tok, "the template has too many parts", "split it")
	}
	return nil
}

// failIn is an error at one token of the tag that is open.
func (p *parser) failIn(at token, what, fix string) *Error {
	err := p.fail(at, what, fix)
	err.Expr = clip(whole(p.src, p.open.at))
	return err
}

func (p *parser) fail(at token, what, fix string) *Error {
	line, col := position(p.src, at.at)
	return &Error{Line: line, Column: col, What: what, Fix: fix}
}

// whole is the tag that begins at an offset, or what there is of it.
func whole(src string, at int) string {
	end := "}}"
	if strings.HasPrefix(src[at:], "{%") {
		end = "%}"
	}
	if i := strings.Index(src[at:], end); i >= 0 {
		return src[at : at+i+2]
	}
	return src[at:]
}

// char shows a token, or the whole character at a byte that is none.
func (p *parser) char(t token) string {
	if t.kind == bad {
		r, n := utf8.DecodeRuneInString(p.src[t.at:])
		if r == utf8.RuneError && n <= 1 {
			return "a byte that is no character"
		}
		return "“" + string(r) + "”"
	}
	return "“" + clip(t.text) + "”"
}

// clip shortens an expression to what is readable in a message.
func clip(s string) string {
	const most = 80
	if len(s) > 8*most {
		s = s[:8*most]
	}
	s = strings.ToValidUTF8(s, "\uFFFD")
	cut := strings.IndexByte(s, '\n')
	if utf8.RuneCountInString(s) <= most && cut < 0 {
		return s
	}
	if cut >= 0 {
		s = s[:cut]
	}
	if r := []rune(s); len(r) > most {
		s = string(r[:most])
	}
	return s + "…"
}
