package tera

import (
	"slices"
	"strings"
)

const gitCode = "--exec --exec-path --upload-pack --receive-pack --extcmd --open-files-in-pager --template --config-env --smtp-server " +
	"--access-hook --sendmail-cmd --to-cmd --cc-cmd"

// gitTakes are the short options of git's commands that something follows.
var gitTakes = map[string]string{
	"commit": "mFCct", "checkout": "bB", "switch": "cC", "branch": "u", "tag": "mFu", "restore": "s", "clean": "e",
	"merge": "msXF", "rebase": "sXxC", "cherry-pick": "mX", "revert": "mX", "stash": "m", "notes": "mFCc", "am": "CpS", "apply": "Cp",
	"clone": "bocuj", "init": "b", "fetch": "jo", "pull": "jsXo", "push": "o", "ls-remote": "o", "remote": "tmf", "submodule": "bj",
	"log": "nLSGO", "show": "nLSGO", "diff": "nLSGOl", "blame": "LSC", "grep": "efABCmO", "rev-list": "n", "format-patch": "ov",
	"worktree": "bB", "archive": "o", "config": "f", "update-ref": "m", "ls-files": "xX",
}

const gitFlags = "--all --bare --mirror --force --oneline --hard --soft --mixed --amend --no-edit --quiet --verbose --cached --staged --stat " +
	"--graph --tags --prune --rebase --ff-only --no-ff --no-verify --allow-empty --recursive --recurse-submodules --single-branch --no-checkout " +
	"--detach --name-only --name-status --no-pager --follow --patch --dry-run --delete --set-upstream --force-with-lease --no-tags --unshallow " +
	"--signoff --squash --track --no-track --ours --theirs --verify --short --is-ancestor --local --global --system --get --get-all --unset --add " +
	"--no-rebase --autostash --annotate --sign --heads --decorate --no-merges --first-parent --numstat --shortstat"

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
		return objection{}
	}
	command, rest := args[i].text, args[i:]
	at -= i
	if command == "config" {
		return configured(rest)
	}
	if command == "clone" && (behind(rest, at, "-c") || before(rest[at]) == "--config=" || rest[at-1].text == "--config") {
		return setting(rest[at])
	}
	own := map[string]string{"clone": "-u", "rebase": "-x", "difftool": "-x", "grep": "-O"}[command]
	if o := launched("git "+command, own, "", rest, at); o != (objection{}) {
		return o
	}
	switch command {
	case "bisect", "submodule":
		if slices.ContainsFunc(rest[:at], func(a arg) bool { return a.text == "run" || a.text == "foreach" }) {
			return no("git "+command+" would run what the value says", fixData)
		}
	case "filter-repo":
		if option := before(rest[at]); strings.Contains(option, "-callback") || strings.HasSuffix(rest[at-1].text, "-callback") {
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
