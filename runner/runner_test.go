//go:build unix

package runner_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"stroem/runner"
	"stroem/store"
	"stroem/workspace"
)

// rig is a real runner over a real store and a workspace folder.
type rig struct {
	t      testing.TB
	st     *store.Store
	rn     *runner.Runner
	dir    string // of the workspace
	secret map[string]any
	ahead  time.Duration // of the runner's clock
	change func(*runner.Runner)
	stop   context.CancelFunc
	ended  chan error
}

// newRig loads the YAML as workspace "w" and starts a runner.
func newRig(t testing.TB, yaml string) *rig {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "w.yaml"), []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	ws, err := workspace.Load(os.DirFS(dir), nil)
	if err != nil || ws.Err() != "" {
		t.Fatalf("load: %v %s", err, ws.Err())
	}
	st, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	err = st.Update(t.Context(), func(tx *store.Tx) error { return tx.ReplaceWorkspace("w", dir, ws, time.Now()) })
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, st: st, dir: dir}
	r.secret, _ = ws.Secrets.Resolve(func(text string) (string, error) { return text, nil })
	r.start()
	t.Cleanup(r.halt)
	return r
}

// start begins with a new runner, as a new server would.
func (r *rig) start() {
	r.rn = &runner.Runner{Store: r.st, Slots: 8, KeepLog: 1 << 20, Grace: 200 * time.Millisecond,
		Now: func() time.Time { return time.Now().Add(r.ahead) },
		Key: make([]byte, 32), Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	r.rn.Secrets.Set("w", r.secret)
	if r.change != nil {
		r.change(r.rn)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r.stop, r.ended = cancel, make(chan error, 1)
	go func() { r.ended <- r.rn.Run(ctx) }()
}

// halt ends the runner as SIGTERM does.
func (r *rig) halt() {
	r.stop()
	if err := <-r.ended; err != nil {
		r.t.Error(err)
	}
	r.ended <- nil
}

func (r *rig) submit(task string, input map[string]any) store.Job {
	r.t.Helper()
	job, err := r.trySubmit(task, input)
	if err != nil {
		r.t.Fatal(err)
	}
	return job
}

func (r *rig) trySubmit(task string, input map[string]any) (store.Job, error) {
	return r.trySubmitAs(store.SourceAPI, task, input)
}

func (r *rig) trySubmitAs(source store.SourceType, task string, input map[string]any) (store.Job, error) {
	var found store.StoredTask
	err := r.st.View(context.Background(), func(tx *store.Tx) (err error) {
		found, err = tx.Task("w", task)
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return r.rn.Submit(context.Background(), runner.Request{Task: found, Input: input,
		SourceType: source, Agent: source == store.SourceMCP})
}

// result is a job with all that is known of it.
type result struct {
	store.Job
	steps map[string]store.StepRun
	log   []string
}

func (r *rig) read(id string) (res result) {
	r.t.Helper()
	err := r.st.View(context.Background(), func(tx *store.Tx) (err error) {
		if res.Job, err = tx.Job(id); err != nil {
			return err
		}
		runs, err := tx.Steps(res.Seq)
		if err != nil {
			return err
		}
		res.steps = map[string]store.StepRun{}
		for _, run := range runs {
			res.steps[run.Name] = run
		}
		lines, err := tx.LogLines(res.Seq, store.AllSteps, 0, 1000)
		for _, l := range lines {
			res.log = append(res.log, string(l.Text))
		}
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return res
}

// until waits for the job to be as wanted, woken by each of its changes.
func (r *rig) until(id string, wanted func(result) bool) result {
	r.t.Helper()
	wake, stop := r.st.Watch(store.TopicJob(r.read(id).Seq))
	defer stop()
	timeout := time.After(30 * time.Second)
	for {
		res := r.read(id)
		if wanted(res) {
			return res
		}
		select {
		case <-wake:
		case <-timeout:
			r.t.Fatalf("waited too long; the job is %s: %+v\n%s", res.Status, res.steps, strings.Join(res.log, "\n"))
		}
	}
}

// wait waits for the end of the job and of all its steps.
func (r *rig) wait(job store.Job) result {
	r.t.Helper()
	return r.until(job.ID, func(res result) bool {
		for _, s := range res.steps {
			if !s.Status.Ended() {
				return false
			}
		}
		return res.Status.Ended()
	})
}

func (r *rig) run(task string, input map[string]any) result {
	r.t.Helper()
	return r.wait(r.submit(task, input))
}

// one is a workspace with one task of one step.
func one(script string) string {
	return "tasks:\n  t:\n    flow:\n      s:\n        type: script\n        script: |\n" + indent(script, 10)
}

func indent(text string, n int) string {
	pad := strings.Repeat(" ", n)
	return pad + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n"+pad) + "\n"
}

func TestChainPassesOutputsOn(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("tasks:\n  chain:\n    flow:\n      s0:\n        type: script\n        script: 'echo ''OUTPUT: {\"n\": 1}'''\n")
	for i := 1; i < 10; i++ {
		fmt.Fprintf(&b, "      s%d:\n        depends_on: [s%d]\n        type: script\n        script: |\n", i, i-1)
		fmt.Fprintf(&b, "          printf '{\"n\": %%d}' $(( $N + 1 )) > \"$STROEM_OUTPUT\"\n        env: {N: '{{ s%d.output.n }}'}\n", i-1)
	}
	r := newRig(t, b.String())
	res := r.run("chain", nil)
	if res.Status != store.Completed || string(res.Output) != `{"s9":{"n":10}}` {
		t.Errorf("job %s with output %s: %s", res.Status, res.Output, res.Error)
	}
}

func TestFanOutRunsAllAndJoins(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	var names []string
	b.WriteString("tasks:\n  fan:\n    flow:\n      start: {type: script, script: 'true'}\n")
	for i := range 50 {
		fmt.Fprintf(&b, "      w%d: {type: script, script: 'echo w%d', depends_on: [start]}\n", i, i)
		names = append(names, fmt.Sprint("w", i))
	}
	fmt.Fprintf(&b, "      join: {type: script, script: echo joined, depends_on: [%s]}\n", strings.Join(names, ", "))
	r := newRig(t, b.String())
	res := r.run("fan", nil)
	if res.Status != store.Completed || len(res.log) != 51 || res.log[50] != "joined" {
		t.Errorf("job %s: %d lines, %s", res.Status, len(res.log), res.Error)
	}
}

func TestFailureSkipsWhatHangsOnIt(t *testing.T) {
	t.Parallel()
	r := newRig(t, `
tasks:
  t:
    flow:
      a: {type: script, script: exit 3}
      b: {type: script, script: echo never, depends_on: [a]}
      c: {type: script, script: echo beside}
      d: {type: script, script: echo after, depends_on: [b, c], continue_on_failure: true}
`)
	res := r.run("t", nil)
	want := map[string]store.Status{"a": store.Failed, "b": store.Skipped, "c": store.Completed, "d": store.Completed}
	for name, status := range want {
		if res.steps[name].Status != status {
			t.Errorf("step %s is %s, want %s", name, res.steps[name].Status, status)
		}
	}
	if res.Status != store.Failed || res.Error != `step "a" failed: exit code 3` || *res.steps["a"].ExitCode != 3 {
		t.Errorf("job is %s: %s", res.Status, res.Error)
	}
}

func TestOutput(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, script, want, fault string }{
		{"none", `true`, ``, ``},
		{"printed", `echo 'OUTPUT: {"a": 1}'`, `{"a": 1}`, ``},
		{"printed without a space", `echo 'OUTPUT:{"a": 1}'`, `{"a": 1}`, ``},
		{"last printed wins", `echo 'OUTPUT: {"a": 1}'; echo 'OUTPUT: {"a": 2}'`, `{"a": 2}`, ``},
		{"invalid printed is passed over", `echo 'OUTPUT: {"a": 1}'; echo 'OUTPUT: {oops'`, `{"a": 1}`, ``},
		{"printed within a line does not count", `echo ' OUTPUT: {"a": 1}'; echo 'x OUTPUT: {"a": 1}'`, ``, ``},
		{"printed to stderr does not count", `echo 'OUTPUT: {"a": 1}' >&2`, ``, ``},
		{"printed without a line's end", `printf 'OUTPUT: {"a": 1}'`, `{"a": 1}`, ``},
		{"file", `echo '{"f": 1}' > "$STROEM_OUTPUT"`, `{"f": 1}`, ``},
		{"file wins", `echo '{"f": 1}' > "$STROEM_OUTPUT"; echo 'OUTPUT: {"a": 1}'`, `{"f": 1}`, ``},
		{"file that is no JSON", `echo oops > "$STROEM_OUTPUT"`, ``, "$STROEM_OUTPUT does not hold valid JSON"},
		{"printed where a long line is split does not count", `printf '%065536dOUTPUT: {"a": 1}%080000s\n' 0 ' '`, ``, ``},
		{"nor behind that", `head -c 196608 /dev/zero | tr '\0' x; printf 'OUTPUT: {"a": 1}%080000s\nOUTPUT: {"a": 2}\n' ' '`, `{"a": 2}`, ``},
		{"long line", `printf 'OUTPUT: {"a": "'; head -c 300000 /dev/zero | tr '\0' x; printf '"}\n'`,
			`{"a": "` + strings.Repeat("x", 300000) + `"}`, ``},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			res := newRig(t, one(tc.script)).run("t", nil)
			s := res.steps["s"]
			if strings.TrimSpace(string(s.Output)) != tc.want || !strings.HasPrefix(s.Error, tc.fault) || (tc.fault != "") != (s.Status == store.Failed) {
				t.Errorf("step %s, error %q, output %.80s", s.Status, s.Error, s.Output)
			}
		})
	}
}

func TestOutputIsCheckedAgainstTheActionsSchema(t *testing.T) {
	t.Parallel()
	r := newRig(t, `
actions:
  a:
    type: script
    script: |
      echo 'OUTPUT: {"n": "three"}'
    output: {n: {type: integer, required: true}}
tasks:
  t: {flow: {s: {action: a}}}
`)
	res := r.run("t", nil)
	if s := res.steps["s"]; s.Status != store.Failed || !strings.Contains(s.Error, "n") {
		t.Errorf("step %s: %q", s.Status, s.Error)
	}
}

func TestScriptSeesItsWorld(t *testing.T) {
	t.Setenv("STROEM_TOKEN", "strm_secret")
	t.Setenv("STROEM__AUTH__JWT_SECRET", "secret")
	t.Setenv("FROM_SERVER", "kept")
	r := newRig(t, `
actions:
  show:
    type: script
    input:
      who: {type: string}
      count: {type: integer, default: 7}
    workdir: sub
    args: ["{{ input.who }}", "two  words"]
    env: {GREETING: "Hi {{ input.who }}", FROM_SERVER: "{{ input.count }}"}
    script: |
      printf '%s\n' "$1|$2" "$GREETING" "$FROM_SERVER" "$(basename "$PWD")"
      printf '%s\n' "$STROEM_TASK_NAME/$STROEM_STEP_NAME/$STROEM_WORKSPACE" "$INPUT_WHO" "$INPUT_COUNT" "$STROEM_INPUT"
      test "$STROEM_INPUT" = "$(cat "$STROEM_INPUT_FILE")" && echo same
      env | grep -c -e TOKEN -e AUTH || true
      cat
tasks:
  t:
    input: {name: {type: string}}
    flow:
      s: {action: show, input: {who: "{{ input.name }}"}}
`)
	if err := os.Mkdir(filepath.Join(r.dir, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	name := `$(id) "x" 'y'`
	res := r.run("t", map[string]any{"name": name})
	want := []string{name + "|two  words", "Hi " + name, "7", "sub", "t/s/w", name, "7",
		`{"count":7,"who":"$(id) \"x\" 'y'"}`, "same", "0"}
	if diff := cmp.Diff(want, res.log); diff != "" {
		t.Errorf("%s (%s)", diff, res.Error)
	}
}

func TestLargeInputComesByFileAlone(t *testing.T) {
	t.Parallel()
	r := newRig(t, `
tasks:
  t:
    input: {body: {type: text}}
    flow:
      s: {type: script, script: 'echo "${STROEM_INPUT-unset} ${INPUT_BODY-unset}"; wc -c < "$STROEM_INPUT_FILE"'}
`)
	res := r.run("t", map[string]any{"body": strings.Repeat("x", 500_000)})
	if diff := cmp.Diff([]string{"unset unset", "500011"}, trimmed(res.log)); diff != "" {
		t.Errorf("%s (%s)", diff, res.Error)
	}
}

func trimmed(lines []string) (out []string) {
	for _, l := range lines {
		out = append(out, strings.TrimSpace(l))
	}
	return out
}

func TestSubmitRefuses(t *testing.T) {
	t.Parallel()
	r := newRig(t, `
tasks:
  waits:
    flow:
      s: {type: script, script: 'true', when: "{{ input.x }}"}
    input: {x: {type: string}}
  asks:
    input: {n: {type: integer, required: true}, m: {type: string, options: [a, b]}}
    flow:
      s: {type: script, script: 'true'}
`)
	_, err := r.trySubmit("waits", nil)
	var refused *runner.Refused
	if !errors.As(err, &refused) || !strings.Contains(err.Error(), "w.yaml:5:") || !strings.Contains(err.Error(), "when") {
		t.Errorf("a step with when: %v", err)
	}
	_, err = r.trySubmit("asks", map[string]any{"m": "c", "k": 1})
	var input *workspace.InputError
	if !errors.As(err, &input) || len(input.Faults) != 3 {
		t.Errorf("wrong input: %v", err)
	}
	err = r.st.View(t.Context(), func(tx *store.Tx) error {
		jobs, err := tx.Jobs(store.JobFilter{Limit: 10})
		if len(jobs) != 0 {
			t.Errorf("%d jobs exist", len(jobs))
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestStepThatCannotStartFailsWithASentence(t *testing.T) {
	t.Parallel()
	r := newRig(t, `
tasks:
  gone:
    flow:
      s: {type: script, script: 'true', workdir: nowhere}
  empty:
    flow:
      a: {type: script, script: 'true'}
      b: {type: script, script: 'echo {{ a.output.x }}', depends_on: [a]}
  flees:
    input: {dir: {type: string}}
    flow:
      s: {type: script, script: pwd, workdir: "{{ input.dir }}"}
`)
	for task, want := range map[string]string{"gone": "nowhere", "empty": "w.yaml:9:", "flees": "not inside the workspace"} {
		var input map[string]any
		if task == "flees" {
			input = map[string]any{"dir": "../.."}
		}
		res := r.run(task, input)
		if res.Status != store.Failed || !strings.Contains(res.Error, want) {
			t.Errorf("%s is %s: %s", task, res.Status, res.Error)
		}
	}
}

// gone waits until the process has ended.
func gone(t testing.TB, pid int) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); <-tick.C {
		if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			return
		}
		if stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err == nil && strings.Contains(string(stat), ") Z ") {
			return // dead, and not yet collected by init
		}
	}
	t.Errorf("process %d lives on", pid)
}

func pids(t testing.TB, log []string) (list []int) {
	t.Helper()
	for _, line := range log {
		if n, err := strconv.Atoi(line); err == nil {
			list = append(list, n)
		}
	}
	return list
}

func TestCancelEndsTheTreeAndKeepsTheLog(t *testing.T) {
	t.Parallel()
	r := newRig(t, `
tasks:
  t:
    flow:
      s:
        type: script
        script: |
          sleep 1000 &
          echo $!
          setsid sh -c 'echo $$; exec sleep 1000' &
          echo $$
          echo begun
          sleep 1000
      after: {type: script, script: 'true', depends_on: [s]}
`)
	job := r.submit("t", nil)
	res := r.until(job.ID, func(res result) bool { return len(res.log) == 4 })
	if err := r.rn.Cancel(t.Context(), job.ID); err != nil {
		t.Fatal(err)
	}
	if s := r.read(job.ID); s.Status != store.Cancelled || s.steps["after"].Status != store.Cancelled {
		t.Errorf("right after the cancel the job is %s, the step behind it %s", s.Status, s.steps["after"].Status)
	}
	for _, pid := range pids(t, res.log) {
		gone(t, pid)
	}
	res = r.wait(job)
	if res.steps["s"].Status != store.Cancelled || len(res.log) != 4 {
		t.Errorf("step is %s with %d lines", res.steps["s"].Status, len(res.log))
	}
	var ended *runner.Ended
	if err := r.rn.Cancel(t.Context(), job.ID); !errors.As(err, &ended) {
		t.Errorf("second cancel: %v", err)
	}
}

func TestLogOfAnySizeAndShape(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, script string
		lines        int64
		last         string
	}{
		{"no end of line", `printf abc`, 1, "abc"},
		{"not UTF-8", `printf '\377\376\n'`, 1, "\xff\xfe"},
		{"many lines", `i=0; while [ $i -lt 20000 ]; do echo "line $i"; i=$((i+1)); done`, 20000, "line 19999"},
		{"beyond what is kept", `yes 0123456789012345678901234567890123456789 | head -n 100000; echo last`, 100001, "last"},
		{"far beyond what is kept", `yes 0123456789012345678901234567890123456789 | head -n 1000000; echo last`, 1000001, "last"},
		{"a line beyond all bounds", `head -c 200000 /dev/zero | tr '\0' x; echo; echo last`, 5, "last"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, one(tc.script))
			res := r.run("t", nil)
			var last store.LogLine
			err := r.st.View(t.Context(), func(tx *store.Tx) error {
				lines, err := tx.LogLines(res.Seq, store.AllSteps, res.LogLines-1, 10)
				if len(lines) == 1 {
					last = lines[0]
				}
				return err
			})
			if err != nil || res.LogLines != tc.lines || string(last.Text) != tc.last {
				t.Errorf("%d lines, the last is %.60q (%v, %s)", res.LogLines, last.Text, err, res.Error)
			}
			var kept int64
			if err := r.st.View(t.Context(), func(tx *store.Tx) error {
				lines, err := tx.LogLines(res.Seq, 0, 0, 1<<30)
				kept = int64(len(lines))
				return err
			}); err != nil || kept+res.steps["s"].CutLines != tc.lines {
				t.Errorf("%d lines are kept and %d cut, of %d (%v)", kept, res.steps["s"].CutLines, tc.lines, err)
			}
		})
	}
}

func TestStdoutAndStderrAreToldApart(t *testing.T) {
	t.Parallel()
	r := newRig(t, one("echo out\necho err >&2"))
	res := r.run("t", nil)
	var got []string
	err := r.st.View(t.Context(), func(tx *store.Tx) error {
		lines, err := tx.LogLines(res.Seq, 0, 0, 10)
		for _, l := range lines {
			got = append(got, fmt.Sprint(l.Stream, string(l.Text)))
		}
		return err
	})
	if diff := cmp.Diff([]string{"0out", "1err"}, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

func TestNoMoreStepsThanPlaces(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("tasks:\n  t:\n    flow:\n")
	for i := range 30 {
		fmt.Fprintf(&b, "      s%d: {type: script, script: 'mkdir run/%d; ls run | wc -l; rmdir run/%d'}\n", i, i, i)
	}
	r := newRig(t, b.String())
	if err := os.Mkdir(filepath.Join(r.dir, "run"), 0o755); err != nil {
		t.Fatal(err)
	}
	res := r.run("t", nil)
	for _, line := range res.log {
		if n, err := strconv.Atoi(strings.TrimSpace(line)); err != nil || n > 8 {
			t.Errorf("%q steps ran at once, in 8 places", line)
		}
	}
	if len(res.log) != 30 {
		t.Errorf("%d lines: %s", len(res.log), res.Error)
	}
}

func TestPlanIsTheTaskAsItWasSubmitted(t *testing.T) {
	t.Parallel()
	r := newRig(t, one("echo old"))
	r.halt()
	job := r.submit("t", nil)
	ws := &workspace.Workspace{Revision: "new"}
	if err := r.st.Update(t.Context(), func(tx *store.Tx) error {
		return tx.ReplaceWorkspace("w", r.dir, ws, time.Now())
	}); err != nil {
		t.Fatal(err)
	}
	r.start()
	res := r.wait(job)
	if diff := cmp.Diff([]string{"old"}, res.log); diff != "" {
		t.Error(diff)
	}
}

func TestInputsReachInlineAndNamedActions(t *testing.T) {
	t.Parallel()
	r := newRig(t, `
actions:
  named:
    type: script
    input: {a: {type: string}, b: {type: string, default: dee}, list: {type: string, multiple: true, options: [x, y]}}
    script: echo "$STROEM_INPUT"
tasks:
  t:
    input:
      a: {type: string, default: from job}
      c: {type: string, default: see}
    flow:
      inline: {type: script, script: 'echo "$STROEM_INPUT"', input: {a: "step says {{ input.a }}"}}
      named: {action: named, depends_on: [inline]}
`)
	res := r.run("t", nil)
	var docs []map[string]any
	for _, line := range res.log {
		var doc map[string]any
		if err := json.Unmarshal([]byte(line), &doc); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		docs = append(docs, doc)
	}
	want := []map[string]any{
		{"a": "step says from job", "c": "see"},
		{"a": "from job", "b": "dee", "list": nil},
	}
	if diff := cmp.Diff(want, docs); diff != "" {
		t.Error(diff, res.Error)
	}
}

func TestLanguages(t *testing.T) {
	t.Parallel()
	for lang, script := range map[string]string{
		"python":     "import os, json, sys\nprint(os.environ['INPUT_NAME'], json.loads(os.environ['STROEM_INPUT'])['name'], sys.argv[1])",
		"javascript": "console.log(process.env.INPUT_NAME, JSON.parse(process.env.STROEM_INPUT).name, process.argv[2])",
		"go":         "package main\n\nimport (\n\t\"fmt\"\n\t\"os\"\n)\n\nfunc main() { fmt.Println(os.Getenv(\"INPUT_NAME\"), os.Getenv(\"INPUT_NAME\"), os.Args[1]) }",
	} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			programs := map[string][]string{"python": {"uv", "python3", "python"}, "javascript": {"bun", "node"}, "go": {"go"}}[lang]
			if !slices.ContainsFunc(programs, func(p string) bool { _, err := exec.LookPath(p); return err == nil }) {
				t.Skipf("none of %v is here", programs)
			}
			r := newRig(t, fmt.Sprintf(`
tasks:
  t:
    input: {name: {type: string, required: true}}
    flow:
      s:
        type: script
        language: %s
        args: ["{{ input.name }}"]
        script: |
%s`, lang, indent(script, 10)))
			const name = `"; $(id) 'x'`
			res := r.run("t", map[string]any{"name": name})
			if want := name + " " + name + " " + name; len(res.log) != 1 || res.log[0] != want {
				t.Errorf("%s: %q, want %q", res.Error, res.log, want)
			}
		})
	}
}

func TestMissingInterpreterIsSaid(t *testing.T) {
	t.Parallel()
	r := newRig(t, `
tasks:
  t: {flow: {s: {type: script, language: python, interpreter: python9, script: "print(1)"}}}
  d: {flow: {s: {type: script, language: python, dependencies: [no-such-package], script: "print(1)"}}}
`)
	if res := r.run("t", nil); !strings.Contains(res.Error, `"python9" is not installed`) {
		t.Error(res.Error)
	}
	if _, err := exec.LookPath("uv"); err != nil {
		if res := r.run("d", nil); !strings.Contains(res.Error, "need uv") {
			t.Error(res.Error)
		}
	}
}

// Raw values, and those that a program reads as code, are the author's risk for
// people, and refused where an agent asks.
func TestRawIsRefusedInAnAgentsJob(t *testing.T) {
	t.Parallel()
	r := newRig(t, `
actions:
  open: {type: script, allow_raw: true, script: "printf '%s|' {{ input.words | raw }}"}
  evalOpen: {type: script, allow_raw: true, script: "eval printf '%s\\|' {{ input.words }}"}
tasks:
  again:
    input: {words: {type: string}}
    flow: {s: {type: script, script: "eval printf '%s\\|' {{ input.words }}"}}
  againOpen:
    input: {words: {type: string}}
    flow: {s: {action: evalOpen, input: {words: "{{ input.words }}"}}}
  closed:
    input: {words: {type: string}}
    flow: {s: {type: script, script: "printf '%s|' {{ input.words | raw }}"}}
  open:
    input: {words: {type: string}}
    flow: {s: {action: open, input: {words: "{{ input.words }}"}}}
`)
	for _, tc := range []struct {
		source store.SourceType
		task   string
		status store.Status
	}{
		{store.SourceAPI, "closed", store.Completed},
		{store.SourceMCP, "closed", store.Failed},
		{store.SourceMCP, "open", store.Completed},
		{store.SourceAPI, "again", store.Completed},
		{store.SourceMCP, "again", store.Failed},
		{store.SourceMCP, "againOpen", store.Completed},
	} {
		job, err := r.trySubmitAs(tc.source, tc.task, map[string]any{"words": "one two"})
		if err != nil {
			t.Fatal(err)
		}
		res := r.wait(job)
		if res.Status != tc.status || tc.status == store.Failed && !strings.Contains(res.Error, "allow_raw") ||
			tc.status == store.Completed && res.log[0] != "one|two|" {
			t.Errorf("%s of %s: %s %s %v", tc.task, tc.source, res.Status, res.Error, res.log)
		}
	}
}

// What comes by the environment or as an argument is data to a shell as well, until
// the script says otherwise.
func TestCodeFromTheEnvironmentIsRefusedInAnAgentsJob(t *testing.T) {
	t.Parallel()
	const flow = `
    input: {words: {type: string}}
    flow: {s: {type: script, env: {OWN: "echo own", NAME: "{{ input.words }}"}, args: ["{{ input.words }}", "2"], script: '%s'}}`
	yaml := "tasks:"
	scripts := map[string]bool{ // whether they are fine
		`eval "$NAME"`: false, `eval "$INPUT_WORDS"`: false, `eval "$1"`: false, `sh -c "$*"`: false, `n=$NAME; echo $((n))`: false, `"$@"`: false, `python3 -c "$STROEM_INPUT"`: false,
		`NAME="${NAME:-5}"; (( NAME > 1 ))`: false, `export NAME; eval "$NAME"`: false,
		`printf %s "$NAME" "$INPUT_WORDS" "$1"`: true, `eval "$OWN"`: true, `echo "$(( $2 ))"`: true, `"$OWN" x || printf %s "$@"`: true,
	}
	names := map[string]string{}
	for script := range scripts {
		name := fmt.Sprintf("t%d", len(names))
		names[script] = name
		yaml += "\n  " + name + ":" + fmt.Sprintf(flow, script)
	}
	r := newRig(t, yaml)
	for script, fine := range scripts {
		for _, source := range []store.SourceType{store.SourceAPI, store.SourceMCP} {
			job, err := r.trySubmitAs(source, names[script], map[string]any{"words": "true"})
			if err != nil {
				t.Fatal(err)
			}
			res := r.wait(job)
			refused := res.Status == store.Failed && strings.Contains(res.Error, "allow_raw") && strings.Contains(res.Error, ".yaml:")
			if refused != (source == store.SourceMCP && !fine) {
				t.Errorf("%s of %s: %s %s", script, source, res.Status, res.Error)
			}
		}
		job, err := r.trySubmitAs(store.SourceMCP, names[script], map[string]any{"words": "12"})
		if err != nil {
			t.Fatal(err)
		}
		if res := r.wait(job); strings.Contains(res.Error, "allow_raw") && !strings.Contains(script, "STROEM_INPUT") {
			t.Errorf("%s of a number: %s", script, res.Error)
		}
	}
}

// TestOptionsFromTheEnvironmentAreRefusedInAnAgentsJob checks what a script hands to a
// command that may take it for an option.
func TestOptionsFromTheEnvironmentAreRefusedInAnAgentsJob(t *testing.T) {
	t.Parallel()
	r := newRig(t, `
tasks:
  t:
    input: {words: {type: string}}
    flow:
      s: {type: script, env: {NAME: "{{ input.words }}"}, script: 'ls "$NAME" || true'}
  words:
    input: {words: {type: string}}
    flow:
      s: {type: script, script: 'find . -name $INPUT_WORDS || true'}
  guarded:
    input: {words: {type: string}}
    flow:
      s: {type: script, env: {NAME: "{{ input.words }}"}, script: 'case $NAME in -*) exit 0;; esac; ls "$NAME" || true'}
`)
	for _, c := range []struct {
		task, words string
		source      store.SourceType
		refused     bool
	}{
		{"t", "-l", store.SourceMCP, true}, {"t", "-l", store.SourceAPI, false}, {"t", "a", store.SourceMCP, false},
		{"words", "a -quit", store.SourceMCP, true}, {"words", "a b", store.SourceMCP, false}, {"guarded", "-l", store.SourceMCP, false},
	} {
		job, err := r.trySubmitAs(c.source, c.task, map[string]any{"words": c.words})
		if err != nil {
			t.Fatal(err)
		}
		if res := r.wait(job); strings.Contains(res.Error, "for an option, and this action does not allow it") != c.refused {
			t.Errorf("%s of %q: %s %s", c.task, c.words, res.Status, res.Error)
		}
	}
}

func TestValuesInOtherLanguagesAreLiterals(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("no python3 here")
	}
	r := newRig(t, `
tasks:
  t:
    input: {name: {type: text}}
    flow:
      s:
        type: script
        language: python
        script: |
          print({{ input.name }} == """{{ input.name }}""", len({{ input.name }}))
          print("{{ input.name }}")
`)
	const name = `"""); import os; os.abort() #\ $(id)` + "'"
	res := r.run("t", map[string]any{"name": name})
	if want := []string{fmt.Sprint("True ", len(name)), name}; !slices.Equal(res.log, want) {
		t.Errorf("%s %q", res.Error, res.log)
	}
}
