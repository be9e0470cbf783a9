package store

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"github.com/pressly/goose/v3"

	"stroem/migrations"
)

// Look reads which schema version the database in the data folder dir has, and
// the newest that this binary knows. It is made for a look beside a running
// server: it takes no lock of the folder, migrates nothing and writes nothing.
// Without a database the error is fs.ErrNotExist.
func Look(ctx context.Context, dir string) (at, newest int64, err error) {
	path := filepath.Join(dir, "stroem.db")
	if _, err := os.Stat(path); err != nil {
		return 0, 0, err
	}
	v := url.Values{"mode": {"ro"}, "_pragma": {"busy_timeout(2000)", "query_only(1)"}}
	if _, err := os.Stat(path + "-shm"); err != nil {
		// Nobody has it open. Without this, SQLite would create the file that
		// readers share.
		v.Set("immutable", "1")
	}
	u := url.URL{Scheme: "file", Opaque: filepath.ToSlash((&url.URL{Path: path}).EscapedPath()), RawQuery: v.Encode()}
	db, err := sql.Open("sqlite", u.String())
	if err != nil {
		return 0, 0, err
	}
	defer db.Close()
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
