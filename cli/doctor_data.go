package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"stroem/store"
)

const (
	walWarn = 64 << 20         // what the server keeps the write-ahead log under
	settled = 2 * time.Minute  // until an ended attempt's folder is left over
	latest  = 3 * time.Hour    // the upkeep of a server that runs is not older
	freeOdd = int64(64 << 20)  // free in the file, and more than is used
	ahead   = 90 * time.Second // of a clock, that two machines may differ by
)

// checkDatabase looks at what the data folder keeps.
func checkDatabase(ctx context.Context, dir string) (store.Condition, []finding) {
	f := finding{Name: "database", Status: good}
	if _, err := os.Lstat(filepath.Join(dir, "restoring")); err == nil {
		f.Status, f.Text, f.Fix = bad, "a restore into the data folder did not end", "run `stroem restore` again"
		return store.Condition{}, []finding{f}
	}
	c, err := store.Look(ctx, dir)
	const fix = "stop the server, keep a copy of the folder, and put back a backup with `stroem restore`"
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f.Text = "none yet"
		return c, []finding{f}
	case err != nil:
		f.Status, f.Text, f.Fix = bad, err.Error(), fix
		return c, []finding{f}
	case c.Schema > c.Newest:
		f.Status, f.Text, f.Fix = bad, fmt.Sprintf("schema %d is of a newer stroem (this one knows %d)", c.Schema, c.Newest), "use that version"
		return c, []finding{f}
	case c.Damage != nil:
		f.Status, f.Text, f.Fix = bad, "damaged: "+c.Damage.Error(), fix
	case c.Schema < c.Newest:
		f.Text = fmt.Sprintf("sound; schema %d, which the next `stroem serve` brings to %d", c.Schema, c.Newest)
	default:
		f.Text = fmt.Sprintf("sound; schema %d, the newest", c.Schema)
	}
	return c, []finding{f, checkSize(c), checkUpkeep(dir, c, time.Now()), checkAttempts(dir, c.Running, time.Now()), checkArtifacts(c)}
}

// checkArtifacts looks for artifacts whose files are not as they were.
func checkArtifacts(c store.Condition) finding {
	f := finding{Name: "artifacts", Status: good, Text: fmt.Sprintf("%s, %s", count(c.Artifacts, "file"), size(uint64(c.Space.Artifacts)))}
	if c.Lost > 0 {
		f.Status, f.Text = bad, f.Text+fmt.Sprintf("; %d of them missing or damaged", c.Lost)
		f.Fix = "they cannot be downloaded; a backup may have them: `stroem restore` it into another folder"
	}
	return f
}

// checkSize tells how large the database is, and what of it is not data.
func checkSize(c store.Condition) finding {
	f := finding{Name: "size", Status: good, Text: fmt.Sprintf("%s, of that %s free; write-ahead log %s",
		size(uint64(c.Space.File)), size(uint64(c.Space.Free)), size(uint64(c.WAL)))}
	switch {
	case c.WAL > walWarn:
		f.Status, f.Fix = odd, "end whatever reads the database for long (a backup, a shell); the server then shrinks the log"
	case c.Space.Free > freeOdd && c.Space.Free > c.Space.File-c.Space.Free:
		f.Status, f.Fix = odd, "a running server gives it back to the disk within an hour; start it"
	}
	return f
}

// checkUpkeep tells what retention did last.
func checkUpkeep(dir string, c store.Condition, now time.Time) finding {
	u := c.Upkeep
	f := finding{Name: "retention", Status: good, Text: "nothing deleted yet"}
	if !u.RanAt.IsZero() {
		f.Text = fmt.Sprintf("%s: %s deleted, %s given back in %s", u.RanAt.Local().Format(time.DateTime),
			count(int(u.Jobs), "job"), size(uint64(u.Bytes)), u.Took.Round(time.Millisecond))
	}
	switch {
	case u.Over:
		f.Status, f.Text = odd, f.Text+"; the data is over retention.max_bytes, and no ended job is left to delete"
		f.Fix = "raise retention.max_bytes, or keep less of each log with log.max_bytes"
	case holder(dir) != 0 && !u.LookedAt.IsZero() && now.Sub(u.LookedAt) > latest:
		f.Status, f.Text = odd, f.Text+"; the server has not looked since "+u.LookedAt.Local().Format(time.DateTime)
		f.Fix = "look for \"upkeep\" in the server's log"
	}
	return f
}

// checkAttempts looks for folders of attempts that have ended.
func checkAttempts(dir string, running map[string]bool, now time.Time) finding {
	steps := filepath.Join(dir, "steps")
	entries, err := os.ReadDir(steps)
	f := finding{Name: "attempts", Status: good}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		f.Status, f.Text, f.Fix = odd, err.Error(), "see who may read "+steps
		return f
	}
	left := 0
	var bytes uint64
	for _, e := range entries {
		if info, err := e.Info(); err == nil && !running[e.Name()] && now.Sub(info.ModTime()) > settled {
			left++
		}
		_ = filepath.WalkDir(filepath.Join(steps, e.Name()), func(_ string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() {
				if info, err := d.Info(); err == nil {
					bytes += uint64(info.Size())
				}
			}
			return nil // it may vanish meanwhile
		})
	}
	f.Text = fmt.Sprintf("%s with %s in %s", count(len(running), "running attempt"), size(bytes), steps)
	if left > 0 {
		f.Status, f.Text = odd, f.Text+fmt.Sprintf("; %s left over", count(left, "folder"))
		f.Fix = "a server deletes them when it starts, and each hour; its log says so if it cannot"
	}
	return f
}

// checkClock finds a clock that stands before what has already happened.
func checkClock(dir string, lastJob, now time.Time) finding {
	f := finding{Name: "clock", Status: good, Text: now.Format(time.RFC3339)}
	if now.Before(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)) {
		f.Status, f.Fix = bad, "set it: times in logs and lists would be wrong"
		return f
	}
	f.Fix = "set it, or if it is right wait: jobs may seem to end before they began, and are kept the longer"
	if lastJob.After(now.Add(ahead)) {
		f.Status, f.Text = odd, "it stands before the last job, which was accepted at "+lastJob.Local().Format(time.RFC3339)
		return f
	}
	for _, name := range []string{"stroem.db", "stroem.db-wal"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err == nil && info.ModTime().After(now.Add(ahead)) {
			f.Status, f.Text = odd, "it stands before the last change of the database, "+info.ModTime().Format(time.RFC3339)
			return f
		}
	}
	f.Fix = ""
	return f
}
