package tera

import (
	"errors"
	"fmt"
	"sort"
	"strings"
	"sync"

	"mvdan.cc/sh/v3/syntax"
)

// Dialect is the shell that will run a script.
type Dialect int

// The dialects. POSIX is whatever sh is on the machine: dash, busybox, or bash.
const (
	Bash Dialect = iota
	POSIX
)

// String is the name of the shell's program.
func (d Dialect) String() string {
	if d == POSIX {
		return "sh"
	}
	return "bash"
}

// readings are the languages that may read a script of the dialect. A script for
// sh must mean the same to dash and to bash, as either may be installed as sh.
func (d Dialect) readings() []syntax.LangVariant {
	if d == POSIX {
		return []syntax.LangVariant{syntax.LangPOSIX, syntax.LangBash}
	}
	return []syntax.LangVariant{syntax.LangBash}
}

const fixEnv = `pass it by env: and write "$NAME" there`

// Shell renders a shell script with every value quoted for the place where it
// stands, or refuses. A script without expressions is not even parsed.
func (t *Template) Shell(v Vars, d Dialect) (string, error) {
	if t.Static() {
		return t.Text(v)
	}
	s, err := t.placed(v, d)
	if err != nil {
		return "", err
	}
	if len(s.places) == 0 { // what the conditions left is the author's own text
		return s.src, nil
	}
	return s.quote((*place).final), nil
}

// placed renders the script and decides for each value how it is written.
func (t *Template) placed(v Vars, d Dialect) (*script, error) {
	r := newRun(t, v)
	r.page.script = true
	if err := r.all(); err != nil {
		return nil, err
	}
	s, err := t.script(r.page.pieces, true)
	if err != nil || len(s.places) == 0 {
		return s, err
	}
	if errs := s.read(d); len(errs) > 0 {
		return nil, errs[0]
	}
	if err := s.verify(d); err != nil {
		return nil, err
	}
	return s, nil
}

// Placed is a value in a script: the expression that gives it, its place in
// the template, and in words where in the script it stands.
type Placed struct {
	Expr         string
	Line, Column int
	Where        string
}

// Places names the place of each value that Shell would write.
func (t *Template) Places(v Vars, d Dialect) ([]Placed, error) {
	if t.Static() {
		return nil, nil
	}
	s, err := t.placed(v, d)
	if err != nil {
		return nil, err
	}
	var list []Placed
	for _, p := range s.places {
		line, column := position(t.src, p.node.x.where().at)
		list = append(list, Placed{clip(p.node.tag), line, column, p.kind.String()})
	}
	return list, nil
}

// CheckShell finds the places of a shell script where no value can stand, and
// whatever keeps the script from being parsed when it has values in it. It looks
// at each branch of the template, as far as the limits allow; the others are
// looked at when they are run. Of scripts in which nothing is wrong it says what
// their author may want to know.
func (t *Template) CheckShell(d Dialect) (errs []*Error, warnings []*Warning) {
	if t.Static() {
		return nil, nil
	}
	seen := map[string]bool{}
	t.ways(func(w way, last bool) bool {
		s, err := t.script(w.pieces, false)
		if err != nil {
			errs = append(errs, &Error{Line: 1, Column: 1, What: err.Error()})
			return true
		}
		if len(s.places) == 0 {
			return true
		}
		found := s.read(d)
		if s.broken && !last {
			return false // another choice of branches may give a script that parses
		}
		for _, w := range s.warnings {
			if key := fmt.Sprint(w.Kind, w.Error.Error()); !seen[key] {
				seen[key] = true
				warnings = append(warnings, w)
			}
		}
		for _, e := range found {
			if !seen[e.Error()] {
				seen[e.Error()] = true
				errs = append(errs, e)
			}
		}
		return true
	})
	sort.SliceStable(errs, func(i, j int) bool {
		a, b := errs[i], errs[j]
		return a.Line < b.Line || a.Line == b.Line && a.Column < b.Column
	})
	return errs, warnings
}

// value is what an expression stands for, and how it is printed.
type value struct {
	any     any
	text    string
	foreign bool // where raw is forbidden: it may come from whoever started the job
}

// script is a rendered template in which a mark stands for each value.
type script struct {
	t       *Template
	src     string                     // the script with its marks
	places  []*place                   // in the order of src
	texts   []chunk                    // where the text of the template went
	broken  bool                       // it does not parse
	work    int                        // how much text was looked at, see mostWork
	known   bool                       // the values are known: this is no check but a run
	files   []*syntax.File             // what each reading makes of src
	calls   map[*syntax.CallExpr][]arg // the arguments of the commands looked at
	words   map[*syntax.Word]string    // the text of the words looked at
	bodies  map[string]*syntax.Stmt    // the functions, once asked for
	flow    *flows                     // where values go, once asked for
	naming  *naming                    // what the script's own names stand for
	heres   map[*syntax.Word]bool      // the here-documents; whether the shell expands them
	dialect Dialect                    // that it is read in
	outputs bool                       // it may have lines that the server reads, or name the file for them
	joins   func() bool                // whether it may put such a line together
	arrays  func() bool                // whether it may have arrays
	told    []telling                  // where it prints variables, in the reading of toldOf
	toldOf  *syntax.File
	// What its author is to know of its places; where the values are known, nothing.
	warnings []*Warning
}

// chunk is a piece of the template's text: it is at src[to:], and n bytes from at
// in the template.
type chunk struct{ at, to, n int }

// place is where a value stands in a script.
type place struct {
	node  *output
	value value
	at    int    // offset of the mark in script.src
	mark  string // the word that stands for the value
	// What reading the script tells:
	stack []syntax.Node // from the file down to the literal that holds the mark
	kind  quoting
	plain string // the text that is to arrive at the place; the value unless rewritten
	json  bool   // that is the inside of a string of JSON
	want  demand
	// What its author is told of: it is read as code a second time; it must be a
	// whole number; it may be taken for an option of this command.
	again  *objection
	number *objection
	option string
	names  bool // the option is whatever the value says
	many   bool // the shell makes words of the value
}

// String says in words where such a value stands.
func (q quoting) String() string {
	switch q {
	case bare:
		return "as a word"
	case single:
		return "in '…'"
	case double:
		return "in \"…\""
	case dollar:
		return "in $'…'"
	case expands:
		return "in a here-document that expands"
	case asIs:
		return "in a here-document as it is"
	case comment:
		return "in a comment"
	case summed:
		return "in arithmetic"
	case fallback:
		return "in \"${…}\""
	}
	return "nowhere"
}

// script puts the pieces of a rendering together, with a mark for each value.
func (t *Template) script(pieces []segment, known bool) (*script, error) {
	mark, err := newMark(pieces)
	if err != nil {
		return nil, err
	}
	s := &script{t: t, known: known}
	var b strings.Builder
	for _, n := range pieces {
		s.texts = append(s.texts, chunk{at: n.at, to: b.Len(), n: len(n.text)})
		if n.raw {
			s.texts[len(s.texts)-1].n = 0
		}
		if n.out == nil {
			b.WriteString(n.text)
			continue
		}
		p := &place{node: n.out, value: n.val, at: b.Len(), mark: mark(len(s.places))}
		p.plain = p.value.text
		s.places = append(s.places, p)
		b.WriteString(p.mark)
	}
	s.src = b.String()
	return s, nil
}

// tooLarge bounds what is parsed: the parser's stack, and ours, grows with the
// nesting, and a stack that is exhausted ends the whole server.
func tooLarge(src string) bool {
	const most, deepest = 1 << 20, 50_000
	if len(src) > most {
		return true
	}
	if len(src) < deepest {
		return false
	}
	depth := 0
	for i := range len(src) {
		if strings.IndexByte("({`|&!~+-*/<>=?:,^%[", src[i]) >= 0 {
			depth++
		}
	}
	for _, word := range []string{"if", "for", "while", "until", "case", "select", "time", "coproc", "function"} {
		depth += strings.Count(src, word)
	}
	return depth > deepest
}

// crowded reports whether the values are more than is parsed with them.
func (s *script) crowded() bool {
	quotes := 0
	for _, p := range s.places {
		quotes += strings.Count(p.value.text, "'")
	}
	return len(s.places) > maxPlaces || quotes > maxQuotes
}

// read parses the script and decides for each place how its value is quoted.
// In sh every reading must agree.
func (s *script) read(d Dialect) []*Error {
	s.work, s.files, s.calls, s.words, s.warnings, s.dialect = 0, nil, nil, nil, nil, d
	s.heres = map[*syntax.Word]bool{}
	s.prepare()
	if s.crowded() || tooLarge(s.src) {
		return []*Error{{Line: 1, Column: 1, What: "the script is too large to put values into it", Fix: "keep it in a file of its own, and " + fixEnv}}
	}
	for i, lang := range d.readings() {
		file, err := parseShell(s.src, lang)
		if err != nil {
			s.broken = true
			return []*Error{s.unparsed(err, d)}
		}
		kinds := make([]quoting, len(s.places))
		for j, p := range s.places {
			kinds[j] = p.kind
			p.stack, p.kind, p.want = nil, 0, anything
		}
		s.files, s.bodies, s.flow = append(s.files, file), nil, nil
		s.locate(file)
		if errs := s.judge(file, d, lang); len(errs) > 0 {
			return errs
		}
		for j, p := range s.places {
			if i > 0 && kinds[j] != p.kind {
				return []*Error{s.t.fault(p.node, "the shells that may be sh do not agree on what stands here", fixEnv)}
			}
		}
	}
	return nil
}

// prepare makes ready what is asked of the whole text of the script.
func (s *script) prepare() {
	s.outputs = strings.Contains(s.src, "OUTPUT") || strings.Contains(s.src, "STATE")
	s.joins = sync.OnceValue(func() bool { return s.outputs && (s.putTogether() || s.detour()) })
	s.arrays = sync.OnceValue(func() bool { return fillsArrays.MatchString(s.src) })
}

// judge collects what speaks against the places in one reading of the script.
func (s *script) judge(file *syntax.File, d Dialect, lang syntax.LangVariant) []*Error {
	var errs []*Error
	if err := s.ambiguous(file); err != nil {
		errs = append(errs, err)
	} else if err := s.listener(file); err != nil {
		errs = append(errs, err)
	}
	for _, p := range s.places {
		what, fix := s.refusal(p, d)
		if what != "" {
			errs = append(errs, s.t.fault(p.node, what, fix))
		}
	}
	switch {
	case len(errs) > 0:
	case lang == syntax.LangPOSIX: // what it reads as code, bash does as well
	case s.known:
		errs = append(s.reevaluated(), s.retold()...)
	default:
		s.warnings = append(s.warnings, s.warned()...)
	}
	return errs
}

// unparsed is the error of a script that does not parse.
func (s *script) unparsed(err error, d Dialect) *Error {
	e := &Error{What: err.Error(), Fix: "mend the script; a value can only stand where a word can"}
	var perr syntax.ParseError
	var lerr syntax.LangError
	var pos syntax.Pos
	switch {
	case errors.As(err, &perr):
		pos, e.What = perr.Pos, perr.Text
	case errors.As(err, &lerr):
		pos, e.What = lerr.Pos, fmt.Sprintf("%s is no part of %s's language", lerr.Feature, d)
		e.Fix = "write it otherwise, or choose another interpreter"
	}
	e.Line, e.Column = position(s.t.src, s.source(int(pos.Offset())))
	for i, p := range s.places {
		if strings.Contains(e.What, p.mark) {
			e.What = strings.ReplaceAll(e.What, p.mark, s.places[i].node.tag)
			e.Expr = clip(p.node.tag)
		}
	}
	e.What = "the script does not parse as " + d.String() + ": " + e.What
	return e
}

// source maps an offset in the script to one in the template.
func (s *script) source(off int) int {
	i := sort.Search(len(s.texts), func(i int) bool { return s.texts[i].to > off }) - 1
	if i < 0 {
		return 0
	}
	return s.texts[i].at + min(off-s.texts[i].to, s.texts[i].n)
}

// parsers are at rest; each is large.
var parsers = map[syntax.LangVariant]*sync.Pool{
	syntax.LangBash:  {New: func() any { return syntax.NewParser(syntax.Variant(syntax.LangBash), syntax.KeepComments(true)) }},
	syntax.LangPOSIX: {New: func() any { return syntax.NewParser(syntax.Variant(syntax.LangPOSIX), syntax.KeepComments(true)) }},
}

// parseShell parses a script. A panic of the parser is an error: a template must
// never end the server.
func parseShell(src string, lang syntax.LangVariant) (f *syntax.File, err error) {
	defer func() {
		if r := recover(); r != nil {
			f, err = nil, fmt.Errorf("the parser gave up: %v", r)
		}
	}()
	p := parsers[lang].Get().(*syntax.Parser)
	f, err = p.Parse(strings.NewReader(src), "")
	parsers[lang].Put(p) // but not after a panic
	return f, err
}
