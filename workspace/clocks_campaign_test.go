//go:build campaign

package workspace_test

import (
	"archive/zip"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Every zone, every change of its clocks from 2020 to 2035, and two ordinary
// days of each of these years.
func TestScheduleInEveryZone(t *testing.T) {
	names := zones(t)
	t.Logf("%d zones, %d patterns", len(names), len(patterns)+len(fine))
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			zone, err := time.LoadLocation(name)
			if err != nil {
				t.Fatal(err)
			}
			near := changes(zone)
			for year := 2020; year <= 2035; year++ {
				near = append(near, ordinary(year)...)
			}
			check(t, zone, near)
		})
	}
}

// zones are the names of all zones that Go knows.
func zones(t *testing.T) (names []string) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	archive, err := zip.OpenReader(filepath.Join(strings.TrimSpace(string(root)), "lib", "time", "zoneinfo.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	for _, f := range archive.File {
		if !strings.HasSuffix(f.Name, "/") {
			names = append(names, f.Name)
		}
	}
	return names
}
