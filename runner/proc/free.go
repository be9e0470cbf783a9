//go:build unix

package proc

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// holeSize is what holes are a multiple of: more than the block of any file
// system that is in use.
const holeSize = 64 << 10

// Free gives the disk back what the step wrote to stream up to byte off, as far
// as the file system can. It must not be read again: what is left there reads as
// zeros.
func (p *Process) Free(stream Stream, off int64) error {
	have := p.out[stream]
	end := (off - p.shift[stream].Load()) / holeSize * holeSize
	if have == nil || end <= 0 {
		return nil
	}
	// The path can lead elsewhere by now: the folder is the script's as well.
	f, err := os.OpenFile(filepath.Join(p.dir, [2]string{fileOut, fileErr}[stream]), os.O_WRONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("free output of attempt %s: %w", p.id, err)
	}
	defer f.Close()
	was, err := have.Stat()
	if err != nil {
		return fmt.Errorf("free output of attempt %s: %w", p.id, err)
	}
	now, err := f.Stat()
	if err != nil || !os.SameFile(was, now) || now.Size() < end { // truncated: what is there is new
		return err
	}
	if err := control(f, func(fd int) error { return punch(fd, end) }); err != nil {
		return fmt.Errorf("free output of attempt %s: %w", p.id, err)
	}
	return nil
}
