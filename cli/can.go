package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"stroem/auth"
	"stroem/store"
)

type canCmd struct {
	User  string `arg:"" placeholder:"EMAIL" help:"Whose rights."`
	Right string `arg:"" enum:"view,run" help:"view or run."`
	Task  string `arg:"" placeholder:"WORKSPACE/TASK" help:"On which task."`
}

// Help shows how the command is used.
func (canCmd) Help() string {
	return "It goes by the acl: section as it stands in the configuration now, which a server follows from its next start on. " +
		"It exits with 0 for yes and 1 for no.\n\n" +
		shown("stroem can ada@example.org run default/deploy")
}

// Run explains a decision of the access rules. It exits with 1 for no.
func (c *canCmd) Run(e *env) error {
	ws, task, ok := strings.Cut(c.Task, "/")
	if !ok || ws == "" || task == "" {
		return usage("%q is no WORKSPACE/TASK", c.Task)
	}
	return e.onData(func(ctx context.Context, cfg *Config, st *store.Store, g *auth.Gate) error {
		u, err := userNamed(ctx, g, c.User)
		if err != nil {
			return err
		}
		folder, err := folderOf(ctx, st, ws, task)
		if err != nil {
			return err
		}
		who := auth.Principal{Via: auth.Session, UserID: u.ID, Email: u.Email, Admin: u.Admin, Groups: u.Groups, Door: auth.REST}
		var need auth.Perm
		if err := need.UnmarshalText([]byte(c.Right)); err != nil {
			return err
		}
		d := cfg.policy().Decide(who, ws, folder, task)
		may := d.Perm >= need
		if e.json {
			if err := e.printJSON(map[string]any{"allowed": may, "right": d.Perm.String(), "why": d.Why}); err != nil {
				return err
			}
		} else {
			e.println(fmt.Sprintf("%s %s %s: %s", map[bool]string{true: "yes: " + u.Email + " may", false: "no: " + u.Email + " may not"}[may],
				c.Right, c.Task, d.Why))
		}
		if !may {
			return failure{}
		}
		return nil
	})
}

// folderOf is the folder of a task, which rules speak of too.
func folderOf(ctx context.Context, st *store.Store, ws, name string) (folder string, err error) {
	err = st.View(ctx, func(tx *store.Tx) error {
		t, err := tx.Task(ws, name)
		if err == nil {
			folder = t.Folder
		}
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		err = fmt.Errorf("no task %q in workspace %q, as the server last loaded it", name, ws)
	}
	return folder, err
}
