package control_test

import (
	"slices"
	"strings"
	"testing"

	"stroem/control"
	"stroem/store"
)

// A job is run again by whoever may run its task as it is today.
func TestRerunNeedsRunAndATask(t *testing.T) {
	t.Parallel()
	h := open(t, all)
	deploy, look := h.job("ops", "deploy"), h.job("ops", "look")
	again := func(id string) error { _, err := h.Rerun(as(member), id, false); return err }
	if err := again(deploy); control.CodeOf(err) != control.Conflict || !strings.Contains(err.Error(), "has not ended") {
		t.Errorf("a job that has not ended: %v", err)
	}
	for _, id := range []string{deploy, look} {
		if err := h.Cancel(as(admin), id, ""); err != nil {
			t.Fatal(err)
		}
	}
	job, err := h.Rerun(as(member), deploy, false)
	if err != nil || job.SourceType != store.SourceRerun || job.SourceJob != deploy || job.SourceID != member.Email {
		t.Errorf("got %+v, %v", job, err)
	}
	if !slices.ContainsFunc(h.audit(), func(e store.AuditEntry) bool {
		return e.Action == "rerun" && e.Job == job.ID && e.Who == member.Email && strings.Contains(string(e.Detail), deploy)
	}) {
		t.Errorf("no record of it: %+v", h.audit())
	}
	if err := again(look); control.CodeOf(err) != control.Forbidden {
		t.Errorf("a task that may only be viewed: %v", err)
	}
	if err := again("x"); control.CodeOf(err) != control.NotFound {
		t.Errorf("no job: %v", err)
	}
	if err := again(h.job("ops", "deplore")); control.CodeOf(err) != control.NotFound || !strings.HasPrefix(err.Error(), `no job "`) {
		t.Errorf("a hidden job: %v", err)
	}
	if err := h.Store.Update(t.Context(), func(tx *store.Tx) error { return tx.KeepWorkspaces([]string{"other"}) }); err != nil {
		t.Fatal(err)
	}
	if err := again(deploy); control.CodeOf(err) != control.Conflict || !strings.Contains(err.Error(), `has no task "deploy" any more`) {
		t.Errorf("a task that is gone: %v", err)
	}
}
