//go:build !campaign

package auth_test

import "time"

// How often, and how long, passwords and keys are guessed.
const (
	guesses  = 20_000
	guessing = 20 * time.Second
)
