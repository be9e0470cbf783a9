package store

import (
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// TopicAudit changes when a record is added to the audit log.
const TopicAudit Topic = "audit"

// AuditEntry is a record of who did what, or was refused it. The caller masks
// what is secret.
//
// Each record's hash is over itself and the hash before it, so none can be
// changed or taken out of the middle unseen. Where the log ends is kept apart,
// under a code that only the holder of the data folder's secret.key can make,
// so its end cannot be cut off, nor the whole be written anew. What cannot be
// seen from within: an older database file put back whole, and a log emptied
// with its mark, which looks like one that never began.
type AuditEntry struct {
	Seq       int64           `json:"seq"`
	At        time.Time       `json:"at"`
	Who       string          `json:"who"` // e-mail; "" is nobody known, "system" the server itself
	Key       string          `json:"key_prefix,omitempty"`
	Addr      string          `json:"addr,omitempty"`
	Door      string          `json:"door,omitempty"` // mcp, rest or cli
	Action    string          `json:"action"`
	Workspace string          `json:"workspace,omitempty"`
	Task      string          `json:"task_name,omitempty"`
	Job       string          `json:"job_id,omitempty"`
	Detail    json.RawMessage `json:"detail,omitempty"`
	Result    string          `json:"result"` // "ok", or why not
}

// auditBroken is the action of the record that is added where the log was
// found to end otherwise than it was left. It makes the gap part of the log.
const auditBroken = "audit.broken"

const auditColumns = `seq, at, who, key_prefix, addr, door, action, workspace, task, job, detail, result`

func (e *AuditEntry) fields() []any {
	return []any{&e.Seq, stamp{&e.At}, &e.Who, &e.Key, &e.Addr, &e.Door, &e.Action, &e.Workspace, &e.Task, &e.Job,
		(*[]byte)(&e.Detail), &e.Result}
}

// hash binds every field and all records before this one. Each text comes
// after its length, so no two records are written alike.
func (e *AuditEntry) hash(before []byte) []byte {
	b := make([]byte, 0, 512)
	b = append(b, before...)
	b = binary.BigEndian.AppendUint64(b, uint64(e.Seq))
	b = binary.BigEndian.AppendUint64(b, uint64(e.At.UnixMilli()))
	for _, s := range []string{e.Who, e.Key, e.Addr, e.Door, e.Action, e.Workspace, e.Task, e.Job, string(e.Detail), e.Result} {
		b = binary.BigEndian.AppendUint64(b, uint64(len(s)))
		b = append(b, s...)
	}
	sum := sha256.Sum256(b)
	return sum[:]
}

// auditHead says where the log ends.
type auditHead struct {
	Seq        int64
	Hash, Code []byte
}

func (h *auditHead) sign(key []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(h.Seq)))
	mac.Write(h.Hash)
	return mac.Sum(nil)
}

// auditEnd reads where the log ends as it was left (head) and as it is found
// (last). Both are zero in a log that was never written to.
func (tx *Tx) auditEnd() (head, last auditHead, err error) {
	err = tx.row(`SELECT seq, hash, code FROM audit_head`, nil, &head.Seq, &head.Hash, &head.Code)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return head, last, err
	}
	err = tx.row(`SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1`, nil, &last.Seq, &last.Hash)
	if errors.Is(err, ErrNotFound) {
		err = nil
	}
	return head, last, err
}

// doubt says what is wrong with how the log ends and from which record on, ""
// when nothing is.
func (h *auditHead) doubt(last auditHead, key []byte) (seq int64, why string) {
	switch {
	case h.Seq == 0 && last.Seq == 0:
		return 0, ""
	case h.Seq == 0:
		return 1, "the mark of where the log ends is gone"
	case !hmac.Equal(h.Code, h.sign(key)):
		return last.Seq, "the mark of where the log ends was not made with the secret.key of this data folder"
	case last.Seq < h.Seq:
		return last.Seq + 1, fmt.Sprintf("the log ends at record %d and was left at record %d", last.Seq, h.Seq)
	case last.Seq > h.Seq:
		return h.Seq + 1, "this and what follows was not added by the server"
	case !hmac.Equal(last.Hash, h.Hash):
		return h.Seq, "this record or one before it was changed"
	}
	return 0, ""
}

// AppendAudit adds a record, at the time it says, and sets its number. Where
// the log does not end as it was left, a record that says so comes before it.
func (tx *Tx) AppendAudit(e *AuditEntry) error {
	if tx.w == nil {
		return errReadOnly
	}
	if len(e.Detail) > 0 && !json.Valid(e.Detail) {
		return fmt.Errorf("audit: the detail of %q is not JSON", e.Action)
	}
	key, err := tx.w.store.auditKey()
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	head, last, err := tx.auditEnd()
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	if seq, why := head.doubt(last, key); why != "" {
		mark := AuditEntry{At: e.At, Who: "system", Action: auditBroken, Result: fmt.Sprintf("record %d: %s", seq, why)}
		if last, err = tx.addAudit(&mark, last); err != nil {
			return fmt.Errorf("audit: %w", err)
		}
	}
	if last, err = tx.addAudit(e, last); err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	tx.touch(TopicAudit)
	_, err = tx.exec(`INSERT INTO audit_head (one, seq, hash, code) VALUES (1, ?, ?, ?)
		ON CONFLICT DO UPDATE SET seq = excluded.seq, hash = excluded.hash, code = excluded.code`, last.Seq, last.Hash, last.sign(key))
	return err
}

func (tx *Tx) addAudit(e *AuditEntry, last auditHead) (auditHead, error) {
	e.Seq = last.Seq + 1
	sum := e.hash(last.Hash)
	_, err := tx.exec(`INSERT INTO audit (`+auditColumns+`, hash) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)`, e.Seq, e.At.UnixMilli(),
		e.Who, e.Key, e.Addr, e.Door, e.Action, e.Workspace, e.Task, e.Job, string(e.Detail), e.Result, sum)
	return auditHead{Seq: e.Seq, Hash: sum}, err
}

// Audit lists the records after that number, the oldest first.
func (tx *Tx) Audit(after int64, limit int) ([]AuditEntry, error) {
	list := []AuditEntry{}
	err := tx.audit(after, limit, func(e AuditEntry, _ []byte) error {
		list = append(list, e)
		return nil
	})
	return list, err
}

// AuditTail lists the newest records, the oldest of them first.
func (tx *Tx) AuditTail(limit int) ([]AuditEntry, error) {
	var last int64
	if err := tx.row(`SELECT coalesce(max(seq), 0) FROM audit`, nil, &last); err != nil {
		return nil, err
	}
	return tx.Audit(last-int64(limit), limit)
}

func (tx *Tx) audit(after int64, limit int, each func(e AuditEntry, hash []byte) error) error {
	return tx.rows(func(r *sql.Rows) error {
		var e AuditEntry
		var hash []byte
		if err := r.Scan(append(e.fields(), &hash)...); err != nil {
			return err
		}
		return each(e, hash)
	}, `SELECT `+auditColumns+`, hash FROM audit WHERE seq > ? ORDER BY seq LIMIT ?`, after, limit)
}
