package store

import (
	"context"
	"crypto/hmac"
	"fmt"
)

// BrokenAudit is the error of an audit log that is not as it was written.
type BrokenAudit struct {
	Seq int64 // the first record that is wrong or missing
	Why string
}

func (e *BrokenAudit) Error() string { return fmt.Sprintf("audit record %d: %s", e.Seq, e.Why) }

// verifyPiece is how many records are read at once, so that no long look
// keeps the write-ahead log from being emptied.
const verifyPiece = 1000

// VerifyAudit walks the audit log from its first record and reports how many
// there are. The error is a *BrokenAudit where it is not as it was written.
// Records may be added meanwhile.
func (s *Store) VerifyAudit(ctx context.Context) (int64, error) {
	key, err := s.auditKey()
	if err != nil {
		return 0, err
	}
	var head, last auditHead
	err = s.View(ctx, func(tx *Tx) error {
		head, last, err = tx.auditEnd()
		return err
	})
	if err != nil {
		return 0, err
	}
	var at auditHead // how far the walk has come
	for at.Seq < last.Seq && err == nil {
		err = s.View(ctx, func(tx *Tx) error { return tx.verifyPiece(&at, last.Seq) })
	}
	if err != nil {
		return at.Seq, err
	}
	if seq, why := head.doubt(last, key); why != "" {
		return at.Seq, &BrokenAudit{Seq: seq, Why: why}
	}
	return at.Seq, nil
}

// verifyPiece walks on from at, and not beyond the last record.
func (tx *Tx) verifyPiece(at *auditHead, last int64) error {
	from := at.Seq
	err := tx.audit(from, int(min(verifyPiece, last-from)), func(e AuditEntry, found []byte) error {
		if e.Seq != at.Seq+1 {
			return &BrokenAudit{Seq: at.Seq + 1, Why: "is missing"}
		}
		sum := e.hash(at.Hash)
		switch {
		case !hmac.Equal(sum, found):
			return &BrokenAudit{Seq: e.Seq, Why: "was changed, or the one before it was taken out"}
		case e.Action == auditBroken:
			return &BrokenAudit{Seq: e.Seq, Why: "here the server found the log broken: " + e.Result}
		}
		*at = auditHead{Seq: e.Seq, Hash: sum}
		return nil
	})
	if err == nil && at.Seq == from {
		return &BrokenAudit{Seq: from + 1, Why: "is missing"}
	}
	return err
}
