package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"stroem/auth"
	"stroem/store"
)

// onDataHelp says of commands on accounts and keys where they act.
const onDataHelp = "It works on the data folder, also beside a running server, which goes by it from the next call on: " +
	"whoever can write that folder owns the server."

// onData opens the data folder, also beside a running server, for a command of
// whoever owns it.
func (e *env) onData(do func(ctx context.Context, cfg *Config, st *store.Store, g *auth.Gate) error) (err error) {
	cfg, err := e.settings()
	if err != nil {
		return err
	}
	st, err := store.OpenBeside(cfg.Data)
	if err != nil {
		return fmt.Errorf("cannot use the data folder %s: %w; --data names another one", cfg.Data, err)
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	g, err := auth.New(auth.Config{Store: st, Now: time.Now})
	if err != nil {
		return err
	}
	return do(e.ctx, cfg, st, g)
}

// userNamed is the account with that e-mail.
func userNamed(ctx context.Context, g *auth.Gate, email string) (store.User, error) {
	all, err := g.Users(ctx)
	if err != nil {
		return store.User{}, err
	}
	var known []string
	for _, u := range all {
		if strings.EqualFold(u.Email, email) {
			return u, nil
		}
		known = append(known, u.Email)
	}
	return store.User{}, fmt.Errorf("no user %q; there is %s", email, orNone(known))
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none yet"
	}
	return strings.Join(names, ", ")
}

// maxPasswordInput bounds what is read of a password.
const maxPasswordInput = 4 << 10

// passwordFrom reads a password, without the line's end behind it.
func passwordFrom(r io.Reader) (string, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxPasswordInput))
	if err != nil {
		return "", fmt.Errorf("read the password: %w", err)
	}
	return strings.TrimRight(string(text), "\r\n"), nil
}
