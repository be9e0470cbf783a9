package store

import (
	"database/sql/driver"
	"fmt"
	"time"
)

// Status is the state of a job or of a step.
type Status string

// The states of Strøm. A job is never Ready, Claimed or Suspended.
const (
	Pending   Status = "pending"   // waits for others
	Ready     Status = "ready"     // waits for a free place in the runner
	Running   Status = "running"   // has begun
	Suspended Status = "suspended" // waits for a person
	Completed Status = "completed"
	Failed    Status = "failed"
	Cancelled Status = "cancelled"
	Skipped   Status = "skipped"
)

// JobStatuses are the states that a job can be in.
var JobStatuses = []Status{Pending, Running, Completed, Failed, Cancelled, Skipped}

// Ended reports whether the state is final.
func (s Status) Ended() bool {
	return s == Completed || s == Failed || s == Cancelled || s == Skipped
}

// SourceType says through which door a job came in.
type SourceType string

// The doors that exist so far, by Strøm's names.
const (
	SourceAPI  SourceType = "api"  // REST or the command line, with auth off
	SourceUser SourceType = "user" // REST, by somebody who is known
	SourceMCP  SourceType = "mcp"
	// SourceTrigger is a schedule.
	SourceTrigger SourceType = "trigger"
	// SourceRerun is another run of an earlier job.
	SourceRerun SourceType = "rerun"
)

// stamp stores a time as Unix milliseconds, the zero time as NULL.
type stamp struct{ t *time.Time }

func (s stamp) Value() (driver.Value, error) {
	if s.t.IsZero() {
		return nil, nil
	}
	return s.t.UnixMilli(), nil
}

func (s stamp) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*s.t = time.Time{}
	case int64:
		*s.t = time.UnixMilli(v).UTC()
	default:
		return fmt.Errorf("a time is stored as %T", v)
	}
	return nil
}

// document stores JSON text, empty as NULL.
type document struct{ b *[]byte }

func (d document) Value() (driver.Value, error) {
	if len(*d.b) == 0 {
		return nil, nil
	}
	return string(*d.b), nil
}

func (d document) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*d.b = nil
	case string:
		*d.b = []byte(v)
	case []byte:
		*d.b = append([]byte(nil), v...)
	default:
		return fmt.Errorf("a document is stored as %T", v)
	}
	return nil
}
