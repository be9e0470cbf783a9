package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"stroem/workspace"
)

// resolveTimeout bounds the looking up of all secrets of a workspace.
const resolveTimeout = time.Minute

// resolve makes the values of the workspace's secrets and hands them to the
// runner. What cannot be had is a problem of the workspace.
func (p *Plane) resolve(ctx context.Context, name string, ws *workspace.Workspace) (missing []workspace.Problem) {
	ctx, cancel := context.WithTimeout(ctx, resolveTimeout)
	defer cancel()
	values, missing := ws.Secrets.Resolve(func(text string) (string, error) { return p.secretValue(ctx, text) })
	ws.Problems = append(ws.Problems, missing...)
	p.Runner.Secrets.Set(name, values)
	return missing
}

// MissingSecrets is what could not be had of a workspace's secrets when it was
// last loaded. It is for whoever owns the folder: no right is asked for.
func (p *Plane) MissingSecrets(ws string) []workspace.Problem {
	p.mu.Lock()
	w := p.spaces[ws]
	p.mu.Unlock()
	if w == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.missing
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
	doc, err := json.Marshal(map[string]string{"value": ref})
	if err != nil {
		return "", err
	}
	out, err := workspace.Ask(ctx, string(doc), "vals", "eval", "-o", "json", "-f", "-")
	if err != nil {
		return "", fmt.Errorf("the reference cannot be looked up: %w", err)
	}
	var found struct{ Value string }
	if err := json.Unmarshal([]byte(out), &found); err != nil {
		return "", errors.New("vals gave an answer that is not JSON with a text")
	}
	return found.Value, nil
}
