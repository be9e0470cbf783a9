package control

import (
	"context"
	"errors"
	"time"

	"stroem/store"
)

// tellAgain is how long the log is spared a trouble that comes and goes.
const tellAgain = time.Minute

// Healthy reports whether the store can be read and written.
func (p *Plane) Healthy(ctx context.Context) error { return p.Store.Ping(ctx) }

// undone tells the caller that the disk kept what they asked for from being
// done. Other errors stay as they are.
func undone(what string, err error) error {
	var disk *store.DiskError
	switch {
	case !errors.As(err, &disk):
		return err
	case disk.Full:
		return &Error{Code: Unavailable, Msg: what + ": the disk of the server's data folder is full; free some space there and try again"}
	}
	return &Error{Code: Unavailable, Msg: what + ": the disk of the server's data folder fails (the server's log says how); try again later"}
}

// WatchDisk logs when the disk of the data folder begins and ceases to fail,
// until ctx ends. Nobody else logs that: it would be a line for each thing
// that is tried meanwhile.
func (p *Plane) WatchDisk(ctx context.Context) {
	wake, stop := p.Store.Watch(store.TopicDisk)
	defer stop()
	var told bool
	var last time.Time
	for {
		var later <-chan time.Time
		trouble, now := p.Store.Trouble(), p.Now()
		switch {
		case trouble == nil && told:
			told = false
			p.Log.Info("the store can be written again")
		case trouble != nil && !told && now.Sub(last) < tellAgain:
			later = time.After(tellAgain - now.Sub(last))
		case trouble != nil && !told:
			told, last = true, now
			p.Log.Error("the store cannot be written; what was accepted waits", "err", trouble)
		}
		select {
		case <-ctx.Done():
			return
		case <-wake:
		case <-later:
		}
	}
}
