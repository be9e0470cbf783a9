package proc

import "fmt"

// Size is how far the output to stream can be read now, in the offsets of
// Read.
func (p *Process) Size(stream Stream) (int64, error) {
	f := p.out[stream]
	if f == nil {
		return 0, nil
	}
	info, err := f.Stat()
	if err != nil {
		return 0, fmt.Errorf("size of the output of attempt %s: %w", p.id, err)
	}
	return info.Size() + p.shift[stream].Load(), nil
}
