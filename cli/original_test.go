//go:build unix

package cli_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// cost is what an agent's calls of tools cost it.
type cost struct {
	calls int
	read  int64 // bytes of names, arguments and texts: what a model writes and reads
	wire  int64 // bytes of the requests' and answers' bodies
}

// original is an agent of Strøm 0.15. Its results are encoded here, in that
// server's shapes, from what a job of ours holds: one text block of JSON,
// indented; plain lines of logs, all of them; no wait, so that it asks again
// every ten seconds.
type original struct {
	cost
	s *server
}

// call counts a call and what it is answered.
func (o *original) call(tool, args, text string) {
	type block struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}
	o.add(tool, args, len(text), map[string]any{"jsonrpc": "2.0", "id": 1, "result": map[string]any{"content": []block{{"text", text}}, "isError": false}})
}

// fail counts a call that is answered with an error of JSON-RPC.
func (o *original) fail(tool, args, text string) {
	o.add(tool, args, len(text), map[string]any{"jsonrpc": "2.0", "id": 1, "error": map[string]any{"code": -32603, "message": text}})
}

func (o *original) add(tool, args string, text int, answer map[string]any) {
	doc, err := json.Marshal(answer)
	if err != nil {
		o.s.t.Fatal(err)
	}
	o.calls++
	o.read += int64(len(tool) + len(args) + text)
	o.wire += int64(len(toolCall(1, tool, args)) + len(doc))
}

// times counts what ask does that often.
func (c *cost) times(n int, ask func()) {
	before := *c
	ask()
	c.calls += (n - 1) * (c.calls - before.calls)
	c.read += int64(n-1) * (c.read - before.read)
	c.wire += int64(n-1) * (c.wire - before.wire)
}

func indented(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	_ = e.Encode(v) // a struct of ours
	return strings.TrimSpace(b.String())
}

type originalJob struct {
	ID          string     `json:"job_id"`
	Workspace   string     `json:"workspace"`
	Task        string     `json:"task_name"`
	Status      string     `json:"status"`
	SourceType  string     `json:"source_type"`
	Revision    string     `json:"revision"`
	CreatedAt   time.Time  `json:"created_at"`
	StartedAt   *time.Time `json:"started_at"`
	CompletedAt *time.Time `json:"completed_at"`
	Steps       []struct {
		Name        string     `json:"step_name"`
		Action      string     `json:"action_name"`
		Type        string     `json:"action_type"`
		Status      string     `json:"status"`
		StartedAt   *time.Time `json:"started_at"`
		CompletedAt *time.Time `json:"completed_at"`
		Error       *string    `json:"error_message"`
	} `json:"steps"`
}

// job is a job of ours as the original holds it.
func (o *original) job(id string) (j originalJob) {
	o.s.t.Helper()
	o.s.mustRest(http.MethodGet, "/api/jobs/"+id, "", &j)
	return j
}

// status counts a look at the job.
func (o *original) status(j originalJob) {
	o.call("get_job_status", fmt.Sprintf(`{"job_id":%q}`, j.ID), indented(j))
}

// execute counts a call that starts a job.
func (o *original) execute(args, id string) {
	o.call("execute_task", args, indented(map[string]string{"job_id": id}))
}

func (o *original) listJobs(args string, j originalJob) {
	type item struct {
		ID          string     `json:"job_id"`
		Workspace   string     `json:"workspace"`
		Task        string     `json:"task_name"`
		Status      string     `json:"status"`
		SourceType  string     `json:"source_type"`
		Revision    string     `json:"revision"`
		CreatedAt   time.Time  `json:"created_at"`
		CompletedAt *time.Time `json:"completed_at"`
	}
	o.call("list_jobs", args, indented(struct {
		Count int    `json:"count"`
		Jobs  []item `json:"jobs"`
	}{1, []item{{j.ID, j.Workspace, j.Task, j.Status, j.SourceType, j.Revision, j.CreatedAt, j.CompletedAt}}}))
}

func (o *original) listTasks(args string) {
	o.s.t.Helper()
	var tasks []struct {
		Name        string `json:"name"`
		Workspace   string `json:"workspace"`
		Description string `json:"description,omitempty"`
		CanExecute  bool   `json:"can_execute"`
	}
	if err := json.Unmarshal([]byte(o.s.ask("list_tasks", nil)), &tasks); err != nil {
		o.s.t.Fatal(err)
	}
	o.call("list_tasks", args, indented(tasks))
}

func (o *original) getTask(name string) {
	o.s.t.Helper()
	var task struct {
		Name        string          `json:"name"`
		Workspace   string          `json:"workspace"`
		Description string          `json:"description,omitempty"`
		Mode        string          `json:"mode"`
		Input       json.RawMessage `json:"input"`
		Flow        []struct {
			Name      string   `json:"name"`
			Action    string   `json:"action"`
			DependsOn []string `json:"depends_on,omitempty"`
		} `json:"flow"`
	}
	text := o.s.ask("get_task", map[string]any{"workspace": "ops", "task_name": name})
	if err := json.Unmarshal([]byte(text), &task); err != nil {
		o.s.t.Fatal(err)
	}
	task.Mode = "distributed"
	o.call("get_task", fmt.Sprintf(`{"workspace":"ops","task_name":%q}`, name), indented(task))
}

// logs counts a look at the log of a step.
func (o *original) logs(id, step string) {
	o.s.t.Helper()
	lines := func(more map[string]any) []string {
		args := map[string]any{"job_id": id, "step": step, "tail": 1000}
		for name, v := range more {
			args[name] = v
		}
		return strings.Split(o.s.ask("get_job_logs", args), "\n")
	}
	text := strings.Join(lines(nil), "\n")
	for _, line := range lines(map[string]any{"stream": "stderr"}) {
		text = strings.Replace(text, line, strings.Replace(line, "] ", "] ERR: ", 1), 1)
	}
	o.call("get_job_logs", fmt.Sprintf(`{"job_id":%q,"step":%q}`, id, step), "[12:34:56] "+strings.ReplaceAll(text, "\n", "\n[12:34:56] "))
}

// longLog counts a look at a log of that many bytes in lines of that length,
// in which nothing can be looked for.
func (o *original) longLog(id, step string, size, line int64) {
	o.call("get_job_logs", fmt.Sprintf(`{"job_id":%q,"step":%q}`, id, step), "")
	n := size / line
	more := size + n*int64(len("[12:34:56] [] ")+len(step))
	o.read += more
	o.wire += more + n // a line's end is two bytes in JSON
}
