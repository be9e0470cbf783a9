package control_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"stroem/auth"
	"stroem/control"
	"stroem/runner"
	"stroem/store"
)

const opsYAML = `
tasks:
  deploy:
    folder: live
    input: {token: {type: string, secret: true}, version: {type: string}}
    flow: {s: {type: script, script: 'true'}}
  look:
    flow: {s: {type: script, script: 'true'}}
  deplore:
    folder: secret
    flow: {s: {type: script, script: 'true'}}
triggers:
  nightly: {type: scheduler, cron: "0 3 1 1 *", task: deplore, enabled: false}
  daily: {type: scheduler, cron: "0 4 1 1 *", task: deploy, enabled: false, input: {token: hunter22, version: "1"}}
`

// hall is a plane over two workspaces, ops and other, and its callers.
type hall struct {
	*control.Plane
	t *testing.T
}

// all are the workspaces of a hall.
var all = map[string]string{"ops": opsYAML, "other": "tasks:\n  foreign: {flow: {s: {type: script, script: 'true'}}}\n"}

func open(t *testing.T, workspaces map[string]string) *hall {
	t.Helper()
	var folders []control.Folder
	for name, text := range workspaces {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "w.yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		folders = append(folders, control.Folder{Name: name, Path: dir})
	}
	st, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	rn := &runner.Runner{Store: st, Slots: 2, KeepLog: 1 << 20, Grace: time.Second, Log: log, Now: time.Now, Key: make([]byte, 32)}
	p := &control.Plane{Store: st, Runner: rn, Folders: folders, Log: log, Now: time.Now, Policy: &auth.Policy{Rules: []auth.Rule{
		{Workspace: "ops", Tasks: []string{"live/*"}, Action: auth.Run, Groups: []string{"ops"}},
		{Workspace: "ops", Tasks: []string{"look"}, Action: auth.View, Groups: []string{"ops"}},
	}}}
	ctx, stop := context.WithCancel(context.Background())
	ready, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- p.Sync(ctx, ready) }()
	<-ready
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return &hall{p, t}
}

func as(p auth.Principal) context.Context { return auth.With(context.Background(), p) }

var (
	member = auth.Principal{Via: auth.Session, Email: "m@example.org", Groups: []string{"ops"}, Door: auth.REST, SessionID: "1"}
	admin  = auth.Principal{Via: auth.Session, Email: "a@example.org", Admin: true, Door: auth.REST, SessionID: "2"}
	nobody = auth.Principal{}
	reader = auth.Principal{Via: auth.Key, Email: "m@example.org", Groups: []string{"ops"}, Door: auth.MCP,
		Key: &store.APIKey{Prefix: "strm_reader0", ReadOnly: true}}
)

func (h *hall) execute(who auth.Principal, ws, task string) (store.Job, error) {
	return h.Execute(as(who), control.Execution{Workspace: ws, Task: task})
}

// job begins a job of the task, which nothing runs.
func (h *hall) job(ws, task string) string {
	h.t.Helper()
	job, err := h.execute(admin, ws, task)
	if err != nil {
		h.t.Fatal(err)
	}
	return job.ID
}

// asks are the questions that name a workspace, a task or a job.
func (h *hall) asks() map[string]func(ctx context.Context, ws, task, job string) error {
	return map[string]func(ctx context.Context, ws, task, job string) error{
		"task": func(ctx context.Context, ws, task, _ string) error { _, err := h.Task(ctx, ws, task); return err },
		"tasks": func(ctx context.Context, ws, task, _ string) error {
			_, err := h.Tasks(ctx, control.TaskFilter{Workspace: ws})
			return err
		},
		"execute": func(ctx context.Context, ws, task, _ string) error {
			_, err := h.Execute(ctx, control.Execution{Workspace: ws, Task: task})
			return err
		},
		"preview": func(ctx context.Context, ws, task, _ string) error {
			_, err := h.Preview(ctx, control.Execution{Workspace: ws, Task: task})
			return err
		},
		"rerun": func(ctx context.Context, _, _, job string) error {
			_, err := h.Rerun(ctx, job, false)
			return err
		},
		"stats": func(ctx context.Context, ws, task, _ string) error {
			_, err := h.TaskStats(ctx, ws, task, 5)
			return err
		},
		"triggers": func(ctx context.Context, ws, _, _ string) error { _, err := h.Triggers(ctx, ws, ""); return err },
		"refresh":  func(ctx context.Context, ws, _, _ string) error { _, err := h.Refresh(ctx, ws); return err },
		"job":      func(ctx context.Context, _, _, job string) error { _, err := h.Job(ctx, job); return err },
		"await": func(ctx context.Context, _, _, job string) error {
			_, err := h.Await(ctx, job, time.Minute, func(*control.Job) {})
			return err
		},
		"follow": func(ctx context.Context, _, _, job string) error {
			return h.Follow(ctx, job, 0, func(control.Event) error { return nil })
		},
		"logs": func(ctx context.Context, _, _, job string) error {
			_, err := h.Logs(ctx, job, control.LogQuery{Tail: 5})
			return err
		},
		"approve": func(ctx context.Context, _, _, job string) error {
			return h.Approve(ctx, control.Answer{Job: job, Step: "s", Approved: true})
		},
		"cancel": func(ctx context.Context, _, _, job string) error { return h.Cancel(ctx, job, "") },
	}
}

// What is hidden answers as what is not there, to the letter: so does a server
// that has it, as one that never had.
func TestHiddenIsAbsent(t *testing.T) {
	t.Parallel()
	with := open(t, all)
	hidden, foreign := with.job("ops", "deplore"), with.job("other", "foreign")
	start := strings.Index(opsYAML, "  deplore:")
	end := strings.Index(opsYAML, "triggers:")
	without := open(t, map[string]string{"ops": opsYAML[:start] + opsYAML[end:strings.Index(opsYAML, "  nightly:")]})
	for _, who := range []struct {
		name string
		auth.Principal
	}{{"member", member}, {"reader", reader}, {"nobody", nobody}} {
		for what, ask := range with.asks() {
			for _, c := range []struct{ ws, task, job string }{{"ops", "deplore", hidden}, {"other", "foreign", foreign}} {
				got := ask(as(who.Principal), c.ws, c.task, c.job)
				want := without.asks()[what](as(who.Principal), c.ws, c.task, c.job)
				if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w || control.CodeOf(got) != control.CodeOf(want) {
					t.Errorf("%s by %s of %s/%s:\nhidden: %s\nabsent: %s", what, who.name, c.ws, c.task, g, w)
				}
			}
		}
	}
}

func TestListsAndCountsHoldWhatIsSeen(t *testing.T) {
	t.Parallel()
	h := open(t, all)
	for _, task := range []string{"deploy", "look", "deplore"} {
		h.job("ops", task)
	}
	h.job("other", "foreign")
	for _, c := range []struct {
		name       string
		who        auth.Principal
		workspaces string
		tasks      string
		jobs       int64
		triggers   int
	}{
		{"admin", admin, "[ops:3 other:1]", "[deplore:true deploy:true look:true foreign:true]", 4, 2},
		{"member", member, "[ops:2]", "[deploy:true look:false]", 2, 1},
		{"reader", reader, "[ops:2]", "[deploy:false look:false]", 2, 1},
		{"nobody", nobody, "[]", "[]", 0, -1},
	} {
		ctx := as(c.who)
		var spaces, tasks []string
		all, err := h.Workspaces(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range all {
			spaces = append(spaces, fmt.Sprintf("%s:%d", w.Name, w.Tasks))
		}
		list, err := h.Tasks(ctx, control.TaskFilter{})
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range list {
			tasks = append(tasks, fmt.Sprintf("%s:%t", k.Name, k.CanExecute))
		}
		jobs, err := h.Jobs(ctx, store.JobFilter{Limit: 3})
		if err != nil {
			t.Fatal(err)
		}
		counts, err := h.Stats(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(spaces); got != c.workspaces {
			t.Errorf("%s: workspaces %s", c.name, got)
		}
		if got := fmt.Sprint(tasks); got != c.tasks {
			t.Errorf("%s: tasks %s", c.name, got)
		}
		if jobs.Total != c.jobs || int64(len(jobs.Jobs)) != min(c.jobs, 3) || counts[store.Pending] != c.jobs {
			t.Errorf("%s: %d of %d jobs, %d pending", c.name, len(jobs.Jobs), jobs.Total, counts[store.Pending])
		}
		triggers, err := h.Triggers(ctx, "ops", "")
		if shown := fmt.Sprint(triggers); strings.Contains(shown, "hunter22") || c.triggers > 0 && !strings.Contains(shown, "version:1") {
			t.Errorf("%s: the triggers show %s", c.name, shown)
		}
		if c.triggers >= 0 && (err != nil || len(triggers) != c.triggers) {
			t.Errorf("%s: triggers %v, %v", c.name, triggers, err)
		}
	}
}

func TestViewersChangeNothingAndAreToldWhy(t *testing.T) {
	t.Parallel()
	h := open(t, all)
	id := h.job("ops", "look")
	_, err := h.execute(member, "ops", "look")
	if control.CodeOf(err) != control.Forbidden || !strings.Contains(err.Error(), `needs the right "run"`) {
		t.Errorf("execute: %v", err)
	}
	if err := h.Cancel(as(member), id, ""); control.CodeOf(err) != control.Forbidden {
		t.Errorf("cancel: %v", err)
	}
	if err := h.Cancel(as(admin), id, "enough"); err != nil {
		t.Errorf("cancel by an admin: %v", err)
	}
}

// The record of a refusal takes time, so what is not there has one too; and
// there is an end to them.
func TestRefusalsAreWrittenDownAlikeAndNotWithoutEnd(t *testing.T) {
	t.Parallel()
	h := open(t, all)
	hidden := h.job("ops", "deplore")
	records := func() (list []store.AuditEntry) {
		if err := h.Store.View(t.Context(), func(tx *store.Tx) (err error) {
			list, err = tx.Audit(1, 1000)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return list
	}
	long := strings.Repeat("ø", 1<<20)
	_, _ = h.execute(member, "ops", "deplore")
	_, _ = h.execute(member, "ops", long)
	_ = h.Cancel(as(member), hidden, "")
	_ = h.Cancel(as(member), long, "")
	_ = h.Approve(as(member), control.Answer{Job: hidden, Step: "s"})
	_ = h.Approve(as(member), control.Answer{Job: "none", Step: "s"})
	list := records()
	if len(list) != 6 {
		t.Fatalf("%d records of 6 refusals", len(list))
	}
	for i, e := range list {
		if want := []string{"not allowed", "not there"}[i%2]; e.Action != "refuse" || e.Result != want || len(e.Task)+len(e.Job) > 250 {
			t.Errorf("record %d: %+v", i, e)
		}
	}
	_, _ = h.execute(admin, "ops", "none") // nothing is hidden from them
	for range 100 {
		_, _ = h.execute(member, "ops", "look")
	}
	if list = records(); len(list) < 20 || len(list) > 25 || !strings.Contains(list[len(list)-1].Result, "not all written down") {
		t.Errorf("%d records of 106 refusals, the last: %+v", len(list), list[len(list)-1])
	}
}

func TestAuditTellsWhoDidWhat(t *testing.T) {
	t.Parallel()
	h := open(t, all)
	h.Runner.Secrets.Set("other", map[string]any{"api": "s3cret-api-key"})
	job, err := h.Execute(as(member), control.Execution{Workspace: "ops", Task: "deploy",
		Input: map[string]any{"token": "hunter22", "version": "1-s3cret-api-key"}})
	if err != nil {
		t.Fatal(err)
	}
	if job.SourceType != store.SourceUser || job.SourceID != member.Email || job.Agent {
		t.Errorf("job by %s %q, agent %t", job.SourceType, job.SourceID, job.Agent)
	}
	_, _ = h.execute(reader, "ops", "deploy")
	_, _ = h.execute(member, "ops", "deplore")
	_ = h.Cancel(as(member), job.ID, "wrong version, s3cret-api-key")
	var list []store.AuditEntry
	if err := h.Store.View(t.Context(), func(tx *store.Tx) (err error) {
		list, err = tx.Audit(0, 10)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range list {
		doc, err := json.Marshal(e.Detail)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%s %s %s/%s %s %s", e.Who, e.Action, e.Workspace, e.Task, e.Result, doc))
	}
	want := []string{
		`m@example.org execute ops/deploy ok {"input":{"token":"••••••","version":"1-••••••"}}`,
		`m@example.org refuse ops/deploy not allowed {"asked":"execute"}`,
		`m@example.org refuse ops/deplore not allowed {"asked":"execute"}`,
		`m@example.org cancel ops/deploy ok {"reason":"wrong version, ••••••"}`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if list[0].Job != job.ID || list[1].Key != "strm_reader0" || list[1].Door != "mcp" {
		t.Errorf("got %+v", list[:2])
	}
}
