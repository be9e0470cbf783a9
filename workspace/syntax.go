package workspace

import (
	"errors"
	"io"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"
)

// parse reads the one YAML document of a file. A nil node with nothing
// reported is an empty file.
func (r *reader) parse() *yaml.Node {
	if at, what, fix := r.src.unreadable(); what != "" {
		r.out.fail(at, what, fix)
		return nil
	}
	if _, over := marks(r.src.text); over >= 0 {
		r.out.fail(r.src.pos(over, 1), "the file holds too many values", "split it into several files")
		return nil
	}
	loader, err := yaml.NewLoader(strings.NewReader(r.src.text), yaml.WithPlugin(loaderlimits.New(loaderlimits.DepthValue(maxDepth))))
	if err != nil {
		r.out.fail(Pos{File: r.src.name, Line: 1}, err.Error(), "")
		return nil
	}
	var docs []*yaml.Node
	for {
		doc := new(yaml.Node)
		err := loader.Load(doc)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			r.syntax(err)
			return nil
		}
		if len(docs) < 2 && doc.Kind == yaml.DocumentNode && len(doc.Content) > 0 && !null(doc.Content[0]) {
			docs = append(docs, doc)
		}
	}
	switch {
	case len(docs) == 0:
		return nil
	case len(docs) > 1 && (ours(docs[0]) || ours(docs[1])):
		r.out.fail(r.at(docs[1]), "the file holds more than one document", `put what follows "---" in a file of its own`)
	}
	return docs[0].Content[0]
}

// ours reports whether a document has a key of a workflow file.
func ours(doc *yaml.Node) bool {
	if m := doc.Content[0]; m.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(m.Content); i += 2 {
			if topKeys[m.Content[i].Value] {
				return true
			}
		}
	}
	return false
}

// hints turns the parser's words, by a part of them, into a sentence that
// says what to do.
var hints = []struct{ part, what, fix string }{
	{"tab character", "a tab is used to indent", "indent with spaces"},
	{"mapping values are not allowed", `a second ": " stands on this line, or the line is indented wrongly`, "put a text that holds \": \" in quotes"},
	{"did not find expected key", "this line does not fit the lines before it", "check its indentation and its quotes"},
	{"did not find expected '-'", "this line does not fit the list before it", "check its indentation"},
	{"expected ',' or ']'", `a list that began with "[" goes on here as no list can`, `end it with "]", or put a "," between its values`},
	{"expected ',' or '}'", `a map that began with "{" goes on here as no map can`, `end it with "}", or put a text that begins with "{" in quotes`},
	{"cannot start any token", "this character cannot begin a text", "put the text in quotes"},
	{"could not find expected ':'", `this line is no "key: value"`, `put ": " after the key, or indent the line if it goes on with the text above`},
	{"unexpected end of stream", "the file ends within quotes", "end the text with the quote that it began with"},
	{"unknown escape", `this escape does not exist in double quotes`, `write \\ for a \, or use single quotes`},
	{"exceeded max depth", "values stand too deep within each other", "flatten them"},
	{"unknown anchor", "no & names what this * repeats", "write out what is meant, or put a text that begins with * in quotes"},
	{"unexpected document indicator", `"---" or "..." stands within quotes`, "end the text with the quote that it began with"},
}

// bareTemplate finds a value that begins with a template and has no quotes.
var bareTemplate = regexp.MustCompile(`^\s*(?:- +)*(?:[^\s"'#:][^"'#:]*: +)?(?:- +)*\{\{`)

// syntax reports what the YAML parser could not read.
func (r *reader) syntax(err error) {
	at := Pos{File: r.src.name, Line: 1}
	var load *yaml.LoadError
	if !errors.As(err, &load) {
		r.out.fail(at, "the file is not YAML: "+cut(err.Error()), "")
		return
	}
	mark, context := load.Mark, load.ContextMark
	if strings.Contains(load.Message, "unexpected end of stream") || strings.Contains(load.Message, "could not find expected ':'") {
		mark = context // the place to look is where it began
	}
	if mark.Line > 0 {
		at.Line, at.Column = mark.Line, max(mark.Column, 1)
	}
	if strings.HasPrefix(strings.TrimLeft(r.src.line(mark.Line), " "), "\t") {
		r.out.fail(Pos{r.src.name, mark.Line, 1}, "a tab is used to indent", "indent with spaces")
		return
	}
	for _, line := range []int{mark.Line, mark.Line - 1, context.Line} {
		if text := r.src.line(line); bareTemplate.MatchString(text) {
			column := len([]rune(text[:strings.Index(text, "{{")])) + 1
			r.out.fail(Pos{r.src.name, line, column}, "YAML reads this template as a map", `quote the template, with all of its line: "{{ … }} …"`)
			return
		}
	}
	for _, h := range hints {
		if strings.Contains(load.Message, h.part) {
			r.out.fail(at, h.what, h.fix)
			return
		}
	}
	r.out.fail(at, "the file is not YAML: "+cut(load.Message), "")
}

// cut shortens a message that may repeat a long text of the author's.
func cut(s string) string {
	if n := cutAt(s, 200); n < len(s) {
		return s[:n] + "…"
	}
	return s
}
