package store

import (
	"fmt"
	"time"
)

// Stream tells a step's standard output from its standard error.
type Stream int

// The two streams of a step.
const (
	Stdout Stream = iota
	Stderr
)

// AllSteps and BothStreams stand for all that there is where one could be named.
const (
	AllSteps    = -1
	BothStreams = Stream(-1)
)

// Chunk is a piece of one step's output on one stream: whole lines, each ended
// by a newline. Its bytes are the script's own and may be anything.
type Chunk struct {
	Stream Stream
	At     time.Time // when it was read
	Lines  int64
	Body   []byte
	Cut    int64 // in place of a body: how many bytes of these lines are not kept
}

// LogLine is one line of a log.
type LogLine struct {
	N      int64 // its number from 0, in the step's log or in the job's, as was asked
	Step   string
	Stream Stream
	At     time.Time
	Text   []byte // without its newline
}

// AppendLog adds output of the running step s and moves its offsets to what s
// says: what is in the log and how far it was read are one fact. Of a step's
// log the first and the last keep/2 bytes are kept; what is dropped between
// them is counted.
func (tx *Tx) AppendLog(s *StepRun, chunks []Chunk, keep int64) error {
	var jobLines, lines, head, tail int64
	var cut bool // something was left out already, so the first half is full
	if err := tx.row(`SELECT log_lines FROM job WHERE seq = ?`, []any{s.Job}, &jobLines); err != nil {
		return err
	}
	if err := tx.row(`SELECT log_lines, head_bytes, tail_bytes, cut_bytes > 0 FROM step WHERE job = ? AND pos = ?`,
		[]any{s.Job, s.Pos}, &lines, &head, &tail, &cut); err != nil {
		return err
	}
	var cutBytes, cutLines int64
	for _, c := range chunks {
		if c.Cut > 0 {
			cut, cutBytes, cutLines = true, cutBytes+c.Cut, cutLines+c.Lines
			jobLines, lines = jobLines+c.Lines, lines+c.Lines
			continue
		}
		size := int64(len(c.Body))
		inTail := cut || tail > 0 || head+size > keep/2
		if _, err := tx.exec(`INSERT INTO log (job, step, line, step_line, lines, stream, tail, at, size, body)
			VALUES (?,?,?,?,?,?,?,?,?,?)`, s.Job, s.Pos, jobLines, lines, c.Lines, c.Stream, inTail,
			stamp{&c.At}, size, c.Body); err != nil {
			return fmt.Errorf("append log: %w", err)
		}
		jobLines, lines = jobLines+c.Lines, lines+c.Lines
		if inTail {
			tail += size
		} else {
			head += size
		}
	}
	if _, err := tx.exec(`UPDATE job SET log_lines = ? WHERE seq = ?`, jobLines, s.Job); err != nil {
		return err
	}
	if _, err := tx.exec(`UPDATE step SET log_lines = ?, head_bytes = ?, tail_bytes = ?, out_offset = ?, err_offset = ?,
		cut_bytes = cut_bytes + ?, cut_lines = cut_lines + ?, output = coalesce(?, output)
		WHERE job = ? AND pos = ?`, lines, head, tail, s.OutOffset, s.ErrOffset, cutBytes, cutLines, document{(*[]byte)(&s.Output)}, s.Job, s.Pos); err != nil {
		return err
	}
	tx.touch(TopicJob(s.Job), TopicGrowth)
	return tx.cutLog(s, tail-keep/2)
}

// cutLog drops the oldest chunks of the tail until excess bytes are gone.
func (tx *Tx) cutLog(s *StepRun, excess int64) error {
	for excess > 0 {
		var id, size, lines int64
		if err := tx.row(`SELECT id, size, lines FROM log WHERE job = ? AND step = ? AND tail ORDER BY step_line LIMIT 1`,
			[]any{s.Job, s.Pos}, &id, &size, &lines); err != nil {
			return err
		}
		if _, err := tx.exec(`DELETE FROM log WHERE id = ?`, id); err != nil {
			return err
		}
		if _, err := tx.exec(`UPDATE step SET tail_bytes = tail_bytes - ?, cut_bytes = cut_bytes + ?, cut_lines = cut_lines + ?
			WHERE job = ? AND pos = ?`, size, size, lines, s.Job, s.Pos); err != nil {
			return err
		}
		excess -= size
	}
	return nil
}
