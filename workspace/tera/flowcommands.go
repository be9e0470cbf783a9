package tera

import (
	"errors"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// command notes what a command reads as code: wherever the shell expands one of
// its arguments, what would be objected to if a value stood there itself.
func (f *flows) command(call *syntax.CallExpr) {
	args := f.s.args(call)
	for i, a := range args {
		if !a.static {
			f.argument(call, i)
		}
	}
	if args = lessBuiltin(args); len(args) == 0 {
		return
	}
	if f.facts.aliases[args[0].text] {
		f.runs(holder{inAlias, args[0].text}, args[0].word)
	}
	f.words(args)
	f.files(args)
	if _, code := codeOf(args); code > 0 {
		f.inner(args[code:])
	} else if name := args[0].text; (name == "eval" || name == "trap") && len(args) > 1 {
		f.inner(args[1:2])
	}
}

// argument notes how an argument that the shell expands is read.
func (f *flows) argument(call *syntax.CallExpr, at int) {
	args := f.s.args(call) // which counts as work
	if f.lost = f.lost || f.s.work > mostWork; f.lost {
		return
	}
	was, many := args[at], exposed(args[at].word)
	args[at] = standing(was)
	o, head := f.s.against(args, at)
	words, last := args, at
	if many { // an option may take the first word, but not the next
		words, last = slices.Insert(slices.Clone(args), at+1, nextWord(args[at])), at+1
	}
	by, read := readerOf(args, at), o != (objection{}) && (demands[o.want].form != nil || !spared(o, args, at))
	if many && (!read || demands[o.want].form != nil) && !listed("test [", args[head].text) { // of which retold knows more
		if second, _ := f.s.against(words, last); second != (objection{}) && !(o.what != "" && spared(second, words, last)) {
			o, read = second, true
		}
	}
	if demands[o.want].form != nil {
		by = byForm
	}
	chooses := args[at].mark > 0 && choosesOption(args[head].text, before(args[at]))
	if agent := f.s.t.options.ForbidRaw; o == (objection{}) && (args[at].mark == 0 || many || chooses) && (agent || !f.s.known) {
		by, read = byOptions, f.s.ownFunction(args[head]) == nil && (chooses || f.s.takenForOption(words[head:], last-head, "") != "")
		for _, inner := range f.s.forwarded(words[head:], last-head) {
			read = read || f.s.takenForOption(inner, last-(len(words)-len(inner)), "") != ""
		}
	}
	args[at] = was
	if !read {
		return
	}
	command := at <= head || at == len(args)-len(lessBuiltin(args))
	for _, h := range f.holders(was.word) {
		if command && h.kind == inVariable && (h.name == "@" || h.name == "*") && onlyPlainly(was.word, "$"+h.name) {
			h = holder{kind: inFirst}
		}
		f.reads[h] = append(f.reads[h], reading{node: was.word, by: by, call: call, want: o.want, many: many, names: chooses, runs: command && o.what != ""})
	}
}

// exposed reports whether an expansion stands in a word outside of quotes.
func exposed(w *syntax.Word) bool {
	return slices.ContainsFunc(pieces(w.Parts, false), func(p piece) bool { return p.node != nil && !p.quoted && !counts(p.node) })
}

// standing is an argument that the shell expands as it would be if a value stood
// where its first expansion does.
func standing(a arg) arg {
	var b strings.Builder
	stands := arg{word: a.word, mark: -1, whole: true}
	for _, p := range pieces(a.word.Parts, false) {
		switch {
		case p.node == nil:
			b.WriteString(p.read())
			stands.whole = stands.whole && p.text == ""
		case stands.mark < 0:
			stands.mark = b.Len()
			b.WriteString(anyValue)
		default:
			stands.whole = false
		}
	}
	stands.text = b.String()
	return stands
}

// readerOf tells who reads an argument to which there is an objection.
func readerOf(args []arg, at int) reader {
	rest := lessBuiltin(args)
	at -= len(args) - len(rest)
	if _, code := codeOf(rest); at <= 0 || at == code {
		return byShell
	}
	head := slices.IndexFunc(rest[:at], func(a arg) bool { return !a.fades })
	if head < 0 {
		return byShell
	}
	if t := known(rest[head].text); t.own() && t.rule != nil { // it is this shell that runs what is there
		return byShell
	}
	return byProgram
}

// codeOf is where a shell stands among the arguments, and the code of its -c; 0
// where there is none.
func codeOf(args []arg) (shell, code int) {
	for i, a := range args {
		if !a.static {
			continue
		}
		users := listed("su runuser flock", program(a.text)) // whose -c comes behind a name as well
		if !users && !slices.Contains(shells, program(a.text)) {
			continue
		}
		for j := i + 1; j+1 < len(args) && (users || strings.HasPrefix(args[j].text, "-")); j++ {
			switch text := args[j].text; {
			case strings.HasPrefix(text, "--") || !strings.HasPrefix(text, "-"):
			case strings.Contains(text, "c"):
				return i, j + 1
			case strings.ContainsAny(text, "oO"):
				j++
			}
		}
	}
	return 0, 0
}

// handedOver reports whether args[at] comes behind the fixed code of a shell, to which
// it is $1 or another argument.
func handedOver(args []arg, shell, code, at int) bool {
	return code > 0 && code < at && args[code].static && listed("sh bash dash ash", program(args[shell].text))
}

// spared reports whether an objection to a value does not hold for what a variable
// brings: it is about the value's quotes or about printing, or flows know better.
func spared(o objection, args []arg, at int) bool {
	rest, at, _, ok := unwrap(args, at)
	if !ok || at < 1 {
		return false
	}
	last, name := rest[at-1], program(rest[0].text)
	if lang, ok := languages[name]; ok && o.again { // behind a program is its data, but perl -n may run the name of a file
		loops := name == "perl" && slices.ContainsFunc(rest[1:at], func(a arg) bool { return strings.HasPrefix(a.text, "-") && strings.ContainsAny(a.text, "np") })
		return !loops && at > 2 && last.static && last.text != lang.word && !strings.HasPrefix(last.text, "-")
	}
	switch name {
	case "awk", "sed":
		return !programAt(rest, at)
	case "printf":
		format, ok := formatOf(rest)
		return ok && at == format // see retold
	case "set":
		return o == parametric(rest, at) && slices.ContainsFunc(rest[1:at], func(a arg) bool { // behind it there are no options
			return a.text == "--" || !a.fades && a.text != "" && strings.IndexByte("-+", a.text[0]) < 0
		}) // see handed
	case "test", "[":
		named := last.text == "-v" || last.text == "-R"
		next := at+1 < len(rest) && !rest[at+1].static
		return !named && !several(rest[at].word) && (last.static || at == 1) && !next // an operator is no code, but -v and a name
	}
	return false
}

// programAt reports whether args[at] holds a program of awk or sed, or names the
// file that has it, and not data.
func programAt(args []arg, at int) bool {
	taking := "vFfesil" // the options that something follows; behind e, f and s a program
	if program(args[0].text) == "sed" {
		taking = "efl"
	}
	given, operands := false, 0
	for i := 1; i <= at; i++ {
		option, joined := byte(0), false
		switch text := args[i].text; {
		case args[i].fades:
			continue
		case strings.HasPrefix(text, "--"):
			option, joined = (text + " ")[2], strings.Contains(text, "=")
		case strings.HasPrefix(text, "-") && text != "-":
			if k := strings.IndexAny(text[1:], taking); k >= 0 {
				option, joined = text[k+1], k+2 < len(text)
			}
		case i == at:
			return !given && operands == 0
		default:
			operands++
		}
		if option == 0 || strings.IndexByte(taking, option) < 0 {
			continue
		}
		reads := strings.IndexByte("efs", option) >= 0 && !strings.HasPrefix(args[i].text, "--fie") // --field-separator
		if i == at || !joined && i+1 == at {
			return reads
		}
		given = given || reads
		if !joined {
			i++
		}
	}
	return true
}

// words notes what of a command's own words the shell reads: names in what it
// computes, and in the subscripts of the names that a command takes.
func (f *flows) words(args []arg) {
	name := args[0].text
	for i, a := range args[1:] {
		switch name {
		case "let":
			f.number(a.word)
		case "unset", "wait", "read", "mapfile", "readarray", "declare", "typeset", "local", "export", "readonly":
			f.subscript(a.word)
		case "printf", "test", "[":
			if last := args[i].text; last == "-v" || last == "-R" {
				f.subscript(a.word)
			}
		}
	}
}

// files notes the files that a command runs: it is one, or an argument is that
// could not be a value for that reason.
func (f *flows) files(args []arg) {
	inner, _, _, _ := unwrap(args, len(args))
	for _, command := range [][]arg{args, inner} {
		if len(command) > 0 && (strings.Contains(command[0].text, "/") || !command[0].static) {
			f.runs(file(command[0].word), command[0].word)
		}
	}
	if args = inner; len(args) == 0 {
		return
	}
	name := program(args[0].text)
	if name == "make" { // which expands its environment
		for v := range f.sets {
			if f.facts.exported[v] || f.facts.exported[""] {
				h := variableNamed(v)
				f.reads[h] = append(f.reads[h], reading{node: args[0].word, by: byForm, want: aWord})
			}
		}
	}
	if !f.facts.files {
		return
	}
	for i, a := range args[1:] {
		if runsFile(name, args, i+1) {
			f.runs(file(a.word), a.word)
		}
		if args[i].text == "-m" && interpreter(name) {
			f.runs(holder{inFile, strings.ReplaceAll(a.text, ".", "/") + ".py"}, a.word)
		}
	}
}

// runsFile reports whether a command runs the file args[at].
func runsFile(name string, args []arg, at int) bool {
	switch name {
	case "source", ".":
		return at == 1
	case "chmod": // it is made a program
		return at > 1 && strings.ContainsAny(args[1].text, "x1357")
	case "crontab":
		return true
	case "make", "awk", "sed", "psql", "at", "jq", "gnuplot":
		return args[at-1].text == "-f"
	}
	if !interpreter(name) {
		return false
	}
	rule, _ := rulingOf(name)
	o := rule(args, at)
	return o != (objection{}) && !o.again
}

// inner notes what the code of a sh -c or an eval reads of the variables around
// it, and of the arguments behind it.
func (f *flows) inner(args []arg) {
	if !args[0].static {
		return
	}
	var code *syntax.File
	err := errors.New("too large")
	if !tooLarge(args[0].text) {
		code, err = parseShell(args[0].text, syntax.LangBash)
	}
	if err != nil {
		for _, a := range args[1:] {
			f.read(a.word, byProgram) // nobody knows what becomes of them
		}
		return
	}
	g := (&script{t: f.s.t, src: args[0].text, files: []*syntax.File{code}, work: f.s.work}).flows()
	f.s.work, f.lost = g.s.work, f.lost || g.lost
	for n, to := range g.goes {
		f.goes[n] = to
	}
	for h, to := range g.passes {
		f.passes[h] = append(f.passes[h], to...)
	}
	for h, list := range g.reads {
		for _, r := range list {
			f.reads[h] = append(f.reads[h], reading{node: args[0].word, by: r.by, many: r.many})
		}
	}
	if f.facts.shifts = f.facts.shifts || g.facts.shifts; len(args) > 1 {
		f.move(args[1].word, variableNamed("0"))
		f.handed(args[1:], false)
	}
}
