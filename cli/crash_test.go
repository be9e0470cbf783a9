//go:build unix

package cli_test

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"stroem/store"
)

// leftBytes is how large each artifact is that a step of crashTasks leaves.
const leftBytes = 200_000

// crashTasks is the load under which the server is killed. What %[1]s stands
// for notes job and step in the ledger, as each step has to.
const crashTasks = `
tasks:
  chain:
    flow:
      a: {type: script, script: '%[1]s'}
      b: {type: script, script: '%[1]s', depends_on: [a]}
      c: {type: script, script: '%[1]s; sleep 0.1', depends_on: [b]}
      d: {type: script, script: '%[1]s', depends_on: [c]}
  fan:
    flow:
      start: {type: script, script: '%[1]s'}
      one: {type: script, script: '%[1]s', depends_on: [start]}
      two: {type: script, script: '%[1]s; sleep 0.2', depends_on: [start]}
      three: {type: script, script: '%[1]s', depends_on: [start]}
      four: {type: script, script: '%[1]s', depends_on: [start]}
      join: {type: script, script: '%[1]s', depends_on: [one, two, three, four]}
  long: # outlives several servers
    flow:
      sleep: {type: script, script: '%[1]s; sleep 2'}
      after: {type: script, script: '%[1]s', depends_on: [sleep]}
  cancel: # is cancelled by who began it
    flow:
      sleep: {type: script, script: '%[1]s; sleep 1'}
      after: {type: script, script: '%[1]s', depends_on: [sleep]}
  ask: # is approved by who began it
    flow:
      before: {type: script, script: '%[1]s'}
      approve: {type: approval, message: "Go on?", depends_on: [before]}
      after: {type: script, script: '%[1]s', depends_on: [approve]}
  leave: # artifacts
    flow:
      files: {type: script, script: '%[1]s; cd "$ARTIFACTS_DIR"; for i in 1 2 3; do yes $STROEM_JOB_ID | head -c %[2]d > $i; done'}
      after: {type: script, script: '%[1]s', depends_on: [files]}
  tick: {flow: {s: {type: script, script: '%[1]s'}}}
triggers:
  tick: {type: scheduler, cron: "* * * * * *", task: tick}
`

// crashes is a data folder whose servers are killed one after another, and
// what their callers know.
type crashes struct {
	t            *testing.T
	home, ledger string
	env          []string

	mu        sync.Mutex
	accepted  map[string]bool // jobs whose id was read in an answer
	cancelled map[string]bool // jobs whose cancel was sent; true: and answered
	starts    []time.Duration // from the start of the program to healthy
	begun     time.Time       // when the first server was healthy
	early     int             // servers killed before that
}

func newCrashes(t *testing.T) *crashes {
	dir := t.TempDir()
	c := &crashes{t: t, home: t.TempDir(), ledger: filepath.Join(t.TempDir(), "ledger"),
		accepted: map[string]bool{}, cancelled: map[string]bool{}}
	// Scripts that sleep leave places to others.
	c.env = []string{config(t, "w", dir), "STROEM__RUNNER__MAX_CONCURRENT=64"}
	write(t, dir, "w.yaml", fmt.Sprintf(crashTasks, `echo "$STROEM_JOB_ID $STROEM_STEP_NAME" >> `+c.ledger, leftBytes))
	return c
}

func (c *crashes) data() string { return filepath.Join(c.home, ".local", "share", "stroem") }

// Accepted jobs are there after kill -9 at any moment, and run to their end
// with each of their steps run once.
func TestKillAtAnyMomentLosesNothing(t *testing.T) {
	alone(t)
	rounds := rounds(6, 2000)
	c := newCrashes(t)
	for round := 0; round < rounds || c.begun.IsZero() && round < 10*rounds; round++ {
		longest := 500*time.Millisecond + time.Duration(min(c.early, 30))*50*time.Millisecond // a busy machine takes longer to start one
		switch {
		case round%3 == 2: // during the start, and while it finds steps again
			longest = 80 * time.Millisecond
		case campaign:
			longest = 1500 * time.Millisecond
		}
		c.round(rand.N(longest))
		c.inspect()
		if round%100 == 99 {
			c.settle()
		}
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
	}
	c.settle()
	steps := c.judge()
	slices.Sort(c.starts)
	t.Logf("%d rounds, %d of them killed before the server was up; %d jobs accepted, %d of them cancelled, %d steps run; serving again p50 %s, at most %s",
		rounds, c.early, len(c.accepted), len(c.cancelled), steps, c.starts[len(c.starts)/2], c.starts[len(c.starts)-1])
	if slowest := c.starts[len(c.starts)-1]; campaign && slowest > time.Second {
		t.Errorf("serving again took %s", slowest)
	}
}

// round is the life of one server.
func (c *crashes) round(life time.Duration) {
	s := newServer(c.t, "stroem", c.home, c.home, c.env...)
	began := time.Now()
	if err := s.spawn(); err != nil {
		c.t.Fatal(err)
	}
	defer time.AfterFunc(life, func() { _ = s.cmd.Process.Kill() }).Stop()
	if err := s.hear(); err != nil {
		if status := s.cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signal() != syscall.SIGKILL {
			c.t.Fatal(err)
		}
		c.early++
		return
	}
	if code, _ := s.rest(http.MethodGet, "/healthz", "", nil); code == http.StatusOK {
		if c.begun.IsZero() {
			c.begun = began
		}
		c.starts = append(c.starts, time.Since(began))
	}
	var callers sync.WaitGroup
	for range 4 {
		callers.Go(func() {
			for c.job(s) {
			}
		})
	}
	callers.Wait()
	<-s.ended
}

// job has the server run a job, and follows that to its end. It is false when
// the server has ended.
func (c *crashes) job(s *server) (alive bool) {
	task := []string{"chain", "fan", "long", "cancel", "ask", "leave"}[rand.N(6)]
	var job struct {
		ID string `json:"job_id"`
	}
	if !c.ask(s, http.MethodPost, "/api/workspaces/w/tasks/"+task+"/execute", &job) {
		return false
	}
	c.mu.Lock()
	c.accepted[job.ID] = true
	c.mu.Unlock()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for cancelAt := rand.N(20); ; cancelAt-- {
		if task == "cancel" && cancelAt == 0 && !c.cancel(s, job.ID) {
			return false
		}
		var now standing
		if !c.ask(s, http.MethodGet, "/api/jobs/"+job.ID, &now) || now.waits() && !c.approve(s, job.ID) {
			return false
		}
		if now.Status.Ended() {
			return true
		}
		<-tick.C
	}
}

// standing is how a job and its steps stand.
type standing struct {
	Status store.Status
	Steps  []struct{ Status store.Status }
}

// waits reports whether a step of the job waits for a person.
func (j *standing) waits() bool {
	return slices.ContainsFunc(j.Steps, func(s struct{ Status store.Status }) bool { return s.Status == store.Suspended })
}

func (c *crashes) approve(s *server, id string) (alive bool) {
	code, err := s.rest(http.MethodPost, "/api/jobs/"+id+"/steps/approve/approve", `{"approved":true}`, nil)
	switch code {
	case 0:
		<-s.ended
		return false
	case http.StatusOK, http.StatusConflict: // of several answers one wins
	default:
		c.t.Errorf("approve: %d %v", code, err)
	}
	return true
}

func (c *crashes) cancel(s *server, id string) (alive bool) {
	c.mu.Lock()
	c.cancelled[id] = false
	c.mu.Unlock()
	code, err := s.rest(http.MethodPost, "/api/jobs/"+id+"/cancel", "", nil)
	switch code {
	case 0:
		<-s.ended
		return false
	case http.StatusOK:
		c.mu.Lock()
		c.cancelled[id] = true
		c.mu.Unlock()
	case http.StatusConflict: // it had ended
	default:
		c.t.Errorf("cancel: %d %v", code, err)
	}
	return true
}

// ask is false when no answer came because the server has ended.
func (c *crashes) ask(s *server, method, path string, into any) (alive bool) {
	code, err := s.rest(method, path, "", into)
	if code >= 400 || code > 0 && err != nil {
		c.t.Errorf("%s %s: %d %v", method, path, code, err)
	}
	if code == 0 {
		<-s.ended
	}
	return code > 0
}

// inspect looks at a copy of the database as the crash left it: the file
// itself is left for the next server to find.
func (c *crashes) inspect() {
	dir := c.t.TempDir()
	defer os.RemoveAll(dir)
	for _, name := range []string{"stroem.db", "stroem.db-wal"} {
		content, err := os.ReadFile(filepath.Join(c.data(), name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), content, 0o600)
		}
		if err != nil {
			c.t.Fatal(err)
		}
	}
	db, err := sql.Open("sqlite", filepath.Join(dir, "stroem.db"))
	if err != nil {
		c.t.Fatal(err)
	}
	defer db.Close()
	if got := column(c.t, db, `PRAGMA integrity_check`); !slices.Equal(got, []string{"ok"}) {
		c.t.Errorf("integrity_check: %q", got)
	}
	if got := column(c.t, db, `SELECT "table" FROM pragma_foreign_key_check`); len(got) > 0 {
		c.t.Errorf("foreign_key_check: %q", got)
	}
	if len(c.accepted) == 0 {
		return
	}
	there := map[string]bool{}
	for _, id := range column(c.t, db, `SELECT id FROM job`) {
		there[id] = true
	}
	for id := range c.accepted {
		if !there[id] {
			c.t.Errorf("job %s was accepted and is lost", id)
		}
	}
}

// column is what a query gives in one column.
func column(t *testing.T, db *sql.DB, query string) (list []string) {
	t.Helper()
	rows, err := db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		list = append(list, text)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}

// settle lets a server be until nothing is left to do. No script takes longer
// than two seconds: what still runs after ten runs in the books alone.
func (c *crashes) settle() {
	patience := 30 * time.Second
	if campaign {
		patience = 10 * time.Second
	}
	s := serve(c.t, c.home, c.home, c.env...)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); ; <-tick.C {
		var jobs map[store.Status]int
		s.mustRest(http.MethodGet, "/api/stats", "", &jobs)
		if jobs[store.Pending]+jobs[store.Running] == 0 {
			break
		}
		c.approveAll(s)
		if time.Now().After(end) {
			c.t.Errorf("after %s there are still %v", patience, jobs)
			break
		}
	}
	s.kill(syscall.SIGTERM)
}

// approveAll answers for callers whose server was killed before they could.
func (c *crashes) approveAll(s *server) {
	var list struct {
		Items []struct {
			ID string `json:"job_id"`
		}
	}
	s.mustRest(http.MethodGet, "/api/jobs?status=running&limit=1000", "", &list)
	for _, item := range list.Items {
		var now standing
		if s.mustRest(http.MethodGet, "/api/jobs/"+item.ID, "", &now); now.waits() {
			c.approve(s, item.ID)
		}
	}
}

// judge compares what the store says with the ledger, and with what callers
// were told. It returns how many steps ran.
func (c *crashes) judge() (ran int) {
	text, err := os.ReadFile(c.ledger)
	if err != nil {
		c.t.Fatal(err)
	}
	times := map[string]int{}
	for line := range bytes.Lines(text) {
		times[strings.TrimSpace(string(line))]++
		ran++
	}
	st, err := store.Open(c.data())
	if err != nil {
		c.t.Fatal(err)
	}
	defer st.Close()
	left, ticks, files, clock := len(c.accepted), 0, 0, int(time.Since(c.begun).Seconds())
	var jobs []store.Job
	err = st.View(c.t.Context(), func(tx *store.Tx) (err error) {
		jobs, err = tx.Jobs(store.JobFilter{Limit: -1})
		return err
	})
	for i := 0; err == nil && i < len(jobs); i++ {
		if c.accepted[jobs[i].ID] {
			left--
		}
		if jobs[i].SourceType == store.SourceTrigger {
			ticks++
		}
		err = st.View(c.t.Context(), func(tx *store.Tx) error { // each by itself: a read has its time
			err := c.judgeJob(tx, &jobs[i], times)
			if err == nil {
				files += c.artifacts(st, tx, &jobs[i])
			}
			return err
		})
	}
	if err := st.SweepArtifacts(c.t.Context()); err != nil { // the server may have ended before it did
		c.t.Error(err)
	}
	if found := c.filesOfArtifacts(); found != files {
		c.t.Errorf("%d files of artifacts on disk, and %d artifacts", found, files)
	}
	if err != nil || left > 0 {
		c.t.Errorf("%d accepted jobs are lost: %v", left, err)
	}
	// A time that came while no server lived is due when the next one does.
	if ticks > clock+1 || ticks < clock-3 {
		c.t.Errorf("in %d seconds, a trigger of each second started %d jobs", clock, ticks)
	}
	for line := range times {
		c.t.Errorf("no job has the step of which the ledger says %q", line)
	}
	return ran
}

// judgeJob takes the job's steps out of times.
func (c *crashes) judgeJob(tx *store.Tx, job *store.Job, times map[string]int) error {
	answered, asked := c.cancelled[job.ID]
	if ok := job.Status == store.Completed && !answered || job.Status == store.Cancelled && asked; !ok {
		c.t.Errorf("job %s of %s is %s (its cancel was asked for: %v, answered: %v): %s",
			job.ID, job.Task, job.Status, asked, answered, job.Error)
	}
	steps, err := tx.Steps(job.Seq)
	for _, step := range steps {
		line := job.ID + " " + step.Name
		n := times[line]
		delete(times, line)
		asks := job.Task == "ask" && step.Name == "approve" // runs nothing
		if n > 1 || step.Status == store.Completed && n == 0 && !asks || !step.Status.Ended() {
			c.t.Errorf("step %s is %s and ran %d times: %s", line, step.Status, n, step.Error)
		}
	}
	return err
}
