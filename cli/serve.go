package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/lmittmann/tint"
	"golang.org/x/sync/errgroup"
	"golang.org/x/term"

	"stroem/control"
	"stroem/examples"
	"stroem/mcpsrv"
	"stroem/runner"
	"stroem/store"
	"stroem/web"
)

const (
	killGrace = 10 * time.Second // between TERM and KILL of a cancelled step
	stopGrace = 3 * time.Second  // for requests that are under way at the end
)

type serveCmd struct {
	Drain bool `help:"When told to end, wait for the steps that run."`
}

// Help says how the server ends.
func (serveCmd) Help() string {
	return "TERM, INT and Ctrl-C end the server at once. Steps that run go on without it, and the next server takes " +
		"them up with their log and their exit code; jobs that wait are on disk.\n\n" +
		"With --drain the server starts no step any more when it is told to end, answers as before, and ends when " +
		"the steps that run have ended. What it accepts meanwhile is on disk and waits for the next server. A second " +
		"signal ends it at once. Use it where steps cannot outlive the server, as in a container."
}

func (c serveCmd) Run(e *env) error {
	ctx, drain := c.lifetime(e.ctx)
	cfg, err := e.settings()
	if err != nil {
		return err
	}
	log := logger(e.stderr)
	for _, note := range cfg.notes {
		log.Info("configuration", "note", note)
	}
	st, err := openStore(cfg.Data)
	if err != nil {
		return err
	}
	defer func() {
		if err := st.Close(); err != nil {
			log.Error("close store", "err", err)
		}
	}()
	folders, err := cfg.folders()
	if err != nil {
		return err
	}
	plane, err := newPlane(cfg, st, folders, log)
	if err != nil {
		return err
	}
	plane.Runner.Drain = drain
	return serve(ctx, e, cfg, plane)
}

// lifetime is until when the server serves, and what tells it to drain before
// that: both end with asked, unless it is to drain. Then the signal that ended
// asked closes drain, and a second one ends ctx.
func (c serveCmd) lifetime(asked context.Context) (ctx context.Context, drain <-chan struct{}) {
	if !c.Drain {
		return asked, nil
	}
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	ctx, end := context.WithCancel(context.WithoutCancel(asked))
	go func() { // as long as the program
		<-signals // the one that ends asked
		<-signals
		end()
	}()
	return ctx, asked.Done()
}

// settings are the configuration, with the data folder that --data names.
func (e *env) settings() (*Config, error) {
	cfg, err := loadConfig(e.config, os.Environ())
	if err == nil && e.data != "" {
		if cfg.Data, err = filepath.Abs(e.data); err != nil {
			err = fmt.Errorf("--data: %w", err)
		}
	}
	return cfg, err
}

// newPlane joins the engine over a store. What it logs is masked.
func newPlane(cfg *Config, st *store.Store, folders []control.Folder, log *slog.Logger) (*control.Plane, error) {
	key, err := st.Key("inputs")
	if err != nil {
		return nil, err
	}
	rn := &runner.Runner{Store: st, Slots: cfg.Runner.MaxConcurrent, KeepLog: int64(cfg.Log.MaxBytes), Grace: killGrace,
		StepTimeout: time.Duration(cfg.StepTimeout), JobTimeout: time.Duration(cfg.JobTimeout),
		Key: key, AllowEnv: cfg.AllowEnv, Now: time.Now}
	rn.Log = slog.New(masked{log.Handler(), rn.Secrets.Hide})
	keep := control.Retention{Age: time.Duration(cfg.Retention.JobDays) * 24 * time.Hour, MaxBytes: int64(cfg.Retention.MaxBytes)}
	return &control.Plane{Store: st, Runner: rn, Folders: folders, Retention: keep, Log: rn.Log, Now: time.Now}, nil
}

// openStore opens the data folder, or says what to do about it.
func openStore(dir string) (*store.Store, error) {
	st, err := store.Open(dir)
	switch {
	case errors.Is(err, store.ErrLocked):
		return nil, fmt.Errorf("%w: %s; stop that server, or choose another folder with --data", err, dir)
	case errors.Is(err, store.ErrNewer), errors.Is(err, store.ErrUnfinished):
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("cannot use the data folder %s: %w; choose another one with --data", dir, err)
	}
	return st, nil
}

// folders are the configured workspaces by name. Without a configuration
// there is one: the folder we stand in if it has .workflows, else the built-in
// examples.
func (c *Config) folders() ([]control.Folder, error) {
	if c.file != "" || len(c.Workspaces) > 0 {
		var list []control.Folder
		for _, name := range slices.Sorted(maps.Keys(c.Workspaces)) {
			list = append(list, control.Folder{Name: name, Path: c.Workspaces[name].Path})
		}
		return list, nil
	}
	if info, err := os.Stat(".workflows"); err == nil && info.IsDir() {
		here, err := filepath.Abs(".")
		return []control.Folder{{Name: "default", Path: here}}, err
	}
	dir := filepath.Join(c.Data, "examples")
	if err := unpackExamples(dir); err != nil {
		return nil, fmt.Errorf("unpack the examples: %w", err)
	}
	return []control.Folder{{Name: "default", Path: dir}}, nil
}

// unpackExamples writes the built-in workspace once; it is the user's then.
func unpackExamples(dir string) error {
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		return err
	}
	half := dir + ".new"
	if err := os.RemoveAll(half); err != nil {
		return err
	}
	if err := os.CopyFS(half, examples.FS); err != nil {
		return err
	}
	if err := ownersAlone(half); err != nil {
		return err
	}
	return os.Rename(half, dir)
}

// ownersAlone takes every right from everybody but the owner.
func ownersAlone(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			return os.Chmod(path, 0o700)
		}
		return os.Chmod(path, 0o600)
	})
}

// serve joins the parts and runs them until the context ends, or the runner
// has drained.
func serve(ctx context.Context, e *env, cfg *Config, plane *control.Plane) error {
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
	listeners, err := listen(cfg.Listen)
	if err != nil {
		g.Go(func() error { return err }) // ends the rest
		return g.Wait()
	}
	url := "http://" + listeners[0].Addr().String()
	g.Go(func() error {
		defer stop()
		return plane.Runner.Run(ctx)
	})
	g.Go(func() error { return plane.Cron(ctx) })
	g.Go(func() error { return plane.Upkeep(ctx) })
	g.Go(func() error { return serveHTTP(ctx, listeners, handler(cfg, plane, url, ctx.Done())) })
	if err := greet(ctx, e.stdout, cfg, plane, url); err != nil {
		plane.Log.Error("greet", "err", err)
	}
	return g.Wait()
}

func handler(cfg *Config, plane *control.Plane, url string, stopping <-chan struct{}) http.Handler {
	wc := web.Config{Plane: plane, URL: url, Version: version(), Log: plane.Log, Stopping: stopping,
		AllowedHosts: cfg.MCP.AllowedHosts, AllowedOrigins: cfg.MCP.AllowedOrigins}
	if cfg.MCP.Enabled {
		wc.MCP = mcpsrv.Handler(plane, version(), plane.Log)
	}
	return web.Handler(wc)
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
func greet(ctx context.Context, w io.Writer, cfg *Config, plane *control.Plane, url string) error {
	all, err := plane.Workspaces(ctx)
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
	if !cfg.MCP.Enabled {
		where := cmp.Or(cfg.from["mcp.enabled"], cfg.file)
		fmt.Fprintf(w, "  agents  MCP is off; mcp.enabled: true turns it on (%s)\n", where)
		return nil
	}
	fmt.Fprintf(w, "  agents  %s/mcp; for Claude Code: claude mcp add --transport http stroem %s/mcp\n", url, url)
	return nil
}

// logger writes JSON for machines, and short coloured lines on a terminal.
func logger(w io.Writer) *slog.Logger {
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return slog.New(tint.NewTextHandler(w, &tint.Options{TimeFormat: time.TimeOnly, NoColor: os.Getenv("NO_COLOR") != ""}))
	}
	return slog.New(slog.NewJSONHandler(w, nil))
}
