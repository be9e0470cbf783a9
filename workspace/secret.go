package workspace

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
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

const (
	askTimeout = 20 * time.Second // a program that may ask a server of keys
	maxAnswer  = maxFile
)

// Ask runs a program that answers with something secret, and returns what it
// prints. Of a program that fails nothing is told but how it ended, for what it
// prints may hold the secret.
func Ask(ctx context.Context, question, program string, args ...string) (answer string, err error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.WaitDelay = time.Second // what it started may hold its output open
	cmd.Stdin = strings.NewReader(question)
	out := bounded{left: maxAnswer}
	cmd.Stdout = &out
	err = cmd.Run()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return "", fmt.Errorf("the program %s is not installed", program)
	case out.full:
		return "", fmt.Errorf("%s answered with more than %d MiB", program, maxAnswer>>20)
	case ctx.Err() != nil:
		return "", fmt.Errorf("%s did not answer in time", program)
	case err != nil:
		return "", fmt.Errorf("%s failed: %w (run it by hand to see why)", program, err)
	}
	return out.text.String(), nil
}

// bounded takes so many bytes, and then no more.
type bounded struct {
	text bytes.Buffer // not embedded: it would read by itself, past the bound
	left int
	full bool
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left < 0 {
		b.full = true
		return 0, io.ErrShortWrite
	}
	return b.text.Write(p)
}

// unsops decrypts a file by the sops program.
func unsops(text string) (string, error) {
	out, err := Ask(context.Background(), text, "sops", "--decrypt", "--input-type", "yaml", "--output-type", "yaml", "/dev/stdin")
	if err != nil {
		return "", fmt.Errorf("it cannot be decrypted: %w", err)
	}
	return out, nil
}

// quoted is what a problem repeats of the file that it is about.
var quoted = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|the number [^,;]+`)

// conceal takes out of the problems of a decrypted file what it says itself.
func (d *document) conceal() {
	for i := range d.problems.list {
		p := &d.problems.list[i]
		p.What, p.Fix = quoted.ReplaceAllString(p.What, "…"), quoted.ReplaceAllString(p.Fix, "…")
	}
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
	if err != nil { // what it says may be a part of the secret
		return "", errors.New("it holds {{, {% or {#, and is no template; put it between {% raw %} and {% endraw %} if it is to stay as it is")
	}
	return t.With(tera.Options{Env: AllowedEnv(allowEnv)}).Text(tera.Vars{})
}
