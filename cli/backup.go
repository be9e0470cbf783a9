package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"stroem/store"
)

type backupCmd struct {
	File  string `arg:"" help:"File to write, a tar; - for standard output."`
	Force bool   `help:"Replace the file if it is there."`
}

// Help shows how the command is used.
func (backupCmd) Help() string {
	return "It holds the database of one moment, secret.key, artifacts and state; not what steps that run have in their folders. " +
		"Whoever can read it can read everything that the server keeps.\n\n" +
		shown("stroem backup /srv/backup/stroem-$(date +%F).tar", "stroem backup - | ssh backup 'cat > stroem.tar'")
}

func (c *backupCmd) Run(e *env) error {
	cfg, err := e.settings()
	if err != nil {
		return err
	}
	if c.File == "-" {
		return c.stream(e, cfg.Data)
	}
	bytes, err := store.BackupFile(e.ctx, cfg.Data, c.File, c.Force)
	switch {
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("%s is there already; name another file, or replace it with --force", c.File)
	case err != nil:
		return backupFault(cfg.Data, err)
	case e.json:
		return e.printJSON(map[string]any{"data": cfg.Data, "file": c.File, "bytes": bytes})
	}
	e.println(fmt.Sprintf("Backed up %s to %s (%s).", cfg.Data, c.File, size(uint64(bytes))))
	return nil
}

func (c *backupCmd) stream(e *env, data string) (err error) {
	if e.terminal() != nil {
		return usage("a backup is not for a terminal; name a file, or hand it on with |")
	}
	scratch, err := os.MkdirTemp("", "stroem-backup-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	if err := store.Backup(e.ctx, data, scratch, e.stdout); err != nil {
		return backupFault(data, err)
	}
	return nil
}

func backupFault(data string, err error) error {
	if _, missing := os.Stat(filepath.Join(data, "stroem.db")); errors.Is(missing, fs.ErrNotExist) {
		return fmt.Errorf("no database in %s; name the server's data folder with --data, or its configuration with --config", data)
	}
	return fmt.Errorf("back up %s: %w", data, err)
}

type restoreCmd struct {
	File string `arg:"" help:"A file that stroem backup wrote."`
}

// Help shows how the command is used.
func (restoreCmd) Help() string {
	return "The data folder must be empty or absent. All of the file is checked before any of it counts. Steps that ran when the " +
		"backup was made have been interrupted: the next server fails them, or tries them again if their action says " +
		"idempotent: true.\n\n" +
		shown("stroem restore stroem-2026-11-24.tar", "stroem --data /var/lib/stroem restore stroem.tar")
}

func (c *restoreCmd) Run(e *env) error {
	cfg, err := e.settings()
	if err != nil {
		return err
	}
	got, err := store.Restore(e.ctx, c.File, cfg.Data)
	switch {
	case errors.Is(err, store.ErrLocked):
		return fmt.Errorf("%w: %s; stop that server first", err, cfg.Data)
	case errors.Is(err, store.ErrNotEmpty):
		return fmt.Errorf("%w; move it away, or name another folder with --data", err)
	case err != nil:
		return fmt.Errorf("nothing was restored: %w", err)
	case e.json:
		return e.printJSON(got)
	}
	e.println(fmt.Sprintf("Restored %s into %s: %s, %s of artifacts and state, schema %d.",
		c.File, cfg.Data, count(int(got.Jobs), "job"), count(int(got.Files), "file"), got.Schema))
	if !got.Key {
		e.println("It holds no secret.key: a new one is made when a server starts.")
	}
	if got.Lost > 0 {
		e.println(count(int(got.Lost), "artifact") + " had lost their files before the backup was made, and are not listed any more.")
	}
	if got.Running > 0 {
		e.println(count(int(got.Running), "step") + " ran when the backup was made, and now count as interrupted.")
	}
	if got.Waiting > 0 {
		e.println(count(int(got.Waiting), "step") + " waited to begin, and will begin when a server starts, though the server " +
			"that was backed up may have run them since.")
	}
	return nil
}
