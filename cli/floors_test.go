package cli_test

import (
	"os/exec"
	"strings"
	"testing"
)

// floors are the packages from the ground up. A package imports only from
// lower floors, so no change can tie a knot.
var floors = [][]string{
	{"migrations", "examples", "workspace/tera", "runner/proc"},
	{"workspace"},
	{"store"},
	{"auth", "runner"},
	{"control"},
	{"mcpsrv", "web"},
	{"cli"},
	{""},
}

func TestPackagesImportOnlyFromLowerFloors(t *testing.T) {
	t.Parallel()
	floor := map[string]int{}
	for i, names := range floors {
		for _, name := range names {
			floor[strings.TrimSuffix("stroem/"+name, "/")] = i
		}
	}
	list := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "stroem/...")
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	seen := 0
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		pkg := words[0]
		at, ok := floor[pkg]
		if !ok {
			t.Errorf("%s has no floor: design/house.md says which packages there are", pkg)
			continue
		}
		seen++
		for _, imp := range words[1:] {
			if !strings.HasPrefix(imp, "stroem/") {
				continue
			}
			if below, ok := floor[imp]; !ok || below >= at {
				t.Errorf("%s imports %s, which is not on a lower floor", pkg, imp)
			}
		}
	}
	if seen < 10 {
		t.Errorf("only %d packages were seen", seen)
	}
}
