package control

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"

	"stroem/auth"
	"stroem/store"
	"stroem/workspace"
)

const (
	// settle gathers the several events of one save into one reload.
	settle = 100 * time.Millisecond
	// lookAgain finds changes that no event tells of, as on network file
	// systems. A load that changed nothing writes nothing.
	lookAgain = 5 * time.Second
	// maxWatched bounds the folders watched for events in one workspace.
	maxWatched = 1000
)

// Folder is a workspace that is a folder of YAML files.
type Folder struct {
	Name string
	Path string
}

// refreshPause is the least time between two loads that callers ask for.
const refreshPause = 5 * time.Second

// space is what is known of a workspace between two loads.
type space struct {
	Folder

	mu        sync.Mutex // one load at a time
	last      *workspace.Workspace
	missing   []workspace.Problem // secrets that could not be had
	shown     string              // revision and error as they stand in the store
	refreshed time.Time
}

// Sync loads all workspaces into the store, then keeps them up to date until
// ctx ends. It closes ready after the first load. A workspace that cannot be
// read keeps its tasks and is listed with the reason.
func (p *Plane) Sync(ctx context.Context, ready chan<- struct{}) error {
	var names []string
	for _, f := range p.Folders {
		names = append(names, f.Name)
	}
	if err := p.Store.Update(ctx, func(tx *store.Tx) error { return tx.KeepWorkspaces(names) }); err != nil {
		return fmt.Errorf("drop old workspaces: %w", err)
	}
	all := map[string]*space{}
	for _, f := range p.Folders {
		all[f.Name] = &space{Folder: f}
		if err := p.load(ctx, all[f.Name]); err != nil {
			return err
		}
	}
	p.mu.Lock()
	p.spaces = all
	p.mu.Unlock()
	close(ready)
	done := make(chan struct{})
	for _, w := range all {
		go func() {
			p.follow(ctx, w)
			done <- struct{}{}
		}()
	}
	for range all {
		<-done
	}
	return nil
}

// load reads the workspace and puts it into the store if it changed.
func (p *Plane) load(ctx context.Context, w *space) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return p.loadLocked(ctx, w)
}

// Refresh loads the workspace at once and returns it. Callers who may run one
// of its tasks may ask for it, once in five seconds, else TooSoon.
func (p *Plane) Refresh(ctx context.Context, name string) (info store.WorkspaceInfo, err error) {
	if err := p.mayRefresh(ctx, name); err != nil {
		return info, err
	}
	p.mu.Lock()
	w := p.spaces[name]
	p.mu.Unlock()
	if w != nil {
		if err := p.refresh(ctx, w); err != nil {
			return info, undone(fmt.Sprintf("workspace %q was not refreshed", name), err)
		}
	}
	err = p.Store.View(ctx, func(tx *store.Tx) error {
		if info, err = tx.Workspace(name); err != nil {
			return err
		}
		info, err = narrowed(tx, info, p.scope(ctx))
		return err
	})
	return info, err
}

func (p *Plane) mayRefresh(ctx context.Context, name string) error {
	return p.Store.View(ctx, func(tx *store.Tx) error {
		if err := p.knownWorkspace(ctx, tx, name); err != nil {
			return err
		}
		may, err := p.mayRunAny(ctx, tx, name)
		if err == nil && !may {
			err = &Error{Code: Forbidden, Msg: fmt.Sprintf("you may view workspace %q but run nothing in it: loading it anew needs the right %q", name, auth.Run)}
		}
		return err
	})
}

func (p *Plane) refresh(ctx context.Context, w *space) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if now := p.Now(); now.Sub(w.refreshed) < refreshPause {
		return &Error{Code: TooSoon, Msg: fmt.Sprintf("workspace %q was refreshed a moment ago; try again in %s", w.Name, refreshPause)}
	}
	w.refreshed = p.Now()
	return p.loadLocked(ctx, w)
}

// loadLocked is load for who holds w.mu.
func (p *Plane) loadLocked(ctx context.Context, w *space) error {
	ws, err := read(w)
	if err != nil {
		text := err.Error()
		if w.shown == text {
			return nil
		}
		p.Log.Warn("load workspace", "workspace", w.Name, "err", err)
		err := p.Store.Update(ctx, func(tx *store.Tx) error {
			return tx.SetWorkspaceError(w.Name, w.Path, text, p.Now())
		})
		if err == nil {
			w.shown = text
		}
		return err
	}
	if w.last == nil || w.last.Revision != ws.Revision || len(w.missing) > 0 {
		w.missing = p.resolve(ctx, w.Name, ws) // and again at the next look
	}
	w.last = ws
	shown := ws.Revision + "\n" + ws.Err()
	if w.shown == shown {
		return nil
	}
	if err := p.Store.Update(ctx, func(tx *store.Tx) error {
		return tx.ReplaceWorkspace(w.Name, w.Path, ws, p.Now())
	}); err != nil {
		return fmt.Errorf("load workspace %q: %w", w.Name, err)
	}
	w.shown = shown
	p.Log.Info("loaded workspace", "workspace", w.Name, "tasks", len(ws.Tasks), "revision", ws.Revision)
	for _, problem := range ws.Problems {
		p.Log.Warn("workspace problem", "workspace", w.Name, "problem", problem.String())
	}
	return nil
}

// read loads the folder through a root, so that no name in it leads outside.
func read(w *space) (*workspace.Workspace, error) {
	root, err := os.OpenRoot(w.Path)
	if err != nil {
		return nil, fmt.Errorf("workspace %q: %w", w.Name, err)
	}
	defer root.Close()
	ws, err := workspace.Load(root.FS(), w.last)
	if err != nil {
		return nil, fmt.Errorf("workspace %q: %w", w.Name, err)
	}
	return ws, nil
}

// follow reloads the workspace after each change.
func (p *Plane) follow(ctx context.Context, w *space) {
	var events <-chan fsnotify.Event
	var lost <-chan error
	watcher, err := fsnotify.NewWatcher()
	if err != nil { // the slow look stays
		p.Log.Warn("watch workspace", "workspace", w.Name, "err", err)
	} else {
		defer watcher.Close()
		events, lost = watcher.Events, watcher.Errors
		w.watch(watcher)
	}
	slow := time.NewTicker(lookAgain)
	defer slow.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-events:
			calm(ctx, events)
		case <-lost: // events were missed
		case <-slow.C:
		}
		if watcher != nil { // first, so that a new folder is watched before it is read
			w.watch(watcher)
		}
		if err := p.load(ctx, w); err != nil && ctx.Err() == nil && !store.IsTrouble(err) {
			p.Log.Error("reload workspace", "workspace", w.Name, "err", err)
		}
	}
}

// calm waits until no more events come for a moment.
func calm(ctx context.Context, events <-chan fsnotify.Event) {
	quiet := time.NewTimer(settle)
	defer quiet.Stop()
	for last := time.Now().Add(5 * settle); time.Now().Before(last); {
		select {
		case <-ctx.Done():
			return
		case <-quiet.C:
			return
		case <-events:
			quiet.Reset(settle)
		}
	}
}

var errEnough = errors.New("enough folders")

// watch watches the folders whose files make the workspace: those of the YAML
// and those of the sources, new ones too. Adding one again does nothing. A
// folder that cannot be watched is left to the slow look.
func (w *space) watch(watcher *fsnotify.Watcher) {
	have := map[string]bool{}
	for _, path := range watcher.WatchList() {
		have[path] = true
	}
	add := func(path string) {
		if !have[path] && len(have) < maxWatched {
			have[path] = true
			_ = watcher.Add(path)
		}
	}
	root := filepath.Join(w.Path, ".workflows")
	if info, err := os.Stat(root); err != nil || !info.IsDir() {
		root = w.Path
	}
	_ = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil || !d.IsDir():
			return nil
		case path != root && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		case len(have) >= maxWatched:
			return errEnough
		}
		add(path)
		return nil
	})
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, source := range w.last.Sources() {
		add(filepath.Dir(filepath.Join(w.Path, filepath.FromSlash(source))))
	}
}
