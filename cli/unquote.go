package cli

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// errNotLogs is an answer of another shape than {"logs":"…"}.
var errNotLogs = errors.New("not a log")

// unquoted reads the text of a JSON string as it comes: a log is one string,
// too long to be held.
type unquoted struct {
	r    *bufio.Reader // stands behind the opening quote
	rest []byte        // of a character that did not fit
	done bool
}

// logsOf is the text of the member logs, the only one of the object in r.
func logsOf(r io.Reader) (*unquoted, error) {
	u := &unquoted{r: bufio.NewReaderSize(r, 64<<10)}
	for _, want := range []string{"{", `"logs"`, ":", `"`} {
		if err := u.expect(want); err != nil {
			return nil, err
		}
	}
	return u, nil
}

// expect reads the text, and the space before it.
func (u *unquoted) expect(text string) error {
	for {
		b, err := u.r.Peek(1)
		switch {
		case err == io.EOF:
			return errNotLogs
		case err != nil:
			return err
		case !bytes.ContainsAny(b, " \t\r\n"):
			found := make([]byte, len(text))
			if _, err := io.ReadFull(u.r, found); err != nil || string(found) != text {
				return errNotLogs
			}
			return nil
		}
		if _, err := u.r.Discard(1); err != nil {
			return err
		}
	}
}

// Read implements io.Reader. An answer that ends before its string does was
// cut short, which is an error.
func (u *unquoted) Read(p []byte) (n int, err error) {
	for n < len(p) {
		if len(u.rest) > 0 {
			k := copy(p[n:], u.rest)
			u.rest = u.rest[k:]
			n += k
			continue
		}
		if u.done {
			break
		}
		if n > 0 && u.r.Buffered() == 0 { // give what there is before waiting for more
			return n, nil
		}
		if _, err := u.r.Peek(1); err != nil {
			return n, cutShort(err)
		}
		held, _ := u.r.Peek(min(u.r.Buffered(), len(p)-n))
		if k := plain(held); k > 0 {
			n += copy(p[n:], held[:k])
			_, _ = u.r.Discard(k) // it is in the buffer
			continue
		}
		if u.rest, err = u.special(); err != nil {
			return n, cutShort(err)
		}
	}
	if n == 0 && u.done && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

// plain is how many bytes stand for themselves.
func plain(b []byte) int {
	if i := bytes.IndexAny(b, `"\`); i >= 0 {
		return i
	}
	return len(b)
}

func cutShort(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// escapes are those of one letter.
var escapes = map[byte]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// special reads the closing quote, or one escape.
func (u *unquoted) special() ([]byte, error) {
	b, err := u.r.ReadByte()
	if err != nil {
		return nil, err
	}
	if b == '"' {
		u.done = true
		return nil, u.expect("}")
	}
	if b, err = u.r.ReadByte(); err != nil {
		return nil, err
	}
	if b != 'u' {
		c, ok := escapes[b]
		if !ok {
			return nil, errNotLogs
		}
		return []byte{c}, nil
	}
	first, err := u.hex()
	if err != nil || !utf16.IsSurrogate(first) {
		return utf8.AppendRune(nil, first), err
	}
	if next, err := u.r.Peek(2); err != nil || string(next) != `\u` {
		return utf8.AppendRune(nil, utf8.RuneError), nil // half a pair, as encoding/json reads it
	}
	_, _ = u.r.Discard(2) // it was peeked at
	second, err := u.hex()
	if err != nil {
		return nil, err
	}
	return utf8.AppendRune(nil, utf16.DecodeRune(first, second)), nil
}

// hex reads the four digits of an escape.
func (u *unquoted) hex() (rune, error) {
	digits := make([]byte, 4)
	if _, err := io.ReadFull(u.r, digits); err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(string(digits), 16, 16)
	if err != nil {
		return 0, errNotLogs
	}
	return rune(n), nil
}
