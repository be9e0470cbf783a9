package cli

import (
	"io"
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
