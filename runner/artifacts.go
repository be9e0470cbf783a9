package runner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
	"unicode"
	"unicode/utf8"

	"stroem/store"
)

// artifactsDir is the folder of an attempt's folder in which its script leaves
// files to be kept: $ARTIFACTS_DIR.
const artifactsDir = "artifacts"

// What steps may leave, where the Runner does not say.
const (
	maxArtifact  = 100 << 20
	maxArtifacts = 1 << 30 // of a job, in all
)

const (
	maxArtifactCount = 1000 // of a job
	maxLeft          = 5000 // files, folders and others in $ARTIFACTS_DIR
	maxArtifactName  = 1 << 10
	sniffed          = 512 // bytes that tell the type of a file
)

// unkeepable is why something that a script left cannot be kept. It is for the
// author to mend, and fails the step.
type unkeepable struct{ text string }

func (e *unkeepable) Error() string { return e.text }

func refuse(format string, args ...any) error { return &unkeepable{fmt.Sprintf(format, args...)} }

// unread is the error of something that cannot be read: the script's doing,
// unless the server is short of what reading takes.
func unread(what string, err error) error {
	for _, ours := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.EIO} {
		if errors.Is(err, ours) {
			return fmt.Errorf("read %s: %w", what, err)
		}
	}
	return refuse("%s cannot be read: %v", what, err)
}

// collectArtifacts copies what the script of a completed step left in
// $ARTIFACTS_DIR to where artifacts are kept, and names it in the ending; or it
// makes the step a failed one, which left what cannot be kept. An error says
// that the server stops.
//
// It is a copy, so that nothing which the step left running can change what is
// kept, whatever it holds open. Until the end of the step is committed nobody
// sees it, and a server that is killed before that leaves the whole of it to be
// done again: the attempt's own folder is still as it was.
//
// A disk that has no room for it, or any other trouble of the server, delays
// the end (room.go): the work of the step is done, and must not be lost. A
// cancel ends the wait.
func (r *Runner) collectArtifacts(ctx context.Context, a *attempt, e *ending) error {
	var wait room
	defer func() { wait.leave(r) }()
	for told := false; ; told = true {
		list, err := r.copyArtifacts(ctx, a)
		wait.leave(r)
		var wrong *unkeepable
		switch {
		case err == nil:
			e.Artifacts = list
			return nil
		case errors.As(err, &wrong):
			*e = ending{Status: store.Failed, ExitCode: e.ExitCode, Error: wrong.text}
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case !told:
			r.Log.Error("keep artifacts when that is possible", keyJob, a.job.ID, keyStep, a.step.Name, keyErr, err)
		}
		switch err := wait.await(ctx, r, a, err); {
		case errors.Is(err, errCancelled):
			return nil
		case err != nil:
			return err
		}
	}
}

// copyArtifacts copies what the attempt left: all of it, or nothing.
func (r *Runner) copyArtifacts(ctx context.Context, a *attempt) ([]store.Artifact, error) {
	from, err := openFolder(r.folder(""), a.step.Attempt, artifactsDir)
	if errors.Is(err, fs.ErrNotExist) { // the script took it away
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer from.Close()
	list, err := r.findArtifacts(a, from)
	switch {
	case err != nil || len(list) == 0:
		return nil, err
	case a.step.Boot != r.boot: // what was written and not synced can be gone, whatever the exit code says
		return nil, refuse("the machine, or its container, restarted before the step's artifacts were safe; they may not be whole")
	}
	if err := r.Store.View(ctx, func(tx *store.Tx) error { return r.checkJob(tx, list) }); err != nil {
		return nil, err
	}
	size := int64(0)
	for i := range list {
		size += list[i].Size
	}
	kept, err := r.writeArtifacts(ctx, a.step.Attempt, from, list)
	if err != nil {
		return nil, &unwritten{size, err}
	}
	return kept, nil
}

// writeArtifacts copies those of the list that are still there.
func (r *Runner) writeArtifacts(ctx context.Context, attempt string, from *os.Root, list []store.Artifact) ([]store.Artifact, error) {
	to, err := r.Store.NewArtifacts(attempt)
	if err != nil {
		return nil, err
	}
	var kept []store.Artifact
	for _, a := range list {
		if err = ctx.Err(); err == nil {
			err = copyArtifact(from, to, &a)
		}
		switch {
		case err == nil:
			a.CreatedAt = r.Now()
			kept = append(kept, a)
		case !errors.Is(err, errGone):
			return nil, errors.Join(err, to.Discard())
		}
	}
	return kept, to.Close()
}

// errGone is said of a file that something which the step left running took
// away again: it was not left.
var errGone = errors.New("the file is gone again")

// openFolder opens the folder below dir that these names lead to. None of them
// may be a link that the script put there.
func openFolder(dir string, names ...string) (*os.Root, error) {
	at, err := os.OpenRoot(dir)
	for _, name := range names {
		if err != nil {
			break
		}
		var next *os.Root
		next, err = enter(at, name)
		at.Close()
		at = next
	}
	var wrong *unkeepable
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.As(err, &wrong) {
		err = unread("$ARTIFACTS_DIR", err)
	}
	return at, err
}

func enter(at *os.Root, name string) (*os.Root, error) {
	was, err := at.Lstat(name)
	if err != nil {
		return nil, err
	}
	if was.IsDir() {
		next, err := at.OpenRoot(name)
		if err != nil {
			return nil, err
		}
		if is, err := next.Stat("."); err == nil && os.SameFile(was, is) {
			return next, nil
		}
		next.Close()
	}
	return nil, refuse("the script put something else in the place of $ARTIFACTS_DIR; it is a folder to put files into")
}

// search looks for what a script left.
type search struct {
	root  *os.Root
	mask  *masker // what must not stand in a name
	most  int64   // bytes of a file
	seen  int
	found []store.Artifact
}

// findArtifacts lists the files that the script left, with their sizes. Only
// plain files count: links, fifos, sockets and devices are passed over.
func (r *Runner) findArtifacts(a *attempt, from *os.Root) ([]store.Artifact, error) {
	s := search{root: from, mask: a.out.mask, most: cmp.Or(r.MaxArtifact, maxArtifact)}
	err := s.folder(".")
	for i := range s.found {
		f := &s.found[i]
		f.Job, f.Pos, f.Attempt, f.File = a.step.Job, a.step.Pos, a.step.Attempt, i
	}
	return s.found, err
}

func (s *search) folder(dir string) error {
	infos, err := s.list(dir)
	if err != nil {
		return err
	}
	for _, info := range infos {
		name := path.Join(dir, info.Name())
		switch {
		case info.IsDir() && len(name) > maxArtifactName:
			return refuse("a folder in $ARTIFACTS_DIR has a path of more than %d bytes: %.200q", maxArtifactName, s.mask.hideString(name))
		case info.IsDir():
			err = s.folder(name)
		case info.Mode().IsRegular():
			err = s.file(name, info.Size())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// list reads a folder, in the order of names.
func (s *search) list(dir string) (infos []fs.FileInfo, err error) {
	sub, err := s.root.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) { // it is gone again
		return nil, nil
	}
	if err != nil {
		return nil, unread("a folder in $ARTIFACTS_DIR", err)
	}
	defer sub.Close()
	f, err := sub.Open(".")
	if err != nil {
		return nil, unread("a folder in $ARTIFACTS_DIR", err)
	}
	defer f.Close()
	names, err := f.Readdirnames(maxLeft + 1 - s.seen)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, unread("a folder in $ARTIFACTS_DIR", err)
	}
	if s.seen += len(names); s.seen > maxLeft {
		return nil, refuse("there are more than %d files and folders in $ARTIFACTS_DIR; pack them into an archive", maxLeft)
	}
	slices.Sort(names)
	for _, name := range names {
		if info, err := sub.Lstat(name); err == nil { // else it is gone again
			infos = append(infos, info)
		}
	}
	return infos, nil
}

func (s *search) file(name string, size int64) error {
	// Once it is cut and quoted, a secret in it is not found any more.
	shown := s.mask.hideString(name)
	why := badName(name)
	if shown != name {
		why = "has a secret in it"
	}
	if why != "" {
		return refuse("artifact %.200q cannot be kept: its name %s; give it another", shown, why)
	}
	if size > s.most {
		return refuse("artifact %q has %d bytes, more than artifact_storage.max_file_bytes allows, which is %d", name, size, s.most)
	}
	s.found = append(s.found, store.Artifact{Name: name, Size: size})
	return nil
}

// badName says why a file of that name cannot be kept, "" if it can. Names are
// shown, typed and written to disks of other systems.
func badName(name string) string {
	switch {
	case len(name) > maxArtifactName:
		return fmt.Sprintf("has more than %d bytes", maxArtifactName)
	case !utf8.ValidString(name):
		return "is not UTF-8"
	case slices.Contains(strings.FieldsFunc(name, func(r rune) bool { return r == '/' || r == '\\' }), ".."):
		return `has ".." as a part`
	case strings.ContainsFunc(name, func(r rune) bool { return unicode.Is(unicode.C, r) || r == 0x2028 || r == 0x2029 }):
		return "has a control or invisible character"
	}
	return ""
}

// copyArtifact copies one file, as long as it was when it was found.
func copyArtifact(from *os.Root, to *store.NewArtifacts, a *store.Artifact) error {
	// A fifo that took the file's place would be waited at without O_NONBLOCK.
	f, err := from.OpenFile(a.Name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return errGone
	}
	if err != nil {
		return unread(fmt.Sprintf("artifact %q", a.Name), err)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return refuse("artifact %q was no plain file any more when it was to be kept", a.Name)
	}
	head := make([]byte, sniffed)
	n, err := f.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return unread(fmt.Sprintf("artifact %q", a.Name), err)
	}
	a.Type = contentType(a.Name, head[:n])
	a.Size, err = to.Add(a.File, f, a.Size)
	return err
}

// checkJob makes sure that the job may keep these artifacts beside those that it
// has, and that they do not replace.
func (r *Runner) checkJob(tx *store.Tx, list []store.Artifact) error {
	most := cmp.Or(r.MaxArtifacts, maxArtifacts)
	kept, err := tx.Artifacts(list[0].Job)
	if err != nil {
		return err
	}
	sizes, total := map[string]int64{}, int64(0)
	for i := range kept {
		sizes[kept[i].Name] = kept[i].Size
		total += kept[i].Size
	}
	for i := range list {
		a := &list[i]
		total += a.Size - sizes[a.Name]
		sizes[a.Name] = a.Size
		switch {
		case total > most:
			return refuse("with artifact %q (%d bytes) the job's artifacts have %d bytes, more than artifact_storage.max_job_bytes allows, which is %d",
				a.Name, a.Size, total, most)
		case len(sizes) > maxArtifactCount:
			return refuse("with artifact %q the job has more than %d artifacts; pack them into an archive", a.Name, maxArtifactCount)
		}
	}
	return nil
}

// keepArtifacts writes the rows of what a step left, together with its end. A
// job whose steps together left too much has the later one fail. It returns
// those whose files nobody needs then.
func (r *Runner) keepArtifacts(tx *store.Tx, e *ending) (dropped []store.Artifact, err error) {
	list := e.Artifacts
	if len(list) == 0 || e.Status != store.Completed {
		return list, nil
	}
	err = r.checkJob(tx, list)
	var wrong *unkeepable
	if errors.As(err, &wrong) {
		*e = ending{Status: store.Failed, ExitCode: e.ExitCode, Error: wrong.text}
		return list, nil
	}
	if err != nil {
		return nil, err
	}
	return tx.KeepArtifacts(list)
}
