package tera

import (
	"regexp"
	"slices"
	"strings"
)

// starts are what the script itself says of how it starts programs.
type starts struct {
	known     map[string]bool      // what startsProgram has found
	renamed   map[string]string    // other names of the functions that do
	modules   map[string]bool      // other names of the modules that those are in
	wrappers  map[string]int       // own functions that start what they are called with, and which argument that is
	lists     map[string]string    // names of lists that are arguments of a program, and the program if it is not in the list
	built     map[string][]element // what is in them so far
	constants map[string]string    // names of texts
}

var (
	renamedAs = regexp.MustCompile(`\b(\w+)\s+as\s+(\w+)`)
	renamedIn = regexp.MustCompile(`\{([^{}]*)\}\s*=\s*(?:await\s+)?[\w$]`)
	renamedTo = regexp.MustCompile(`\b(\w+)\s*:\s*(\w+)`)
	renamedIs = regexp.MustCompile(`(?m)\b(\w+)\s*:?=\s*(?:(?:\w+\.)?promisify\(\s*)?([\w.]+)\)?[ \t\r]*(?:;|$)`)
	// moduleAs is another name for a module that starts programs.
	moduleAs = regexp.MustCompile(`\b(?:subprocess|os|pty)\s+as\s+(\w+)|\b(\w+)\s*=\s*(?:await\s+)?(?:require|import)\(\s*['"](?:node:)?child_process['"]\s*\)|\bimport\s+(?:\*\s*as\s+)?(\w+)\s+from\s+['"](?:node:)?child_process['"]|\b(\w+)\s+"os/exec"`)
	// constantText is a name that is given a text which may be a program's name.
	constantText = regexp.MustCompile("(?m)\\b(\\w+)\\s*(?::\\s*\\w+\\s*)?:?=\\s*['\"`]([\\w./-]+)['\"`][ \\t\\r]*(?:;|$)")
	// handsName is a call with the name of what it starts, or of the arguments of that.
	handsName = regexp.MustCompile("([\\w.]+)\\(\\s*(?:ctx\\s*,\\s*|context\\.\\w+\\(\\)\\s*,\\s*)?(?:[\\[({]*(?:['\"`]([\\w./-]+)['\"`]|(\\w+))\\s*,\\s*)?(?:args\\s*=\\s*)?[\\[({]*(?:\\*|\\.\\.\\.)?\\s*(\\w+)")
	// namesItself are functions that a program's name is told twice.
	namesItself = regexp.MustCompile(`(^|\.)(exec[lv]p?e?|spawn[lv]p?e?|posix_spawnp?|StartProcess|ForkExec)$|^(syscall|unix)\.Exec$`)
)

// findStarts finds by which names the script starts programs, and what it hands to them.
func (c *coder) findStarts() {
	c.beginnings = starts{renamed: map[string]string{}, modules: map[string]bool{}, wrappers: map[string]int{}, lists: map[string]string{}, built: map[string][]element{}, constants: map[string]string{}}
	if !startsAny.MatchString(c.src) {
		return
	}
	for _, m := range moduleAs.FindAllStringSubmatch(c.src, -1) {
		c.beginnings.modules[m[1]+m[2]+m[3]+m[4]] = true
	}
	renames := renamedAs.FindAllStringSubmatch(c.src, -1)
	for _, m := range renamedIn.FindAllStringSubmatch(c.src, -1) {
		renames = append(renames, renamedTo.FindAllStringSubmatch(m[1], -1)...)
	}
	for _, m := range renames {
		for _, path := range []string{m[1], "subprocess." + m[1]} {
			if starting.MatchString(path) && (path == m[1] || c.starts) {
				c.beginnings.renamed[m[2]] = path
			}
		}
	}
	for _, m := range renamedIs.FindAllStringSubmatch(c.src, -1) {
		if c.startsProgram(m[2]) && m[1] != m[2] {
			c.beginnings.renamed[m[1]] = c.original(m[2])
		}
	}
	for _, m := range constantText.FindAllStringSubmatch(c.src, -1) {
		if known, ok := c.beginnings.constants[m[1]]; ok && known != m[2] {
			m[2] = ""
		}
		c.beginnings.constants[m[1]] = m[2]
	}
	c.beginnings.known = nil
	c.findWrappers()
	c.findLists()
}

// startsAny is what a script says that may start a program.
var startsAny = regexp.MustCompile(`subprocess|child_process|exec|spawn|Popen|StartProcess|check_`)

// startsProgram reports whether a function starts a program. Of one path it is asked
// once: a script may call the same function any number of times.
func (c *coder) startsProgram(path string) bool {
	known := &c.beginnings
	yes, ok := known.known[path]
	if !ok {
		yes = starting.MatchString(c.original(path)) || c.starts && (path == "run" || path == "call" || path == "spawn") && !c.namesakes[path]
		if known.known == nil {
			known.known = map[string]bool{}
		}
		known.known[path] = yes
	}
	return yes
}

// original is the path of a function by the name that it has without the script.
func (c *coder) original(path string) string {
	if name := c.beginnings.renamed[path]; name != "" {
		return name
	}
	if first := root(path); c.beginnings.modules[first] {
		return "subprocess" + path[len(first):]
	}
	return path
}

// wraps reports whether a function is one of the script's own that starts what it is
// called with.
func (c *coder) wraps(path string) bool {
	return c.beginnings.wrappers[strings.TrimPrefix(strings.TrimPrefix(path, "self."), "this.")] > 0
}

// findWrappers looks for own functions that start what they are called with.
func (c *coder) findWrappers() {
	lang := c.lang
	if lang == TypeScript {
		lang = JavaScript
	}
	if len(c.functions) == 0 {
		return
	}
	left := 1 << 20 // bytes to be looked at; no script of a person has as many in functions
	for _, m := range ownFunctions[lang].FindAllStringSubmatchIndex(c.src, -1) {
		group := func(i int) string {
			if m[2*i] < 0 {
				return ""
			}
			return c.src[m[2*i]:m[2*i+1]]
		}
		if name := group(1) + group(3); c.functions[name] != nil && left > 0 {
			body := lines(c.src[m[1]:])
			left -= len(body)
			c.findWrapper(name, group(2)+group(4), body)
		}
	}
}

// findWrapper looks for what an own function that takes these starts, in its lines.
func (c *coder) findWrapper(name, takes, body string) {
	at, param := 1, ""
	for part := range strings.SplitSeq(takes, ",") {
		if param = anyName.FindString(part); param == "ctx" {
			at++
		}
		if !slices.Contains([]string{"self", "cls", "this", "ctx", ""}, param) {
			break
		}
	}
	for _, m := range handsName.FindAllStringSubmatch(body, -1) {
		first := m[3]
		if m[2] == "" && first == "" {
			first = m[4]
		}
		if first == param && c.startsProgram(m[1]) {
			c.beginnings.wrappers[name] = at
			return
		}
	}
}

// lines are the rest of a line and those behind it that are further in.
func lines(rest string) string {
	const most = 2048
	rest = rest[:min(len(rest), most)]
	for i := 0; ; {
		n := strings.IndexByte(rest[i:], '\n')
		if n < 0 {
			return rest
		}
		if i += n + 1; i < len(rest) && strings.IndexByte(" \t\r\n)}]", rest[i]) < 0 {
			return rest[:i]
		}
	}
}

// findLists finds the names of lists that are handed to what starts programs.
func (c *coder) findLists() {
	for _, m := range handsName.FindAllStringSubmatch(c.src, -1) {
		if !c.startsProgram(m[1]) && !c.wraps(m[1]) {
			continue
		}
		if m[3] != "" { // a name comes first: of a program, or of a list
			if text := c.beginnings.constants[m[3]]; text != "" {
				m[2] = text
			} else {
				m[4] = m[3]
			}
		}
		c.beginnings.lists[m[4]] = m[2]
	}
}

// builds notes that a bracket holds arguments of a program that is started later by
// a list's name, and reports whether it does.
func (c *coder) builds(b *bracket) bool {
	name, more := last(b.outer.target), c.last == "=" && c.prior == "+"
	method := last(b.callee)
	switch {
	case b.sign == '(' && (method == "append" || method == "push" || method == "extend") && method != b.callee:
		name, more = last(strings.TrimSuffix(b.callee, "."+method)), true
	case b.sign == '(' && b.callee == "append" && c.lang == Go:
		more = true
	case b.sign == '[' && c.last == "=" && c.lang != Go, b.sign == '{' && c.lang == Go && c.last == "string" && c.prior == "]":
	default:
		return false
	}
	command, ok := c.beginnings.lists[name]
	if !ok && c.lang == Python && c.prior == "]" { // name: list[str] = […]
		name = b.outer.lead
		command, ok = c.beginnings.lists[name]
	}
	if !ok || slices.ContainsFunc(c.opens, func(b bracket) bool { return b.list != "" }) {
		return false
	}
	b.list = name
	b.args, c.args, c.arg = c.args, nil, element{}
	switch {
	case more:
		c.args = slices.Clone(c.beginnings.built[name])
	case command != "":
		c.args = []element{{text: command, known: true, some: true}}
	}
	return true
}

// built notes what is in a list that was read.
func (c *coder) built(b bracket) {
	if c.arg.some {
		c.args = append(c.args, c.arg)
	}
	c.beginnings.built[b.list] = c.args[:min(len(c.args), mostNames)]
}

// given are the arguments of a program, itself the first, of the call whose bracket
// has this number.
func (c *coder) given(call int) []element {
	args, path := c.args, c.original(c.opens[call].callee)
	skip := 0
	if second.MatchString(path) || c.beginnings.wrappers[path] == 2 {
		skip = 1
	}
	args = args[min(skip, len(args)):]
	if namesItself.MatchString(path) {
		if len(args) < 2 {
			return nil
		}
		args = append(args[:1:1], args[2:]...)
	}
	return args
}

// unchanging are functions of which an argument comes out as it was, or nearly.
var unchanging = strings.Fields("str String string fspath Path basename TrimSpace Trim ToLower ToUpper Sprint Clean which LookPath")

// passes reports whether the bracket that is opened calls such a function, with which
// an argument of a program begins.
func (c *coder) passes(b bracket) bool {
	n := len(c.opens) - 1
	if n < 0 || b.sign != '(' || !slices.Contains(unchanging, last(b.callee)) {
		return false
	}
	elements := c.opens[n].elements
	from := elements[len(elements)-1].at
	return from <= c.operand.at && strings.Trim(c.src[from:c.operand.at], " \t\r\n([{,") == ""
}
