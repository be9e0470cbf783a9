package control

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strings"

	"stroem/store"
)

// Artifacts lists what the steps of a job left, by name.
func (p *Plane) Artifacts(ctx context.Context, id string) (list []store.Artifact, err error) {
	err = p.Store.View(ctx, func(tx *store.Tx) error {
		job, err := p.job(ctx, tx, id)
		if err == nil {
			list, err = tx.Artifacts(job.Seq)
		}
		return err
	})
	return list, err
}

// OpenArtifact opens what the steps of a job left under that name. Whoever
// calls closes the file.
func (p *Plane) OpenArtifact(ctx context.Context, id, name string) (a store.Artifact, f *os.File, err error) {
	for range 2 { // another step may leave one of that name in between
		if a, err = p.artifact(ctx, id, name); err != nil {
			return a, nil, err
		}
		if f, err = p.Store.OpenArtifact(&a); !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	if store.IsLost(err) {
		err = &Error{Code: NotFound, Msg: fmt.Sprintf("the file of artifact %q is missing or damaged on the server; a backup may have it", name)}
	}
	return a, f, err
}

func (p *Plane) artifact(ctx context.Context, id, name string) (a store.Artifact, err error) {
	err = p.Store.View(ctx, func(tx *store.Tx) error {
		job, err := p.job(ctx, tx, id)
		if err != nil {
			return err
		}
		if a, err = tx.Artifact(job.Seq, name); !errors.Is(err, store.ErrNotFound) {
			return err
		}
		list, err := tx.Artifacts(job.Seq)
		if err != nil {
			return err
		}
		var known []string
		for _, other := range list {
			known = append(known, other.Name)
		}
		return missing("artifact", name, " in job "+job.ID, known)
	})
	return a, err
}

// ArtifactPath is where REST has the artifact.
func ArtifactPath(job, name string) string {
	parts := strings.Split(name, "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return "/api/jobs/" + job + "/artifacts/" + strings.Join(parts, "/")
}

// IsText reports whether files of the type are shown as text. An SVG is: few
// models take it as an image.
func IsText(kind string) bool {
	switch kind {
	case "application/json", "application/jsonl", "application/yaml", "application/xml", "application/toml", "application/sql", "image/svg+xml":
		return true
	}
	return strings.HasPrefix(kind, "text/")
}
