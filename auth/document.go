package auth

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"stroem/store"
)

// What is spent on the description of a client, which anybody can have us
// fetch.
const (
	documentSize     = 5 << 10
	documentTime     = 5 * time.Second
	documentLife     = 5 * time.Minute
	maxDocuments     = 100 // kept
	fetchesAtOnce    = 16
	fetchesASecond   = 0.5 // of one address
	fetchesOfAddress = 10  // at once
)

// Documents is how the descriptions of clients are fetched. Its zero value
// does so from the Internet.
type Documents struct {
	Lookup func(ctx context.Context, host string) ([]netip.Addr, error)
	Dial   func(ctx context.Context, network, addr string) (net.Conn, error)
	Roots  *x509.CertPool
}

// documents fetches what clients say of themselves at the address that is
// their id (draft-ietf-oauth-client-id-metadata-document), and keeps it for a
// short while.
type documents struct {
	Documents
	limit *meter
	turn  chan struct{}

	mu   sync.Mutex
	kept map[string]described
}

type described struct {
	client store.Client
	until  time.Time
}

func newDocuments(d Documents) *documents {
	if d.Lookup == nil {
		d.Lookup = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	if d.Dial == nil {
		d.Dial = new(net.Dialer).DialContext
	}
	return &documents{Documents: d, limit: newMeter(fetchesASecond, fetchesOfAddress), turn: make(chan struct{}, fetchesAtOnce),
		kept: map[string]described{}}
}

// isDocument reports whether a client's id is the address of its description.
func isDocument(id string) bool { return strings.Contains(id, "://") }

// client is the client whose description is at id. The caller's address has
// only so many fetches.
func (d *documents) client(ctx context.Context, now time.Time, id string) (store.Client, error) {
	host, err := checkDocumentURL(id)
	if err != nil {
		return store.Client{}, invalid("client_id %s", err)
	}
	d.mu.Lock()
	k, ok := d.kept[id]
	d.mu.Unlock()
	if ok && now.Before(k.until) {
		return k.client, nil
	}
	if wait := d.limit.take(now, network(From(ctx).Addr)); wait > 0 {
		return store.Client{}, tooMany(wait)
	}
	ctx, cancel := context.WithTimeout(ctx, documentTime)
	defer cancel()
	select {
	case d.turn <- struct{}{}:
		defer func() { <-d.turn }()
	case <-ctx.Done():
		return store.Client{}, tooMany(documentTime)
	}
	c, err := d.fetch(ctx, id, host)
	if err != nil {
		return store.Client{}, invalid("the description of the client at its client_id cannot be used: %s", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.kept) >= maxDocuments {
		clear(d.kept)
	}
	d.kept[id] = described{c, now.Add(documentLife)}
	return c, nil
}

// documentHost is a name of the public DNS: its last label begins with a
// letter, so it is no address, however that is written.
var documentHost = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]([a-z0-9-]*[a-z0-9])?$`)

// checkDocumentURL is the host of a client's id. No port but that of https can
// be named, nor an address in place of a name: both would let a stranger look
// around with our eyes.
func checkDocumentURL(id string) (host string, err error) {
	u, err := parseURL(id)
	switch {
	case err != nil:
		return "", err
	case u.Scheme != "https":
		return "", errors.New("is a URL that is not https")
	case !documentHost.MatchString(u.Host):
		return "", errors.New("is a URL whose host is not a name in the public DNS, in lower case and without a port")
	case strings.Contains(id, "?"):
		return "", errors.New("is a URL with a query")
	case u.Path == "" || u.Path == "/" || strings.Contains(id, "%") || path.Clean(u.Path) != strings.TrimSuffix(u.Path, "/"):
		return "", errors.New("is a URL without a plain path")
	}
	return u.Host, nil
}

// The ranges of addresses that lead to no stranger's server (IANA's registries
// of special-purpose addresses), beside those that netip tells. Of IPv6 only
// 2000::/3 is in use.
var (
	special = []netip.Prefix{
		netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
		netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("192.88.99.0/24"), netip.MustParsePrefix("198.18.0.0/15"),
		netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"),
		netip.MustParsePrefix("2001::/23"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("2002::/16"),
		netip.MustParsePrefix("3fff::/20"),
	}
	inUse = netip.MustParsePrefix("2000::/3")
)

// public reports whether an address is that of a server on the Internet.
func public(ip netip.Addr) bool {
	return ip.Zone() == "" && ip.IsGlobalUnicast() && !ip.IsPrivate() && (ip.Is4() || inUse.Contains(ip)) &&
		!slices.ContainsFunc(special, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// dial connects to the host if all its addresses are public: to one of those
// that were looked at, so that no second answer of the DNS counts.
func (d *documents) dial(ctx context.Context, host string) (net.Conn, error) {
	ips, err := d.Lookup(ctx, host)
	if err != nil || len(ips) == 0 {
		return nil, unreachable("its host has no address")
	}
	for i, ip := range ips {
		if ips[i] = ip.Unmap(); !public(ips[i]) {
			return nil, unreachable("its host has an address that is not on the Internet")
		}
	}
	var conn net.Conn
	for _, ip := range ips[:min(len(ips), 3)] {
		if conn, err = d.Dial(ctx, "tcp", netip.AddrPortFrom(ip, 443).String()); err == nil {
			return conn, nil
		}
	}
	return nil, errSilent
}

// fetch reads the description at id, by https alone, from no other place than
// it names.
func (d *documents) fetch(ctx context.Context, id, host string) (c store.Client, err error) {
	transport := &http.Transport{ // no proxy: it would look the host up for itself
		DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return d.dial(ctx, host) },
		TLSClientConfig:   &tls.Config{RootCAs: d.Roots, MinVersion: tls.VersionTLS12},
		DisableKeepAlives: true, MaxResponseHeaderBytes: 16 << 10,
	}
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, id, nil)
	if err != nil {
		return c, err
	}
	req.Header = http.Header{"Accept": {"application/json"}, "User-Agent": {"stroem"}}
	res, err := client.Do(req)
	if err != nil {
		return c, whyUnreachable(err)
	}
	defer res.Body.Close()
	kind, _, err := mime.ParseMediaType(res.Header.Get("Content-Type"))
	switch {
	case res.StatusCode != http.StatusOK:
		return c, fmt.Errorf("it answers %d where only 200 counts", res.StatusCode)
	case err != nil || kind != "application/json" && !strings.HasSuffix(kind, "+json"):
		return c, errors.New("it is not JSON by its Content-Type")
	}
	text, err := io.ReadAll(io.LimitReader(res.Body, documentSize+1))
	switch {
	case err != nil:
		return c, errors.New("it ends early, or is too slow")
	case len(text) > documentSize:
		return c, errors.New("it is larger than 5 KiB")
	}
	return readDocument(id, text)
}

// unreachable is why a description was not fetched, as it may be told: what
// the network says is not for strangers.
type unreachable string

func (u unreachable) Error() string { return string(u) }

const errSilent = unreachable("its host does not answer")

func whyUnreachable(err error) error {
	var told unreachable
	var cert *tls.CertificateVerificationError
	switch {
	case errors.As(err, &told):
		return told
	case errors.As(err, &cert):
		return unreachable("its certificate is not valid")
	}
	return errSilent
}

// readDocument reads a description, which must say that it is that of id. Of
// where people may be sent back to, it counts what could be registered: such a
// text is written for many servers.
func readDocument(id string, text []byte) (c store.Client, err error) {
	var doc struct {
		Metadata
		ID     string          `json:"client_id"`
		Secret json.RawMessage `json:"client_secret"`
	}
	if json.Unmarshal(text, &doc) != nil {
		return c, errors.New("it is not the JSON that is asked for")
	}
	switch err := doc.check(); {
	case doc.ID != id:
		return c, errors.New("its client_id is another one")
	case err != nil:
		return c, err
	case doc.Secret != nil, doc.Method != "" && doc.Method != "none":
		return c, errors.New("it asks for a token_endpoint_auth_method other than none")
	}
	for _, r := range doc.Redirects {
		if checkRedirect(r) == nil {
			c.Redirects = append(c.Redirects, r)
		}
	}
	if len(c.Redirects) == 0 {
		return c, errors.New("it has no redirect_uris that are https, or http on this machine")
	}
	c.ID, c.Name = id, doc.Name
	return c, nil
}
