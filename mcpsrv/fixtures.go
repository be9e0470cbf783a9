//go:build !conformance

package mcpsrv

import "github.com/mark3labs/mcp-go/server"

// fixtures adds nothing: see conformance.go.
func fixtures(*server.MCPServer) {}
