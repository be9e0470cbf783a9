package cli

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"unicode"

	"stroem/auth"
	"stroem/store"
)

const (
	// aKey stands for a key that is not made, in what is only shown.
	aKey = "strm_…"
	// noKey is what --key says of a server that asks for none.
	noKey = "none"
)

type connectCmd struct {
	Host   string    `arg:"" enum:"${hosts}" help:"The host, one of ${hosts}."`
	Limits keyLimits `embed:""`
	Key    string    `placeholder:"KEY" help:"Use this key and make none; '-' reads it from standard input, 'none' is for a server that asks for none."`
	Print  bool      `help:"Show what would be written, and change nothing."`
}

// Help shows how the command is used.
func (connectCmd) Help() string {
	return "Writes the server into the file in which the host keeps its MCP servers, and leaves all else there as it is; a copy of the file as it was is kept beside it. " +
		"Where sign-in is on, a key is made for the host that works at /mcp alone; the key of an earlier connect is revoked.\n\n" +
		shown("stroem connect claude-desktop", "stroem connect vscode --print", "stroem connect cursor --user ada@example.org --read-only --task 'deploy/*'",
			"stroem --url https://stroem.example.org connect zed --key strm_…")
}

// Run connects the host. No key is made before it is sure that every file of
// the host can be changed.
func (c *connectCmd) Run(e *env) error {
	h := hostNamed(c.Host)
	cfg, err := e.settings()
	if err != nil {
		return err
	}
	conn, makes, err := c.connection(e, cfg, h)
	if err != nil {
		return err
	}
	files, err := hostFiles(h)
	if err != nil {
		return err
	}
	if c.Print {
		return e.wouldWrite(h, conn, files)
	}
	changes, err := changesOf(h, files, h.entry(conn))
	if err != nil {
		return err
	}
	var k *madeKey
	if makes {
		if k, err = e.makeKey(h.name, &c.Limits); err != nil {
			return err
		}
		conn.key = k.plain
		changes, err = changesOf(h, files, h.entry(conn))
	}
	if err == nil {
		err = writeChanges(changes)
	}
	if err != nil {
		return e.unmake(k, changes, err)
	}
	revoked := e.revokeKeys(h.name, changes, conn.key)
	return e.connected(h, conn, k, changes, revoked)
}

// connection says where the server is and with what to reach it. makes is
// whether a key must be made, whose place a mark takes.
func (c *connectCmd) connection(e *env, cfg *Config, h *host) (conn *connection, makes bool, err error) {
	if err := c.Limits.check(); err != nil {
		return nil, false, err
	}
	cl, err := (&env{ctx: e.ctx, url: e.served(cfg)}).visitor() // checks the address
	if err != nil {
		return nil, false, err
	}
	conn = &connection{url: cl.base}
	u, err := url.Parse(conn.url)
	if err != nil {
		return nil, false, err
	}
	own := isLoopback(u.Hostname()) || conn.url == e.address() || cfg.Auth != nil && conn.url == baseOf(cfg.Auth.BaseURL)
	if conn.key, makes, err = c.key(cfg, own, conn.url); err != nil {
		return nil, false, err
	}
	if conn.key != "" && inClear(conn.url) {
		conn.args = []string{"--allow-http"}
		err = e.mayShow(conn.url, "key")
	}
	if err != nil || !h.starts {
		return conn, makes, err
	}
	if conn.command, err = lastingProgram(); err != nil {
		return nil, false, err
	}
	if own {
		conn.env, err = e.whereData(cfg)
	}
	return conn, makes, err
}

// key is what --key gives, or a mark where one must be made.
func (c *connectCmd) key(cfg *Config, own bool, base string) (key string, makes bool, err error) {
	switch {
	case c.Key != "" && c.Limits.given():
		return "", false, usage("--key: the limits of a key are set when it is made; leave the other flags out")
	case c.Key == noKey:
		return "", false, nil
	case c.Key == "-":
		if key, err = passwordFrom(os.Stdin); err != nil {
			return "", false, err
		}
	case c.Key != "":
		key = c.Key
	case !own:
		return "", false, usage("%s keeps its keys itself: give one that was made there with --key, or --key none if it asks for none", base)
	case cfg.Auth != nil:
		return aKey, true, nil
	case c.Limits.given():
		return "", false, usage("sign-in is off (there is no auth: in the configuration): the server takes every caller, and a key would limit nobody")
	default:
		return "", false, nil
	}
	if key == "" || strings.ContainsFunc(key, func(r rune) bool { return r > unicode.MaxASCII || r <= ' ' || r == 0x7f }) {
		return "", false, usage("--key: this is no key")
	}
	return key, false, nil
}

// served is the address at which callers reach the server.
func (e *env) served(cfg *Config) string {
	base := ""
	if cfg.Auth != nil {
		base = cfg.Auth.BaseURL
	}
	return baseOf(cmp.Or(e.url, base, e.address()))
}

// whereData tells the bridge which server to start where none runs: a host
// starts it in a folder of its own, without what is set here.
func (e *env) whereData(cfg *Config) (map[string]string, error) {
	vars := map[string]string{}
	if cfg.file != "" {
		file, err := filepath.Abs(cfg.file)
		if err != nil {
			return nil, fmt.Errorf("--config: %w", err)
		}
		vars["STROEM_CONFIG"] = file
	}
	if e.data != "" {
		vars["STROEM_DATA"] = cfg.Data
	}
	return vars, nil
}

// builtToRun is a folder in which the go command builds what it runs at once.
var builtToRun = regexp.MustCompile(`^(go-build.*|[0-9a-f]{64}-d)$`)

// lastingProgram is the path of this program, if that will be there tomorrow.
func lastingProgram() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find this program: %w", err)
	}
	for _, part := range strings.FieldsFunc(filepath.Dir(self), func(r rune) bool { return os.IsPathSeparator(uint8(r)) }) { //nolint:gosec // separators are ASCII
		if builtToRun.MatchString(part) {
			return "", fmt.Errorf("%s is what `go run` built for this once, and will be gone; build the program (go build -o stroem .), put it where it can stay, and connect with that", self)
		}
	}
	return self, nil
}

// hostFiles are the files of the host on this machine.
func hostFiles(h *host) ([]string, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		return nil, fmt.Errorf("find the files of %s: %w", h.title, err)
	}
	files := h.files(place{runtime.GOOS, os.Getenv, home})
	for i, f := range files {
		if files[i], err = filepath.Abs(f); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// wouldWrite shows what the files would hold of ours.
func (e *env) wouldWrite(h *host, conn *connection, files []string) error {
	if conn.key != "" {
		conn.key = aKey
	}
	text, err := h.fragment(conn)
	if err != nil {
		return err
	}
	if e.json {
		return e.printJSON(map[string]any{"host": h.name, "files": files, "text": text})
	}
	e.println("In " + strings.Join(files, " and ") + ":\n\n" + text + "\nNothing was changed.")
	return nil
}

// madeKey is a key that was made for a host.
type madeKey struct {
	store.APIKey
	plain, owner string
}

func (e *env) makeKey(host string, l *keyLimits) (*madeKey, error) {
	var k madeKey
	return &k, e.onData(func(ctx context.Context, _ *Config, _ *store.Store, g *auth.Gate) error {
		plain, made, u, err := l.newKey(ctx, g, host, true)
		k = madeKey{made, plain, u.Email}
		return err
	})
}

// unmake revokes a key that came to nothing: that stands in no file.
func (e *env) unmake(k *madeKey, changes []change, why error) error {
	if k == nil || slices.ContainsFunc(changes, func(c change) bool { return c.written }) {
		return why
	}
	err := e.onData(func(ctx context.Context, _ *Config, _ *store.Store, g *auth.Gate) error {
		return g.RevokeKey(ctx, k.Prefix)
	})
	if err != nil {
		return fmt.Errorf("%w; the key %s was made and could not be revoked: %w", why, k.Prefix, err)
	}
	return why
}

// connected says what was done and what to do next.
func (e *env) connected(h *host, conn *connection, k *madeKey, changes []change, revoked []string) error {
	if e.json {
		doc := map[string]any{"host": h.name, "url": conn.url + "/mcp", "files": written(changes), "revoked": revoked}
		if k != nil {
			doc["key_prefix"] = k.Prefix
		}
		return e.printJSON(doc)
	}
	for _, c := range changes {
		e.println(c.told(h.title + " can use " + conn.url + "/mcp: stroem stands in "))
	}
	if k != nil {
		e.println(fmt.Sprintf("Its key is %s… (%s), which acts for %s.", k.Prefix, limits(&k.APIKey), k.owner))
	}
	for _, prefix := range revoked {
		e.println("The key it had before, " + prefix + "…, is revoked.")
	}
	e.println(h.next)
	e.tryOut(h, conn)
	return nil
}

// tryOut tells what would still keep the host from working.
func (e *env) tryOut(h *host, conn *connection) {
	c := &client{base: conn.url, token: conn.key}
	switch d := (mcpDoctor{e, c}); {
	case !e.answers(c) && h.starts && (conn.url == usualServer || conn.url == e.address()):
		// the bridge starts a server
	case !e.answers(c):
		e.tell("no server answers at " + conn.url + " now; start it with `stroem serve`")
	default:
		if _, err := d.tools(); err != nil {
			e.tell("the server at " + conn.url + " is not ready for it: " + err.Error())
		}
	}
}

type disconnectCmd struct {
	Host string `arg:"" enum:"${hosts}" help:"The host, one of ${hosts}."`
}

// Help shows how the command is used.
func (disconnectCmd) Help() string { return shown("stroem disconnect claude-desktop") }

// Run takes the entry out. The key is revoked first: while it stands in the
// file, it can be found again.
func (c *disconnectCmd) Run(e *env) error {
	h := hostNamed(c.Host)
	files, err := hostFiles(h)
	if err != nil {
		return err
	}
	changes, err := changesOf(h, files, nil)
	if err != nil {
		return err
	}
	revoked := e.revokeKeys(h.name, changes, "")
	if err := writeChanges(changes); err != nil {
		return err
	}
	if e.json {
		return e.printJSON(map[string]any{"host": h.name, "files": written(changes), "revoked": revoked})
	}
	done := written(changes)
	if len(done) == 0 {
		e.println(h.title + " is not connected: stroem does not stand in " + strings.Join(files, " or ") + ".")
		return nil
	}
	for _, c := range changes {
		if c.differs() {
			e.println(c.told("Took stroem out of "))
		}
	}
	for _, prefix := range revoked {
		e.println("Its key " + prefix + "… is revoked.")
	}
	return nil
}
