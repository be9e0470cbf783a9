package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// editTOML sets the table stroem of the section, or with nil takes it out. All
// else stays as it is, byte for byte.
func editTOML(doc []byte, section string, entry any) (after, old []byte, err error) {
	list, err := scanTOML(string(doc))
	if err != nil {
		return nil, nil, err
	}
	var kept bytes.Buffer
	at, end := -1, 0 // where the table stood in kept; how far doc has been read
	ours := []string{section, entryName}
	var table []string
	for _, st := range list {
		path := slices.Concat(table, st.path)
		if st.header {
			table, path = st.path, st.path
		}
		within := len(path) >= 2 && slices.Equal(path[:2], ours)
		if over := len(path) < 2 && path[0] == section && (!st.header || st.array); over {
			return nil, nil, fmt.Errorf("line %d: %s is no table of the form [%s.NAME]; write it so", lineAt(doc, st.start), section, section)
		}
		if !within {
			continue
		}
		kept.Write(doc[end:st.start])
		if st.header && at < 0 {
			at = kept.Len()
		}
		old, end = append(old, doc[st.start:st.end]...), st.end
	}
	kept.Write(doc[end:])
	after, err = withTable(kept.Bytes(), at, ours, entry)
	if entry == nil && old == nil {
		after = doc
	}
	return after, old, err
}

// withTable puts the table where the old one stood, or at the end.
func withTable(doc []byte, at int, path []string, entry any) ([]byte, error) {
	eol := "\n"
	if bytes.Contains(doc, []byte("\r\n")) {
		eol = "\r\n"
	}
	if at < 0 {
		at = len(doc)
	}
	head, tail := string(doc[:at]), string(doc[at:])
	blank := strings.HasSuffix(head, "\n"+eol)
	if entry == nil { // of the lines around it, one goes with it
		if blank && (tail == "" || strings.HasPrefix(tail, eol)) {
			head = strings.TrimSuffix(head, eol)
		}
		return []byte(head + tail), nil
	}
	if head != "" && !strings.HasSuffix(head, "\n") {
		head += eol
	}
	if head != "" && tail == "" && !blank {
		head += eol
	}
	text, err := tomlTable(path, entry)
	return []byte(head + strings.ReplaceAll(text, "\n", eol) + tail), err
}

// tomlTable is an httpEntry as Codex reads it.
func tomlTable(path []string, entry any) (string, error) {
	e, ok := entry.(httpEntry)
	if !ok {
		return "", fmt.Errorf("no form in TOML is known for %T", entry)
	}
	address, err := encoded(e.URL, "", "")
	if err != nil {
		return "", err
	}
	text := fmt.Sprintf("[%s]\nurl = %s\n", strings.Join(path, "."), address)
	if auth := e.Headers["Authorization"]; auth != "" {
		value, err := encoded(auth, "", "")
		if err != nil {
			return "", err
		}
		text += fmt.Sprintf("http_headers = { Authorization = %s }\n", value)
	}
	return text, nil
}

// lineAt is the number of the line at an offset.
func lineAt(doc []byte, at int) int { return bytes.Count(doc[:at], []byte("\n")) + 1 }

// tomlStatement is a table's header or a key with its value, whole lines.
type tomlStatement struct {
	start, end    int
	header, array bool
	path          []string
}

// tomlScanner finds where the statements of a TOML file begin and end. What
// values mean is not its business.
type tomlScanner struct {
	text string
	at   int
}

// scanTOML finds the statements. It refuses what it cannot follow.
func scanTOML(text string) (list []tomlStatement, err error) {
	s := &tomlScanner{text: text}
	if strings.HasPrefix(text, byteOrderMark) {
		s.at = len(byteOrderMark)
	}
	for s.blanks(); s.at < len(text); s.blanks() {
		start := max(strings.LastIndex(text[:s.at], "\n")+1, 0)
		st, err := s.statement()
		if err == nil {
			err = s.endOfLine()
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", lineAt([]byte(text), min(s.at, len(text))), err)
		}
		st.start, st.end = start, s.at
		list = append(list, st)
	}
	return list, nil
}

func (s *tomlScanner) rest() string { return s.text[s.at:] }

func (s *tomlScanner) has(mark string) bool {
	if !strings.HasPrefix(s.rest(), mark) {
		return false
	}
	s.at += len(mark)
	return true
}

// spaces passes over blanks in a line.
func (s *tomlScanner) spaces() { s.at = len(s.text) - len(strings.TrimLeft(s.rest(), " \t")) }

// blanks passes over blanks, line breaks and comments.
func (s *tomlScanner) blanks() {
	for {
		s.at = len(s.text) - len(strings.TrimLeft(s.rest(), " \t\r\n"))
		if !strings.HasPrefix(s.rest(), "#") {
			return
		}
		s.comment()
	}
}

// comment passes over what is left of the line, if that is a comment.
func (s *tomlScanner) comment() {
	if !strings.HasPrefix(s.rest(), "#") {
		return
	}
	if i := strings.IndexByte(s.rest(), '\n'); i >= 0 {
		s.at += i
	} else {
		s.at = len(s.text)
	}
}

func (s *tomlScanner) endOfLine() error {
	s.spaces()
	s.comment()
	if s.at < len(s.text) && !s.has("\n") && !s.has("\r\n") {
		return errors.New("there is more on the line than a key and its value")
	}
	return nil
}

func (s *tomlScanner) statement() (st tomlStatement, err error) {
	st.array = s.has("[[")
	st.header = st.array || s.has("[")
	if st.path, err = s.key(); err != nil {
		return st, err
	}
	switch {
	case st.array && !s.has("]]"), st.header && !st.array && !s.has("]"):
		return st, errors.New("the table's name does not end with a bracket")
	case !st.header && !s.has("="):
		return st, errors.New("a key has no value")
	case !st.header:
		return st, s.value(0)
	}
	return st, nil
}

// key reads a key, which may have several parts.
func (s *tomlScanner) key() (path []string, err error) {
	for {
		s.spaces()
		start := s.at
		switch {
		case strings.HasPrefix(s.rest(), `"`), strings.HasPrefix(s.rest(), "'"):
			if err := s.quoted(); err != nil {
				return nil, err
			}
			path = append(path, unquotedKey(s.text[start:s.at]))
		default:
			s.at = len(s.text) - len(strings.TrimLeftFunc(s.rest(), isBareKey))
			if s.at == start {
				return nil, errors.New("a key is missing")
			}
			path = append(path, s.text[start:s.at])
		}
		if s.spaces(); !s.has(".") {
			return path, nil
		}
	}
}

func isBareKey(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '_'
}

func unquotedKey(text string) (key string) {
	if text[0] == '"' && json.Unmarshal([]byte(text), &key) == nil {
		return key
	}
	return text[1 : len(text)-1]
}

// quoted passes over a string on one line.
func (s *tomlScanner) quoted() error {
	quote := s.text[s.at]
	for i := s.at + 1; i < len(s.text) && s.text[i] != '\n'; i++ {
		switch {
		case s.text[i] == quote:
			s.at = i + 1
			return nil
		case s.text[i] == '\\' && quote == '"':
			i++
		}
	}
	return errors.New("a string does not end")
}

// block passes over a string of several lines.
func (s *tomlScanner) block(mark string) error {
	for i := s.at; i < len(s.text); i++ {
		switch {
		case s.text[i] == '\\' && mark[0] == '"':
			i++
		case strings.HasPrefix(s.text[i:], mark):
			s.at = i + len(mark)
			for range 2 { // quotes that are its last characters
				s.has(mark[:1])
			}
			return nil
		}
	}
	return errors.New("a string of several lines does not end")
}

// bareTOML is a truth value, a number or a time.
var bareTOML = regexp.MustCompile(`^(true|false|[+-]?(inf|nan|[0-9][^ ]*( [0-9:.+-]*Z?)?)) *$`)

// deepTOML is how deep values may be nested.
const deepTOML = 100

func (s *tomlScanner) value(depth int) error {
	s.spaces()
	switch {
	case depth > deepTOML:
		return errors.New("values are nested too deep")
	case s.has(`"""`):
		return s.block(`"""`)
	case s.has("'''"):
		return s.block("'''")
	case strings.HasPrefix(s.rest(), `"`), strings.HasPrefix(s.rest(), "'"):
		return s.quoted()
	case s.has("["):
		return s.items("]", func() error { return s.value(depth + 1) })
	case s.has("{"):
		return s.items("}", func() error {
			if _, err := s.key(); err != nil {
				return err
			}
			if !s.has("=") {
				return errors.New("a key has no value")
			}
			return s.value(depth + 1)
		})
	}
	start := s.at
	s.at = len(s.text) - len(strings.TrimLeftFunc(s.rest(), func(r rune) bool { return isBareKey(r) || strings.ContainsRune("+.: ", r) }))
	if !bareTOML.MatchString(s.text[start:s.at]) {
		return errors.New("a value is missing, or is none of TOML's")
	}
	return nil
}

// items passes over what a bracket holds.
func (s *tomlScanner) items(end string, item func() error) error {
	for {
		if s.blanks(); s.has(end) {
			return nil
		}
		if err := item(); err != nil {
			return err
		}
		if s.blanks(); s.has(end) {
			return nil
		}
		if !s.has(",") {
			return errors.New("a list or an inline table does not end")
		}
	}
}
