//go:build campaign

package runner_test

const cancelRounds = 100
