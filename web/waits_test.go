package web_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"regexp"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"stroem/auth"
	"stroem/control"
	"stroem/store"
	"stroem/web"
)

// Tasks whose jobs wait where an agent begins them: one says so itself, of the
// other a rule does.
var (
	declared = place{ws: "w", task: "guarded-one", agents: true}
	ruled    = place{ws: "w", task: "ruled-one"}
)

// guardhouse is a house with these tasks, for those in the groups run and
// other, where jobs run.
func guardhouse(t *testing.T, otherPerson bool) *house {
	t.Helper()
	h := build(t, func(c *web.Config) {
		c.Plane.OtherPerson = otherPerson
		c.Plane.Policy.Rules = []auth.Rule{
			{Workspace: "w", Action: auth.Run, Groups: []string{"run", "other"}},
			{Workspace: "w", Action: auth.View, Groups: []string{"view"}},
			{Workspace: "w", Tasks: []string{ruled.task}, Action: auth.Run, Groups: []string{"run"}, Approval: true},
		}
	}, declared, ruled, own)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.plane.Runner.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil && !errors.Is(err, store.ErrClosed) {
			t.Error(err)
		}
	})
	return h
}

var jobID = regexp.MustCompile(`job_id[^0-9a-f]+([0-9a-f-]{36})`)

// begin starts the task with the credential, by REST or by MCP, and returns
// the job once it waits.
func (h *house) begin(p place, bearer string, mcp bool) (id string) {
	h.t.Helper()
	a := answer{}
	if mcp {
		a = h.tool("execute_task", fmt.Sprintf(`{"workspace":%q,"task_name":%q}`, p.ws, p.task), bearer)
	} else {
		a = h.ask(http.MethodPost, "/api/workspaces/"+p.ws+"/tasks/"+p.task+"/execute", "{}", bearer)
	}
	found := jobID.FindStringSubmatch(a.body)
	if a.status != http.StatusOK || found == nil {
		h.t.Fatalf("execute: %d %s", a.status, a.body)
	}
	if status, lines := h.standing(found[1]); status != store.Running || lines != 0 {
		h.t.Fatalf("the job is %s with %d lines, and does not wait", status, lines)
	}
	return found[1]
}

// standing is the job's status and how many lines it has printed, once it has
// ended or waits.
func (h *house) standing(id string) (store.Status, int64) {
	h.t.Helper()
	job, err := h.plane.Await(owner(), id, time.Minute, func(*control.Job) {})
	if err != nil {
		h.t.Fatal(err)
	}
	return job.Status, job.LogLines
}

func (h *house) approve(id, bearer string) int {
	return h.ask(http.MethodPost, "/api/jobs/"+id+"/steps/_approval/approve", `{"approved":true}`, bearer).status
}

// An agent's job waits for a person, whatever an agent shows.
func TestAgentsApproveNothing(t *testing.T) {
	t.Parallel()
	h := guardhouse(t, false)
	key, _ := h.key("run", store.APIKey{})
	another, _ := h.key("run", store.APIKey{})
	reader, _ := h.key("other", store.APIKey{ReadOnly: true})
	admins, _ := h.key("admin", store.APIKey{})
	had, adminsHad := h.signIn("run"), h.signIn("admin")
	if a := h.ask(http.MethodPost, "/mcp", ping, adminsHad); a.status != http.StatusOK {
		t.Fatal(a)
	}
	person, admin, viewer := h.signIn("run"), h.signIn("admin"), h.signIn("view")
	tries := 0
	for i, begun := range []struct {
		bearer string
		mcp    bool
	}{{key, false}, {key, true}, {had, true}, {admins, true}} {
		for _, p := range []place{declared, ruled} {
			id := h.begin(p, begun.bearer, begun.mcp)
			for name, try := range map[string]struct {
				bearer string
				want   int
			}{
				"what began it": {begun.bearer, 403}, "another key": {another, 403}, "a reader's key": {reader, 403}, "an admin's key": {admins, 403},
				"a session an agent had": {had, 403}, "an admin's session an agent had": {adminsHad, 403},
				"who may only view": {viewer, 403}, "nobody": {"", 401}, "garbage": {"x", 401},
			} {
				if name == "a session an agent had" && i < 2 { // it was on /mcp only from the third round on
					continue
				}
				tries++
				if got := h.approve(id, try.bearer); got != try.want {
					t.Errorf("%s of what round %d began: %d, want %d", name, i, got, try.want)
				}
			}
			if status, lines := h.standing(id); status != store.Running || lines != 0 {
				t.Fatalf("the job is %s with %d lines", status, lines)
			}
			who := person
			if begun.bearer == admins {
				who = admin
			}
			h.approvedOnce(id, who)
			tries += 10
		}
	}
	t.Logf("%d tries were refused", tries)
}

// approvedOnce says yes ten times at once and once more after: one succeeds,
// and the job runs once.
func (h *house) approvedOnce(id, bearer string) {
	h.t.Helper()
	var yes, no atomic.Int64
	var under sync.WaitGroup
	for range 10 {
		under.Go(func() {
			switch h.approve(id, bearer) {
			case http.StatusOK:
				yes.Add(1)
			case http.StatusConflict:
				no.Add(1)
			}
		})
	}
	under.Wait()
	replayed := h.approve(id, bearer)
	if status, lines := h.standing(id); yes.Load() != 1 || no.Load() != 9 || replayed != http.StatusConflict || status != store.Completed || lines != 1 {
		h.t.Errorf("%d of 10 succeeded, %d were too late, the next got %d; the job is %s with %d lines", yes.Load(), no.Load(), replayed, status, lines)
	}
}

// What was changed since it was asked for is not approved by anybody.
func TestApprovalIsOfWhatWasAsked(t *testing.T) {
	t.Parallel()
	h := guardhouse(t, false)
	key, _ := h.key("run", store.APIKey{})
	person, admin := h.signIn("run"), h.signIn("admin")
	db, err := sql.Open("sqlite", "file:"+filepath.Join(h.store.Dir(), "stroem.db")+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for what, change := range map[string]string{
		"input": `UPDATE job SET input = '{"x":1}' WHERE id = ?`, "revision": `UPDATE job SET revision = 'other' WHERE id = ?`,
		"plan": `UPDATE plan SET body = replace(body, 'echo done', 'echo evil') WHERE id = (SELECT plan FROM job WHERE id = ?)`,
		"task": `UPDATE job SET task = 'ruled-one' WHERE id = ?`, "wait": `DELETE FROM approval WHERE job = (SELECT seq FROM job WHERE id = ?)`,
	} {
		id := h.begin(declared, key, true)
		res, err := db.ExecContext(t.Context(), change, id)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := res.RowsAffected(); err != nil || n != 1 {
			t.Fatalf("%s: %d rows, %v", what, n, err)
		}
		for _, bearer := range []string{person, admin} {
			if got := h.approve(id, bearer); got != http.StatusConflict {
				t.Errorf("after a changed %s: %d", what, got)
			}
		}
		if job, err := h.plane.Job(owner(), id); err != nil || job.LogLines != 0 || job.Status == store.Completed {
			t.Errorf("after a changed %s the job is %s with %d lines, %v", what, job.Status, job.LogLines, err)
		}
	}
}

// What a person refuses does not run, nor do steps that go on after failures.
func TestRefusedJobDoesNotRun(t *testing.T) {
	t.Parallel()
	h := guardhouse(t, false)
	key, _ := h.key("run", store.APIKey{})
	id := h.begin(declared, key, true)
	if a := h.ask(http.MethodPost, "/api/jobs/"+id+"/steps/_approval/approve", `{"approved":false,"rejection_reason":"no"}`, h.signIn("run")); a.status != 200 {
		t.Fatal(a)
	}
	if status, lines := h.standing(id); status != store.Failed || lines != 0 {
		t.Errorf("%s with %d lines", status, lines)
	}
	// What a person begins does not wait.
	if status, lines := h.standing(jobID.FindStringSubmatch(h.ask(http.MethodPost, "/api/workspaces/w/tasks/guarded-one/execute", "{}", h.signIn("run")).body)[1]); status != store.Completed || lines != 1 {
		t.Errorf("%s with %d lines", status, lines)
	}
}

// Where another person is asked for, the owner of a key does not answer for
// what it began.
func TestAnotherPersonIsAskedFor(t *testing.T) {
	t.Parallel()
	h := guardhouse(t, true)
	key, _ := h.key("run", store.APIKey{})
	for _, mcp := range []bool{false, true} {
		id := h.begin(declared, key, mcp)
		if got := h.approve(id, h.signIn("run")); got != http.StatusForbidden {
			t.Errorf("its owner: %d", got)
		}
		h.approvedOnce(id, h.signIn("other"))
	}
}
