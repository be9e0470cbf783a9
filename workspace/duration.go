package workspace

import (
	"fmt"
	"strconv"
	"time"
)

// Longest spans a workflow may ask for.
const (
	maxStepTimeout = 24 * time.Hour
	maxTaskTimeout = 7 * 24 * time.Hour
	maxRetryDelay  = time.Hour
)

// ParseDuration reads a span of time: whole seconds ("300"), or hours, minutes
// and seconds with their units ("1h30m", "45s"). It is more than zero.
func ParseDuration(s string) (time.Duration, error) {
	bad := func(why string) (time.Duration, error) {
		return 0, fmt.Errorf("%s is not a duration: %s", quote(s), why)
	}
	if s == "" {
		return bad("it is empty")
	}
	var total time.Duration
	for rest := s; rest != ""; {
		n := 0
		for n < len(rest) && rest[n] >= '0' && rest[n] <= '9' {
			n++
		}
		if n == 0 {
			return bad("a number must stand before each unit")
		}
		count, err := strconv.ParseInt(rest[:n], 10, 32)
		if err != nil {
			return bad("the number is too large")
		}
		unit := time.Second
		if n == len(rest) {
			if n != len(s) {
				return bad("the last number has no unit")
			}
		} else {
			switch rest[n] {
			case 'h':
				unit = time.Hour
			case 'm':
				unit = time.Minute
			case 's':
			default:
				return bad("units are h, m and s")
			}
			n++
		}
		total += time.Duration(count) * unit
		rest = rest[n:]
		if total > 100*maxTaskTimeout {
			return bad("it is too long")
		}
	}
	if total == 0 {
		return bad("it must be more than zero")
	}
	return total, nil
}
