package tera

import (
	"slices"
	"strings"
)

// Warning is a place where a value is quoted, and where some values still do
// more than their author may think.
type Warning struct {
	Error
	Kind Kind
	// Path is the variable that is written there, if it is one as it is; for Counted
	// of the environment it is the variable's name alone.
	Path []string
}

// Kind is why there is a warning.
type Kind int

// The kinds of warnings.
const (
	Again   Kind = iota + 1 // a program reads the value as code
	Option                  // a command may take the value for an option
	Counted                 // the value gets to where only a whole number may
)

// warned are the warnings about the places of a script that is all right.
func (s *script) warned() (list []*Warning) {
	note := func(kind Kind, p *place, what, fix string) {
		w := &Warning{Error: *s.t.fault(p.node, what, fix), Kind: kind}
		if v, ok := p.node.x.(*variable); ok {
			w.Path = v.names()
		}
		list = append(list, w)
	}
	for _, p := range s.places {
		switch {
		case harmless(p.node.x):
		case p.again != nil:
			note(Again, p, p.again.what, p.again.fix)
		case p.want != anything || p.kind == summed:
			// Whatever else comes is refused, and says so.
		case p.option != "":
			fix := "write -- before it"
			if p.option == "git" || p.option == "find" { // to one -- says that files come, to the other nothing
				fix = `see first that it does not: case {{ … }} in -*) exit 1;; esac`
			}
			note(Option, p, p.option+" would take a value that begins with - for an option", fix)
		}
	}
	s.warnedAfar(note)
	return list
}

// harmless reports whether an expression gives nothing but numbers and the
// template's own texts.
func harmless(x expr) bool {
	if u, ok := x.(*use); ok && u.x != nil && slices.Contains([]string{"length", "int", "wordcount"}, u.name) {
		return true
	}
	known := true
	variables(x, func(*variable) { known = false })
	_, literal := x.(*literal)
	return known && literal
}

// options are the commands of every day that would take a value for an option,
// with the short options that something else follows; * is any.
var options = map[string]string{
	"rm": "", "rmdir": "", "cp": "tS", "mv": "tS", "ln": "tS", "mkdir": "m", "touch": "drt", "cat": "", "ls": "ITw", "chmod": "", "chown": "",
	"grep": "ABCefmdD", "egrep": "ABCefmdD", "fgrep": "ABCefmdD", "head": "nc", "tail": "ncs", "sort": "kotST", "tar": "*", "find": "*", "zip": "*", "unzip": "*", "gzip": "", "gunzip": "",
	"git": "*", "curl": "*", "wget": "*", "scp": "*", "rsync": "*", "docker": "*", "podman": "*", "kubectl": "*", "helm": "*", "pip": "*", "apt-get": "*", "systemctl": "*",
}

// option names the command that may take the value at args[at] for an option; it
// is empty where a -- or another option stands before it.
func option(args []arg, at int) (command string) {
	for hops := 0; hops <= len(wrappers); hops++ {
		w, ok := wrappers[program(args[0].text)]
		if !ok {
			break
		}
		n := w.skip(args)
		if n >= at || !args[n].static {
			return ""
		}
		args, at = args[n:], at-n
	}
	command = program(args[0].text)
	taking, ok := options[command]
	if !ok || !args[at].whole {
		return ""
	}
	for _, a := range args[1:at] {
		if a.static && (a.text == "--" || a.text == "--end-of-options") {
			return ""
		}
	}
	last := args[at-1]
	if at > 1 && (last.fades || strings.HasPrefix(last.text, "-") && last.text != "-") {
		if taking == "*" || last.fades || strings.HasPrefix(last.text, "--") || strings.ContainsAny(last.text[len(last.text)-1:], taking) {
			return "" // the value of that option, or it may be
		}
	}
	return command
}
