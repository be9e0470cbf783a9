package auth_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"stroem/auth"
	"stroem/store"
)

// TestLimiterKeepsAQuotaToTheLetter compares it with a list of all tries that
// were let through.
func TestLimiterKeepsAQuotaToTheLetter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		l, most := auth.NewLimiter(), rapid.IntRange(1, 5).Draw(t, "most")
		now := time.UnixMilli(1e12)
		var through []time.Time
		for range rapid.IntRange(1, 60).Draw(t, "tries") {
			now = now.Add(time.Duration(rapid.IntRange(0, 30_000).Draw(t, "ms")) * time.Millisecond)
			recent := 0
			for _, at := range through {
				if now.Sub(at) < time.Minute {
					recent++
				}
			}
			wait := l.Take(now, "a", most)
			if (wait == 0) != (recent < most) {
				t.Fatalf("wait %v after %d of %d in the last minute", wait, recent, most)
			}
			if wait == 0 {
				through = append(through, now)
				continue
			}
			if l.Take(now.Add(wait-time.Millisecond), "a", most) == 0 {
				t.Fatalf("there was room before %v were over", wait)
			}
			if now = now.Add(wait); l.Take(now, "a", most) > 0 {
				t.Fatalf("there was no room after %v", wait)
			}
			through = append(through, now)
		}
	})
}

func TestLimiterForgetsTheQuietest(t *testing.T) {
	t.Parallel()
	l, now := auth.NewLimiter(), time.UnixMilli(1e12)
	l.Take(now, "busy", 1)
	for i := range 3 * auth.MaxWatched {
		l.Take(now, fmt.Sprint(i), 1)
		if l.Take(now, "busy", 1) == 0 {
			t.Fatalf("a name that was used meanwhile was forgotten after %d others", i)
		}
	}
	if n := l.Names(); n != 2*auth.MaxWatched {
		t.Errorf("%d names and places", n)
	}
	if l.Take(now.Add(-time.Hour), "busy", 1) > 0 {
		t.Error("a clock that was put back locks out")
	}
}

// TestGuessedPasswords is one machine that guesses as fast as it can, under
// two addresses, for a while.
func TestGuessedPasswords(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.user(auth.NewUser{Email: "root@example.com", Admin: true})
	from := []string{"203.0.113.1:999", "2001:db8::1"}
	looked := map[string][]time.Time{}
	for i := range guesses {
		addr := from[i%2]
		if i%2 == 1 { // all addresses of the machine's network
			addr = fmt.Sprintf("2001:db8::%x:%x", i%65536, (i/3)%65536)
		}
		_, err := s.SignIn(t.Context(), "root@example.com", fmt.Sprint("guess ", i), addr)
		switch {
		case errors.Is(err, auth.ErrSignIn):
			looked[from[i%2]] = append(looked[from[i%2]], s.clock())
		case auth.CodeOf(err) != auth.TooMany:
			t.Fatal(err)
		}
		if i%2 == 1 {
			s.pass(guessing / (guesses / 2))
		}
		if i == guesses/2 {
			if _, err := s.SignIn(t.Context(), "root@example.com", password, home); err != nil {
				t.Errorf("the owner is locked out: %v", err)
			}
		}
	}
	for addr, at := range looked {
		for i := range at {
			if i >= 20 && at[i].Sub(at[i-20]) < time.Minute {
				t.Errorf("from %s more than 20 passwords were looked at in the minute before %v", addr, at[i])
			}
		}
		if most := 20 * int(guessing/time.Minute+1); len(at) < 20 || len(at) > most {
			t.Errorf("from %s %d passwords were looked at", addr, len(at))
		}
	}
	if n := len(s.audit()); n > 50*int(guessing/time.Minute+1) {
		t.Errorf("the attack wrote %d audit records", n)
	}
}

func TestGuessedAccountsOfOneAddress(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.user(auth.NewUser{Email: "root@example.com", Admin: true})
	looked := 0
	for i := range 1000 {
		_, err := s.SignIn(t.Context(), fmt.Sprintf("u%d@example.com", i%100), password, "203.0.113.1")
		if errors.Is(err, auth.ErrSignIn) {
			looked++
		}
	}
	if looked != 60 {
		t.Errorf("%d were looked at", looked)
	}
	_, err := s.SignIn(t.Context(), "root@example.com", password, "203.0.113.1")
	var e *auth.Error
	if !errors.As(err, &e) || e.RetryAfter != time.Minute {
		t.Errorf("%v", err)
	}
	s.signIn("root@example.com")
}

func TestGuessedKeys(t *testing.T) {
	t.Parallel()
	s := start(t)
	u := s.user(auth.NewUser{Email: "ada@example.com"})
	known, unseen := s.key(store.APIKey{User: u.ID}), s.key(store.APIKey{User: u.ID})
	s.as(known)
	looked := 0
	for i := range guesses {
		_, err := s.Identify(t.Context(), fmt.Sprintf("strm_%032x", i), auth.MCP, home)
		switch {
		case errors.Is(err, auth.ErrKey):
			looked++
		case auth.CodeOf(err) != auth.TooMany:
			t.Fatal(err)
		}
	}
	if looked != 20 {
		t.Errorf("%d keys were looked at", looked)
	}
	// Who shared the address with the attacker goes on; and from elsewhere
	// everybody does.
	s.as(known)
	_, err := s.Identify(t.Context(), unseen, auth.REST, home)
	code(t, err, auth.TooMany)
	if _, err := s.Identify(t.Context(), unseen, auth.REST, "198.51.100.7"); err != nil {
		t.Error(err)
	}
	s.pass(time.Minute)
	s.as(unseen)
	if n := len(s.audit()); n > 30 {
		t.Errorf("the attack wrote %d audit records", n)
	}
}

func TestMeterBoundsFlowAndBurst(t *testing.T) {
	t.Parallel()
	m, now := auth.NewMeter(10, 5), time.UnixMilli(1e12)
	for i := range 5 {
		if m.Take(now, "a") != 0 {
			t.Fatalf("call %d of a burst of 5 was refused", i)
		}
	}
	if wait := m.Take(now, "a"); wait != 100*time.Millisecond {
		t.Errorf("wait %v", wait)
	}
	if m.Take(now, "b") != 0 {
		t.Error("one name's calls count against another's")
	}
	if now = now.Add(100 * time.Millisecond); m.Take(now, "a") != 0 || m.Take(now, "a") == 0 {
		t.Error("ten calls a second are not one after 100 ms")
	}
	for i := range 3 * auth.MaxWatched {
		m.Take(now, fmt.Sprint(i))
	}
	if n := m.Names(); n > auth.MaxWatched {
		t.Errorf("%d names are kept", n)
	}
}

// A key's calls are bounded at /mcp, those of its neighbours are not.
func TestCallsOfAKeyAreBounded(t *testing.T) {
	t.Parallel()
	s := start(t)
	u := s.user(auth.NewUser{Email: "ada@example.com"})
	wild, calm := s.key(store.APIKey{User: u.ID}), s.key(store.APIKey{User: u.ID})
	through := 0
	var err error
	for ; err == nil && through < 10_000; through++ {
		_, err = s.Identify(t.Context(), wild, auth.MCP, home)
	}
	code(t, err, auth.TooMany)
	var told *auth.Error
	if through != 2001 || !errors.As(err, &told) || told.RetryAfter <= 0 {
		t.Errorf("%d calls at once: %v", through, err)
	}
	s.as(wild) // REST has no such bound
	if _, err := s.Identify(t.Context(), calm, auth.MCP, home); err != nil {
		t.Error(err)
	}
	s.pass(time.Second)
	if _, err := s.Identify(t.Context(), wild, auth.MCP, home); err != nil {
		t.Error(err)
	}
}
