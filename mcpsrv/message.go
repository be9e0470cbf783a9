package mcpsrv

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"stroem/control"
	"stroem/workspace"
)

// message is a message of JSON-RPC.
type message struct {
	members map[string]json.RawMessage
	id      json.RawMessage // null where it has none that can be answered
	method  string
	params  params
}

// params are what is looked at in a message's params.
type params struct {
	Name *string   `json:"name"`
	Meta *mcp.Meta `json:"_meta"`
}

// maxToolName is how much is said of a tool's name that is none, in bytes.
const maxToolName = 200

// rpcMembers are the members that a message has (JSON-RPC 2.0, 4 and 5).
var rpcMembers = []string{"jsonrpc", "id", "method", "params", "result", "error"}

// strict answers what is no message of MCP in the same way whatever is wrong
// with it, and hands on the rest with the members that there are, each once and
// under its exact name: whoever reads it again reads the same.
func strict(next http.Handler, tools func() map[string]*server.ServerTool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			body = nil // what came of it is no message
		}
		m := message{id: json.RawMessage("null")}
		fault := m.read(body)
		if fault == nil {
			fault = m.checkVersion(r.Header.Get(mcp.HeaderProtocolVersion))
		}
		status := http.StatusBadRequest
		if fault == nil && m.method == string(mcp.MethodToolsCall) {
			if fault = m.checkTool(tools()); !mcp.IsModernProtocol(m.params.Meta.ProtocolVersion()) {
				status = http.StatusOK // so it was before 2026-07-28
			}
		}
		switch {
		case fault != nil:
			m.refuse(w, status, fault)
		case m.method == string(mcp.MethodNotificationCancelled):
			// There are no sessions: all that mcp-go could go by is the id, and
			// every client counts from 1. One's cancel would end another's call.
			// Who closes the connection ends theirs, and a wait ends by itself.
			w.WriteHeader(http.StatusAccepted)
		default:
			doc, _ := compact(m.members) //nolint:errcheck // each was read as JSON
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(doc)), int64(len(doc))
			next.ServeHTTP(w, r)
		}
	})
}

func unfit(code int, format string, args ...any) *mcp.JSONRPCErrorDetails {
	return &mcp.JSONRPCErrorDetails{Code: code, Message: control.Clean(fmt.Sprintf(format, args...))}
}

func (m *message) refuse(w http.ResponseWriter, status int, fault *mcp.JSONRPCErrorDetails) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(mcp.JSONRPCError{JSONRPC: mcp.JSONRPC_VERSION, ID: mcp.NewRequestId(m.id), Error: *fault}) // the caller may be gone
}

// read takes the message apart, and says what is wrong with it.
func (m *message) read(body []byte) *mcp.JSONRPCErrorDetails {
	var syntax *json.SyntaxError
	switch err := json.Unmarshal(body, &m.members); {
	case errors.As(err, &syntax):
		return unfit(mcp.PARSE_ERROR, "the message is not JSON: %v", err)
	case err != nil || m.members == nil:
		return unfit(mcp.INVALID_REQUEST, "a message is one JSON object; batches are not spoken here")
	}
	maps.DeleteFunc(m.members, func(name string, _ json.RawMessage) bool { return !slices.Contains(rpcMembers, name) })
	id, asks := m.members["id"]
	if asks {
		if !answerable(id) {
			return unfit(mcp.INVALID_REQUEST, "the id of a request is a string or a whole number")
		}
		m.id = id
	}
	_, says := m.members["method"]
	switch {
	case string(m.members["jsonrpc"]) != `"2.0"`:
		return unfit(mcp.INVALID_REQUEST, `a message has "jsonrpc": "2.0"`)
	case !says && (m.members["result"] != nil || m.members["error"] != nil):
		return unfit(mcp.INVALID_REQUEST, "this server asks its clients nothing, and takes no answers")
	case json.Unmarshal(m.members["method"], &m.method) != nil || m.method == "":
		return unfit(mcp.INVALID_REQUEST, "a message has a method, which is a string")
	case !asks && !strings.HasPrefix(m.method, "notifications/"):
		return unfit(mcp.INVALID_REQUEST, "a request has an id, by which its answer is known")
	}
	if p := m.members["params"]; len(p) > 0 && p[0] != '{' && string(p) != "null" {
		return unfit(mcp.INVALID_PARAMS, "params is an object")
	}
	_ = json.Unmarshal(m.members["params"], &m.params) // what does not fit is left to mcp-go
	return nil
}

// answerable reports whether an answer can bear the id just as it came: every
// reader of JSON must have the number exactly (RFC 8259, 6), or the text.
func answerable(id json.RawMessage) bool {
	var text string
	if json.Unmarshal(id, &text) == nil && id[0] == '"' {
		return !strings.ContainsRune(text, utf8.RuneError)
	}
	n, err := strconv.ParseFloat(string(id), 64)
	return err == nil && n == math.Trunc(n) && math.Abs(n) < 1<<53
}

// checkTool refuses the call of a tool that there is not. Every caller sees all
// there are.
func (m *message) checkTool(tools map[string]*server.ServerTool) *mcp.JSONRPCErrorDetails {
	if m.params.Name == nil || tools[*m.params.Name] != nil {
		return nil
	}
	name := *m.params.Name
	hint := "tools/list shows them all"
	if near := workspace.Nearest(name, slices.Sorted(maps.Keys(tools))); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near)
	}
	return unfit(mcp.INVALID_PARAMS, "no tool %q; %s", shorten(name, maxToolName), hint)
}

// checkVersion refuses a revision that is none. Those that look newer than the
// newest are left to mcp-go, which compares them with what the message says.
func (m *message) checkVersion(header string) *mcp.JSONRPCErrorDetails {
	if header == "" || mcp.IsValidProtocolVersion(header) || mcp.IsModernProtocol(header) ||
		mcp.IsModernProtocol(m.params.Meta.ProtocolVersion()) || m.method == string(mcp.MethodInitialize) {
		return nil
	}
	fault := mcp.UnsupportedProtocolVersionError{Version: control.Clean(header), Supported: mcp.ValidProtocolVersions}.JSONRPCError().Error
	return &fault
}
