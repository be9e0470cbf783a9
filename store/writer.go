package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"runtime/debug"
	"sync"
	"time"
)

const (
	// maxGroup bounds how many changes share a commit, and so how long the
	// first of them waits.
	maxGroup = 512
	// maxBulk is how many log writes share a commit; each is at most 1 MiB.
	maxBulk = 1
)

// writer is the one place that writes. It takes all changes that wait, runs
// each in a savepoint, commits them together and then answers them all: one
// flush of the disk serves as many callers as there are.
type writer struct {
	store *Store
	conn  *sql.Conn
	stmts map[string]*sql.Stmt

	wal    string // the write-ahead log's path
	walAsk int64  // its size from which on it is to be renewed, if more than walSoft

	small, bulk chan *change
	probed      time.Time // when the disk was last tried, or its trouble began
	stopOnce    sync.Once
	stop, done  chan struct{}
}

// change is one call of Update on its way.
type change struct {
	fn     func(*Tx) error
	err    error
	topics map[Topic]struct{}
	done   chan struct{}
}

func startWriter(s *Store) (*writer, error) {
	conn, err := s.write.Conn(context.Background())
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	w := &writer{
		store: s, conn: conn, stmts: map[string]*sql.Stmt{}, wal: filepath.Join(s.dir, databaseFile+"-wal"),
		small: make(chan *change, maxGroup), bulk: make(chan *change, 1),
		stop: make(chan struct{}), done: make(chan struct{}),
	}
	go w.run()
	return w, nil
}

// do hands fn to the writer and waits for its end.
func (w *writer) do(ctx context.Context, queue chan *change, fn func(*Tx) error) error {
	c := &change{fn: fn, done: make(chan struct{})}
	select {
	case queue <- c:
	case <-ctx.Done():
		return ctx.Err()
	case <-w.done:
		return ErrClosed
	}
	select {
	case <-c.done:
		return c.err
	case <-w.done:
	}
	select { // the last group may have held it
	case <-c.done:
		return c.err
	default:
		return ErrClosed
	}
}

func (w *writer) close() error {
	w.stopOnce.Do(func() { close(w.stop) })
	<-w.done
	for _, s := range w.stmts {
		s.Close()
	}
	return w.conn.Close()
}

func (w *writer) run() {
	defer close(w.done)
	for {
		group, ok := w.next()
		if !ok {
			return
		}
		if !w.together(group) {
			w.oneByOne(group)
		}
		for _, c := range group {
			w.answer(c)
		}
		w.boundWAL()
	}
}

// answer tells of a change that was tried: to its caller, and to those who
// watch.
func (w *writer) answer(c *change) {
	c.err = diskError(w.store.dir, c.err)
	_, probed := c.topics[TopicDisk]
	if w.store.disk.note(c.err, probed) {
		w.probed = time.Now() // give it a moment
		w.store.watchers.wake(map[Topic]struct{}{TopicDisk: {}})
	}
	if c.err == nil {
		w.store.watchers.wake(c.topics)
	}
	close(c.done)
}

// next waits for a change and takes all that wait with it; while the disk is
// in trouble, it tries it from time to time. It reports false when the store
// closes and nothing is left.
func (w *writer) next() ([]*change, bool) {
	var group []*change
	var again <-chan time.Time
	if w.store.Trouble() != nil {
		wait := time.Until(w.probed.Add(probeEvery))
		if wait <= 0 { // whatever else waits, or it might never be tried
			w.probed = time.Now()
			return []*change{{fn: probe, done: make(chan struct{})}}, true
		}
		again = time.After(wait)
	}
	select {
	case <-again:
		return w.next()
	case c := <-w.small:
		group = append(group, c)
	case c := <-w.bulk:
		return append(w.waiting(nil, w.small, maxGroup), c), true
	case <-w.stop:
		group = w.waiting(w.waiting(nil, w.small, maxGroup), w.bulk, maxBulk)
		return group, len(group) > 0
	}
	return w.waiting(w.waiting(group, w.small, maxGroup), w.bulk, maxBulk), true
}

func (w *writer) waiting(group []*change, queue chan *change, most int) []*change {
	for range most {
		select {
		case c := <-queue:
			group = append(group, c)
		default:
			return group
		}
	}
	return group
}

// together commits the whole group at once, each change undone alone if it
// fails. It reports false when the transaction itself broke: a full disk
// undoes everybody's work, whoever's statement met it.
func (w *writer) together(group []*change) bool {
	if err := w.exec("BEGIN IMMEDIATE"); err != nil {
		return false
	}
	for _, c := range group {
		if !w.savepoint(c) {
			w.exec("ROLLBACK") //nolint:errcheck // it may be gone already
			return false
		}
	}
	if err := w.exec("COMMIT"); err != nil {
		w.exec("ROLLBACK") //nolint:errcheck // likewise
		return false
	}
	return true
}

func (w *writer) savepoint(c *change) bool {
	if w.exec("SAVEPOINT c") != nil {
		return false
	}
	c.call(w)
	if c.err != nil && w.exec("ROLLBACK TO c") != nil {
		return false
	}
	return w.exec("RELEASE c") == nil
}

// oneByOne gives each change its own transaction, so that only those fail
// that cannot be written.
func (w *writer) oneByOne(group []*change) {
	for _, c := range group {
		if c.err = w.exec("BEGIN IMMEDIATE"); c.err != nil {
			continue
		}
		if c.call(w); c.err == nil {
			c.err = w.exec("COMMIT")
		}
		if c.err != nil {
			w.exec("ROLLBACK") //nolint:errcheck // it may be gone already
		}
	}
}

// call runs the change. A panic in it fails that change alone.
func (c *change) call(w *writer) {
	tx := &Tx{ctx: context.Background(), w: w}
	defer func() {
		if p := recover(); p != nil {
			c.err = fmt.Errorf("panic in a transaction: %v\n%s", p, debug.Stack())
		}
	}()
	c.err = c.fn(tx)
	c.topics = tx.topics
}

func (w *writer) exec(query string, args ...any) error {
	st, err := w.prepared(query)
	if err != nil {
		return err
	}
	_, err = st.Exec(args...)
	return err
}

// prepared keeps each statement compiled for the life of the store. The set
// is small: queries are constants.
func (w *writer) prepared(query string) (*sql.Stmt, error) {
	if st := w.stmts[query]; st != nil {
		return st, nil
	}
	st, err := w.conn.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, fmt.Errorf("prepare: %w", err)
	}
	w.stmts[query] = st
	return st, nil
}

// Tx is a transaction: a picture of the store, and in Update the way to change
// it. It is valid only inside the function it was given to.
type Tx struct {
	ctx    context.Context
	q      *sql.Tx // reading
	w      *writer // writing
	topics map[Topic]struct{}
}

var errReadOnly = errors.New("a View cannot write")

// touch wakes the topic's watchers once the transaction is committed.
func (tx *Tx) touch(topics ...Topic) {
	if tx.topics == nil {
		tx.topics = map[Topic]struct{}{}
	}
	for _, t := range topics {
		tx.topics[t] = struct{}{}
	}
}

// exec runs a statement and reports how many rows it changed.
func (tx *Tx) exec(query string, args ...any) (sql.Result, error) {
	if tx.w == nil {
		return nil, errReadOnly
	}
	st, err := tx.w.prepared(query)
	if err != nil {
		return nil, err
	}
	res, err := st.ExecContext(tx.ctx, args...)
	if unique(err) {
		return nil, fmt.Errorf("%w: %w", ErrConflict, err)
	}
	return res, err
}

// change runs a statement that must change exactly one row: a state change is
// conditional on the state it leaves, and ErrConflict says it was not there.
func (tx *Tx) change(query string, args ...any) error {
	res, err := tx.exec(query, args...)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return errors.Join(ErrConflict, err)
	}
	return nil
}

func (tx *Tx) query(query string, args ...any) (*sql.Rows, error) {
	if tx.w == nil {
		return tx.q.QueryContext(tx.ctx, query, args...)
	}
	st, err := tx.w.prepared(query)
	if err != nil {
		return nil, err
	}
	return st.QueryContext(tx.ctx, args...)
}

// rows calls scan for each row of the query.
func (tx *Tx) rows(scan func(*sql.Rows) error, query string, args ...any) error {
	rows, err := tx.query(query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// row scans the query's first row into dest, or returns ErrNotFound.
func (tx *Tx) row(query string, args []any, dest ...any) error {
	found := false
	err := tx.rows(func(r *sql.Rows) error {
		if found {
			return nil
		}
		found = true
		return r.Scan(dest...)
	}, query, args...)
	if err == nil && !found {
		return ErrNotFound
	}
	return err
}
