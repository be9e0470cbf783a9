package cli

import (
	"os"
	"strings"
)

type passwdCmd struct {
	Stdin bool `name:"password-stdin" help:"Read the present password from standard input, and the new one from its second line."`
}

// Help shows how the command is used.
func (passwdCmd) Help() string {
	return "You stay signed in here; your other sessions end, and what you gave to remote agents. " +
		"Where the present password is lost, `stroem user passwd` makes another on the server's machine.\n\n" +
		shown("stroem passwd")
}

func (p *passwdCmd) Run(e *env) error {
	c, s, err := e.signedIn()
	if err != nil {
		return err
	}
	if s == (session{}) {
		return usage("not signed in to %s; `stroem login` signs in", c.base)
	}
	present, password, err := p.passwords(e)
	if err != nil {
		return err
	}
	if err := c.begin(e.ctx, s.Email, "password", map[string]string{"current_password": present, "new_password": password}); err != nil {
		return err
	}
	e.println(s.Email + " has a new password at " + c.base + "; other sessions have ended")
	return nil
}

// passwords are given, or asked for on a terminal, the new one twice.
func (p *passwdCmd) passwords(e *env) (present, password string, err error) {
	if p.Stdin {
		text, err := passwordFrom(os.Stdin)
		present, password, _ = strings.Cut(text, "\n")
		return strings.TrimSuffix(present, "\r"), password, err
	}
	var again string
	for _, ask := range []struct {
		prompt string
		into   *string
	}{{"Present password: ", &present}, {"New password: ", &password}, {"New password, again: ", &again}} {
		if *ask.into, err = e.askPassword(ask.prompt); err != nil {
			return "", "", err
		}
	}
	if password != again {
		return "", "", usage("the new password was not the same twice; nothing is changed")
	}
	return present, password, nil
}
