//go:build !campaign && unix

package cli_test

// campaign is false: tests show that something is so, in few rounds, and
// measure nothing.
const campaign = false
