//go:build campaign

package auth_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"math"
	"slices"
	"testing"
	"time"

	"stroem/auth"
	"stroem/store"
)

// How often, and how long, passwords and keys are guessed, and how many clients
// make themselves known.
const (
	guesses       = 100_000
	guessing      = 10 * time.Minute
	registrations = 10_000
)

// TestTimeOfAKeyCheckTellsNothing looks for a difference in time between wrong
// keys that have nothing of a true one, all of it but the last character, and
// the beginning of its hash. They take turns, so that whatever else the
// machine does falls on all alike. Below 4.5 Welch's t shows none.
func TestTimeOfAKeyCheckTellsNothing(t *testing.T) {
	s := start(t)
	u := s.user(auth.NewUser{Email: "ada@example.com"})
	plain := s.key(store.APIKey{User: u.ID})
	last := byte('0')
	if plain[36] == last {
		last = '1'
	}
	kinds := []func() string{
		func() string { return plain[:36] + string(last) },
		func() string { return "strm_" + randomHex() },
		func() string { return "strm_" + randomHex() },
	}
	near := nearHash(plain)
	kinds = append(kinds, func() string { return near })
	took := make([][]float64, len(kinds))
	for i := range 40_000 {
		k := i % len(kinds)
		bearer := kinds[k]()
		took[k] = append(took[k], timed(func() {
			if s.LookUp(context.Background(), bearer) == nil {
				t.Error("a wrong key was right")
			}
		}))
	}
	for k, name := range []string{"nearly the key", "", "another random one", "nearly its hash"} {
		if k == 1 {
			continue
		}
		tv := welch(took[k], took[1])
		t.Logf("%s against a random one: t = %.2f", name, tv)
		if math.Abs(tv) > 4.5 {
			t.Errorf("%s takes another time than a random one: t = %.2f", name, tv)
		}
	}
}

func TestTimeOfASignInTellsNothing(t *testing.T) {
	s := start(t)
	u := s.user(auth.NewUser{Email: "ada@example.com"})
	phc := [2]string{"", u.Password}
	var took [2][]float64
	for i := range 400 {
		took[i%2] = append(took[i%2], timed(func() {
			if ok, err := s.Verify(context.Background(), phc[i%2], "wrong password"); ok || err != nil {
				t.Error(ok, err)
			}
		}))
	}
	tv := welch(took[0], took[1])
	t.Logf("no account against an account: t = %.2f", tv)
	if math.Abs(tv) > 4.5 {
		t.Errorf("t = %.2f", tv)
	}
}

func timed(fn func()) float64 {
	from := time.Now()
	fn()
	return float64(time.Since(from))
}

func randomHex() string {
	b := make([]byte, 16)
	rand.Read(b) //nolint:errcheck // it never fails (crypto/rand)
	return hex.EncodeToString(b)
}

// nearHash is a key whose hash begins as the plain one's does, for two bytes.
func nearHash(plain string) string {
	want := sha256.Sum256([]byte(plain))
	for {
		key := "strm_" + randomHex()
		if got := sha256.Sum256([]byte(key)); got[0] == want[0] && got[1] == want[1] {
			return key
		}
	}
}

// welch is Welch's t of two samples without their slowest tenth, which is the
// machine's and not ours.
func welch(a, b []float64) float64 {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	limit := min(a[len(a)*9/10], b[len(b)*9/10])
	part := func(s []float64) (mean, spread float64) {
		n, _ := slices.BinarySearch(s, limit)
		for _, v := range s[:n] {
			mean += v / float64(n)
		}
		for _, v := range s[:n] {
			spread += (v - mean) * (v - mean) / float64(n-1)
		}
		return mean, spread / float64(n)
	}
	ma, sa := part(a)
	mb, sb := part(b)
	return (ma - mb) / math.Sqrt(sa+sb)
}
