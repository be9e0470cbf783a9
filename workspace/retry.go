package workspace

import (
	"fmt"
	"time"
)

// durationUpTo reads a span of time and checks its bound; it is 0 where that
// fails.
func (r *reader) durationUpTo(p pair, most time.Duration) time.Duration {
	s := r.written(p)
	if s == "" {
		return 0
	}
	d, err := ParseDuration(s)
	if err != nil {
		r.out.fail(r.at(p.node), quote(p.key)+": "+err.Error(), "write seconds, or a span such as 30s, 5m or 1h30m")
		return 0
	}
	if d > most {
		r.out.fail(r.at(p.node), fmt.Sprintf("%s is longer than %dh", quote(p.key), int(most.Hours())), "shorten it")
		return 0
	}
	return d
}

// retry reads and refuses the rule by which something is tried again.
func (r *reader) retry(p pair) {
	r.refuse(p.at, `"retry"`+notYet)
	r.fields(r.pairs(p.node, `"retry"`, "a map"), `"retry"`, map[string]func(pair){
		"max_attempts": func(q pair) { r.integer(q, 1, 10) },
		"delay":        func(q pair) { r.durationUpTo(q, maxRetryDelay) },
		"backoff": func(q pair) {
			if s := r.word(q); s != "" && s != "fixed" && s != "exponential" {
				r.out.fail(r.at(q.node), "unknown backoff "+quote(s), `write "fixed" or "exponential"`)
			}
		},
		"jitter": func(q pair) { r.boolean(q) },
	})
}
