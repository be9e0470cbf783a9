//go:build !campaign

package store_test

// logMiB is the size of the log that is read in the benchmark.
const logMiB = 64

// backupRounds is how many backups are made beside changes, and restored.
const backupRounds = 5
