package cli

import (
	"maps"
	"os/exec"
	"slices"
	"strings"

	"stroem/runner"
)

// checkLanguages looks for what runs scripts that are not of a shell. Few
// people need all of them, so that to miss one is no failure.
func checkLanguages() (list []finding) {
	toolchains := runner.Toolchains()
	for _, name := range slices.Sorted(maps.Keys(toolchains)) {
		programs := toolchains[name]
		f := finding{Name: name, Status: odd, Text: "not here: tasks in " + name + " cannot run",
			Fix: "install " + strings.Join(programs[:min(2, len(programs))], " or ") + " if you need it"}
		for _, p := range programs {
			if path, err := exec.LookPath(p); err == nil {
				f = finding{Name: name, Status: good, Text: path}
				break
			}
		}
		list = append(list, f)
	}
	return list
}
