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

// publicOAuth are those of them where people may give remote agents access.
var publicOAuth = []string{
	"POST /oauth/register", "GET /oauth/authorize", "POST /oauth/authorize", "POST /oauth/token", "POST /oauth/revoke",
}

func (cfg Config) isPublic(method, path string) bool {
	request := method + " " + path
	return slices.Contains(public, request) ||
		cfg.oauthOn() && (slices.Contains(publicOAuth, request) || strings.HasPrefix(request, "GET "+wellKnown))
}

// identified hands a request on with who makes it, or answers that nobody
// known does. Where auth is off, everybody is known as anyone.
func (cfg Config) identified(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		door := auth.REST
		if isMCP(r) {
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
			case cfg.isPublic(method, r.URL.Path):
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
		w.Header().Set("WWW-Authenticate", cfg.challenge(r, told))
	}
	answer := denial(told)
	maps.Copy(w.Header(), answer.header)
	writeJSON(w, answer.status, answer)
}

// challenge says what would be a credential (RFC 6750, 3). A client that sees
// resource_metadata begins an OAuth flow, so there is none where that leads to
// nothing.
func (cfg Config) challenge(r *http.Request, told *auth.Error) string {
	text, how := `Bearer realm="stroem"`, "; stroem apikey create makes a key"
	if cfg.oauthOn() && isMCP(r) {
		text = fmt.Sprintf(`Bearer realm="mcp", resource_metadata="%s%sprotected-resource/mcp", scope="%s"`, cfg.Gate.Issuer(), wellKnown, auth.Scope)
		how = ""
	}
	if told != auth.ErrNoCredential {
		text += fmt.Sprintf(`, error="invalid_token", error_description="%s%s"`, told.Msg, how)
	}
	return text
}

func isMCP(r *http.Request) bool { return r.URL.Path == "/mcp" || r.URL.Path == "/mcp/" }

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
