package cli

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/tailscale/hujson"
)

// byteOrderMark begins files that some Windows programs have written.
const byteOrderMark = "\ufeff"

// editJSON sets the member stroem of the host's section, or with nil takes it
// out. All else stays as it is, byte for byte, comments too.
func editJSON(doc []byte, h *host, entry any) (after, old []byte, err error) {
	text, marked := bytes.CutPrefix(doc, []byte(byteOrderMark))
	style := jsonStyle{eol: "\n", unit: "  "}
	if bytes.Contains(text, []byte("\r\n")) {
		style.eol = "\r\n"
	}
	if len(bytes.TrimSpace(text)) == 0 {
		text = []byte("{}" + style.eol)
	}
	file, err := hujson.Parse(bytes.Clone(text))
	open := false
	if err != nil { // a comment may end the file, but not for the parser
		var errClosed error
		if file, errClosed = hujson.Parse(append(bytes.Clone(text), '\n')); errClosed == nil {
			open, err = true, nil
		}
	}
	if err != nil {
		return nil, nil, errors.New(strings.TrimPrefix(err.Error(), "hujson: "))
	}
	if !h.comments && !file.IsStandard() {
		return nil, nil, fmt.Errorf("it has comments or trailing commas, which %s does not read", h.title)
	}
	root, ok := file.Value.(*hujson.Object)
	if !ok {
		return nil, nil, errors.New("it is no JSON object")
	}
	if len(root.Members) > 0 {
		if indent := strings.TrimLeft(lineOf(root, ""), "\r\n"); indent != "" {
			style.unit = indent
		}
	}
	if old, err = style.set(root, h.section, entry); err != nil {
		return nil, nil, err
	}
	if after = file.Pack(); open {
		after = after[:len(after)-1]
	}
	if marked {
		after = append([]byte(byteOrderMark), after...)
	}
	return after, old, nil
}

// jsonStyle is how a file breaks its lines and sets them in.
type jsonStyle struct{ eol, unit string }

// set puts the entry into the section, which is made where it is missing.
func (s jsonStyle) set(root *hujson.Object, section string, entry any) (old []byte, err error) {
	at, err := memberOf(root, section)
	if err != nil || at < 0 && entry == nil {
		return nil, err
	}
	line := lineOf(root, s.eol+s.unit) // before a member of the root
	if at < 0 {
		at = len(root.Members)
		s.add(root, hujson.Value{Value: &hujson.Object{}}, slot{section, line, s.eol, colonOf(root, line)})
	}
	servers, ok := root.Members[at].Value.Value.(*hujson.Object)
	if !ok {
		return nil, fmt.Errorf("%q in it is no object", section)
	}
	i, err := memberOf(servers, entryName)
	if err != nil || i < 0 && entry == nil {
		return nil, err
	}
	if entry == nil {
		old = packed(servers.Members[i].Value.Value)
		s.takeOut(servers, i)
		return old, nil
	}
	own := slot{name: entryName, closing: line}
	if strings.Contains(line, "\n") {
		own.line = lineOf(servers, line+s.unit)
	} else {
		own.line, own.closing = lineOf(servers, ""), ""
	}
	if i >= 0 {
		own.line = lastLine(servers.Members[i].Name.BeforeExtra)
	}
	value, err := s.value(entry, own.line)
	switch {
	case err != nil:
		return nil, err
	case i < 0:
		own.colon = colonOf(servers, own.line)
		s.add(servers, value, own)
		return nil, nil
	}
	old = packed(servers.Members[i].Value.Value)
	if !sameJSON(old, packed(value.Value)) {
		servers.Members[i].Value.Value = value.Value
	}
	return old, nil
}

// memberOf is where the object has the name, -1 where it has not.
func memberOf(obj *hujson.Object, name string) (at int, err error) {
	at = -1
	for i, m := range obj.Members {
		if m.Name.Value.(hujson.Literal).String() != name {
			continue
		}
		if at >= 0 {
			return -1, fmt.Errorf("it has %q twice", name)
		}
		at = i
	}
	return at, nil
}

// lineOf is what stands before a new member of the object: what stands before
// its others, or where it has none, the given.
func lineOf(obj *hujson.Object, otherwise string) string {
	n := len(obj.Members)
	if n == 0 {
		return otherwise
	}
	if line := lastLine(obj.Members[0].Name.BeforeExtra); strings.Contains(line, "\n") || n == 1 {
		return line
	}
	return lastLine(obj.Members[n-1].Name.BeforeExtra)
}

// lastLine is the last line break in blanks and comments, with what sets the
// next line in; without a line break "" or a blank.
func lastLine(e hujson.Extra) string {
	_, tail := split(e)
	if i := strings.LastIndex(tail, "\n") + 1; i > 0 {
		return tail[:len(tail)-len(strings.TrimLeft(tail[i:], " \t"))]
	}
	return tail[:min(len(tail), 1)]
}

// split cuts blanks and comments before the last line break that stands
// outside of a comment. Without one, comments are the head, blanks the tail.
func split(e hujson.Extra) (head, tail string) {
	text := string(e)
	i := strings.LastIndex(text, "\n")
	if i > 0 && text[i-1] == '\r' {
		i--
	}
	switch {
	case i >= 0 && hujson.Extra(text[:i]+"\n").IsValid():
		return text[:i], text[i:]
	case strings.TrimSpace(text) == "":
		return "", text
	}
	return text, ""
}

// colonOf is what stands behind the colon of a new member.
func colonOf(obj *hujson.Object, line string) string {
	if n := len(obj.Members); n > 0 {
		if b := string(obj.Members[n-1].Value.BeforeExtra); strings.TrimSpace(b) == "" && !strings.Contains(b, "\n") {
			return b
		}
	}
	if strings.Contains(line, "\n") {
		return " "
	}
	return ""
}

// slot is where a new member goes.
type slot struct {
	name    string
	line    string // what stands before it
	closing string // what stands before the brace behind it, where the object was empty
	colon   string // what stands behind its colon
}

// add appends a member, behind the comments that close the object.
func (s jsonStyle) add(obj *hujson.Object, value hujson.Value, at slot) {
	head, tail := split(obj.AfterExtra)
	if strings.TrimSpace(head) == "" {
		head = ""
	} else if !strings.Contains(at.line, "\n") {
		at.line = s.eol + at.line // what a comment could swallow
	}
	n := len(obj.Members)
	if n == 0 {
		tail = at.closing
	}
	if n > 0 && obj.Members[n-1].Value.AfterExtra != nil { // a trailing comma
		value.AfterExtra = hujson.Extra{}
	}
	value.BeforeExtra = hujson.Extra(at.colon)
	obj.Members = append(obj.Members, hujson.ObjectMember{
		Name: hujson.Value{BeforeExtra: hujson.Extra(head + at.line), Value: hujson.String(at.name)}, Value: value})
	obj.AfterExtra = hujson.Extra(tail)
}

// takeOut removes a member and leaves the comments before it.
func (s jsonStyle) takeOut(obj *hujson.Object, i int) {
	gone := obj.Members[i]
	last := i == len(obj.Members)-1
	obj.Members = append(obj.Members[:i:i], obj.Members[i+1:]...)
	next := &obj.AfterExtra
	if !last {
		next = &obj.Members[i].Name.BeforeExtra
	} else if i > 0 {
		before := &obj.Members[i-1].Value
		switch {
		case gone.Value.AfterExtra != nil && before.AfterExtra == nil:
			before.AfterExtra = hujson.Extra{}
		case gone.Value.AfterExtra == nil && strings.TrimSpace(string(before.AfterExtra)) == "":
			before.AfterExtra = nil
		}
	}
	if head, _ := split(gone.Name.BeforeExtra); strings.TrimSpace(head) != "" {
		if !hujson.Extra(head).IsValid() && !strings.HasPrefix(strings.TrimLeft(string(*next), "\r"), "\n") {
			head += s.eol // the comment would swallow what follows
		}
		*next = append(hujson.Extra(head), *next...)
	}
	if len(obj.Members) == 0 && strings.TrimSpace(string(obj.AfterExtra)) == "" {
		obj.AfterExtra = nil
	}
}

// value is the entry as it stands behind that line.
func (s jsonStyle) value(entry any, line string) (hujson.Value, error) {
	indent := strings.TrimLeft(line, "\r\n")
	unit := s.unit
	if indent == line { // all on one line
		indent, unit = "", ""
	}
	doc, err := encoded(entry, indent, unit)
	if err != nil {
		return hujson.Value{}, err
	}
	return hujson.Parse(bytes.ReplaceAll(doc, []byte("\n"), []byte(s.eol)))
}

func packed(v hujson.ValueTrimmed) []byte { return hujson.Value{Value: v}.Pack() }

// sameJSON reports whether two values differ by nothing but blanks and
// comments.
func sameJSON(a, b []byte) bool {
	x, errX := hujson.Minimize(bytes.Clone(a))
	y, errY := hujson.Minimize(bytes.Clone(b))
	return errX == nil && errY == nil && bytes.Equal(x, y)
}
