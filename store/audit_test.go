package store_test

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"stroem/store"
)

func entry(i int) store.AuditEntry {
	return store.AuditEntry{At: noon, Who: "ada@example.com", Key: "strm_0123456", Addr: "10.0.0.1", Door: "mcp", Action: "execute",
		Workspace: "ops", Task: fmt.Sprintf("deploy-%d", i), Job: "j", Detail: json.RawMessage(`{"input":{"v":1}}`), Result: "ok"}
}

func appendAudit(t testing.TB, st *store.Store, n int) {
	t.Helper()
	update(t, st, func(tx *store.Tx) error {
		for i := range n {
			e := entry(i)
			if err := tx.AppendAudit(&e); err != nil {
				return err
			}
		}
		return nil
	})
}

func TestAuditComesBackAsItWas(t *testing.T) {
	t.Parallel()
	st := open(t)
	wake, stop := st.Watch(store.TopicAudit)
	defer stop()
	want := []store.AuditEntry{entry(1), {At: noon, Action: "refuse", Result: "\x00\xff'; \u202e"}, entry(2)}
	update(t, st, func(tx *store.Tx) error {
		for i := range want {
			if err := tx.AppendAudit(&want[i]); err != nil {
				return err
			}
		}
		return nil
	})
	<-wake
	want[1].Detail = json.RawMessage{}
	view(t, st, func(tx *store.Tx) error {
		got, err := tx.Audit(0, 10)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		tail, err2 := tx.AuditTail(2)
		if diff := cmp.Diff(want[1:], tail); diff != "" {
			t.Error(diff)
		}
		return errors.Join(err, err2)
	})
	if n, err := st.VerifyAudit(t.Context()); n != 3 || err != nil {
		t.Errorf("verify: %d %v", n, err)
	}
	bad := store.AuditEntry{At: noon, Detail: json.RawMessage("{")}
	if err := st.Update(t.Context(), func(tx *store.Tx) error { return tx.AppendAudit(&bad) }); err == nil {
		t.Error("a detail that is not JSON was taken")
	}
}

func TestAuditIsOnlyAddedTo(t *testing.T) {
	t.Parallel()
	st := open(t)
	appendAudit(t, st, 3)
	for _, query := range []string{`UPDATE audit SET who = 'eve'`, `DELETE FROM audit`, `DELETE FROM audit WHERE seq = 3`} {
		err := st.Update(t.Context(), func(tx *store.Tx) error { return tx.Exec(query) })
		if err == nil || !strings.Contains(err.Error(), "the audit log is only added to") {
			t.Errorf("%s: %v", query, err)
		}
	}
	if n, err := st.VerifyAudit(t.Context()); n != 3 || err != nil {
		t.Errorf("verify: %d %v", n, err)
	}
}

// TestTamperedAuditIsFound changes the closed file as somebody could who has
// it, but not the data folder's secret.key.
func TestTamperedAuditIsFound(t *testing.T) {
	t.Parallel()
	whole := t.TempDir()
	fill(t, whole, 1100)
	const free = `DROP TRIGGER audit_unchanged; DROP TRIGGER audit_kept;`
	for name, c := range map[string]struct {
		change string
		seq    int64
	}{
		"a field changed":         {free + `UPDATE audit SET who = 'eve' WHERE seq = 1050`, 1050},
		"a time changed":          {free + `UPDATE audit SET at = at + 1 WHERE seq = 1`, 1},
		"text moved between":      {free + `UPDATE audit SET workspace = 'op', task = 's' || task WHERE seq = 7`, 7},
		"a hash changed":          {free + `UPDATE audit SET hash = zeroblob(32) WHERE seq = 1099`, 1099},
		"one taken out":           {free + `DELETE FROM audit WHERE seq = 1001`, 1001},
		"taken out and closed up": {free + `DELETE FROM audit WHERE seq = 2; UPDATE audit SET seq = seq - 1 WHERE seq > 2; UPDATE audit_head SET seq = seq - 1`, 2},
		"the first taken out":     {free + `DELETE FROM audit WHERE seq = 1`, 1},
		"the end cut off":         {free + `DELETE FROM audit WHERE seq > 1010`, 1011},
		"the end and its mark":    {free + `DELETE FROM audit WHERE seq = 1100; UPDATE audit_head SET seq = 1099, hash = (SELECT hash FROM audit WHERE seq = 1099)`, 1099},
		"the mark gone":           {`DELETE FROM audit_head`, 1},
		"all records gone":        {free + `DELETE FROM audit`, 1},
		"one added":               {`INSERT INTO audit SELECT seq + 1, at, 'eve', key_prefix, addr, door, action, workspace, task, job, detail, result, hash FROM audit WHERE seq = 1100`, 1101},
		"two exchanged":           {free + `UPDATE audit SET task = 'x' WHERE seq = 4; UPDATE audit SET task = 'deploy-3' WHERE seq = 5`, 4},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(whole)); err != nil {
				t.Fatal(err)
			}
			tamper(t, dir, c.change)
			st := reopen(t, dir)
			broken(t, st, c.seq)
			// Going on does not mend it.
			appendAudit(t, st, 2)
			broken(t, st, 0)
			appendAudit(t, st, 1)
			broken(t, st, 0)
		})
	}
}

func TestAuditWithAnotherKeyIsFound(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	fill(t, dir, 3)
	if err := os.Remove(filepath.Join(dir, "secret.key")); err != nil {
		t.Fatal(err)
	}
	broken(t, reopen(t, dir), 3)
}

func fill(t *testing.T, dir string, n int) {
	t.Helper()
	st, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	appendAudit(t, st, n)
	if got, err := st.VerifyAudit(t.Context()); int(got) != n || err != nil {
		t.Errorf("verify before: %d %v", got, err)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
}

func tamper(t *testing.T, dir, change string) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, "stroem.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(t.Context(), change); err != nil {
		t.Fatal(err)
	}
}

func reopen(t *testing.T, dir string) *store.Store {
	t.Helper()
	st, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	return st
}

// broken expects the log to be found broken at seq, or anywhere with 0.
func broken(t *testing.T, st *store.Store, seq int64) {
	t.Helper()
	_, err := st.VerifyAudit(t.Context())
	var b *store.BrokenAudit
	if !errors.As(err, &b) {
		t.Fatalf("verify: %v, want a broken record", err)
	}
	if seq != 0 && b.Seq != seq {
		t.Errorf("broken at %v, want %d", b, seq)
	}
}

func TestAuditWhileItIsVerified(t *testing.T) {
	t.Parallel()
	st := open(t)
	appendAudit(t, st, 1100)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 20 {
				appendAudit(t, st, 1)
			}
		})
	}
	for range 10 {
		if _, err := st.VerifyAudit(t.Context()); err != nil {
			t.Error(err)
		}
	}
	wg.Wait()
	if n, err := st.VerifyAudit(t.Context()); n != 1180 || err != nil {
		t.Errorf("verify: %d %v", n, err)
	}
}

// BenchmarkAudit is one record among others of the same commit.
func BenchmarkAudit(b *testing.B) {
	st := open(b)
	update(b, st, func(tx *store.Tx) error {
		for b.Loop() {
			e := entry(1)
			if err := tx.AppendAudit(&e); err != nil {
				return err
			}
		}
		return nil
	})
}
