package tera

import (
	"path"
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
	again bool
	want  demand // it may stand if it is that
}

// demand is what a value must be for its place.
type demand int

const (
	anything demand = iota
	aNumber         // a whole number
	aName           // the name of a variable
)

func no(what, fix string) objection { return objection{what: what, fix: fix} }

// never refuses every value, because the command reads its arguments as code or as names.
func never(why, fix string) ruling {
	return func(args []arg, _ int) objection { return no(args[0].text+" "+why, fix) }
}

// again objects to every value, because the command reads its arguments as code.
func again(why, fix string) ruling {
	return func(args []arg, _ int) objection { return objection{args[0].text + " " + why, fix, true, anything} }
}

const (
	fixData   = "run the commands in this script itself"
	runsTwice = "would read the value as code a second time"
	takesName = "takes names, and the shell would run what is in one"
)

// rules are the commands that read an argument as more than text, under the
// names that program gives.
var rules = map[string]ruling{
	"eval": again(runsTwice, fixData), "trap": again(runsTwice, "trap a function, and "+fixEnv), "alias": never(runsTwice, "write a function"),
	"source": sourced, ".": sourced,
	"xargs": started, "parallel": never(runsTwice, fixData),
	"ssh": again("lets the other machine's shell read the value as code", `give it to the other side by its input: printf '%s\n' {{ … }} | ssh HOST PROGRAM`),
	"su":  again(runsTwice, `use sudo -u USER COMMAND`), "runuser": again(runsTwice, "use sudo -u USER COMMAND"), "watch": never(runsTwice, fixEnv),
	"script": never(runsTwice, fixEnv), "rsh": never(runsTwice, fixData), "sshpass": never(runsTwice, fixData), "autossh": never(runsTwice, fixData),
	"mosh": never(runsTwice, fixData), "socat": never(runsTwice, fixData), "crontab": never(runsTwice, fixData), "hyperfine": never(runsTwice, fixData), "sg": never(runsTwice, fixData), "tmux": never(runsTwice, fixData), "screen": never(runsTwice, fixData), "at": never(runsTwice, fixData), "batch": never(runsTwice, fixData),
	"awk": again("would read the value as a program", `use ENVIRON["NAME"] and `+fixEnv), "sed": never("would read the value as a program", fixEnv),
	"make": never("would expand the value as its own language", fixEnv), "m4": never(runsTwice, fixEnv), "ed": never(runsTwice, fixEnv), "ex": never(runsTwice, fixEnv),
	"vi": never(runsTwice, fixEnv), "vim": never(runsTwice, fixEnv), "nvim": never(runsTwice, fixEnv), "sqlite": never("would read the value as a program", fixEnv),
	"set": never("would change the shell or its parameters", "assign a variable, or write the options themselves"), "shopt": never("changes the shell", "write the options themselves"),
	"history": never("changes the shell", fixEnv), "fc": never(runsTwice, fixData), "complete": never(runsTwice, fixData), "compgen": never(runsTwice, fixData),
	"compopt": never(runsTwice, fixData), "bind": never(runsTwice, fixData), "enable": never("changes the shell", fixEnv), "hash": never("chooses what runs", fixEnv), "jobs": never("may run the value", fixEnv),
	"read": named, "unset": named, "getopts": never(takesName, "write the names themselves"),
	"mapfile": never(takesName, "write the name itself"), "readarray": never(takesName, "write the name itself"), "wait": never(takesName, "keep the number in a variable"),
	"let": never("computes, and the shell would run what is in the value", fixEnv), "declare": never(takesName, "assign it on a line of its own: NAME={{ … }}"),
	"typeset": never(takesName, "assign it on a line of its own: NAME={{ … }}"), "nameref": never(takesName, fixEnv), "integer": never(takesName, fixEnv),
	"[[": never("computes, and a shell would run what is in the value", `write [ … ]`), "function": never("chooses what runs", fixEnv), "coproc": never("chooses what runs", fixEnv), "select": never(takesName, fixEnv),
	"export": exported, "local": exported, "readonly": exported, "test": tested, "[": tested, "printf": formatted,
	"find": found, "fd": found, "fdfind": found, "rsync": remote, "tar": packed, "git": versioned, "psql": queried, "mysql": queried, "mariadb": queried, "jq": filtered,
}

// ruling finds what is known of a command: of its own, or as an interpreter.
func rulingOf(command string) (ruling, bool) {
	name := program(command)
	if r, ok := rules[name]; ok {
		return r, true
	}
	if slices.Contains(shells, name) {
		return shell, true
	}
	if lang, ok := languages[name]; ok {
		return lang.ruling, true
	}
	options, ok := launching[name]
	if _, runner := subcommands[name]; !ok && !runner {
		return nil, false
	}
	return func(args []arg, at int) objection {
		if o := launched(name, options, args, at); o != (objection{}) {
			return o
		}
		return runs(name, args, at)
	}, true
}

// program is the name of a command without its folder and its version:
// /usr/bin/python3.12 is python.
func program(command string) string {
	name := strings.TrimSuffix(path.Base(command), ".exe")
	if trimmed := strings.TrimRight(name, "0123456789.-"); trimmed != "" {
		name = trimmed
	}
	switch name {
	case "gawk", "mawk", "nawk", "original-awk":
		return "awk"
	case "gsed", "ssed":
		return "sed"
	case "gmake", "bmake", "nmake":
		return "make"
	case "gxargs":
		return "xargs"
	case "m":
		return "m4"
	case "slogin":
		return "ssh"
	}
	return name
}

// wrapper is a command that runs the command among its arguments.
type wrapper struct {
	flags    string // the short options that take no argument; all others may
	operands int    // the arguments before the command
}

var wrappers = map[string]wrapper{
	"exec": {flags: "cl"}, "command": {flags: "p"}, "builtin": {}, "env": {flags: "i0v"},
	"sudo": {flags: "AbEeHiKklNnPSsVv"}, "doas": {flags: "Lns"}, "nohup": {}, "nice": {flags: "0123456789"},
	"time": {flags: "apqvl"}, "timeout": {flags: "v", operands: 1}, "gtimeout": {flags: "v", operands: 1},
	"setsid": {flags: "cfw"}, "stdbuf": {}, "ionice": {flags: "t0123456789"}, "chroot": {operands: 1},
	"flock": {flags: "sxneuFov", operands: 1}, "gosu": {operands: 1}, "su-exec": {operands: 1},
	"setpriv": {}, "taskset": {flags: "acp", operands: 1}, "chrt": {flags: "abdfior", operands: 1},
	"nsenter": {flags: "F"}, "unshare": {flags: "fr"}, "systemd-run": {flags: "dPqrtGS"}, "strace": {flags: "cCdfFhiqrtTvVxyZz"},
	"ltrace": {flags: "cCfhirtTV"}, "valgrind": {}, "unbuffer": {flags: "p"}, "caffeinate": {flags: "dims"},
	"dbus-run-session": {}, "xvfb-run": {flags: "al"}, "busybox": {}, "toybox": {}, "tini": {flags: "sgvw"}, "dumb-init": {flags: "cv"},
	"chpst": {}, "setuidgid": {operands: 1}, "faketime": {operands: 1}, "linux": {}, "setarch": {operands: 1},
	"npx": {}, "bunx": {}, "pnpx": {}, "uvx": {}, "fakeroot": {}, "pkexec": {}, "ssh-agent": {}, "numactl": {}, "proxychains": {}, "torsocks": {}, "chronic": {}, "firejail": {}, "entr": {}, "prlimit": {},
}

// skip returns the index of the command that is run, or of what may be it. It
// may come out too late, never too early.
func (w wrapper) skip(args []arg) int {
	i := 1
	for ; i < len(args); i++ {
		a := args[i]
		text := a.text
		if a.fades {
			continue
		}
		if name, _, ok := strings.Cut(text, "="); ok && syntax.ValidName(name) {
			continue // NAME=value of env and sudo
		}
		if !a.static || !strings.HasPrefix(text, "-") {
			break
		}
		if text == "--" {
			i++
			break
		}
		if text != "-" && w.takesNext(text) {
			i++
		}
	}
	i += w.operands
	if i < len(args) && args[i].static && strings.HasPrefix(args[i].text, "-") {
		return len(args)
	}
	return i
}

// takesNext reports whether an option may take the next argument.
func (w wrapper) takesNext(option string) bool {
	if strings.HasPrefix(option, "--") {
		return !strings.Contains(option, "=")
	}
	for i, c := range option[1:] {
		if !strings.ContainsRune(w.flags, c) {
			return i == len(option)-2
		}
	}
	return false
}

// quiet are the commands that never run one of their arguments, so that they
// may well say "bash" before a value.
var quiet = []string{
	"echo", "printf", ":", "true", "false", "test", "[", "cd", "pwd", "mkdir", "rmdir", "rm", "cp", "mv", "ln", "touch",
	"cat", "ls", "chmod", "chown", "grep", "egrep", "fgrep", "head", "tail", "sort", "uniq", "wc", "cut", "tr", "tee",
	"basename", "dirname", "date", "sleep", "seq", "which", "type", "apt", "apt-get", "yum", "dnf", "apk", "brew",
	"pip", "pip3", "npm", "gem", "exit", "return", "export", "local", "readonly", "logger", "curl", "wget", "jq",
}

// plainWords are names of rules that are words of every day as well: they count
// only where a command stands for certain.
var plainWords = []string{
	"test", "[", "echo", "printf", "set", "history", "source", ".", "alias", "read", "wait", "jobs", "complete", "script",
	"export", "local", "readonly", "watch", "find", "hash", "bind", "enable", "let", "at", "batch", "make", "trap", "function", "m4", "ex", "vi", "vim", "ed",
	"rc", "es", "nu", "fish", "R", "screen", "dc", "wish", "expect", "guile", "scala", "integer", "select", "coproc",
}

// runFlags are options after which comes a command, whoever takes them.
var runFlags = []string{"-exec", "-execdir", "-ok", "-okdir", "--exec", "--exec-batch", "--eval", "--rsh", "--checkpoint-action", "--to-command", "--use-compress-program", "--rsync-path", "--startas"}

// shells read a program by -c, from a file or from their input.
var shells = []string{"sh", "bash", "dash", "zsh", "ksh", "mksh", "lksh", "ash", "rbash", "fish", "csh", "tcsh", "yash", "rc", "es", "elvish", "nu", "xonsh"}
