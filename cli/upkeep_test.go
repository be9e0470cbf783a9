//go:build unix

package cli_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	"stroem/migrations"
	"stroem/store"
)

const oldJobs = 5000

// released makes a database of a released schema, with jobs.
func released(t *testing.T, file string, version int64) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=auto_vacuum(incremental)&_pragma=journal_mode(wal)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	p, err := goose.NewProvider(goose.DialectSQLite3, db, migrations.FS)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.UpTo(t.Context(), version); err != nil {
		t.Fatal(err)
	}
	for _, q := range []string{
		`INSERT INTO plan (id, hash, body) VALUES (1, x'00', '{"name":"t"}')`,
		fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < %d)
			INSERT INTO job (id, workspace, task, folder, status, source_type, source_id, agent, revision, created_at, started_at,
			completed_at, plan, dir, input) SELECT 'job'||i, 'w', 't', '', 'completed', 'api', '', 0, '', i, i, i, 1, '', '{}' FROM n`, oldJobs),
		`INSERT INTO step (job, pos, name, status) SELECT seq, 0, 's', 'completed' FROM job`,
		`INSERT INTO log (job, step, line, step_line, lines, stream, tail, at, size, body) SELECT seq, 0, 0, 0, 1, 0, 0, 0, 5, x'6c696e650a' FROM job`,
	} {
		if _, err := db.ExecContext(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
}

// An upgrade that is killed at any moment is done by the next start, with all
// that was there.
func TestUpgradeSurvivesBeingKilled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	old := filepath.Join(dir, "old.db")
	released(t, old, 1)
	start := time.Now()
	whole := copyOf(t, old, filepath.Join(dir, "whole"))
	serve(t, t.TempDir(), dir, "STROEM_DATA="+whole).kill(syscall.SIGTERM)
	took := time.Since(start)
	for i := range sized(6, 50) {
		data := copyOf(t, old, filepath.Join(dir, fmt.Sprint("data", i)))
		cmd := exec.Command("stroem", "serve")
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "HOME="+dir, "STROEM__LISTEN=127.0.0.1:0", "STROEM_DATA="+data)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(rand.N(took)) // the moment is what is tried, nothing is waited for
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		st, err := store.Open(data)
		if err != nil {
			t.Fatalf("round %d: %v", i, err)
		}
		err = st.View(t.Context(), func(tx *store.Tx) error {
			n, err := tx.CountJobs(store.JobFilter{Status: store.Completed})
			if n != oldJobs {
				t.Errorf("round %d: %d jobs are there", i, n)
			}
			return err
		})
		c, errLook := store.Look(t.Context(), data)
		if err != nil || errLook != nil || c.Damage != nil || c.Schema != c.Newest {
			t.Errorf("round %d: %v %v %+v", i, err, errLook, c)
		}
		if err := st.Close(); err != nil {
			t.Error(err)
		}
		os.RemoveAll(data)
	}
}

// copyOf makes a data folder with a copy of the database.
func copyOf(t *testing.T, db, dir string) string {
	t.Helper()
	text, err := os.ReadFile(db)
	if err == nil {
		err = os.Mkdir(dir, 0o700)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "stroem.db"), text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// load submits jobs to the server until the context ends, and keeps the ids of
// those that were accepted.
type load struct {
	pace     time.Duration // between two jobs
	mu       sync.Mutex
	accepted []string
}

func (l *load) run(ctx context.Context, s *server) {
	for ctx.Err() == nil {
		time.Sleep(l.pace)
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/api/workspaces/default/tasks/t/execute", strings.NewReader(`{"input":{}}`))
		if err != nil {
			return
		}
		req.Header.Set("Content-Type", "application/json")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			continue
		}
		var answer struct {
			ID string `json:"job_id"`
		}
		if json.NewDecoder(res.Body).Decode(&answer) == nil && answer.ID != "" {
			l.mu.Lock()
			l.accepted = append(l.accepted, answer.ID)
			l.mu.Unlock()
		}
		res.Body.Close()
	}
}

func (l *load) so() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.accepted...)
}

// Each backup that is made under load comes back with every job that was
// accepted before it was begun.
func TestBackupsUnderLoadComeBack(t *testing.T) {
	t.Parallel()
	dir, home := t.TempDir(), t.TempDir()
	workflows := filepath.Join(dir, ".workflows")
	if err := os.Mkdir(workflows, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, workflows, "w.yaml", "tasks: {t: {flow: {s: {type: script, script: 'seq 1000'}}}}")
	s := serve(t, home, dir)
	data := filepath.Join(home, ".local/share/stroem")
	ctx, stop := context.WithCancel(t.Context())
	l := load{pace: time.Duration(sized(0, 100)) * time.Millisecond} // a campaign is long
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() { l.run(ctx, s) })
	}
	whole := 0
	copies := sized(3, 200)
	for i := range copies {
		if campaign {
			time.Sleep(5 * time.Second)
		}
		before := l.so()
		file, back := filepath.Join(home, "b.tar"), filepath.Join(home, fmt.Sprint("back", i))
		for _, args := range [][]string{{"--data", data, "backup", "--force", file}, {"--data", back, "restore", file}} {
			if out, err := exec.Command("stroem", args...).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", args, out)
			}
		}
		if holdsAll(t, back, before) {
			whole++
		}
		os.RemoveAll(back)
	}
	stop()
	wg.Wait()
	t.Logf("%d of %d backups came back whole; %d jobs were accepted", whole, copies, len(l.so()))
	if whole != copies {
		t.Errorf("%d of %d came back", whole, copies)
	}
}

func holdsAll(t *testing.T, data string, ids []string) bool {
	t.Helper()
	st, err := store.Open(data)
	if err != nil {
		t.Error(err)
		return false
	}
	defer st.Close()
	there := map[string]bool{}
	err = st.View(t.Context(), func(tx *store.Tx) error {
		jobs, err := tx.Jobs(store.JobFilter{Limit: -1})
		for _, j := range jobs {
			there[j.ID] = true
		}
		return err
	})
	if err != nil {
		t.Error(err)
		return false
	}
	for _, id := range ids {
		if !there[id] {
			t.Errorf("job %s is not in the backup", id)
			return false
		}
	}
	return true
}
