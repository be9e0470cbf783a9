package tera

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

// carrier is what values get into: a name, whatever it names; a statement; what an
// own function of the script is called with. What it is made of may be known only
// later, so that nothing is said of it before the whole script is read.
type carrier struct {
	value int  // its number, of one that is a value itself; else -1
	list  bool // of a function that takes any number of them
	from  []carried
	told  [begunLine + 1]bool
	sunk  [begunLine + 1]bool // a sink asks for it
}

// carried is a part of what a carrier is made of.
type carried struct {
	what *carrier
	at   whereabouts
	made bool // by a function that may make anything of it
}

// whereabouts is where in a carrier a part of it stands, or has to for it to matter.
type whereabouts int

const (
	somewhere   whereabouts = iota
	firstWord               // nothing before it ends a word
	beginning               // nothing is before it
	printedLine             // asked for alone: somewhere, and as the text that it was
	begunLine               // the same, where a line is not yet said to be one that the server reads
)

func (n *carrier) add(part *carrier, at whereabouts, made bool) {
	n.from = append(n.from, carried{part, at, made})
}

// values visits the values that get into a carrier, each once for each whereabouts.
func (n *carrier) values(at whereabouts, visit func(int)) {
	for left := []*carrier{n}; len(left) > 0; {
		n, left = left[len(left)-1], left[:len(left)-1]
		if n.told[at] {
			continue
		}
		if n.told[at] = true; n.value >= 0 {
			visit(n.value)
		}
		for _, part := range n.from {
			if printed := at >= printedLine; printed && !part.made || !printed && part.at >= at {
				left = append(left, part.what)
			}
		}
	}
}

// sink is where a name is handed to what reads it as more than a text.
type sink struct {
	from *carrier
	at   whereabouts
	mend func(*spot)
}

// routes is what is known of where values go.
type routes struct {
	names     map[string]*carrier
	functions map[string]*carrier // what the script's own are called with
	namesakes map[string]bool     // those of them that are named like what hands commands to a shell, and are not that
	function  string              // the one that was begun last
	commands  map[string]bool     // names of commands, in go
	inputs    map[string]bool     // names of what programs read
	sinks     []sink
	params    []*carrier // the names in the brackets that were shut last
}

// says makes an objection of what is said of a carrier.
func (f *routes) says(n *carrier, at whereabouts, what, fix string) {
	f.sinkOf(n, at, func(sp *spot) {
		if sp.again == nil {
			sp.again = &objection{what: what, fix: fix}
		}
	})
}

// sinkOf notes a sink of a carrier, of which the first of its kind counts.
func (f *routes) sinkOf(n *carrier, at whereabouts, mend func(*spot)) {
	if !n.sunk[at] {
		n.sunk[at] = true
		f.sinks = append(f.sinks, sink{n, at, mend})
	}
}

// settle tells the values what was found of the names that they get into.
func (c *coder) settle() {
	for _, s := range c.sinks {
		s.from.values(s.at, func(i int) {
			if sp := &c.spots[i]; sp.what == "" && sp.kind != inNote {
				s.mend(sp)
			}
		})
	}
}

// name is the carrier of a name. Scopes are not told apart.
func (f *routes) name(word string) *carrier {
	n := f.names[word]
	if n == nil {
		n = &carrier{value: -1}
		if f.names == nil {
			f.names = map[string]*carrier{}
		}
		f.names[word] = n
	}
	return n
}

// holds is the carrier of the statement being read.
func (c *coder) holds() *carrier {
	if c.now.node == nil {
		c.now.node = &carrier{value: -1}
	}
	return c.now.node
}

// ownFunctions are definitions of functions, with the names of what they take.
var ownFunctions = map[Language]*regexp.Regexp{
	Python:     regexp.MustCompile(`\bdef\s+(\w+)\s*\(([^()]*)|(\w+)\s*=\s*lambda\s+([^:\n]*):`),
	JavaScript: regexp.MustCompile(`(\w+)\s*\(([^()]*)\)\s*(?::[^{};()]*)?\{|(\w+)\s*=\s*(?:async\s*)?(?:function\s*\w*\s*)?(?:<[^<>()]*>\s*)?(\([^()]*\)|[\w\s,:={}.]*)\s*(?::[^=;{}()]*)?(?:=>|\{)`),
	Go:         regexp.MustCompile(`\bfunc\s+(?:\([^()]*\)\s*)?(\w+)\(([^()]*)|(\w+)\s*:?=\s*func\(([^()]*)`),
}

// defining are what each of them has.
var defining = map[Language][]string{Python: {"def", "lambda"}, JavaScript: {") {", "){", "=>", "function", "):"}, Go: {"func"}}

// anyText is a literal among what a function takes.
var anyText = regexp.MustCompile(`'[^'\n]*'|"[^"\n]*"`)

var anyName = regexp.MustCompile(`[A-Za-z_]\w*`)

// importing are lines that bring names from elsewhere.
var importing = regexp.MustCompile(`.*\b(import|require)\b.*`)

// define finds the script's own functions: what one is called with gets into
// each of the names that it takes.
func (c *coder) define() {
	lang := c.lang
	if lang == TypeScript {
		lang = JavaScript
	}
	c.findInputs()
	c.namesakes = map[string]bool{}
	c.functions, c.commands = map[string]*carrier{}, map[string]bool{}
	if c.lang == Go {
		for _, m := range startedCommand.FindAllStringSubmatch(c.src, -1) {
			c.commands[m[1]] = true
		}
	}
	if !slices.ContainsFunc(defining[lang], func(word string) bool { return strings.Contains(c.src, word) }) {
		return
	}
	imports := strings.Join(importing.FindAllString(c.src, -1), " ")
	for _, m := range ownFunctions[lang].FindAllStringSubmatch(c.src, -1) {
		name, takes := m[1]+m[3], anyText.ReplaceAllString(m[2]+m[4], " ")
		if slices.Contains(nameless, name) {
			continue
		}
		if c.functions[name] == nil {
			c.namesakes[name] = slices.Contains(shellers, name) && !slices.Contains(anyName.FindAllString(imports, -1), name)
			c.functions[name] = &carrier{value: -1, list: strings.ContainsAny(takes, "*.")}
		}
		for _, p := range anyName.FindAllString(takes, -1) {
			if !slices.Contains(nameless, p) {
				c.name(p).add(c.functions[name], beginning, false)
			}
		}
	}
}

// nameless are words that name nothing which a value gets into.
var nameless = strings.Fields(`for const let var in of if elif else while return await async not and or is new typeof func function def
	lambda class import from as with try catch switch range string int bool error str self this cls None True False null undefined true false nil map any len print`)

// assign is for what stands before a = or the in of a loop: all names there are
// given what the statement holds.
func (c *coder) assign(names []*carrier) {
	for _, n := range names {
		n.add(c.holds(), beginning, false)
	}
	c.arg, c.now.names = element{}, nil
}

// gives reports whether a = at the cursor gives something to a name, and not to a
// parameter in a call.
func (c *coder) gives() bool {
	n := len(c.opens) - 1
	return n < 0 || c.opens[n].sign != '(' || c.opens[n].callee == "" || slices.Contains(nameless, c.opens[n].callee)
}

// adding are methods that put what they are given into what they belong to.
var adding = strings.Fields("append appendleft extend insert add push unshift splice put set update setdefault write WriteString Set Add")

// streams are what such a method prints to.
var streams = []string{"stdout", "stderr", "stdin", "console", "log", "logger", "logging", "res", "response", "path"}

// takes finds what a call puts its arguments into, besides the statement.
func (c *coder) takes(b *bracket) {
	if b.callee == "" || b.sign != '(' {
		return
	}
	method := last(b.callee)
	owner := last(strings.TrimSuffix(b.callee, "."+method))
	if owner != method && slices.Contains(adding, method) && !slices.Contains(streams, owner) {
		b.into, b.adds = c.name(owner), true
	} else if !b.starts || b.soft || !strings.Contains(b.callee, ".") {
		b.into = c.functions[method]
	}
	if b.into == nil {
		return
	}
	for _, outer := range slices.Backward(c.opens) {
		if outer.into != nil {
			outer.into.add(b.into, somewhere, false)
			return
		}
	}
}

// texts are functions whose result is still the text that they are given, or
// which print it.
var texts = strings.Fields(`print log info error write Println Printf Print Fprintf Fprintln Sprintf Sprint Sprintln format join str String strip trim dedent
	concat replace upper lower title repeat encode decode toString puts WriteString Join TrimSpace split Fields`)

// tamed are functions that leave nothing of a value that is more than a text; the
// last of them for a shell, which is what commands are handed to.
var tamed = strings.Fields("int float len Number parseInt Atoi quote")

// stands is where a value or a name that comes behind a text stands in what began
// with the bracket of this number.
func (c *coder) stands(from int, before string) (at whereabouts, made bool) {
	at = beginning
	if before = before[max(0, len(before)-256):]; c.arg.known {
		before = c.arg.text + before
	}
	switch {
	case c.arg.some && !c.arg.known && !strings.Contains("([{,=:", c.last), strings.ContainsAny(before, " \t\n"):
		at = somewhere
	case before != "":
		at = firstWord
	}
	for _, b := range c.opens[min(from, len(c.opens)):] {
		if b.sign != '{' && len(b.elements) > 1 || b.before == "+" {
			at = somewhere
		}
		made = made || b.sign == '(' && b.callee != "" && b.into == nil && !slices.Contains(texts, last(b.callee))
	}
	return at, made
}

// tames reports whether what stands here, up to end, is made harmless before anything reads it.
func (c *coder) tames(end int) bool {
	return strings.HasPrefix(c.src[end:], ".length") || slices.ContainsFunc(c.opens, func(b bracket) bool {
		return b.sign == '(' && slices.Contains(tamed, last(b.callee)) && (last(b.callee) != "quote" || !c.quotedAgain(c.now.target))
	})
}

// quotedAgain reports whether a name, given a text that is quoted for a shell, stands
// in quotes of a command, which undo that.
func (c *coder) quotedAgain(name string) bool {
	if c.lang != Python || name == "" || !anyName.MatchString(name) || c.s.work > mostWork {
		return false
	}
	c.s.work += len(c.src)
	field := "[{]" + regexp.QuoteMeta(name) + "[}]"
	return regexp.MustCompile(`(system|popen|run|call|output|Popen)\(.*([^fFrRbB]['"]` + field + `['"]|-c ['"][^'"\n]*` + field + ")").MatchString(c.src)
}

// carry notes that a value or a name, behind a text, is a part of what is being read.
func (c *coder) carry(n *carrier, before string) {
	at, made := c.stands(c.now.depth, before)
	c.holds().add(n, at, made)
	for i, b := range slices.Backward(c.opens) {
		if b.into == nil {
			continue
		}
		from := i + 1
		if b.into.list {
			from = i
		}
		if at, made = c.stands(from, before); b.adds {
			at = somewhere
		}
		b.into.add(n, at, made)
		return // what is around it takes it from there
	}
}

// mostNames is how many names of one statement are remembered.
const mostNames = 64

// mentioned is for a name in the code, behind a text.
func (c *coder) mentioned(word, before string, member bool) {
	lead := c.now.lead
	if slices.Contains(nameless, word) || lead == "import" && len(c.opens) == 0 || lead == "from" && c.lang == Python {
		return
	}
	n := c.name(word)
	if k := len(c.now.names); member && k > 0 {
		c.now.names[k-1] = n
	} else if k < mostNames {
		c.now.names = append(c.now.names, n)
	}
	if c.tames(c.at) {
		return
	}
	c.carry(n, before)
	c.handed(n, word, before)
}

// handed looks at what would read a name as more than a text where it stands.
func (c *coder) handed(n *carrier, word, before string) {
	if len(c.opens) == 0 && c.now.target == "" && c.now.evals == "" {
		return
	}
	about := word + ", which the value gets into: "
	c.lined(n, word)
	what := cmp.Or(c.evaluator(), c.fed(), c.sets(before), c.chooses(), c.doubtful())
	if what != "" {
		c.says(n, somewhere, about+what, fixInput)
		return
	}
	call, arg := c.starter(before)
	switch {
	case call < 0:
	case (arg.known || !arg.some) && !c.opens[call].soft && c.first(call) && !strings.ContainsAny(arg.text, " \t\n"):
		c.says(n, firstWord, about+"it cannot choose what "+last(c.opens[call].callee)+"(…) starts", fixInput)
	default:
		c.asked(n, about, arg, c.given(call))
	}
}

// asked asks the rules of commands about a name among the arguments of a program.
func (c *coder) asked(n *carrier, about string, arg element, given []element) {
	p := c.s.places[0]
	arg.add(p.mark, true)
	o, option := c.asks(given, arg, "")
	switch {
	case o == nil:
	case o.again:
		c.says(n, somewhere, about+o.what, o.fix)
	default: // of a list it is the first that stands here
		c.says(n, firstWord, about+o.what, o.fix)
	}
	if option != "" {
		c.sinkOf(n, beginning, func(sp *spot) { sp.option = option })
	}
}

// lined notes that a name stands in a line that the server reads.
func (c *coder) lined(n *carrier, word string) {
	if !c.outputs {
		return
	}
	if begun := c.begins(); begun != "" {
		c.sinkOf(n, begunLine, func(sp *spot) { sp.begun = begun })
	}
	_, ok := protocolLine(c.now.said)
	if _, made := c.stands(c.now.depth, ""); made || !ok && c.now.filled == "" || c.makes() {
		return
	}
	c.sinkOf(n, printedLine, func(sp *spot) { sp.lined = word })
}
