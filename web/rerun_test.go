package web_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

func TestJobIsRunAgain(t *testing.T) {
	t.Parallel()
	srv := site(t, nil)
	id := start(t, srv, "hello", `{"input":{"name":"Ada"}}`)
	wait(t, srv, id)
	path := "/api/jobs/" + id + "/rerun"
	res, body := ask(t, srv, http.MethodPost, path, "", nil)
	var again struct {
		ID string `json:"job_id"`
	}
	if err := json.Unmarshal([]byte(body), &again); err != nil || res.StatusCode != 200 || again.ID == id {
		t.Fatalf("%d %s", res.StatusCode, body)
	}
	wait(t, srv, again.ID)
	_, body = ask(t, srv, http.MethodGet, "/api/jobs/"+again.ID, "", nil)
	for _, want := range []string{`"source_type":"rerun"`, `"source_job_id":"` + id + `"`, `"name":"Ada"}`, `"status":"completed"`} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in %s", want, body)
		}
	}
	for _, tc := range []struct {
		path, body string
		status     int
		want       string
	}{
		{path, `{"from_failed":true}`, 409, "every step of job " + id + " completed"},
		{path, `{"from_faild":true}`, 400, "from_faild"},
		{"/api/jobs/018f2a7c-0000-7000-8000-000000000000/rerun", `{}`, 404, "no job"},
	} {
		if res, body := ask(t, srv, http.MethodPost, tc.path, tc.body, nil); res.StatusCode != tc.status || !strings.Contains(body, tc.want) {
			t.Errorf("%s: %d %s", tc.body, res.StatusCode, body)
		}
	}
}
