// Package web is the HTTP door: it owns the mux and every guard before it.
package web

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"stroem/auth"
	"stroem/control"
	"stroem/store"
)

// Config says what the handler serves, and to whom.
type Config struct {
	Plane   *control.Plane
	Gate    *auth.Gate   // nil: everybody may do everything
	MCP     http.Handler // nil: MCP is off
	Guide   string       // how agents use it, in Markdown
	URL     string       // where people reach the server, for the pages
	Version string
	Log     *slog.Logger

	Stopping <-chan struct{} // closed when the server stops: live streams end
	Beat     time.Duration   // how often a live stream shows that it lives, and its reader is looked at anew; 0: 15 s

	AllowedHosts   []string       // Host names beside the loopback ones
	AllowedOrigins []string       // Origins beside the loopback ones
	Proxies        []netip.Prefix // whose X-Forwarded-For counts
	Secure         bool           // people come by https: cookies go no other way
}

// Handler serves everything, behind the guards.
func Handler(cfg Config) http.Handler {
	if cfg.Beat == 0 {
		cfg.Beat = 15 * time.Second
	}
	s := &site{cfg}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.home)
	mux.HandleFunc("GET /healthz", s.healthz)
	mux.HandleFunc("GET /llms.txt", s.guide)
	s.api(mux)
	s.oauth(mux)
	mcp := http.Handler(http.HandlerFunc(mcpOff))
	if cfg.MCP != nil {
		mcp = onlyJSON(cfg.MCP)
	}
	mux.Handle("/mcp", mcp)
	mux.Handle("/mcp/{$}", mcp)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { s.elsewhere(mux, w, r) })
	return guard(cfg, cfg.identified(whole(mux)))
}

type site struct{ cfg Config }

// home says in a paragraph what this is and how to connect.
func (s *site) home(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprintf(w, `This is Strøm %s, a workflow server: it runs tasks that are declared in YAML, for people and for AI agents.

`, s.cfg.Version)
	if s.cfg.MCP == nil {
		fmt.Fprintln(w, mcpOffText)
		return
	}
	fmt.Fprintf(w, `Agents connect by MCP (Streamable HTTP) at %[1]s/mcp. For Claude Code:

    claude mcp add --transport http stroem %[1]s/mcp

How they use it: %[1]s/llms.txt
`, s.cfg.URL)
}

// guide tells agents how to use this (llmstxt.org).
func (s *site) guide(w http.ResponseWriter, r *http.Request) {
	if s.cfg.MCP == nil {
		mcpOff(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, s.cfg.Guide) // the caller may be gone
}

// healthz answers in Strøm's shape: 200 while the store can be read and
// written, else 503.
func (s *site) healthz(w http.ResponseWriter, r *http.Request) {
	if err := s.cfg.Plane.Healthy(r.Context()); err != nil {
		if context.Cause(r.Context()) == nil && !store.IsTrouble(err) {
			s.cfg.Log.Error("health", "err", err)
		}
		writeJSON(w, http.StatusServiceUnavailable, map[string]string{"status": "unhealthy", "db": "error"})
		return
	}
	writeJSON(w, http.StatusOK, map[string]string{"status": "ok", "db": "ok"})
}

const mcpOffText = "MCP is off on this server. To turn it on, set mcp.enabled: true in server-config.yaml and restart the server."

func mcpOff(w http.ResponseWriter, _ *http.Request) {
	writeError(w, http.StatusNotFound, mcpOffText)
}

// elsewhere answers what no route takes: a path that others methods are for,
// or none at all.
func (s *site) elsewhere(mux *http.ServeMux, w http.ResponseWriter, r *http.Request) {
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := mux.Handler(other); pattern != "/" && pattern != "" && method != r.Method {
			w.Header().Set("Allow", method)
			writeError(w, http.StatusMethodNotAllowed, "this address takes "+method+" alone")
			return
		}
	}
	writeError(w, http.StatusNotFound, "there is nothing at this address")
}

// writeError answers in Strøm's shape for errors.
func writeError(w http.ResponseWriter, status int, text string) {
	writeJSON(w, status, map[string]string{"error": text})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the caller may be gone
}
