package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/google/uuid"

	"stroem/control"
	"stroem/store"
)

const (
	// patience is how long a server may take to begin its answer. What follows
	// may be a large log, or a stream.
	patience = time.Minute
	// newest is how many jobs are searched for one whose id begins as given.
	newest = 1000
	// leastID is how much of an id must be given.
	leastID = 6
)

// client asks a server over REST.
type client struct {
	base   string
	token  string
	via    http.RoundTripper // nil: as the standard library does
	header http.Header       // what requests have beside that; may be nil
	lost   func()            // a stream broke off and is asked for again; may be nil
}

// usualServer is where a server listens that nothing else was said to.
const usualServer = "http://127.0.0.1:8080"

// address is where the server listens that the configuration describes beside
// which the command runs. Whether that is sound is the server's to say.
func (e *env) address() string {
	cfg, err := loadConfig(e.config, os.Environ())
	if err != nil {
		return usualServer
	}
	host, port, err := net.SplitHostPort(cfg.Listen)
	if err != nil || strings.Trim(port, "0") == "" { // with port 0 the system chooses
		return usualServer
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// client is the client of the server that --url names, or the configuration. It
// shows the key that was given, else the sign-in that is kept for that server.
func (e *env) client() (*client, error) {
	c, err := e.agent()
	if err != nil || c.token != "" {
		return c, err
	}
	all, err := sessions()
	if err != nil {
		return nil, err
	}
	if c.token = all[c.base].Token; c.token != "" {
		err = e.mayShow(c.base, "sign-in")
	}
	return c, err
}

// agent is that client with the key that was given, and never a person's
// sign-in.
func (e *env) agent() (*client, error) {
	c, err := e.visitor()
	if err == nil && e.token != "" {
		c.token, err = e.token, e.mayShow(c.base, "key")
	}
	return c, err
}

// visitor is that client with nothing to show.
func (e *env) visitor() (*client, error) {
	wanted := e.url
	if wanted == "" {
		wanted = e.address()
	}
	base := baseOf(wanted)
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, usage("--url: %q is no address of a server; write it like "+usualServer, wanted)
	}
	via := http.DefaultTransport.(*http.Transport).Clone()
	via.ResponseHeaderTimeout = patience
	return &client{base: base, via: via, lost: func() { e.tell("connection lost, trying again") }}, nil
}

// baseOf is a server's address without what may stand behind it.
func baseOf(address string) string {
	return strings.TrimRight(strings.TrimSuffix(strings.TrimRight(address, "/"), "/mcp"), "/")
}

// mayShow is the error of an address to which the secret would go in clear,
// unless --allow-http says that it may.
func (e *env) mayShow(base, secret string) error {
	if e.allowHTTP || !inClear(base) {
		return nil
	}
	return fmt.Errorf("http would show the %s to everybody on the way to %s; use https, or --allow-http", secret, base)
}

// inClear reports whether what is sent there can be read on the way.
func inClear(base string) bool {
	u, err := url.Parse(base)
	return err != nil || u.Scheme == "http" && !isLoopback(u.Hostname())
}

// api is a path below /api, its parts escaped.
func api(parts ...string) string {
	path := "/api"
	for _, p := range parts {
		path += "/" + url.PathEscape(p)
	}
	return path
}

func (c *client) get(ctx context.Context, path string, query url.Values, into any) error {
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return c.ask(ctx, http.MethodGet, path, nil, into)
}

func (c *client) post(ctx context.Context, path string, body, into any) error {
	doc, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode request: %w", err)
	}
	return c.ask(ctx, http.MethodPost, path, doc, into)
}

// ask makes one request and decodes its answer.
func (c *client) ask(ctx context.Context, method, path string, body []byte, into any) error {
	res, err := c.send(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	doc, err := io.ReadAll(res.Body)
	if err != nil {
		return fmt.Errorf("read the answer of %s: %w", c.base, err)
	}
	if err := json.Unmarshal(doc, into); err != nil {
		return c.stranger()
	}
	return nil
}

// stranger is the error of an answer that no stroem server gives.
func (c *client) stranger() error {
	return fmt.Errorf("%s did not answer as a stroem server does; is --url right?", c.base)
}

// refusal is an error that the server answered with.
type refusal struct {
	status int
	text   string
}

func (r *refusal) Error() string { return r.text }

// send makes one request. What is not 200 is a *refusal. Whoever calls closes
// the body.
func (c *client) send(ctx context.Context, method, path string, body []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	maps.Copy(req.Header, c.header)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	res, err := (&http.Client{Transport: c.via, CheckRedirect: noRedirect}).Do(req)
	if err != nil {
		return nil, c.unreached(err)
	}
	if res.StatusCode == http.StatusOK {
		return res, nil
	}
	defer res.Body.Close()
	var answer struct {
		Error string `json:"error"`
	}
	r := &refusal{status: res.StatusCode}
	doc, _ := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if json.Unmarshal(doc, &answer) == nil && answer.Error != "" {
		r.text = answer.Error
	} else {
		r.text = fmt.Sprintf("%s answered %q, which is not how a stroem server does; is --url right?", c.base, res.Status)
	}
	switch {
	case r.status == http.StatusUnauthorized:
		r.text += "; `stroem login` signs in, or --token gives an API key"
	case r.text == "Authentication not configured":
		r.text += ": sign-in is off on this server, and who reaches it may do everything"
	}
	return nil, r
}

// errUnreached: no server answered.
var errUnreached = errors.New("no server answers")

// unreached says that no server answered, and what to do.
func (c *client) unreached(err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	why := ""
	var op *url.Error
	if errors.As(err, &op) && !errors.Is(err, syscall.ECONNREFUSED) {
		why = " (" + op.Err.Error() + ")"
	}
	return fmt.Errorf("%w at %s%s; start one with `stroem serve`, or name another with --url", errUnreached, c.base, why)
}

// workspace is the workspace to use where wanted is what -w says: that one,
// else "default", else the only one.
func (c *client) workspace(ctx context.Context, wanted string) (string, error) {
	if wanted != "" {
		return wanted, nil
	}
	var all []store.WorkspaceInfo
	if err := c.get(ctx, api("workspaces"), nil, &all); err != nil {
		return "", err
	}
	var names []string
	for _, w := range all {
		names = append(names, w.Name)
	}
	switch {
	case slices.Contains(names, "default"):
		return "default", nil
	case len(names) == 1:
		return names[0], nil
	case len(names) == 0:
		return "", errors.New("the server has no workspace; add one to its configuration")
	}
	return "", fmt.Errorf("the server has several workspaces; name one with -w: %s", strings.Join(names, ", "))
}

// ofJob is the server, and the whole id of the job that given names on it.
func (e *env) ofJob(given string) (server *client, id string, err error) {
	if server, err = e.client(); err == nil {
		id, err = server.jobID(e.ctx, given)
	}
	return server, id, err
}

// jobPage is a part of the list of jobs.
type jobPage struct {
	Items []store.Job `json:"items"`
	Total int64       `json:"total"`
}

// jobID is the whole id of the job that given names, by its id or by how that
// begins.
func (c *client) jobID(ctx context.Context, given string) (string, error) {
	if uuid.Validate(given) == nil {
		return given, nil
	}
	if len(given) < leastID || strings.Trim(given, "0123456789abcdefABCDEF-") != "" {
		return "", usage("%q is no job id; give one as `stroem jobs` shows it, or at least its first %d characters", given, leastID)
	}
	var page jobPage
	if err := c.get(ctx, api("jobs"), url.Values{"limit": {fmt.Sprint(newest)}}, &page); err != nil {
		return "", err
	}
	var found []string
	for _, j := range page.Items {
		if strings.HasPrefix(j.ID, strings.ToLower(given)) {
			found = append(found, j.ID)
		}
	}
	switch len(found) {
	case 0:
		return "", fmt.Errorf("no job begins with %q among the newest %d; give the whole id of an older one", given, newest)
	case 1:
		return found[0], nil
	}
	return "", fmt.Errorf("%d jobs begin with %q; give more of the id, for example %s", len(found), given, found[0])
}

// job asks for a job by its whole id.
func (c *client) job(ctx context.Context, id string) (j control.Job, err error) {
	return j, c.get(ctx, api("jobs", id), nil, &j)
}
