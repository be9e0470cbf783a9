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
)

// What a backup holds, in this order.
const (
	databaseFile = "stroem.db"
	keyFile      = "secret.key"
)

// stateFolder is for state, all of which a backup holds.
const stateFolder = "state"

// keptFolders are the folders of the data folder that a backup holds. The
// folders of attempts are not among them: they belong to processes.
var keptFolders = []string{artifactsFolder, stateFolder}

// BackupFile writes a backup of the data folder dir to the file, whole or not
// at all, for its owner alone. It reports how large it is. An existing file is
// replaced only on demand, else fs.ErrExist.
func BackupFile(ctx context.Context, dir, file string, replace bool) (size int64, err error) {
	if _, err := os.Lstat(file); err == nil && !replace {
		return 0, fs.ErrExist
	}
	scratch, err := os.MkdirTemp(filepath.Dir(file), ".stroem-backup-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	half := filepath.Join(scratch, "backup.tar")
	f, err := os.OpenFile(half, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return 0, err
	}
	err = Backup(ctx, dir, scratch, f)
	if err == nil {
		size, err = f.Seek(0, io.SeekCurrent)
	}
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return 0, err
	}
	if err := os.Rename(half, file); err != nil {
		return 0, err
	}
	return size, syncDir(filepath.Dir(file))
}

// Backup writes the data folder dir to out as a tar, also beside a running
// server, whose writer it does not hold up. The database is the one of the
// moment at which Backup began to read it; scratch is a folder for its copy.
func Backup(ctx context.Context, dir, scratch string, out io.Writer) error {
	from, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer from.Close()
	held, err := holdArtifacts(ctx, dir)
	if err != nil {
		return err
	}
	defer held.Close()
	copied := filepath.Join(scratch, databaseFile)
	if err := copyDatabase(ctx, filepath.Join(dir, databaseFile), copied); err != nil {
		return fmt.Errorf("copy the database: %w", err)
	}
	defer os.Remove(copied)
	w := tar.NewWriter(out)
	f, err := os.Open(copied)
	if err != nil {
		return err
	}
	if err := addFile(w, f, databaseFile); err != nil {
		return err
	}
	// What belongs to the database is read after it: files are there before
	// the rows that name them.
	if f, err = from.Open(keyFile); err == nil {
		err = addFile(w, f, keyFile)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := addArtifacts(ctx, w, dir, copied); err != nil {
		return err
	}
	if err := addFolder(ctx, w, from, stateFolder); err != nil {
		return err
	}
	return w.Close()
}

// addArtifacts adds the files that the rows of the copied database name. What
// is lost of them `stroem doctor` tells, and a restore again.
func addArtifacts(ctx context.Context, w *tar.Writer, dir, copied string) error {
	db, err := sql.Open("sqlite", dsn(copied, []string{"query_only(1)"})+"&mode=rw")
	if err != nil {
		return err
	}
	defer db.Close()
	root, err := os.OpenRoot(filepath.Join(dir, artifactsFolder))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer root.Close()
	return eachArtifact(ctx, db, func(a *Artifact) error {
		f, err := openKept(root, a)
		if err == nil {
			return addFile(w, f, path.Join(artifactsFolder, a.path()))
		}
		if IsLost(err) {
			return nil
		}
		return err
	})
}

// copyDatabase makes a copy of the database at one moment, without what is
// free in it and of no running process. The read is one transaction, which
// the writer of a server does not wait for; its write-ahead log grows by what
// it writes meanwhile.
func copyDatabase(ctx context.Context, from, to string) error {
	if _, err := os.Stat(from); err != nil {
		return err
	}
	db, err := sql.Open("sqlite", dsn(from, []string{"busy_timeout(10000)"})+"&mode=rw")
	if err != nil {
		return err
	}
	defer db.Close()
	at, newest, err := schema(ctx, db)
	if err == nil && at > newest {
		err = fmt.Errorf("%w (schema %d, this one knows %d)", ErrNewer, at, newest)
	}
	if err == nil {
		_, err = db.ExecContext(ctx, `VACUUM INTO ?`, to)
	}
	if err != nil {
		return err
	}
	if err := os.Chmod(to, 0o600); err != nil {
		return err
	}
	return disown(ctx, to)
}

// disown marks the steps that run in a copied database. Their processes are
// those of another server, which nothing here may take up, and whatever they
// did cannot be known: where the copy is started, they have been interrupted.
func disown(ctx context.Context, file string) error {
	db, err := sql.Open("sqlite", dsn(file, []string{"synchronous(full)"})+"&mode=rw")
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.ExecContext(ctx, `UPDATE step SET boot = ? WHERE status = 'running'`, BootRestored)
	return err
}

// addFolder adds a folder with all below it, if it is there.
func addFolder(ctx context.Context, w *tar.Writer, from *os.Root, folder string) error {
	return fs.WalkDir(from.FS(), folder, func(name string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist): // deleted meanwhile, or never made
			return nil
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case d.IsDir():
			return w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: 0o700})
		case !d.Type().IsRegular():
			return fmt.Errorf("%s is neither a file nor a folder; a backup cannot hold it", name)
		}
		f, err := from.Open(name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		return addFile(w, f, name)
	})
}

// addFile adds the file, and closes it.
func addFile(w *tar.Writer, f *os.File, name string) error {
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	err = w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o600, Size: info.Size(), ModTime: info.ModTime()})
	if err == nil {
		_, err = io.CopyN(w, f, info.Size()) // what was appended meanwhile stays out
	}
	if err != nil {
		return fmt.Errorf("back up %s: %w", name, err)
	}
	return nil
}

// isKept reports whether a backup may hold an entry of that name.
func isKept(name string, dir bool) bool {
	if !fs.ValidPath(name) || !filepath.IsLocal(filepath.FromSlash(name)) || path.Clean(name) != name {
		return false
	}
	for at := range len(name) {
		if name[at] == '\\' || name[at] == ':' || name[at] < ' ' { // other systems' separators
			return false
		}
	}
	if name == databaseFile || name == keyFile {
		return !dir
	}
	top := name
	for path.Dir(top) != "." {
		top = path.Dir(top)
	}
	return slices.Contains(keptFolders, top) && (dir || top != name)
}
