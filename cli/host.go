package cli

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// entryName is what a host's file calls us.
const entryName = "stroem"

// connection is what a host must know to reach a server.
type connection struct {
	url     string            // of the server, without /mcp
	key     string            // "": the server asks for none
	command string            // this program, for hosts that start one
	args    []string          // of the bridge
	env     map[string]string // where the bridge finds the server's configuration
}

// stdioEntry describes a server that the host starts.
type stdioEntry struct {
	Command string            `json:"command"`
	Args    []string          `json:"args"`
	Env     map[string]string `json:"env"`
}

// httpEntry describes a server that the host reaches by HTTP.
type httpEntry struct {
	Type    string            `json:"type,omitempty"`
	URL     string            `json:"url,omitempty"`
	HTTPURL string            `json:"httpUrl,omitempty"`
	Headers map[string]string `json:"headers,omitempty"`
}

func (c *connection) headers() map[string]string {
	if c.key == "" {
		return nil
	}
	return map[string]string{"Authorization": "Bearer " + c.key}
}

func (c *connection) stdio() any {
	env := map[string]string{"STROEM_URL": c.url}
	maps.Copy(env, c.env)
	if c.key != "" {
		env["STROEM_TOKEN"] = c.key
	}
	return stdioEntry{c.command, append([]string{"mcp"}, c.args...), env}
}

// place is a machine, as far as hosts look at it to find their files.
type place struct {
	goos   string
	getenv func(string) string
	home   string
}

// or is the folder that a variable names, else one below the home.
func (p place) or(variable string, below ...string) string {
	if dir := p.getenv(variable); filepath.IsAbs(dir) {
		return dir
	}
	return filepath.Join(append([]string{p.home}, below...)...)
}

// config is where programs keep what a person has set.
func (p place) config() string {
	switch p.goos {
	case "darwin":
		return filepath.Join(p.home, "Library", "Application Support")
	case "windows":
		return p.or("APPDATA", "AppData", "Roaming")
	}
	return p.or("XDG_CONFIG_HOME", ".config")
}

// host is a program that lets an agent use MCP servers.
type host struct {
	name, title string
	files       func(place) []string // each is one that the host may read
	section     string               // which holds the servers by name
	toml        bool                 // else JSON
	comments    bool                 // it reads JSON with comments and trailing commas
	starts      bool                 // it starts servers, and reaches none by HTTP
	entry       func(*connection) any
	next        string // what makes it look at its file again
}

var hosts = []host{
	{name: "claude-desktop", title: "Claude Desktop", files: claudeDesktopFiles, section: "mcpServers", starts: true,
		entry: (*connection).stdio, next: "Quit Claude Desktop and start it again."},
	{name: "claude-code", title: "Claude Code", section: "mcpServers",
		files: func(p place) []string { return []string{filepath.Join(p.or("CLAUDE_CONFIG_DIR"), ".claude.json")} },
		entry: func(c *connection) any {
			return httpEntry{Type: "http", URL: c.url + "/mcp", Headers: c.headers()} // without a type it is dropped silently
		}, next: "Start a new session of Claude Code; /mcp shows the server."},
	{name: "cursor", title: "Cursor", section: "mcpServers", comments: true,
		files: func(p place) []string { return []string{filepath.Join(p.home, ".cursor", "mcp.json")} },
		entry: func(c *connection) any { return httpEntry{URL: c.url + "/mcp", Headers: c.headers()} },
		next:  "Restart Cursor, or turn the server on under Settings, MCP."},
	{name: "vscode", title: "VS Code", section: "servers", comments: true,
		files: func(p place) []string { return []string{filepath.Join(p.config(), "Code", "User", "mcp.json")} },
		entry: func(c *connection) any { return httpEntry{Type: "http", URL: c.url + "/mcp", Headers: c.headers()} },
		next:  "In VS Code, run the command \"MCP: List Servers\" and start stroem."},
	{name: "codex", title: "Codex", section: "mcp_servers", toml: true,
		files: func(p place) []string { return []string{filepath.Join(p.or("CODEX_HOME", ".codex"), "config.toml")} },
		entry: func(c *connection) any { return httpEntry{URL: c.url + "/mcp", Headers: c.headers()} },
		next:  "Start Codex again; /mcp shows the server."},
	{name: "gemini", title: "Gemini CLI", section: "mcpServers", comments: true,
		files: func(p place) []string { return []string{filepath.Join(p.home, ".gemini", "settings.json")} },
		entry: func(c *connection) any { return httpEntry{HTTPURL: c.url + "/mcp", Headers: c.headers()} }, // url would mean SSE
		next:  "Start Gemini CLI again; /mcp shows the server."},
	{name: "zed", title: "Zed", files: zedFiles, section: "context_servers", comments: true,
		entry: func(c *connection) any { return httpEntry{URL: c.url + "/mcp", Headers: c.headers()} },
		next:  "Zed reads its settings at once; the Agent panel's settings show the server."},
}

// hostNames are the hosts for the grammar.
func hostNames() string {
	var names []string
	for _, h := range hosts {
		names = append(names, h.name)
	}
	return strings.Join(names, ",")
}

// hostNamed is the host of that name, which the grammar has checked.
func hostNamed(name string) *host {
	return &hosts[slices.IndexFunc(hosts, func(h host) bool { return h.name == name })]
}

func zedFiles(p place) []string {
	dir := filepath.Join(p.home, ".config", "zed") // on macOS too
	switch p.goos {
	case "windows":
		dir = filepath.Join(p.config(), "Zed")
	case "linux":
		dir = filepath.Join(p.config(), "zed")
	}
	return []string{filepath.Join(dir, "settings.json")}
}

const claudeDesktopFile = "claude_desktop_config.json"

// claudeDesktopFiles are several on Windows: what is installed from the Store,
// or by the installer of 2026, is a package that sees a copy of AppData of its
// own, and the usual file may remain beside it from an earlier version.
func claudeDesktopFiles(p place) []string {
	if file := p.getenv("CLAUDE_DESKTOP_CONFIG"); file != "" {
		return []string{file}
	}
	usual := filepath.Join(p.config(), "Claude", claudeDesktopFile)
	if p.goos != "windows" {
		return []string{usual}
	}
	local := p.or("LOCALAPPDATA", "AppData", "Local")
	var list []string
	for _, dir := range claudeFolders(filepath.Join(local, "Packages")) {
		list = append(list, filepath.Join(dir, "LocalCache", "Roaming", "Claude", claudeDesktopFile))
	}
	// Where the newest builds keep it is known by reports alone: a file that
	// is there is theirs, but none is made.
	for _, dir := range claudeFolders(filepath.Join(local, "Claude-Data")) {
		for _, below := range []string{"", "Claude", filepath.Join("Roaming", "Claude"), filepath.Join("LocalCache", "Roaming", "Claude")} {
			if file := filepath.Join(dir, below, claudeDesktopFile); exists(file) {
				list = append(list, file)
			}
		}
	}
	if len(list) == 0 || exists(usual) {
		list = append(list, usual)
	}
	return list
}

// claudeFolders are the folders in dir that the packages of Claude Desktop
// have, whoever signed them.
func claudeFolders(dir string) (list []string) {
	entries, _ := os.ReadDir(dir) // none where it cannot be read
	for _, f := range entries {
		if strings.HasPrefix(strings.ToLower(f.Name()), "claude_") {
			list = append(list, filepath.Join(dir, f.Name()))
		}
	}
	return list
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// edit is the host's file with the entry in the place of what it has of ours,
// which it returns too; with nil as entry that is taken out.
func (h *host) edit(doc []byte, entry any) (after, old []byte, err error) {
	if h.toml {
		return editTOML(doc, h.section, entry)
	}
	return editJSON(doc, h, entry)
}

// fragment is what a host's file must hold, to be read by people.
func (h *host) fragment(c *connection) (string, error) {
	doc, _, err := h.edit(nil, h.entry(c))
	return string(doc), err
}

// encoded is v as JSON; with an indent of more lines than one.
func encoded(v any, prefix, indent string) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent(prefix, indent)
	err := enc.Encode(v)
	return bytes.TrimSpace(b.Bytes()), err
}
