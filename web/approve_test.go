package web_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// asking starts a job and waits until its step asks for a person.
func asking(t *testing.T, srv *httptest.Server) (job string) {
	t.Helper()
	id := start(t, srv, "gate", "")
	stream(t, srv, "/api/jobs/"+id+"/logs/stream", nil, func(e event) bool { return strings.Contains(e.data, `"status":"suspended"`) })
	return "/api/jobs/" + id
}

func TestStepIsApprovedOnce(t *testing.T) {
	t.Parallel()
	srv := site(t, nil)
	job := asking(t, srv)
	_, body := ask(t, srv, http.MethodGet, job, "", nil)
	for _, want := range []string{`"suspended_at":"2`, `"approval_deadline":"2`, `"status":"running"`,
		`"approval_fields":{"why":{"type":"string","required":true},"n":{"type":"integer","default":3}}`} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in %s", want, body)
		}
	}
	for _, tc := range []struct {
		step, body string
		status     int
		want       string
	}{
		{"ask", `{"approved":true}`, 400, `{"error":"step \"ask\" was not approved: input \"why\" is missing"}`},
		{"ask", `{"approved":true,"input":{"n":"x","z":1}}`, 400, `input \"why\" is missing. input \"n\" must be an integer`},
		{"ask", `{"approved":true,"input":[1]}`, 400, "must be a JSON object"},
		{"ask", `{"input":{"why":"x"}}`, 400, "is not the JSON that is asked for"},
		{"ask", `{"approved":true,"input":{"why":"x"},"rejection_reason":"y"}`, 400, "a reason goes with a rejection"},
		{"ask", `{"approved":false,"input":{"why":"x"}}`, 400, "an input goes with an approval"},
		{"asc", `{"approved":true}`, 404, `did you mean \"ask\"?`},
		{"ask", `{"approved":true,"input":{"why":"x"}}`, 200, `{"status":"approved"}`},
		{"ask", `{"approved":true,"input":{"why":"x"}}`, 409, "does not wait for an answer"},
		{"ask", `{"approved":false}`, 409, "does not wait for an answer"},
	} {
		res, body := ask(t, srv, http.MethodPost, job+"/steps/"+tc.step+"/approve", tc.body, nil)
		if res.StatusCode != tc.status || !strings.Contains(body, tc.want) {
			t.Errorf("%s: %d %s, want %d %s", tc.body, res.StatusCode, body, tc.status, tc.want)
		}
	}
	if _, body := ask(t, srv, http.MethodGet, job, "", nil); !strings.Contains(body, `"approved_by":"anonymous"`) ||
		!strings.Contains(body, `"input":{"n":3,"why":"x"}`) {
		t.Error(body)
	}
	res, body := ask(t, srv, http.MethodPost, "/api/jobs/018f2a7c-0000-7000-8000-000000000000/steps/ask/approve", `{"approved":true}`, nil)
	if res.StatusCode != 404 || !strings.Contains(body, "no job") {
		t.Errorf("%d %s", res.StatusCode, body)
	}
}

func TestStepIsRejected(t *testing.T) {
	t.Parallel()
	srv := site(t, nil)
	job := asking(t, srv)
	res, body := ask(t, srv, http.MethodPost, job+"/steps/ask/approve", `{"approved":false,"rejection_reason":"no","input":{}}`, nil)
	if res.StatusCode != 200 || strings.TrimSpace(body) != `{"status":"rejected"}` {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	if _, body := ask(t, srv, http.MethodGet, job, "", nil); !strings.Contains(body, `"status":"failed"`) ||
		!strings.Contains(body, `"error_message":"no"`) {
		t.Error(body)
	}
}
