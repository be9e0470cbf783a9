package mcpsrv

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"

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
	case "artifact":
		return "list_artifacts shows the job's artifacts"
	}
	return ""
}

// maxFaults is how many unknown arguments are named.
const maxFaults = 10

// decodeArgs checks the arguments against the tool's schema, as far as names
// and what is required go, and decodes them.
func decodeArgs(tool mcp.Tool, raw any, into any) error {
	doc, err := compact(raw)
	if err != nil {
		return fmt.Errorf("the arguments of %s are not JSON: %w", tool.Name, err)
	}
	var given map[string]json.RawMessage
	if err := json.Unmarshal([]byte(doc), &given); err != nil {
		return fmt.Errorf("the arguments of %s must be a JSON object", tool.Name)
	}
	known := slices.Sorted(maps.Keys(tool.InputSchema.Properties))
	var faults []string
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if _, ok := tool.InputSchema.Properties[name]; !ok && len(faults) < maxFaults {
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
	if doc, err = compact(given); err != nil {
		return fmt.Errorf("the arguments of %s are not JSON: %w", tool.Name, err)
	}
	err = json.Unmarshal([]byte(doc), into)
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrong):
		return fmt.Errorf("%s: argument %q must be %s, not %s", tool.Name, wrong.Field[strings.LastIndexByte(wrong.Field, '.')+1:], kind(wrong.Type.Kind().String()), wrong.Value)
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
	case k == "bool":
		return "true or false"
	}
	return "of another type (" + k + ")"
}
