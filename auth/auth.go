// Package auth is who calls, and what they may do: passwords, sessions, API
// keys and access rules.
package auth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"stroem/store"
)

// Code says what kind of error a door has to report.
type Code int

// The kinds of errors. Internal is whatever is not the caller's to mend.
const (
	Internal        Code = iota
	Unauthenticated      // who calls is not known
	Forbidden            // it is known, and they may not
	Invalid
	NotFound
	Conflict
	TooMany // try again after RetryAfter
)

// Error is an error that the caller can mend.
type Error struct {
	Code       Code
	Msg        string
	RetryAfter time.Duration // with TooMany
}

func (e *Error) Error() string { return e.Msg }

// CodeOf is the kind of err: Internal for whatever is not an *Error.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return Internal
}

// What a caller is told who is not known.
var (
	ErrNoCredential = &Error{Code: Unauthenticated, Msg: "Authentication required"}
	ErrToken        = &Error{Code: Unauthenticated, Msg: "Invalid or expired token"}
	ErrKey          = &Error{Code: Unauthenticated, Msg: "Invalid API key"}
	ErrKeyExpired   = &Error{Code: Unauthenticated, Msg: "API key expired"}
	ErrSignIn       = &Error{Code: Unauthenticated, Msg: "Invalid email or password"}
)

func forbidden(format string, args ...any) *Error {
	return &Error{Code: Forbidden, Msg: fmt.Sprintf(format, args...)}
}

func invalid(format string, args ...any) *Error {
	return &Error{Code: Invalid, Msg: fmt.Sprintf(format, args...)}
}

// Via is how a caller came to be known.
type Via int

// The ways. Nobody, the zero value, may do nothing.
const (
	Nobody    Via = iota
	Anonymous     // auth is off: everybody is this one
	Session       // signed in by password
	Key           // an API key
	OAuth         // a program that somebody gave access to MCP
	Local         // the command line on the data folder: the owner
	System        // the server itself: schedules, webhooks
)

// Door is where a call comes in.
type Door string

// The doors.
const (
	REST Door = "rest"
	MCP  Door = "mcp"
	CLI  Door = "cli"
)

// OwnerEmail is the account of whoever can write the data folder.
const OwnerEmail = "owner@localhost"

// Principal is a caller, as the store knew them when they called.
type Principal struct {
	Via       Via
	UserID    string
	Email     string
	Name      string
	Admin     bool
	Groups    []string
	Key       *store.APIKey // with Via Key: what narrows it
	Grant     *store.Grant  // with Via OAuth: what was given
	SessionID string        // with Via Session
	UsedOnMCP bool          // the session was ever used on /mcp
	Door      Door
	Addr      string
}

// Anyone is the caller where auth is off.
func Anyone(door Door, addr string) Principal {
	return Principal{Via: Anonymous, Door: door, Addr: addr}
}

// Owner is the caller of the command line on the data folder: whoever can
// write it owns the server.
func Owner() Principal { return Principal{Via: Local, Email: OwnerEmail, Admin: true, Door: CLI} }

// Server is the server itself, as the caller of what it begins.
func Server() Principal { return Principal{Via: System} }

type principalKey struct{}

// With returns a context in which p calls.
func With(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

// From is who calls: Nobody where With was not called.
func From(ctx context.Context) Principal {
	p, _ := ctx.Value(principalKey{}).(Principal)
	return p
}

// Credential names what the caller showed, the same for each of its calls, ""
// where nothing is to be shown.
func (p Principal) Credential() string {
	switch {
	case p.Via == Key && p.Key != nil:
		return "key:" + p.Key.Prefix
	case p.Via == OAuth && p.Grant != nil:
		return "grant:" + p.Grant.ID
	case p.Via == Session:
		return "session:" + p.SessionID
	}
	return ""
}

// Caller names who calls: the key or grant, or the account whatever it signed in with;
// "" is everybody where nobody signs in.
func (p Principal) Caller() string {
	if p.Via == Session {
		return "user:" + p.UserID
	}
	return p.Credential()
}

// IsAgent reports whether a program, not a person, is taken to be calling: over
// MCP, with a key, or with what a person gave a program.
func (p Principal) IsAgent() bool { return p.Via == Key || p.Via == OAuth || p.Door == MCP }

// MayAnswer is nil where the caller may stand for a person: approve, reject.
// A key never does, nor a program that was given access, nor a session that an
// agent has had.
func (p Principal) MayAnswer() error {
	switch {
	case p.Via == Nobody:
		return ErrNoCredential
	case p.Via == Key:
		return forbidden("an API key cannot do this; sign in with a password")
	case p.Via == OAuth:
		return forbidden("a program that was given access cannot do this; sign in with a password")
	case p.Door == MCP || p.UsedOnMCP:
		return forbidden("a session that was used on /mcp cannot do this; sign in again")
	case p.Via == System:
		return forbidden("this is for a person to do")
	}
	return nil
}

// mayManageKeys is nil where the caller may make and revoke keys of their own.
func (p Principal) mayManageKeys() error {
	if p.Via == Key {
		return forbidden("API key management requires JWT authentication")
	}
	return p.signedInPerson()
}

// signedInPerson is nil where the caller may change what only a person may,
// where people are known at all.
func (p Principal) signedInPerson() error {
	if p.Via == Anonymous {
		return invalid("Authentication not configured")
	}
	return p.MayAnswer()
}

// mayManageUsers is nil where the caller may change accounts.
func (p Principal) mayManageUsers() error {
	if err := p.signedInPerson(); err != nil {
		return err
	}
	if !p.Admin {
		return forbidden("Admin access required")
	}
	return nil
}

// Entry is an audit record of what the caller does, to be filled in further.
func (p Principal) Entry(at time.Time, action, result string) store.AuditEntry {
	e := store.AuditEntry{At: at, Who: p.Email, Addr: p.Addr, Door: string(p.Door), Action: action, Result: result}
	if p.Via == System {
		e.Who = "system"
	}
	if p.Key != nil {
		e.Key = p.Key.Prefix
	}
	if p.Grant != nil {
		e.Key = p.Grant.Client
	}
	return e
}
