//go:build unix

package cli_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/client/transport"
	"github.com/mark3labs/mcp-go/mcp"
)

const scenarioTasks = `
tasks:
  deploy-api:
    description: Deploy the API server
    input:
      version: {type: string, required: true, description: The tag to deploy}
      environment: {type: string, default: staging, description: Where to}
    flow:
      pull-image: {type: script, script: "echo pulling {{ input.version }}"}
      start-container: {type: script, depends_on: [pull-image], script: "echo started"}
  release:
    description: Build, test and publish a release
    flow:
      checkout: {type: script, script: "for i in $(seq 50); do echo \"receive object $i\"; done"}
      build: {type: script, depends_on: [checkout], script: "for i in $(seq 300); do echo \"compile file $i\"; done"}
      test:
        type: script
        depends_on: [build]
        script: |
          echo "FAIL: TestPrice: got 3, want 4" >&2
          for i in $(seq 100); do echo "test $i passed"; done
          exit 3
      package: {type: script, depends_on: [test], script: "true"}
      publish: {type: script, depends_on: [package], script: "true"}
  nightly-report:
    description: Collect the day's figures and mail them
    flow:
      collect: {type: script, script: "true"}
      clean: {type: script, depends_on: [collect], script: "true"}
      compute: {type: script, depends_on: [clean], script: "until [ -e %[1]s ]; do sleep 0.05; done"}
      render: {type: script, depends_on: [compute], script: "true"}
      mail: {type: script, depends_on: [render], script: "true"}
  export:
    description: Write all records to the archive
    flow:
      write: {type: script, script: "yes %[2]s | head -c %[3]d; echo 'ERROR: record 4711 was left out'; yes %[2]s | head -c %[4]d"}
  backup-database: {description: Dump the database and copy it away, flow: {s: {type: script, script: "true"}}}
  restore-database: {description: Load a dump into a fresh database, flow: {s: {type: script, script: "true"}}}
  rotate-logs: {description: Pack logs older than a week, flow: {s: {type: script, script: "true"}}}
  scale-workers: {description: Change how many workers run, flow: {s: {type: script, script: "true"}}}
  send-invoices: {description: Send the invoices of a month, flow: {s: {type: script, script: "true"}}}
  warm-cache: {description: Fill the cache after a deployment, flow: {s: {type: script, script: "true"}}}
`

// logLine is what a line of the task export has, with its end.
const logLine = 100

// scenarios is a server with a workspace of ten tasks, an agent of it, and what
// an agent of the original does in the same place.
type scenarios struct {
	t    *testing.T
	s    *server
	ours *agent
	orig *original
	gate string
	size int64 // of the long log
}

// agent is a client of MCP that counts what it does.
type agent struct {
	cost
	t *testing.T
	c *client.Client
}

// RoundTrip counts the bodies of a request and its answer.
func (a *agent) RoundTrip(req *http.Request) (*http.Response, error) {
	a.wire += req.ContentLength
	res, err := http.DefaultTransport.RoundTrip(req)
	if err == nil {
		res.Body = counted{res.Body, &a.wire}
	}
	return res, err
}

type counted struct {
	io.ReadCloser
	read *int64
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	*c.read += int64(n)
	return n, err
}

func newAgent(t *testing.T, url string) *agent {
	a := &agent{t: t}
	var err error
	if a.c, err = client.NewStreamableHttpClient(url+"/mcp", transport.WithHTTPBasicClient(&http.Client{Transport: a})); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.c.Close() })
	if _, err := a.c.Initialize(t.Context(), mcp.InitializeRequest{}); err != nil {
		t.Fatal(err)
	}
	return a
}

// call calls a tool and returns all that is to be read of its answer.
func (a *agent) call(tool, args string) (text string) {
	a.t.Helper()
	res, err := a.c.CallTool(a.t.Context(), mcp.CallToolRequest{Params: mcp.CallToolParams{Name: tool, Arguments: json.RawMessage(args)}})
	if err != nil {
		a.t.Fatalf("%s: %v", tool, err)
	}
	for _, block := range res.Content {
		text += block.(mcp.TextContent).Text
	}
	a.calls++
	a.read += int64(len(tool) + len(args) + len(text))
	return text
}

// job is the id in an answer, which must have all of wants.
func (a *agent) job(text string, wants ...string) string {
	a.t.Helper()
	for _, want := range wants {
		if !strings.Contains(text, want) {
			a.t.Fatalf("no %s in %s", want, text)
		}
	}
	_, rest, _ := strings.Cut(text, `"job_id":"`)
	return rest[:min(36, len(rest))]
}

// What an agent needs for what it comes for, in calls and bytes, beside the
// original. docs/agents.md has the table, to which this holds us.
func TestScenariosTakeFewCallsAndBytes(t *testing.T) {
	alone(t)
	size := int64(sized(8_000_000, 1_000_000_000))
	sc := &scenarios{t: t, gate: filepath.Join(t.TempDir(), "gate"), size: size}
	dir, keep := t.TempDir(), "1MiB"
	if campaign {
		keep = "64MiB"
	}
	write(t, dir, "w.yaml", fmt.Sprintf(scenarioTasks, sc.gate, strings.Repeat("x", logLine-1), size-size/100, size/100))
	sc.s = serve(t, t.TempDir(), t.TempDir(), config(t, "ops", dir), "STROEM__LOG__MAX_BYTES="+keep)
	table := scenarioTable(t)
	for _, row := range []struct {
		name string
		do   func()
	}{
		{"find a task, run it, know how it ended", sc.discover},
		{"run a task by a wrong name", sc.wrongName},
		{"run a task with a wrong input", sc.wrongInput},
		{"a job fails in step 3 of 5: its cause, for who began it", sc.failure},
		{"the same, for who comes later", sc.failureLater},
		{"wait for a job of 10 minutes", sc.longJob},
		{"the last error in a log of 1 GB", sc.longLog},
	} {
		sc.ours, sc.orig = newAgent(t, sc.s.url), &original{s: sc.s}
		sc.ours.cost = cost{}
		row.do()
		t.Logf("| %s | %s | %s |", row.name, sc.ours.cost, sc.orig.cost)
		stated, ok := table[row.name]
		if !ok {
			t.Errorf("docs/agents.md has no row %q", row.name)
			continue
		}
		holds(t, row.name, sc.ours.cost, stated[0])
		if campaign || row.name != "the last error in a log of 1 GB" {
			holds(t, row.name+", the original", sc.orig.cost, stated[1])
		}
	}
	if d := table["the same, for who comes later"][0]; d.calls > 2 || d.wire > 6000 {
		t.Errorf("a failure costs %s; the aim is 2 calls and 6 KB", d)
	}
}

// holds looks whether a figure is as stated: the same calls, and as many bytes
// within what the digits of a duration change.
func holds(t *testing.T, name string, got, stated cost) {
	t.Helper()
	near := func(got, stated int64) bool { return got <= stated+stated/20 && got >= stated-stated/5 }
	if got.calls != stated.calls || !near(got.read, stated.read) || !near(got.wire, stated.wire) {
		t.Errorf("%s: it takes %s, and the page says %s", name, got, stated)
	}
}

func (c cost) String() string {
	return fmt.Sprintf("%d | %s | %s", c.calls, kilobytes(c.read), kilobytes(c.wire))
}

func kilobytes(n int64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.1f KB", float64(n)/1e3)
}

// scenarioTable is what the page states by scenario: of ours, and of the original.
func scenarioTable(t *testing.T) map[string][2]cost {
	t.Helper()
	page, err := os.ReadFile("../docs/agents.md")
	if err != nil {
		t.Fatal(err)
	}
	table := map[string][2]cost{}
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 7 {
			continue
		}
		var both [2]cost
		for i := range both {
			at := cells[1+3*i:]
			both[i].calls, _ = strconv.Atoi(strings.TrimSpace(at[0])) // 0 in the heading
			both[i].read, both[i].wire = bytesOf(at[1]), bytesOf(at[2])
		}
		table[strings.TrimSpace(cells[0])] = both
	}
	return table
}

func bytesOf(cell string) int64 {
	var n float64
	var unit string
	_, _ = fmt.Sscan(cell, &n, &unit) // 0 in the heading
	return int64(n * map[string]float64{"KB": 1e3, "MB": 1e6, "GB": 1e9}[unit])
}

const (
	deploy     = `{"workspace":"ops","task_name":"deploy-api","input":{"version":"v1.2.3"}}`
	deployWait = `{"workspace":"ops","task_name":"deploy-api","input":{"version":"v1.2.3"},"wait_seconds":50}`
)

func (sc *scenarios) discover() {
	sc.ours.call("list_tasks", `{}`)
	sc.ours.call("get_task", `{"workspace":"ops","task_name":"deploy-api"}`)
	id := sc.ours.job(sc.ours.call("execute_task", deployWait), `"status":"completed"`)

	sc.orig.listTasks(`{}`)
	sc.orig.getTask("deploy-api")
	sc.orig.execute(deploy, id)
	sc.orig.status(sc.orig.job(id))
}

func (sc *scenarios) wrongName() {
	sc.ours.job(sc.ours.call("execute_task", strings.Replace(deployWait, "deploy-api", "deploy-ap", 1)), `did you mean "deploy-api"?`)
	id := sc.ours.job(sc.ours.call("execute_task", deployWait), `"status":"completed"`)

	sc.orig.fail("execute_task", strings.Replace(deploy, "deploy-api", "deploy-ap", 1), "Task not found")
	sc.orig.listTasks(`{"workspace":"ops"}`)
	sc.orig.execute(deploy, id)
	sc.orig.status(sc.orig.job(id))
}

// wrongInput: the original starts the job, which fails where the field that is
// not there is to be put into the first script.
func (sc *scenarios) wrongInput() {
	wrong := strings.Replace(deployWait, "version", "tag", 1)
	sc.ours.job(sc.ours.call("execute_task", wrong), `input "version" is missing`, `"tag"`)
	id := sc.ours.job(sc.ours.call("execute_task", deployWait), `"status":"completed"`)

	good, fault := sc.orig.job(id), "Variable `input.version` not found in context while rendering the script of step pull-image"
	failed := good
	failed.Status = "failed"
	failed.Steps = append(failed.Steps[:0:0], failed.Steps...)
	failed.Steps[0].Status, failed.Steps[0].Error = "failed", &fault
	failed.Steps[1].Status, failed.Steps[1].StartedAt, failed.Steps[1].CompletedAt = "skipped", nil, nil
	sc.orig.execute(strings.Replace(deploy, "version", "tag", 1), id)
	sc.orig.status(failed)
	sc.orig.getTask("deploy-api")
	sc.orig.execute(deploy, id)
	sc.orig.status(good)
}

const cause = "FAIL: TestPrice: got 3, want 4"

func (sc *scenarios) failure() {
	id := sc.ours.job(sc.ours.call("execute_task", `{"workspace":"ops","task_name":"release","wait_seconds":50}`), `"failed_step":"test","exit_code":3`, cause)

	sc.orig.execute(`{"workspace":"ops","task_name":"release"}`, id)
	sc.orig.status(sc.orig.job(id))
	sc.orig.logs(id, "test")
}

func (sc *scenarios) failureLater() {
	id := sc.ours.job(sc.ours.call("list_jobs", `{"status":"failed","limit":1}`), `"task_name":"release"`)
	sc.ours.job(sc.ours.call("get_job_status", fmt.Sprintf(`{"job_id":%q}`, id)), cause)

	j := sc.orig.job(id)
	sc.orig.listJobs(`{"status":"failed","limit":1}`, j)
	sc.orig.status(j)
	sc.orig.logs(id, "test")
}

// longJob waits twelve times fifty seconds, each measured with a wait of one
// second; the original asks every ten seconds.
func (sc *scenarios) longJob() {
	const minutes = 10
	const start = `{"workspace":"ops","task_name":"nightly-report","wait_seconds":1}`
	id := sc.ours.job(sc.ours.call("execute_task", start), `"name":"compute","status":"running"`)
	running := sc.orig.job(id)
	wait := fmt.Sprintf(`{"job_id":%q,"wait_seconds":1}`, id)
	sc.ours.times(minutes*60/50-2, func() { sc.ours.job(sc.ours.call("get_job_status", wait), "still running") })
	if err := os.WriteFile(sc.gate, nil, 0o600); err != nil {
		sc.t.Fatal(err)
	}
	sc.ours.job(sc.ours.call("get_job_status", strings.Replace(wait, ":1}", ":50}", 1)), `"status":"completed"`)

	sc.orig.execute(strings.Replace(start, `,"wait_seconds":1`, "", 1), id)
	sc.orig.times(minutes*60/10-1, func() { sc.orig.status(running) })
	sc.orig.status(sc.orig.job(id))
}

func (sc *scenarios) longLog() {
	id := sc.ours.job(sc.ours.call("execute_task", `{"workspace":"ops","task_name":"export","wait_seconds":50}`), `"status":"completed"`)
	sc.ours.job(sc.ours.call("get_job_logs", fmt.Sprintf(`{"job_id":%q,"grep":"ERROR","tail":1}`, id)), "[write] ERROR: record 4711 was left out", "are missing from the middle")

	sc.orig.execute(`{"workspace":"ops","task_name":"export"}`, id)
	sc.orig.status(sc.orig.job(id))
	sc.orig.longLog(id, "write", sc.size, logLine)
}
