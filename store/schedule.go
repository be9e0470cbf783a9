package store

import (
	"database/sql"
	"time"
)

// Schedule is when a trigger fires next.
type Schedule struct {
	Workspace string
	Name      string    // of the trigger
	Spec      string    // what Next was computed from
	Next      time.Time // zero: never
}

// Outage is what was decided about the times that a trigger missed while
// nothing could fire it.
type Outage struct {
	Workspace string    `json:"-"`
	Name      string    `json:"-"` // of the trigger
	First     time.Time `json:"first_missed"`
	Last      time.Time `json:"last_missed"`
	Missed    int       `json:"missed"`
	CatchUp   string    `json:"catch_up"`
	Started   int       `json:"started"` // jobs
	DecidedAt time.Time `json:"decided_at"`
}

// keptOutages are remembered of each trigger, the newest.
const keptOutages = 100

// Schedules lists what is known of all triggers that a clock fires.
func (tx *Tx) Schedules() (list []Schedule, err error) {
	err = tx.rows(func(r *sql.Rows) error {
		var s Schedule
		defer func() { list = append(list, s) }()
		return r.Scan(&s.Workspace, &s.Name, &s.Spec, stamp{&s.Next})
	}, `SELECT workspace, name, spec, next_at FROM schedule ORDER BY workspace, name`)
	return list, err
}

// PutSchedule begins a schedule, or begins it anew.
func (tx *Tx) PutSchedule(s Schedule) error {
	_, err := tx.exec(`INSERT OR REPLACE INTO schedule (workspace, name, spec, next_at) VALUES (?,?,?,?)`,
		s.Workspace, s.Name, s.Spec, stamp{&s.Next})
	return err
}

// MoveSchedule settles what the trigger had to do at s.Next: it is due at next
// now. ErrConflict when it has been settled, or s is not its schedule any more.
func (tx *Tx) MoveSchedule(s Schedule, next time.Time) error {
	return tx.change(`UPDATE schedule SET next_at = ? WHERE workspace = ? AND name = ? AND spec = ? AND next_at = ?`,
		stamp{&next}, s.Workspace, s.Name, s.Spec, stamp{&s.Next})
}

// DropSchedule forgets the schedule of a trigger.
func (tx *Tx) DropSchedule(ws, name string) error {
	_, err := tx.exec(`DELETE FROM schedule WHERE workspace = ? AND name = ?`, ws, name)
	return err
}

// AddOutage records a decision. Of each trigger the newest hundred are kept.
func (tx *Tx) AddOutage(o Outage) error {
	if _, err := tx.exec(`INSERT INTO outage (workspace, name, first_at, last_at, missed, catch_up, started, decided_at)
		VALUES (?,?,?,?,?,?,?,?)`, o.Workspace, o.Name, stamp{&o.First}, stamp{&o.Last}, o.Missed, o.CatchUp, o.Started,
		stamp{&o.DecidedAt}); err != nil {
		return err
	}
	_, err := tx.exec(`DELETE FROM outage WHERE id IN (SELECT id FROM outage WHERE workspace = ? AND name = ?
		ORDER BY id DESC LIMIT -1 OFFSET ?)`, o.Workspace, o.Name, keptOutages)
	return err
}

// Outages lists what was decided for a trigger, the newest first.
func (tx *Tx) Outages(ws, name string) ([]Outage, error) {
	list := []Outage{}
	err := tx.rows(func(r *sql.Rows) error {
		o := Outage{Workspace: ws, Name: name}
		defer func() { list = append(list, o) }()
		return r.Scan(stamp{&o.First}, stamp{&o.Last}, &o.Missed, &o.CatchUp, &o.Started, stamp{&o.DecidedAt})
	}, `SELECT first_at, last_at, missed, catch_up, started, decided_at FROM outage WHERE workspace = ? AND name = ?
		ORDER BY id DESC`, ws, name)
	return list, err
}
