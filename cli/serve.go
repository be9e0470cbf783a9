package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/lmittmann/tint"
	"golang.org/x/term"

	"stroem/control"
	"stroem/examples"
	"stroem/runner"
	"stroem/store"
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
	return "Without a configuration it listens on 127.0.0.1:8080 and serves the folder you stand in if that has .workflows, else " +
		"sample tasks.\n\n" +
		"TERM, INT and Ctrl-C end the server at once. Steps that run go on without it, and the next server takes " +
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
	s := &server{cfg: cfg, plane: plane}
	if cfg.Auth != nil {
		if err := s.guard(ctx); err != nil {
			return err
		}
	}
	return s.serve(ctx, e.stdout)
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
		Key: key, AllowEnv: cfg.AllowEnv, Now: time.Now,
		MaxArtifact: int64(cfg.Artifacts.MaxFileBytes), MaxArtifacts: int64(cfg.Artifacts.MaxJobBytes)}
	rn.Log = slog.New(masked{log.Handler(), rn.Secrets.Hide})
	keep := control.Retention{Age: time.Duration(cfg.Retention.JobDays) * 24 * time.Hour, MaxBytes: int64(cfg.Retention.MaxBytes)}
	return &control.Plane{Store: st, Runner: rn, Policy: cfg.policy(), Folders: folders, Retention: keep,
		OtherPerson: cfg.Approval.OtherPerson, Log: rn.Log, Now: time.Now}, nil
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
	if hasWorkflows() {
		here, err := filepath.Abs(".")
		return []control.Folder{{Name: "default", Path: here}}, err
	}
	dir := filepath.Join(c.Data, "examples")
	if err := unpackExamples(dir); err != nil {
		return nil, fmt.Errorf("unpack the examples: %w", err)
	}
	return []control.Folder{{Name: "default", Path: dir}}, nil
}

// hasWorkflows reports whether we stand in a workspace.
func hasWorkflows() bool {
	info, err := os.Stat(".workflows")
	return err == nil && info.IsDir()
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

// logger writes JSON for machines, and short coloured lines on a terminal.
func logger(w io.Writer) *slog.Logger {
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return slog.New(tint.NewTextHandler(w, &tint.Options{TimeFormat: time.TimeOnly, NoColor: os.Getenv("NO_COLOR") != ""}))
	}
	return slog.New(slog.NewJSONHandler(w, nil))
}
