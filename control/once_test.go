package control_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"stroem/auth"
	"stroem/control"
	"stroem/store"
)

// The same call with the same key is one job, for each caller and for a day.
func TestAKeyIsOneJob(t *testing.T) {
	t.Parallel()
	h := open(t, all)
	ahead := time.Duration(0)
	h.Runner.Now = func() time.Time { return time.Now().Add(ahead) }
	ada := auth.Principal{Via: auth.Session, UserID: "ada", SessionID: "1", Admin: true, Door: auth.MCP}
	adaAgain, bob, key := ada, ada, ada
	adaAgain.SessionID, bob.UserID = "2", "bob"
	key.Via, key.Key = auth.Key, &store.APIKey{Prefix: "strm_abc"}
	do := func(who auth.Principal, version string) (string, error) {
		job, err := h.Execute(as(who), control.Execution{Workspace: "ops", Task: "deploy", Key: "k",
			Input: map[string]any{"version": version, "token": "hunter22"}})
		return job.ID, err
	}
	must := func(who auth.Principal) string {
		t.Helper()
		id, err := do(who, "1")
		if err != nil || id == "" {
			t.Fatal(err)
		}
		return id
	}
	first := must(ada)
	if again := must(adaAgain); again != first {
		t.Error("a second session of the same person began a second job")
	}
	if must(bob) == first || must(key) == first || must(key) == must(bob) {
		t.Error("callers share a key")
	}
	if _, err := do(ada, "2"); control.CodeOf(err) != control.Conflict || !strings.Contains(err.Error(), `"k" was used for another call`) {
		t.Errorf("another call: %v", err)
	}
	if _, err := h.Execute(as(ada), control.Execution{Workspace: "ops", Task: "look", Key: strings.Repeat("k", 201)}); control.CodeOf(err) != control.Invalid {
		t.Errorf("a long key: %v", err)
	}
	if ahead = 23 * time.Hour; must(ada) != first {
		t.Error("a second job before the day is over")
	}
	if ahead = 25 * time.Hour; must(ada) == first {
		t.Error("the first job after a day")
	}
	if id, err := do(nobody, "1"); err == nil || id != "" {
		t.Errorf("whoever is not known: %q %v", id, err)
	}
}

func TestManyCallsWithAKeyAreOneJob(t *testing.T) {
	t.Parallel()
	h := open(t, all)
	calls := 200
	if campaign {
		calls = 1000
	}
	var mu sync.Mutex
	ids := map[string]int{}
	var callers sync.WaitGroup
	for range calls {
		callers.Go(func() {
			job, err := h.Execute(as(admin), control.Execution{Workspace: "ops", Task: "look", Key: "k"})
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			ids[job.ID]++
		})
	}
	callers.Wait()
	list, err := h.Jobs(as(admin), store.JobFilter{Limit: 10})
	if err != nil || len(ids) != 1 || list.Total != 1 || ids[list.Jobs[0].ID] != calls {
		t.Errorf("%d calls were told of %d jobs, and there are %d; %v", calls, len(ids), list.Total, err)
	}
	if audit := h.audit(); len(audit) != 1 {
		t.Errorf("%d audit records", len(audit))
	}
}

func (h *hall) audit() (list []store.AuditEntry) {
	h.t.Helper()
	if err := h.Store.View(h.t.Context(), func(tx *store.Tx) (err error) {
		list, err = tx.Audit(0, 20)
		return err
	}); err != nil {
		h.t.Fatal(err)
	}
	return list
}
