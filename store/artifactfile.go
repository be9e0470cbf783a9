package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"time"
)

// artifactsFolder is the folder of the data folder in which each attempt that
// left artifacts has a folder, with numbered files. A name that a script chose
// is never a path here.
//
// Files are there, durably, before the rows that name them, and until after
// those are gone. Whatever has no row, and is of no attempt that runs, is
// deleted by SweepArtifacts.
const artifactsFolder = "artifacts"

// artifactsLock is held by who deletes artifacts, and shared by backups, which
// copy rows first and then files.
const artifactsLock = ".lock"

// makeArtifacts makes the folder of all artifacts with its lock. It is not left
// to a backup, which may be another user's.
func makeArtifacts(dir string) error {
	dir = filepath.Join(dir, artifactsFolder)
	if err := makeDir(dir); err != nil {
		return err
	}
	return touch(filepath.Join(dir, artifactsLock))
}

// path is where the artifact's bytes are, below the folder of all.
func (a *Artifact) path() string { return path.Join(a.Attempt, strconv.Itoa(a.File)) }

// OpenArtifact opens the artifact's bytes. A file that is not as its row says
// is an error.
func (s *Store) OpenArtifact(a *Artifact) (*os.File, error) {
	root, err := os.OpenRoot(filepath.Join(s.dir, artifactsFolder))
	if err != nil {
		return nil, fmt.Errorf("open artifact: %w", err)
	}
	defer root.Close()
	f, err := openKept(root, a)
	if err != nil {
		return nil, fmt.Errorf("open artifact: %w", err)
	}
	return f, nil
}

// openKept opens the artifact's bytes below the folder of all.
func openKept(root *os.Root, a *Artifact) (*os.File, error) {
	info, err := root.Lstat(a.path())
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() != a.Size {
		return nil, fmt.Errorf("artifacts/%s: %w: it is no file of %d bytes", a.path(), errDamaged, a.Size)
	}
	return root.Open(a.path())
}

// errDamaged: a kept file is not as its row says.
var errDamaged = errors.New("the file is damaged")

// IsLost reports whether err says that the bytes of an artifact are not there,
// or not whole.
func IsLost(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, errDamaged) }

// lostArtifacts lists those of a database whose bytes are not, as they were, in
// the data folder dir.
func lostArtifacts(ctx context.Context, db *sql.DB, dir string) (lost []Artifact, err error) {
	root, err := os.OpenRoot(filepath.Join(dir, artifactsFolder))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err == nil {
		defer root.Close()
	}
	err = eachArtifact(ctx, db, func(a *Artifact) error {
		err := fs.ErrNotExist
		if root != nil {
			var f *os.File
			if f, err = openKept(root, a); err == nil {
				return f.Close()
			}
		}
		if IsLost(err) {
			lost, err = append(lost, *a), nil
		}
		return err
	})
	return lost, err
}

// eachArtifact calls do for each artifact of a database, with Attempt, File and
// Size; for none where its schema knows none yet.
func eachArtifact(ctx context.Context, db *sql.DB, do func(*Artifact) error) error {
	tx, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // a read has nothing to lose
	reader := &Tx{ctx: ctx, q: tx}
	if there, err := reader.hasTable("artifact"); err != nil || !there {
		return err
	}
	return reader.rows(func(r *sql.Rows) error {
		var a Artifact
		if err := r.Scan(&a.Attempt, &a.File, &a.Size); err != nil {
			return err
		}
		return do(&a)
	}, `SELECT attempt, file, size FROM artifact ORDER BY attempt, file`)
}

// NewArtifacts is a folder for what an attempt left, that is being filled.
type NewArtifacts struct {
	root    *os.Root
	dir     string
	attempt string
}

// NewArtifacts makes the folder for what the attempt left. What an earlier
// server put there and did not commit is gone.
func (s *Store) NewArtifacts(attempt string) (*NewArtifacts, error) {
	if err := makeArtifacts(s.dir); err != nil {
		return nil, fmt.Errorf("keep artifacts: %w", err)
	}
	dir := filepath.Join(s.dir, artifactsFolder)
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("keep artifacts: %w", err)
	}
	n := &NewArtifacts{root, dir, attempt}
	err = root.RemoveAll(attempt)
	if err == nil {
		err = root.Mkdir(attempt, 0o700)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("keep artifacts: %w", err), root.Close())
	}
	return n, nil
}

// Add writes at most size bytes of in, durably, as the file of that number. It
// reports how many there were.
func (n *NewArtifacts) Add(file int, in *os.File, size int64) (int64, error) {
	a := Artifact{Attempt: n.attempt, File: file}
	out, err := n.root.OpenFile(a.path(), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return 0, fmt.Errorf("keep artifacts: %w", err)
	}
	size, err = io.Copy(out, io.LimitReader(in, size))
	if err == nil {
		err = out.Sync()
	}
	if err := errors.Join(err, out.Close()); err != nil {
		return 0, fmt.Errorf("keep artifacts: %w", err)
	}
	return size, nil
}

// Close makes the folder durable.
func (n *NewArtifacts) Close() error {
	return errors.Join(syncDir(filepath.Join(n.dir, n.attempt)), syncDir(n.dir), n.root.Close())
}

// Discard deletes the folder again.
func (n *NewArtifacts) Discard() error {
	return errors.Join(n.root.RemoveAll(n.attempt), n.root.Close())
}

// DropArtifacts deletes the files of artifacts whose rows are gone, or were
// never there. While a backup is being made they stay, for SweepArtifacts.
func (s *Store) DropArtifacts(list []Artifact) error {
	if len(list) == 0 {
		return nil
	}
	return s.deleting(func(root *os.Root) error {
		var errs []error
		for i := range list {
			if err := root.Remove(list[i].path()); err != nil && !errors.Is(err, fs.ErrNotExist) {
				errs = append(errs, err)
			}
		}
		for i := range list {
			_ = root.Remove(list[i].Attempt) // what is not empty stays
		}
		return errors.Join(errs...)
	})
}

// deleting calls do, which may delete artifacts, unless a backup is being made.
func (s *Store) deleting(do func(*os.Root) error) error {
	root, err := os.OpenRoot(filepath.Join(s.dir, artifactsFolder))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("delete artifacts: %w", err)
	}
	defer root.Close()
	s.dropping.Lock()
	defer s.dropping.Unlock()
	lock, err := root.OpenFile(artifactsLock, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("delete artifacts: %w", err)
	}
	defer lock.Close()
	if free, err := tryLock(lock, false); err != nil || !free {
		return err
	}
	if err := do(root); err != nil {
		return fmt.Errorf("delete artifacts: %w", err)
	}
	return nil
}

// SweepArtifacts deletes files that no row names, of attempts that do not run:
// of servers that were killed before a commit, or after one.
func (s *Store) SweepArtifacts(ctx context.Context) error {
	return s.deleting(func(root *os.Root) error {
		// A folder is made while its attempt runs. So whatever lay there before
		// the store was asked, and is not running then, has its rows if it ever
		// gets any.
		folders, err := fs.ReadDir(root.FS(), ".")
		if err != nil {
			return err
		}
		running := map[string]bool{}
		if err := s.View(ctx, func(tx *Tx) error {
			runs, err := tx.RunningSteps()
			for _, run := range runs {
				running[run.Attempt] = true
			}
			return err
		}); err != nil {
			return err
		}
		for _, f := range folders {
			if name := f.Name(); name != artifactsLock && !running[name] {
				if err := s.sweepArtifacts(ctx, root, name); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// holdArtifacts keeps artifacts from being deleted until the returned file is
// closed. It is nil where no server has been that keeps any.
func holdArtifacts(ctx context.Context, dir string) (*os.File, error) {
	lock, err := os.OpenFile(filepath.Join(dir, artifactsFolder, artifactsLock), os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for err == nil {
		var free bool
		if free, err = tryLock(lock, true); free {
			return lock, nil
		}
		select { // who deletes does not take long
		case <-ctx.Done():
			err = errors.Join(err, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
	if lock != nil {
		lock.Close()
	}
	return nil, fmt.Errorf("keep artifacts from being deleted: %w", err)
}

// sweepArtifacts deletes what no row names in the folder of an attempt, and the
// folder if nothing is left in it.
func (s *Store) sweepArtifacts(ctx context.Context, root *os.Root, attempt string) error {
	var named map[int]int64
	if err := s.View(ctx, func(tx *Tx) (err error) {
		named, err = tx.artifactFiles(attempt)
		return err
	}); err != nil {
		return err
	}
	if len(named) == 0 {
		return root.RemoveAll(attempt)
	}
	files, err := fs.ReadDir(root.FS(), attempt)
	if err != nil {
		return err
	}
	for _, f := range files {
		n, err := strconv.Atoi(f.Name())
		if _, ok := named[n]; err != nil || !ok {
			if err := root.RemoveAll(path.Join(attempt, f.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}
