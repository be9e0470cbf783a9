package store_test

import (
	"archive/tar"
	"bytes"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"stroem/store"
)

// backedUp is a store with a job that ended, one that runs and one that waits,
// and a backup of it.
func backedUp(t *testing.T) (st *store.Store, archive string) {
	t.Helper()
	st = open(t)
	leave(t, st, ended(t, st, noon, "a"), "done", map[string]string{"report.txt": "all is well"})
	run := steps(t, st, insert(t, st, "b"))[0]
	insert(t, st, "c")
	update(t, st, func(tx *store.Tx) error {
		run.Attempt, run.Boot = "x", "this boot"
		return tx.StartStep(&run)
	})
	if _, err := st.Key("inputs"); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"artifacts/of no row", "state/empty", "steps/x"} {
		if err := os.MkdirAll(filepath.Join(st.Dir(), dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"artifacts/of no row/0", "state/w.tar", "steps/x/out"} {
		if err := os.WriteFile(filepath.Join(st.Dir(), file), []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	archive = filepath.Join(t.TempDir(), "b.tar")
	if _, err := store.BackupFile(t.Context(), st.Dir(), archive, false); err != nil {
		t.Fatal(err)
	}
	return st, archive
}

func TestBackupComesBackAsItWas(t *testing.T) {
	t.Parallel()
	st, archive := backedUp(t)
	if info, err := os.Stat(archive); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the backup is %v (%v)", info.Mode(), err)
	}
	left, err := os.ReadDir(filepath.Dir(archive))
	if err != nil || len(left) != 1 {
		t.Errorf("beside the backup lies %v (%v)", left, err)
	}
	insert(t, st, "later")
	dir := filepath.Join(t.TempDir(), "new")
	got, err := store.Restore(t.Context(), archive, dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(store.Restored{Schema: got.Schema, Jobs: 3, Running: 1, Waiting: 1, Key: true, Files: 2}, got); diff != "" {
		t.Error(diff)
	}
	for file, want := range map[string]string{"artifacts/done/0": "all is well", "state/w.tar": "state/w.tar", "artifacts/of no row/0": ""} {
		if text, err := os.ReadFile(filepath.Join(dir, file)); string(text) != want || (err != nil) != (want == "") {
			t.Errorf("%s: %q %v", file, text, err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "steps")); err == nil {
		t.Error("an attempt's folder was backed up")
	}
	again, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	ours, errOurs := st.Key("inputs")
	theirs, errTheirs := again.Key("inputs")
	if !bytes.Equal(ours, theirs) {
		t.Errorf("the keys differ (%v %v)", errOurs, errTheirs)
	}
	view(t, again, func(tx *store.Tx) error {
		runs, err := tx.RunningSteps()
		if len(runs) != 1 || runs[0].Boot != store.BootRestored {
			t.Errorf("running: %+v", runs)
		}
		vacuum, errVacuum := tx.Pragma("auto_vacuum")
		if vacuum != 2 {
			t.Errorf("auto_vacuum = %d", vacuum)
		}
		return errors.Join(err, errVacuum)
	})
	if _, err := store.Restore(t.Context(), archive, dir); !errors.Is(err, store.ErrLocked) {
		t.Errorf("restore beside a server: %v", err)
	}
	if _, err := store.BackupFile(t.Context(), st.Dir(), archive, false); !errors.Is(err, os.ErrExist) {
		t.Errorf("backup over another: %v", err)
	}
	if _, err := store.BackupFile(t.Context(), st.Dir(), archive, true); err != nil {
		t.Errorf("backup over another, on demand: %v", err)
	}
}

// entries are what an archive holds.
type packed struct {
	tar.Header
	body []byte
}

func entries(t *testing.T, archive string) (list []packed) {
	t.Helper()
	f, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if err != nil {
			return list
		}
		var body bytes.Buffer
		if _, err := body.ReadFrom(r); err != nil {
			t.Fatal(err)
		}
		list = append(list, packed{*h, body.Bytes()})
	}
}

func pack(t *testing.T, list []packed) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, e := range list {
		e.Format = tar.FormatUnknown
		if e.Typeflag == tar.TypeReg {
			e.Size = int64(len(e.body))
		}
		if err := w.WriteHeader(&e.Header); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(e.body); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestRestoreRefusesWhatIsNoBackup(t *testing.T) {
	t.Parallel()
	_, archive := backedUp(t)
	good := entries(t, archive)
	file := func(name string) []packed {
		return append(good[:len(good):len(good)], packed{tar.Header{Typeflag: tar.TypeReg, Name: name}, []byte("x")})
	}
	with := func(h tar.Header) []packed { return append(good[:len(good):len(good)], packed{h, nil}) }
	damaged := func(change func([]byte)) []packed {
		list := append([]packed(nil), good...)
		list[0].body = bytes.Clone(good[0].body)
		change(list[0].body)
		return list
	}
	whole := pack(t, good)
	for name, tc := range map[string]struct {
		archive []byte
		fault   string
	}{
		"nothing":           {nil, "cut short"},
		"no tar":            {bytes.Repeat([]byte("x"), 4096), "as a tar"},
		"an empty tar":      {pack(t, nil), "no stroem.db"},
		"no end":            {whole[:len(whole)-1024], "cut short"},
		"half an end":       {whole[:len(whole)-512], "cut short"},
		"half an entry":     {whole[:len(whole)-1024-505], "unexpected EOF"},
		"climbing":          {pack(t, file("../x")), "is not what a backup"},
		"climbing below":    {pack(t, file("artifacts/../../x")), "is not what a backup"},
		"rooted":            {pack(t, file("/tmp/x")), "is not what a backup"},
		"dotted":            {pack(t, file("./artifacts/x")), "is not what a backup"},
		"backslash":         {pack(t, file(`artifacts\..\x`)), "is not what a backup"},
		"a drive":           {pack(t, file(`artifacts/C:x`)), "is not what a backup"},
		"a lock":            {pack(t, file("stroem.lock")), "is not what a backup"},
		"a log of writes":   {pack(t, file("stroem.db-wal")), "is not what a backup"},
		"an attempt":        {pack(t, file("steps/x/script")), "is not what a backup"},
		"a file as folder":  {pack(t, file("artifacts")), "is not what a backup"},
		"below a file":      {pack(t, file("stroem.db/x")), "is not what a backup"},
		"twice":             {pack(t, file("secret.key")), "there twice"},
		"a link":            {pack(t, with(tar.Header{Typeflag: tar.TypeSymlink, Name: "artifacts/l", Linkname: "/etc"})), "neither a file nor a folder"},
		"a hard link":       {pack(t, with(tar.Header{Typeflag: tar.TypeLink, Name: "artifacts/l", Linkname: "secret.key"})), "neither a file nor a folder"},
		"a device":          {pack(t, with(tar.Header{Typeflag: tar.TypeBlock, Name: "artifacts/d"})), "neither a file nor a folder"},
		"a fifo":            {pack(t, with(tar.Header{Typeflag: tar.TypeFifo, Name: "state/f"})), "neither a file nor a folder"},
		"a broken key":      {pack(t, append(append([]packed{good[0]}, good[2:]...), packed{tar.Header{Typeflag: tar.TypeReg, Name: "secret.key"}, []byte("x")})), "64 hexadecimal digits"},
		"no database":       {pack(t, append([]packed{{good[0].Header, bytes.Repeat([]byte("x"), 8192)}}, good[1:]...)), "no database of stroem"},
		"a damaged one":     {pack(t, damaged(func(b []byte) { copy(b[len(b)-8192:], bytes.Repeat([]byte{0xff}, 8192)) })), "stroem.db is"},
		"of a newer stroem": {pack(t, newer(t, good)), "of a newer stroem"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			bad := filepath.Join(dir, "bad.tar")
			if err := os.WriteFile(bad, tc.archive, 0o600); err != nil {
				t.Fatal(err)
			}
			data := filepath.Join(dir, "data")
			_, err := store.Restore(t.Context(), bad, data)
			if err == nil || !strings.Contains(err.Error(), tc.fault) {
				t.Fatalf("error %v, want %q", err, tc.fault)
			}
			left, err := os.ReadDir(data)
			if err != nil || len(left) != 1 || left[0].Name() != "stroem.lock" {
				t.Errorf("left: %v (%v)", left, err)
			}
			if _, err := store.Restore(t.Context(), archive, data); err != nil {
				t.Errorf("the good one afterwards: %v", err)
			}
		})
	}
}

// newer makes the database one of a schema that is not known yet.
func newer(t *testing.T, good []packed) []packed {
	t.Helper()
	file := filepath.Join(t.TempDir(), "x.db")
	if err := os.WriteFile(file, good[0].body, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)`); err != nil {
		t.Fatal(err)
	}
	body, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return append([]packed{{good[0].Header, body}}, good[1:]...)
}

// A restore that was cut short is no data folder, until it is done again.
func TestUnfinishedRestoreIsDoneAgain(t *testing.T) {
	t.Parallel()
	_, archive := backedUp(t)
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "restoring/artifacts/j"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "secret.key"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(dir); !errors.Is(err, store.ErrUnfinished) {
		t.Fatalf("open: %v", err)
	}
	if _, err := store.Restore(t.Context(), archive, dir); err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Restore(t.Context(), archive, dir); !errors.Is(err, store.ErrNotEmpty) {
		t.Errorf("restore over a data folder: %v", err)
	}
}
