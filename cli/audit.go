package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"stroem/auth"
	"stroem/control"
	"stroem/store"
)

// auditPause is how often a follower looks for what another process wrote.
const auditPause = 500 * time.Millisecond

type auditCmd struct {
	Last   int  `short:"n" default:"50" help:"How many records to show."`
	Follow bool `short:"f" help:"Go on showing new ones."`
	Verify bool `help:"Check that no record was changed, taken out or cut off."`
}

// Help shows how the command is used.
func (auditCmd) Help() string {
	return "It is kept in the data folder. Whom the server refused is in it too.\n\n" +
		shown("stroem audit -n 20", "stroem audit --follow", "stroem audit --verify", "stroem audit --json | jq 'select(.result != \"ok\")'")
}

func (c *auditCmd) Run(e *env) error {
	return e.onData(func(ctx context.Context, _ *Config, st *store.Store, _ *auth.Gate) error {
		if c.Verify {
			n, err := st.VerifyAudit(ctx)
			if err == nil {
				e.println(fmt.Sprintf("%s, none changed", count(int(n), "record")))
			}
			return err
		}
		return c.show(ctx, e, st)
	})
}

func (c *auditCmd) show(ctx context.Context, e *env, st *store.Store) error {
	var last int64
	read := func(fn func(*store.Tx) ([]store.AuditEntry, error)) error {
		var list []store.AuditEntry
		err := st.View(ctx, func(tx *store.Tx) (err error) {
			list, err = fn(tx)
			return err
		})
		for _, entry := range list {
			last = entry.Seq
			if err := c.print(e, entry); err != nil {
				return err
			}
		}
		return err
	}
	err := read(func(tx *store.Tx) ([]store.AuditEntry, error) { return tx.AuditTail(c.Last) })
	for err == nil && c.Follow {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(auditPause):
		}
		err = read(func(tx *store.Tx) ([]store.AuditEntry, error) { return tx.Audit(last, 1000) })
	}
	return err
}

func (c *auditCmd) print(e *env, a store.AuditEntry) error {
	if e.json {
		return e.printJSONLine(a)
	}
	who := a.Who
	if who == "" {
		who = "somebody"
	}
	by := " by key "
	if a.Key != "" && !strings.HasPrefix(a.Key, "strm_") {
		by = " by client "
	}
	text := fmt.Sprintf("%s  %s", a.At.Local().Format("2006-01-02 15:04:05"), who)
	for _, part := range []struct{ before, text string }{
		{by, a.Key}, {" at ", a.Addr}, {" over ", a.Door}, {": ", a.Action}, {" ", taskPath(a.Workspace, a.Task)}, {" job ", a.Job},
		{" ", string(a.Detail)},
	} {
		if part.text != "" {
			text += part.before + part.text
		}
	}
	if a.Result != "ok" {
		text += ": " + a.Result
	}
	e.println(control.CleanLine(text))
	return nil
}

func taskPath(ws, task string) string {
	if ws == "" {
		return task
	}
	return ws + "/" + task
}
