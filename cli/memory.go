package cli

import (
	"bytes"
	"io"
	"net/http"

	"stroem/control"
	"stroem/web"
)

// inMemory asks the plane as a server would be asked, so that what --json
// prints without a server is what REST gives, from the same code.
func inMemory(plane *control.Plane) *client {
	return &client{base: "http://127.0.0.1", via: handlerTransport{web.Handler(web.Config{Plane: plane, Log: plane.Log})}}
}

// handlerTransport answers requests by a handler.
type handlerTransport struct{ http.Handler }

// RoundTrip implements http.RoundTripper.
func (t handlerTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	w := &recorder{header: http.Header{}, status: http.StatusOK}
	req.Host = req.URL.Host
	t.ServeHTTP(w, req)
	return &http.Response{StatusCode: w.status, Status: http.StatusText(w.status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.header, Body: io.NopCloser(&w.body), ContentLength: -1, Request: req}, nil
}

// recorder keeps what a handler answers.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(p []byte) (int, error) { return r.body.Write(p) }
