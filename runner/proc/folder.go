package proc

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// padding stands first in state. It has the file's first block allotted before
// anything runs, so that a disk that is full by then cannot lose a record.
var padding = append(bytes.Repeat([]byte{' '}, 63), '\n')

// maxState bounds what is read of state: the padding and two short lines.
const maxState = 4096

// record is what state says.
type record struct {
	begun, ended bool
	pid          int // of the wrapper, with begun
	code         int // of the script, with ended
}

// readRecords reads state from its start.
func readRecords(f *os.File) (record, error) {
	buf := make([]byte, maxState)
	n, err := f.ReadAt(buf, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return record{}, fmt.Errorf("read state: %w", err)
	}
	return parseRecords(buf[:n]), nil
}

// parseRecords understands the lines of state. A record without its newline was
// cut off by a crash and does not count; of two exits the last is the wrapper's,
// which writes nothing after it; of two starts the first.
func parseRecords(b []byte) record {
	var rec record
	for {
		line, rest, whole := bytes.Cut(b, []byte{'\n'})
		if !whole {
			return rec
		}
		b = rest
		word, number, _ := strings.Cut(string(line), " ")
		n, err := strconv.Atoi(number)
		if err != nil || n < 0 {
			continue
		}
		switch {
		case word == "started" && !rec.begun:
			rec.begun, rec.pid = true, n
		case word == "exit":
			rec.ended, rec.code = true, n
		}
	}
}

// check looks at all that can be known to be wrong before a folder is made.
func (s *Spec) check() error {
	if s.ID == "" || strings.ContainsAny(s.ID, "\x00\n") {
		return fmt.Errorf("attempt id %q cannot be used as a mark", s.ID)
	}
	if s.Name == "" {
		s.Name = fileScript
	}
	for _, v := range slices.Concat([]string{s.Shell, s.WorkDir}, s.Flags, s.Args, s.Env) {
		if strings.ContainsRune(v, 0) {
			return fmt.Errorf("a NUL byte cannot be handed to a process, and one stands in %q", shorten(v))
		}
	}
	for _, name := range slices.AppendSeq(slices.Clone(s.Folders), maps.Keys(s.Files)) {
		if !plainName(name) || name == s.Name {
			return fmt.Errorf("%q cannot be the name of a file beside the script", name)
		}
	}
	if s.Name != fileScript && !plainName(s.Name) {
		return fmt.Errorf("%q cannot be the name of a script's file", s.Name)
	}
	if s.WorkDir != "" {
		info, err := os.Stat(s.WorkDir)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("working directory %s does not exist", s.WorkDir)
		case err != nil:
			return fmt.Errorf("use working directory: %w", err)
		case !info.IsDir():
			return fmt.Errorf("working directory %s is not a directory", s.WorkDir)
		}
	}
	shell, err := lookPath(s.Shell, s.Env)
	if err != nil {
		return err
	}
	s.Shell = shell
	return nil
}

// file is the script's file.
func (s *Spec) file() string { return filepath.Join(s.Dir, s.Name) }

// shorten keeps a value out of messages where it is long.
func shorten(v string) string {
	if len(v) > 40 {
		return v[:40] + "…"
	}
	return v
}

// plainName says whether a file may have that name in an attempt's folder.
func plainName(name string) bool {
	switch name {
	case "", ".", "..", fileScript, fileOut, fileErr, fileState, fileOutput, fileEnv, fileCgroup:
		return false
	}
	return !strings.ContainsAny(name, "/\\\x00") && filepath.IsLocal(name)
}

// vacant makes sure that no attempt has begun in dir, and clears away what a
// start that was cut short left there.
func vacant(dir, id string) error {
	if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	p, err := open(dir, id)
	if err != nil {
		return err
	}
	defer p.letGo()
	state, err := p.look()
	if err != nil {
		return fmt.Errorf("look at attempt %s: %w", id, err)
	}
	if state != NeverBegan {
		return fmt.Errorf("attempt %s was started before: it is %s", id, state)
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("clear folder of attempt %s: %w", id, err)
	}
	return nil
}

// furnish makes the folder and all in it, state last: before that file is there
// nothing can have begun. It returns state open for appending.
func (s *Spec) furnish() (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(s.Dir), 0o700); err != nil {
		return nil, fmt.Errorf("make folder of attempt: %w", err)
	}
	if err := os.Mkdir(s.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make folder of attempt: %w", err)
	}
	if err := writeNew(s.file(), []byte(s.Script)); err != nil {
		return nil, err
	}
	for name, content := range s.Files {
		if err := writeNew(filepath.Join(s.Dir, name), content); err != nil {
			return nil, err
		}
	}
	for _, name := range s.Folders {
		if err := os.Mkdir(filepath.Join(s.Dir, name), 0o700); err != nil {
			return nil, fmt.Errorf("make folder %s of attempt: %w", name, err)
		}
	}
	state, err := create(filepath.Join(s.Dir, fileState), os.O_RDWR)
	if err != nil {
		return nil, err
	}
	if _, err := state.Write(padding); err != nil {
		state.Close()
		return nil, fmt.Errorf("write state of attempt: %w", err)
	}
	return state, nil
}

// outputs makes the files that the script writes to, and opens them for reading
// as well. Who calls it closes those for writing, whatever comes.
func (p *Process) outputs(dir string) (write [2]*os.File, err error) {
	for i, name := range []string{fileOut, fileErr} {
		path := filepath.Join(dir, name)
		if write[i], err = create(path, os.O_WRONLY); err != nil {
			return write, err
		}
		if p.out[i], err = openPlain(path); err != nil {
			return write, fmt.Errorf("open output of attempt: %w", err)
		}
	}
	return write, nil
}

// closeAll closes files, of which some may be nil.
func closeAll(files []*os.File) {
	for _, f := range files {
		if f != nil {
			f.Close()
		}
	}
}

// create makes a file for appending that was not there before.
func create(path string, mode int) (*os.File, error) {
	f, err := os.OpenFile(path, mode|os.O_APPEND|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("make file of attempt: %w", err)
	}
	return f, nil
}

// writeNew writes a file that was not there before.
func writeNew(path string, content []byte) error {
	f, err := create(path, os.O_WRONLY)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write %s of attempt: %w", filepath.Base(path), err)
	}
	return nil
}

// environ is the environment of the script: that of the spec, each key once, and
// what we add.
func (s *Spec) environ() []string {
	add := []string{varAttempt + "=" + s.ID, varOutput + "=" + filepath.Join(s.Dir, fileOutput)}
	all := append(s.Env[:len(s.Env):len(s.Env)], add...)
	last := make(map[string]int, len(all))
	for i, kv := range all {
		last[key(kv)] = i
	}
	env := make([]string, 0, len(all))
	for i, kv := range all {
		if k := key(kv); k != "" && last[k] == i {
			env = append(env, kv)
		}
	}
	return env
}

// key is what stands before the first equals sign, "" where there is none.
func key(kv string) string {
	k, _, ok := strings.Cut(kv, "=")
	if !ok {
		return ""
	}
	return k
}

// Remove deletes an attempt's folder. It is out of the way at once: nothing can
// be attached to a folder that is half deleted.
func Remove(dir string) error {
	cgroupOf(dir, filepath.Base(dir)).remove()
	aside := filepath.Join(filepath.Dir(dir), "."+filepath.Base(dir)+".gone")
	if err := os.Rename(dir, aside); err != nil && !errors.Is(err, fs.ErrNotExist) {
		os.RemoveAll(aside) // left by a removal that was cut short
		if os.Rename(dir, aside) != nil {
			aside = dir // deleting in place is better than not deleting
		}
	}
	err := os.RemoveAll(aside)
	if err == nil {
		return nil
	}
	// The script may have made folders that not even their owner may write to.
	_ = filepath.WalkDir(aside, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			os.Chmod(path, 0o700)
		}
		return nil
	})
	if err := os.RemoveAll(aside); err != nil {
		return fmt.Errorf("remove folder of attempt: %w", err)
	}
	return nil
}
