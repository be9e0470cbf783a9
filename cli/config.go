package cli

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"stroem/auth"
	"stroem/workspace"
)

// defaultFile is read when no configuration is named.
const defaultFile = "server-config.yaml"

// keepLog is what is kept of a step's log where nothing else is said.
const keepLog = 64 << 20

// keepDays is how long ended jobs are kept where nothing else is said.
const keepDays = 90

// maxDays is as long as a span of time can be.
const maxDays = 100_000

// Config is server-config.yaml.
type Config struct {
	Listen         string                     `yaml:"listen"`
	InsecureListen bool                       `yaml:"insecure_listen"`
	Data           string                     `yaml:"data"`
	Workspaces     map[string]WorkspaceConfig `yaml:"workspaces"`
	MCP            MCPConfig                  `yaml:"mcp"`
	Runner         RunnerConfig               `yaml:"runner"`
	Log            LogConfig                  `yaml:"log"`
	Retention      RetentionConfig            `yaml:"retention"`
	Artifacts      ArtifactConfig             `yaml:"artifact_storage"`
	AllowEnv       []string                   `yaml:"allow_env"` // what get_env may read
	StepTimeout    Duration                   `yaml:"default_step_timeout"`
	JobTimeout     Duration                   `yaml:"default_job_timeout"`
	Auth           *AuthConfig                `yaml:"auth"`
	ACL            *ACLConfig                 `yaml:"acl"`
	Approval       ApprovalConfig             `yaml:"approval"`
	TrustedProxies []string                   `yaml:"trusted_proxies"` // whose word on where a request comes from counts

	file  string            // where it was read, "" without one
	from  map[string]string // the variable that set a key, for those that one did
	notes []string          // what keys of the original mean here
}

// WorkspaceConfig says where a workspace comes from.
type WorkspaceConfig struct {
	Type string `yaml:"type"` // folder
	Path string `yaml:"path"`
}

// MCPConfig is the mcp section.
type MCPConfig struct {
	Enabled        bool     `yaml:"enabled"`
	AllowedHosts   []string `yaml:"allowed_hosts"`
	AllowedOrigins []string `yaml:"allowed_origins"`
}

// RunnerConfig is the runner section.
type RunnerConfig struct {
	MaxConcurrent int `yaml:"max_concurrent"` // steps at a time
}

// LogConfig is the log section.
type LogConfig struct {
	MaxBytes Size `yaml:"max_bytes"` // kept per step
}

// RetentionConfig is the retention section: which ended jobs are kept.
type RetentionConfig struct {
	JobDays  int  `yaml:"job_days"`  // after their end
	MaxBytes Size `yaml:"max_bytes"` // of live data in the database; 0: without bound
}

// ArtifactConfig is the artifact_storage section: what steps may leave to be
// kept. Where a key is left out, the runner knows what to do.
type ArtifactConfig struct {
	MaxFileBytes Size `yaml:"max_file_bytes"`
	MaxJobBytes  Size `yaml:"max_job_bytes"` // of a job, in all
}

// notBuilt are keys, as patterns of path.Match, whose part does not exist yet.
// A configuration that relies on one of them must not run as if it were not
// there.
var notBuilt = []string{
	"auth/providers/*/issuer_url", "auth/providers/*/client_id", "auth/providers/*/client_secret",
	"auth/providers/*/default_groups",
	"workspaces/*/url", "workspaces/*/ref", "workspaces/*/poll_interval_secs", "workspaces/*/auth",
}

func isNotBuilt(key string) bool {
	return slices.ContainsFunc(notBuilt, func(pattern string) bool {
		ok, err := path.Match(pattern, strings.ReplaceAll(key, ".", "/"))
		return ok && err == nil
	})
}

// original are keys of the original Strøm that mean something else here.
var original = map[string]string{
	"db":            "not used: everything is kept in one SQLite file in the data folder",
	"worker_token":  "not used: the server runs the steps itself",
	"log_storage":   "not used: logs are kept in the data folder",
	"recovery":      "not used: steps outlive the server and are found again at once",
	"state_storage": "not used: state snapshots are not kept yet, and tasks that need them are refused",
	"agents":        "not used: tasks with steps of type agent are refused",
	"libraries":     "not used: tasks that use a library are refused",
	"git_auth":      "not used: workspaces are folders",
	"metrics":       "not used: there is no /metrics yet",

	"retention.worker_hours":  "not used: the server runs the steps itself, so there are no workers to forget",
	"retention.interval_secs": "not used: retention looks each hour, and whenever the data outgrows retention.max_bytes",
}

// loadConfig finds and reads the configuration: the named file, else
// server-config.yaml here, else none. STROEM__A__B=value stands over a.b.
func loadConfig(file string, environ []string) (*Config, error) {
	c := &Config{file: file, from: map[string]string{}}
	if file == "" {
		if _, err := os.Stat(defaultFile); err == nil {
			c.file = defaultFile
		}
	}
	tree := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	if c.file != "" {
		var err error
		if tree, err = readTree(c.file); err != nil {
			return nil, err
		}
	}
	var errs []error
	errs = append(errs, c.check(tree, reflect.TypeFor[Config](), "", c.file)...)
	for _, kv := range environ {
		if name, value, _ := strings.Cut(kv, "="); strings.HasPrefix(name, "STROEM__") {
			errs = append(errs, c.override(tree, name, value)...)
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	c.MCP.Enabled = c.file == ""
	c.Runner.MaxConcurrent, c.Log.MaxBytes, c.Retention.JobDays = 2*runtime.NumCPU(), keepLog, keepDays
	if err := tree.Decode(c); err != nil {
		return nil, fmt.Errorf("%s: %w", cmp.Or(c.file, "configuration"), err)
	}
	given := func(key string) bool { return slices.Contains(topKeys(tree), key) }
	if err := c.completeAuth(given); err != nil {
		return nil, err
	}
	return c, c.complete()
}

// topKeys are the sections that the configuration has, empty ones too.
func topKeys(tree *yaml.Node) (names []string) {
	for i := 0; i+1 < len(tree.Content); i += 2 {
		names = append(names, tree.Content[i].Value)
	}
	return names
}

func readTree(file string) (*yaml.Node, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read configuration (--config): %w", err)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(doc.Content) == 0 { // an empty file
		return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}, nil
	}
	return doc.Content[0], nil
}

// check names every key of the node that the type does not have.
func (c *Config) check(n *yaml.Node, t reflect.Type, at, where string) (errs []error) {
	place := func(n *yaml.Node) string {
		if n.Line == 0 {
			return where
		}
		return fmt.Sprintf("%s:%d:%d", where, n.Line, n.Column)
	}
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct && n.Kind == yaml.SequenceNode {
		for i, item := range n.Content {
			errs = append(errs, c.check(item, t.Elem(), fmt.Sprintf("%s[%d]", at, i), where)...)
		}
		return errs
	}
	if t.Kind() != reflect.Struct && t.Kind() != reflect.Map {
		if want := misfit(n, t); want != "" {
			errs = append(errs, fmt.Errorf("%s: %s must be %s, not %q", place(n), at, want, n.Value))
		}
		return errs
	}
	if n.Kind != yaml.MappingNode {
		if n.Tag == "!!null" {
			return nil
		}
		return []error{fmt.Errorf("%s: %s must be a map", place(n), cmp.Or(at, "the configuration"))}
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		full := strings.TrimPrefix(at+"."+key.Value, ".")
		inner, known := member(t, key.Value)
		switch {
		case known:
			errs = append(errs, c.check(value, inner, full, where)...)
		case isNotBuilt(full):
			errs = append(errs, fmt.Errorf("%s: %q cannot be used yet; remove it to start without it", place(key), full))
		case original[full] != "":
			c.notes = append(c.notes, fmt.Sprintf("%s: %s", full, original[full]))
		case t == reflect.TypeFor[ArtifactConfig]() && workspace.Nearest(key.Value, keys(t)) == "": // where the original keeps them
			c.notes = append(c.notes, full+": not used: artifacts are kept in the data folder")
		default:
			text := fmt.Sprintf("%s: unknown key %q", place(key), full)
			if near := workspace.Nearest(key.Value, keys(t)); near != "" {
				text += fmt.Sprintf("; did you mean %q?", near)
			}
			errs = append(errs, errors.New(text))
		}
	}
	return errs
}

// misfit says what a value must be, if it is not.
func misfit(n *yaml.Node, t reflect.Type) (want string) {
	switch {
	case n.Tag == "!!null":
	case t == reflect.TypeFor[Size](), t == reflect.TypeFor[Duration](), t == reflect.TypeFor[auth.Perm](): // have words of their own
	case t.Kind() == reflect.Bool && n.ShortTag() != "!!bool":
		return "true or false"
	case t.Kind() == reflect.Int && n.ShortTag() != "!!int":
		return "a whole number"
	case t.Kind() == reflect.String && n.Kind != yaml.ScalarNode:
		return "a text"
	case t.Kind() == reflect.Slice && n.Kind != yaml.SequenceNode:
		return "a list"
	}
	return ""
}

// member is the type of a key of a struct or map.
func member(t reflect.Type, key string) (reflect.Type, bool) {
	if t.Kind() == reflect.Map {
		return t.Elem(), true
	}
	for f := range t.Fields() {
		if f.Tag.Get("yaml") == key {
			return f.Type, true
		}
	}
	return nil, false
}

func keys(t reflect.Type) (names []string) {
	for f := range t.Fields() {
		if name := f.Tag.Get("yaml"); name != "" {
			names = append(names, name)
		}
	}
	if t == reflect.TypeFor[Config]() {
		names = append(names, notBuilt...)
	}
	return names
}

// override puts the value of STROEM__A__B at a.b of the tree.
func (c *Config) override(tree *yaml.Node, name, value string) []error {
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(value), &doc); err != nil {
		return []error{fmt.Errorf("%s: %w", name, err)}
	}
	leaf := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null"}
	if len(doc.Content) > 0 {
		leaf = doc.Content[0]
	}
	unplaced(leaf)
	steps := strings.Split(strings.ToLower(strings.TrimPrefix(name, "STROEM__")), "__")
	chain := leaf
	for _, key := range slices.Backward(steps) {
		chain = &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Content: []*yaml.Node{scalar(key), chain}}
	}
	if errs := c.check(chain, reflect.TypeFor[Config](), "", name); len(errs) > 0 {
		return errs
	}
	c.from[strings.Join(steps, ".")] = name
	at := tree
	for _, key := range steps[:len(steps)-1] {
		next := child(at, key)
		if next.Kind != yaml.MappingNode {
			*next = yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
		}
		at = next
	}
	*child(at, steps[len(steps)-1]) = *leaf
	return nil
}

// unplaced takes away a node's lines, which are those of no file.
func unplaced(n *yaml.Node) {
	n.Line, n.Column = 0, 0
	for _, c := range n.Content {
		unplaced(c)
	}
}

func scalar(text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
}

// child is the value of a key of a map, made if it is not there. Names of
// workspaces are found in any case, since variables are written in capitals.
func child(m *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(m.Content); i += 2 {
		if strings.EqualFold(m.Content[i].Value, key) {
			return m.Content[i+1]
		}
	}
	v := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null"}
	m.Content = append(m.Content, scalar(key), v)
	return v
}

// complete fills in defaults, resolves paths and checks values.
func (c *Config) complete() error {
	c.Listen = cmp.Or(c.Listen, "127.0.0.1:8080")
	host, port, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return c.fault("listen", "%q is not an address; write host:port, for example 127.0.0.1:8080", c.Listen)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return c.fault("listen", "%q is not a port; write a number up to 65535", port)
	}
	if c.Auth == nil && !c.InsecureListen && !isLoopback(host) {
		return c.fault("listen", "%s can be reached from other machines, and without sign-in everybody there could run tasks; "+
			"use 127.0.0.1:%s, turn sign-in on (auth: {}), or set insecure_listen: true if something else guards the port", c.Listen, port)
	}
	if c.Runner.MaxConcurrent < 1 {
		return c.fault("runner.max_concurrent", "must be at least 1")
	}
	if c.Log.MaxBytes < 1<<20 {
		return c.fault("log.max_bytes", "must be at least 1MiB, of which a log keeps its first and its last half")
	}
	if d := c.Retention.JobDays; d < 1 || d > maxDays {
		return c.fault("retention.job_days", "must be from 1 to %d; the largest keeps jobs for as good as ever", maxDays)
	}
	if b := c.Retention.MaxBytes; b != 0 && b < 1<<20 {
		return c.fault("retention.max_bytes", "must be at least 1MiB")
	}
	if c.Data == "" {
		if c.Data, err = defaultData(); err != nil {
			return err
		}
	}
	c.Data = c.relative(c.Data)
	for name, w := range c.Workspaces {
		key := "workspaces." + name
		switch {
		case cmp.Or(w.Type, "folder") != "folder":
			return c.fault(key+".type", "%q cannot be used yet; a workspace is of type folder", w.Type)
		case w.Path == "":
			return c.fault(key+".path", "is missing; give the workspace's folder")
		}
		w.Path = c.relative(w.Path)
		c.Workspaces[name] = w
	}
	return nil
}

func (c *Config) fault(key, format string, args ...any) error {
	return fmt.Errorf("%s: %s: "+format, append([]any{cmp.Or(c.from[key], c.file, "configuration"), key}, args...)...)
}

// relative makes a path of the file relative to it, and absolute.
func (c *Config) relative(path string) string {
	if !filepath.IsAbs(path) && c.file != "" {
		path = filepath.Join(filepath.Dir(c.file), path)
	}
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// defaultData is the data folder of this user on this system.
func defaultData() (string, error) {
	home, err := os.UserHomeDir()
	dir := ""
	switch runtime.GOOS {
	case "windows":
		dir = os.Getenv("LOCALAPPDATA")
	case "darwin":
		if err == nil {
			dir = filepath.Join(home, "Library", "Application Support")
		}
	default:
		if dir = os.Getenv("XDG_DATA_HOME"); !filepath.IsAbs(dir) && err == nil {
			dir = filepath.Join(home, ".local", "share")
		}
	}
	if dir == "" {
		return "", errors.New("this user has no home folder; name a data folder with --data")
	}
	return filepath.Join(dir, "stroem"), nil
}
