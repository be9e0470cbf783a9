package tera

import (
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// A ruling says what speaks against a value at args[at] of the command args[0].
type ruling func(args []arg, at int) objection

// objection is why a value cannot stand at a place, and what to write instead;
// what is empty when it can.
type objection struct {
	what, fix string
	// again says that the value is quoted, but read as code a second time, by a
	// program whose whole purpose that is: its author is warned, and an agent refused.
	again  bool
	want   demand // it may stand if it is that
	number bool   // a whole number may stand there all the same
	guess  bool   // nothing is known of the command but how its option is called
}

// demand is what a value must be for its place.
type demand int

const (
	anything    demand = iota
	aNumber            // a whole number
	aName              // the name of a variable
	aWord              // letters, digits and what paths and versions are made of
	aLabel             // such a word that is no path
	aTarget            // such a word that assigns nothing
	aTime              // a number, which may have a unit
	unspoilt           // nothing that a printer or a string of JSON takes for more
	unformatted        // nothing with a backslash or a %
	unescaped          // nothing with a backslash
	aText              // nothing that curl would take for the name of a file
	aFile              // nothing that perl or psql would take for more than the name of a file
)

// demands are what else a value must be, and what is said where it is not.
var demands = map[demand]struct {
	form      *regexp.Regexp
	what, fix string
}{
	aWord: {regexp.MustCompile(`^[a-zA-Z0-9._/:@+=][a-zA-Z0-9._/:@+=-]*$`),
		"the value is no plain word, and the program would take it apart again", "only letters, digits and ._/:@+=- can stand here"},
	aLabel: {regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9._@:+-]*$`),
		"the value is no plain name, and could name a file that runs", "only letters, digits and ._@:+- can stand here"},
	aTarget: {regexp.MustCompile(`^[a-zA-Z0-9._/@+][a-zA-Z0-9._/@+-]*$`),
		"the value is no plain word, and make would take it apart or assign it", "only letters, digits and ._/@+- can stand here"},
	aText: {regexp.MustCompile(`(?s)^([^@<].*)?$`),
		"the value begins with @ or <, and curl would send the file that it names", "write --data-raw or --form-string, which take it as it is"},
	unspoilt:    {regexp.MustCompile(`^[^\\%"\x00-\x1f]*$`), "xargs hands the value to a command that would print it as something else", `print it by printf '%s\n' {{ … }}`},
	unformatted: {regexp.MustCompile(`^[^\\%]*$`), "the value has a % or a backslash, which the program would expand", `print it by printf '%s\n' {{ … }}`},
	unescaped:   {regexp.MustCompile(`^[^\\]*$`), "awk would expand the backslash in the value", `pass it by env:, and write ENVIRON["NAME"]`},
	aTime:       {regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?[smhd]?$`), "the value is no number, and could choose what runs", "only a number can stand here, as 10 or 30s"},
	aFile: {regexp.MustCompile(`^([^<>|\s][^|]*)?$`),
		"the value has a | or begins with < or >, and the program would run or write what it says", "write ./ before it, and no |"},
}

// meets checks a value that is demanded to be one of those.
func (s *script) meets(p *place) (what, fix string) {
	if d := demands[p.want]; s.known && !d.form.MatchString(p.plain) {
		return d.what, d.fix
	}
	return s.edge(p)
}

// no refuses a value; where what is empty, nothing speaks against it.
func no(what, fix string) objection { return objection{what: what, fix: fix} }

// twice objects to a value that is read as code a second time.
func twice(what, fix string) objection { return objection{what: what, fix: fix, again: true} }

// digits refuses all but whole numbers, in which there is nothing to run.
func digits(what, fix string) objection { return objection{what: what, fix: fix, number: true} }

// never refuses every value, because the command reads its arguments as code or as names.
func never(why, fix string) ruling {
	return func(args []arg, _ int) objection { return no(args[0].text+" "+why, fix) }
}

// numeric refuses every value but whole numbers, because the command reads its
// arguments as code.
func numeric(why, fix string) ruling {
	return func(args []arg, _ int) objection { return digits(args[0].text+" "+why, fix) }
}

// again objects to every value, because the command reads its arguments as code.
func again(why, fix string) ruling {
	return func(args []arg, _ int) objection { return twice(args[0].text+" "+why, fix) }
}

const (
	fixData   = "run the commands in this script itself"
	runsTwice = "would read the value as code a second time"
	takesName = "takes names, and the shell would run what is in one"
	fixRead   = "pass it by env:, and let the program read it from its environment"
	ownWords  = "would expand the value as its own language"
	asProgram = "would read the value as a program"
	fixQuery  = "declare the input as type: integer, or ask by a step in python, whose driver takes parameters"
)

// filtered checks jq and its like, whose program can read the environment: takes are
// their short options that something follows, and words may stand before the program.
func filtered(takes, words string) ruling {
	own := &tool{takes: takes}
	return func(args []arg, at int) objection {
		for i := 1; i <= at; i++ {
			switch text := args[i].text; {
			case !args[i].static && i < at && (before(args[i]) == "" || isOption(args[i])): // whatever that is
			case listed("--arg --argjson --slurpfile --rawfile --argfile", text):
				i += 2
			case text == "-f" || text == "--from-file":
				return objection{}
			case i < at && listed(words, text):
			case isOption(args[i]):
				if listed(jqTakes, text) || !strings.HasPrefix(text, "--") && own.takesNext(args, i) {
					i++
				}
			case i < at:
				return objection{}
			case strings.HasSuffix(args[0].text, "yq"):
				return twice("yq would read the value as a part of its program", `write strenv(NAME) in the program, and NAME={{ … }} before yq`)
			default:
				return twice(args[0].text+" would read the value as a part of its program", `write jq --arg x {{ … }} and $x in the program`)
			}
		}
		return objection{}
	}
}

// splitBy checks awk: what -F and -v NAME= give it is data.
func splitBy(told ruling) ruling {
	rest := scripted("vFfeiElL", false, told)
	return func(args []arg, at int) objection {
		text, last := before(args[at]), args[at-1].text
		fixed := !slices.ContainsFunc(args[1:at], func(a arg) bool { return !a.static && a.mark < 0 })
		name, _, assigned := strings.Cut(strings.TrimPrefix(text, "-v"), "=")
		if assigned = assigned && syntax.ValidName(name) && (last == "-v" || strings.HasPrefix(text, "-v")); fixed && (assigned || last == "-F" || strings.HasPrefix(text, "-F")) {
			return objection{want: unescaped}
		}
		return rest(args, at)
	}
}

// assignable checks what follows awk's program: a file, or NAME=value.
func assignable(a arg) objection {
	if name, _, assigns := strings.Cut(before(a), "="); assigns && syntax.ValidName(name) {
		return objection{want: unescaped}
	}
	return objection{}
}

// scripted checks sed and awk: what stands behind their program are files. takes are
// the short options that something follows; given says that -e may give the program as
// well, wherever it stands.
func scripted(takes string, given bool, told ruling) ruling {
	own := &tool{takes: takes, flags: sedFlags}
	return func(args []arg, at int) objection {
		program := false
		for i := 1; i < at; i++ {
			switch {
			case !args[i].static:
				return told(args, at)
			case args[i].text == "--":
				if program && i+1 == at {
					return objection{}
				}
			case args[i].text == "" || args[i].text[0] == '.': // what sed -i of macOS takes
			case !isOption(args[i]):
				if program = true; !given { // no options come behind it
					return assignable(args[at])
				}
			case own.takesNext(args, i) && i+1 < at && exposed(args[i+1].word):
				return told(args, at)
			case own.takesNext(args, i):
				program = program || given && listed("-e -f --expression --file", args[i].text)
				i++
				if i == at {
					return told(args, at)
				}
			}
		}
		if program && !strings.HasPrefix(before(args[at]), "-") {
			return objection{}
		}
		return told(args, at)
	}
}

const sedFlags = "--quiet --silent --in-place --regexp-extended --null-data --separate --debug --posix --sandbox --follow-symlinks --unbuffered"

// made checks make, which expands all but the number of what it does at once.
func made(args []arg, at int) objection {
	if before(args[at]) == "-j" || args[at].whole && args[at-1].static && listed("-j --jobs", args[at-1].text) {
		return objection{want: aNumber}
	}
	name, _, assigned := strings.Cut(before(args[at]), "=")
	switch last := args[at-1]; {
	case assigned && syntax.ValidName(name) && !decisive(name):
		return objection{want: aWord}
	case !assigned && !strings.HasPrefix(name, "-") && (at == 1 || beforeTarget(last)):
		return objection{want: aTarget}
	}
	return no(args[0].text+" "+ownWords, "pass it by env:, and write $$NAME in the recipe")
}

// beforeTarget reports whether a target may follow an argument of make.
func beforeTarget(last arg) bool {
	jobs := strings.HasPrefix(last.text, "-j") && (len(last.text) > 2 || !last.static)
	return last.text != "" && !last.fades && (!strings.HasPrefix(last.text, "-") || listed(makeFlags, last.text) || jobs)
}

// makeFlags are the options of make that nothing follows.
const makeFlags = "-s -k -B -i -q -r -R -w --silent --quiet --keep-going --always-make --no-print-directory --ignore-errors --no-builtin-rules"

// jqTakes are the long options of jq and yq that something follows.
const jqTakes = "--indent --output-format --input-format --split-exp-file --front-matter --csv-separator --library-path"

// found checks find, which may run commands.
func found(args []arg, at int) objection {
	if slices.Contains(runFlags, before(args[at-1])) {
		return commandPosition()
	}
	if behind(args, at, "-printf") || listed("-printf", args[at-1].text) || at > 2 && args[at-2].text == "-fprintf" {
		return objection{want: unformatted}
	}
	for _, a := range args[1:at] { // what comes before is where it looks, or for what
		if a.static && slices.Contains([]string{"-exec", "-execdir", "-ok", "-okdir", "-x", "-X", "--exec", "--exec-batch"}, a.text) {
			return twice(args[0].text+" "+a.text+" runs a command that the value may become a part of", "loop over what find prints, or "+fixEnv)
		}
	}
	return objection{}
}

// remote checks rsync, whose -e takes a command.
func remote(args []arg, at int) objection {
	if last := args[at-1].text; strings.HasPrefix(last, "-") && !strings.HasPrefix(last, "--") && strings.HasSuffix(last, "e") {
		return digits("rsync would run what the value says", "write the command of -e itself")
	}
	if strings.HasPrefix(args[at].text, "-") && !strings.HasPrefix(args[at].text, "--") {
		return no("rsync would run what the value says", "write the command of -e itself")
	}
	return copied(args, at)
}

// copied checks a path on another machine, which its shell may read.
func copied(args []arg, at int) objection {
	if host, _, ok := strings.Cut(before(args[at]), ":"); ok && !strings.ContainsAny(host, "/=") && !isOption(args[at-1]) && !isOption(args[at]) {
		return objection{want: aWord}
	}
	return objection{}
}

// remoteShell checks ssh, whose shell on the other side reads all that comes behind
// the name of the host.
func remoteShell(args []arg, at int) objection {
	own := &tool{takes: sshTakes}
	for i := 1; i <= at; i++ {
		switch {
		case i == at && !isOption(args[at]):
			return objection{want: aWord} // the host
		case i == at:
		case !args[i].static || !isOption(args[i]) || args[i].text == "--":
			i = at
		case own.takesNext(args, i) && i+1 == at && listed("-i -l -p -J", args[i].text):
			return objection{want: aWord}
		case own.takesNext(args, i):
			i++
		}
	}
	return twice(args[0].text+" lets the other machine's shell read the value as code", fixSSH)
}

// told objects to what follows some words of a program, which it hands to a shell or
// an interpreter.
func told(words, why string) ruling {
	return func(args []arg, at int) objection {
		for _, a := range args[1:at] {
			if a.static && listed(words, a.text) {
				return twice(args[0].text+" "+a.text+" "+why, fixEnv)
			}
		}
		return objection{}
	}
}

// sentCommand checks aws, which sends commands to machines.
func sentCommand(args []arg, at int) objection {
	return told("send-command", runsTwice)(args, at)
}

// behindDashes checks a program that starts a shell or another with what follows --.
func behindDashes(args []arg, at int) objection {
	dashes := doubleDash(args[:at])
	if dashes > 0 && slices.ContainsFunc(args[dashes:at], func(a arg) bool { return codeLetters(a.text) }) {
		return twice(args[0].text+" may hand the value to a shell, which "+runsTwice, fixEnv)
	}
	return objection{}
}

// goes checks go, which takes the flags of its compilers apart again.
func goes(args []arg, at int) objection {
	for _, o := range []string{"-ldflags", "-gcflags", "-asmflags", "-gccgoflags", "--ldflags", "--gcflags", "--asmflags", "--gccgoflags"} {
		if name, _, joined := strings.Cut(before(args[at]), "="); args[at-1].text == o || joined && name == o {
			return objection{want: aWord}
		}
	}
	return objection{}
}

// extraVars checks ansible, which takes variables apart, and expands what is in them.
func extraVars(args []arg, at int) objection {
	if behind(args, at, "-e") || behind(args, at, "--extra-vars") {
		return objection{want: aWord}
	}
	return objection{}
}

// packaged checks apt-get, whose settings name commands.
func packaged(args []arg, at int) objection {
	if (behind(args, at, "-o") || behind(args, at, "--option") || behind(args, at, "-c")) && !strings.Contains(before(args[at]), "Acquire::") {
		return no("apt-get would run what the value makes of its settings", "write the setting itself")
	}
	return objection{}
}

// npmSet checks npm config set, whose settings name commands.
func npmSet(args []arg, at int) objection {
	if o := told("explore", runsTwice)(args, at); o.what != "" {
		return o
	}
	for i, a := range args[1:at] {
		if a.text == "set" && (i == 0 || listed("config c", args[i].text)) {
			name, _, _ := strings.Cut(before(args[min(i+2, at)]), "=")
			if name == "" || listed("script-shell node-options editor git shell browser viewer", name) {
				return no("npm would run what the value makes of its settings", "write the setting itself")
			}
		}
	}
	return objection{}
}

// patched checks patch, whose input may be the script of an ed.
func patched(args []arg, at int) objection {
	if behind(args, at, "-e") {
		return twice("patch -e "+runsTwice, fixData)
	}
	return objection{}
}

// queried checks the clients of databases, whose languages can start programs.
func queried(args []arg, at int) objection {
	if behind(args, at, "-f") || behind(args, at, "--file") {
		return twice(args[0].text+" would run the file that the value names", "write the name of the file itself, or choose with case")
	}
	if behind(args, at, "-o") || behind(args, at, "--output") { // where | begins a command
		return objection{want: aFile}
	}
	for _, a := range args[1 : at+1] {
		text := before(a)
		if strings.HasPrefix(text, "--command") || strings.HasPrefix(text, "--execute") || strings.HasPrefix(text, "--init-command") ||
			strings.HasPrefix(text, "-") && !strings.HasPrefix(text, "--") && strings.ContainsAny(text, "ce") {
			return digits(args[0].text+" would read the value as a part of its language", fixQuery)
		}
	}
	return objection{}
}

// opensDatabase checks sqlite3, whose first argument is a file and the next its program.
func opensDatabase(args []arg, at int) objection {
	const plain = "-batch -bail -box -column -csv -header -noheader -html -json -line -list -markdown -quote -readonly -table -tabs -ascii -safe"
	for _, a := range args[1:at] {
		if !a.static || !listed(plain, strings.Replace(a.text, "--", "-", 1)) {
			return digits(args[0].text+" "+asProgram, fixQuery)
		}
	}
	return objection{}
}

// serviced checks service and systemctl, which take the path of a file for a service.
func serviced(args []arg, at int) objection {
	if (&tool{takes: systemctlTakes, flags: systemctlFlags}).takesNext(args, at-1) && at > 1 || isOption(args[at]) {
		return objection{}
	}
	return objection{want: aLabel}
}

// plainFiles checks a program that takes a | before a name for a command.
func plainFiles([]arg, int) objection { return objection{want: aFile} }

// dated checks date, which expands what begins with +.
func dated(args []arg, at int) objection {
	if strings.HasPrefix(before(args[at]), "+") {
		return objection{want: unformatted}
	}
	return objection{}
}

// stated checks stat, which expands what is behind --printf.
func stated(args []arg, at int) objection {
	if behind(args, at, "--printf") {
		return objection{want: unformatted}
	}
	return objection{}
}

// sent checks curl, which sends a file where what is to be sent begins with @.
func sent(args []arg, at int) objection {
	text := before(args[at])
	if behind(args, at, "-w") || behind(args, at, "--write-out") {
		return objection{want: unformatted}
	}
	for _, o := range []string{"-d", "--data", "--data-ascii", "--data-binary", "--data-urlencode", "--json", "--url-query", "-H", "--header", "--proxy-header"} {
		if begins := text == "" || text == "-d" || text == "-H" || strings.HasPrefix(text, "--") && strings.HasSuffix(text, "="); begins && behind(args, at, o) {
			return objection{want: aText}
		}
	}
	for _, o := range []string{"-F", "--form"} {
		if (text == "" || strings.HasSuffix(text, "=")) && behind(args, at, o) {
			return objection{want: aText}
		}
	}
	return objection{}
}

// packed checks tar, whose options may stand without a dash: tar cIf.
func packed(args []arg, at int) objection {
	if first := args[1]; at > 1 && first.static && !strings.HasPrefix(first.text, "-") && strings.ContainsAny(first.text, "IF") {
		return no("tar "+first.text+" may run what the value says", "write the options of tar with their names: --use-compress-program=…")
	}
	return objection{}
}
