// Package examples is the sample workspaces, built into the binary.
package examples

import "embed"

// FS holds a folder for each sample.
//
//go:embed deploy failing hello
var FS embed.FS
