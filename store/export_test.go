package store

import (
	"context"
	"database/sql"
	"os"
	"strings"
)

// Explain is how SQLite would answer the query.
func (tx *Tx) Explain(query string) (string, error) {
	var how []string
	err := tx.rows(func(r *sql.Rows) error {
		var id, parent, unused int
		var detail string
		err := r.Scan(&id, &parent, &unused, &detail)
		how = append(how, detail)
		return err
	}, "EXPLAIN QUERY PLAN "+query)
	return strings.Join(how, "; "), err
}

// Pragma is a setting of the connection.
func (tx *Tx) Pragma(name string) (v int, err error) {
	err = tx.row("PRAGMA "+name, nil, &v)
	return v, err
}

// InScope lists the tasks of a scope, as SQL finds them.
func (tx *Tx) InScope(s *Scope) (paths []string, err error) {
	cond, args := s.sql("t.workspace", "t.folder", "t.name")
	err = tx.rows(func(r *sql.Rows) error {
		var ws, folder, name string
		defer func() { paths = append(paths, ws+"\n"+folder+"\n"+name) }()
		return r.Scan(&ws, &folder, &name)
	}, `SELECT t.workspace, t.folder, t.name FROM place t WHERE `+cond, args...)
	return paths, err
}

// Exec runs any statement.
func (tx *Tx) Exec(query string, args ...any) error {
	_, err := tx.exec(query, args...)
	return err
}

// HoldArtifacts keeps artifacts from being deleted, as a backup does.
func HoldArtifacts(ctx context.Context, dir string) (*os.File, error) { return holdArtifacts(ctx, dir) }
