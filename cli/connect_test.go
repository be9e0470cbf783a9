//go:build unix

package cli_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"github.com/tailscale/hujson"
	"pgregory.net/rapid"

	"stroem/cli"
)

const (
	testURL = "http://127.0.0.1:8080"
	testKey = "strm_0123456789abcdef0123456789abcdef"
)

// Each file of testdata/connect is a file of the host that it is named after,
// as it was, as it is connected, and as it is disconnected again.
func TestHostsFilesAreMerged(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/connect/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			host, _, _ := strings.Cut(filepath.Base(file), "_")
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			before := a.Files[0].Data
			after, err := cli.Connected(host, before, testURL, testKey)
			if err != nil {
				t.Fatal(err)
			}
			if again, err := cli.Connected(host, after, testURL, testKey); err != nil || !bytes.Equal(again, after) {
				t.Errorf("a second connect changes it: %v\n%s", err, again)
			}
			gone, old, err := cli.Disconnected(host, after)
			if err != nil || !bytes.Contains(old, []byte(testKey)) {
				t.Errorf("disconnect: %v, the old entry is %s", err, old)
			}
			if !strings.HasPrefix(host, "codex") {
				sameButOurs(t, before, after)
				sameButOurs(t, before, gone)
			}
			got := &txtar.Archive{Comment: a.Comment, Files: []txtar.File{{Name: "before", Data: before},
				{Name: "connected", Data: after}, {Name: "disconnected", Data: gone}}}
			if *update {
				if err := os.WriteFile(file, txtar.Format(got), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(txtar.Format(a)), string(txtar.Format(got))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// sameButOurs fails where the files differ in more than our entry.
func sameButOurs(t rapid.TB, a, b []byte) {
	t.Helper()
	if diff := cmp.Diff(others(t, a), others(t, b)); diff != "" {
		t.Errorf("more was changed than our entry: %s\n%s\n%s", diff, a, b)
	}
}

// others is what a file means without our entry and without empty sections.
func others(t rapid.TB, doc []byte) (m map[string]any) {
	t.Helper()
	std, err := hujson.Standardize(append(bytes.TrimPrefix(bytes.Clone(doc), []byte("\ufeff")), '\n'))
	if err != nil {
		t.Fatalf("%v\n%s", err, doc)
	}
	if err := json.Unmarshal(std, &m); err != nil {
		t.Fatalf("%v\n%s", err, doc)
	}
	for _, section := range []string{"mcpServers", "servers", "context_servers"} {
		if servers, ok := m[section].(map[string]any); ok {
			if delete(servers, "stroem"); len(servers) == 0 {
				delete(m, section)
			}
		}
	}
	return m
}

func TestLineEndsAndMarksOfWindowsStay(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ host, before string }{
		{"claude-desktop", "\ufeff{\r\n    \"scale\": 0,\r\n    \"mcpServers\": {\r\n        \"a\": {}\r\n    }\r\n}\r\n"},
		{"zed", "// mine\r\n{\r\n  \"context_servers\": {\r\n    \"a\": {}, // a\r\n  }\r\n}\r\n"},
		{"codex", "\ufeffmodel = \"x\"\r\n\r\n[mcp_servers.a]\r\nurl = \"u\"\r\n"},
	} {
		after, err := cli.Connected(tc.host, []byte(tc.before), testURL, testKey)
		if err != nil {
			t.Fatal(err)
		}
		if n := bytes.Count(after, []byte("\n")); n != bytes.Count(after, []byte("\r\n")) || n < 7 {
			t.Errorf("%s has mixed line ends: %q", tc.host, after)
		}
		gone, _, err := cli.Disconnected(tc.host, after)
		if diff := cmp.Diff(tc.before, string(gone)); err != nil || diff != "" {
			t.Errorf("%s does not come back as it was: %v %s", tc.host, err, diff)
		}
	}
}

func TestBrokenHostFilesAreRefused(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ host, doc, want string }{
		{"claude-desktop", `{"mcpServers": {"a": {}}`, "line 1, column 25: "},
		{"claude-desktop", "{\n  \"a\": 1\n  \"b\": 2\n}", "line 3, column 3: "},
		{"claude-desktop", `{"mcpServers": {},} // mine`, "which Claude Desktop does not read"},
		{"claude-desktop", `[]`, "no JSON object"},
		{"claude-desktop", `{"mcpServers": []}`, `"mcpServers" in it is no object`},
		{"claude-code", `{"mcpServers": null}`, `"mcpServers" in it is no object`},
		{"claude-code", `{"mcpServers": {}, "mcp\u0053ervers": {"a": {}}}`, `"mcpServers" twice`},
		{"cursor", `{"mcpServers": {"stroem": 1, "stroem": 2}}`, `"stroem" twice`},
		{"zed", `{"a": 1 /* }`, "line 1, column 9: "},
		{"zed", "// nothing\n", "unexpected EOF"},
		{"vscode", "{'servers': {}}", "line 1, column 2: "},
		{"gemini", "\x00\x00", "line 1, column 1: "},
		{"codex", "model = \n[a]\n", "line 1: a value is missing"},
		{"codex", "a = \"x\nb = 1", "line 1: a string does not end"},
		{"codex", "a = 1\nb = '''x\n", "line 2: a string of several lines does not end"},
		{"codex", "a = [1, 2\nb = 3", "does not end"},
		{"codex", "[a\nb = 1", "line 1: the table's name does not end"},
		{"codex", "a = '1' b = 2", "line 1: there is more on the line"},
		{"codex", "\n{\"json\": 1}", "line 2: a key is missing"},
		{"codex", "a = " + strings.Repeat("[", 1000), "nested too deep"},
		{"codex", "x = 1\nmcp_servers = { a = { command = 'a' } }", "line 2: mcp_servers is no table of the form [mcp_servers.NAME]"},
	} {
		_, err := cli.Connected(tc.host, []byte(tc.doc), testURL, testKey)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s %q: %v, want %q", tc.host, tc.doc, err, tc.want)
		}
		if _, _, err := cli.Disconnected(tc.host, []byte(tc.doc)); err == nil {
			t.Errorf("%s %q: disconnect takes it", tc.host, tc.doc)
		}
	}
}

// blanks are what may stand between the words of a file.
var blanks = rapid.SampledFrom([]string{"", "", " ", "\n", "\n  ", "\t", "\r\n", " /* c */ ", "// d\n", "\n\t// e\n\t", "/* f\n g */"})

// hostFile draws a JSON file with comments that may have our entry.
func hostFile(t *rapid.T) string {
	b := func() string { return blanks.Draw(t, "blank") }
	object := func(members []string) string {
		text := "{" + b()
		for i, m := range members {
			if text += m + b(); i < len(members)-1 || rapid.Bool().Draw(t, "trailing comma") {
				text += "," + b()
			}
		}
		return text + "}"
	}
	member := func(name, value string) string { return fmt.Sprintf("%q%s:%s%s", name, b(), b(), value) }
	some := func(names ...string) (list []string) {
		for _, name := range names {
			if rapid.Bool().Draw(t, name) {
				list = append(list, member(name, rapid.SampledFrom([]string{"1", `"// no comment"`, "{}", "[ 1,2 ]", `{"x": "y"}`}).Draw(t, "value")))
			}
		}
		return list
	}
	root := some("a", "b")
	if rapid.Bool().Draw(t, "section") {
		root = append(root, member("servers", object(some("one", "stroem", "two"))))
	}
	return b() + object(append(root, some("z")...)) + b() + rapid.SampledFrom([]string{"", "// the end"}).Draw(t, "end")
}

func TestAnyJSONFileKeepsWhatIsNotOurs(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		before := []byte(hostFile(t))
		after, err := cli.Connected("vscode", before, testURL, testKey)
		if err != nil {
			t.Fatalf("%v\n%s", err, before)
		}
		sameButOurs(t, before, after)
		if !bytes.Contains(after, []byte(testKey)) {
			t.Errorf("the entry is not there:\n%s", after)
		}
		if again, err := cli.Connected("vscode", after, testURL, testKey); err != nil || !bytes.Equal(again, after) {
			t.Errorf("a second connect changes it: %v\n%s\n%s", err, after, again)
		}
		gone, _, err := cli.Disconnected("vscode", after)
		if err != nil || bytes.Contains(gone, []byte("stroem")) {
			t.Errorf("disconnect: %v\n%s", err, gone)
		}
		sameButOurs(t, before, gone)
		for _, c := range []string{"/* c */", "// d", "// e", "/* f\n g */"} {
			if n := bytes.Count(before, []byte(c)); !bytes.Contains(before, []byte(`"stroem"`)) && (bytes.Count(after, []byte(c)) != n || bytes.Count(gone, []byte(c)) != n) {
				t.Errorf("the comment %s was lost:\n%s\n%s\n%s", c, before, after, gone)
			}
		}
	})
}

func TestAnyTOMLFileKeepsWhatIsNotOurs(t *testing.T) {
	t.Parallel()
	statements := rapid.SampledFrom([]string{"# c", "", "a = 1", "b.'c d' = \"x # y\"", "[t]", "[t.u]", "[[v]]", "[mcp_servers.one]", "[mcp_servers.stroemy]",
		"d = [ 1, # e\n  '''f\n[mcp_servers.stroem]''' ]", "e = { g = \"\"\"\n\\\"x\"\"\"\", h = [] } # i", "\tj = 07:32:00", "k = -inf"})
	ours := rapid.SampledFrom([]string{"", "", "[mcp_servers.stroem]\nurl = 'x'\n", "[mcp_servers.\"stroem\".http_headers]\nx = 'y'\n"})
	rapid.Check(t, func(t *rapid.T) {
		head, tail := rapid.SliceOf(statements).Draw(t, "head"), rapid.SliceOf(statements).Draw(t, "tail")
		text := strings.Join(head, "\n") + "\n" + ours.Draw(t, "ours") + "[w]\n" + strings.Join(tail, "\n")
		after, err := cli.Connected("codex", []byte(text), testURL, testKey)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		again, err := cli.Connected("codex", after, testURL, testKey)
		if err != nil || !bytes.Equal(again, after) {
			t.Errorf("a second connect changes it: %v\n%q\n%q", err, after, again)
		}
		gone, old, err := cli.Disconnected("codex", after)
		if err != nil || strings.Join(strings.Fields(string(old)), " ") !=
			`[mcp_servers.stroem] url = "http://127.0.0.1:8080/mcp" http_headers = { Authorization = "Bearer `+testKey+`" }` {
			t.Errorf("disconnect: %v\n%q\n%q", err, gone, old)
		}
		want := strings.Join(head, "\n") + "\n[w]\n" + strings.Join(tail, "\n")
		if diff := cmp.Diff(strings.Fields(want), strings.Fields(string(gone))); diff != "" {
			t.Errorf("%s\n%q\n%q", diff, text, gone)
		}
	})
}

// Where the hosts look for their files on each system.
func TestHostFiles(t *testing.T) {
	t.Parallel()
	const desktop = "claude_desktop_config.json"
	for _, tc := range []struct {
		host, goos string
		env        map[string]string // HOME stands for the home
		there      []string          // files below the home
		want       []string
	}{
		{"claude-desktop", "darwin", nil, nil, []string{"Library/Application Support/Claude/" + desktop}},
		{"claude-desktop", "linux", nil, nil, []string{".config/Claude/" + desktop}},
		{"claude-desktop", "linux", map[string]string{"XDG_CONFIG_HOME": "HOME/cfg"}, nil, []string{"cfg/Claude/" + desktop}},
		{"claude-desktop", "linux", map[string]string{"XDG_CONFIG_HOME": "relative"}, nil, []string{".config/Claude/" + desktop}},
		{"claude-desktop", "linux", map[string]string{"CLAUDE_DESKTOP_CONFIG": "HOME/c.json"}, nil, []string{"c.json"}},
		{"claude-desktop", "windows", map[string]string{"APPDATA": "HOME/R"}, nil, []string{"R/Claude/" + desktop}},
		{"claude-desktop", "windows", nil, nil, []string{"AppData/Roaming/Claude/" + desktop}},
		{"claude-desktop", "windows", map[string]string{"LOCALAPPDATA": "HOME/L"}, []string{"L/Packages/Claude_pzs8sxrjxfjjc/x", "L/Packages/Other_1/x"},
			[]string{"L/Packages/Claude_pzs8sxrjxfjjc/LocalCache/Roaming/Claude/" + desktop}},
		{"claude-desktop", "windows", nil, []string{"AppData/Local/Packages/Claude_1/x", "AppData/Local/Packages/claude_2/x", "AppData/Roaming/Claude/" + desktop},
			[]string{"AppData/Local/Packages/Claude_1/LocalCache/Roaming/Claude/" + desktop,
				"AppData/Local/Packages/claude_2/LocalCache/Roaming/Claude/" + desktop, "AppData/Roaming/Claude/" + desktop}},
		{"claude-desktop", "windows", nil, []string{"AppData/Local/Claude-Data/claude_x/" + desktop, "AppData/Local/Claude-Data/claude_y/x"},
			[]string{"AppData/Local/Claude-Data/claude_x/" + desktop}},
		{"claude-code", "darwin", nil, nil, []string{".claude.json"}},
		{"claude-code", "windows", map[string]string{"CLAUDE_CONFIG_DIR": "HOME/cc"}, nil, []string{"cc/.claude.json"}},
		{"cursor", "windows", nil, nil, []string{".cursor/mcp.json"}},
		{"vscode", "darwin", nil, nil, []string{"Library/Application Support/Code/User/mcp.json"}},
		{"vscode", "windows", map[string]string{"APPDATA": "HOME/R"}, nil, []string{"R/Code/User/mcp.json"}},
		{"vscode", "linux", nil, nil, []string{".config/Code/User/mcp.json"}},
		{"codex", "linux", nil, nil, []string{".codex/config.toml"}},
		{"codex", "darwin", map[string]string{"CODEX_HOME": "HOME/cx"}, nil, []string{"cx/config.toml"}},
		{"gemini", "linux", nil, nil, []string{".gemini/settings.json"}},
		{"zed", "darwin", map[string]string{"XDG_CONFIG_HOME": "HOME/cfg"}, nil, []string{".config/zed/settings.json"}},
		{"zed", "linux", map[string]string{"XDG_CONFIG_HOME": "HOME/cfg"}, nil, []string{"cfg/zed/settings.json"}},
		{"zed", "windows", map[string]string{"APPDATA": "HOME/R"}, nil, []string{"R/Zed/settings.json"}},
	} {
		home := t.TempDir()
		for _, file := range tc.there {
			if err := os.MkdirAll(filepath.Dir(filepath.Join(home, file)), 0o700); err != nil {
				t.Fatal(err)
			}
			write(t, home, file, "{}")
		}
		getenv := func(name string) string { return strings.Replace(tc.env[name], "HOME", home, 1) }
		var got []string
		for _, file := range cli.HostFiles(tc.host, tc.goos, home, getenv) {
			rel, err := filepath.Rel(home, file)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, filepath.ToSlash(rel))
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s on %s with %v: %s", tc.host, tc.goos, tc.env, diff)
		}
	}
}
