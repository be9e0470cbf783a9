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
// command's arguments.
func (t *tool) inside(args []arg, at int) objection {
	inner, to, o := t.opened(args, at)
	if len(inner) > 0 && to > 0 {
		return command(inner, to, !t.door.box)
	}
	return o
}

// opened finds the command that such a program runs and the value's place in it, which
// is no place of the program's own. Where a name comes first, as in kubectl exec POD
// -- COMMAND, the command is what follows --. A command that is none of ours to judge
// has no place for the value.
func (t *tool) opened(args []arg, at int) (inner []arg, to int, o objection) {
	if t.door == nil {
		return nil, 0, objection{}
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
		if dashes := doubleDash(rest); dashes > 0 {
			n = dashes + 1
			if to < dashes {
				return nil, 0, objection{}
			}
		} else if n += t.door.operands; only || t.door.operands > 0 && to < n && to > n-1-t.door.operands {
			return nil, 0, objection{}
		}
		if n >= to {
			return nil, 0, commandPosition()
		}
		if t.door.opaque {
			return rest[n:], 0, objection{}
		}
		return rest[n:], to - n, objection{}
	}
	return nil, 0, objection{}
}

// boxed finds what docker and its like run in a container: docker run IMAGE COMMAND,
// docker compose exec SERVICE COMMAND. Where an option is not known, or words come and
// go, any word may be the command.
func (t *tool) boxed(args []arg, at int) (inner []arg, to int, o objection) {
	n, sure := t.box(args, 1)
	for n < len(args) && listed("compose container", args[n].text) {
		var known bool
		n, known = t.box(args, n+1)
		sure = sure && known
	}
	if n >= at || !args[n].static || !listed(t.door.words, args[n].text) {
		return nil, 0, objection{}
	}
	word := args[n].text
	entry := n
	n, known := t.box(args, n+1)
	if !sure || !known {
		return nil, 0, risky(args, at, true)
	}
	if n >= at { // the image, or an option
		return nil, 0, objection{}
	}
	inner, to = args[n:], at-n
	for i := entry; i < n; i++ {
		name, program, joined := strings.Cut(args[i].text, "=")
		switch {
		case name != "--entrypoint" || !args[i].static:
		case joined:
			first := args[i]
			first.text = program
			return slices.Concat([]arg{first}, inner[1:]), to, objection{}
		case args[i+1].static:
			return slices.Concat(args[i+1:i+2], inner[1:]), to, objection{}
		}
	}
	switch {
	case to == 1 && word != "exec":
		return inner, 0, twice(t.name+" "+word+" may run the value as a command", "write the command itself, or name it by --entrypoint")
	case to == 1:
		return inner, 0, commandPosition()
	case !inner[1].static:
		return inner, 0, risky(inner[1:], to-1, false)
	case isOption(inner[1]): // of whatever the image runs
		return inner, 0, guessed(inner, to)
	}
	return inner[1:], to - 1, objection{}
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
const boxTakes = "--name --env --env-file --volume --publish --network --net --user --workdir --entrypoint --label --mount --memory --cpus " +
	"--hostname --add-host --device --cap-add --cap-drop --pull --platform --restart --gpus --ulimit --shm-size --tmpfs --volumes-from " +
	"--security-opt --log-driver --log-opt --pid --ipc --userns --group-add --dns --expose --ip --ip6 --link --runtime --stop-timeout --stop-signal " +
	"--sysctl --cidfile --cgroupns --detach-keys --domainname --health-cmd --health-interval --health-retries --health-start-period " +
	"--health-timeout --mac-address --memory-swap --network-alias --pids-limit --cpu-shares --cpuset-cpus --annotation --attach --label-file " +
	"--dns-search --dns-option --index --pod --secret --arch --os --variant --authfile --file --project-name --profile --project-directory --ansi " +
	"--progress --parallel --context --host --config --log-level --uts --storage-opt --isolation --umask --tz --oom-score-adj --blkio-weight " +
	"--cpu-period --cpu-quota --device-cgroup-rule --volume-driver --cgroup-parent --memory-reservation --namespace --snapshotter --connection"
