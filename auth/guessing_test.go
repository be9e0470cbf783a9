//go:build !campaign

package auth_test

import "time"

// How often, and how long, passwords and keys are guessed, and how many clients
// make themselves known.
const (
	guesses       = 20_000
	guessing      = 20 * time.Second
	registrations = 1_500
)
