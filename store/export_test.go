package store

import (
	"database/sql"
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
