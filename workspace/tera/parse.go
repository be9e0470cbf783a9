package tera

import (
	"strings"
	"unicode/utf8"
)

const (
	fixPath  = "write a plain {{ dotted.path }} for now"
	fixClose = "close it with }}"
)

// Parse reads a template. An error is an *[Error].
func Parse(src string) (*Template, error) {
	p := &parser{lexer: lexer{src: src}, t: &Template{src: src}}
	if err := p.template(); err != nil {
		return nil, err
	}
	return p.t, nil
}

type parser struct {
	lexer
	t    *Template
	trim bool // the last tag ended in a -: the text after it loses its leading space
}

// template reads the whole source. It returns *Error as an error so that nil stays nil.
func (p *parser) template() error {
	for {
		txt := p.lexer.text()
		tag := p.open()
		p.text(txt, strings.HasSuffix(tag.text, "-"))
		if tag.kind == eof {
			return nil
		}
		var err *Error
		switch tag.text[1] {
		case '{':
			err = p.expression(tag)
		case '#':
			end, ok := p.comment()
			if !ok {
				err = p.fail(tag, "a comment begins here and has no end", "close it with #}")
			}
			p.trim = strings.HasPrefix(end.text, "-")
		default:
			err = p.tag(tag)
		}
		if err != nil {
			return err
		}
	}
}

// text adds the text between two tags, less what their - marks take away.
func (p *parser) text(t token, trimEnd bool) {
	s, at := t.text, t.at
	if p.trim {
		s = trimLeft(s)
		at = t.end() - len(s)
		p.trim = false
	}
	if trimEnd {
		s = trimRight(s)
	}
	if s != "" {
		p.t.nodes = append(p.t.nodes, node{at: at, text: s})
	}
}

// expression reads what follows {{ up to and with }}.
func (p *parser) expression(open token) *Error {
	first := p.next()
	if err := p.head(open, first); err != nil {
		return err
	}
	path := []string{first.text}
	for strings.HasPrefix(p.src[p.at:], ".") {
		dot := p.next()
		seg := p.segment()
		if seg.text == "" {
			return p.failIn(open, dot, "a name is missing after the dot", "write a field's name or a list's index there")
		}
		path = append(path, seg.text)
	}
	if p.at < len(p.src)-1 && p.src[p.at] == '-' && letter(p.src[p.at+1]) {
		return p.hyphen(open, first, path)
	}
	end := p.next()
	if end.kind != shut || !strings.HasSuffix(end.text, "}}") {
		return p.follow(open, end)
	}
	p.trim = strings.HasPrefix(end.text, "-")
	line, col := position(p.src, first.at)
	p.t.refs = append(p.t.refs, Ref{Path: path, Line: line, Column: col})
	p.t.nodes = append(p.t.nodes, node{at: first.at, path: path, expr: p.src[open.at:end.end()]})
	return nil
}

// keywords cannot be the first name of a path.
var keywords = map[string]string{
	"true": "literals", "false": "literals", "True": "literals", "False": "literals",
	"not": "the operator not", "and": "", "or": "", "in": "", "is": "",
}

// head checks that an expression begins with the name of a variable.
func (p *parser) head(open, t token) *Error {
	what := ""
	switch {
	case t.kind == ident:
		name, keyword := keywords[t.text]
		if !keyword {
			return nil
		}
		what = name
	case t.kind == number || t.kind == quoted || t.is("["):
		what = "literals"
	case t.is("("):
		what = "parentheses"
	case t.is("-"):
		what = "operators"
	case t.kind == shut || t.kind == eof:
		return p.failIn(open, open, "there is nothing between the braces", "name a variable: {{ dotted.path }}")
	case t.text == "{":
		return p.failIn(open, t, "there is a brace too many", "write {{ dotted.path }}")
	}
	if what == "" {
		return p.failIn(open, t, "an expression cannot begin with "+p.char(t), fixPath)
	}
	return p.unsupported(open, t, what)
}

// follow says what is wrong with the token after a path.
func (p *parser) follow(open, t token) *Error {
	switch {
	case t.kind == eof || t.kind == shut:
		return p.failIn(open, open, "an expression begins here and has no end", fixClose)
	case t.is("|"):
		return p.unsupported(open, t, "filters")
	case t.is("("), t.is("::"):
		return p.unsupported(open, t, "function and macro calls")
	case t.is("["):
		return p.unsupported(open, t, "square brackets")
	case t.is("is"):
		return p.unsupported(open, t, "tests (is)")
	case t.is("and"), t.is("or"), t.is("not"), t.is("in"),
		t.kind == op && strings.Contains("== != <= >= < > + - * / % ~", t.text):
		return p.unsupported(open, t, "operators ("+t.text+")")
	}
	return p.failIn(open, t, p.char(t)+" cannot stand after a variable", fixClose)
}

// hyphen explains a name with a hyphen in it, which Tera reads as a subtraction.
func (p *parser) hyphen(open, first token, path []string) *Error {
	for strings.HasPrefix(p.src[p.at:], "-") || strings.HasPrefix(p.src[p.at:], ".") {
		sep := p.src[p.at : p.at+1]
		p.at++
		seg := p.segment().text
		if seg == "" {
			break
		}
		if sep == "." {
			path = append(path, seg)
		} else {
			path[len(path)-1] += "-" + seg
		}
	}
	if !strings.Contains(path[0], "-") {
		err := p.unsupported(open, first, `names with a hyphen, which need square brackets (["…"]),`)
		err.Fix = "give the field a name with underscores"
		return err
	}
	path[0] = strings.ReplaceAll(path[0], "-", "_")
	return p.failIn(open, first, "a name in a template has no hyphens",
		"a step name's hyphens are written as underscores: "+strings.Join(path, "."))
}

// tag refuses {% … %}, naming the tag.
func (p *parser) tag(open token) *Error {
	name := p.next()
	for t := name; t.kind != eof; t = p.next() {
		if t.kind == shut && strings.HasSuffix(t.text, "%}") {
			if name.kind != ident {
				return p.failIn(open, name, "a tag has no name", "write a tag of Tera's, such as {% if … %}")
			}
			return p.unsupported(open, open, "tags ({% "+name.text+" %})")
		}
	}
	return p.failIn(open, open, "a tag begins here and has no end", "close it with %}")
}

func (p *parser) unsupported(open, at token, what string) *Error {
	err := p.failIn(open, at, "", fixPath)
	err.What = what + " cannot be used yet: " + err.Expr
	err.Unsupported = true
	return err
}

// failIn is an error at one token of the expression that begins at open.
func (p *parser) failIn(open, at token, what, fix string) *Error {
	err := p.fail(at, what, fix)
	end := len(p.src)
	if i := strings.Index(p.src[open.at:], string(closing(open))); i >= 0 {
		end = open.at + i + 2
	}
	err.Expr = clip(p.src[open.at:end])
	return err
}

func (p *parser) fail(at token, what, fix string) *Error {
	line, col := position(p.src, at.at)
	return &Error{Line: line, Column: col, What: what, Fix: fix}
}

func closing(open token) string {
	if open.text[1] == '%' {
		return "%}"
	}
	return "}}"
}

// char names a token for a message.
func (p *parser) char(t token) string {
	if t.kind == bad {
		r, n := utf8.DecodeRuneInString(p.src[t.at:])
		if r == utf8.RuneError && n <= 1 {
			return "a byte that is no character"
		}
		return "“" + string(r) + "”"
	}
	return "“" + t.text + "”"
}

// clip shortens an expression to what is readable in a message.
func clip(s string) string {
	const most = 80
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
