package web

import (
	"context"
	"fmt"
	"mime"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"stroem/control"
	"stroem/store"
)

type artifactItem struct {
	Name      string    `json:"name"`
	Type      string    `json:"content_type"`
	Size      int64     `json:"size_bytes"`
	Step      string    `json:"step_name"`
	CreatedAt time.Time `json:"created_at"`
	URL       string    `json:"url" doc:"Where it can be downloaded."`
}

func (s *site) artifactRoutes(api huma.API) {
	route(s, api, "artifacts", http.MethodGet, "/api/jobs/{id}/artifacts", "List the files that a job's steps left", s.artifacts)
	const path = "/api/jobs/{id}/artifacts/{name"
	op := operation("artifact", http.MethodGet, path+"...}", "A file that a job's step left")
	op.Responses = map[string]*huma.Response{"200": {Description: "OK", Content: map[string]*huma.MediaType{
		"application/octet-stream": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}}}
	huma.Register(api, op, s.artifact)
	all := api.OpenAPI().Paths // where the rest of a path is written as any other part
	all[path+"}"] = all[path+"...}"]
	delete(all, path+"...}")
}

func (s *site) artifacts(ctx context.Context, in *JobID) ([]artifactItem, error) {
	found, err := s.cfg.Plane.Artifacts(ctx, in.ID)
	list := []artifactItem{}
	for i := range found {
		a := &found[i]
		list = append(list, artifactItem{a.Name, a.Type, a.Size, a.Step, a.CreatedAt, control.ArtifactPath(in.ID, a.Name)})
	}
	return list, err
}

// artifact answers with the file, or with the range of it that is asked for.
func (s *site) artifact(ctx context.Context, in *struct {
	JobID
	Name string `path:"name" doc:"The artifact's name, with / between folders"`
}) (*huma.StreamResponse, error) {
	a, f, err := s.cfg.Plane.OpenArtifact(ctx, in.ID, in.Name)
	if err != nil {
		return nil, s.fault(err)
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		defer f.Close()
		sendArtifact(hc, &a, f)
	}}, nil
}

// sendArtifact sends a file that a script wrote: whatever it holds, a browser
// must take it for nothing but what its type says, and run nothing of it.
func sendArtifact(hc huma.Context, a *store.Artifact, f *os.File) {
	r, w := humago.Unwrap(hc)
	h := w.Header()
	h.Set("Content-Type", a.Type)
	h.Set("Content-Disposition", disposition(a))
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox")
	h.Set("Cache-Control", "private, max-age=0, must-revalidate")
	h.Set("ETag", fmt.Sprintf("%q", fmt.Sprint(a.Attempt, "-", a.File))) // a name can be given again
	out := patient{w, http.NewResponseController(w)}
	http.ServeContent(out, r, "", a.CreatedAt, f)
	out.end()
}

// shownInline are the types that a browser may show in its window.
var shownInline = map[string]bool{"image/png": true, "image/jpeg": true, "image/gif": true, "image/webp": true,
	"application/pdf": true, "text/plain": true, "text/markdown": true}

// disposition says what a browser does with the file, and under which name it
// saves it (RFC 6266): the last part of the artifact's, on any system.
func disposition(a *store.Artifact) string {
	how := "attachment"
	if kind, _, err := mime.ParseMediaType(a.Type); err == nil && shownInline[kind] {
		how = "inline"
	}
	name := a.Name[strings.LastIndexAny(a.Name, `/\`)+1:]
	return mime.FormatMediaType(how, map[string]string{"filename": name})
}

// patient is a ResponseWriter that gives up on a reader who takes nothing for a
// while.
type patient struct {
	http.ResponseWriter
	ctl *http.ResponseController
}

func (p patient) Write(b []byte) (int, error) {
	_ = p.ctl.SetWriteDeadline(time.Now().Add(sendTimeout)) // where that cannot be, the server's own limits hold
	return p.ResponseWriter.Write(b)
}

// end sends what is left, and frees the connection for what is asked next.
func (p patient) end() {
	if p.ctl.Flush() == nil {
		_ = p.ctl.SetWriteDeadline(time.Time{})
	}
}
