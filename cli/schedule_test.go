//go:build unix

package cli_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"stroem/store"
)

const eachSecond = `
tasks:
  tick: {flow: {s: {type: script, script: echo "$(date)"}}}
triggers:
  second: {type: scheduler, task: tick, cron: "* * * * * *"}
  hour: {type: scheduler, task: tick, cron: "0 0 * * * *", timezone: Europe/Berlin, concurrency: skip}
`

// triggersShown are the triggers of the server's workspace, as REST shows them.
func triggersShown(t *testing.T, s *server) (text string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/api/workspaces/default/triggers", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var doc json.RawMessage
	if err := json.NewDecoder(res.Body).Decode(&doc); err != nil {
		t.Fatal(err)
	}
	return string(doc)
}

// A server fires each second, is killed, and the next one settles what an
// outage of three hours made its triggers miss.
func TestServerFiresTriggers(t *testing.T) {
	t.Parallel()
	home, dir := t.TempDir(), t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, ".workflows"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, ".workflows", "w.yaml"), []byte(eachSecond), 0o600); err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(home, "data")
	began := time.Now()
	s := serve(t, home, dir, "STROEM__DATA="+data)
	s.awaitCompleted(2)
	if shown := triggersShown(t, s); strings.Contains(shown, "outages") || strings.Count(shown, `"next_runs":["20`) != 2 {
		t.Errorf("triggers: %s", shown)
	}
	s.kill(syscall.SIGKILL)

	first := downFor(t, data, 3*time.Hour)
	s = serve(t, home, dir, "STROEM__DATA="+data)
	shown := poll(t, func() string { return triggersShown(t, s) }, func(got string) bool { return strings.Count(got, `"outages":[{`) == 2 })
	for _, want := range []string{`"first_missed":"` + first.Format(time.RFC3339), `"catch_up":"last","started":1`} {
		if !strings.Contains(shown, want) {
			t.Errorf("%s is not in %s", want, shown)
		}
	}
	s.awaitCompleted(4)
	s.kill(syscall.SIGKILL)

	fired := map[string]int{}
	inStore(t, data, func(tx *store.Tx) error {
		jobs, err := tx.Jobs(store.JobFilter{SourceType: store.SourceTrigger, Limit: -1})
		for _, j := range jobs {
			fired[j.SourceID]++
		}
		return err
	})
	most := int(time.Since(began).Seconds()) + 2 // the one that it caught up with, and the second that had begun
	if n := fired["default/second"]; n > most || fired["default/hour"] < 1 || len(fired) != 2 {
		t.Errorf("fired %v, want at most %d and one for the hours", fired, most)
	}
}

// awaitCompleted waits until so many jobs have completed.
func (s *server) awaitCompleted(n int) {
	s.t.Helper()
	poll(s.t, func() string { return s.ask("list_jobs", map[string]any{}) },
		func(got string) bool { return strings.Count(got, `"status":"completed"`) >= n })
}

// downFor lets the triggers look as if the last server had ended that long
// ago. It returns when the trigger of each second was due then.
func downFor(t *testing.T, data string, ago time.Duration) (due time.Time) {
	t.Helper()
	inStore(t, data, func(tx *store.Tx) error {
		rows, err := tx.Schedules()
		for _, row := range rows {
			row.Next = row.Next.Add(-ago)
			if row.Name == "second" {
				due = row.Next
			}
			if err := tx.PutSchedule(row); err != nil {
				return err
			}
		}
		return err
	})
	return due
}

func inStore(t *testing.T, data string, fn func(*store.Tx) error) {
	t.Helper()
	st, err := store.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	if err := st.Update(context.Background(), fn); err != nil {
		t.Fatal(err)
	}
}
