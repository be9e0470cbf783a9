package tera

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// mostWork bounds what is looked at for all places of a script together, which
// grows with the square of the values in a command.
const mostWork = 64 << 20

// breaks are the ways to write a line break for echo and printf to expand.
var breaks = regexp.MustCompile(`\\(n|r|0?1[25]|x0?[aAdD]|[uU]0*[aAdD])`)

const fixPrintf = `write printf '%s\n' {{ … }}`

// printed checks what a value would do to the text that a command prints, and
// rewrites it where it becomes a part of JSON that the server reads.
func (s *script) printed(p *place, d Dialect) (what, fix string) {
	p.plain, p.json = p.value.text, false
	word := p.word()
	if word == nil {
		return "", ""
	}
	w, what, fix := s.printing(p, word, d)
	if what != "" {
		return what, fix
	}
	if what, fix = s.halved(p, w); what != "" {
		return what, fix
	}
	line, read := protocolLine(w.text)
	if !read && (w.name == "echo" || w.name == "printf" || catted(p.stack)) && s.outputs && s.filed(p.stack) {
		line = s.formattedTo(w) + w.text
		read, _ = inString(line)
	}
	if read {
		return s.output(p, w, line)
	}
	if inside, _ := inString(s.formattedTo(w) + w.text); inside && strings.ContainsAny(p.value.text, unspoken) && s.joins() {
		return "the script puts lines together that the server reads, and the value would end a string in them", fixForged
	}
	if text := strings.TrimSpace(p.value.text); s.known && text != "" && strings.IndexByte("{[\"", text[0]) >= 0 && json.Valid([]byte(text)) && s.joins() {
		return "the script puts lines together that the server reads, and the value is JSON", fixForged
	}
	last := w.text[strings.LastIndexAny(w.text, "\n\r")+1:]
	if s.known && !harmless(p.node.x) && (within.MatchString(p.value.text) || forges(p.value.text) || forges(last+p.value.text+s.behind(word, p)) || s.completes(p)) {
		return forged, fixForged
	}
	if w.name == "printf" {
		if what, fix = s.formatting(p, w.args, w.at); what != "" {
			return what, fix
		}
	}
	if w.expands && strings.Contains(p.value.text, `\`) {
		return "this " + w.name + " would expand the backslash in the value", fixPrintf
	}
	return "", ""
}

// printing is how a command prints the word that a value stands in.
type printing struct {
	name    string // of the command; "" where the word is no argument of one
	args    []arg  // the command with its arguments
	at      int    // the word among them
	format  bool   // it is the format of printf
	expands bool   // the command expands the backslashes in it
	unicode bool   // \u00XX among them, which the echo of dash does not know
	ahead   string // what stands in the word before the value, with marks for other values
	inside  bool   // the value is inside of ${…}, and ahead is all the rest of the word
	text    string // what the command prints before the value
}

// printing tells how the word is printed, unless that is too much to look at.
func (s *script) printing(p *place, word *syntax.Word, d Dialect) (w printing, what, fix string) {
	if s.work > mostWork {
		return w, "there are too many or too long values in one command", "give them one by one, or in a file"
	}
	w.ahead, w.inside = s.ahead(word, p)
	if s.work > mostWork {
		return w, "there are too many values in one word", "hand them over in one: {{ list | join(sep=\" \") }}"
	}
	call, at := p.call()
	if call == nil {
		w.text = s.written(w.ahead)
		return w, "", ""
	}
	w.args, w.at = s.printer(s.args(call), at)
	w.name = program(w.args[0].text)
	w.expands, w.unicode = s.expands(w.args, w.at, d), s.expands(w.args, w.at, Bash)
	switch w.name {
	case "echo":
		if s.known && !s.prints(w.args, w.at) {
			return w, "echo would read the value as an option", fixPrintf
		}
		w.text = s.echoed(w.args, w.at)
	case "printf":
		format, _ := formatOf(w.args)
		w.format = w.at == format
	}
	w.text += w.ahead
	if (w.expands || w.format) && strings.Contains(w.text, `\`) { // before there are values in it, whose \u000a nothing expands
		w.text = breaks.ReplaceAllString(w.text, "\n")
	}
	w.text = s.written(w.text)
	return w, "", ""
}

// printer is the echo or the printf that a command runs, with the place of args[at] in
// it: behind wrappers and functions of the script, and under the name of a variable. Of
// another command it is all.
func (s *script) printer(args []arg, at int) ([]arg, int) {
	for _, c := range slices.Concat([][]arg{args}, s.forwarded(args, at)) {
		rest, to, _, ok := unwrap(c, at-(len(args)-len(c)))
		if !ok || to < 1 {
			continue
		}
		for _, words := range s.spellings(rest[0]) {
			if len(words) > 0 && (words[0] == "echo" || words[0] == "printf") {
				rest, to = slices.Concat(fixedArgs(rest[0].word, words), rest[1:]), to+len(words)-1
			}
		}
		if name := program(rest[0].text); name == "echo" || name == "printf" {
			return rest, to
		}
	}
	return args, at
}

// halved refuses a value that what stands before it would take a part of.
func (s *script) halved(p *place, w printing) (what, fix string) {
	if w.expands && strings.Contains(w.ahead, `\`) && halfEscape.MatchString(w.ahead) {
		return "a backslash before the value would swallow a part of it", fixPrintf
	}
	if w.inside {
		ahead := s.src[int(p.word().Pos().Offset()):p.at]
		if (w.expands || w.format) && strings.Contains(ahead, `\`) || w.format && strings.Contains(ahead, "%") {
			return "a \\ or a % before the value inside ${…} would swallow a part of it", fixPrintf
		}
	}
	return "", ""
}

// formatting checks a value in or behind the format of printf.
func (s *script) formatting(p *place, args []arg, at int) (what, fix string) {
	format, _ := formatOf(args)
	if at > format {
		for _, a := range args[format:at] {
			for _, line := range strings.Split(breaks.ReplaceAllString(a.text, "\n"), "\n") {
				if _, ok := protocolLine(line); ok {
					return "the value is printed into a line that the server reads", `write it into the line: printf '%s\n' 'OUTPUT: {"name": "{{ … }}"}'`
				}
			}
		}
		last := !slices.ContainsFunc(args[at+1:], func(a arg) bool { return a.mark >= 0 })
		if s.known && last && forges(s.formatted(args[format:])) {
			return forged, fixForged
		}
		return "", ""
	}
	if strings.ContainsAny(p.value.text, `%\`) {
		return `printf would expand the % or the \ in the value`, fixPrintf
	}
	if (args[at].mark < 0 || before(args[at]) == "") && strings.HasPrefix(p.value.text, "-") {
		return "printf would read the value as an option", fixPrintf
	}
	return "", ""
}

// conversion is one of printf's.
var conversion = regexp.MustCompile(`%[-+ #0-9.*]*[a-zA-Z]`)

// formattedTo is what printf prints of its format before an argument.
func (s *script) formattedTo(w printing) string {
	if w.name != "printf" || w.format {
		return ""
	}
	format, _ := formatOf(w.args)
	return beforeConversion(s.filled(w.args[format].text), w.at-format-1)
}

// formatted is what printf makes of a format of plain %s and its arguments.
func (s *script) formatted(args []arg) string {
	text := breaks.ReplaceAllString(args[0].text, "\n")
	for _, a := range args[1:] {
		text = strings.Replace(text, "%s", strings.ReplaceAll(s.written(a.text), "%", " "), 1)
	}
	return text
}

// word returns the outermost word that holds the place, inside the innermost
// list of commands.
func (p *place) word() (w *syntax.Word) {
	for i := len(p.stack) - 1; i >= 0; i-- {
		switch n := p.stack[i].(type) {
		case *syntax.Word:
			w = n
		case *syntax.Stmt:
			return w
		}
	}
	return w
}

// ahead is the text of a word before a place, with the marks of the values in it
// and without what the shell expands; all of it where the place is inside of that.
func (s *script) ahead(w *syntax.Word, p *place) (text string, inside bool) {
	all, ok := s.words[w]
	if !ok {
		var b strings.Builder
		for _, part := range pieces(w.Parts, false) {
			if part.node == nil {
				b.WriteString(part.read())
			}
		}
		if all = b.String(); s.words == nil {
			s.words = map[*syntax.Word]string{}
		}
		if strings.Count(all, p.stem()) > maxInWord {
			s.work += mostWork
		}
		s.words[w] = all
	}
	text, _, found := strings.Cut(all, p.mark)
	s.work += len(all)
	return text, !found
}

// written puts the values, as they are going to be written, where a text has marks.
func (s *script) written(text string) string {
	text = s.replace(text, func(p *place) string { return p.plain })
	s.work += len(text)
	return text
}

// prints reports whether echo prints args[at]: -n and its like are options of
// it, as long as all before them are.
func (s *script) prints(args []arg, at int) bool {
	for _, a := range args[1 : at+1] {
		text := s.filled(a.text)
		if a.fades { // it may be no argument, or what is printed
			if a.word == args[at].word {
				return true
			}
			continue
		}
		if !echoOption(text) {
			return true
		}
	}
	return false
}

// echoed is what echo prints before the argument args[at], with marks for values.
func (s *script) echoed(args []arg, at int) string {
	var b strings.Builder
	options := true
	for _, a := range args[1:at] {
		text := s.written(a.text)
		if options && echoOption(text) {
			continue
		}
		options = false
		b.WriteString(a.text + " ")
	}
	return b.String()
}
