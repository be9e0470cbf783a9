package store_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"stroem/store"
)

// readAll reads what q chooses, page by page.
func readAll(t testing.TB, st *store.Store, q store.LogQuery) (lines []store.LogLine) {
	t.Helper()
	for q.From >= 0 {
		view(t, st, func(tx *store.Tx) (err error) {
			var page []store.LogLine
			page, q.From, err = tx.ReadLog(&q)
			lines = append(lines, page...)
			return err
		})
	}
	return lines
}

// readTail reads the last n lines that q chooses.
func readTail(t testing.TB, st *store.Store, q store.LogQuery, n int64) []store.LogLine {
	t.Helper()
	from, back := q.From+1, q
	for n > 0 && from > q.From {
		view(t, st, func(tx *store.Tx) (err error) {
			from, n, err = tx.LogTail(&back, n)
			back.To = from
			return err
		})
	}
	q.From = max(from, q.From)
	return readAll(t, st, q)
}

// TestLogQueries compares with what a filter over all lines gives.
func TestLogQueries(t *testing.T) {
	t.Parallel()
	st := open(t)
	job := insert(t, st, "a", "b")
	runs := steps(t, st, job)
	r := rand.New(rand.NewPCG(1, 2))
	said := 0
	for range 60 {
		update(t, st, func(tx *store.Tx) error {
			var texts []string
			for range 1 + r.IntN(5) {
				texts = append(texts, fmt.Sprintf("say %d", said))
				said++
			}
			return tx.AppendLog(&runs[r.IntN(2)], []store.Chunk{chunk(store.Stream(r.IntN(2)), texts...)}, 500)
		})
	}
	all := map[int][]store.LogLine{}
	for step := store.AllSteps; step < 2; step++ {
		all[step] = readAll(t, st, store.LogQuery{Job: job.Seq, Step: step, Stream: store.BothStreams, Limit: 1000})
	}
	if len(all[0]) == 0 || len(all[-1]) != len(all[0])+len(all[1]) || len(all[-1]) == said {
		t.Fatalf("%d lines of a, %d of b, %d of both, of %d", len(all[0]), len(all[1]), len(all[-1]), said)
	}
	patterns := []string{"", "7", "say 1", "^say 1$", "1$", "(3|4)", `\b12\b`, "nothing like it"}
	for range 300 {
		q := store.LogQuery{Job: job.Seq, Step: r.IntN(3) - 1, Stream: store.Stream(r.IntN(3) - 1), From: int64(r.IntN(said)), Limit: 1 + r.IntN(9)}
		if r.IntN(3) == 0 {
			q.From = 0
		}
		if r.IntN(2) == 0 {
			q.To = int64(r.IntN(said))
		}
		if p := patterns[r.IntN(len(patterns))]; p != "" {
			q.Grep = regexp.MustCompile(p)
		}
		want := slices.DeleteFunc(slices.Clone(all[q.Step]), func(l store.LogLine) bool {
			return l.N < q.From || q.To > 0 && l.N >= q.To || q.Stream >= 0 && l.Stream != q.Stream || q.Grep != nil && !q.Grep.Match(l.Text)
		})
		if diff := cmp.Diff(texts(want), texts(readAll(t, st, q))); diff != "" {
			t.Fatalf("%+v: %s", q, diff)
		}
		n := 1 + r.IntN(20)
		want = want[max(0, len(want)-n):]
		if diff := cmp.Diff(texts(want), texts(readTail(t, st, q, int64(n)))); diff != "" {
			t.Fatalf("last %d of %+v: %s", n, q, diff)
		}
	}
}

// longLog is a log of about so many MiB, of lines of 64 bytes.
func longLog(t testing.TB, mib int) (*store.Store, store.LogQuery, int64) {
	st := open(t)
	job := insert(t, st, "a")
	run := steps(t, st, job)[0]
	filler := strings.Repeat(".", 64-17)
	var n int64
	for range mib {
		update(t, st, func(tx *store.Tx) error {
			var chunks []store.Chunk
			for range 16 {
				var b strings.Builder
				for range 1024 {
					fmt.Fprintf(&b, "line %010d %s\n", n, filler)
					n++
				}
				chunks = append(chunks, store.Chunk{Stream: store.Stdout, At: noon, Lines: 1024, Body: []byte(b.String())})
			}
			return tx.AppendLog(&run, chunks, 4<<30)
		})
	}
	return st, store.LogQuery{Job: job.Seq, Step: 0, Stream: store.BothStreams, Limit: 200}, n
}

func TestLongLogIsSearchedInPieces(t *testing.T) {
	t.Parallel()
	st, q, total := longLog(t, 9)
	q.Grep = regexp.MustCompile(`^line 0*(0|` + fmt.Sprint(total-1) + `) `)
	looks := 0
	for next := q; next.From >= 0; looks++ {
		view(t, st, func(tx *store.Tx) (err error) {
			_, next.From, err = tx.ReadLog(&next)
			return err
		})
	}
	if looks < 2 {
		t.Errorf("9 MiB were searched in %d looks", looks)
	}
	for name, lines := range map[string][]store.LogLine{"forwards": readAll(t, st, q), "backwards": readTail(t, st, q, 2)} {
		if len(lines) != 2 || lines[0].N != 0 || lines[1].N != total-1 {
			t.Errorf("%s: %q", name, texts(lines))
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	err := st.View(ctx, func(tx *store.Tx) error {
		cancel()
		_, _, err := tx.ReadLog(&q)
		return err
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("a search that nobody waits for: %v", err)
	}
}

func BenchmarkLog(b *testing.B) {
	st, q, total := longLog(b, logMiB)
	for name, c := range map[string]struct {
		tail int64
		from int64
		grep string
	}{
		"tail 200":                    {200, 0, ""},
		"range of 200 in the middle":  {0, total / 2, ""},
		"grep, a word, to the end":    {0, 0, "not there"},
		"grep, a pattern, to the end": {0, 0, "no[tr] there$"},
		"grep, the last 200":          {200, 0, "line 0.*7 "},
	} {
		b.Run(name, func(b *testing.B) {
			q := q
			q.From = c.from
			if c.grep != "" {
				q.Grep = regexp.MustCompile(c.grep)
			}
			if c.from > 0 {
				q.To = c.from + 200
			}
			var before, after runtime.MemStats
			peak := uint64(0)
			runtime.ReadMemStats(&before)
			b.ReportAllocs()
			for b.Loop() {
				var lines []store.LogLine
				if c.tail > 0 {
					lines = readTail(b, st, q, c.tail)
				} else {
					lines = readAll(b, st, q)
				}
				if len(lines) != 200 && !strings.HasSuffix(name, "end") {
					b.Fatal(len(lines))
				}
				runtime.ReadMemStats(&after)
				peak = max(peak, after.HeapAlloc)
			}
			b.ReportMetric(float64(max(int64(peak)-int64(before.HeapAlloc), 0))/(1<<20), "MiB-more")
			b.ReportMetric(float64(logMiB), "MiB-log")
		})
	}
}
