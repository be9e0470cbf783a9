// Package store is all that a server remembers: one SQLite file, and who is
// woken when it changes.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"stroem/migrations"
)

var (
	// ErrNotFound: there is no such row.
	ErrNotFound = errors.New("not found")
	// ErrConflict: the row is not in the state that the change leaves, or
	// already exists.
	ErrConflict = errors.New("conflict")
	// ErrLocked: another server holds the data folder.
	ErrLocked = errors.New("the data folder is in use by another stroem server")
	// ErrNewer: the file was written by a newer stroem.
	ErrNewer = errors.New("the database is of a newer stroem; use that version, or another data folder")
	// ErrClosed: the store was closed.
	ErrClosed = errors.New("the store is closed")
)

// Store is the open data folder. Its methods may be called at the same time.
type Store struct {
	dir      string
	lock     *os.File
	write    *sql.DB
	read     *sql.DB
	writer   *writer
	disk     disk
	watchers watchers
	views    views
	closed   atomic.Bool
	auditKey func() ([]byte, error) // signs where the audit log ends
	keyFile  sync.Mutex             // held by who makes secret.key, or reads it
	dropping sync.Mutex             // held by who deletes artifacts
}

// Open makes this process the server of the data folder dir: it takes the
// folder's lock (else ErrLocked), creates what is missing and brings the
// schema up to date (ErrNewer when it is ahead of this binary).
func Open(dir string) (*Store, error) { return open(dir, lockPatience) }

func open(dir string, patience time.Duration) (*Store, error) {
	if err := makeDir(dir); err != nil {
		return nil, diskError(dir, fmt.Errorf("create data folder: %w", err))
	}
	lock, err := lockDir(dir, patience)
	if err != nil {
		return nil, diskError(dir, err)
	}
	if _, err := os.Lstat(filepath.Join(dir, restoring)); err == nil {
		return nil, errors.Join(ErrUnfinished, lock.Close())
	}
	// Now, while nobody else is here: a command beside a server must not make
	// another one.
	if _, err := (&Store{dir: dir}).Key(""); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	if err := makeArtifacts(dir); err != nil {
		return nil, errors.Join(diskError(dir, fmt.Errorf("create data folder: %w", err)), lock.Close())
	}
	return connect(dir, lock, migrate)
}

// connect opens the file, whose schema prepare sees to. It takes over the
// folder's lock, if there is one.
func connect(dir string, lock *os.File, prepare func(*sql.DB) error) (_ *Store, err error) {
	s := &Store{dir: dir, lock: lock}
	s.auditKey = sync.OnceValues(func() ([]byte, error) { return s.Key("audit") })
	defer func() {
		if err != nil {
			s.Close()
			err = diskError(dir, err)
		}
	}()
	path := filepath.Join(dir, databaseFile)
	if err := touch(path); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	if s.write, err = sql.Open("sqlite", dsn(path, writePragmas)); err != nil {
		return nil, fmt.Errorf("open store %s: %w", path, err)
	}
	s.write.SetMaxOpenConns(1)
	if err := prepare(s.write); err != nil {
		return nil, fmt.Errorf("open store %s: %w", path, err)
	}
	if s.read, err = sql.Open("sqlite", dsn(path, readPragmas)); err != nil {
		return nil, fmt.Errorf("open store %s: %w", path, err)
	}
	readers := max(4, runtime.GOMAXPROCS(0))
	s.read.SetMaxOpenConns(readers)
	s.read.SetMaxIdleConns(readers)
	s.writer, err = startWriter(s)
	return s, err
}

// Dir is the data folder.
func (s *Store) Dir() string { return s.dir }

// Close ends what is under way, closes the file and lets go of the folder.
func (s *Store) Close() error {
	s.closed.Store(true)
	var errs []error
	if s.writer != nil {
		errs = append(errs, s.writer.close())
	}
	for _, db := range []*sql.DB{s.read, s.write} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	return errors.Join(errs...)
}

// View calls fn with one consistent picture of the store. ctx ends its
// queries, and so does maxView: fn must be about to read, not about to wait.
func (s *Store) View(ctx context.Context, fn func(*Tx) error) error {
	conn, err := s.read.Conn(ctx)
	if err != nil {
		if s.closed.Load() {
			err = ErrClosed
		}
		return fmt.Errorf("read store: %w", err)
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeoutCause(ctx, maxView, errLongView)
	defer cancel()
	defer s.views.end(s.views.begin())
	tx, err := conn.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return diskError(s.dir, fmt.Errorf("read store: %w", err))
	}
	defer tx.Rollback() //nolint:errcheck // a read has nothing to lose
	err = fn(&Tx{ctx: ctx, q: tx})
	if err != nil && errors.Is(context.Cause(ctx), errLongView) {
		return fmt.Errorf("%w: %w", errLongView, err)
	}
	return diskError(s.dir, err)
}

// Update calls fn in a write transaction and returns once that is durable on
// disk. If fn fails, all it wrote is undone and its error is returned; if the
// disk does, a *DiskError.
//
// fn may be called more than once, and shares its commit with others that
// wait: it must not do anything but read and write the Tx. ctx bounds only the
// wait for a place in the queue, since a change that was taken up must be
// carried to its end.
func (s *Store) Update(ctx context.Context, fn func(*Tx) error) error {
	return s.writer.do(ctx, s.writer.small, fn)
}

// UpdateLog is Update for bulk that may wait: it comes after all small
// changes.
func (s *Store) UpdateLog(ctx context.Context, fn func(*Tx) error) error {
	return s.writer.do(ctx, s.writer.bulk, fn)
}

var (
	// auto_vacuum must come before the first table, and does: the driver runs
	// pragmas in alphabetical order after busy_timeout.
	writePragmas = []string{
		"busy_timeout(10000)", "auto_vacuum(incremental)", "foreign_keys(1)", "fullfsync(1)",
		"journal_mode(wal)", "journal_size_limit(16777216)", "synchronous(full)", "cache_size(-4096)",
	}
	readPragmas = []string{"busy_timeout(10000)", "query_only(1)", "cache_size(-2048)"}
)

func dsn(path string, pragmas []string) string {
	v := url.Values{"_pragma": pragmas, "_txlock": {"deferred"}}
	u := url.URL{Scheme: "file", Opaque: filepath.ToSlash((&url.URL{Path: path}).EscapedPath()), RawQuery: v.Encode()}
	return u.String()
}

// touch creates the file for its owner alone, which SQLite would not.
func touch(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// gooseOnce guards goose's logger, which is not made for parallel use.
var gooseOnce sync.Mutex

func migrate(db *sql.DB) error {
	gooseOnce.Lock()
	defer gooseOnce.Unlock()
	p, at, newest, err := versions(db)
	if err != nil {
		return err
	}
	if at > newest {
		return fmt.Errorf("%w (schema %d, this one knows %d)", ErrNewer, at, newest)
	}
	if _, err := p.Up(context.Background()); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// versions are the schema's version, and the newest that this binary knows.
func versions(db *sql.DB) (p *goose.Provider, at, newest int64, err error) {
	if p, err = goose.NewProvider(goose.DialectSQLite3, db, migrations.FS); err != nil {
		return nil, 0, 0, err
	}
	if at, err = p.GetDBVersion(context.Background()); err != nil {
		return nil, 0, 0, err
	}
	for _, s := range p.ListSources() {
		newest = max(newest, s.Version)
	}
	return p, at, newest, nil
}

// unique reports whether err is SQLite's complaint about a key that exists.
func unique(err error) bool {
	var se *sqlite.Error
	return errors.As(err, &se) &&
		(se.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || se.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)
}
