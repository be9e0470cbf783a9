//go:build linux

package cli_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"stroem/store"
)

// accepted is the answer that makes a job ours to keep.
var accepted = regexp.MustCompile(`\{"job_id":"([0-9a-f-]{36})"\}`)

// printing is a workspace whose task p prints so many bytes, and notes each run
// of its steps in a ledger.
func printing(t *testing.T, bytes int) (dir, ledger string) {
	t.Helper()
	dir, ledger = t.TempDir(), filepath.Join(t.TempDir(), "ledger")
	write(t, dir, "w.yaml", fmt.Sprintf(`
tasks:
  p:
    input: {n: {type: string}}
    flow:
      first: {type: script, script: 'echo {{ input.n }} first >> %[1]s; yes "a line of the log" | head -c %[2]d'}
      second: {type: script, script: 'echo {{ input.n }} second >> %[1]s; echo done', depends_on: [first]}
`, ledger, bytes))
	return dir, ledger
}

// submit asks for a job of p by REST: its id, else what was said instead.
func (s *server) submit(n string) (id string, status int, said string) {
	status, said = s.said(http.MethodPost, "/api/workspaces/w/tasks/p/execute", `{"input":{"n":"`+n+`"}}`)
	if m := accepted.FindStringSubmatch(said); m != nil {
		id = m[1]
	}
	return id, status, said
}

// said makes a request and gives the answer as text; without an answer the status is 0.
func (s *server) said(method, path, body string) (status int, said string) {
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		return 0, err.Error()
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, err.Error()
	}
	return res.StatusCode, string(text)
}

// awaitREST waits until a job has ended, and gives its state.
func (s *server) awaitREST(id string) (status string) {
	s.t.Helper()
	poll(s.t, func() string {
		_, said := s.said(http.MethodGet, "/api/jobs/"+id, "")
		var job struct{ Status string }
		_ = json.Unmarshal([]byte(said), &job)
		status = job.Status
		return said
	}, func(string) bool { return store.Status(status).Ended() })
	return status
}

// inMemory is a folder in memory where there is one: thousands of images need
// no disk.
func inMemory(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "stroem-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// TestPowerLossKeepsWhatWasAccepted records all that a server does to its
// data folder from its first start to its end, and looks at what a loss of
// power would have left at moments on the way: everything so far, the last
// write torn, nothing that was not synced, and parts of that in any order.
func TestPowerLossKeepsWhatWasAccepted(t *testing.T) {
	t.Parallel()
	needStrace(t)
	dir, _ := printing(t, 100_000)
	home := inMemory(t)
	data := filepath.Join(home, "stroem")
	s, trace, err := straced(t, home, config(t, "w", dir), "-xx", "-s", "70000", "-e",
		"trace=?open,openat,?creat,pwrite64,write,pwritev,pwritev2,ftruncate,fallocate,fsync,fdatasync,?rename,renameat,renameat2,?unlink,unlinkat")
	if err != nil {
		t.Fatal(err)
	}
	var jobs []string
	for range sized(16, 60) / 4 {
		var group [4]string
		var wg sync.WaitGroup
		for i := range group {
			wg.Go(func() { group[i], _, _ = s.submit("x") })
		}
		wg.Wait()
		jobs = append(jobs, group[:]...)
		s.awaitREST(group[0])
	}
	for _, id := range jobs {
		if got := s.awaitREST(id); got != "completed" {
			t.Fatalf("job %s is %s", id, got)
		}
	}
	s.kill(syscall.SIGTERM)
	all := recordChanges(t, trace, data)
	if n := count(all, func(c change) bool { return c.kind == opAcknowledge }); n != len(jobs) {
		t.Fatalf("the trace shows %d of %d acceptances", n, len(jobs))
	}
	key := keyOf(t, data)
	images := examine(t, all, key, config(t, "w", dir))
	t.Logf("%d images of %d changes (%d writes, %d of them to the database itself), %d jobs", images, len(all),
		count(all, func(c change) bool { return c.kind == opWrite }),
		count(all, func(c change) bool { return c.kind == opWrite && c.name == "stroem.db" }), len(jobs))
}

func count(all []change, wanted func(change) bool) (n int) {
	for _, c := range all {
		if wanted(c) {
			n++
		}
	}
	return n
}

// keyOf is the key that jobs' secret inputs are sealed under.
func keyOf(t *testing.T, dir string) []byte {
	t.Helper()
	st, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	key, err := st.Key("inputs")
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// picture is what a power loss left, and what must be found in it.
type picture struct {
	name  string
	files map[string][]byte
	jobs  []string
}

// examine opens images of all kinds, spread over the changes, has servers go on
// from some, and reports how many there were.
func examine(t *testing.T, all []change, key []byte, cfg string) (images int) {
	t.Helper()
	queue := make(chan picture)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for p := range queue {
				if err := p.holds(t, key); err != nil {
					t.Errorf("image %s: %v", p.name, err)
				}
			}
		})
	}
	v := newVolume()
	for i, c := range all {
		v.apply(c)
		for _, kind := range kinds(i, len(all), c) {
			rng := rand.New(rand.NewPCG(uint64(i), uint64(kind)))
			l := loss{rng: rng, keep: 1}
			switch kind {
			case 1: // at the end of a sector
				l.tear = 512 * (1 + rng.IntN(8))
			case 2:
				l.tear = 1 + rng.IntN(4096)
			case 3:
				l.keep = 0
			case 4, 5, 6:
				l.keep, l.mixed = rng.Float64(), kind > 4
			}
			images++
			p := picture{fmt.Sprintf("%d/%d", i, kind), v.image(l), slices.Clone(v.jobs)}
			queue <- p
			if kind == 5 && c.kind == opAcknowledge && len(v.jobs)%sized(8, 1) == 0 {
				p.serves(t, cfg)
			}
		}
	}
	close(queue)
	wg.Wait()
	return images
}

// kinds are the kinds of images to make after change i of n: as many as are
// wanted everywhere, and always where a job was just acknowledged.
func kinds(i, n int, c change) []int {
	if every := max(1, n*7/sized(150, 20_000)); i%every != 0 && c.kind != opAcknowledge {
		return nil
	}
	return []int{0, 1, 2, 3, 4, 5, 6}
}

// holds reports what is not as it must be in the image.
func (p *picture) holds(t *testing.T, key []byte) error {
	dir := inMemory(t)
	defer os.RemoveAll(dir)
	writeImage(t, dir, p.files)
	st, err := store.Open(dir)
	if err != nil {
		return fmt.Errorf("open: %w (it has %v)", err, slices.Sorted(maps.Keys(p.files)))
	}
	defer st.Close()
	err = st.View(context.Background(), func(tx *store.Tx) error {
		for _, id := range p.jobs {
			if _, err := tx.Job(id); err != nil {
				return fmt.Errorf("job %s: %w", id, err)
			}
		}
		return nil
	})
	if err == nil && len(p.jobs) > 0 {
		var k []byte
		if k, err = st.Key("inputs"); err == nil && !bytes.Equal(k, key) {
			err = errors.New("the key of the jobs' inputs is another")
		}
	}
	if err := errors.Join(err, st.Close()); err != nil {
		return err
	}
	return intact(filepath.Join(dir, "stroem.db"))
}

// serves has a server go on from the image: it brings all jobs to their end.
func (p *picture) serves(t *testing.T, cfg string) {
	home := inMemory(t)
	if err := os.Mkdir(filepath.Join(home, "stroem"), 0o700); err != nil {
		t.Fatal(err)
	}
	writeImage(t, filepath.Join(home, "stroem"), p.files)
	s := serve(t, home, t.TempDir(), cfg, "XDG_DATA_HOME="+home)
	for _, id := range p.jobs {
		if got := s.awaitREST(id); got != "completed" {
			t.Errorf("image %s: job %s is %s", p.name, id, got)
		}
	}
	s.kill(syscall.SIGTERM)
}

// intact asks SQLite to look at the whole database.
func intact(path string) error {
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(10000)")
	if err != nil {
		return err
	}
	defer db.Close()
	var says string
	if err := db.QueryRow(`PRAGMA integrity_check`).Scan(&says); err != nil || says != "ok" {
		return fmt.Errorf("integrity_check: %s %w", says, err)
	}
	return nil
}
