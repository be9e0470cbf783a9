package web

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/google/uuid"

	"stroem/auth"
	"stroem/control"
)

// What a request may send at most.
const (
	maxBody    = 4 << 20
	tooLarge   = "the request's body is larger than 4 MiB"
	maxUnknown = 16 << 10 // of a caller who is not known
)

// guard puts before next what every request must pass: a Host and an Origin
// that are ours (against DNS rebinding and foreign pages), a body that is not
// too large, and an answer even when a handler panics.
func guard(cfg Config, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer survive(cfg, w, r)
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		switch {
		case !cfg.hostAllowed(r.Host):
			writeError(w, http.StatusForbidden, "the Host of this request is not one of this server's; "+
				"add it to mcp.allowed_hosts in server-config.yaml if it is")
		case !cfg.originAllowed(r.Header):
			writeError(w, http.StatusForbidden, "the Origin of this request is not one of this server's; "+
				"add it to mcp.allowed_origins in server-config.yaml if it is")
		case r.ContentLength > maxBody:
			writeError(w, http.StatusRequestEntityTooLarge, tooLarge)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// whole passes a request on once its body is here, so that the server's time
// for reading bounds that alone, and not how long an answer may take. Whoever
// is not known gets little of the server's memory, and nobody much for JSON.
func whole(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		most, told := int64(maxBody), tooLarge
		if auth.From(r.Context()).Via == auth.Nobody {
			most, told = maxUnknown, "the request's body is larger than 16 KiB"
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
		var large *http.MaxBytesError
		switch {
		case errors.As(err, &large):
			writeError(w, http.StatusRequestEntityTooLarge, told)
		case err != nil:
			writeError(w, http.StatusBadRequest, "the request's body could not be read")
		default:
			if err := control.CheckValues(body); err != nil { // forms have fewer by far
				writeError(w, http.StatusBadRequest, err.Error())
				return
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			next.ServeHTTP(w, r)
		}
	})
}

// onlyJSON lets POSTs of JSON through to the MCP handler, and answers everything
// else in words of its own.
func onlyJSON(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			writeError(w, http.StatusMethodNotAllowed, "MCP is spoken here by POST alone: there are no sessions and no streams to GET")
			return
		}
		if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
			writeError(w, http.StatusUnsupportedMediaType, "the Content-Type of a request to MCP is application/json")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// survive answers for a handler that panicked, with a reference to the log.
func survive(cfg Config, w http.ResponseWriter, r *http.Request) {
	p := recover()
	if p == nil {
		return
	}
	if p == http.ErrAbortHandler {
		panic(p)
	}
	ref := uuid.NewString()[:8]
	cfg.Log.Error("panic", "method", r.Method, "path", r.URL.Path, "ref", ref, "panic", p, "stack", string(debug.Stack()))
	writeError(w, http.StatusInternalServerError, "Internal server error (reference "+ref+")")
}

func (cfg Config) hostAllowed(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	return loopback(host) || slices.ContainsFunc(cfg.AllowedHosts, func(a string) bool {
		return strings.EqualFold(a, host) || strings.EqualFold(a, hostport)
	})
}

// originAllowed reports whether a browser's page may ask. A request without
// an Origin comes from no page. "null" is the Origin of pages that hide theirs.
// A page of this machine that is not ours, which the browser tells (W3C Fetch
// Metadata), is as foreign as any: it must be one of the allowed.
func (cfg Config) originAllowed(h http.Header) bool {
	origins := h.Values("Origin")
	if len(origins) == 0 {
		return true
	}
	if len(origins) > 1 {
		return false
	}
	if slices.ContainsFunc(cfg.AllowedOrigins, func(a string) bool { return strings.EqualFold(a, origins[0]) }) {
		return true
	}
	if site := h.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		return false
	}
	u, err := url.Parse(origins[0])
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && loopback(u.Hostname())
}

// loopback reports whether a host names this machine and no other.
func loopback(host string) bool {
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
