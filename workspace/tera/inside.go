package tera

import (
	"slices"
	"strings"
)

// door is how a program is told the command that it runs, behind one of its words.
type door struct {
	words    string // behind which the command comes
	dashes   string // those behind which it comes only after --
	operands int    // what stands before it: the name of a pod, a profile or a folder
	opaque   bool   // it runs a program of its own kind: "go run ." is no "."
	box      bool   // it is docker's, whose options are known
}

// inside checks what a program like npm exec runs: a value may be one of that
// command's arguments. Where a name comes first, as in kubectl exec POD -- COMMAND,
// the command is what follows --.
func (t *tool) inside(args []arg, at int) objection {
	if t.door == nil {
		return objection{}
	}
	if t.door.box {
		return t.boxed(args, at)
	}
	for i := 1; i < at; i++ {
		word := args[i].text
		only := listed(t.door.dashes, word)
		if !args[i].static || !only && !listed(t.door.words, word) || i > 1 && word != "exec" && !only {
			continue
		}
		rest, to := args[i:], at-i
		n := wrapper{}.skip(rest)
		if dashes := slices.IndexFunc(rest, func(a arg) bool { return a.static && a.text == "--" }); dashes > 0 {
			n = dashes + 1
			if to < dashes {
				return objection{}
			}
		} else if n += t.door.operands; only || t.door.operands > 0 && to < n && to > n-1-t.door.operands {
			return objection{}
		}
		if n >= to {
			return commandPosition()
		}
		if t.door.opaque {
			return objection{}
		}
		return command(rest[n:], to-n, true)
	}
	return objection{}
}

// boxed checks what docker and its like run in a container: docker run IMAGE COMMAND,
// docker compose exec SERVICE COMMAND. Where an option is not known, or words come and
// go, any word may be the command.
func (t *tool) boxed(args []arg, at int) objection {
	n, sure := t.box(args, 1)
	for n < len(args) && listed("compose container", args[n].text) {
		var known bool
		n, known = t.box(args, n+1)
		sure = sure && known
	}
	if n >= at || !args[n].static || !listed(t.door.words, args[n].text) {
		return objection{}
	}
	word := args[n].text
	n, known := t.box(args, n+1)
	if sure = sure && known; !sure {
		return risky(args, at, true)
	}
	inner, to := args[min(n, len(args)):], at-n // the image, and what is run in it
	if n >= at {
		return objection{}
	}
	for i := 1; i < n; i++ {
		if name, entry, ok := strings.Cut(args[i].text, "="); ok && name == "--entrypoint" && args[i].static {
			first := args[i]
			first.text = entry
			return command(slices.Concat([]arg{first}, inner[1:]), to, false)
		}
		if args[i].text == "--entrypoint" && i+1 < n && args[i+1].static {
			return command(slices.Concat(args[i+1:i+2], inner[1:]), to, false)
		}
	}
	switch {
	case to == 1 && word == "run":
		return twice(t.name+" run may run the value as a command", "write the command itself, or name it by --entrypoint")
	case to == 1:
		return commandPosition()
	case !inner[1].static:
		return risky(inner[1:], to-1, false)
	case isOption(inner[1]): // of whatever the image runs
		return guessed(inner, to)
	}
	return command(inner[1:], to-1, false)
}

// box returns where the options of docker end that begin at args[i]; sure is false
// where that cannot be told.
func (t *tool) box(args []arg, i int) (n int, sure bool) {
	for ; i < len(args); i++ {
		a := args[i]
		name, _, joined := strings.Cut(before(a), "=")
		switch {
		case a.fades:
			return i, false
		case !strings.HasPrefix(a.text, "-"):
			return i, true
		case a.text == "--":
			return i + 1, true
		case strings.HasPrefix(name, "--"):
			if !joined && listed(boxTakes, name) {
				i++
			} else if !joined && !listed(t.flags, name) {
				return i, false
			}
		default:
			if at := strings.IndexAny(a.text[1:], "aceHhlmpuvwfn"); at == len(a.text)-2 {
				i++
			} else if at < 0 && strings.Trim(a.text[1:], "ditPqTDI") != "" {
				return i, false
			}
		}
	}
	return i, true
}

// boxTakes are the long options of docker run and exec, of compose and of podman that
// something follows.
const boxTakes = "--name --env --env-file --volume --publish --network --net --user --workdir --entrypoint --label --mount --memory --cpus --hostname " +
	"--add-host --device --cap-add --cap-drop --pull --platform --restart --gpus --ulimit --shm-size --tmpfs --volumes-from --security-opt --log-driver --log-opt " +
	"--pid --ipc --userns --group-add --dns --expose --ip --ip6 --link --runtime --stop-timeout --stop-signal --sysctl --cidfile --cgroupns --detach-keys " +
	"--domainname --health-cmd --health-interval --health-retries --health-start-period --health-timeout --mac-address --memory-swap --network-alias --pids-limit " +
	"--cpu-shares --cpuset-cpus --annotation --attach --label-file --dns-search --dns-option --index --pod --secret --arch --os --variant --authfile --file " +
	"--project-name --profile --project-directory --ansi --progress --parallel --context --host --config --log-level --uts --storage-opt --isolation --umask --tz " +
	"--oom-score-adj --blkio-weight --cpu-period --cpu-quota --device-cgroup-rule --volume-driver --cgroup-parent --memory-reservation --namespace --snapshotter --connection"
