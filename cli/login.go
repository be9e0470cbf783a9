package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/term"
)

type loginCmd struct {
	URL   string `arg:"" optional:"" help:"The server; --url and the configuration name it otherwise."`
	Email string `help:"Who signs in; asked for on a terminal."`
	Stdin bool   `name:"password-stdin" help:"Read the password from standard input."`
}

// Help shows how the command is used.
func (loginCmd) Help() string {
	return "The sign-in lasts 30 days, in a file that only you can read. Commands use it that ask the same address, by --url, STROEM_URL or the configuration.\n\n" +
		shown("stroem login https://stroem.example.org", "pass show stroem | stroem login --email ada@example.org --password-stdin")
}

// session is a sign-in that is kept for later commands.
type session struct {
	Email     string    `json:"email"`
	Token     string    `json:"token"`
	ExpiresAt time.Time `json:"expires_at"`
}

func (l *loginCmd) Run(e *env) error {
	if l.URL != "" {
		e.url = l.URL
	}
	c, err := e.visitor()
	if err != nil {
		return err
	}
	if err := e.mayShow(c.base, "password"); err != nil {
		return err
	}
	email, password, err := l.credentials(e)
	if err != nil {
		return err
	}
	if err := c.begin(e.ctx, email, "login", map[string]string{"email": email, "password": password}); err != nil {
		return err
	}
	e.println("signed in to " + c.base + " as " + email)
	return nil
}

// begin asks for a session, and keeps that.
func (c *client) begin(ctx context.Context, email, by string, body map[string]string) error {
	var answer struct {
		AccessToken string    `json:"access_token"`
		ExpiresAt   time.Time `json:"expires_at"`
	}
	if err := c.post(ctx, api("auth", by), body, &answer); err != nil {
		return err
	}
	return changeSessions(func(all map[string]session) { all[c.base] = session{email, answer.AccessToken, answer.ExpiresAt} })
}

// credentials are given, or asked for on a terminal.
func (l *loginCmd) credentials(e *env) (email, password string, err error) {
	fd := int(os.Stdin.Fd())
	if email = l.Email; email == "" {
		if l.Stdin || !term.IsTerminal(fd) {
			return "", "", usage("--email is needed where nobody can be asked")
		}
		fmt.Fprint(e.stderr, "E-mail: ")
		if _, err := fmt.Fscanln(os.Stdin, &email); err != nil {
			return "", "", fmt.Errorf("read the e-mail: %w", err)
		}
	}
	if l.Stdin {
		password, err = passwordFrom(os.Stdin)
		return email, password, err
	}
	password, err = e.askPassword("Password: ")
	return email, password, err
}

// askPassword asks on a terminal.
func (e *env) askPassword(prompt string) (string, error) {
	fd := int(os.Stdin.Fd())
	if !term.IsTerminal(fd) {
		return "", usage("--password-stdin is needed where nobody can be asked")
	}
	fmt.Fprint(e.stderr, prompt)
	typed, err := term.ReadPassword(fd)
	fmt.Fprintln(e.stderr)
	return string(typed), err
}

// signedIn is the client that shows the sign-in which is kept for its server, and
// that; none where there is none.
func (e *env) signedIn() (*client, session, error) {
	c, err := e.client()
	if err != nil {
		return nil, session{}, err
	}
	all, err := sessions()
	s := all[c.base]
	if s != (session{}) {
		c.token = s.Token
	}
	return c, s, err
}

type logoutCmd struct{}

func (logoutCmd) Run(e *env) error {
	c, s, err := e.signedIn()
	if err != nil {
		return err
	}
	if s == (session{}) {
		e.println("not signed in to " + c.base)
		return nil
	}
	var refused *refusal
	// A token that the server does not know any more is gone already.
	if err := c.post(e.ctx, api("auth", "logout"), struct{}{}, &struct{}{}); err != nil && !errors.As(err, &refused) {
		return err
	}
	if err := changeSessions(func(all map[string]session) { delete(all, c.base) }); err != nil {
		return err
	}
	e.println("signed out of " + c.base)
	return nil
}

type whoamiCmd struct{}

func (whoamiCmd) Run(e *env) error {
	c, err := e.client()
	if err != nil {
		return err
	}
	type me struct {
		Email  string   `json:"email"`
		Admin  bool     `json:"is_admin"`
		Groups []string `json:"groups"`
		Key    *struct {
			Prefix string `json:"prefix"`
			Name   string `json:"name"`
		} `json:"key"`
	}
	return show(e, c, api("auth", "me"), nil, func(m me) {
		text := m.Email
		if m.Admin {
			text += ", an administrator"
		}
		if len(m.Groups) > 0 {
			text += ", in " + strings.Join(m.Groups, ", ")
		}
		if m.Key != nil {
			text += fmt.Sprintf(", by the key %s (%s)", m.Key.Prefix, m.Key.Name)
		}
		e.println(clean(text + " at " + c.base))
	})
}

// sessionFile keeps the sign-ins of this user, by the server's address.
func sessionFile() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("find where sign-ins are kept: %w", err)
	}
	return filepath.Join(dir, "stroem", "sessions.json"), nil
}

func sessions() (map[string]session, error) {
	path, err := sessionFile()
	if err != nil {
		return nil, err
	}
	all := map[string]session{}
	doc, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return all, nil
	case err != nil:
		return nil, fmt.Errorf("read sign-ins: %w", err)
	}
	if err := json.Unmarshal(doc, &all); err != nil {
		return nil, fmt.Errorf("read sign-ins: %s: %w", path, err)
	}
	return all, nil
}

// changeSessions writes the sign-ins anew, for their owner's eyes alone.
func changeSessions(change func(map[string]session)) error {
	all, err := sessions()
	if err != nil {
		return err
	}
	change(all)
	path, err := sessionFile()
	if err != nil {
		return err
	}
	doc, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("keep the sign-in: %w", err)
	}
	return writeFileAtomically(path, append(doc, '\n'))
}
