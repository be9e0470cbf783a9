package cli

import (
	"context"

	"stroem/auth"
	"stroem/store"
)

type oauthCmd struct {
	List   oauthListCmd   `cmd:"" help:"List the remote agents that people gave access to."`
	Revoke oauthRevokeCmd `cmd:"" help:"Take a remote agent's access away at once."`
}

// Help says where the commands act.
func (oauthCmd) Help() string { return onDataHelp }

type oauthListCmd struct {
	User string `placeholder:"EMAIL" help:"Only what this account gave."`
}

func (c *oauthListCmd) Run(e *env) error {
	return e.onData(func(ctx context.Context, _ *Config, _ *store.Store, g *auth.Gate) error {
		user := ""
		if c.User != "" {
			u, err := userNamed(ctx, g, c.User)
			if err != nil {
				return err
			}
			user = u.ID
		}
		list, err := g.Grants(ctx, user)
		if err != nil {
			return err
		}
		if e.json {
			return e.printJSON(list)
		}
		if len(list) == 0 {
			e.println("No remote agent has access.")
			return nil
		}
		var rows [][]string
		for _, g := range list {
			rows = append(rows, []string{g.ID, g.Name, g.Client, g.Email, when(g.CreatedAt), when(g.LastUsedAt), when(g.ExpiresAt)})
		}
		e.table([]column{{head: "ID"}, {head: "NAME", least: 8}, {head: "CLIENT", least: 8}, {head: "USER", least: 8}, {head: "GIVEN"},
			{head: "LAST USED"}, {head: "ENDS"}}, rows)
		return nil
	})
}

type oauthRevokeCmd struct {
	ID string `arg:"" help:"The access, as oauth list shows it."`
}

func (c *oauthRevokeCmd) Run(e *env) error {
	return e.onData(func(ctx context.Context, _ *Config, _ *store.Store, g *auth.Gate) error {
		if err := g.RevokeGrant(ctx, c.ID); err != nil {
			return err
		}
		e.println("revoked " + c.ID)
		return nil
	})
}
