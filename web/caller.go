package web

import (
	"net"
	"net/http"

	"stroem/auth"
)

// identified hands a request on with who makes it.
func identified(door auth.Door, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who := auth.Anyone(door, address(r))
		next.ServeHTTP(w, r.WithContext(auth.With(r.Context(), who)))
	})
}

// address is where a request comes from.
func address(r *http.Request) string {
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		return host
	}
	return r.RemoteAddr
}
