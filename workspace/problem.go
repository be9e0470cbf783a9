package workspace

import (
	"fmt"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Pos is a place in a file of the workspace. Lines and columns count from one,
// columns in characters; a zero column means that only the line is known.
type Pos struct {
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
}

// String is the place as editors understand it: file:line:column.
func (p Pos) String() string {
	switch {
	case p.Line == 0:
		return p.File
	case p.Column == 0:
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Problem is something wrong in the YAML: where, what, and how to mend it.
// What with Warning leaves the file usable.
type Problem struct {
	File    string `json:"file"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Warning bool   `json:"warning,omitempty"`
	What    string `json:"what"`
	Fix     string `json:"fix,omitempty"`
}

// Pos is the place of the problem.
func (p Problem) Pos() Pos { return Pos{p.File, p.Line, p.Column} }

// String is one line: "deploy.yaml:4:11: what; fix".
func (p Problem) String() string {
	s := p.Pos().String() + ": " + p.What
	if p.Fix != "" {
		s += "; " + p.Fix
	}
	return s
}

// maxProblems bounds what one file may complain about, so that hostile YAML
// cannot make us keep more text than it has itself.
const maxProblems = 500

// problems collects what one file has wrong.
type problems struct {
	list   []Problem
	errors int
}

// fail notes an error; the file is broken by it.
func (p *problems) fail(at Pos, what, fix string) {
	p.errors++
	p.add(Problem{File: at.File, Line: at.Line, Column: at.Column, What: what, Fix: fix})
}

// warn notes what is odd but leaves the file usable.
func (p *problems) warn(at Pos, what, fix string) {
	p.add(Problem{File: at.File, Line: at.Line, Column: at.Column, Warning: true, What: what, Fix: fix})
}

func (p *problems) add(x Problem) {
	switch {
	case len(p.list) < maxProblems:
		p.list = append(p.list, x)
	case len(p.list) == maxProblems:
		p.list = append(p.list, Problem{File: x.File, Line: x.Line, Warning: x.Warning,
			What: "there are more problems than can be shown", Fix: "mend those above first"})
	case !x.Warning: // an error among what is not shown is one all the same
		p.list[maxProblems].Warning = false
	}
}

// full reports that nothing more is kept, so that looking for it is idle.
func (p *problems) full() bool { return len(p.list) > maxProblems }

// sorted puts problems in the order of a reader: by file, then by place; what
// was said twice of a place is kept once.
func sorted(list []Problem) []Problem {
	sort.SliceStable(list, func(i, j int) bool {
		a, b := list[i], list[j]
		if a.File != b.File {
			return a.File < b.File
		}
		if a.Line != b.Line {
			return a.Line < b.Line
		}
		return a.Column < b.Column
	})
	seen := make(map[Problem]bool, len(list))
	kept := list[:0]
	for _, p := range list {
		if !seen[p] {
			seen[p] = true
			kept = append(kept, p)
		}
	}
	return kept
}

// quote shows a name or value of the author's: quoted, on one line, and cut,
// since a name may be a megabyte long.
func quote(s string) string {
	const most = 60
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	cut := ""
	if n := cutAt(s, most); n < len(s) {
		s, cut = s[:n], "…"
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '"':
			b.WriteString(`\"`)
		case !unicode.IsPrint(r):
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String() + cut + `"`
}

// cutAt is the length in bytes of the first n characters of s.
func cutAt(s string, n int) int {
	for i := range s {
		if n == 0 {
			return i
		}
		n--
	}
	return len(s)
}

// either joins names as a sentence does: a, b or c.
func either(names ...string) string {
	switch n := len(names); n {
	case 0:
		return ""
	case 1:
		return names[0]
	default:
		return strings.Join(names[:n-1], ", ") + " or " + names[n-1]
	}
}
