//go:build campaign && unix

package cli_test

// campaign: tests have all their rounds and full size, and hold their figures.
// docs/crash.md has the commands.
const campaign = true
