package cli

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"stroem/auth"
	"stroem/store"
)

type apikeyCmd struct {
	Create apikeyCreateCmd `cmd:"" help:"Make a key; it is shown once."`
	List   apikeyListCmd   `cmd:"" help:"List the keys."`
	Revoke apikeyRevokeCmd `cmd:"" help:"Make a key worthless at once."`
}

// Help says where the commands act.
func (apikeyCmd) Help() string { return onDataHelp }

type apikeyCreateCmd struct {
	Name    string    `arg:"" help:"What the key is for."`
	Limits  keyLimits `embed:""`
	MCPOnly bool      `name:"mcp-only" help:"It works at /mcp alone."`
}

// keyLimits are the flags that say for whom a new key acts, and how far.
type keyLimits struct {
	User      string   `placeholder:"EMAIL" help:"Whose key it is (owner@localhost, who may do everything)."`
	ReadOnly  bool     `help:"The key may look, and change nothing."`
	Workspace []string `short:"w" sep:"none" placeholder:"W" help:"The key may use this workspace alone; may be given several times."`
	Task      []string `sep:"none" placeholder:"PATTERN" help:"The key may use these tasks alone, such as 'deploy/*' for those in the folder deploy; may be given several times."`
	Days      int      `placeholder:"N" help:"The key ends after so many days; without this it does not."`
}

// given reports whether any of them is on the command line.
func (l *keyLimits) given() bool {
	return l.User != "" || l.ReadOnly || len(l.Workspace)+len(l.Task) > 0 || l.Days != 0
}

func (l *keyLimits) check() error {
	if l.Days < 0 {
		return usage("--days: a key cannot end in the past")
	}
	return nil
}

// newKey makes a key with these limits.
func (l *keyLimits) newKey(ctx context.Context, g *auth.Gate, name string, mcpOnly bool) (plain string, k store.APIKey, u store.User, err error) {
	if l.User == "" {
		u, err = g.OwnerAccount(ctx)
	} else {
		u, err = userNamed(ctx, g, l.User)
	}
	if err != nil {
		return "", k, u, err
	}
	want := store.APIKey{User: u.ID, Name: name, ReadOnly: l.ReadOnly, MCPOnly: mcpOnly, Workspaces: l.Workspace, Tasks: l.Task}
	if l.Days > 0 {
		want.ExpiresAt = time.Now().AddDate(0, 0, l.Days)
	}
	plain, k, err = g.NewKey(ctx, want)
	return plain, k, u, err
}

// Help shows how the command is used.
func (apikeyCreateCmd) Help() string {
	return shown("stroem apikey create claude --mcp-only", "stroem apikey create ci --user ci@example.org --task 'deploy/*' --days 90",
		"stroem apikey create dashboard --read-only --json | jq -r .key")
}

func (c *apikeyCreateCmd) Run(e *env) error {
	if err := c.Limits.check(); err != nil {
		return err
	}
	return e.onData(func(ctx context.Context, cfg *Config, _ *store.Store, g *auth.Gate) error {
		plain, k, u, err := c.Limits.newKey(ctx, g, c.Name, c.MCPOnly)
		if err != nil {
			return err
		}
		if e.json {
			return e.printJSON(map[string]any{"key": plain, "name": k.Name, "prefix": k.Prefix, "user": u.Email})
		}
		e.println(plain)
		e.println("\nThis is the only time the key is shown. It acts for " + u.Email + ".")
		if cfg.Auth == nil {
			e.println("Sign-in is off (there is no auth: in the configuration): the server takes every caller, with or without a key.")
		}
		return e.howToConnect(cfg, plain)
	})
}

// howToConnect shows what to give an agent's host, ready to be pasted.
func (e *env) howToConnect(cfg *Config, key string) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	c := &connection{url: e.served(cfg), key: key, command: self}
	doc, err := hostNamed("claude-desktop").fragment(c)
	if err != nil {
		return err
	}
	e.println(fmt.Sprintf(`
Claude Code:

  claude mcp add --transport http stroem %s/mcp --header "Authorization: Bearer %s"

Claude Desktop, in its claude_desktop_config.json:

  %s

stroem connect HOST makes a key and writes it there by itself.`, c.url, key, strings.ReplaceAll(strings.TrimSpace(doc), "\n", "\n  ")))
	return nil
}

type apikeyListCmd struct {
	User string `placeholder:"EMAIL" help:"Only this account's keys."`
}

// listedKey is a key with whose it is.
type listedKey struct {
	store.APIKey
	Email string `json:"user"`
}

func (c *apikeyListCmd) Run(e *env) error {
	return e.onData(func(ctx context.Context, _ *Config, _ *store.Store, g *auth.Gate) error {
		users, err := g.Users(ctx)
		if err != nil {
			return err
		}
		emails := map[string]string{}
		for _, u := range users {
			emails[u.ID] = u.Email
		}
		all, err := g.Keys(ctx, "")
		if err != nil {
			return err
		}
		list := []listedKey{}
		for _, k := range all {
			if email := emails[k.User]; c.User == "" || strings.EqualFold(c.User, email) {
				list = append(list, listedKey{k, email})
			}
		}
		if e.json {
			return e.printJSON(list)
		}
		return e.keyTable(list)
	})
}

func (e *env) keyTable(list []listedKey) error {
	if len(list) == 0 {
		e.println("There is no key yet; stroem apikey create NAME makes one.")
		return nil
	}
	var rows [][]string
	for _, k := range list {
		rows = append(rows, []string{k.Prefix, k.Name, k.Email, limits(&k.APIKey), when(k.CreatedAt), when(k.LastUsedAt), when(k.ExpiresAt)})
	}
	e.table([]column{{head: "PREFIX"}, {head: "NAME", least: 8}, {head: "USER", least: 8}, {head: "LIMITS", least: 8}, {head: "CREATED"},
		{head: "LAST USED"}, {head: "ENDS"}}, rows)
	return nil
}

// limits says what narrows a key.
func limits(k *store.APIKey) string {
	var list []string
	if k.ReadOnly {
		list = append(list, "read-only")
	}
	if k.MCPOnly {
		list = append(list, "mcp-only")
	}
	if len(k.Workspaces) > 0 {
		list = append(list, "workspaces "+strings.Join(k.Workspaces, " "))
	}
	if len(k.Tasks) > 0 {
		list = append(list, "tasks "+strings.Join(k.Tasks, " "))
	}
	return strings.Join(list, ", ")
}

type apikeyRevokeCmd struct {
	Prefix string `arg:"" help:"The key's first 12 characters, as apikey list shows them."`
}

func (c *apikeyRevokeCmd) Run(e *env) error {
	return e.onData(func(ctx context.Context, _ *Config, _ *store.Store, g *auth.Gate) error {
		if err := g.RevokeKey(ctx, c.Prefix); err != nil {
			return err
		}
		e.println("revoked " + c.Prefix)
		return nil
	})
}
