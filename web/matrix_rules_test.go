package web_test

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"stroem/auth"
	"stroem/store"
	"stroem/web"
)

// caller is one of those who may come to a house.
type caller struct {
	name string
	user string // whose credential it shows; "" for who is not known
	kind auth.Via
	used bool          // a session that was used on /mcp
	key  *store.APIKey // what narrows it
}

var callers = []caller{
	{name: "none"}, {name: "garbage token"}, {name: "garbage key"}, {name: "expired key"}, {name: "revoked key"},
	{name: "expired session"}, {name: "ended session"}, {name: "revoked remote agent"}, {name: "expired remote agent"},
	{name: "read-only key", user: "run", kind: auth.Key, key: &store.APIKey{ReadOnly: true}},
	{name: "workspace key", user: "run", kind: auth.Key, key: &store.APIKey{Workspaces: []string{own.ws}}},
	{name: "task key", user: "run", kind: auth.Key, key: &store.APIKey{Tasks: []string{"deploy/*"}}},
	{name: "mcp-only key", user: "run", kind: auth.Key, key: &store.APIKey{MCPOnly: true}},
	{name: "admin's key", user: "admin", kind: auth.Key, key: &store.APIKey{}},
	{name: "remote agent", user: "run", kind: auth.OAuth},
	{name: "admin's remote agent", user: "admin", kind: auth.OAuth},
	{name: "session an agent had", user: "admin", kind: auth.Session, used: true},
	{name: "view", user: "view", kind: auth.Session},
	{name: "run", user: "run", kind: auth.Session},
	{name: "denied", user: "denied", kind: auth.Session},
	{name: "admin", user: "admin", kind: auth.Session},
}

// admit gives every caller what it shows.
func (h *house) admit() {
	h.t.Helper()
	h.bearer["garbage token"], h.bearer["garbage key"] = "eyJhbGciOiJub25lIn0.e30.", "strm_00000000000000000000000000000000"
	revoked, prefix := h.key("admin", store.APIKey{})
	h.bearer["revoked key"], h.bearer["ended session"] = revoked, h.signIn("admin")
	h.early.Store(int64(31 * 24 * time.Hour))
	h.bearer["expired key"], _ = h.key("admin", store.APIKey{ExpiresAt: h.now().Add(time.Hour)})
	h.bearer["expired session"] = h.signIn("admin")
	h.bearer["expired remote agent"], _ = h.remote("admin")
	h.early.Store(0)
	gone, id := h.remote("admin")
	h.bearer["revoked remote agent"] = gone
	if err := h.gate.RevokeGrant(owner(), id); err != nil {
		h.t.Fatal(err)
	}
	if err := h.gate.RevokeKey(owner(), prefix); err != nil {
		h.t.Fatal(err)
	}
	if a := h.ask(http.MethodPost, "/api/auth/logout", "", h.bearer["ended session"]); a.status != 200 {
		h.t.Fatal(a)
	}
	for _, c := range callers {
		switch {
		case c.kind == auth.Key:
			h.bearer[c.name], _ = h.key(c.user, *c.key)
		case c.kind == auth.OAuth:
			h.bearer[c.name], _ = h.remote(c.user)
		case c.kind == auth.Session:
			h.bearer[c.name] = h.signIn(c.user)
			h.bearer[c.name+" at /mcp"] = h.signIn(c.user)
		}
		if c.used {
			h.bearer[c.name] = h.bearer[c.name+" at /mcp"]
			h.ask(http.MethodPost, "/mcp", ping, h.bearer[c.name])
		}
	}
}

// may is what the caller may do in the place.
func (c caller) may(p place) auth.Perm {
	switch {
	case p == absent || c.user == "denied" || c.kind == auth.Nobody:
		return auth.Deny
	case c.user == "admin":
		return auth.Run
	case p != own && p != foreign, c.key != nil && p == foreign && (c.key.Workspaces != nil || c.key.Tasks != nil):
		return auth.Deny
	case c.user == "view", c.key != nil && c.key.ReadOnly:
		return auth.View
	}
	return auth.Run
}

// need is what a route asks of its callers.
type need int

const (
	nothing   need = iota // anybody
	identity              // to be known
	view                  // to see the place
	run                   // to run the place
	word                  // to run the place, and to be a person
	session               // to have signed in
	person                // to be a person
	ownKey                // to be a person, whose key or grant it is or an administrator
	self                  // to be who is asked for, or an administrator in person
	adminship             // to be an administrator in person
)

// rule is a row of the matrix: what a route needs, and what it answers to who
// has that.
type rule struct {
	need  need
	body  string // of a tool, its arguments
	ok    []int  // 200 where it says none
	space bool   // it is about a workspace, not about a task in it
	once  bool   // it uses its target or its credential up
}

// rules has every operation, route and tool.
var rules = map[string]rule{
	"config": {}, "login": {body: `{"email":"run@example.org","password":"a wrong one"}`, ok: []int{401}},
	"refresh-session": {body: `{"refresh_token":"strr_no"}`, ok: []int{401}},
	"change-password": {need: person, body: `{"current_password":"x","new_password":"short"}`, ok: []int{400}},
	"workspaces":      {need: identity}, "all-tasks": {need: identity}, "stats": {need: identity}, "jobs": {need: identity}, "me": {need: identity},
	"triggers": {need: view, space: true}, "tasks": {need: view, space: true}, "task": {need: view}, "task-stats": {need: view},
	"job": {need: view}, "job-logs": {need: view}, "step-logs": {need: view}, "log-stream": {need: view},
	"artifacts": {need: view}, "artifact": {need: view},
	"refresh": {need: run, space: true, ok: []int{200, 429}}, "execute": {need: run, body: `{}`}, "cancel": {need: run, once: true},
	"rerun":   {need: run, body: `{}`, ok: []int{409}},                 // it has not ended
	"approve": {need: word, body: `{"approved":true}`, ok: []int{409}}, // nothing waits
	"logout":  {need: session, once: true}, "keys": {need: person}, "create-key": {need: person, body: `{"name":"new"}`},
	"revoke-key": {need: ownKey, once: true}, "user": {need: self}, "groups-of": {need: self},
	"set-admin": {need: adminship, body: `{"is_admin":true}`}, "set-groups": {need: adminship, body: `{"groups":["many"]}`},
	"users": {need: adminship}, "groups": {need: adminship}, "create-user": {need: adminship, body: `{"email":"NEW@example.org","password":"long enough"}`},

	"oauth-client": {need: person}, "grants": {need: person}, "revoke-grant": {need: ownKey, once: true},
	"consent": {need: person, ok: []int{400}, body: `{"client_id":"mcp_no","redirect_uri":"https://a.example/","code_challenge":"x","code_challenge_method":"S256"}`},
	"GET /.well-known/oauth-protected-resource": {}, "GET /.well-known/oauth-protected-resource/{at...}": {},
	"GET /.well-known/oauth-authorization-server": {}, "GET /.well-known/oauth-authorization-server/{at...}": {ok: []int{404}},
	"POST /oauth/register": {body: `{"redirect_uris":["https://a.example/"]}`, ok: []int{201}}, "GET /oauth/authorize": {ok: []int{400}},
	"POST /oauth/authorize": {ok: []int{400}}, "POST /oauth/token": {ok: []int{400}}, "POST /oauth/revoke": {ok: []int{400}},

	"GET /{$}": {}, "GET /healthz": {}, "GET /llms.txt": {}, "/": {need: identity, ok: []int{404}}, "/mcp": {need: identity}, "/mcp/{$}": {need: identity},

	"list_workspaces": {need: identity}, "list_jobs": {need: identity}, "list_tasks": {need: view, space: true, body: `{"workspace":"{ws}"}`},
	"get_task":       {need: view, body: `{"workspace":"{ws}","task_name":"{task}"}`},
	"execute_task":   {need: run, body: `{"workspace":"{ws}","task_name":"{task}"}`},
	"get_job_status": {need: view, body: `{"job_id":"{id}"}`}, "get_job_logs": {need: view, body: `{"job_id":"{id}"}`},
	"list_artifacts": {need: view, body: `{"job_id":"{id}"}`}, "get_artifact": {need: view, body: `{"job_id":"{id}","name":"notes/of-it.txt"}`},
	"plan_task":  {need: run, body: `{"workspace":"{ws}","task_name":"{task}"}`},
	"rerun_job":  {need: run, body: `{"job_id":"{id}"}`, ok: []int{400}}, // it has not ended
	"cancel_job": {need: run, body: `{"job_id":"{id}"}`, once: true},
}

// expect is what the rule answers to the caller, at the place.
func (r rule) expect(c caller, at string, mcp bool) []int {
	ok := r.ok
	if ok == nil {
		ok = []int{http.StatusOK}
	}
	aPerson, may := c.kind == auth.Session && !c.used, c.may(places[at])
	if r.space && may == auth.Deny && c.may(own) > auth.Deny && at == "foreign" && c.key.Workspaces == nil {
		may = auth.View // a key for some tasks sees the workspaces that its user sees
	}
	switch {
	case r.need == nothing:
		return ok
	case c.kind == auth.Nobody, c.kind == auth.OAuth && !mcp:
		return []int{http.StatusUnauthorized}
	case c.key != nil && c.key.MCPOnly && !mcp:
		return []int{http.StatusForbidden}
	case r.need == view || r.need == run || r.need == word:
		switch {
		case may == auth.Deny:
			return []int{http.StatusNotFound}
		case may == auth.View && r.need != view, r.need == word && !aPerson:
			return []int{http.StatusForbidden}
		}
	case r.need == session && c.kind != auth.Session:
		return []int{http.StatusBadRequest}
	case r.need == self && at == "own":
	case r.need == person || r.need == ownKey:
		if !aPerson {
			return []int{http.StatusForbidden}
		}
		if r.need == person && at == "absent" || r.need == ownKey && (at == "absent" || at != "own" && c.user != "admin") {
			return []int{http.StatusNotFound}
		}
	case r.need == adminship || r.need == self:
		if !aPerson || c.user != "admin" {
			return []int{http.StatusForbidden}
		}
		if at == "absent" {
			return []int{http.StatusNotFound}
		}
	}
	return ok
}

// matrix asks everything of a house, and remembers its answers.
type matrix struct {
	*house
	jobs  map[string]string // by place
	cells int
}

// request is a cell of the matrix, ready to be asked.
type request struct {
	name         string
	c            caller
	at           string
	method, path string // of a route
	mcp          bool
}

// of is what the request's path or arguments are about.
func (m *matrix) of(q request) (p place, job string) {
	p = places[q.at]
	if job = m.jobs[q.at]; rules[q.name].once && q.c.may(p) > auth.Deny {
		job = m.job(p)
	}
	return p, job
}

func (m *matrix) ask(q request) answer {
	r, bearer := rules[q.name], m.bearer[q.c.name]
	p, job := m.of(q)
	if q.mcp {
		if q.c.kind == auth.Session {
			bearer = m.bearer[q.c.name+" at /mcp"]
		}
		return m.tool(q.name, strings.NewReplacer("{ws}", p.ws, "{task}", p.task, "{id}", job).Replace(cmp.Or(r.body, "{}")), bearer)
	}
	if q.name == "logout" && q.c.kind == auth.Session {
		bearer = m.signIn(q.c.user)
	}
	user, prefix, grant, client := m.account("victim").ID, "strm_absent0", "absent", "mcp_absent"
	if whose := "victim"; q.at != "absent" {
		if q.at == "own" && q.c.user != "" {
			whose = q.c.user
		}
		switch q.name {
		case "revoke-key":
			_, prefix = m.key(whose, store.APIKey{})
		case "revoke-grant":
			_, grant = m.remote(whose)
		case "oauth-client":
			client = m.program("x")
		}
	}
	switch {
	case q.at == "own" && q.c.user != "":
		user = m.account(q.c.user).ID
	case q.at == "absent":
		user = "nobody"
	}
	path := strings.NewReplacer("{ws}", p.ws, "{task}", p.task, "{id}", job, "{step}", "s", "{user}", user, "{prefix}", prefix,
		"{name}", "notes/of-it.txt", "{grant}", grant, "{client}", client, "{at...}", "mcp").Replace(q.path)
	body := strings.ReplaceAll(r.body, "NEW", fmt.Sprint("new", m.asked.Load()))
	if strings.HasPrefix(path, "/mcp") {
		body = ping
	}
	return m.house.ask(q.method, path, body, bearer)
}

// check holds an answer against the rules, and against what the caller must
// not hear of.
func (m *matrix) check(q request, a answer) {
	m.t.Helper()
	m.cells++
	want := rules[q.name].expect(q.c, q.at, q.mcp || strings.HasPrefix(q.path, "/mcp"))
	if !slices.Contains(want, a.status) {
		m.t.Errorf("%s by %s at %s: %d, want %d: %s", q.name, q.c.name, q.at, a.status, want, a.body)
	}
	realm := `Bearer realm="stroem"`
	if q.mcp || strings.HasPrefix(q.path, "/mcp") {
		realm = `Bearer realm="mcp", resource_metadata="` + issuer + `/.well-known/oauth-protected-resource/mcp", scope="mcp"`
	}
	if a.status == http.StatusUnauthorized && len(rules[q.name].ok) == 0 && !strings.HasPrefix(a.header.Get("WWW-Authenticate"), realm) {
		m.t.Errorf("%s by %s: a 401 that says WWW-Authenticate: %s", q.name, q.c.name, a.header.Get("WWW-Authenticate"))
	}
	for at, p := range places {
		told := strings.Contains(a.body, "about "+p.task) || at != q.at && (strings.Contains(a.body, p.task) || strings.Contains(a.body, m.jobs[at]))
		if told && q.c.may(p) == auth.Deny {
			m.t.Errorf("%s by %s at %s tells of what is %s: %s", q.name, q.c.name, q.at, at, a.body)
		}
	}
}

// requests are the cells of a row: every caller at every place that makes a
// difference to it.
func (m *matrix) requests(q request) (list []request) {
	ats := []string{"own"}
	switch r := rules[q.name]; {
	case r.need == view || r.need == run || r.need == word:
		ats = []string{"own", "foreign", "denied", "absent"}
		if !r.space {
			ats = append(ats, "hidden")
		}
	case strings.Contains(q.path, "{"):
		ats = []string{"own", "foreign", "absent"}
	}
	for _, q.c = range callers {
		for _, q.at = range ats {
			list = append(list, q)
		}
	}
	return list
}

// rows are all that the house has to be asked for.
func (m *matrix) rows() (list []request) {
	m.t.Helper()
	for id, op := range m.operations() {
		list = append(list, request{name: id, method: op[0], path: op[1]})
	}
	for _, pattern := range patterns(m.t.(*testing.T)) {
		method, path, found := strings.Cut(pattern, " ")
		if !found {
			method, path = http.MethodPost, pattern
		}
		path = strings.TrimSuffix(path, "{$}")
		if pattern == "/" {
			path = "/not/there"
		}
		list = append(list, request{name: pattern, method: method, path: path})
	}
	for _, tool := range m.tools() {
		list = append(list, request{name: tool, mcp: true})
	}
	for _, q := range list {
		if _, ok := rules[q.name]; !ok {
			m.t.Errorf("%s %s %s has no row in the matrix: say in rules who may call it", q.name, q.method, q.path)
		}
	}
	return list
}

// Every caller gets from every route and tool what the rules say, and what is
// denied answers to the byte as on a server that never had it.
func TestMatrix(t *testing.T) {
	t.Parallel()
	has := &matrix{house: build(t, nil, own, foreign, hidden, denied), jobs: map[string]string{}}
	never := &matrix{house: build(t, nil, own, foreign), jobs: map[string]string{}}
	has.admit()
	never.admit()
	for at, p := range places {
		has.jobs[at] = has.job(p)
		has.leave(has.jobs[at], store.Artifact{Name: "notes/of-it.txt", Type: "text/plain; charset=utf-8"}, strings.NewReader("text about "+p.task))
		never.jobs[at] = has.jobs[at]
	}
	rows, same := has.rows(), 0
	for _, row := range rows {
		for _, q := range has.requests(row) {
			got := has.ask(q)
			has.check(q, got)
			if (q.at == "hidden" || q.at == "denied") && q.c.may(places[q.at]) == auth.Deny {
				same++
				if want := never.ask(q); !reflect.DeepEqual(got, want) {
					t.Errorf("%s by %s of what is %s:\n%v\nwhere it is absent:\n%v", q.name, q.c.name, q.at, got, want)
				}
			}
		}
	}
	if len(rows) != len(rules) {
		t.Errorf("%d rows, but rules for %d", len(rows), len(rules))
	}
	t.Logf("%d rows, %d callers, %d cells, of which %d were compared with a server without the place", len(rows), len(callers), has.cells, same)
}

// A stream ends soon after its reader is not known any more, or may not see
// the job any more.
func TestStreamEndsWithItsReader(t *testing.T) {
	t.Parallel()
	h := build(t, func(c *web.Config) { c.Beat = 20 * time.Millisecond }, own)
	id := h.job(own)
	key, prefix := h.key("view", store.APIKey{})
	ending, ended := h.key("view", store.APIKey{ExpiresAt: h.now().Add(time.Hour)})
	session, moved := h.signIn("run"), h.signIn("view")
	for _, end := range []struct {
		name, bearer string
		by           func() error
	}{
		{"revoked key", key, func() error { return h.gate.RevokeKey(owner(), prefix) }},
		{"signed out", session, func() error {
			if a := h.ask(http.MethodPost, "/api/auth/logout", "", session); a.status != 200 {
				return fmt.Errorf("logout: %v", a)
			}
			return nil
		}},
		{"expired key " + ended, ending, func() error { h.early.Store(int64(-2 * time.Hour)); return nil }},
		{"out of the group", moved, func() error { return h.gate.SetGroups(owner(), h.account("view").ID, nil) }},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.URL+"/api/jobs/"+id+"/logs/stream", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+end.bearer)
		res, err := h.Client().Do(req)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("%s: %v %v", end.name, res, err)
		}
		lines := bufio.NewScanner(res.Body)
		for lines.Scan() && lines.Text() != ": still here" { // it goes on as long as nothing is changed
		}
		if err := end.by(); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() { // until the server ends it
			if lines.Text() == "event: end" {
				t.Errorf("%s: the job is said to have ended", end.name)
			}
		}
		if err := errors.Join(lines.Err(), res.Body.Close()); err != nil {
			t.Errorf("%s: %v", end.name, err)
		}
	}
}
