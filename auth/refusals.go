package auth

import (
	"sync"
	"time"
)

// Refusals bounds how many refusals of a caller are written down: each costs a
// write to the disk, and whoever is refused can ask as fast as they like. Its
// zero value is ready for use.
type Refusals struct {
	once  sync.Once
	limit *limiter
}

// Take counts a refusal of who, and reports whether to write it down. last says
// that those after it are not, until a minute has fewer again.
func (r *Refusals) Take(now time.Time, who Principal) (write, last bool) {
	r.once.Do(func() { r.limit = newLimiter() })
	wait, first := r.limit.take(now, quota{who.Credential(), wrongTries})
	return wait == 0 || first, first
}
