package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"stroem/auth"
	"stroem/control"
	"stroem/mcpsrv"
	"stroem/web"
)

// server is the parts of a server, joined.
type server struct {
	cfg      *Config
	plane    *control.Plane
	gate     *auth.Gate // nil: auth is off
	password string     // of the owner, where this start made one
}

// guard makes what knows callers, and sees to it that somebody can sign in.
func (s *server) guard(ctx context.Context) (err error) {
	c := s.cfg.Auth
	s.gate, err = auth.New(auth.Config{Store: s.plane.Store, Issuer: c.BaseURL, OAuth: s.cfg.oauth(), JWTSecret: c.JWTSecret,
		RefreshSecret: c.RefreshSecret, Now: time.Now, Log: s.plane.Log})
	if err != nil {
		return err
	}
	var first auth.NewUser
	if u := c.InitialUser; u != nil {
		first = auth.NewUser{Email: u.Email, Password: u.Password}
	}
	s.password, err = s.gate.EnsureAdmin(ctx, first)
	return err
}

// serve runs the parts until the context ends, or the runner has drained.
func (s *server) serve(ctx context.Context, stdout io.Writer) error {
	plane := s.plane
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	g, ctx := errgroup.WithContext(ctx)
	ready := make(chan struct{})
	g.Go(func() error { plane.WatchDisk(ctx); return nil })
	g.Go(func() error { return plane.Sync(ctx, ready) })
	select {
	case <-ready:
	case <-ctx.Done():
		return g.Wait()
	}
	listeners, err := listen(s.cfg.Listen)
	if err != nil {
		g.Go(func() error { return err }) // ends the rest
		return g.Wait()
	}
	url := "http://" + listeners[0].Addr().String()
	g.Go(func() error {
		defer stop()
		return plane.Runner.Run(ctx)
	})
	g.Go(func() error { return s.cron(ctx) })
	g.Go(func() error { return plane.Upkeep(ctx) })
	h, err := s.handler(url, ctx.Done())
	if err != nil {
		g.Go(func() error { return err })
		return g.Wait()
	}
	g.Go(func() error { return serveHTTP(ctx, listeners, h) })
	if s.gate != nil {
		g.Go(func() error { return s.gate.Run(ctx) })
	}
	if err := s.greet(ctx, stdout, url); err != nil {
		plane.Log.Error("greet", "err", err)
	}
	return g.Wait()
}

// cron fires triggers until the server ends, or drains.
func (s *server) cron(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		select {
		case <-s.plane.Runner.Drain:
			stop()
		case <-ctx.Done():
		}
	}()
	return s.plane.Cron(ctx)
}

func (s *server) handler(here string, stopping <-chan struct{}) (http.Handler, error) {
	cfg := s.cfg
	wc := web.Config{Plane: s.plane, Gate: s.gate, URL: here, Version: version(), Log: s.plane.Log, Stopping: stopping,
		AllowedHosts: cfg.MCP.AllowedHosts, AllowedOrigins: cfg.MCP.AllowedOrigins}
	if cfg.Auth != nil && cfg.Auth.BaseURL != "" {
		base, err := url.Parse(cfg.Auth.BaseURL)
		if err != nil {
			return nil, fmt.Errorf("auth.base_url: %w", err)
		}
		wc.URL, wc.Secure = cfg.Auth.BaseURL, base.Scheme == "https"
		wc.AllowedHosts = append(slices.Clip(wc.AllowedHosts), base.Host, base.Hostname())
		wc.AllowedOrigins = append(slices.Clip(wc.AllowedOrigins), base.Scheme+"://"+base.Host)
	}
	if cfg.MCP.Enabled {
		wc.MCP, wc.Guide = mcpsrv.Handler(s.plane, version(), s.plane.Log), mcpsrv.Guide()
	}
	var err error
	wc.Proxies, err = cfg.proxies()
	return web.Handler(wc), err
}

// listen opens the address; localhost is both loopback addresses, where the
// machine has both.
func listen(addr string) ([]net.Listener, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	if !strings.EqualFold(host, "localhost") {
		l, err := listenOn(addr)
		return []net.Listener{l}, err
	}
	first, err := listenOn(net.JoinHostPort("127.0.0.1", port))
	if err != nil {
		return nil, err
	}
	_, port, _ = net.SplitHostPort(first.Addr().String()) // an address of ours has a port
	second, err := listenOn(net.JoinHostPort("::1", port))
	switch {
	case err == nil:
		return []net.Listener{first, second}, nil
	case errors.Is(err, syscall.EADDRNOTAVAIL), errors.Is(err, syscall.EAFNOSUPPORT): // no IPv6 here
		return []net.Listener{first}, nil
	}
	return nil, errors.Join(err, first.Close())
}

func listenOn(addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w; stop what uses the port, or choose another with listen: "+
			"in %s or STROEM__LISTEN=127.0.0.1:8081", addr, err, defaultFile)
	}
	return l, nil
}

// serveHTTP serves until ctx ends, then gives what is under way a moment.
func serveHTTP(ctx context.Context, listeners []net.Listener, h http.Handler) error {
	srv := &http.Server{
		Handler: h,
		// Slow senders are cut off; answers may take as long as a wait does.
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 15 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 64 << 10,
	}
	g, gctx := errgroup.WithContext(ctx)
	for _, l := range listeners {
		g.Go(func() error {
			if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				return err
			}
			return nil
		})
	}
	g.Go(func() error {
		<-gctx.Done()
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopGrace)
		defer cancel()
		if srv.Shutdown(end) != nil {
			return srv.Close()
		}
		return nil
	})
	return g.Wait()
}

// greet says where the server is and what to do next.
func (s *server) greet(ctx context.Context, w io.Writer, url string) error {
	cfg := s.cfg
	all, err := s.plane.Workspaces(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "Strøm %s listens on %s\n  data    %s\n", version(), url, cfg.Data)
	for _, ws := range all {
		fmt.Fprintf(w, "  tasks   %s in workspace %q (%s)\n", count(ws.Tasks, "task"), ws.Name, ws.Dir)
		if ws.Error != "" {
			fmt.Fprintf(w, "          does not load in full: %s\n", ws.Error)
		}
	}
	if len(all) == 0 {
		fmt.Fprintf(w, "  tasks   none: add a workspace to %s, for example\n            workspaces: {default: {type: folder, path: .}}\n", cfg.file)
	}
	if s.gate != nil {
		url = cmp.Or(cfg.Auth.BaseURL, url)
		fmt.Fprintf(w, "  sign-in stroem login %s\n", url)
	}
	if s.password != "" {
		fmt.Fprintf(w, "          as %s with the password %s (shown this once; stroem user passwd makes another)\n", auth.OwnerEmail, s.password)
	}
	if !cfg.MCP.Enabled {
		where := cmp.Or(cfg.from["mcp.enabled"], cfg.file)
		fmt.Fprintf(w, "  agents  MCP is off; mcp.enabled: true turns it on (%s)\n", where)
		return nil
	}
	if cfg.oauth() {
		fmt.Fprintf(w, "  agents  %s/mcp; they ask you for access in your browser, or show a key that stroem apikey create NAME makes\n", url)
		return nil
	}
	if s.gate != nil {
		fmt.Fprintf(w, "  agents  %s/mcp; stroem apikey create NAME makes a key and says how to connect\n", url)
		return nil
	}
	fmt.Fprintf(w, "  agents  %s/mcp; for Claude Code: claude mcp add --transport http stroem %s/mcp\n", url, url)
	return nil
}
