package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// startPatience is how long a server that was started here may take to answer.
const startPatience = 15 * time.Second

type mcpCmd struct {
	Bridge mcpBridgeCmd `cmd:"" default:"withargs" hidden:"" help:"Speak MCP on standard input and output."`
	Doctor mcpDoctorCmd `cmd:"" help:"Check that an agent can reach the server."`
}

// Help shows how the command is used without a word behind it.
func (mcpCmd) Help() string {
	return "For hosts that start programs, such as Claude Desktop: what the host says is handed to the server, with the key in STROEM_TOKEN. " +
		"Where nothing listens at the usual local address, a server is started that goes on without the host, with the configuration that --config names, else with the sample tasks: " +
		"what lies in the folder in which the host stands is run by `stroem serve` alone.\n\n" +
		shown("stroem mcp", "STROEM_URL=https://stroem.example.org STROEM_TOKEN=strm_… stroem mcp")
}

type mcpBridgeCmd struct{}

// Run carries messages between the host and the server. Standard output
// carries nothing else. It shows the key that it was given, and never the
// session of the person who signed in here: an agent is not that person, and a
// session that was used on /mcp is worth nothing for approvals.
func (mcpBridgeCmd) Run(e *env) error {
	c, err := e.agent()
	if err != nil {
		return err
	}
	b := &bridge{url: c.base + "/mcp", token: c.token, http: &http.Client{CheckRedirect: noRedirect}, in: os.Stdin, out: e.stdout,
		warn: func(text string) { fmt.Fprintln(e.stderr, "stroem mcp:", text) }}
	if err := e.ensureServer(c); err != nil {
		b.warn(err.Error())
		b.advice = err.Error()
	}
	return b.run(e.ctx)
}

// noRedirect keeps a key from going where nobody sent it.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// ensureServer starts a server in the background if none answers where one of
// this machine is expected. It outlives this process.
func (e *env) ensureServer(c *client) error {
	if c.base != e.address() && c.base != usualServer || e.answers(c) {
		return nil
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	cfg, err := e.settings()
	if err != nil {
		return err
	}
	if err := e.mayServe(cfg); err != nil {
		return err
	}
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return fmt.Errorf("start a server: %w", err)
	}
	path := filepath.Join(cfg.Data, "serve.log")
	log, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("start a server: %w", err)
	}
	defer log.Close()
	var args []string
	if e.config != "" {
		args = append(args, "--config", e.config)
	}
	if e.data != "" {
		args = append(args, "--data", e.data)
	}
	cmd := exec.Command(self, append(args, "serve")...)
	cmd.Stdout, cmd.Stderr = log, log
	detach(cmd)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start a server: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	return e.awaitServer(c, ended, path)
}

// mayServe is the error of a server that would take its tasks from the folder
// in which the host happens to stand: to open a folder is not to trust it, and
// its schedules would run at once.
func (e *env) mayServe(cfg *Config) error {
	found := ""
	switch {
	case e.config == "" && cfg.file != "":
		found = cfg.file
	case cfg.file == "" && len(cfg.Workspaces) == 0 && hasWorkflows():
		found = ".workflows"
	default:
		return nil
	}
	here, err := os.Getwd()
	if err != nil {
		return fmt.Errorf("start a server: %w", err)
	}
	return fmt.Errorf("none was started, since it would run what %s says, which may be anybody's; if you trust that, start `stroem serve` there, or name a configuration in STROEM_CONFIG",
		filepath.Join(here, found))
}

func (e *env) awaitServer(c *client, ended <-chan error, log string) error {
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	late := time.After(startPatience)
	for {
		select {
		case <-look.C:
			if e.answers(c) {
				return nil
			}
		case <-ended:
			if e.answers(c) { // another host was quicker to start one
				return nil
			}
			return fmt.Errorf("a server was started and ended at once; %s says why", log)
		case <-late:
			return fmt.Errorf("a server was started and does not answer; %s may say why", log)
		case <-e.ctx.Done():
			return e.ctx.Err()
		}
	}
}

// answers reports whether a server answers, whatever it says.
func (e *env) answers(c *client) bool {
	ctx, cancel := context.WithTimeout(e.ctx, 2*time.Second)
	defer cancel()
	err := c.get(ctx, "/healthz", nil, &struct{}{})
	var refused *refusal
	return err == nil || errors.As(err, &refused)
}
