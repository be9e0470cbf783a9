//go:build unix

package cli_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const onceTasks = `
tasks:
  once: {input: {n: {type: integer}}, flow: {s: {type: script, script: 'echo "$STROEM_JOB_ID" >> %s'}}}
`

// Of a thousand calls with one key, with the server killed among them and
// started anew, whose callers repeat them until they are answered, there is one
// job, it runs once, and everybody is told of it: then, and by every server
// that comes later.
func TestRepeatedCallsAreOneJobAcrossKills(t *testing.T) {
	alone(t)
	o := &onceCalls{t: t, home: t.TempDir(), told: map[string]map[string]int{}}
	dir, ledger := t.TempDir(), filepath.Join(t.TempDir(), "ledger")
	write(t, dir, "w.yaml", fmt.Sprintf(onceTasks, ledger))
	o.env = config(t, "w", dir)
	o.begin()
	keys, callers, kills := rounds(2, 30), sized(100, 1000), sized(1, 3)
	for n := range keys {
		o.round(fmt.Sprint("key ", n), callers, kills)
	}
	o.kill()
	for n := range keys {
		o.round(fmt.Sprint("key ", n), 10, 0)
	}
	s, _ := o.server()
	for key, ids := range o.told {
		if len(ids) != 1 {
			t.Errorf("%s: callers were told of %v", key, ids)
		}
		for id := range ids {
			if got := s.await(id, "completed"); !strings.Contains(got, `"source_type":"mcp"`) {
				t.Errorf("got %s", got)
			}
		}
	}
	var jobs struct{ Total int }
	s.mustRest(http.MethodGet, "/api/jobs", "", &jobs)
	ran, err := os.ReadFile(ledger)
	if err != nil {
		t.Fatal(err)
	}
	if runs := strings.Count(string(ran), "\n"); jobs.Total != keys || runs != keys {
		t.Errorf("%d keys made %d jobs, which ran %d times", keys, jobs.Total, runs)
	}
	t.Logf("%d keys, %d calls with each: %d answers; %d kills, %d of them before anybody was answered, %d calls repeated",
		keys, callers, o.answers, o.kills, o.early, o.again)
}

// onceCalls are callers of a server that others follow.
type onceCalls struct {
	t    *testing.T
	home string
	env  string

	mu   sync.Mutex
	now  *server
	next chan struct{}             // closed when another server follows
	told map[string]map[string]int // by key, how often each job was named

	answers, kills, early, again int
}

func (o *onceCalls) begin() {
	s := newServer(o.t, "stroem", o.home, o.home, o.env)
	s.mustStart()
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.next != nil {
		close(o.next)
	}
	o.now, o.next = s, make(chan struct{})
}

// server is the one that is there now, and what is closed when another is.
func (o *onceCalls) server() (*server, <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.now, o.next
}

// kill kills the server, and starts the next.
func (o *onceCalls) kill() {
	s, _ := o.server()
	s.kill(syscall.SIGKILL)
	o.begin()
}

// round has many call with a key at once, with kills at any moment of it.
func (o *onceCalls) round(key string, callers, kills int) {
	if o.told[key] == nil {
		o.told[key] = map[string]int{}
	}
	var calling sync.WaitGroup
	for range callers {
		calling.Go(func() { o.call(key) })
	}
	for n := range kills {
		<-time.After(rand.N(rand.N(300*time.Millisecond) + 1)) // rather early, while the job is made
		o.mu.Lock()
		if o.kills++; n == 0 && len(o.told[key]) == 0 {
			o.early++
		}
		o.mu.Unlock()
		o.kill()
	}
	calling.Wait()
}

// call asks for the job of a key until there is an answer.
func (o *onceCalls) call(key string) {
	args := fmt.Sprintf(`{"workspace":"w","task_name":"once","input":{"n":1},"idempotency_key":%q}`, key)
	for {
		s, next := o.server()
		var answer struct {
			Result struct{ Content []struct{ Text string } }
		}
		code, err := s.rest(http.MethodPost, "/mcp", toolCall(1, "execute_task", args), &answer)
		if err == nil && code == http.StatusOK && len(answer.Result.Content) == 1 {
			o.note(key, answer.Result.Content[0].Text)
			return
		}
		o.mu.Lock()
		o.again++
		o.mu.Unlock()
		select {
		case <-next:
		case <-o.t.Context().Done():
			return
		}
	}
}

func (o *onceCalls) note(key, text string) {
	var job struct {
		ID string `json:"job_id"`
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := json.Unmarshal([]byte(text), &job); err != nil || job.ID == "" {
		o.t.Errorf("told %q", text)
		return
	}
	o.told[key][job.ID]++
	o.answers++
}
