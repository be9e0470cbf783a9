//go:build unix

package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var fenced = regexp.MustCompile("(?s)```(\\w+)\n(.*?)```")

// What the README shows works as it stands there.
func TestReadme(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	tasks, triggers, configs, curls := 0, 0, 0, 0
	for _, m := range fenced.FindAllStringSubmatch(string(text), -1) {
		lang, block := m[1], m[2]
		switch {
		case lang == "yaml" && strings.HasPrefix(block, "tasks:"):
			tasks++
			dir := t.TempDir()
			write(t, dir, "readme.yaml", block)
			out, err := exec.Command("stroem", "validate", "--strict", dir).CombinedOutput()
			if err != nil {
				t.Errorf("%s\n%s", block, out)
			}
			if tasks == 1 && strings.Count(block, "\n") != 6 {
				t.Errorf("the first task has %d lines", strings.Count(block, "\n"))
			}
		case lang == "yaml" && strings.HasPrefix(block, "triggers:"):
			triggers++
			dir := t.TempDir()
			write(t, dir, "readme.yaml", "tasks:\n  backup: {input: {folder: {type: string}}, flow: {s: {type: script, script: echo}}}\n"+block)
			if out, err := exec.Command("stroem", "validate", "--strict", dir).CombinedOutput(); err != nil {
				t.Errorf("%s\n%s", block, out)
			}
		case lang == "yaml":
			configs++
			dir := t.TempDir()
			block = strings.Replace(block, "/var/lib/stroem", dir, 1)
			block = strings.Replace(block, "127.0.0.1:8080", "127.0.0.1:0", 1)
			write(t, dir, "server-config.yaml", block)
			serve(t, dir, dir)
		case strings.HasPrefix(block, "curl"):
			curls++
			s := serve(t, t.TempDir(), t.TempDir())
			out, err := exec.Command("sh", "-c", strings.ReplaceAll(block, "http://127.0.0.1:8080", s.url)).CombinedOutput()
			if err != nil || !strings.Contains(string(out), "job_id") {
				t.Errorf("%s\n%v %s", block, err, out)
			}
		}
	}
	if tasks != 3 || triggers != 1 || configs != 1 || curls != 1 {
		t.Errorf("checked %d tasks, %d triggers, %d configurations and %d calls", tasks, triggers, configs, curls)
	}
	for _, m := range regexp.MustCompile(`\]\(([^):]+)\)`).FindAllStringSubmatch(string(text), -1) {
		if _, err := os.Stat(filepath.Join("..", m[1])); err != nil {
			t.Errorf("the README links %s: %v", m[1], err)
		}
	}
}

// So does what the page on schedules shows.
func TestSchedulesPage(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/schedules.md")
	if err != nil {
		t.Fatal(err)
	}
	m := fenced.FindStringSubmatch(string(text))
	dir := t.TempDir()
	write(t, dir, "page.yaml", m[2])
	if out, err := exec.Command("stroem", "validate", "--strict", dir).CombinedOutput(); err != nil {
		t.Errorf("%s\n%s", m[2], out)
	}
}
