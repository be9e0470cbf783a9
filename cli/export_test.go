package cli

import (
	"context"
	"io"
	"net/http"
	"time"

	"stroem/control"
)

// Picture draws a job of which these events are known, for golden files.
func Picture(events []control.Event, width, height int, now time.Time, colour, last bool) []string {
	v := &view{}
	for _, ev := range events {
		v.add(ev)
	}
	hint := "Ctrl-C cancels"
	if last {
		hint = ""
	}
	return picture(v, frame{width: width, height: height, now: now, paint: paint(colour), last: last, hint: hint})
}

// LogsText is the whole text of a log as the server answers with it.
func LogsText(r io.Reader) (string, error) {
	u, err := logsOf(r)
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(u)
	return string(text), err
}

// HostFiles are the files of a host on a machine of that kind.
func HostFiles(name, goos, home string, getenv func(string) string) []string {
	return hostNamed(name).files(place{goos, getenv, home})
}

// Connected is a host's file with a server in it.
func Connected(name string, doc []byte, url, key string) (after []byte, err error) {
	h := hostNamed(name)
	after, _, err = h.edit(doc, h.entry(&connection{url: url, key: key, command: "/usr/local/bin/stroem"}))
	return after, err
}

// Disconnected is a host's file without the server, and what it had of it.
func Disconnected(name string, doc []byte) (after, old []byte, err error) {
	return hostNamed(name).edit(doc, nil)
}

// OAuthAt is where people give remote agents access under the configuration in
// the file, "" where they cannot, and what is noted about it.
func OAuthAt(file string) (base string, notes []string, err error) {
	c, err := loadConfig(file, nil)
	if err != nil {
		return "", nil, err
	}
	if c.oauth() {
		base = c.Auth.BaseURL
	}
	return base, c.notes, nil
}

// Bridge carries messages between a host and the server at base, as stroem mcp
// does, until in ends.
func Bridge(ctx context.Context, base string, in io.Reader, out io.Writer) error {
	b := &bridge{url: base + "/mcp", http: &http.Client{CheckRedirect: noRedirect}, in: in, out: out, warn: func(string) {}}
	return b.run(ctx)
}
