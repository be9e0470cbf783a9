// Command stroem is a workflow server in one binary.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"stroem/cli"
)

func main() {
	// A second signal changes nothing, but for serve --drain: what is being ended
	// then takes seconds, and must not be left half ended.
	ctx, _ := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	os.Exit(cli.Main(ctx, os.Args[1:], os.Stdout, os.Stderr))
}
