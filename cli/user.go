package cli

import (
	"context"
	"crypto/rand"
	"os"
	"strings"
	"time"

	"stroem/auth"
	"stroem/store"
)

type userCmd struct {
	Create userCreateCmd `cmd:"" help:"Make an account."`
	List   userListCmd   `cmd:"" help:"List the accounts."`
	Passwd userPasswdCmd `cmd:"" help:"Give an account a new password, and end its sessions and what it gave to remote agents."`
	Admin  userAdminCmd  `cmd:"" help:"Make an account an administrator's, or with --off no longer so."`
	Groups userGroupsCmd `cmd:"" help:"Put an account into these groups, and no others."`
	Delete userDeleteCmd `cmd:"" help:"Remove an account with its keys, its sessions and what it gave to remote agents."`
}

// Help says where the commands act.
func (userCmd) Help() string { return onDataHelp }

// password is how an account gets one.
type password struct {
	Stdin bool `name:"password-stdin" help:"Read the password from standard input; without this one is made and shown once."`
}

// choose is the password, and what to say of it where it was made here.
func (p password) choose() (text, shown string, err error) {
	if p.Stdin {
		text, err = passwordFrom(os.Stdin)
		return text, "", err
	}
	text = rand.Text()
	return text, " with the password " + text + " (shown this once)", nil
}

type userCreateCmd struct {
	Email string   `arg:"" help:"E-mail, which the account is known by."`
	Name  string   `help:"Name to show."`
	Admin bool     `help:"The account may do everything."`
	Group []string `sep:"none" help:"A group that it is in; may be given several times."`
	password
}

// Help shows how the command is used.
func (userCreateCmd) Help() string {
	return shown("stroem user create ada@example.org --group ops", "pass show stroem | stroem user create ada@example.org --admin --password-stdin")
}

func (c *userCreateCmd) Run(e *env) error {
	text, shown, err := c.choose()
	if err != nil {
		return err
	}
	return e.onData(func(ctx context.Context, _ *Config, _ *store.Store, g *auth.Gate) error {
		u, err := g.CreateUser(ctx, auth.NewUser{Email: c.Email, Name: c.Name, Admin: c.Admin, Groups: c.Group, Password: text})
		if err != nil {
			return err
		}
		e.println("created " + u.Email + shown)
		return nil
	})
}

type userListCmd struct{}

func (userListCmd) Run(e *env) error {
	return e.onData(func(ctx context.Context, _ *Config, _ *store.Store, g *auth.Gate) error {
		all, err := g.Users(ctx)
		if err != nil {
			return err
		}
		if e.json {
			return e.printJSON(all)
		}
		if len(all) == 0 {
			e.println("There is no account yet; the server makes " + auth.OwnerEmail + " when it starts with auth: {} in its configuration.")
			return nil
		}
		var rows [][]string
		for _, u := range all {
			role := "user"
			if u.Admin {
				role = "admin"
			}
			rows = append(rows, []string{u.Email, u.Name, role, strings.Join(u.Groups, ", "), when(u.LastLoginAt)})
		}
		e.table([]column{{head: "EMAIL"}, {head: "NAME", least: 8}, {head: "ROLE"}, {head: "GROUPS", least: 8}, {head: "LAST SIGN-IN"}}, rows)
		return nil
	})
}

// when is a time for a table, "" for none.
func when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format("2006-01-02 15:04")
}

// ofUser runs a change of one account.
func (e *env) ofUser(email string, do func(ctx context.Context, g *auth.Gate, u store.User) (done string, err error)) error {
	return e.onData(func(ctx context.Context, _ *Config, _ *store.Store, g *auth.Gate) error {
		u, err := userNamed(ctx, g, email)
		if err != nil {
			return err
		}
		done, err := do(ctx, g, u)
		if err == nil {
			e.println(done)
		}
		return err
	})
}

type userPasswdCmd struct {
	Email string `arg:"" help:"The account."`
	password
}

func (c *userPasswdCmd) Run(e *env) error {
	text, shown, err := c.choose()
	if err != nil {
		return err
	}
	return e.ofUser(c.Email, func(ctx context.Context, g *auth.Gate, u store.User) (string, error) {
		return u.Email + " signs in anew" + shown, g.SetPassword(ctx, u.ID, text)
	})
}

type userAdminCmd struct {
	Email string `arg:"" help:"The account."`
	Off   bool   `help:"Take the administrator's rights away."`
}

func (c *userAdminCmd) Run(e *env) error {
	return e.ofUser(c.Email, func(ctx context.Context, g *auth.Gate, u store.User) (string, error) {
		if c.Off {
			return u.Email + " is no administrator any more", g.SetAdmin(ctx, u.ID, false)
		}
		return u.Email + " is an administrator", g.SetAdmin(ctx, u.ID, true)
	})
}

type userGroupsCmd struct {
	Email string   `arg:"" help:"The account."`
	Group []string `arg:"" optional:"" help:"The groups; none takes the account out of all."`
}

func (c *userGroupsCmd) Run(e *env) error {
	return e.ofUser(c.Email, func(ctx context.Context, g *auth.Gate, u store.User) (string, error) {
		return u.Email + " is in " + strings.Join(orNoGroup(c.Group), ", "), g.SetGroups(ctx, u.ID, c.Group)
	})
}

func orNoGroup(groups []string) []string {
	if len(groups) == 0 {
		return []string{"no group"}
	}
	return groups
}

type userDeleteCmd struct {
	Email string `arg:"" help:"The account."`
}

func (c *userDeleteCmd) Run(e *env) error {
	return e.ofUser(c.Email, func(ctx context.Context, g *auth.Gate, u store.User) (string, error) {
		return "deleted " + u.Email, g.DeleteUser(ctx, u.ID)
	})
}
