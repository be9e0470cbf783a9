package store

import (
	"archive/tar"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// restoring is the folder inside the data folder into which a backup is
// unpacked. While it is there no server starts.
const restoring = "restoring"

var (
	// ErrUnfinished: a restore into the data folder did not end.
	ErrUnfinished = errors.New("a restore into the data folder did not end; run `stroem restore` again")
	// ErrNotEmpty: a backup is put back into an empty folder only.
	ErrNotEmpty = errors.New("the data folder is not empty; a backup is put back into an empty or absent one")
)

// Restored says what was put back.
type Restored struct {
	Schema  int64 `json:"schema"`
	Jobs    int64 `json:"jobs"`
	Running int64 `json:"steps_interrupted"` // they ran when the backup was made
	Waiting int64 `json:"steps_waiting"`     // they begin when a server starts
	Key     bool  `json:"secret_key"`
	Files   int64 `json:"files"`          // artifacts and state
	Lost    int64 `json:"artifacts_lost"` // their files are not in the backup, or not whole
}

// Restore puts the backup in the file archive back into the data folder dir,
// which must be absent or empty. All of it is unpacked and checked before any
// of it counts.
func Restore(ctx context.Context, archive, dir string) (r Restored, err error) {
	in, err := os.Open(archive)
	if err != nil {
		return r, err
	}
	defer in.Close()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return r, fmt.Errorf("create data folder: %w", err)
	}
	lock, err := lockDir(dir, lockPatience)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	if err := clearUnfinished(dir); err != nil {
		return r, err
	}
	half := filepath.Join(dir, restoring)
	if err := os.Mkdir(half, 0o700); err != nil {
		return r, err
	}
	if err := r.unpack(ctx, in, half); err != nil {
		return r, errors.Join(err, os.RemoveAll(half))
	}
	if err := r.check(ctx, half); err != nil {
		return r, errors.Join(err, os.RemoveAll(half))
	}
	return r, settle(half, dir)
}

// clearUnfinished makes sure that the folder holds nothing, or deletes what a
// restore that did not end left there.
func clearUnfinished(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	_, err = os.Lstat(filepath.Join(dir, restoring))
	unfinished := err == nil
	ours := append([]string{restoring, databaseFile, keyFile}, keptFolders...)
	for _, e := range entries {
		if e.Name() != lockFile && (!unfinished || !slices.Contains(ours, e.Name())) {
			return fmt.Errorf("%w: %s holds %s", ErrNotEmpty, dir, e.Name())
		}
	}
	for _, name := range slices.Backward(ours) { // the mark goes last
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}

// unpack writes the archive's entries below the folder half, and checks each.
func (r *Restored) unpack(ctx context.Context, in *os.File, half string) error {
	info, err := in.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no file", in.Name())
	}
	to, err := os.OpenRoot(half)
	if err != nil {
		return err
	}
	defer to.Close()
	counted := &counter{r: in}
	archive := tar.NewReader(counted)
	for {
		before := counted.n
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			if counted.n-before < 1024 { // a tar ends with two empty blocks
				return fmt.Errorf("%s is cut short: it has no end", in.Name())
			}
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s cannot be read as a tar: %w", in.Name(), err)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := r.entry(to, h, archive, info.Size()); err != nil {
			return fmt.Errorf("%s: entry %q: %w", in.Name(), h.Name, err)
		}
	}
}

// counter counts what is read through it.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// entry writes one entry of the archive, which is size bytes large.
func (r *Restored) entry(to *os.Root, h *tar.Header, body io.Reader, size int64) error {
	dir := h.Typeflag == tar.TypeDir
	name := strings.TrimSuffix(h.Name, "/")
	switch {
	case !dir && h.Typeflag != tar.TypeReg:
		return errors.New("is neither a file nor a folder; no backup of stroem holds that")
	case !isKept(name, dir) || !dir && name != h.Name:
		return errors.New("is not what a backup of stroem holds")
	case dir:
		return to.MkdirAll(name, 0o700)
	case h.Size > size:
		return fmt.Errorf("claims %d bytes, more than the archive has", h.Size)
	}
	if err := to.MkdirAll(path.Dir(name), 0o700); err != nil {
		return err
	}
	f, err := to.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return errors.New("is there twice")
	}
	if err != nil {
		return err
	}
	if path.Dir(name) != "." {
		r.Files++
	}
	_, err = io.Copy(f, body)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// check looks at what was unpacked as a server would use it.
func (r *Restored) check(ctx context.Context, half string) error {
	file := filepath.Join(half, databaseFile)
	if _, err := os.Stat(file); err != nil {
		return errors.New("the archive holds no stroem.db: it is no backup of stroem")
	}
	db, err := sql.Open("sqlite", dsn(file, []string{"trusted_schema(0)", "query_only(1)"})+"&mode=rw")
	if err != nil {
		return err
	}
	defer db.Close()
	at, newest, err := schema(ctx, db)
	if err != nil {
		return fmt.Errorf("the archive's stroem.db is no database of stroem: %w", err)
	}
	if r.Schema = at; at > newest {
		return fmt.Errorf("%w (schema %d, this one knows %d)", ErrNewer, at, newest)
	}
	if err := integrity(ctx, db); err != nil {
		return fmt.Errorf("the archive's stroem.db is damaged: %w", err)
	}
	if err := db.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM job), (SELECT count(*) FROM step WHERE status = 'running'),
		(SELECT count(*) FROM step s JOIN job j ON j.seq = s.job WHERE s.status = 'ready' AND j.completed_at IS NULL)`).Scan(&r.Jobs, &r.Running, &r.Waiting); err != nil {
		return fmt.Errorf("the archive's stroem.db is no database of stroem: %w", err)
	}
	if _, err := os.Stat(filepath.Join(half, keyFile)); err == nil {
		r.Key = true
		if _, err := (&Store{dir: half}).Key(""); err != nil {
			return fmt.Errorf("the archive's secret.key: %w", err)
		}
	}
	return errors.Join(db.Close(), disown(ctx, file), r.forget(ctx, half))
}

// forget deletes the rows of artifacts whose files are not there, so that
// whatever is listed can be read.
func (r *Restored) forget(ctx context.Context, half string) error {
	db, err := sql.Open("sqlite", dsn(filepath.Join(half, databaseFile), []string{"synchronous(full)", "trusted_schema(0)"})+"&mode=rw")
	if err != nil {
		return err
	}
	defer db.Close()
	lost, err := lostArtifacts(ctx, db, half)
	for _, a := range lost {
		if err == nil {
			_, err = db.ExecContext(ctx, `DELETE FROM artifact WHERE attempt = ? AND file = ?`, a.Attempt, a.File)
		}
	}
	r.Lost = int64(len(lost))
	return err
}

// settle moves what was unpacked to its place. The mark that the restore is
// unfinished goes last.
func settle(half, dir string) error {
	if err := filepath.WalkDir(half, func(at string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			err = syncDir(at)
		}
		return err
	}); err != nil {
		return err
	}
	entries, err := os.ReadDir(half)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := os.Rename(filepath.Join(half, e.Name()), filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	if err := syncDir(dir); err != nil {
		return err
	}
	if err := os.Remove(half); err != nil {
		return err
	}
	return syncDir(dir)
}
