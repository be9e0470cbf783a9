package tera

import (
	"regexp"
	"slices"
	"strings"
)

// runners are functions that read a text as code, as a command or as the name of
// a module; shellers do so if the script says shellWord, and loaders, which make
// objects of it, if a python script says loadWord.
var (
	runners = map[Language][]string{
		Python: {"eval", "exec", "compile", "__import__", "import_module", "system", "popen", "getoutput", "getstatusoutput", "create_subprocess_shell", "spec_from_file_location", "run_path", "run_module", "literal", "unsafe_load", "timeit", "sympify", "exec_command",
			"Unpickler", "runsource", "runcode", "runctx", "runeval", "run_docstring_examples", "SourceFileLoader", "SourcelessFileLoader", "ExtensionFileLoader", "zipimporter", "CDLL", "LoadLibrary", "methodcaller", "c2py", "resolve_name"},
		JavaScript: {"eval", "Function", "exec", "execSync", "require", "import", "runInContext", "runInNewContext", "runInThisContext", "Script", "$", "Worker",
			"createRequire", "setTimeout", "setInterval", "fork", "compileFunction", "_compile", "execaCommand", "execaCommandSync",
			"_load", "createRequire()", "setupPrimary", "setupMaster", "SourceTextModule", "dlopen"},
	}
	shellers = []string{"run", "call", "check_call", "check_output", "Popen", "spawn", "spawnSync", "execFile", "execFileSync", "Command", "CommandContext", "execv", "execve", "execvp", "execvpe", "execl", "execle", "execlp", "execlpe",
		"spawnv", "spawnve", "spawnvp", "spawnvpe", "spawnl", "spawnle", "spawnlp", "spawnlpe", "posix_spawn", "posix_spawnp", "create_subprocess_exec", "execa", "execaSync", "Cmd", "StartProcess", "ForkExec"}
	loaders  = []string{"load", "loads", "load_all", "read_pickle"}
	loadWord = regexp.MustCompile(`\b(pickle|cPickle|dill|cloudpickle|jsonpickle|joblib|marshal|shelve|torch|read_pickle)\b|` + unsafeLoader.String())
	// unsafeLoader is a class of yaml's that makes any object, and no name of an argument.
	unsafeLoader = regexp.MustCompile(`(?m)\b(Unsafe|Full|C)?Loader\b[ \t]*([^ \t=]|$)`)
	shellWord    = regexp.MustCompile(`\bshell\b|\bSHELL\b`)
	ownProgram   = regexp.MustCompile(`\b(process\.(execPath|argv)|sys\.executable)`)
	// codeWord is an option by which an interpreter, which quotedWord finds, is told its program.
	codeWord   = regexp.MustCompile(`['"](-[a-z]*[ce]|--eval)['"]`)
	quotedWord = regexp.MustCompile("['\"`]([a-zA-Z./][\\w./-]{0,63})['\"` ]")
)

// shelly reports whether a script may hand commands to a shell or an interpreter.
func shelly(src string) bool {
	if (strings.Contains(src, "shell") || strings.Contains(src, "SHELL")) && shellWord.MatchString(src) {
		return true
	}
	if !strings.Contains(src, "'-") && !strings.Contains(src, `"-`) {
		return false
	}
	options := codeWord.FindAllString(src, -1)
	ofShells := slices.ContainsFunc(options, func(option string) bool { return strings.Contains(option, "c") }) // to a shell -e is another
	return len(options) > 0 && (ownProgram.MatchString(src) || slices.ContainsFunc(quotedWord.FindAllStringSubmatch(src, -1), func(m []string) bool {
		return interpreter(m[1]) && (ofShells || known(m[1]).lang != nil)
	}))
}

// evaluates reports whether a function of this name reads what it is given as
// code or as a command.
func (c *coder) evaluates(name string) bool {
	lang := c.lang
	if lang == TypeScript {
		lang = JavaScript
	}
	return slices.Contains(runners[lang], name) || c.shell && slices.Contains(shellers, name) || c.loads && slices.Contains(loaders, name)
}

// plain reports whether the function of this path does not evaluate, though it is
// named like one that does.
func (c *coder) plain(path string) bool {
	name := last(path)
	switch {
	case matches(path, patterns), c.lang == Python && matches(path, plainLoaders):
		return true
	case c.lang == Python && name == "exec":
		return ofDatabase.MatchString(path)
	case c.lang == Python && yamlLoad.MatchString(path):
		return !c.yamls
	case path == "np.load" || path == "numpy.load":
		return !strings.Contains(c.src, "allow_pickle")
	}
	return false
}

// namesake reports whether the function of this path is one of the script's own.
func (c *coder) namesake(path string) bool {
	name := last(path)
	return c.namesakes[path] || c.namesakes[name] && (path == "self."+name || path == "this."+name)
}

// refers is for such a name that is not called where it stands: (0, eval)(…),
// map(eval, …), eval.call(…). What becomes of it is not followed; no value can
// stand in the same statement, before it or behind.
func (c *coder) refers(name string) {
	if c.now.target != "" {
		c.alias(last(c.now.target))
	}
	if c.now.evals != "" {
		return
	}
	c.now.evals = name
	c.says(c.holds(), somewhere, handsOver(name), fixInput)
	for i := range c.spots[c.now.begun:] {
		if sp := &c.spots[c.now.begun+i]; sp.what == "" && sp.kind != inNote {
			sp.what, sp.fix = handsOver(name), fixInput
		}
	}
}

func handsOver(name string) string {
	return name + ", which this statement hands on, would read the value as code or as a command"
}

// alias notes another name of such a function.
func (c *coder) alias(name string) {
	if c.aliases == nil {
		c.aliases = map[string]bool{}
	}
	c.aliases[name] = true
}

// ending keeps of a path that goes on and on what is still looked at.
func ending(path string) string {
	const most = 128
	if len(path) > most {
		return "…" + path[len(path)-most:]
	}
	return path
}

// last is the last of the names in a path.
func last(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }

// root is the first of them.
func root(path string) string {
	if i := strings.IndexAny(path, ".("); i >= 0 {
		return path[:i]
	}
	return path
}

// evaluated says what would read a value as code a second time.
func (c *coder) evaluated() string {
	const imports = "a value cannot choose what is imported"
	lead, n := c.now.lead, len(c.opens)
	switch {
	case lead == "import" && !c.lang.ecma(), lead == "from" && c.lang == Python, c.last == "import", c.last == "from" && c.lang != Python:
		return imports
	case c.lang == Go && n > 0 && c.opens[n-1].callee == "import":
		return imports
	}
	return c.evaluator()
}

// evaluator says what around the cursor reads what stands there as code.
func (c *coder) evaluator() string {
	if c.now.evals != "" {
		return handsOver(c.now.evals)
	}
	inner := 0 // behind the last bracket in which an environment is given, see sets
	for i, b := range c.opens {
		if b.key == "env" {
			inner = i + 1
		}
	}
	for i, b := range c.opens {
		name := last(b.callee)
		switch {
		case name == "" || i < inner || c.plain(b.callee) || c.namesake(b.callee) || b.arrow && (name == "setTimeout" || name == "setInterval") || name == "Worker" && c.isWorkerData(i):
		case c.evaluates(name), c.aliases[name], c.aliases[root(b.callee)], c.shell && b.starts && !b.soft, matches(b.callee, readers):
			return name + "(…) would read the value as code or as a command"
		}
		if b.outer.evals != "" {
			return handsOver(b.outer.evals)
		}
	}
	return ""
}

// readers are functions that read code as well, by more of their path.
var readers = map[string]*regexp.Regexp{
	"constructor": regexp.MustCompile(`\.constructor$`),
	"run":         regexp.MustCompile(`(^|\.)(cProfile|profile|pdb|[BP]db\(\)|Trace\(\)|Profile\(\))\.run$`),
	"push":        regexp.MustCompile(`InteractiveConsole\(\)\.push$`),
	"locate":      regexp.MustCompile(`(^|\.)pydoc\.locate$`),
	"get":         regexp.MustCompile(`(^|\.)webbrowser\.get$`),
	"register":    regexp.MustCompile(`(^|\.)webbrowser\.register$`),
}

// patterns are functions that read a regular expression, or read with one.
var patterns = map[string]*regexp.Regexp{
	"compile": regexp.MustCompile(`(^|\.)re(gex)?\.compile$`),
	"exec":    regexp.MustCompile(`(?i)(^|\.)(re|rx|\w*reg(ex|exp)?|pattern)\.exec$`),
}

// searched are functions that say where python looks for what it imports.
var searched = map[string]*regexp.Regexp{"insert": ofPath, "append": ofPath, "extend": ofPath, "addsitedir": regexp.MustCompile(`.`)}

var ofPath = regexp.MustCompile(`(^|\.)sys\.path\.\w+$`)

// matches looks a path up by its last name.
func matches(path string, list map[string]*regexp.Regexp) bool {
	re := list[last(path)]
	return re != nil && re.MatchString(path)
}

// isWorkerData reports whether the cursor is in the data that the call whose bracket
// has this number hands to a thread.
func (c *coder) isWorkerData(call int) bool {
	return len(c.opens[call].elements) == 2 && call+1 < len(c.opens) && c.opens[call+1].key == "workerData"
}

// plainLoaders are functions that make nothing but data of a text.
var plainLoaders = map[string]*regexp.Regexp{
	"loads": regexp.MustCompile(`(^|\.)(json|orjson|ujson|simplejson|rapidjson|tomllib|tomli|toml)\.loads$`),
	"load":  regexp.MustCompile(`(^|\.)(json|simplejson|ujson|tomllib|tomli|toml)\.load$`),
}

var (
	yamlLoad   = regexp.MustCompile(`(^|\.)yaml\.load(_all)?$`)
	ofDatabase = regexp.MustCompile(`(^|\.)(s|\w*session|db)\.exec$`)
)
