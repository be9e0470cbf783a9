package web_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"stroem/auth"
	"stroem/control"
	"stroem/mcpsrv"
	"stroem/runner"
	"stroem/store"
	"stroem/web"
)

// place is a task, the workspace it is in, and what names it and nothing else.
type place struct {
	ws, folder, task string
	agents           bool // what an agent begins here waits for a person
}

// The places of the matrix. Rules give the people of the group run the right
// to run what is own and foreign, those of the group view the right to view it,
// and nobody anything else.
var (
	own     = place{ws: "w", folder: "deploy", task: "api-of-ours"}
	foreign = place{ws: "other", task: "task-elsewhere"}
	hidden  = place{ws: "w", folder: "cellar", task: "thing-unseen"} // beside what is own
	denied  = place{ws: "vault", task: "gold-reserve"}
	absent  = place{ws: "nowhere", task: "zzzz-zzzz"}

	places = map[string]place{"own": own, "foreign": foreign, "hidden": hidden, "denied": denied, "absent": absent}
)

func (p place) yaml() string {
	return fmt.Sprintf("  %s: {folder: %q, description: about %s, approval: {agents: %t}, flow: {s: {type: script, script: echo done, continue_on_failure: true},\n"+
		"    after: {type: script, script: 'true', depends_on: [s], continue_on_failure: true}}}\n", p.task, p.folder, p.task, p.agents)
}

// house is a server with sign-in and rules on which nothing runs: jobs stay
// pending. Each request comes from an address of its own, so that no quota of
// addresses is spent.
type house struct {
	*httptest.Server
	t       testing.TB
	gate    *auth.Gate
	store   *store.Store
	plane   *control.Plane
	early   atomic.Int64              // how far the gate's clock is behind
	stopped atomic.Pointer[time.Time] // the moment at which the gate's clock stands still
	asked   atomic.Int64
	users   map[string]store.User
	bearer  map[string]string // by the caller's name; people have another for /mcp
}

func (h *house) now() time.Time {
	if at := h.stopped.Load(); at != nil {
		return *at
	}
	return time.Now().Add(-time.Duration(h.early.Load()))
}

// build is a house in which these places are.
func build(t testing.TB, change func(*web.Config), there ...place) *house {
	t.Helper()
	h := &house{t: t, users: map[string]store.User{}, bearer: map[string]string{}}
	texts := map[string]string{}
	for _, p := range there {
		if texts[p.ws] == "" {
			texts[p.ws] = "tasks:\n"
		}
		texts[p.ws] += p.yaml()
	}
	var folders []control.Folder
	for _, ws := range slices.Sorted(maps.Keys(texts)) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "w.yaml"), []byte(texts[ws]), 0o600); err != nil {
			t.Fatal(err)
		}
		folders = append(folders, control.Folder{Name: ws, Path: dir})
	}
	var err error
	if h.store, err = store.Open(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	rn := &runner.Runner{Store: h.store, Slots: 1, KeepLog: 1 << 20, Grace: time.Second, Log: log, Now: time.Now, Key: make([]byte, 32)}
	h.plane = &control.Plane{Store: h.store, Runner: rn, Folders: folders, Log: log, Now: time.Now, Policy: &auth.Policy{}}
	for _, p := range []place{own, foreign} {
		for _, right := range []auth.Perm{auth.View, auth.Run} {
			h.plane.Policy.Rules = append(h.plane.Policy.Rules,
				auth.Rule{Workspace: p.ws, Tasks: []string{store.Path(p.folder, p.task)}, Action: right, Groups: []string{right.String()}})
		}
	}
	if h.gate, err = auth.New(auth.Config{Store: h.store, Issuer: issuer, OAuth: true, Now: h.now, Log: log}); err != nil {
		t.Fatal(err)
	}
	cfg := web.Config{Plane: h.plane, Gate: h.gate, MCP: mcpsrv.Handler(h.plane, "test", log), URL: issuer, Version: "test",
		Log: log, Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}
	if change != nil {
		change(&cfg)
	}
	ctx, stop := context.WithCancel(context.Background())
	ready, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- h.plane.Sync(ctx, ready) }()
	<-ready
	h.Server = httptest.NewServer(web.Handler(cfg))
	t.Cleanup(func() {
		h.Close()
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if _, err := h.store.VerifyAudit(context.Background()); err != nil {
			t.Error(err)
		}
		h.store.Close()
	})
	return h
}

func owner() context.Context { return auth.With(context.Background(), auth.Owner()) }

const passphrase = "correct horse"

// account is the account of that name, in the group of that name.
func (h *house) account(name string) store.User {
	h.t.Helper()
	if u, ok := h.users[name]; ok {
		return u
	}
	u, err := h.gate.CreateUser(owner(), auth.NewUser{Email: name + "@example.org", Password: passphrase, Admin: name == "admin", Groups: []string{name}})
	if err != nil {
		h.t.Fatal(err)
	}
	h.users[name] = u
	return u
}

// signIn begins a session of the account of that name, from a new address.
func (h *house) signIn(name string) string {
	h.t.Helper()
	tokens, err := h.gate.SignIn(context.Background(), h.account(name).Email, passphrase, h.address())
	if err != nil {
		h.t.Fatal(err)
	}
	return tokens.Access
}

func (h *house) key(user string, narrow store.APIKey) (plain, prefix string) {
	h.t.Helper()
	narrow.User, narrow.Name = h.account(user).ID, "test"
	plain, k, err := h.gate.NewKey(owner(), narrow)
	if err != nil {
		h.t.Fatal(err)
	}
	return plain, k.Prefix
}

// anybody is the context of who comes from a new address and is not known.
func (h *house) anybody() context.Context {
	return auth.With(context.Background(), auth.Principal{Door: auth.REST, Addr: h.address()})
}

// What remote agents are told and say.
const (
	issuer    = "http://127.0.0.1:1"
	landing   = "http://127.0.0.1:33418/callback"
	verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" // RFC 7636, appendix B
	challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

// program makes a client known.
func (h *house) program(name string) (id string) {
	h.t.Helper()
	c, err := h.gate.Register(h.anybody(), auth.Metadata{Name: name, Redirects: []string{landing}})
	if err != nil {
		h.t.Fatal(err)
	}
	return c.ID
}

// remote is what a new program gets to whom the account of that name gave
// access.
func (h *house) remote(user string) (access, grant string) {
	h.t.Helper()
	id := h.program("remote agent")
	ask, err := h.gate.Ask(h.anybody(), url.Values{"response_type": {"code"}, "client_id": {id}, "redirect_uri": {landing},
		"code_challenge": {challenge}, "code_challenge_method": {"S256"}})
	if err != nil {
		h.t.Fatal(err)
	}
	who, err := h.gate.Identify(h.anybody(), h.signIn(user), auth.REST, h.address())
	if err != nil {
		h.t.Fatal(err)
	}
	to, err := h.gate.Consent(auth.With(context.Background(), who), ask)
	if err != nil {
		h.t.Fatal(err)
	}
	out, err := h.gate.Exchange(h.anybody(), url.Values{"grant_type": {"authorization_code"}, "client_id": {id}, "redirect_uri": {landing},
		"code_verifier": {verifier}, "code": {parameter(h.t, to, "code")}})
	if err != nil {
		h.t.Fatal(err)
	}
	if who, err = h.gate.Identify(h.anybody(), out.Access, auth.MCP, h.address()); err != nil {
		h.t.Fatal(err)
	}
	return out.Access, who.Grant.ID
}

// parameter is one of those in the query of an address.
func parameter(t testing.TB, address, name string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query().Get(name)
}

// address is one that nobody had.
func (h *house) address() string {
	n := h.asked.Add(1)
	return fmt.Sprintf("10.%d.%d.%d", n>>16&255, n>>8&255, n&255)
}

// job is a new job of the place, begun by the owner of the data folder; where
// there is no such place, the id of none.
func (h *house) job(p place) string {
	h.t.Helper()
	if p == absent {
		return "00000000-0000-4000-8000-000000000000"
	}
	job, err := h.plane.Execute(owner(), control.Execution{Workspace: p.ws, Task: p.task})
	if err != nil {
		h.t.Fatal(err)
	}
	return job.ID
}

// leave keeps an artifact of the job's first step; nothing where there is no
// such job.
func (h *house) leave(id string, a store.Artifact, content io.Reader) {
	h.t.Helper()
	f, err := os.Create(filepath.Join(h.t.TempDir(), "f"))
	if err != nil {
		h.t.Fatal(err)
	}
	defer f.Close()
	a.CreatedAt, a.Attempt = h.now(), fmt.Sprint(id, "-", h.asked.Add(1))
	a.Size, err = io.Copy(f, content)
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		h.t.Fatal(err)
	}
	to, errNew := h.store.NewArtifacts(a.Attempt)
	if err := errors.Join(err, errNew); err != nil {
		h.t.Fatal(err)
	}
	_, err = to.Add(0, f, a.Size)
	if err := errors.Join(err, to.Close()); err != nil {
		h.t.Fatal(err)
	}
	err = h.store.Update(context.Background(), func(tx *store.Tx) error {
		job, err := tx.Job(id)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if a.Job = job.Seq; err == nil {
			_, err = tx.KeepArtifacts([]store.Artifact{a})
		}
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

// answer is what came of a request. Of a stream it has no body.
type answer struct {
	status int
	header http.Header
	body   string
}

func (h *house) ask(method, path, body, bearer string) answer {
	h.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, h.URL+path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	req.Header = http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json, text/event-stream"}, "X-Forwarded-For": {h.address()}}
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	res, err := h.Client().Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer res.Body.Close()
	a := answer{status: res.StatusCode, header: res.Header}
	a.header.Del("Date")
	if res.Header.Get("Content-Type") == "text/event-stream" {
		return a
	}
	text, err := io.ReadAll(res.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	a.body = string(text)
	return a
}

// tool calls a tool. Its answer has the status that REST would give.
func (h *house) tool(name, args, bearer string) answer {
	h.t.Helper()
	a := h.ask(http.MethodPost, "/mcp", fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":%q,"arguments":%s}}`, name, args), bearer)
	if a.status != http.StatusOK {
		return a
	}
	var reply struct {
		Error  any
		Result struct {
			IsError bool
			Content []struct{ Text string }
		}
	}
	if err := json.Unmarshal([]byte(a.body), &reply); err != nil || reply.Error != nil || len(reply.Result.Content) == 0 {
		h.t.Fatalf("%s(%s): %s", name, args, a.body)
	}
	switch text := reply.Result.Content[0].Text; {
	case !reply.Result.IsError:
	case strings.HasPrefix(text, "no "):
		a.status = http.StatusNotFound
	case strings.Contains(text, `needs the right "run"`):
		a.status = http.StatusForbidden
	default:
		a.status = http.StatusBadRequest
	}
	return a
}

// operations are the routes that the server itself says it has, from the id to
// method and path.
func (h *house) operations() map[string][2]string {
	h.t.Helper()
	var api struct {
		Paths map[string]map[string]struct{ OperationID string }
	}
	if err := json.Unmarshal([]byte(h.ask("GET", "/api/openapi.json", "", "").body), &api); err != nil {
		h.t.Fatal(err)
	}
	all := map[string][2]string{}
	for path, methods := range api.Paths {
		for method, op := range methods {
			all[op.OperationID] = [2]string{strings.ToUpper(method), path}
		}
	}
	return all
}

// tools are those that the server itself lists.
func (h *house) tools() (names []string) {
	h.t.Helper()
	var list struct {
		Result struct{ Tools []struct{ Name string } }
	}
	a := h.ask("POST", "/mcp", `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, h.bearer["admin's key"])
	if err := json.Unmarshal([]byte(a.body), &list); err != nil {
		h.t.Fatal(err)
	}
	for _, tool := range list.Result.Tools {
		names = append(names, tool.Name)
	}
	return names
}

// patterns are the routes that this package registers by itself.
func patterns(t *testing.T) (list []string) {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) != 2 {
				return true
			}
			fun, ok := call.Fun.(*ast.SelectorExpr)
			lit, isLit := call.Args[0].(*ast.BasicLit)
			if ok && isLit && (fun.Sel.Name == "Handle" || fun.Sel.Name == "HandleFunc") {
				pattern, err := strconv.Unquote(lit.Value)
				if err != nil {
					t.Fatal(err)
				}
				list = append(list, pattern)
			}
			return true
		})
	}
	return list
}
