package mcpsrv

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"stroem/control"
)

// maxResult is the most that the text of a result has, in bytes.
const maxResult = 24 << 10

// reply is what a tool answers.
type reply[R any] struct {
	Data  R           // an object, described by the tool's output schema
	Text  any         // what the text block holds where that is not Data: a list of it, or text as it is
	Block mcp.Content // what stands in the place of the text block; nil: nothing does
	Notes []string    // what was left out and how to get it; a text block behind the first
}

// add registers a tool whose arguments are A and whose answer is R: as compact
// JSON in a text block, and as structured content. What the caller can mend is
// a result that says so in a sentence (SEP-1303), not a protocol error.
func add[A, R any](s *server.MCPServer, tool mcp.Tool, fn func(context.Context, A) (reply[R], error)) {
	tool.RawOutputSchema = schemaOf[R]()
	s.AddTool(tool, func(ctx context.Context, req mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		var args A
		if err := decodeArgs(tool, req.GetRawArguments(), &args); err != nil {
			return mcp.NewToolResultError(shorten(err.Error(), maxSentence)), nil
		}
		flush := notifying(ctx, s, &req, &args)
		defer flush()
		out, err := fn(ctx, args)
		if control.CodeOf(err) != control.Internal {
			return mcp.NewToolResultError(control.Clean(shorten(withHint(err), maxSentence))), nil
		}
		if err != nil {
			return nil, err
		}
		return out.result()
	})
}

func (r reply[R]) result() (*mcp.CallToolResult, error) {
	text, ok := r.Text.(string)
	if !ok && r.Block == nil {
		var shown any = r.Data
		if r.Text != nil {
			shown = r.Text
		}
		var err error
		if text, err = compact(shown); err != nil {
			return nil, err
		}
	}
	res := mcp.NewToolResultText(text)
	if r.Block != nil {
		res.Content[0] = r.Block
	}
	if len(r.Notes) > 0 {
		res.Content = append(res.Content, mcp.NewTextContent(strings.Join(r.Notes, "; ")))
	}
	res.StructuredContent = r.Data
	return res, nil
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

// schemaOf describes R, a struct of this package, as JSON Schema 2020-12.
// Lists are never null, and objects may get further members in a later
// version.
func schemaOf[R any]() json.RawMessage {
	schema, err := jsonschema.For[R](&jsonschema.ForOptions{TypeSchemas: map[reflect.Type]*jsonschema.Schema{
		reflect.TypeFor[json.RawMessage](): {Type: "object"},
		reflect.TypeFor[time.Time]():       {Type: "string", Format: "date-time"},
	}})
	if err == nil {
		for f := range reflect.TypeFor[R]().Fields() {
			if f.Anonymous && f.Type.Kind() == reflect.Pointer { // there as a whole, or not at all
				schema.Required = slices.DeleteFunc(schema.Required, func(name string) bool { return hasMember(f.Type.Elem(), name) })
			}
		}
		relax(schema)
		var doc []byte
		if doc, err = json.Marshal(schema); err == nil {
			return doc
		}
	}
	panic(err) // a type that no tool can have
}

// hasMember reports whether a struct has a field of that name in JSON.
func hasMember(t reflect.Type, name string) bool {
	for f := range t.Fields() {
		if tag, _, _ := strings.Cut(f.Tag.Get("json"), ","); tag == name {
			return true
		}
	}
	return false
}

func relax(s *jsonschema.Schema) {
	if s == nil {
		return
	}
	if len(s.Types) == 2 && s.Types[0] == "null" { // nil is left out, or an empty list
		s.Type, s.Types = s.Types[1], nil
	}
	if len(s.Properties) > 0 {
		s.AdditionalProperties = nil
	}
	for _, p := range s.Properties {
		relax(p)
	}
	relax(s.Items)
	relax(s.AdditionalProperties)
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
