package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"os"
	"strings"
	"time"

	"stroem/control"
	"stroem/store"
)

// maxShown is how much of an artifact a terminal is given, in bytes.
const maxShown = 1 << 20

type artifactsCmd struct {
	Job    string `arg:"" help:"Job, by its id or how that begins."`
	Name   string `arg:"" optional:"" help:"Artifact to download; without one they are listed."`
	Output string `short:"o" placeholder:"FILE" help:"Write the artifact to this file; without one to standard output."`
	Force  bool   `help:"Replace the file if it is there."`
}

// Help shows how the command is used.
func (artifactsCmd) Help() string {
	return "Artifacts are the files that a step left in $ARTIFACTS_DIR.\n\n" +
		shown("stroem artifacts 01936f2a-7c41", "stroem artifacts 01936f2a-7c41 reports/summary.txt",
			"stroem artifacts 01936f2a-7c41 site.tar.gz -o site.tar.gz", "stroem artifacts 01936f2a-7c41 --json | jq -r '.[].name'")
}

func (c *artifactsCmd) Run(e *env) error {
	switch {
	case c.Name == "" && (c.Output != "" || c.Force):
		return usage("-o and --force go with the name of an artifact; `stroem artifacts %s` lists them", c.Job)
	case c.Name != "" && c.Output == "" && e.json:
		return usage("--json goes with the list, or with -o FILE")
	case c.Output == "" && c.Force:
		return usage("--force goes with -o FILE")
	}
	server, id, err := e.ofJob(c.Job)
	if err != nil {
		return err
	}
	if c.Name == "" {
		return show(e, server, api("jobs", id, "artifacts"), nil, func(list []store.Artifact) { listArtifacts(e, list) })
	}
	if strings.Contains("/"+c.Name+"/", "/../") { // no part of an address
		return fmt.Errorf("no artifact %q in job %s; `stroem artifacts %s` lists them", c.Name, id, id)
	}
	res, err := server.send(e.ctx, http.MethodGet, control.ArtifactPath(id, c.Name), nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if c.Output == "" {
		return e.printArtifact(res)
	}
	return c.save(e, res)
}

// save writes what the server sends to the file that the user named: the name
// that a script gave it counts for nothing.
func (c *artifactsCmd) save(e *env, res *http.Response) error {
	if _, err := os.Lstat(c.Output); !errors.Is(err, fs.ErrNotExist) && !c.Force {
		return fmt.Errorf("%s is there already; name another file, or replace it with --force", c.Output)
	}
	var n int64
	err := writeAtomically(c.Output, func(w io.Writer) (err error) {
		n, err = io.Copy(w, res.Body)
		return err
	})
	switch {
	case err != nil:
		return fmt.Errorf("download %s: %w", c.Name, err)
	case e.json:
		return e.printJSON(map[string]any{"name": c.Name, "content_type": res.Header.Get("Content-Type"), "size_bytes": n, "file": c.Output})
	}
	e.println(fmt.Sprintf("Downloaded %s to %s (%s).", clean(c.Name), c.Output, size(uint64(n))))
	return nil
}

// printArtifact writes what the server sends to standard output: as it is, but
// to a terminal only text that is fit to be read there.
func (e *env) printArtifact(res *http.Response) error {
	if e.terminal() == nil {
		_, err := io.Copy(e.stdout, res.Body)
		return err
	}
	kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if !control.IsText(kind) || res.ContentLength > maxShown {
		return usage("it is %s of %s, which is not for a terminal; name a file with -o, or hand it on with |", kind, size(uint64(max(0, res.ContentLength))))
	}
	text, err := io.ReadAll(io.LimitReader(res.Body, maxShown))
	if err != nil {
		return err
	}
	_, err = io.WriteString(e.stdout, control.Clean(string(text)))
	return err
}

func listArtifacts(e *env, list []store.Artifact) {
	if len(list) == 0 {
		e.println("No artifacts.")
		return
	}
	t, now := e.terminal(), time.Now()
	var rows [][]string
	for i := range list {
		a := &list[i]
		created := a.CreatedAt.Format(time.RFC3339)
		if t != nil {
			created = ago(a.CreatedAt, now)
		}
		kind, _, _ := strings.Cut(a.Type, ";")
		rows = append(rows, []string{a.Name, size(uint64(a.Size)), kind, a.Step, created})
	}
	e.table([]column{{head: "ARTIFACT", least: 12}, {head: "SIZE", right: true}, {head: "TYPE", least: 8}, {head: "STEP", least: 6}, {head: "CREATED"}}, rows)
}
