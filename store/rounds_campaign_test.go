//go:build campaign

package store_test

const logMiB = 1024

const backupRounds = 200
