package workspace

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"unicode/utf8"
)

// Load reads, links and checks a workspace. The file system must be rooted, as
// that of [os.Root] is. The error says that the root cannot be read; all else
// that is wrong is in Problems.
//
// last is what was loaded before, or nil. A file that does not parse now lends
// what it said then, and so does a broken action, so that the other files stay
// right while somebody is typing; and what did not change is not read anew.
func Load(fsys fs.FS, last *Workspace) (*Workspace, error) {
	files, notes, err := find(fsys)
	if err != nil {
		return nil, fmt.Errorf("read workspace: %w", err)
	}
	l := &linker{
		fsys:    fsys,
		notes:   notes,
		before:  map[*part]*part{},
		sources: map[string]*sourceFile{},
		sum:     sha256.New(),
	}
	for _, f := range files {
		var before *part
		if last != nil {
			before = last.parts[f.path]
		}
		l.parts = append(l.parts, l.read(f, before))
	}
	return l.link(), nil
}

// part is what one file gives to the workspace.
type part struct {
	path   string
	folder string
	hash   [sha256.Size]byte
	// doc is what the file says now or, where that is no YAML, said last.
	doc *document
	// broken: the file could not be parsed, and doc is what it said last.
	broken bool
	// known: doc is what the file said at some time; else nothing is known.
	known    bool
	problems problems
	// good are its sound actions, with the content of their sources.
	good map[string]*actionDef
}

// read parses one file, unless it is what it was.
func (l *linker) read(f found, before *part) *part {
	p := &part{path: f.path, folder: f.folder, good: map[string]*actionDef{}}
	n, over := marks(f.text)
	if over < 0 { // else the file is not parsed, and says so itself
		l.marks += n
	}
	if f.failed == nil && l.marks > maxAllMarks {
		f.failed = &Problem{File: f.path, What: "the workspace holds too many values", Fix: "make a workspace of its own of some of the files"}
	}
	if f.failed != nil {
		p.broken = true
		p.doc = &document{src: newSource(f.path, "")}
		p.problems.errors++
		p.problems.add(*f.failed)
	} else {
		p.hash = sha256.Sum256([]byte(f.text))
		_, _ = fmt.Fprintf(l.sum, "%q %x\n", f.path, p.hash)
		if before != nil && !before.broken && before.hash == p.hash {
			p.doc, p.known = before.doc, true
		} else {
			var ok bool
			p.doc, ok = f.document()
			p.broken, p.known = !ok, ok
		}
		p.problems.list = append(p.problems.list, p.doc.problems.list...)
		p.problems.errors = p.doc.problems.errors
	}
	if p.broken && before != nil {
		p.doc, p.known = before.doc, before.known
	}
	if before != nil {
		l.before[p] = before
	}
	return p
}

// document reads the file, decrypted if need be.
func (f *found) document() (d *document, ok bool) {
	text, err := f.text, error(nil)
	if f.sops {
		text, err = unsops(f.text)
	}
	if err != nil {
		d = &document{src: newSource(f.path, "")}
		d.problems.errors++
		d.problems.add(Problem{File: f.path, What: err.Error(), Fix: "the rest of the workspace goes on without it"})
		return d, false
	}
	d, ok = readDocument(f.path, text)
	if f.sops {
		d.conceal()
	}
	return d, ok
}

// sourceFile is a script's file, read once.
type sourceFile struct {
	text string
	what string // why it cannot be used
}

// source reads the file of an action into a copy of it. Two actions may share
// a file.
func (l *linker) source(p *part, d *actionDef) *actionDef {
	if d.Source == "" || d.Type != "script" || dynamic(d.Source) {
		return d
	}
	s := l.sources[d.Source]
	if s == nil {
		s = &sourceFile{}
		l.sources[d.Source] = s
		text, err := readFile(l.fsys, d.Source, min(maxScript, maxSources-l.sourceBytes))
		switch {
		case err != nil:
			s.what = reason(err)
		case !utf8.ValidString(text):
			s.what = "it is not UTF-8 text"
		default:
			s.text = text
			l.sourceBytes += len(text)
		}
		_, _ = fmt.Fprintf(l.sum, "source %q %x\n", d.Source, sha256.Sum256([]byte(text)))
	}
	if s.what != "" {
		p.problems.fail(d.sourceAt, fmt.Sprintf("source %s: %s", quote(d.Source), s.what), "paths are relative to the workspace's folder")
		return nil
	}
	filled := *d
	filled.Script = s.text
	filled.ScriptAt = Pos{d.Source, 1, 1}
	for _, r := range unkept(s.text, filled.ScriptAt) {
		filled.Refusals = append(filled.Refusals[:len(filled.Refusals):len(filled.Refusals)], r)
		p.problems.add(r)
	}
	return &filled
}

// revision names the content of all files that were read.
func (l *linker) revision() string { return hex.EncodeToString(l.sum.Sum(nil))[:16] }
