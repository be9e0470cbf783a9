package store_test

import (
	"errors"
	"strings"
	"testing"

	"stroem/store"
)

// A file that may not grow is as full as a disk.
func TestFullDiskIsToldUntilItIsOver(t *testing.T) {
	t.Parallel()
	st := open(t)
	if err := st.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	wake, stop := st.Watch(store.TopicDisk)
	defer stop()
	grow := func(pages string) {
		update(t, st, func(tx *store.Tx) error {
			_, err := tx.Pragma("max_page_count = " + pages)
			return err
		})
	}
	write := func(size int) error {
		return st.Update(t.Context(), func(tx *store.Tx) error {
			return tx.SetWorkspaceError("w", "/", strings.Repeat("x", size), noon)
		})
	}
	grow("10") // SQLite makes that as many as there are
	var disk *store.DiskError
	if err := write(1 << 20); !errors.As(err, &disk) || !disk.Full || !strings.Contains(err.Error(), st.Dir()+" is full") {
		t.Fatalf("a write without room: %v", err)
	}
	<-wake
	if err := st.Ping(t.Context()); !errors.As(err, &disk) {
		t.Errorf("ping meanwhile: %v", err)
	}
	for st.Trouble() != nil { // the page that probes does fit, and is not kept waiting by others
		update(t, st, func(*store.Tx) error { return nil })
	}
	if err := st.Ping(t.Context()); err != nil {
		t.Errorf("ping afterwards: %v", err)
	}
	if err := write(1 << 20); !errors.As(err, &disk) {
		t.Errorf("a second write without room: %v", err)
	}
	grow("1000000")
	if err := write(1 << 20); err != nil {
		t.Errorf("a write with room: %v", err)
	}
}
