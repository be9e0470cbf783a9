package store_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"

	"stroem/store"
)

const mostWAL = 64 << 20

// flood writes logs of a running job, and returns the largest write-ahead log
// that there was.
func flood(t testing.TB, st *store.Store, mebibytes int) (most int64) {
	t.Helper()
	job := insert(t, st, "a")
	run := steps(t, st, job)[0]
	body := bytes.Repeat([]byte("0123456789abcde\n"), 4<<10)
	chunks := make([]store.Chunk, 16)
	for i := range chunks {
		chunks[i] = store.Chunk{At: noon, Lines: 4 << 10, Body: body}
	}
	for range mebibytes {
		err := st.UpdateLog(context.Background(), func(tx *store.Tx) error {
			return tx.AppendLog(&run, chunks, 1<<40)
		})
		if err != nil {
			t.Fatal(err)
		}
		most = max(most, walSize(t, st))
	}
	return most
}

func walSize(t testing.TB, st *store.Store) int64 {
	t.Helper()
	info, err := os.Stat(filepath.Join(st.Dir(), "stroem.db-wal"))
	if errors.Is(err, fs.ErrNotExist) {
		return 0
	}
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// Readers that overlap leave no moment in which nobody reads.
func TestLogOfWritesStaysSmallUnderOverlappingReaders(t *testing.T) {
	t.Parallel()
	st := open(t)
	insert(t, st, "a")
	ctx, stop := context.WithCancel(t.Context())
	relayed := make(chan error)
	go func() { relayed <- relay(ctx, st) }()
	if most := flood(t, st, 80); most > mostWAL {
		t.Errorf("the write-ahead log grew to %d MiB", most>>20)
	}
	stop()
	if err := <-relayed; err != nil {
		t.Error(err)
	}
}

// relay reads all the time: each read ends when the next one has begun.
func relay(ctx context.Context, st *store.Store) error {
	ended := make(chan error, 2)
	var before chan struct{}
	begin := func() (reads, release chan struct{}) {
		reads, release = make(chan struct{}), make(chan struct{})
		go func() {
			ended <- st.View(context.Background(), func(tx *store.Tx) error {
				_, err := tx.Jobs(store.JobFilter{Limit: 10})
				close(reads)
				<-release
				return err
			})
		}()
		return reads, release
	}
	for ctx.Err() == nil {
		reads, release := begin()
		<-reads
		if before != nil {
			close(before)
			if err := <-ended; err != nil {
				return err
			}
		}
		before = release
	}
	close(before)
	return <-ended
}

func TestReadThatNeverEndsIsEnded(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) { // five seconds pass at once
		st, err := store.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer st.Close()
		insert(t, st, "a")
		reads, ended, forever := make(chan struct{}), make(chan error), make(chan struct{})
		go func() {
			ended <- st.View(context.Background(), func(tx *store.Tx) error {
				if _, err := tx.Jobs(store.JobFilter{Limit: 10}); err != nil {
					return err
				}
				close(reads)
				<-forever
				_, err := tx.Jobs(store.JobFilter{Limit: 10})
				return err
			})
		}()
		<-reads
		if most := flood(t, st, 80); most > mostWAL {
			t.Errorf("the write-ahead log grew to %d MiB", most>>20)
		}
		close(forever)
		if err := <-ended; err == nil {
			t.Error("the read was not ended")
		}
	})
}

// A reader that is not ours is not waited for; the log shrinks once it is gone.
func TestLogOfWritesShrinksAfterAReaderOfAnotherProcess(t *testing.T) {
	t.Parallel()
	st := open(t)
	insert(t, st, "a")
	db, err := sql.Open("sqlite", "file:"+filepath.Join(st.Dir(), "stroem.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if err := tx.QueryRowContext(t.Context(), `SELECT count(*) FROM job`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	if most := flood(t, st, 70); most < mostWAL {
		t.Errorf("the foreign reader did not hold the log: %d MiB", most>>20)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	flood(t, st, 4)
	if now := walSize(t, st); now > mostWAL/2 {
		t.Errorf("the write-ahead log is still %d MiB", now>>20)
	}
}
