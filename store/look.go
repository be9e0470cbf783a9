package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/pressly/goose/v3"

	"stroem/migrations"
)

// Condition is the state of the database in a data folder.
type Condition struct {
	Schema, Newest int64 // what it has, and the newest that this binary knows
	Space          Space
	WAL            int64           // bytes of the write-ahead log
	LastJob        time.Time       // when the last job was accepted
	Running        map[string]bool // the attempts that run
	Artifacts      int             // how many are kept
	Lost           int             // of them, whose bytes are not there as they were
	Upkeep         Upkeep
	Damage         error // what integrity_check found
}

// Look examines the database in the data folder dir. It is made for a look
// beside a running server: it takes no lock of the folder, migrates nothing
// and writes nothing. Of a newer schema only its number is told. Without a
// database the error is fs.ErrNotExist.
func Look(ctx context.Context, dir string) (c Condition, err error) {
	path := filepath.Join(dir, databaseFile)
	if _, err := os.Stat(path); err != nil {
		return c, err
	}
	if info, err := os.Stat(path + "-wal"); err == nil {
		c.WAL = info.Size()
	}
	mode := "&mode=ro"
	if _, err := os.Stat(path + "-shm"); err != nil && c.WAL == 0 {
		// Nobody has it open. Without this, SQLite would create the file that
		// readers share.
		mode += "&immutable=1"
	}
	db, err := sql.Open("sqlite", dsn(path, []string{"busy_timeout(2000)", "query_only(1)"})+mode)
	if err != nil {
		return c, err
	}
	defer db.Close()
	if c.Schema, c.Newest, err = schema(ctx, db); err != nil || c.Schema > c.Newest {
		return c, err
	}
	tx, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return c, err
	}
	err = c.read(&Tx{ctx: ctx, q: tx})
	if err := errors.Join(err, tx.Rollback()); err != nil {
		return c, err
	}
	if c.Lost, err = lookForLost(ctx, db, dir); err != nil {
		return c, err
	}
	c.Damage = integrity(ctx, db)
	return c, nil
}

// lookForLost counts artifacts whose bytes are lost. One that was deleted
// meanwhile is not.
func lookForLost(ctx context.Context, db *sql.DB, dir string) (n int, err error) {
	lost, err := lostArtifacts(ctx, db, dir)
	for _, a := range lost {
		var still int
		if err := db.QueryRowContext(ctx, `SELECT count(*) FROM artifact WHERE attempt = ? AND file = ?`, a.Attempt, a.File).Scan(&still); err != nil {
			return n, err
		}
		n += still
	}
	return n, err
}

func (c *Condition) read(tx *Tx) (err error) {
	if c.Space, err = tx.fileSpace(); err != nil {
		return err
	}
	if there, err := tx.hasTable("artifact"); err != nil {
		return err
	} else if there {
		if err := tx.row(`SELECT count(*), coalesce(sum(size), 0) FROM artifact`, nil, &c.Artifacts, &c.Space.Artifacts); err != nil {
			return err
		}
	}
	if err := tx.row(`SELECT max(created_at) FROM job`, nil, stamp{&c.LastJob}); err != nil {
		return err
	}
	c.Running = map[string]bool{}
	if err := tx.rows(func(r *sql.Rows) error {
		var attempt string
		defer func() { c.Running[attempt] = true }()
		return r.Scan(&attempt)
	}, `SELECT attempt FROM step WHERE status = 'running'`); err != nil {
		return err
	}
	if there, err := tx.hasTable("upkeep"); err != nil || !there {
		return err
	}
	c.Upkeep, err = tx.Upkeep()
	return err
}

// hasTable reports whether the schema, which may be an older one, has the table.
func (tx *Tx) hasTable(name string) (bool, error) {
	var n int
	err := tx.row(`SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ?`, []any{name}, &n)
	return n > 0, err
}

// integrity is what SQLite finds wrong with the file; nil: nothing.
func integrity(ctx context.Context, db *sql.DB) error {
	rows, err := db.QueryContext(ctx, `PRAGMA integrity_check(3)`)
	if err != nil {
		return err
	}
	defer rows.Close()
	var errs []error
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return err
		}
		if text != "ok" {
			errs = append(errs, errors.New(text))
		}
	}
	return errors.Join(append(errs, rows.Err())...)
}

// schema reads which schema the database has, and the newest that this binary
// knows.
func schema(ctx context.Context, db *sql.DB) (at, newest int64, err error) {
	if err := db.QueryRowContext(ctx, `SELECT max(version_id) FROM goose_db_version WHERE is_applied`).Scan(&at); err != nil {
		return 0, 0, fmt.Errorf("read schema version: %w", err)
	}
	files, err := fs.Glob(migrations.FS, "*.sql")
	if err != nil {
		return 0, 0, err
	}
	for _, file := range files {
		n, err := goose.NumericComponent(file)
		if err != nil {
			return 0, 0, err
		}
		newest = max(newest, n)
	}
	return at, newest, nil
}
