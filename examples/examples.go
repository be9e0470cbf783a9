// Package examples is the sample workspaces, built into the binary.
package examples

import "embed"

// FS holds a folder for each sample.
//
//go:embed backup deploy failing fan-out hello release
var FS embed.FS
