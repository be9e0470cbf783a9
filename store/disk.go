package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// TopicDisk changes when the disk begins or ceases to fail us: Trouble tells
// which.
const TopicDisk Topic = "disk"

const (
	// probeEvery is how soon after the disk takes writes again that is known.
	probeEvery = time.Second
	// provenFor is how long a probe shows that the disk takes writes.
	provenFor = 10 * time.Second
)

// DiskError says that the disk of the data folder is full, or fails. What was
// to be written is undone, and may be tried again: the store writes again as
// soon as the disk does.
//
// That holds after a failed fsync as well. The kernel may then count pages as
// written that are not, so a second fsync of the same bytes proves nothing; but
// nothing relies on one. Frames of the WAL whose fsync failed are no part of
// the database and are overwritten by the next commit, and pages that a
// checkpoint could not flush stay in the WAL and are copied anew.
type DiskError struct {
	Full bool
	Dir  string // the data folder
	Err  error

	noted bool // as the store's trouble
}

func (e *DiskError) Error() string {
	if e.Full {
		return fmt.Sprintf("the disk of the data folder %s is full: %v", e.Dir, e.Err)
	}
	return fmt.Sprintf("the data folder %s cannot be read or written: %v", e.Dir, e.Err)
}

func (e *DiskError) Unwrap() error { return e.Err }

// diskError is err as a *DiskError if the disk is its cause, else err.
func diskError(dir string, err error) error {
	var known *DiskError
	if err == nil || errors.As(err, &known) {
		return err
	}
	full := IsFull(err)
	failed := errors.Is(err, syscall.EIO)
	var se *sqlite.Error
	if errors.As(err, &se) {
		switch se.Code() & 0xff {
		case sqlite3.SQLITE_FULL:
			full = true
		case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY:
			failed = true
		}
	}
	if full || failed {
		return &DiskError{Full: full, Dir: dir, Err: err}
	}
	return err
}

// IsFull reports whether err says that the disk has no room, or no more for
// this user.
func IsFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// disk is what is known of the disk.
type disk struct {
	mu      sync.Mutex
	trouble *DiskError
	proven  time.Time // when it last took a probe
}

// note takes what came of a change. Only a probe shows that trouble is over:
// another change may have had nothing to write. It reports whether trouble
// began.
func (d *disk) note(err error, probed bool) (began bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var trouble *DiskError
	switch {
	case errors.As(err, &trouble):
		trouble.noted = true
		began, d.trouble = d.trouble == nil, trouble
	case err == nil && probed:
		d.trouble, d.proven = nil, time.Now()
	}
	return began
}

// Trouble is why the store cannot be written, nil while it can.
func (s *Store) Trouble() *DiskError {
	s.disk.mu.Lock()
	defer s.disk.mu.Unlock()
	return s.disk.trouble
}

// IsTrouble reports whether err is told of by Trouble, or was until a moment
// ago. Who watches that logs it once, for all that is tried and fails.
func IsTrouble(err error) bool {
	var disk *DiskError
	return errors.As(err, &disk) && disk.noted
}

// Ping reports whether the file can be read and written. While the disk is in
// trouble it is tried by the writer; else here, where that was a while ago.
func (s *Store) Ping(ctx context.Context) error {
	var one int
	if err := s.read.QueryRowContext(ctx, `SELECT 1 FROM goose_db_version LIMIT 1`).Scan(&one); err != nil {
		return diskError(s.dir, err)
	}
	if trouble := s.Trouble(); trouble != nil {
		return trouble
	}
	s.disk.mu.Lock()
	proven := time.Since(s.disk.proven) < provenFor
	s.disk.mu.Unlock()
	if proven {
		return nil
	}
	return s.Update(ctx, probe)
}

// probe is the smallest change that needs the disk: one page, and its fsync.
func probe(tx *Tx) error {
	tx.touch(TopicDisk)
	_, err := tx.exec(`PRAGMA user_version = 0`)
	return err
}
