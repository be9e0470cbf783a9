//go:build !campaign

package runner_test

// cancelRounds is how often each nasty script is cancelled; a campaign does it
// in full.
const cancelRounds = 1
