//go:build campaign

package workspace_test

import (
	"archive/zip"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Every zone, every change of its clocks from 2020 to 2035, and two ordinary
// days of each of these years.
func TestScheduleInEveryZone(t *testing.T) {
	names, all := zones(t)
	t.Logf("%d zones under %d names, %d patterns", len(names), all, len(patterns)+len(fine))
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			zone, err := time.LoadLocation(name)
			if err != nil {
				t.Fatal(err)
			}
			var days []time.Time
			for year := 2020; year <= 2035; year++ {
				days = append(days, ordinary(year)...)
			}
			check(t, zone, changes(zone), days)
		})
	}
}

// zones are the names of the zones that Go knows, of those that are the same one
// name, and how many names there are.
func zones(t *testing.T) (names []string, all int) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	archive, err := zip.OpenReader(filepath.Join(strings.TrimSpace(string(root)), "lib", "time", "zoneinfo.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	same := map[string]bool{}
	for _, f := range archive.File {
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		all++
		if data := fmt.Sprint(f.UncompressedSize64, f.CRC32); !same[data] {
			same[data] = true
			names = append(names, f.Name)
		}
	}
	return names, all
}
