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

var (
	fenced = regexp.MustCompile("(?s)```(\\w+)\n(.*?)```")
	links  = regexp.MustCompile(`\]\(([^):#]+)(#[^)]*)?\)`)
)

// shown counts the blocks of a page by what they are.
type shown struct{ tasks, triggers, configs, curls int }

// What the README and its pages show works as it stands there.
func TestReadme(t *testing.T) {
	t.Parallel()
	for page, want := range map[string]shown{
		"README.md":               {tasks: 1, curls: 1},
		"docs/access.md":          {configs: 4},
		"docs/agents.md":          {},
		"docs/crash.md":           {},
		"docs/schedules.md":       {tasks: 1},
		"docs/server.md":          {configs: 1},
		"docs/speed.md":           {},
		"docs/strom.md":           {},
		"docs/tasks.md":           {tasks: 3, triggers: 1},
		"docs/upkeep.md":          {configs: 1},
		".github/CONTRIBUTING.md": {},
	} {
		t.Run(page, func(t *testing.T) {
			t.Parallel()
			text := readPage(t, page)
			var got shown
			for _, m := range fenced.FindAllStringSubmatch(text, -1) {
				got.check(t, m[1], m[2])
			}
			if got != want {
				t.Errorf("checked %+v, want %+v", got, want)
			}
			for _, m := range links.FindAllStringSubmatch(text, -1) {
				if _, err := os.Stat(filepath.Join("..", filepath.Dir(page), m[1])); err != nil {
					t.Errorf("it links %s: %v", m[1], err)
				}
			}
		})
	}
	first := fenced.FindStringSubmatch(readPage(t, "README.md")[strings.Index(readPage(t, "README.md"), "```yaml"):])
	if strings.Count(first[2], "\n") != 6 {
		t.Errorf("the first task is not six lines:\n%s", first[2])
	}
}

func readPage(t *testing.T, page string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", page))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func (n *shown) check(t *testing.T, lang, block string) {
	t.Helper()
	switch {
	case lang == "yaml" && strings.HasPrefix(block, "tasks:"):
		n.tasks++
		validates(t, block)
	case lang == "yaml" && strings.HasPrefix(block, "triggers:"):
		n.triggers++
		validates(t, "tasks:\n  backup: {input: {folder: {type: string}}, flow: {s: {type: script, script: echo}}}\n"+block)
	case lang == "yaml":
		n.configs++
		dir := t.TempDir()
		write(t, dir, "server-config.yaml", strings.Replace(block, "/var/lib/stroem", dir, 1))
		serve(t, dir, dir)
	case strings.HasPrefix(block, "curl"):
		n.curls++
		s := serve(t, t.TempDir(), t.TempDir())
		out, err := exec.Command("sh", "-c", strings.ReplaceAll(block, "http://127.0.0.1:8080", s.url)).CombinedOutput()
		if err != nil || !strings.Contains(string(out), "job_id") {
			t.Errorf("%s\n%v %s", block, err, out)
		}
	}
}

func validates(t *testing.T, text string) {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "page.yaml", text)
	if out, err := exec.Command("stroem", "validate", "--strict", dir).CombinedOutput(); err != nil {
		t.Errorf("%s\n%s", text, out)
	}
}

// The commands of the page on access, in their order, say what the page says
// they do; … stands for anything.
func TestAccessPage(t *testing.T) {
	t.Parallel()
	page := readPage(t, "docs/access.md")
	dir := t.TempDir()
	ops := filepath.Join(dir, "ops")
	if err := os.Mkdir(ops, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, ops, "w.yaml", `
tasks:
  api: {folder: deploy, flow: {s: {type: script, script: echo}}}
  backup: {flow: {s: {type: script, script: echo}}}
  salaries: {folder: payroll, flow: {s: {type: script, script: echo}}}
  bonuses: {folder: payroll, flow: {s: {type: script, script: echo}}}
`)
	rules := regexp.MustCompile("(?s)```yaml\n(auth: .*?\nacl:.*?)```").FindStringSubmatch(page)[1]
	write(t, dir, "server-config.yaml", "data: data\nmcp: {enabled: true}\nworkspaces: {ops: {path: ops}}\n"+rules)
	serve(t, dir, dir)
	ran := 0
	for _, m := range fenced.FindAllStringSubmatch(page, -1) {
		if m[1] != "console" {
			continue
		}
		for _, part := range strings.Split("\n"+m[2], "\n$ ")[1:] {
			line, want, _ := strings.Cut(part, "\n")
			cmd := exec.Command("sh", "-c", line)
			cmd.Dir = dir
			out, _ := cmd.CombinedOutput() // some say no, and exit with 1
			pattern := strings.ReplaceAll(regexp.QuoteMeta(strings.TrimSpace(want)), "…", ".*")
			if !regexp.MustCompile(`^(?s:` + pattern + `)$`).MatchString(strings.TrimSpace(string(out))) {
				t.Errorf("$ %s\n%sthe page has\n%s", line, out, want)
			}
			ran++
		}
	}
	if ran != 15 {
		t.Errorf("%d commands", ran)
	}
}
