package tera

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// protocol are the beginnings of lines that the server reads in what a script prints.
var protocol = []string{"OUTPUT:", "STATE:", "GLOBAL_STATE:"}

// mostWork bounds what is looked at for all places of a script together, which
// grows with the square of the values in a command.
const mostWork = 64 << 20

// breaks are the ways to write a line break for echo and printf to expand.
var breaks = regexp.MustCompile(`\\(n|r|0?1[25]|x0?[aAdD]|[uU]0*[aAdD])`)

const fixPrintf = `write printf '%s\n' {{ … }}`

// printed checks what a value would do to the text that a command prints, and
// rewrites it where it becomes a part of JSON that the server reads.
func (s *script) printed(p *place, d Dialect) (what, fix string) {
	p.plain = p.value.text
	word := p.word()
	if word == nil {
		return "", ""
	}
	if s.work > mostWork {
		return "there are too many or too long values in one command", "give them one by one, or in a file"
	}
	marked := s.ahead(word, p)
	if s.work > mostWork {
		return "there are too many values in one word", "hand them over in one: {{ list | join(sep=\" \") }}"
	}
	static := s.written(marked)
	var args []arg
	name, at, expands, unicode := "", 0, false, false
	if call, i := p.call(); call != nil {
		args, at = s.args(call), i
		for len(args) > 1 && at > 1 && (args[0].text == "command" || args[0].text == "builtin") {
			args, at = args[1:], at-1
		}
		name = program(args[0].text)
		expands, unicode = s.expands(args, at, d), s.expands(args, at, Bash)
	}
	if name == "echo" && s.known && !s.prints(args, at) {
		return "echo would read the value as an option", fixPrintf
	}
	if name == "echo" {
		static = s.echoed(args, at) + static
	}
	escapes := strings.Contains(marked, `\`) // two searches spared to most
	if expands && escapes && halfEscape.MatchString(marked) {
		return "a backslash before the value would swallow a part of it", fixPrintf
	}
	format := false
	if name == "printf" {
		i, _ := formatOf(args)
		format = at == i
	}
	if marked == s.words[word] { // the value is inside of ${…}
		ahead := s.src[int(word.Pos().Offset()):p.at]
		if (expands || format) && strings.Contains(ahead, `\`) || format && strings.Contains(ahead, "%") {
			return "a \\ or a % before the value inside ${…} would swallow a part of it", fixPrintf
		}
	}
	if (expands || format) && strings.Contains(static, `\`) {
		static = breaks.ReplaceAllString(static, "\n")
	}
	line, ok := protocolLine(static)
	if !ok && (name == "echo" || name == "printf" || p.catted()) && p.filed() {
		if line = static; name == "printf" {
			line = s.formattedTo(args, at) + line
		}
		ok, _ = inString(line)
	}
	if ok {
		if marked == s.words[word] {
			return "a value inside ${…} cannot be a part of what the server reads", `assign it first: NAME={{ … }}, then "$NAME"`
		}
		if (format || expands) && escapes {
			return "the backslash before the value may be expanded", fixPrintf
		}
		what, fix = s.output(p, line)
		if what == "" && (unicode && strings.Contains(p.plain, `\`) || format && strings.ContainsAny(p.plain, `%\`)) {
			return "this " + name + " would expand the escapes in the JSON", `write printf '%s\n' 'OUTPUT: …'`
		}
		return what, fix
	}
	if s.known && !harmless(p.node.x) && (forges(static[strings.LastIndexAny(static, "\n\r")+1:]+p.value.text+s.behind(word, p)) || s.completes(p)) {
		return forged, fixForged
	}
	if name == "printf" {
		if what, fix = s.formatting(p, args, at); what != "" {
			return what, fix
		}
	}
	if expands && strings.Contains(p.value.text, `\`) {
		return "this " + name + " would expand the backslash in the value", fixPrintf
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

// formattedTo is what printf prints of its format before args[at].
func (s *script) formattedTo(args []arg, at int) string {
	format, _ := formatOf(args)
	if at <= format {
		return ""
	}
	text := strings.ReplaceAll(s.filled(args[format].text), "%%", "  ")
	all := conversion.FindAllStringIndex(text, -1)
	if len(all) == 0 {
		return ""
	}
	return text[:all[(at-format-1)%len(all)][0]]
}

// filed reports whether what is printed at a place goes to the file that the
// server reads the step's output from.
func (p *place) filed() bool {
	for i := len(p.stack) - 2; i >= 0; i-- {
		switch n := p.stack[i].(type) {
		case *syntax.CmdSubst, *syntax.ProcSubst:
			return false
		case *syntax.BinaryCmd:
			if n.Op == syntax.Pipe && p.stack[i+1] == syntax.Node(n.X) && slices.Contains(expanded(n.Y), "STROEM_OUTPUT") {
				return true
			}
		case *syntax.Stmt:
			for _, r := range n.Redirs {
				if r.Hdoc == nil && slices.Contains(expanded(r), "STROEM_OUTPUT") {
					return true
				}
			}
		}
	}
	return false
}

// catted reports whether a place is in a here-document that is printed as it is.
func (p *place) catted() bool {
	for i, n := range p.stack {
		if s, ok := n.(*syntax.Stmt); ok && i+1 < len(p.stack) {
			call, isCall := s.Cmd.(*syntax.CallExpr)
			_, redirect := p.stack[i+1].(*syntax.Redirect)
			if isCall && redirect && len(call.Args) > 0 && (call.Args[0].Lit() == "cat" || call.Args[0].Lit() == "tee") {
				return true
			}
		}
	}
	return false
}

const (
	forged    = "the value has a line that the server would read as the step's output"
	fixForged = "pass it by env:, and write the step's output to the file $STROEM_OUTPUT, which no printed line changes"
)

// forges reports whether a line of a text would be read by the server if it were
// printed: it begins as one of the protocol and goes on as JSON does.
func forges(text string) bool {
	if !strings.Contains(text, "STATE:") && !strings.Contains(text, "OUTPUT:") {
		return false
	}
	for _, line := range strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' }) {
		rest, ok := protocolLine(line)
		if rest = strings.TrimSpace(rest); ok && (rest == "" || strings.IndexByte(`{["-0123456789`, rest[0]) >= 0 || rest == "true" || rest == "false" || rest == "null") {
			return true
		}
	}
	return false
}

// completes reports whether a value goes on where another value of the script may
// have begun such a line: T: {"a": 1}.
func (s *script) completes(p *place) bool {
	if len(s.places) < 2 || !strings.Contains(p.value.text, ":") {
		return false
	}
	line, _, _ := strings.Cut(p.value.text, "\n")
	begin, rest, _ := strings.Cut(line, ":")
	if !strings.HasSuffix("OUTPUT", begin) {
		return false
	}
	switch rest = strings.TrimSpace(rest); {
	case rest == "":
		return len(begin) > 1
	case begin == "":
		return strings.IndexByte(`{["`, rest[0]) >= 0 && json.Valid([]byte(rest))
	}
	return json.Valid([]byte(rest))
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
// and without what the shell expands.
func (s *script) ahead(w *syntax.Word, p *place) string {
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
	text, _, _ := strings.Cut(all, p.mark)
	s.work += len(all)
	return text
}

// behind is what is printed behind a value that may be the beginning of a line
// that the server reads.
func (s *script) behind(word *syntax.Word, p *place) string {
	if !strings.HasSuffix(p.value.text, "OUTPUT") && !strings.HasSuffix(p.value.text, "STATE") {
		return ""
	}
	_, text, _ := strings.Cut(s.words[word], p.mark)
	if call, at := p.call(); call != nil {
		for _, a := range s.args(call)[at+1:] {
			text += " " + a.text
		}
	}
	return s.filled(text)
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
		if a.fades {
			continue
		}
		if !strings.HasPrefix(text, "-") || text == "-" || strings.Trim(text[1:], "neE") != "" {
			return true
		}
	}
	return false
}

// echoed is what echo prints before the argument args[at].
func (s *script) echoed(args []arg, at int) string {
	var b strings.Builder
	options := true
	for _, a := range args[1:at] {
		text := s.written(a.text)
		if options && strings.HasPrefix(text, "-") && strings.Trim(text[1:], "neE") == "" {
			continue
		}
		options = false
		b.WriteString(text + " ")
	}
	return b.String()
}

// protocolLine returns the last line of a text when the server reads it, less
// its first word.
func protocolLine(text string) (rest string, ok bool) {
	line := strings.TrimLeft(text[strings.LastIndexAny(text, "\n\r")+1:], " \t")
	for _, prefix := range protocol {
		if rest, ok := strings.CutPrefix(line, prefix); ok {
			return rest, true
		}
	}
	return "", false
}

// output writes a value into JSON that the server reads: as a part of a string
// where it stands in one, else as JSON of its own.
func (s *script) output(p *place, before string) (what, fix string) {
	inside, half := inString(before)
	if half {
		return "a backslash of the JSON stands before the value", "take it out"
	}
	if !s.known {
		return "", ""
	}
	u, ok := p.node.x.(*use)
	if inside {
		p.plain = escapeJSON(p.value.text)
	} else if ok && u.def == filters["json_encode"] && !strings.Contains(p.value.text, "\n") {
		p.plain = unicodeOnly(p.value.text) // it is JSON already
	} else if p.plain, what = bareJSON(p.value.any); what != "" {
		return what, `put it in the quotes of a JSON string: OUTPUT: {"name": "{{ … }}"}`
	}
	return "", ""
}

// inString reports whether a JSON text ends inside a string, and whether it ends
// in half an escape there.
func inString(text string) (inside, half bool) {
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			inside = !inside
		case c == '\\' && inside:
			width := 2
			if i+1 < len(text) && text[i+1] == 'u' {
				width = 6
			}
			if i+width > len(text) {
				return true, true
			}
			i += width - 1
		}
	}
	return inside, false
}

// escapeJSON writes a text as the inside of a JSON string. It uses \u00XX alone:
// an echo may expand a backslash and a letter.
func escapeJSON(v string) string {
	var b strings.Builder
	for i := range len(v) {
		if c := v[i]; c < ' ' || c == '"' || c == '\\' || c == 0x7f {
			fmt.Fprintf(&b, `\u%04x`, c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// bareJSON writes a value that is no string as JSON on one line.
func bareJSON(v any) (s, what string) {
	switch v := v.(type) {
	case string:
		return "", "a string outside of the quotes of the JSON could be anything"
	case map[string]any, Vars, []any, nil, bool:
		p := printer{left: maxText}
		if p.json(v, "", 0); p.what != "" {
			return "", "the value cannot be written as JSON, for it " + p.what
		}
		return unicodeOnly(p.b.String()), ""
	default:
		return showNumber(v)
	}
}

// unicodeOnly turns the short escapes of a JSON text into \u00XX.
func unicodeOnly(raw string) string {
	var b strings.Builder
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			b.WriteByte(raw[i])
			continue
		}
		i++
		switch raw[i] {
		case 'u':
			b.WriteString(`\u`)
		case 'n':
			b.WriteString(`\u000a`)
		case 'r':
			b.WriteString(`\u000d`)
		case 't':
			b.WriteString(`\u0009`)
		case 'b':
			b.WriteString(`\u0008`)
		case 'f':
			b.WriteString(`\u000c`)
		default:
			fmt.Fprintf(&b, `\u%04x`, raw[i])
		}
	}
	return b.String()
}
