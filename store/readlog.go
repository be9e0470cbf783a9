package store

import (
	"bytes"
	"database/sql"
	"fmt"
	"math"
	"regexp"
	"time"
)

// What one call reads at most. A log of any size is read in several, of which
// none holds much in memory, or keeps the file from being tidied for long.
const (
	scanBytes = 8 << 20 // of bodies searched
	pageBytes = 4 << 20 // of lines given back, and one line more
)

// LogQuery chooses lines of a job's log: those of a step and a stream, from
// number From up to but not To, in which Grep matches.
type LogQuery struct {
	Job      int64
	Step     int // its pos, or AllSteps; lines are numbered accordingly
	Stream   Stream
	From, To int64          // To 0: to the end
	Grep     *regexp.Regexp // nil: every line
	Limit    int            // lines in one answer
}

// LogLines reads at most limit lines from line number from on: of one step, or
// of the whole job with AllSteps.
func (tx *Tx) LogLines(job int64, step int, from int64, limit int) (lines []LogLine, err error) {
	q := LogQuery{Job: job, Step: step, Stream: BothStreams, From: from, Limit: limit}
	for len(lines) < limit && q.From >= 0 {
		var more []LogLine
		q.Limit = limit - len(lines)
		if more, q.From, err = tx.ReadLog(&q); err != nil {
			return nil, err
		}
		lines = append(lines, more...)
	}
	return lines, nil
}

// ReadLog gives the first of the chosen lines, and the From with which to ask
// for those after them: -1 when none are there now. It reads only the chunks that
// hold them, and may stop early, even before the first line that it looks for.
func (tx *Tx) ReadLog(q *LogQuery) (lines []LogLine, next int64, err error) {
	rows, err := tx.chunks(q, "l.body", "ASC")
	if err != nil {
		return nil, 0, fmt.Errorf("read log: %w", err)
	}
	defer rows.Close()
	scanned, held, next := 0, 0, int64(-1)
	for rows.Next() {
		var c piece
		if err := c.scan(rows); err != nil {
			return nil, 0, fmt.Errorf("read log: %w", err)
		}
		if next = c.first; len(lines) >= q.Limit || scanned >= scanBytes || held >= pageBytes {
			return lines, max(next, q.From), nil
		}
		scanned += len(c.body)
		for n, text := range c.matching(q) {
			if next = n; len(lines) >= q.Limit || held >= pageBytes {
				return lines, next, nil
			}
			held += len(text)
			lines = append(lines, LogLine{N: n, Step: c.step, Stream: c.stream, At: c.at, Text: bytes.Clone(text)})
		}
	}
	return lines, -1, rows.Err()
}

// LogTail finds where the last of the chosen lines begin, n of them: it counts
// back from the end, and returns the number that it came to and how many lines
// are still missing there. It may stop early, and goes on with that number as To;
// it has come to the first of them when from is no greater than q.From.
func (tx *Tx) LogTail(q *LogQuery, n int64) (from, missing int64, err error) {
	body := "x''" // to count whole chunks is enough
	if q.Grep != nil {
		body = "l.body"
	}
	rows, err := tx.chunks(q, body, "DESC")
	if err != nil {
		return 0, 0, fmt.Errorf("read log backwards: %w", err)
	}
	defer rows.Close()
	for scanned := 0; rows.Next(); {
		var c piece
		if err := c.scan(rows); err != nil {
			return 0, 0, fmt.Errorf("read log backwards: %w", err)
		}
		first, end := max(c.first, q.From), min(c.first+c.lines, q.end())
		found := max(0, end-first)
		if q.Grep != nil {
			var numbers []int64
			for n := range c.matching(q) {
				numbers = append(numbers, n)
			}
			if found = int64(len(numbers)); found >= n {
				return numbers[found-n], 0, nil
			}
		} else if found >= n {
			return end - n, 0, nil
		}
		n -= found
		if scanned += len(c.body); scanned >= scanBytes {
			return first, n, nil
		}
	}
	return q.From, n, rows.Err()
}

// end is the first number that is no longer wanted.
func (q *LogQuery) end() int64 {
	if q.To == 0 {
		return math.MaxInt64
	}
	return q.To
}

// piece is a chunk as it is read. Its body is good until the next row.
type piece struct {
	first, lines int64
	step         string
	stream       Stream
	at           time.Time
	body         sql.RawBytes
}

// chunks selects the chunks that hold lines of q. What is not selected of a row
// is not read from the disk either: its body stands last.
func (tx *Tx) chunks(q *LogQuery, body, order string) (*sql.Rows, error) {
	number, of := "line", "job = ?1 AND ?2 < 0"
	if q.Step != AllSteps {
		number, of = "step_line", "job = ?1 AND step = ?2"
	}
	return tx.query(fmt.Sprintf(`SELECT l.%[1]s, l.lines, (SELECT name FROM step WHERE job = l.job AND pos = l.step), l.stream, l.at, %[2]s
		FROM log l WHERE %[3]s AND l.%[1]s < ?4 AND (?5 < 0 OR l.stream = ?5) AND
			l.%[1]s >= coalesce((SELECT max(%[1]s) FROM log WHERE %[3]s AND %[1]s <= ?3), 0)
		ORDER BY l.%[1]s %[4]s`, number, body, of, order), q.Job, q.Step, q.From, q.end(), q.Stream)
}

func (c *piece) scan(rows *sql.Rows) error {
	return rows.Scan(&c.first, &c.lines, &c.step, &c.stream, stamp{&c.at}, &c.body)
}

// matching yields the lines of the chunk that q chooses, with their numbers.
func (c *piece) matching(q *LogQuery) func(yield func(int64, []byte) bool) {
	return func(yield func(int64, []byte) bool) {
		var prefix []byte // of whatever matches
		whole := false    // it is all that is looked for
		if q.Grep != nil {
			text, _ := q.Grep.LiteralPrefix()
			prefix, whole = []byte(text), text == q.Grep.String()
		}
		if !bytes.Contains(c.body, prefix) {
			return
		}
		body, n, end := []byte(c.body), c.first, q.end()
		for ; len(body) > 0 && n < end; n++ {
			var line []byte
			line, body, _ = bytes.Cut(body, []byte{'\n'})
			if n < q.From || !bytes.Contains(line, prefix) {
				continue
			}
			if q.Grep != nil && !whole && !q.Grep.Match(line) {
				continue
			}
			if !yield(n, line) {
				return
			}
		}
	}
}
