package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// maxSkew is how far two clocks may be apart before keys and sessions end at
// unexpected times.
const maxSkew = time.Minute

type mcpDoctorCmd struct{}

// Help shows how the command is used.
func (mcpDoctorCmd) Help() string {
	return shown("stroem mcp doctor", "stroem mcp doctor --url https://stroem.example.org --token strm_…")
}

// Run makes the calls of an agent and says of each how it went. It exits with
// 1 when an agent could not work.
func (mcpDoctorCmd) Run(e *env) error {
	c, err := e.agent() // as the bridge does
	if err != nil {
		return err
	}
	d := mcpDoctor{e, c}
	for _, check := range []func() (string, error){d.reach, d.clock, d.tools, d.call} {
		text, err := check()
		if err != nil {
			e.println("✗ " + clean(err.Error()))
			return failure{}
		}
		e.println("✓ " + clean(text))
	}
	return nil
}

type mcpDoctor struct {
	e *env
	c *client
}

func (d mcpDoctor) reach() (string, error) {
	if !d.e.answers(d.c) {
		return "", fmt.Errorf("no stroem server answers at %s; start one with `stroem serve`, or name another with --url", d.c.base)
	}
	return "a stroem server answers at " + d.c.base, nil
}

func (d mcpDoctor) clock() (string, error) {
	res, err := d.c.send(d.e.ctx, http.MethodGet, "/healthz", nil)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	theirs, err := http.ParseTime(res.Header.Get("Date"))
	if err != nil {
		return "its clock could not be read", nil
	}
	if skew := time.Since(theirs).Abs(); skew > maxSkew {
		return "", fmt.Errorf("the server's clock is %s away from this machine's; set both by NTP", skew.Round(time.Second))
	}
	return "its clock is right", nil
}

func (d mcpDoctor) tools() (string, error) {
	var list struct {
		Tools []struct{ Name string } `json:"tools"`
	}
	if err := d.ask("tools/list", map[string]any{}, &list); err != nil {
		return "", err
	}
	var names []string
	for _, t := range list.Tools {
		names = append(names, t.Name)
	}
	return fmt.Sprintf("%s: %s", count(len(names), "tool"), strings.Join(names, ", ")), nil
}

func (d mcpDoctor) call() (string, error) {
	var res struct {
		IsError bool `json:"isError"`
		Content []struct{ Text string }
	}
	if err := d.ask("tools/call", map[string]any{"name": "list_tasks", "arguments": map[string]any{}}, &res); err != nil {
		return "", err
	}
	if res.IsError || len(res.Content) == 0 {
		return "", fmt.Errorf("list_tasks failed: %v", res.Content)
	}
	var tasks []struct {
		CanExecute bool `json:"can_execute"`
	}
	if err := json.Unmarshal([]byte(res.Content[0].Text), &tasks); err != nil {
		return "", errors.New("list_tasks answered with what is no list")
	}
	may := 0
	for _, t := range tasks {
		if t.CanExecute {
			may++
		}
	}
	return fmt.Sprintf("an agent sees %s here and may start %d of them", count(len(tasks), "task"), may), nil
}

// ask makes one MCP request as the bridge does.
func (d mcpDoctor) ask(method string, params, into any) error {
	doc, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
	if err != nil {
		return err
	}
	var out bytes.Buffer
	b := &bridge{url: d.c.base + "/mcp", token: d.c.token, http: &http.Client{CheckRedirect: noRedirect, Timeout: patience},
		in: bytes.NewReader(append(doc, '\n')), out: &out, warn: func(string) {}}
	if err := b.run(context.WithoutCancel(d.e.ctx)); err != nil {
		return err
	}
	var answer struct {
		Result json.RawMessage `json:"result"`
		Error  *struct{ Message string }
	}
	if err := json.NewDecoder(io.LimitReader(&out, maxMessage)).Decode(&answer); err != nil {
		return d.c.stranger()
	}
	if answer.Error != nil {
		return errors.New(answer.Error.Message)
	}
	return json.Unmarshal(answer.Result, into)
}
