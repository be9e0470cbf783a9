package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"stroem/workspace"
)

// valsTimeout bounds a run of vals, which asks a secret store.
const valsTimeout = 20 * time.Second

// resolve makes the values of the workspace's secrets and hands them to the
// runner. What cannot be had is a problem of the workspace.
func (p *Plane) resolve(ctx context.Context, name string, ws *workspace.Workspace) {
	values, problems := ws.Secrets.Resolve(func(text string) (string, error) { return p.secretValue(ctx, text) })
	ws.Problems = append(ws.Problems, problems...)
	p.Runner.Secrets.Set(name, values)
}

// secretValue renders a secret's text, which may ask for variables of the
// server's environment that allow_env names, and looks a reference up.
func (p *Plane) secretValue(ctx context.Context, text string) (string, error) {
	text, err := workspace.RenderSecret(text, p.Runner.AllowEnv)
	if err != nil || !strings.HasPrefix(text, "ref+") {
		return text, err
	}
	return vals(ctx, text)
}

// vals looks a reference up by the program of that name
// (github.com/helmfile/vals). It goes by standard input, since arguments can be
// read by every user of the machine.
func vals(ctx context.Context, ref string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, valsTimeout)
	defer cancel()
	doc, err := json.Marshal(map[string]string{"value": ref})
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "vals", "eval", "-o", "json", "-f", "-")
	cmd.Stdin = bytes.NewReader(doc)
	var out bytes.Buffer
	cmd.Stdout = &out
	switch err := cmd.Run(); {
	case errors.Is(err, exec.ErrNotFound):
		return "", errors.New("the program vals, which looks references up, is not installed")
	case ctx.Err() != nil:
		return "", fmt.Errorf("vals did not answer within %s", valsTimeout)
	case err != nil: // what it printed may hold the secret itself
		return "", fmt.Errorf("vals could not look it up: %w", err)
	}
	var found struct{ Value string }
	if err := json.Unmarshal(out.Bytes(), &found); err != nil {
		return "", errors.New("vals gave an answer that is not JSON")
	}
	return found.Value, nil
}
