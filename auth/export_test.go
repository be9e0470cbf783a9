package auth

import (
	"context"
	"crypto/sha256"
	"time"

	"golang.org/x/time/rate"
)

// LookUp is the part of Identify that compares a key.
func (g *Gate) LookUp(ctx context.Context, bearer string) error {
	_, _, err := g.lookUp(ctx, sha256.Sum256([]byte(bearer)))
	return err
}

// Verify is the part of SignIn that compares a password.
func (g *Gate) Verify(ctx context.Context, phc, password string) (bool, error) {
	return g.hashing.verify(ctx, phc, password)
}

// Hash makes the PHC string of a password.
func Hash(ctx context.Context, password string) (string, error) {
	return newHashing().hash(ctx, password)
}

// Limiter is the counter of tries.
type Limiter struct{ l *limiter }

func NewLimiter() Limiter { return Limiter{newLimiter()} }

func (l Limiter) Take(now time.Time, name string, most int) time.Duration {
	wait, _ := l.l.take(now, quota{name, most})
	return wait
}

func (l Limiter) Names() int { return len(l.l.names) + l.l.quiet.Len() }

const MaxWatched = maxWatched

// Meter is the bound on calls.
type Meter struct{ m *meter }

func NewMeter(flow, atOnce int) Meter { return Meter{newMeter(rate.Limit(flow), atOnce)} }

func (m Meter) Take(now time.Time, name string) time.Duration { return m.m.take(now, name) }

func (m Meter) Names() int { return len(m.m.names) }
