//go:build campaign

package runner_test

const (
	cancelRounds = 100
	spoolMiB     = 1024
)
