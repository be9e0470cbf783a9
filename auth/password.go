package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"runtime"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
)

// What a hash costs: OWASP's smallest recommendation for argon2id, since the
// server runs on small machines.
const (
	argonMemory  = 19 << 10 // KiB
	argonTime    = 2
	argonThreads = 1
	argonLen     = 32
)

const (
	minPassword = 8
	maxPassword = 1024 // bytes
)

// hashing bounds how many hashes are made at once, and so their memory. Who
// waits is served in the order of arrival.
type hashing chan struct{}

func newHashing() hashing { return make(hashing, min(2, runtime.GOMAXPROCS(0))) }

// do runs fn when it is its turn.
func (h hashing) do(ctx context.Context, fn func()) error {
	select {
	case h <- struct{}{}:
		defer func() { <-h }()
		fn()
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// hash makes the PHC string of a password.
func (h hashing) hash(ctx context.Context, password string) (phc string, err error) {
	salt := make([]byte, 16)
	rand.Read(salt) //nolint:errcheck // it never fails (crypto/rand)
	err = h.do(ctx, func() {
		sum := argon2.IDKey([]byte(password), salt, argonTime, argonMemory, argonThreads, argonLen)
		b64 := base64.RawStdEncoding.EncodeToString
		phc = fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonThreads, b64(salt), b64(sum))
	})
	return phc, err
}

// verify reports whether the password is that of the PHC string. It takes as
// long for "", which no password has.
func (h hashing) verify(ctx context.Context, phc, password string) (ok bool, err error) {
	p, known := parsePHC(phc)
	if !known {
		p = argonParams{memory: argonMemory, time: argonTime, threads: argonThreads, salt: make([]byte, 16), sum: make([]byte, argonLen)}
	}
	err = h.do(ctx, func() {
		sum := argon2.IDKey([]byte(password), p.salt, p.time, p.memory, p.threads, uint32(len(p.sum)))
		ok = subtle.ConstantTimeCompare(sum, p.sum) == 1
	})
	return ok && known, err
}

type argonParams struct {
	memory, time uint32
	threads      uint8
	salt, sum    []byte
}

// parsePHC reads an argon2id string of any cost up to 64 MiB and 16 passes,
// such as another program may have made.
func parsePHC(phc string) (p argonParams, ok bool) {
	parts := strings.Split(phc, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return p, false
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.memory, &p.time, &p.threads); err != nil {
		return p, false
	}
	var errs [2]error
	p.salt, errs[0] = base64.RawStdEncoding.DecodeString(parts[4])
	p.sum, errs[1] = base64.RawStdEncoding.DecodeString(parts[5])
	return p, errs == [2]error{} && p.memory <= 64<<10 && 1 <= p.time && p.time <= 16 && p.threads >= 1 &&
		len(p.salt) >= 8 && len(p.sum) >= 16
}

func checkPassword(password string) error {
	switch {
	case utf8.RuneCountInString(password) < minPassword:
		return invalid("the password is shorter than %d characters", minPassword)
	case len(password) > maxPassword:
		return invalid("the password is longer than %d bytes", maxPassword)
	case strings.ContainsAny(password, "\r\n\x00"):
		return invalid("the password holds a line break or NUL")
	}
	return nil
}
