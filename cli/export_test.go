package cli

import (
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
