package auth_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"stroem/auth"
)

// outside is the Internet with one server in it, of which example.com is the
// name, and every address of names leads there.
type outside struct {
	*server
	dialled atomic.Int64
	asked   atomic.Int64
	names   map[string][]string
	answer  func(w http.ResponseWriter, r *http.Request)
}

func internet(t *testing.T) *outside {
	t.Helper()
	o := &outside{server: start(t), names: map[string][]string{"example.com": {"93.184.215.14"}}}
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o.asked.Add(1)
		o.answer(w, r)
	}))
	srv.Config.ErrorLog = nil
	srv.StartTLS() // its certificate is for example.com
	t.Cleanup(srv.Close)
	roots := x509.NewCertPool()
	roots.AddCert(srv.Certificate())
	o.Gate = gate(t, auth.Config{Store: o.store, Issuer: issuer, OAuth: true, Now: o.clock, Documents: auth.Documents{
		Lookup: func(_ context.Context, host string) (ips []netip.Addr, err error) {
			for _, a := range o.names[host] {
				ips = append(ips, netip.MustParseAddr(a))
			}
			if ips == nil {
				err = errors.New("no such host")
			}
			return ips, err
		},
		Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
			o.dialled.Add(1)
			if host, port, err := net.SplitHostPort(addr); err != nil || net.ParseIP(host) == nil || port != "443" {
				t.Errorf("it dials %s", addr)
			}
			return new(net.Dialer).DialContext(ctx, network, srv.Listener.Addr().String())
		},
		Roots: roots,
	}})
	return o
}

const clientURL = "https://example.com/oauth/client.json"

func says(kind, text string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		fmt.Fprint(w, text) //nolint:errcheck // it may hang up
	}
}

func describing(more string) string {
	return fmt.Sprintf(`{"client_id":%q,"client_name":"Claude","redirect_uris":[%q,"javascript:x"]%s}`, clientURL, back, more)
}

func TestClientThatDescribesItself(t *testing.T) {
	t.Parallel()
	s := internet(t)
	s.answer = says("application/json; charset=utf-8", describing(`,"token_endpoint_auth_method":"none","logo_uri":"https://x.example/l"`))
	u := s.user(auth.NewUser{Email: "ada@example.com"})
	a, err := s.Ask(passerBy(), asking(clientURL, nil))
	if err != nil || a.Client.Name != "Claude" || len(a.Client.Redirects) != 1 {
		t.Fatal(a, err)
	}
	to, err := s.ConsentByPassword(passerBy(), a, u.Email, password)
	if err != nil {
		t.Fatal(err)
	}
	_, code, _ := strings.Cut(to, "code=")
	code, _, _ = strings.Cut(code, "&")
	out, err := s.Exchange(passerBy(), showing(clientURL, code, nil))
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Identify(t.Context(), out.Access, auth.MCP, home)
	if err != nil || p.Grant.Client != clientURL {
		t.Fatal(p, err)
	}
	if _, err := s.Exchange(passerBy(), renewing("https://example.com/other", out.Refresh, nil)); named(err) != "invalid_grant" {
		t.Errorf("another document's refresh: %v", err)
	}
	if _, err := s.Exchange(passerBy(), renewing(clientURL, out.Refresh, map[string]string{"client_secret": "x"})); named(err) != "invalid_client" {
		t.Errorf("with a secret: %v", err)
	}
	if _, err := s.Exchange(passerBy(), renewing(clientURL, out.Refresh, nil)); err != nil {
		t.Error(err)
	}
	if n := s.asked.Load(); n != 1 {
		t.Errorf("fetched %d times", n)
	}
	s.pass(5 * time.Minute)
	if _, err := s.Ask(passerBy(), asking(clientURL, nil)); err != nil || s.asked.Load() != 2 {
		t.Errorf("later: %v, fetched %d times", err, s.asked.Load())
	}
	// An address has only so many fetches; what is kept costs none.
	s.answer = says("text/plain", "")
	many := 0
	for range 30 {
		if _, err := s.Ask(stranger(home), asking(clientURL+"x", nil)); auth.CodeOf(err) == auth.TooMany {
			many++
		}
	}
	if many != 20 {
		t.Errorf("%d of 30 were refused", many)
	}
	if _, err := s.Ask(stranger(home), asking(clientURL, nil)); err != nil {
		t.Error(err)
	}
}

func TestDescriptionThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	s := internet(t)
	redirect := func(to string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusFound) }
	}
	for name, answer := range map[string]func(http.ResponseWriter, *http.Request){
		"another's":      says("application/json", strings.ReplaceAll(describing(""), "client.json", "other.json")),
		"nobody's":       says("application/json", `{"client_name":"x","redirect_uris":["`+back+`"]}`),
		"no redirects":   says("application/json", fmt.Sprintf(`{"client_id":%q,"client_name":"x"}`, clientURL)),
		"none to use":    says("application/json", strings.ReplaceAll(describing(""), back, "http://evil.example/")),
		"with a secret":  says("application/json", describing(`,"client_secret":"s"`)),
		"secret method":  says("application/json", describing(`,"token_endpoint_auth_method":"client_secret_post"`)),
		"key":            says("application/json", describing(`,"token_endpoint_auth_method":"private_key_jwt"`)),
		"turning name":   says("application/json", strings.ReplaceAll(describing(""), "Claude", `\u202eedualC`)),
		"HTML":           says("text/html", describing("")),
		"no kind":        says("", describing("")),
		"a list":         says("application/json", "["+describing("")+"]"),
		"two documents":  says("application/json", describing("")+describing("")),
		"not JSON":       says("application/json", "<html>"),
		"large":          says("application/json", describing(`,"x":"`+strings.Repeat("x", 5<<10)+`"`)),
		"endless":        func(w http.ResponseWriter, _ *http.Request) { endless(w) },
		"moved":          redirect(clientURL + "x"),
		"moved inside":   redirect("http://127.0.0.1:80/"),
		"not there":      func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) },
		"partial":        func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusPartialContent) },
		"great headers":  func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", strings.Repeat("x", 64<<10)) },
		"ends too early": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		before := s.asked.Load()
		s.answer = answer
		if _, err := s.Ask(passerBy(), asking(clientURL, nil)); auth.CodeOf(err) != auth.Invalid {
			t.Errorf("%s: %v", name, err)
		}
		if n := s.asked.Load() - before; n != 1 {
			t.Errorf("%s: %d requests", name, n)
		}
	}
	s.names["wrong.example.org"] = s.names["example.com"]
	if _, err := s.Ask(passerBy(), asking("https://wrong.example.org/c", nil)); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("of another's certificate: %v", err)
	}
	// A server that is slow holds nobody up for longer than 5 s.
	stop := make(chan struct{})
	defer close(stop)
	s.answer = func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-stop:
		case <-r.Context().Done():
		}
	}
	ctx, cancel := context.WithTimeout(passerBy(), 100*time.Millisecond)
	defer cancel()
	if _, err := s.Ask(ctx, asking(clientURL, nil)); auth.CodeOf(err) != auth.Invalid {
		t.Errorf("a slow one: %v", err)
	}
}

func endless(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	for range 1 << 14 {
		if _, err := w.Write([]byte(strings.Repeat(" ", 4<<10))); err != nil {
			return
		}
	}
}

// Nobody has us look at what is not on the Internet: by no way to write an
// address, and by no name that leads there.
func TestDescriptionsAreOnTheInternet(t *testing.T) {
	t.Parallel()
	s := internet(t)
	s.answer = says("application/json", describing(""))
	for _, id := range []string{
		"http://example.com/c", "ftp://example.com/c", "file:///etc/passwd", "gopher://example.com/c", "://", "https://", "https:///c", "HTTPS://example.com/c",
		"https://127.0.0.1/c", "https://[::1]/c", "https://[::ffff:127.0.0.1]/c", "https://0/c", "https://0.0.0.0/c", "https://2130706433/c", "https://0177.0.0.1/c",
		"https://0x7f.0.0.1/c", "https://0x7f000001/c", "https://127.1/c", "https://10.0.0.1/c", "https://169.254.169.254/latest/meta-data/", "https://[fc00::1]/c",
		"https://93.184.215.14/c", "https://localhost/c", "https://metadata/c", "https://EXAMPLE.com/c", "https://example.com./c", "https://exa_mple.com/c",
		"https://example.com:443/c", "https://example.com:22/c", "https://example.com:/c", "https://user@example.com/c", "https://user:pw@example.com/c",
		"https://example.com@127.0.0.1/c", "https://127.0.0.1\\@example.com/c", "https://127.0.0.1#@example.com/c", "https://example.com/c#x", "https://example.com/c?x=1",
		"https://example.com/c?", "https://example.com", "https://example.com/", "https://example.com/../c", "https://example.com/a/./c", "https://example.com//c",
		"https://example.com/%2e%2e/c", "https://example.com/c d", "https://example.com/c\r\nHost: x", "https://ⓔxample.com/c", "https://example。com/c",
		"https://example.com/" + strings.Repeat("x", 500),
	} {
		if _, err := s.Ask(passerBy(), asking(id, nil)); auth.CodeOf(err) != auth.Invalid {
			t.Errorf("%q: %v", id, err)
		}
	}
	const name = "https://rebound.example.org/c"
	for _, ip := range []string{
		"127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.1.2.3", "100.64.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1",
		"192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255",
		"::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "100::1", "fc00::1",
		"fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "2001::1", "2001:db8::1", "2002:7f00:1::1", "3fff::1", "4000::1", "2606:4700::1%eth0",
	} {
		for _, answer := range [][]string{{ip}, {"93.184.215.14", ip}, {ip, "93.184.215.14"}} {
			s.names["rebound.example.org"] = answer
			if _, err := s.Ask(passerBy(), asking(name, nil)); auth.CodeOf(err) != auth.Invalid || !strings.Contains(err.Error(), "not on the Internet") {
				t.Errorf("%s: %v", answer, err)
			}
		}
	}
	if s.dialled.Load() != 0 {
		t.Errorf("%d connections were made", s.dialled.Load())
	}
	for _, ip := range []string{"93.184.215.14", "8.8.8.8", "172.32.0.1", "::ffff:8.8.8.8", "2606:4700::1111", "2a00:1450::1"} {
		s.names["example.com"] = []string{ip}
		if _, err := s.Ask(passerBy(), asking(clientURL, nil)); err != nil {
			t.Errorf("%s: %v", ip, err)
		}
		s.pass(time.Hour)
	}
}
