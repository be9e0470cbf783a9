package workspace

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"stroem/workspace/tera"
)

// Secrets are the secrets of a workspace by name: each a *Secret, or Secrets of
// their own. They are definitions; the values are made by Resolve, and kept
// nowhere.
type Secrets map[string]any

// Secret is how one secret is had: a text, a template, or a reference.
type Secret struct {
	Text string
	At   Pos
}

// shortestMasked is the length below which a value cannot be masked, as it
// would be found everywhere.
const shortestMasked = 4

var secretName = regexp.MustCompile(`^[A-Za-z0-9_]+$`)

// secrets reads a map of secrets. Maps within it are names of names.
func (r *reader) secrets(p pair) Secrets {
	out := Secrets{}
	for _, q := range r.pairs(p.node, quote(p.key), "a map of names") {
		if !secretName.MatchString(q.key) {
			r.out.fail(q.at, "a secret's name has only letters, digits and _: not "+quote(q.key), "rename it")
			continue
		}
		n := r.deref(q.node)
		switch {
		case n.Kind == yaml.MappingNode && !bare(n):
			out[q.key] = r.secrets(q)
		case n.Kind != yaml.ScalarNode:
			r.expected(n, "secret "+quote(q.key), "a text", "")
		case null(n) || n.Value == "":
			r.out.fail(q.at, "secret "+quote(q.key)+" is empty", "give it a value, or remove it")
		default:
			if len(n.Value) < shortestMasked {
				r.out.warn(q.at, "secret "+quote(q.key)+" is too short to be masked in logs", "use a value of at least 4 characters")
			}
			out[q.key] = &Secret{Text: n.Value, At: r.at(n)}
		}
	}
	return out
}

// add puts others over s; of two with one name the later counts.
func (s Secrets) add(others Secrets) {
	for name, v := range others {
		inner, ok := v.(Secrets)
		if !ok {
			s[name] = v
			continue
		}
		mine, ok := s[name].(Secrets)
		if !ok {
			mine = Secrets{}
			s[name] = mine
		}
		mine.add(inner)
	}
}

// Has reports whether a template may name this path below secret.
func (s Secrets) Has(path []string) bool {
	if len(path) == 0 {
		return true
	}
	inner, ok := s[path[0]]
	if deeper, isMap := inner.(Secrets); isMap {
		return deeper.Has(path[1:])
	}
	return ok && len(path) == 1
}

// Resolve makes the values, nested as the names are. value makes one of its
// text. What cannot be had is left out and told.
func (s Secrets) Resolve(value func(text string) (string, error)) (map[string]any, []Problem) {
	out := map[string]any{}
	var problems []Problem
	for _, name := range slices.Sorted(maps.Keys(s)) {
		switch v := s[name].(type) {
		case Secrets:
			inner, more := v.Resolve(value)
			out[name], problems = inner, append(problems, more...)
		case *Secret:
			text, err := value(v.Text)
			if err == nil && text == "" {
				err = errors.New("it is empty")
			}
			if err != nil {
				problems = append(problems, Problem{File: v.At.File, Line: v.At.Line, Column: v.At.Column,
					What: fmt.Sprintf("secret %s cannot be had: %v", quote(name), err), Fix: "tasks that use it fail until then"})
				continue
			}
			out[name] = text
		}
	}
	return out, problems
}

// sopsTimeout bounds a run of sops, which may ask a key server.
const sopsTimeout = 20 * time.Second

// unsops decrypts a file by the sops program.
func unsops(text string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), sopsTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sops", "--decrypt", "--input-type", "yaml", "--output-type", "yaml", "/dev/stdin")
	cmd.Stdin = strings.NewReader(text)
	var out, fault bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &fault
	err := cmd.Run()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return "", errors.New("the program sops, which decrypts it, is not installed")
	case ctx.Err() != nil:
		return "", fmt.Errorf("sops did not answer within %s", sopsTimeout)
	case err != nil:
		return "", fmt.Errorf("sops could not decrypt it: %s", cut(firstLine(fault.String(), err.Error())))
	}
	return out.String(), nil
}

// firstLine is the first line of text that says anything, else otherwise.
func firstLine(text, otherwise string) string {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			return line
		}
	}
	return otherwise
}

// AllowedEnv looks variables of our environment up for get_env, those that
// names lists alone.
func AllowedEnv(names []string) func(name string) (value string, set bool, err error) {
	return func(name string) (string, bool, error) {
		if !slices.Contains(names, name) {
			return "", false, fmt.Errorf("%s is not among the names of allow_env in the server's configuration", quote(name))
		}
		value, set := os.LookupEnv(name)
		return value, set, nil
	}
}

// RenderSecret is a secret's text, rendered with nothing to name but what
// get_env may read.
func RenderSecret(text string, allowEnv []string) (string, error) {
	if !dynamic(text) {
		return text, nil
	}
	t, err := tera.Parse(text)
	if err != nil {
		return "", err
	}
	return t.With(tera.Options{Env: AllowedEnv(allowEnv)}).Text(tera.Vars{})
}
