package store_test

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"stroem/store"
)

// leave keeps artifacts of the job's first step, as an attempt of it does.
func leave(t testing.TB, st *store.Store, job store.Job, attempt string, texts map[string]string) (replaced []store.Artifact) {
	t.Helper()
	list := files(t, st, job, attempt, texts)
	update(t, st, func(tx *store.Tx) (err error) {
		replaced, err = tx.KeepArtifacts(list)
		return err
	})
	return replaced
}

// files makes the files of artifacts, and no rows.
func files(t testing.TB, st *store.Store, job store.Job, attempt string, texts map[string]string) (list []store.Artifact) {
	t.Helper()
	to, err := st.NewArtifacts(attempt)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range texts {
		path := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		a := store.Artifact{Job: job.Seq, Name: name, Type: "text/plain", Attempt: attempt, File: len(list), CreatedAt: noon}
		if a.Size, err = to.Add(a.File, f, int64(len(text))); err != nil {
			t.Fatal(err)
		}
		f.Close()
		list = append(list, a)
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	return list
}

// contents are the job's artifacts, by name.
func contents(t testing.TB, st *store.Store, job store.Job) map[string]string {
	t.Helper()
	var list []store.Artifact
	view(t, st, func(tx *store.Tx) (err error) {
		list, err = tx.Artifacts(job.Seq)
		return err
	})
	texts := map[string]string{}
	for i := range list {
		f, err := st.OpenArtifact(&list[i])
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(f)
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
		texts[list[i].Name] = string(text)
	}
	return texts
}

// onDisk lists the files below the folder of artifacts.
func onDisk(t testing.TB, dir string) (list []string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(filepath.Join(dir, "artifacts")), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && name != ".lock" {
			list = append(list, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestTheLastOfANameIsKept(t *testing.T) {
	t.Parallel()
	st := open(t)
	job := insert(t, st, "a", "b")
	leave(t, st, job, "one", map[string]string{"report": "old", "other": "x"})
	replaced := leave(t, st, job, "two", map[string]string{"report": "newer"})
	if len(replaced) != 1 || replaced[0].Attempt != "one" || replaced[0].Size != 3 {
		t.Errorf("replaced: %+v", replaced)
	}
	if err := st.DropArtifacts(replaced); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"report": "newer", "other": "x"}, contents(t, st, job)); diff != "" {
		t.Error(diff)
	}
	if got := onDisk(t, st.Dir()); len(got) != 2 {
		t.Errorf("on disk: %q", got)
	}
	if s := space(t, st); s.Artifacts != 6 {
		t.Errorf("%d bytes are counted", s.Artifacts)
	}
}

func TestArtifactsGoWithTheirJob(t *testing.T) {
	t.Parallel()
	st := open(t)
	old, young := ended(t, st, noon, "s"), ended(t, st, noon.Add(time.Hour), "s")
	leave(t, st, old, "old", map[string]string{"a": "1", "b": "22"})
	leave(t, st, young, "young", map[string]string{"c": "333"})
	var gone store.Pruned
	update(t, st, func(tx *store.Tx) (err error) {
		gone, _, err = tx.Prune(noon.Add(time.Minute), 0)
		return err
	})
	if got := onDisk(t, st.Dir()); gone.Jobs != 1 || len(gone.Files) != 2 || len(got) != 3 {
		t.Errorf("%+v, files %q", gone, got)
	}
	if err := st.DropArtifacts(gone.Files); err != nil {
		t.Fatal(err)
	}
	if got := onDisk(t, st.Dir()); !slices.Equal(got, []string{"young/0"}) || space(t, st).Artifacts != 3 {
		t.Errorf("on disk %q, %d bytes counted", got, space(t, st).Artifacts)
	}
}

// What has no row goes, except of an attempt that runs: its rows may be about
// to come.
func TestSweepDeletesWhatNoRowNames(t *testing.T) {
	t.Parallel()
	st := open(t)
	job := insert(t, st, "s", "other")
	kept := leave(t, st, job, "kept", map[string]string{"a": "1", "b": "2"})
	leave(t, st, job, "again", map[string]string{"a": "3"})
	files(t, st, job, "never committed", map[string]string{"x": "y"})
	files(t, st, job, "running", map[string]string{"x": "y"})
	if err := os.WriteFile(filepath.Join(st.Dir(), "artifacts", "stray"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	run := steps(t, st, job)[0]
	run.Attempt, run.Boot = "running", "b"
	update(t, st, func(tx *store.Tx) error { return tx.StartStep(&run) })
	if err := st.SweepArtifacts(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := onDisk(t, st.Dir())
	if len(kept) != 0 || len(got) != 3 || !slices.Contains(got, "again/0") || !slices.Contains(got, "running/0") {
		t.Errorf("on disk: %q", got)
	}
	if diff := cmp.Diff(map[string]string{"a": "3", "b": "2"}, contents(t, st, job)); diff != "" {
		t.Error(diff)
	}
}

// What a backup has yet to copy is not deleted under its hands, but by the next
// sweep.
func TestNothingIsDeletedWhileABackupIsMade(t *testing.T) {
	t.Parallel()
	st := open(t)
	job := ended(t, st, noon, "s")
	leave(t, st, job, "one", map[string]string{"report": "old"})
	held, err := store.HoldArtifacts(t.Context(), st.Dir())
	if err != nil {
		t.Fatal(err)
	}
	replaced := leave(t, st, job, "two", map[string]string{"report": "new"})
	if err := st.DropArtifacts(replaced); err != nil {
		t.Error(err)
	}
	if err := st.SweepArtifacts(t.Context()); err != nil {
		t.Error(err)
	}
	if got := onDisk(t, st.Dir()); !slices.Equal(got, []string{"one/0", "two/0"}) {
		t.Errorf("while a backup is made there are %q", got)
	}
	held.Close()
	if err := st.SweepArtifacts(t.Context()); err != nil {
		t.Error(err)
	}
	if got := onDisk(t, st.Dir()); !slices.Equal(got, []string{"two/0"}) {
		t.Errorf("after it there are %q", got)
	}
}

// A restored copy lists nothing that it cannot read, also where the disk lost
// files before the backup. Doctor's look tells of those.
func TestRestoreForgetsWhatIsLost(t *testing.T) {
	t.Parallel()
	st := open(t)
	job := ended(t, st, noon, "s")
	leave(t, st, job, "x", map[string]string{"whole": "1"})
	leave(t, st, job, "gone", map[string]string{"gone": "22"})
	leave(t, st, job, "cut", map[string]string{"cut": "333"})
	if err := os.Remove(filepath.Join(st.Dir(), "artifacts/gone/0")); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(st.Dir(), "artifacts/cut/0"), 1); err != nil {
		t.Fatal(err)
	}
	if c, err := store.Look(t.Context(), st.Dir()); err != nil || c.Artifacts != 3 || c.Lost != 2 || c.Space.Artifacts != 6 {
		t.Errorf("a look shows %+v, %v", c, err)
	}
	archive, dir := filepath.Join(t.TempDir(), "b.tar"), filepath.Join(t.TempDir(), "new")
	if _, err := store.BackupFile(t.Context(), st.Dir(), archive, false); err != nil {
		t.Fatal(err)
	}
	got, err := store.Restore(t.Context(), archive, dir)
	if err != nil || got.Lost != 2 || got.Files != 1 {
		t.Fatalf("restored %+v, %v", got, err)
	}
	again, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if diff := cmp.Diff(map[string]string{"whole": "1"}, contents(t, again, job)); diff != "" || space(t, again).Artifacts != 1 {
		t.Errorf("%s, %d bytes counted", diff, space(t, again).Artifacts)
	}
}

// Backups beside a server whose jobs come, overwrite and go: each restored copy
// reads whatever it lists.
func TestBackupsUnderChangeAreConsistent(t *testing.T) {
	t.Parallel()
	st := open(t)
	stop, done := make(chan struct{}), make(chan error, 1)
	go func() {
		var jobs []store.Job
		for i := 0; ; i++ {
			select {
			case <-stop:
				done <- nil
				return
			default:
			}
			if i%4 == 0 {
				jobs = append(jobs, ended(t, st, noon.Add(time.Duration(i)*time.Second), "s"))
			}
			text := strings.Repeat("x", i%100)
			replaced := leave(t, st, jobs[len(jobs)-1], fmt.Sprint("a", i), map[string]string{"same": text, fmt.Sprint(i): text})
			var gone store.Pruned
			err := st.Update(t.Context(), func(tx *store.Tx) (err error) {
				gone, _, err = tx.Prune(noon.Add(time.Duration(i-40)*time.Second), 0)
				return err
			})
			if err == nil {
				err = st.DropArtifacts(append(replaced, gone.Files...))
			}
			if err != nil {
				done <- err
				return
			}
		}
	}()
	listed := int64(0)
	for range backupRounds {
		archive, dir := filepath.Join(t.TempDir(), "b.tar"), filepath.Join(t.TempDir(), "new")
		if _, err := store.BackupFile(t.Context(), st.Dir(), archive, false); err != nil {
			t.Fatal(err)
		}
		got, err := store.Restore(t.Context(), archive, dir)
		if err != nil || got.Lost != 0 {
			t.Fatalf("restored %+v, %v", got, err)
		}
		listed += got.Files
	}
	close(stop)
	if err := <-done; err != nil || listed == 0 {
		t.Errorf("%d files, %v", listed, err)
	}
	t.Logf("%d files in all restored copies", listed)
}

// A hostile row leads nowhere.
func TestNoRowLeadsOutOfTheFolder(t *testing.T) {
	t.Parallel()
	st := open(t)
	job := insert(t, st, "s")
	leave(t, st, job, "x", map[string]string{"a": "1"})
	if err := os.WriteFile(filepath.Join(st.Dir(), "0"), []byte("s"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../..", filepath.Join(st.Dir(), "artifacts", "link")); err != nil {
		t.Fatal(err)
	}
	for _, attempt := range []string{"..", "x/../..", "/", st.Dir(), "link", ".", ""} {
		a := store.Artifact{Attempt: attempt, Size: 1}
		if f, err := st.OpenArtifact(&a); err == nil {
			t.Errorf("%q opens %s", attempt, f.Name())
		}
		if err := st.DropArtifacts([]store.Artifact{a}); err == nil && attempt != "." && attempt != "" {
			t.Errorf("%q could be deleted", attempt)
		}
	}
	if _, err := os.Stat(filepath.Join(st.Dir(), "0")); err != nil {
		t.Error(err)
	}
}
