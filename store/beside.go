package store

import (
	"database/sql"
	"errors"
	"fmt"
)

// ErrOtherSchema: a server of another version holds the data folder.
var ErrOtherSchema = errors.New("the running server is of another version than this command; use one binary for both")

// OpenBeside opens the data folder for a command, which keeps no server from
// it. Where none holds the folder, it is made ready as Open does; else its
// schema is left to the server (ErrOtherSchema).
func OpenBeside(dir string) (*Store, error) {
	s, err := open(dir, 0)
	switch {
	case errors.Is(err, ErrLocked):
		return connect(dir, nil, sameSchema)
	case err != nil:
		return nil, err
	}
	err = s.lock.Close()
	if s.lock = nil; err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func sameSchema(db *sql.DB) error {
	gooseOnce.Lock()
	defer gooseOnce.Unlock()
	_, at, newest, err := versions(db)
	if err == nil && at != newest {
		err = fmt.Errorf("%w (schema %d, this one knows %d)", ErrOtherSchema, at, newest)
	}
	return err
}
