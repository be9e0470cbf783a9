// Package migrations is the database schema as numbered SQL files, applied in
// order by goose.
package migrations

import "embed"

// FS holds the *.sql files at its root.
//
//go:embed *.sql
var FS embed.FS
