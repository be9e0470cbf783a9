//go:build linux

package cli_test

import (
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// change is something that happened to the data folder, or the moment at which
// somebody was told that a job is accepted.
type change struct {
	kind     changeKind
	name, to string // in the folder
	data     []byte
	at       int64
	job      string
	file     *inode // that came to be
}

type changeKind int

const (
	opCreate   changeKind = iota
	opWrite               // data at an offset
	opTruncate            // to a length
	opSync                // begins: what was written before it
	opSynced              // has ended: is durable now
	opRename
	opRemove
	opSyncNames   // of the folder
	opSyncFolder  // of the folder above
	opAcknowledge // of a job
)

// inode is a file, by whatever name.
type inode struct {
	durable []byte
	unsure  []change // written since the last fsync
	syncing int      // of them, what a running fsync covers
}

// volume is a data folder as it is on the disk, and what may be of it or not
// if the power goes now.
type volume struct {
	durable map[string]*inode // names that are sure
	unsure  []change          // changes of names since
	names   map[string]*inode // as the server sees them
	made    bool              // the folder's own name is sure
	jobs    []string          // acknowledged
}

func newVolume() *volume {
	return &volume{durable: map[string]*inode{}, names: map[string]*inode{}}
}

// apply takes the next change.
func (v *volume) apply(c change) {
	file := v.names[c.name]
	switch c.kind {
	case opCreate:
		if file == nil {
			c.file = &inode{}
			c.moves(v.names)
			v.unsure = append(v.unsure, c)
		}
	case opWrite, opTruncate:
		file.unsure = append(file.unsure, c)
	case opSync:
		file.syncing = len(file.unsure)
	case opSynced:
		for _, w := range file.unsure[:file.syncing] {
			file.durable = w.onto(file.durable)
		}
		file.unsure, file.syncing = file.unsure[file.syncing:], 0
	case opRename, opRemove:
		c.moves(v.names)
		v.unsure = append(v.unsure, c)
	case opSyncNames:
		v.durable, v.unsure = maps.Clone(v.names), nil
	case opSyncFolder:
		v.made = true
	case opAcknowledge:
		v.jobs = append(v.jobs, c.job)
	}
}

// moves applies a change of names.
func (c *change) moves(names map[string]*inode) {
	switch c.kind {
	case opCreate:
		names[c.name] = c.file
	case opRename:
		names[c.to] = names[c.name]
		delete(names, c.name)
	case opRemove:
		delete(names, c.name)
	}
}

// onto gives the content of a file after the change.
func (c *change) onto(b []byte) []byte {
	if c.kind == opTruncate {
		return append(slices.Clone(b[:min(int64(len(b)), c.at)]), make([]byte, max(0, c.at-int64(len(b))))...)
	}
	if more := c.at + int64(len(c.data)) - int64(len(b)); more > 0 {
		b = append(b, make([]byte, more)...)
	}
	copy(b[c.at:], c.data)
	return b
}

// loss says what a power loss does to what was not synced.
type loss struct {
	rng   *rand.Rand
	keep  float64 // how likely each unsynced write is to have reached the disk
	mixed bool    // they reach it in any order, sector by sector
	tear  int     // of the last write, only so many bytes
}

// image is what a power loss leaves: nil where not even the folder.
func (v *volume) image(l loss) map[string][]byte {
	if !v.made && l.keep == 0 {
		return nil
	}
	names := maps.Clone(v.durable)
	moves := len(v.unsure)
	if l.keep < 1 { // a file system keeps changes of names in order
		moves = l.rng.IntN(int(l.keep*float64(moves)) + 1)
	}
	for _, c := range v.unsure[:moves] {
		c.moves(names)
	}
	files := map[string][]byte{}
	for _, name := range slices.Sorted(maps.Keys(names)) { // in order, for the sake of rng
		files[name] = names[name].left(l)
	}
	return files
}

// left is what a power loss leaves of a file.
func (f *inode) left(l loss) []byte {
	b := slices.Clone(f.durable)
	var writes []change
	for i, w := range f.unsure {
		if l.keep < 1 && l.rng.Float64() >= l.keep {
			continue
		}
		if last := i == len(f.unsure)-1; last && l.tear > 0 && w.kind == opWrite {
			w.data = w.data[:min(len(w.data), l.tear)]
		}
		if l.mixed {
			writes = append(writes, w.sectors()...)
		} else {
			writes = append(writes, w)
		}
	}
	if l.mixed {
		l.rng.Shuffle(len(writes), func(i, j int) { writes[i], writes[j] = writes[j], writes[i] })
		writes = writes[:len(writes)-int(l.rng.Float64()*(1-l.keep)*float64(len(writes)))]
	}
	for _, w := range writes {
		b = w.onto(b)
	}
	return b
}

// sectors splits a write where a disk may.
func (c *change) sectors() (parts []change) {
	const sector = 512
	if c.kind != opWrite {
		return []change{*c}
	}
	for at, data := c.at, c.data; len(data) > 0; {
		n := min(int64(len(data)), sector-at%sector)
		parts = append(parts, change{kind: opWrite, name: c.name, at: at, data: data[:n]})
		at, data = at+n, data[n:]
	}
	return parts
}

// writeImage writes the image into a folder.
func writeImage(t *testing.T, dir string, files map[string][]byte) {
	t.Helper()
	for name, b := range files {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// recordChanges reads the changes of the data folder off a trace. What SQLite maps
// (-shm) is made anew at each start, and holds nothing that lasts.
func recordChanges(t *testing.T, trace, data string) (all []change) {
	known := map[string]bool{}
	readTrace(t, trace, func(c call) {
		if c.name == "write" && c.in && strings.HasPrefix(c.fd, "socket:") {
			if m := accepted.FindSubmatch(c.data()); m != nil {
				all = append(all, change{kind: opAcknowledge, job: string(m[1])})
			}
			return
		}
		if c.out && c.ret < 0 {
			return
		}
		name, within := strings.CutPrefix(c.fd, data+"/")
		syncs := c.name == "fsync" || c.name == "fdatasync"
		switch {
		case syncs && c.out && c.fd == data:
			all = append(all, change{kind: opSyncNames})
			return
		case syncs && c.out && c.fd == filepath.Dir(data):
			all = append(all, change{kind: opSyncFolder})
			return
		case !within || strings.Contains(name, "/") || strings.HasSuffix(name, "-shm") || name == "stroem.lock":
			return
		case name == "artifacts": // a call by the folder's descriptor, about what is in it
			return
		}
		all = append(all, c.changes(t, name, data, known)...)
	})
	return all
}

// changes are what the call does to the file name.
func (c *call) changes(t *testing.T, name, data string, known map[string]bool) (all []change) {
	if c.name == "fsync" || c.name == "fdatasync" {
		if c.in {
			all = append(all, change{kind: opSync, name: name})
		}
		if c.out {
			all = append(all, change{kind: opSynced, name: name})
		}
		return all
	}
	if !c.out {
		return nil
	}
	switch c.name {
	case "open", "openat":
		if !known[name] && strings.Contains(c.args, "O_CREAT") {
			known[name] = true
			all = append(all, change{kind: opCreate, name: name})
		}
		if strings.Contains(c.args, "O_TRUNC") {
			all = append(all, change{kind: opTruncate, name: name})
		}
	case "pwrite64":
		all = append(all, change{kind: opWrite, name: name, data: c.data(), at: c.last()})
	case "write": // to a new file, once
		all = append(all, change{kind: opWrite, name: name, data: c.data()})
	case "ftruncate":
		all = append(all, change{kind: opTruncate, name: name, at: c.last()})
	case "rename", "renameat", "renameat2":
		to := strings.TrimPrefix(c.other, data+"/")
		known[name], known[to] = false, true
		all = append(all, change{kind: opRename, name: name, to: to})
	case "unlink", "unlinkat":
		if known[name] {
			known[name] = false
			all = append(all, change{kind: opRemove, name: name})
		}
	case "close", "mmap":
	default:
		t.Errorf("%s on %s: the test does not know what that does", c.name, name)
	}
	return all
}
