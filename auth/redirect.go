package auth

import (
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// maxURL bounds an address that a program names, in bytes.
const maxURL = 500

// hostForm is a host that is shown to people and written into headers as it
// is: no mark in it means anything else there.
var hostForm = regexp.MustCompile(`^([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$`)

// parseURL reads an address that every program reads alike.
func parseURL(text string) (*url.URL, error) {
	switch {
	case len(text) > maxURL:
		return nil, errors.New("is longer than 500 bytes")
	case strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune("\\\"<>^`{|}", r) }):
		return nil, errors.New("holds characters that no URL has")
	case strings.Contains(text, "#"):
		return nil, errors.New("has a fragment")
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, errors.New("is no URL")
	case u.User != nil || strings.Contains(u.Host, "@"):
		return nil, errors.New("names a user")
	case u.Opaque != "" || !hostForm.MatchString(u.Host) || !strings.HasPrefix(text, u.Scheme+"://"+u.Host):
		return nil, errors.New("has no host, or one that cannot be shown as it is")
	}
	return u, nil
}

// checkRedirect is nil for an address that people may be sent back to with a
// code: by https, or to a program on their own machine.
func checkRedirect(text string) error {
	u, err := parseURL(text)
	switch {
	case err != nil:
		return err
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(u):
		return nil
	case u.Scheme == "http":
		return errors.New("is neither https nor on this machine (localhost, 127.0.0.1, [::1])")
	}
	return errors.New("has a scheme that is not https, nor http on this machine")
}

func isLoopback(u *url.URL) bool {
	return slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, u.Hostname())
}

// redirectIn reports whether the address is among those of a client: to the
// letter, but for the port where it is on the person's own machine, which a
// program there cannot choose beforehand (RFC 8252, 7.3).
func redirectIn(list []string, text string) bool {
	if checkRedirect(text) != nil {
		return false
	}
	return slices.Contains(list, text) || slices.ContainsFunc(list, func(known string) bool {
		a, b := portless(known), portless(text)
		return a != "" && a == b
	})
}

// portless is an address on the person's own machine without its port, "" for
// any other.
func portless(text string) string {
	u, err := parseURL(text)
	if err != nil || u.Scheme != "http" || !isLoopback(u) {
		return ""
	}
	return u.Hostname() + strings.TrimPrefix(text, "http://"+u.Host)
}

// RedirectHost is where an address leads, to be shown, and whether that is a
// program on the person's own machine.
func RedirectHost(redirect string) (host string, here bool) {
	u, err := parseURL(redirect)
	if err != nil {
		return "", false
	}
	return u.Host, isLoopback(u)
}
