package web_test

import (
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"stroem/auth"
	"stroem/store"
	"stroem/web"
)

// guesser asks a house from a connection and says that it comes from elsewhere.
type guesser struct {
	*house
	from   net.IP
	behind string // what the proxy says of the connection, "" where there is none
	forged int
}

// try asks with one more forged address in front. It returns the status, and
// complains of a 429 that does not say for how long.
func (g *guesser) try(method, path, body, bearer string) int {
	g.t.Helper()
	req, err := http.NewRequestWithContext(g.t.Context(), method, g.URL+path, strings.NewReader(body))
	if err != nil {
		g.t.Fatal(err)
	}
	g.forged++
	forwarded := fmt.Sprintf("198.18.%d.%d", g.forged>>8&255, g.forged&255)
	if g.behind != "" {
		forwarded += ", " + g.behind
	}
	req.Header = http.Header{"Content-Type": {"application/json"}, "X-Forwarded-For": {forwarded}, "X-Real-Ip": {forwarded}, "Forwarded": {"for=" + forwarded}}
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: g.from}}
	c := &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true}}
	res, err := c.Do(req)
	if err != nil {
		g.t.Fatal(err)
	}
	defer res.Body.Close()
	if secs, err := strconv.Atoi(res.Header.Get("Retry-After")); res.StatusCode == http.StatusTooManyRequests && (err != nil || secs < 1 || secs > 61) {
		g.t.Errorf("a 429 says Retry-After: %q", res.Header.Get("Retry-After"))
	}
	return res.StatusCode
}

func login(password string) string {
	return fmt.Sprintf(`{"email":"run@example.org","password":%q}`, password)
}

// Passwords and keys are guessed over HTTP with forged addresses, from the one
// who connects, or as a proxy tells it.
func TestGuessesWithForgedAddresses(t *testing.T) {
	t.Parallel()
	for _, proxied := range []bool{false, true} {
		t.Run(fmt.Sprintf("proxied %t", proxied), func(t *testing.T) {
			t.Parallel()
			h := build(t, func(c *web.Config) {
				if !proxied {
					c.Proxies = nil
				}
			}, own)
			good, _ := h.key("run", store.APIKey{})
			loopback := net.IPv4(127, 0, 0, 1)
			evil, home := &guesser{house: h, from: loopback}, &guesser{house: h, from: net.IPv4(127, 0, 0, 2)}
			if proxied {
				evil.behind, home.from, home.behind = "203.0.113.66", loopback, "203.0.113.7"
			} else if l, err := net.Listen("tcp", "127.0.0.2:0"); err != nil {
				t.Skip("this system has one loopback address")
			} else {
				l.Close()
			}
			if got := evil.try("GET", "/api/auth/me", "", good); got != 200 {
				t.Errorf("the good key before: %d", got)
			}
			began := time.Now()
			passwords, keys := map[int]int{}, map[int]int{}
			for i := range 150 {
				passwords[evil.try("POST", "/api/auth/login", login(fmt.Sprint("guess ", i)), "")]++
				keys[evil.try("GET", "/api/auth/me", "", fmt.Sprintf("strm_%032d", i))]++
			}
			if passwords[401] > 20 || passwords[401]+passwords[429] != 150 || keys[401] > 20 || keys[401]+keys[429] != 150 {
				t.Errorf("in %s: passwords %v, keys %v", time.Since(began), passwords, keys)
			}
			if got := evil.try("POST", "/api/auth/login", login(passphrase), ""); got != 429 {
				t.Errorf("the right password where it was guessed: %d", got)
			}
			if got := evil.try("GET", "/api/auth/me", "", good); got != 200 {
				t.Errorf("a key that was right before, where others are wrong: %d", got)
			}
			if got := home.try("POST", "/api/auth/login", login(passphrase), ""); got != 200 {
				t.Errorf("the owner at home: %d", got)
			}
			if got := home.try("GET", "/api/auth/me", "", h.signIn("run")); got != 200 {
				t.Errorf("the owner's session: %d", got)
			}
			t.Logf("in %s: passwords %v, keys %v", time.Since(began).Round(time.Millisecond), passwords, keys)
		})
	}
}

// Many agents that each do a little are not held up.
func TestManyKeysCallAtOnce(t *testing.T) {
	t.Parallel()
	h := build(t, nil, own)
	h.account("run")
	var keys [100]string
	for i := range keys {
		keys[i], _ = h.key("run", store.APIKey{})
	}
	call := func(key string) error {
		_, err := h.gate.Identify(t.Context(), key, auth.MCP, "192.0.2.1")
		return err
	}
	for i, key := range keys {
		for range 10 {
			if err := call(key); err != nil {
				t.Fatalf("client %d: %v", i, err)
			}
		}
	}
	now := h.now()
	h.stopped.Store(&now) // however slow the machine is
	const wild = 10_000
	for range wild {
		if call(keys[0]) == nil {
			continue
		}
		if a := h.ask(http.MethodPost, "/mcp", ping, keys[0]); a.status == http.StatusTooManyRequests {
			if a.header.Get("Retry-After") != "1" || !strings.Contains(a.body, "retry_after_secs") {
				t.Error(a)
			}
			return
		}
	}
	t.Errorf("%d calls of one key went through", wild)
}
