package store

import (
	"bytes"
	"errors"
	"time"
)

// onceFor is how long a key stands for the first job that was asked for with
// it.
const onceFor = 24 * time.Hour

// Once is what a caller wants to happen once, however often they ask for it.
type Once struct {
	Caller string // whose key it is
	Key    string
	Digest []byte // of all the arguments
}

// ErrOtherCall: the caller used the key for something else.
var ErrOtherCall = errors.New("the key was used for another call")

// Begun is the id of the job that was begun with the key, "" if there is none.
// Error: ErrOtherCall.
func (tx *Tx) Begun(o *Once, now time.Time) (job string, err error) {
	var digest []byte
	err = tx.row(`SELECT digest, job FROM idempotency WHERE caller = ? AND key = ? AND at > ?`,
		[]any{o.Caller, o.Key, now.Add(-onceFor).UnixMilli()}, &digest, &job)
	switch {
	case errors.Is(err, ErrNotFound):
		return "", nil
	case err == nil && !bytes.Equal(digest, o.Digest):
		return "", ErrOtherCall
	}
	return job, err
}

// Begin notes which job was begun with the key, and forgets keys that stand
// for nothing any more.
func (tx *Tx) Begin(o *Once, job string, now time.Time) error {
	if _, err := tx.exec(`DELETE FROM idempotency WHERE at <= ?`, now.Add(-onceFor).UnixMilli()); err != nil {
		return err
	}
	_, err := tx.exec(`INSERT INTO idempotency (caller, key, digest, job, at) VALUES (?, ?, ?, ?, ?)`,
		o.Caller, o.Key, o.Digest, job, now.UnixMilli())
	return err
}
