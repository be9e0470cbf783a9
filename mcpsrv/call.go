package mcpsrv

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"stroem/control"
	"stroem/workspace"
)

// The annotations of tools that only look, and of tools that act.
func reads() mcp.ToolOption { return annotated(true, false, true) }

func acts(destructive, idempotent bool) mcp.ToolOption {
	return annotated(false, destructive, idempotent)
}

// annotated sets all four hints, since a hint that is left out means the worst.
// The world of every tool is this server.
func annotated(readOnly, destructive, idempotent bool) mcp.ToolOption {
	return func(t *mcp.Tool) {
		closed := false
		t.Annotations = mcp.ToolAnnotation{
			ReadOnlyHint: &readOnly, DestructiveHint: &destructive, IdempotentHint: &idempotent, OpenWorldHint: &closed,
		}
	}
}

// add registers a tool whose arguments are A and whose answer is what fn
// returns: text as it is, anything else as compact JSON, each note as a text
// block of its own behind it. What the caller can mend is a result that says
// so in a sentence (SEP-1303), not a protocol error.
func add[A any](s *server.MCPServer, tool mcp.Tool, fn func(context.Context, A) (answer any, notes []string, err error)) {
	s.AddTool(tool, func(ctx context.Context, req mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		var args A
		if err := decodeArgs(tool, req.GetRawArguments(), &args); err != nil {
			return mcp.NewToolResultError(err.Error()), nil
		}
		answer, notes, err := fn(ctx, args)
		if control.CodeOf(err) != control.Internal {
			return mcp.NewToolResultError(control.Clean(withHint(err))), nil
		}
		if err != nil {
			return nil, err
		}
		text, ok := answer.(string)
		if !ok {
			if text, err = compact(answer); err != nil {
				return nil, err
			}
		}
		res := mcp.NewToolResultText(text)
		for _, note := range notes {
			res.Content = append(res.Content, mcp.NewTextContent(note))
		}
		return res, nil
	})
}

// withHint is the error's sentence, followed by how to list what there is
// where something was not found.
func withHint(err error) string {
	msg := err.Error()
	hint := hintOf(err)
	switch {
	case hint == "":
		return msg
	case strings.HasSuffix(msg, "?"):
		return msg + " " + hint
	}
	return msg + "; " + hint
}

func hintOf(err error) string {
	var e *control.Error
	if !errors.As(err, &e) || e.Code != control.NotFound {
		return ""
	}
	switch e.Noun {
	case "workspace":
		return "list_workspaces shows them all"
	case "task":
		return fmt.Sprintf("list_tasks(workspace:%q) shows them all", e.Workspace)
	case "job":
		return "execute_task returns a job's id, list_jobs shows the recent ones"
	case "step":
		return "get_job_status shows its steps"
	}
	return ""
}

// fit is as many of the first of list as have at most so many bytes as JSON.
func fit[T any](list []T, most int) []T {
	size := 0
	for i := range list {
		text, err := compact(list[i])
		if size += len(text) + 1; err != nil || size > most {
			return list[:i]
		}
	}
	return list
}

// fitNote is as much of a list as a result can hold, and a note if that is not
// all.
func fitNote[T any](list []T, noun, further string) (shown []T, notes []string) {
	if shown = fit(list, maxResult-2); len(shown) < len(list) {
		notes = []string{fmt.Sprintf("%d of %d %s are shown%s", len(shown), len(list), noun, further)}
	}
	return shown, notes
}

// compact is v as JSON on one line, with < > & as they are.
func compact(v any) (string, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return "", fmt.Errorf("encode result: %w", err)
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}

// decodeArgs checks the arguments against the tool's schema, as far as names
// and what is required go, and decodes them.
func decodeArgs(tool mcp.Tool, raw any, into any) error {
	doc, err := json.Marshal(raw)
	if err != nil {
		return fmt.Errorf("the arguments of %s are not JSON: %w", tool.Name, err)
	}
	var given map[string]json.RawMessage
	if err := json.Unmarshal(doc, &given); err != nil {
		return fmt.Errorf("the arguments of %s must be a JSON object", tool.Name)
	}
	known := slices.Sorted(maps.Keys(tool.InputSchema.Properties))
	var faults []string
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if _, ok := tool.InputSchema.Properties[name]; !ok {
			faults = append(faults, unknownArg(name, known))
		}
	}
	for _, name := range tool.InputSchema.Required {
		if v := string(given[name]); v == "" || v == "null" || v == `""` {
			faults = append(faults, fmt.Sprintf("argument %q is required", name))
		}
	}
	if len(faults) > 0 {
		return fmt.Errorf("%s: %s (%s)", tool.Name, strings.Join(faults, "; "), allowed(known))
	}
	wholeNumbers(tool, given)
	if doc, err = json.Marshal(given); err != nil {
		return fmt.Errorf("the arguments of %s are not JSON: %w", tool.Name, err)
	}
	err = json.Unmarshal(doc, into)
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrong):
		return fmt.Errorf("%s: argument %q must be %s, not %s", tool.Name, wrong.Field, kind(wrong.Type.Kind().String()), wrong.Value)
	case err != nil:
		return fmt.Errorf("%s: %w", tool.Name, err)
	}
	return nil
}

// wholeNumbers writes 20.0 as 20 where an integer is asked for: JSON Schema
// makes no difference between the two (2020-12, 4.2.3), and some clients send
// one for the other.
func wholeNumbers(tool mcp.Tool, given map[string]json.RawMessage) {
	for name, v := range given {
		schema, _ := tool.InputSchema.Properties[name].(map[string]any)
		f, err := strconv.ParseFloat(string(v), 64)
		if schema["type"] == "integer" && err == nil && f == math.Trunc(f) && math.Abs(f) < 1<<53 {
			given[name] = json.RawMessage(strconv.FormatInt(int64(f), 10))
		}
	}
}

func unknownArg(name string, known []string) string {
	text := fmt.Sprintf("unknown argument %q", control.Clean(name))
	if near := workspace.Nearest(name, known); near != "" {
		text += fmt.Sprintf(" (did you mean %q?)", near)
	}
	return text
}

func allowed(known []string) string {
	if len(known) == 0 {
		return "it takes no arguments"
	}
	return "it takes " + strings.Join(known, ", ")
}

// kind is the JSON word for a Go kind.
func kind(k string) string {
	switch {
	case strings.HasPrefix(k, "int"):
		return "a whole number"
	case k == "string":
		return "a string"
	}
	return "of another type (" + k + ")"
}
