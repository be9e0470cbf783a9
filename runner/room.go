package runner

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"stroem/store"
)

const (
	// artifactPause is how long the runner waits before it copies artifacts
	// again, where it cannot tell when that will be possible.
	artifactPause = 5 * time.Second
	// longestPause is what that becomes on a disk that stays full.
	longestPause = time.Minute
)

// unwritten is why artifacts could not be copied.
type unwritten struct {
	bytes int64 // in all
	err   error
}

func (u *unwritten) Error() string { return fmt.Sprintf("%v (%d bytes in all)", u.err, u.bytes) }
func (u *unwritten) Unwrap() error { return u.err }

// room is a step's wait for room for its artifacts. What does not fit is not
// written over and over: each time that would take from everybody the little
// room there is. The zero value has not waited yet.
type room struct {
	pause    time.Duration
	reserved int64 // bytes of the disk that others who wait do not take
}

// await waits, after err, until it is worth while to copy again. Where the disk
// has not enough bytes free, that is when it has. Else nobody knows what is in
// the way, a quota for example: it is tried again, later each time while the
// disk is said to be full. An error is ctx's, or errCancelled.
func (w *room) await(ctx context.Context, r *Runner, a *attempt, err error) error {
	var cause *unwritten
	short := errors.As(err, &cause) && !w.reserve(r, cause.bytes)
	var retry <-chan time.Time
	if !short {
		w.leave(r)
		if retry = time.After(max(w.pause, artifactPause)); store.IsFull(err) {
			w.pause = min(2*max(w.pause, artifactPause), longestPause)
		}
	}
	look := time.NewTicker(retryPause)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-a.cancelled:
			return errCancelled
		case <-retry:
			return nil
		case <-look.C:
			if short && w.reserve(r, cause.bytes) {
				return nil
			}
		}
	}
}

// reserve keeps so many bytes of the disk for this step, if it has them: several
// that wait do not take them from one another, so that none is done.
func (w *room) reserve(r *Runner, bytes int64) bool {
	all := r.promised.Add(bytes)
	free, err := store.FreeSpace(filepath.Join(r.Store.Dir(), "artifacts"))
	if err == nil && free < uint64(all) { //nolint:gosec // promises are not negative
		r.promised.Add(-bytes)
		return false
	}
	w.reserved = bytes
	return true
}

// leave gives back what was reserved.
func (w *room) leave(r *Runner) {
	r.promised.Add(-w.reserved)
	w.reserved = 0
}
