package tera

import (
	"slices"
	"strings"
)

// launching are programs of every day with those of their options after which
// comes a command, a library or a file of settings that names commands.
var launching = map[string][]string{
	"tar":  {"-I", "-F", "--use-compress-program", "--info-script", "--new-volume-script", "--rsh-command", "--rmt-command", "--to-command", "--checkpoint-action"},
	"sort": {"--compress-program"}, "split": {"--filter"}, "install": {"--strip-program"}, "zip": {"-TT", "--unzip-command"},
	"scp": {"-S", "-o", "-F", "-D"}, "sftp": {"-S", "-o", "-F", "-D", "-b"}, "wget": {"-e", "--execute", "--use-askpass"},
	"nc": {"-e", "-c"}, "ncat": {"-e", "-c", "--exec", "--sh-exec", "--lua-exec"}, "man": {"-P", "-H", "--pager", "--html"},
	"pandoc": {"-F", "-L", "--filter", "--lua-filter", "--pdf-engine"}, "rg": {"--pre", "--hostname-bin"}, "tcpdump": {"-z"}, "openssl": {"-engine"},
	"go": {"-exec", "-toolexec", "-overlay"}, "cargo": {"--config"}, "cmake": {"-P"}, "gnuplot": {"-e"}, "xterm": {"-e"}, "npm": {"--script-shell"},
	"java": {"-jar", "-cp", "-classpath", "--class-path"}, "docker": {"--entrypoint"}, "podman": {"--entrypoint"}, "ansible": {"-a", "--args", "-m"},
	"git": {"--exec", "--exec-path", "--upload-pack", "--receive-pack", "--extcmd", "--open-files-in-pager", "--template", "--config-env", "--smtp-server", "--sendmail-cmd", "--to-cmd", "--cc-cmd"},
}

// launched checks a program that runs what one of its options says.
func launched(program string, options []string, args []arg, at int) objection {
	for _, o := range options {
		if behind(args, at, o) {
			return no(program+" would run what the value behind "+o+" says", "write that part itself")
		}
	}
	return objection{}
}

// behind reports whether args[at] holds what an option takes, in the same
// argument or in the next. Long options may be cut short.
func behind(args []arg, at int, option string) bool {
	last, same := args[at-1].text, before(args[at])
	if strings.HasPrefix(option, "--") {
		name, _, joined := strings.Cut(same, "=")
		return short(last, option) && at > 1 || joined && short(name, option)
	}
	if at > 1 && last == option || strings.HasPrefix(same, option+"=") {
		return true
	}
	if len(option) > 2 {
		return false
	}
	cluster := at > 1 && strings.HasPrefix(last, "-") && !strings.HasPrefix(last, "--") && strings.HasSuffix(last, option[1:])
	return cluster || strings.HasPrefix(same, option)
}

// short reports whether a text is a long option, or enough of one to be taken for it.
func short(text, option string) bool {
	return len(text) > len("--x") && strings.HasPrefix(option, text)
}

// packed checks tar, whose options may stand without a dash: tar cIf.
func packed(args []arg, at int) objection {
	if first := args[1]; at > 1 && first.static && !strings.HasPrefix(first.text, "-") && strings.ContainsAny(first.text, "IF") {
		return no("tar "+first.text+" may run what the value says", "write the options of tar with their names: --use-compress-program=…")
	}
	return launched("tar", launching["tar"], args, at)
}

// versioned checks git: its command, the settings that name commands, and the
// commands that run others.
func versioned(args []arg, at int) objection {
	i := 1
	for ; i < at && strings.HasPrefix(args[i].text, "-"); i++ {
		switch args[i].text {
		case "-c", "--config-env":
			if i+1 == at {
				return setting(args[at])
			}
			i++
		case "-C", "--git-dir", "--work-tree", "--namespace", "--exec-path":
			i++
		}
	}
	if i >= at {
		if i == at && args[at].mark == 0 {
			return no("a value cannot choose what git does", "write the command of git itself, or choose with case")
		}
		return launched("git", launching["git"], args, at)
	}
	command, rest := args[i].text, args[i:]
	at -= i
	if command == "config" {
		return configured(rest)
	}
	if command == "clone" && (behind(rest, at, "-c") || before(rest[at]) == "--config=" || rest[at-1].text == "--config") {
		return setting(rest[at])
	}
	own := map[string][]string{"clone": {"-u"}, "rebase": {"-x"}, "difftool": {"-x"}, "grep": {"-O"}}[command]
	if o := launched("git "+command, slices.Concat(own, launching["git"]), rest, at); o != (objection{}) {
		return o
	}
	switch command {
	case "bisect", "submodule":
		if slices.ContainsFunc(rest[:at], func(a arg) bool { return a.text == "run" || a.text == "foreach" }) {
			return no("git "+command+" would run what the value says", fixData)
		}
	case "filter-branch":
		return no("git "+command+" would run what the value says", fixData)
	}
	return objection{}
}

// configured checks git config, where a value may be what a harmless setting is set to.
func configured(args []arg) objection {
	var words []arg
	for i, a := range args[1:] {
		if last := args[i].text; (!a.static || !strings.HasPrefix(a.text, "-")) && last != "-f" && last != "--file" && last != "--blob" {
			words = append(words, a)
		}
	}
	if len(words) > 0 && (words[0].text == "set" || words[0].text == "get") {
		words = words[1:]
	}
	if len(words) < 2 {
		return objection{} // it is only read
	}
	if key := slices.IndexFunc(words, func(a arg) bool { return strings.Contains(a.text, ".") || a.mark >= 0 || !a.static }); key >= 0 {
		return setting(words[key])
	}
	return objection{}
}

// settings are the beginnings of the settings of git that run nothing.
var settings = []string{
	"user.", "author.", "committer.", "url.", "http.", "branch.", "push.", "pull.", "fetch.", "color.", "advice.", "safe.directory", "init.defaultbranch",
	"core.autocrlf", "core.quotepath", "core.ignorecase", "core.filemode", "core.abbrev", "commit.gpgsign", "user.signingkey", "lfs.url", "tag.gpgsign",
}

// setting checks NAME=value or NAME, the name of a setting of git.
func setting(a arg) objection {
	name := strings.ToLower(before(a))
	if slices.ContainsFunc(settings, func(s string) bool { return strings.HasPrefix(name, s) }) {
		return objection{}
	}
	if key, _, _ := strings.Cut(name, "="); strings.HasPrefix(key, "remote.") && (strings.HasSuffix(key, ".url") || strings.HasSuffix(key, ".pushurl")) {
		return objection{}
	}
	return no("git would run what the value makes of its settings", "write the setting itself; values may set user.name and others that run nothing")
}

// subcommands are, of programs that run others, the words behind which the
// command comes.
var subcommands = map[string][]string{
	"npm": {"exec", "x"}, "pnpm": {"exec", "dlx"}, "yarn": {"exec", "dlx"}, "uv": {"run"}, "pipx": {"run"}, "poetry": {"run"}, "pipenv": {"run"}, "rye": {"run"},
	"bundle": {"exec"}, "go": {"run", "generate"}, "ip": {"exec"}, "kubectl": {"exec"}, "aws-vault": {"exec"}, "direnv": {"exec"}, "conda": {"run"}, "mise": {"exec", "x"}, "asdf": {"exec"},
}

// runs checks what a program like npm exec runs: a value may be one of that
// command's arguments. Where a name comes first, as in kubectl exec POD -- COMMAND,
// the command is what follows --.
func runs(name string, args []arg, at int) objection {
	for i := 1; i < at; i++ {
		word := args[i].text
		if !args[i].static || !slices.Contains(subcommands[name], word) || i > 1 && word != "exec" {
			continue
		}
		rest, to := args[i:], at-i
		n := wrapper{}.skip(rest)
		if dashes := slices.IndexFunc(rest, func(a arg) bool { return a.static && a.text == "--" }); dashes > 0 {
			n = dashes + 1
			if to < dashes {
				return objection{}
			}
		} else if slices.Contains([]string{"ip", "kubectl", "aws-vault", "direnv"}, name) {
			n++
			if to == n-1 {
				return objection{} // the name of a pod, a profile or a folder
			}
		}
		if n >= to {
			return commandPosition()
		}
		if slices.Contains(plainWords, program(rest[n].text)) {
			return objection{} // go run . is no "."
		}
		return command(rest[n:], to-n, true)
	}
	return objection{}
}
