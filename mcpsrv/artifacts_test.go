package mcpsrv_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"
)

const leaving = `
tasks:
  leaves:
    flow:
      s:
        type: script
        script: |
          cd "$ARTIFACTS_DIR"
          mkdir -p reports
          printf 'all\033[31m is\r\n\xff well\n' > reports/summary.txt
          printf '{"a": 1}' > data.json
          printf '\211PNG\r\n\032\n' > shot.png
          printf '<svg/>' > shape.svg
          printf '\001\002' > it\'s.bin
          head -c 1048576 /dev/zero | tr '\0' x > border.txt
          head -c 1048577 /dev/zero | tr '\0' x > over.txt
          head -c 1048576 /dev/zero > zeros.txt
  none: {flow: {s: {type: script, script: 'true'}}}
  many: {flow: {s: {type: script, script: 'cd "$ARTIFACTS_DIR"; i=100; while [ $i -lt 145 ]; do echo $i > $i; i=$((i+1)); done'}}}
`

// get is the result of get_artifact, and its first block.
func (a *agent) get(id, name string) (*mcp.CallToolResult, mcp.Content) {
	a.t.Helper()
	args, err := json.Marshal(map[string]string{"job_id": id, "name": name})
	if err != nil {
		a.t.Fatal(err)
	}
	res := a.result("get_artifact", string(args))
	return res, res.Content[0]
}

func TestAgentsFetchWhatStepsLeft(t *testing.T) {
	t.Parallel()
	a := connectTo(t, leaving)
	id := a.run("leaves", "{}")
	if texts, _ := a.call("get_job_status", fmt.Sprintf(`{"job_id":%q}`, id)); !strings.Contains(texts[0], `"artifacts":8`) {
		t.Errorf("status: %s", texts[0])
	}
	texts, _ := a.call("list_artifacts", fmt.Sprintf(`{"job_id":%q}`, id))
	var list []struct {
		Name      string
		Type      string `json:"content_type"`
		Size      int    `json:"size_bytes"`
		Step      string `json:"step_name"`
		CreatedAt string `json:"created_at"`
		URL       string
	}
	if err := json.Unmarshal([]byte(texts[0]), &list); err != nil || len(list) != 8 || len(texts) != 1 {
		t.Fatalf("%v: %s", err, texts)
	}
	if l := list[4]; l.Name != "reports/summary.txt" || l.Type != "text/plain; charset=utf-8" || l.Size != 20 || l.Step != "s" || l.CreatedAt == "" ||
		l.URL != "/api/jobs/"+id+"/artifacts/reports/summary.txt" {
		t.Errorf("listed: %+v", l)
	}
	for name, want := range map[string]string{"reports/summary.txt": "all is\n\ufffd well\n", "data.json": `{"a": 1}`, "shape.svg": "<svg/>",
		"border.txt": strings.Repeat("x", 1<<20)} {
		res, block := a.get(id, name)
		if text, ok := block.(mcp.TextContent); !ok || text.Text != want || len(res.Content) != 1 || res.IsError {
			t.Errorf("%s: %.200v", name, block)
		}
		if doc, err := json.Marshal(res.StructuredContent); err != nil || !strings.Contains(string(doc), fmt.Sprintf(`"name":%q`, name)) || len(doc) > 1<<10 {
			t.Errorf("%s: structured %.200s", name, doc)
		}
	}
	if _, block := a.get(id, "shot.png"); fmt.Sprint(block) != fmt.Sprint(mcp.NewImageContent(base64.StdEncoding.EncodeToString([]byte("\x89PNG\r\n\x1a\n")), "image/png")) {
		t.Errorf("an image: %v", block)
	}
	_, block := a.get(id, "it's.bin")
	embedded, ok := block.(mcp.EmbeddedResource)
	blob, isBlob := embedded.Resource.(mcp.BlobResourceContents)
	if !ok || !isBlob || blob.URI != "stroem://artifacts/"+id+"/it%27s.bin" && blob.URI != "stroem://artifacts/"+id+"/it's.bin" || blob.Blob != "AQI=" || blob.MIMEType != "application/octet-stream" {
		t.Errorf("a blob: %+v", block)
	}
	res, _ := a.get(id, "zeros.txt")
	if text := res.Content[0].(mcp.TextContent).Text; len(text) > 1<<20 || len(res.Content) != 2 || !strings.HasPrefix(text, `\x00\x00`) {
		t.Errorf("text that grows: %d bytes, %d blocks", len(text), len(res.Content))
	}
	for name, want := range map[string]string{
		"over.txt": fmt.Sprintf(`artifact "over.txt" has 1048577 bytes, and a result holds at most 1048576 of one; GET /api/jobs/%[1]s/artifacts/over.txt `+
			`on this server gives it, and so does: stroem artifacts %[1]s 'over.txt' -o FILE`, id),
		"report/summary.txt": fmt.Sprintf(`no artifact "report/summary.txt" in job %s; did you mean "reports/summary.txt"? list_artifacts shows the job's artifacts`, id),
		"../../stroem.db":    fmt.Sprintf(`no artifact "../../stroem.db" in job %s; list_artifacts shows the job's artifacts`, id),
	} {
		if res, block := a.get(id, name); !res.IsError || block.(mcp.TextContent).Text != want {
			t.Errorf("%s: %v", name, block)
		}
	}
}

func TestListsOfArtifactsGoOn(t *testing.T) {
	t.Parallel()
	a := connectTo(t, leaving)
	none, id := a.run("none", "{}"), a.run("many", "{}")
	if texts, _ := a.call("list_artifacts", fmt.Sprintf(`{"job_id":%q}`, none)); texts[0] != "[]" {
		t.Errorf("none: %s", texts)
	}
	if texts, _ := a.call("get_job_status", fmt.Sprintf(`{"job_id":%q}`, none)); strings.Contains(texts[0], "artifacts") {
		t.Errorf("none: %s", texts[0])
	}
	texts, _ := a.call("list_artifacts", fmt.Sprintf(`{"job_id":%q}`, id))
	if len(texts) != 2 || texts[1] != `20 of 45 artifacts are shown; cursor:"119" shows the next ones` {
		t.Errorf("%q", texts[1:])
	}
	texts, _ = a.call("list_artifacts", fmt.Sprintf(`{"job_id":%q,"cursor":"119","limit":100}`, id))
	if len(texts) != 1 || !strings.HasPrefix(texts[0], `[{"name":"120"`) || strings.Count(texts[0], `"name"`) != 25 {
		t.Errorf("%q", texts)
	}
	if texts, isError := a.call("list_artifacts", `{"job_id":"x"}`); !isError || !strings.HasPrefix(texts[0], `no job "x"; `) {
		t.Errorf("no job: %s", texts)
	}
}
