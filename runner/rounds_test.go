//go:build !campaign

package runner_test

// A campaign does these in full.
const (
	cancelRounds = 1   // of each nasty script
	spoolMiB     = 128 // written by one step as fast as it can
)
