package auth

import (
	"container/list"
	"maps"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	minute = time.Minute
	// maxWatched is how many names are counted at once; the one that was
	// quiet longest makes room for a new one.
	maxWatched = 4096
)

// limiter counts tries by name and refuses those beyond a quota in any
// minute. It remembers each try of the last minute, so a quota is kept to the
// letter, at the cost of eight bytes a try.
type limiter struct {
	mu    sync.Mutex
	names map[string]*list.Element // of *tries
	quiet *list.List               // the latest used in front
}

type tries struct {
	name    string
	at      []int64 // Unix milliseconds, the oldest first
	refused bool    // since the last try that was let through
}

// quota is how many tries a minute a name has.
type quota struct {
	name string
	most int
}

func newLimiter() *limiter { return &limiter{names: map[string]*list.Element{}, quiet: list.New()} }

// take counts a try against all the quotas, or against none if one of them is
// spent. Then wait is when there is room again, and first reports whether it
// is the first refusal since a try was let through.
func (l *limiter) take(now time.Time, quotas ...quota) (wait time.Duration, first bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, q := range quotas {
		t := l.find(q.name)
		if t == nil {
			continue
		}
		if wait = t.wait(now, q.most); wait > 0 {
			first, t.refused = !t.refused, true
			return wait, first
		}
	}
	for _, q := range quotas {
		t := l.find(q.name)
		if t == nil {
			t = l.add(q.name)
		}
		t.at, t.refused = append(t.at, now.UnixMilli()), false
	}
	return 0, false
}

// spent reports how long the quota has no room, and counts nothing.
func (l *limiter) spent(now time.Time, q quota) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if t := l.find(q.name); t != nil {
		return t.wait(now, q.most)
	}
	return 0
}

// wait forgets what is older than a minute, or from a clock that was put back
// since, and says how long until one more try fits.
func (t *tries) wait(now time.Time, most int) time.Duration {
	ms := now.UnixMilli()
	keep := t.at[:0]
	for _, at := range t.at {
		if ms-at < minute.Milliseconds() && at <= ms {
			keep = append(keep, at)
		}
	}
	t.at = keep
	if len(keep) < most {
		return 0
	}
	return minute - time.Duration(ms-keep[len(keep)-most])*time.Millisecond
}

func (l *limiter) find(name string) *tries {
	e := l.names[name]
	if e == nil {
		return nil
	}
	l.quiet.MoveToFront(e)
	return e.Value.(*tries)
}

func (l *limiter) add(name string) *tries {
	if l.quiet.Len() >= maxWatched {
		last := l.quiet.Back()
		delete(l.names, l.quiet.Remove(last).(*tries).name)
	}
	t := &tries{name: name}
	l.names[name] = l.quiet.PushFront(t)
	return t
}

// meter bounds how fast each of many names goes on, in steady flow and at
// once.
type meter struct {
	flow   rate.Limit
	atOnce int
	mu     sync.Mutex
	names  map[string]*rate.Limiter // at most maxWatched
}

func newMeter(flow rate.Limit, atOnce int) *meter {
	return &meter{flow: flow, atOnce: atOnce, names: map[string]*rate.Limiter{}}
}

// take counts a call of the name. If that is one too many, wait is when there
// is room again.
func (m *meter) take(now time.Time, name string) (wait time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	l := m.names[name]
	if l == nil {
		m.makeRoom(now)
		l = rate.NewLimiter(m.flow, m.atOnce)
		m.names[name] = l
	}
	if l.AllowN(now, 1) {
		return 0
	}
	return time.Duration((1 - l.TokensAt(now)) / float64(m.flow) * float64(time.Second))
}

// makeRoom forgets those who are as quiet as who never came, or, where nobody
// is, everybody.
func (m *meter) makeRoom(now time.Time) {
	if len(m.names) < maxWatched {
		return
	}
	maps.DeleteFunc(m.names, func(_ string, l *rate.Limiter) bool { return l.TokensAt(now) >= float64(m.atOnce) })
	if len(m.names) >= maxWatched {
		clear(m.names)
	}
}

// network is what an address counts as: itself, or with IPv6 its /64, of
// which one machine has all.
func network(addr string) string {
	ip, err := netip.ParseAddr(addr)
	if err != nil {
		if with, err := netip.ParseAddrPort(addr); err == nil {
			ip = with.Addr()
		} else {
			return addr
		}
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is6() {
		if p, err := ip.Prefix(64); err == nil {
			return p.String()
		}
	}
	return ip.String()
}
