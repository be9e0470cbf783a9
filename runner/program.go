package runner

import (
	"errors"
	"fmt"
	"os/exec"
	"path"
	"strings"
	"sync"

	"stroem/runner/proc"
	"stroem/workspace"
	"stroem/workspace/tera"
)

// program is what runs a script.
type program struct {
	path  string
	flags []string // before the script's file
	file  string   // the name that the script's file must have, "" for any
	bash  bool     // it is bash
}

// dialect is the shell language that it reads.
func (p program) dialect() tera.Dialect {
	if p.bash {
		return tera.Bash
	}
	return tera.POSIX
}

// toolchains are the programs that run a language, the best first.
var toolchains = map[string]struct {
	file     string
	programs []program
}{
	"python": {"script.py", []program{
		{path: "uv", flags: []string{"run", "--no-project", "--quiet"}}, {path: "python3"}, {path: "python"}}},
	"javascript": {"script.js", []program{{path: "bun", flags: []string{"run"}}, {path: "node"}}},
	"typescript": {"script.ts", []program{{path: "bun", flags: []string{"run"}}, {path: "deno", flags: []string{"run", "--allow-all"}}}},
	"go":         {"script.go", []program{{path: "go", flags: []string{"run"}}}},
}

// Toolchains names, for each language but shell, the programs that run it, the
// best first.
func Toolchains() map[string][]string {
	all := map[string][]string{}
	for language, chain := range toolchains {
		for _, p := range chain.programs {
			all[language] = append(all[language], p.path)
		}
	}
	return all
}

// defaultShell is what runs shell scripts that ask for nothing else.
var defaultShell = sync.OnceValues(func() (p program, err error) {
	p.path, p.bash, err = proc.FindShell()
	return p, err
})

// programFor chooses what runs the action: its interpreter, else the best that
// is installed.
func programFor(action *workspace.Action) (program, error) {
	chain, ok := toolchains[action.Language]
	switch {
	case action.Interpreter != "":
		base := path.Base(action.Interpreter)
		return program{path: action.Interpreter, file: chain.file, bash: strings.HasPrefix(base, "bash")}, nil
	case !ok:
		return defaultShell()
	}
	var missing []string
	for _, p := range chain.programs {
		if len(action.Dependencies) > 0 && p.path != "uv" {
			break
		}
		if _, err := exec.LookPath(p.path); err != nil {
			missing = append(missing, p.path)
			continue
		}
		p.file = chain.file
		for _, d := range action.Dependencies {
			p.flags = append(p.flags[:len(p.flags):len(p.flags)], "--with", d)
		}
		return p, nil
	}
	if len(action.Dependencies) > 0 {
		return program{}, errors.New("dependencies of a python script need uv, which is not installed on this machine")
	}
	return program{}, fmt.Errorf("no program for %s is installed on this machine: install %s", action.Language, strings.Join(missing, " or "))
}
