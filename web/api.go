package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/google/uuid"

	"stroem/auth"
	"stroem/control"
)

// apiError is an error in Strøm's shape.
type apiError struct {
	status int
	header http.Header
	Text   string `json:"error" doc:"What is wrong, in a sentence."`
	Retry  int    `json:"retry_after_secs,omitempty"`
}

func (e *apiError) Error() string           { return e.Text }
func (e *apiError) GetStatus() int          { return e.status }
func (e *apiError) GetHeaders() http.Header { return e.header }

// newAPIError is how huma makes its own errors ours: about a body or a query
// that does not fit, for which Strøm answers 400.
func newAPIError(status int, msg string, errs ...error) huma.StatusError {
	if status == http.StatusUnprocessableEntity {
		status = http.StatusBadRequest
	}
	var told []string
	for _, err := range errs {
		told = append(told, tell(err))
	}
	if len(told) > 0 {
		msg = strings.Join(told, "; ")
	}
	return &apiError{status: status, Text: msg}
}

// tell says what is wrong and where, and never the value that is: it may be a
// secret.
func tell(err error) string {
	var detail *huma.ErrorDetail
	if !errors.As(err, &detail) {
		var own *apiError
		if errors.As(err, &own) {
			return own.Text
		}
		return "the request does not fit"
	}
	msg := detail.Message
	switch {
	case strings.HasPrefix(msg, "unknown content type"):
		return "the Content-Type of a request with a body is application/json"
	case detail.Location == "body" || strings.Contains(msg, "unmarshal") || strings.Contains(msg, "invalid character"):
		return "the body is not the JSON that is asked for here: /api/openapi.json describes it"
	case detail.Location == "":
		return msg
	}
	return detail.Location + ": " + msg
}

// statuses translates the kinds of errors.
var statuses = map[control.Code]int{
	control.Invalid: http.StatusBadRequest, control.NotFound: http.StatusNotFound,
	control.Conflict: http.StatusConflict, control.Forbidden: http.StatusForbidden, control.TooSoon: http.StatusTooManyRequests,
	control.Unavailable: http.StatusServiceUnavailable,
}

// fault is err as this door tells it. What is our own fault goes to the log,
// and the caller gets a reference to it.
func (s *site) fault(err error) error {
	var known huma.StatusError
	var denied *auth.Error
	switch code := control.CodeOf(err); {
	case err == nil:
		return nil
	case errors.As(err, &known):
		return err
	case errors.As(err, &denied) && denied.Code != auth.Internal:
		return denial(denied)
	case code == control.TooSoon || code == control.Unavailable:
		return &apiError{status: statuses[code], Text: err.Error(), header: http.Header{"Retry-After": {"5"}}}
	case code != control.Internal:
		return &apiError{status: statuses[code], Text: err.Error()}
	}
	ref := uuid.NewString()[:8]
	if !errors.Is(err, context.Canceled) {
		s.cfg.Log.Error("request failed", "ref", ref, "err", err)
	}
	return &apiError{status: http.StatusInternalServerError, Text: "Internal server error (reference " + ref + ")"}
}

// body is an answer whose body is T.
type body[T any] struct{ Body T }

// route adds an operation to the API and to its description.
func route[In, Out any](s *site, api huma.API, id, method, path, summary string, fn func(context.Context, *In) (Out, error)) {
	huma.Register(api, operation(id, method, path, summary), func(ctx context.Context, in *In) (*body[Out], error) {
		out, err := fn(ctx, in)
		if err != nil {
			return nil, s.fault(err)
		}
		return &body[Out]{out}, nil
	})
}

func operation(id, method, path, summary string) huma.Operation {
	errs := []int{http.StatusBadRequest, http.StatusInternalServerError}
	if strings.Contains(path, "{") {
		errs = append(errs, http.StatusNotFound)
	}
	errs = append(errs, map[string][]int{"cancel": {http.StatusConflict, http.StatusServiceUnavailable},
		"approve": {http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusServiceUnavailable},
		"rerun":   {http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusServiceUnavailable},
		"refresh": {http.StatusTooManyRequests, http.StatusServiceUnavailable},
		"execute": {http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusServiceUnavailable}}[id]...)
	// The guard has read the body. A time limit for that would end the request
	// itself, and with it whatever else its connection asks.
	return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, Errors: errs,
		MaxBodyBytes: maxBody, BodyReadTimeout: -1, DefaultStatus: http.StatusOK}
}

// api registers every REST route.
func (s *site) api(mux *http.ServeMux) {
	huma.NewError = newAPIError // huma has this for the whole process alone
	cfg := huma.DefaultConfig("Strøm", s.cfg.Version)
	cfg.OpenAPIPath = "/api/openapi"
	cfg.DocsPath, cfg.SchemasPath = "", "" // its page loads from elsewhere
	cfg.CreateHooks = nil                  // no $schema in answers
	cfg.RejectUnknownQueryParameters = true
	api := humago.New(mux, cfg)

	route(s, api, "config", http.MethodGet, "/api/config", "What this server is", s.config)
	route(s, api, "workspaces", http.MethodGet, "/api/workspaces", "List workspaces", s.workspaces)
	route(s, api, "refresh", http.MethodPost, "/api/workspaces/{ws}/refresh", "Load a workspace anew", s.refresh)
	route(s, api, "triggers", http.MethodGet, "/api/workspaces/{ws}/triggers", "List a workspace's triggers", s.triggers)
	route(s, api, "all-tasks", http.MethodGet, "/api/tasks", "List the tasks of all workspaces", s.allTasks)
	route(s, api, "tasks", http.MethodGet, "/api/workspaces/{ws}/tasks", "List a workspace's tasks", s.tasks)
	route(s, api, "task", http.MethodGet, "/api/workspaces/{ws}/tasks/{task}", "A task's definition", s.task)
	route(s, api, "task-stats", http.MethodGet, "/api/workspaces/{ws}/tasks/{task}/stats", "How long a task's runs took", s.taskStats)
	route(s, api, "execute", http.MethodPost, "/api/workspaces/{ws}/tasks/{task}/execute", "Start a task", s.execute)
	route(s, api, "stats", http.MethodGet, "/api/stats", "How many jobs are in each state", s.stats)
	route(s, api, "jobs", http.MethodGet, "/api/jobs", "List jobs, the newest first", s.jobs)
	route(s, api, "job", http.MethodGet, "/api/jobs/{id}", "A job with its steps", s.job)
	route(s, api, "cancel", http.MethodPost, "/api/jobs/{id}/cancel", "Cancel a job", s.cancel)
	route(s, api, "rerun", http.MethodPost, "/api/jobs/{id}/rerun", "Run an ended job again", s.rerun)
	route(s, api, "approve", http.MethodPost, "/api/jobs/{id}/steps/{step}/approve", "Answer a step that waits for a person", s.approve)
	s.logRoutes(api)
	s.artifactRoutes(api)
	s.authRoutes(api)
	s.oauthRoutes(api)
	for _, item := range api.OpenAPI().Paths { // newAPIError answers 400 in its place
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Delete} {
			if op != nil {
				delete(op.Responses, "422")
			}
		}
	}
}

// JobID is the id of a job in a path, in the form that ids have. It is
// exported for huma, which fills in no others.
type JobID struct {
	ID string `path:"id" doc:"Job id"`
}

// Resolve implements huma.Resolver: what cannot be an id is a 400, as in Strøm.
func (j *JobID) Resolve(huma.Context) []error {
	id, err := uuid.Parse(j.ID)
	if err == nil && len(j.ID) == len(id.String()) {
		j.ID = id.String()
		return nil
	}
	return []error{&apiError{status: http.StatusBadRequest, Text: "Invalid job ID: it is a UUID, as execute returned it"}}
}

// rawJSON is JSON that passes through as it is, object one that is built here.
type (
	rawJSON = json.RawMessage
	object  = map[string]any
)
