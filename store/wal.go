package store

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"
)

// SQLite begins its write-ahead log anew only when no reader needs anything in
// it, so readers that overlap without end let it grow without end. These
// bounds keep it under 64 MiB whatever our own readers do. A reader of another
// process (a backup, a shell) is not waited for: while it reads, the log grows
// by what is written, and shrinks after.
const (
	walSoft = 16 << 20 // from here on the writer asks for a new log
	walHard = 40 << 20 // from here on it waits for our readers first
	walStep = 1 << 20  // it asks again when the log has grown by this
	maxView = 5 * time.Second
)

// errLongView: a read held the store for too long.
var errLongView = errors.New("the read took longer than 5 s and was ended, so that the write-ahead log can be kept small")

// views are the reads under way, numbered as they began.
type views struct {
	mu   sync.Mutex
	last int64
	open map[int64]struct{}
}

func (v *views) begin() int64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.open == nil {
		v.open = map[int64]struct{}{}
	}
	v.last++
	v.open[v.last] = struct{}{}
	return v.last
}

func (v *views) end(n int64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.open, n)
}

func (v *views) latest() int64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.last
}

// until reports whether a read is under way that began no later than number n.
func (v *views) until(n int64) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	for k := range v.open {
		if k <= n {
			return true
		}
	}
	return false
}

// boundWAL has the log begun anew once it is large. The writer calls it
// between transactions.
func (w *writer) boundWAL() {
	size := w.walSize()
	if size < w.walAsk-walStep { // SQLite has begun it anew by itself
		w.walAsk = 0
	}
	if size < max(walSoft, w.walAsk) {
		return
	}
	w.walAsk = 0
	if !w.renewWAL() && (size < walHard || !w.renewWALAfterReaders()) {
		w.walAsk = size + walStep
	}
}

// renewWALAfterReaders waits for those of our readers that stand in the way,
// each of which ends within maxView. Whoever begins once the first generation
// has gone reads the database itself, so the third try can only fail because
// of a reader that is not ours.
func (w *writer) renewWALAfterReaders() bool {
	for range 3 {
		for last := w.store.views.latest(); w.store.views.until(last); time.Sleep(time.Millisecond) {
			if w.renewWAL() {
				return true
			}
		}
		if w.renewWAL() {
			return true
		}
	}
	return false
}

// renewWAL copies the log into the database and empties it. It reports false
// when that cannot be done now.
func (w *writer) renewWAL() bool {
	ctx := context.Background()
	// SQLite would wait for readers that are not ours, too. These two are not
	// kept compiled: a pragma of a connection acts when it is compiled.
	if _, err := w.conn.ExecContext(ctx, `PRAGMA busy_timeout = 0`); err != nil {
		return false
	}
	defer w.conn.ExecContext(ctx, `PRAGMA busy_timeout = 10000`) //nolint:errcheck // it cannot fail
	var busy, pages, copied int
	err := w.conn.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &pages, &copied)
	return err == nil && busy == 0
}

func (w *writer) walSize() int64 {
	info, err := os.Stat(w.wal)
	if err != nil {
		return 0
	}
	return info.Size()
}
