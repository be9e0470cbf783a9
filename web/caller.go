package web

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"stroem/auth"
)

// public are the requests that anybody may make. Everything else, also what
// there is not, is for whoever is known.
var public = []string{
	"GET /", "GET /healthz", "GET /llms.txt", "GET /api/config", "GET /api/openapi.json", "GET /api/openapi.yaml",
	"POST /api/auth/login", "POST /api/auth/refresh",
}

// identified hands a request on with who makes it, or answers that nobody
// known does. Where auth is off, everybody is known as anyone.
func (cfg Config) identified(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		door := auth.REST
		if r.URL.Path == "/mcp" || r.URL.Path == "/mcp/" {
			door = auth.MCP
		}
		addr := cfg.address(r)
		who := auth.Anyone(door, addr)
		if cfg.Gate != nil {
			method := r.Method
			if method == http.MethodHead {
				method = http.MethodGet
			}
			var err error
			switch who, err = cfg.Gate.Identify(r.Context(), bearer(r), door, addr); {
			case err == nil:
			case slices.Contains(public, method+" "+r.URL.Path):
				who = auth.Principal{Door: door, Addr: addr}
			default:
				cfg.unknown(w, r, err)
				return
			}
		}
		next.ServeHTTP(w, r.WithContext(auth.With(r.Context(), who)))
	})
}

// bearer is the token of a request (RFC 6750, 2.1). One in the query, which
// ends up in logs, is not looked at, nor any of several: which of them counts
// would be for each proxy to guess.
func bearer(r *http.Request) string {
	given := r.Header.Values("Authorization")
	if len(given) != 1 {
		return ""
	}
	scheme, token, _ := strings.Cut(given[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// unknown answers whoever is not known.
func (cfg Config) unknown(w http.ResponseWriter, r *http.Request, err error) {
	var told *auth.Error
	if !errors.As(err, &told) {
		cfg.Log.Error("identify", "err", err)
		writeError(w, http.StatusInternalServerError, "Internal server error")
		return
	}
	if told.Code == auth.Unauthenticated {
		// No resource_metadata: a client that sees it begins an OAuth flow,
		// for which there is nothing here.
		challenge := `Bearer realm="stroem"`
		if told != auth.ErrNoCredential {
			challenge += fmt.Sprintf(`, error="invalid_token", error_description="%s; stroem apikey create makes a key"`, told.Msg)
		}
		w.Header().Set("WWW-Authenticate", challenge)
	}
	answer := denial(told)
	maps.Copy(w.Header(), answer.header)
	writeJSON(w, answer.status, answer)
}

// authStatuses translates the kinds of errors of auth.
var authStatuses = map[auth.Code]int{
	auth.Unauthenticated: http.StatusUnauthorized, auth.Forbidden: http.StatusForbidden, auth.Invalid: http.StatusBadRequest,
	auth.NotFound: http.StatusNotFound, auth.Conflict: http.StatusConflict, auth.TooMany: http.StatusTooManyRequests,
}

// denial is an error of auth as this door tells it.
func denial(e *auth.Error) *apiError {
	a := &apiError{status: authStatuses[e.Code], Text: e.Msg}
	if e.Code == auth.TooMany {
		a.Retry = int(e.RetryAfter.Seconds()) + 1
		a.header = http.Header{"Retry-After": {strconv.Itoa(a.Retry)}}
	}
	return a
}

// address is where a request comes from: whoever connects to us, or, where
// that is a proxy whose word counts, the nearest before it that is none.
func (cfg Config) address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		if hop = strings.TrimSpace(hop); hop == "" || !cfg.trusted(host) {
			break
		}
		if _, err := netip.ParseAddr(hop); err != nil {
			break
		}
		host = hop
	}
	return host
}

func (cfg Config) trusted(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && slices.ContainsFunc(cfg.Proxies, func(p netip.Prefix) bool { return p.Contains(ip.Unmap()) })
}
