package web_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"stroem/store"
)

// download asks for a path as it stands, with no part of it made tidy.
func (h *house) download(method, path, bearer string, header http.Header) answer {
	h.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, h.URL, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	req.URL.Opaque = "//" + req.URL.Host + path
	for name, v := range header {
		req.Header[name] = v
	}
	req.Header.Set("X-Forwarded-For", h.address())
	req.Header.Set("Authorization", "Bearer "+bearer)
	client := http.Client{Transport: h.Client().Transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(body)}
}

// Whatever a script wrote, a browser gets it as what it is, and runs nothing.
func TestArtifactsAreSentSafely(t *testing.T) {
	t.Parallel()
	h := build(t, nil, own)
	id := h.job(own)
	bearer, _ := h.key("view", store.APIKey{})
	inline := []string{"image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf", "text/plain; charset=utf-8", "text/markdown; charset=utf-8"}
	types := append(slices.Clone(inline), "text/html; charset=utf-8", "image/svg+xml", "application/xhtml+xml", "text/javascript", "application/json",
		"application/octet-stream", "text/xml", "nonsense", "")
	names := []string{"plain.txt", "dir/a b.txt", `q"uo'te;x=y.html`, `back\slash.txt`, "é日本.txt", "d/%2e%2e.txt", "CON", ".hidden", "-rf", "a%0d%0ab"}
	for i, kind := range types {
		name := fmt.Sprint(i, "/", names[i%len(names)])
		h.leave(id, store.Artifact{Name: name, Type: kind}, strings.NewReader("<script>alert(1)</script>"))
	}
	var list []struct {
		Name      string
		Type      string `json:"content_type"`
		Size      int    `json:"size_bytes"`
		Step      string `json:"step_name"`
		CreatedAt string `json:"created_at"`
		URL       string
	}
	if a := h.ask("GET", "/api/jobs/"+id+"/artifacts", "", bearer); json.Unmarshal([]byte(a.body), &list) != nil || len(list) != len(types) {
		t.Fatalf("%d %s", a.status, a.body)
	}
	for _, item := range list {
		a := h.download("GET", item.URL, bearer, nil)
		how := "attachment"
		if slices.Contains(inline, item.Type) {
			how = "inline"
		}
		got, params, err := mime.ParseMediaType(a.header.Get("Content-Disposition"))
		want := item.Name[strings.LastIndexAny(item.Name, `/\`)+1:]
		if a.status != 200 || a.body != "<script>alert(1)</script>" || err != nil || got != how || params["filename"] != want || item.Step != "s" || item.Size != len(a.body) {
			t.Errorf("%s (%s): %d %q, %v", item.Name, item.Type, a.status, a.header["Content-Disposition"], err)
		}
		for name, want := range map[string]string{"Content-Type": item.Type, "X-Content-Type-Options": "nosniff", "Content-Length": "25",
			"Cache-Control": "private, max-age=0, must-revalidate", "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
			"Cross-Origin-Resource-Policy": "same-origin"} {
			if v := a.header.Values(name); len(v) != 1 || v[0] != want {
				t.Errorf("%s: %s is %q, want %q", item.Name, name, v, want)
			}
		}
		part := h.download("GET", item.URL, bearer, http.Header{"Range": {"bytes=1-6"}})
		again := h.download("GET", item.URL, bearer, http.Header{"If-None-Match": a.header["Etag"]})
		head := h.download("HEAD", item.URL, bearer, nil)
		if part.status != 206 || part.body != "script" || again.status != 304 || head.status != 200 || head.body != "" || head.header.Get("Content-Length") != "25" {
			t.Errorf("%s: a range %v, again %v, head %v", item.Name, part, again.status, head)
		}
	}
	was := h.download("GET", list[0].URL, bearer, nil)
	h.leave(id, store.Artifact{Name: list[0].Name, Type: "text/plain"}, strings.NewReader("another one of 25 bytes !"))
	if a := h.download("GET", list[0].URL, bearer, http.Header{"If-None-Match": was.header["Etag"]}); a.status != 200 || !strings.HasPrefix(a.body, "another") {
		t.Errorf("an overwritten one: %v", a)
	}
}

// No form of a name leads to anything but the artifact of exactly that name.
func TestNoNameInAURLEscapes(t *testing.T) {
	t.Parallel()
	h := build(t, nil, own, foreign)
	id, other := h.job(own), h.job(own)
	bearer, _ := h.key("view", store.APIKey{})
	const canary = "canary-77aa"
	h.leave(id, store.Artifact{Name: "d/f.txt", Type: "text/plain"}, strings.NewReader("mine"))
	h.leave(other, store.Artifact{Name: "f.txt", Type: "text/plain"}, strings.NewReader(canary))
	for _, path := range []string{"canary", "artifacts/canary", "artifacts/d/f.txt"} {
		path = filepath.Join(h.store.Dir(), path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(canary), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	attempts, err := os.ReadDir(filepath.Join(h.store.Dir(), "artifacts"))
	if err != nil {
		t.Fatal(err)
	}
	targets := []string{"canary", "artifacts/canary", "stroem.db", "secret.key", "etc/passwd", other + "/artifacts/f.txt", "f.txt"}
	for _, a := range attempts {
		targets = append(targets, a.Name()+"/0")
	}
	ups := []string{"../", "..%2f", "..%2F", "%2e%2e/", "%2E%2E%2F", "..\\", "..%5c", "..%5C", "%2e%2e%5c", "....//", "..;/", "%252e%252e%252f", "%c0%ae%c0%ae/",
		"..%00/", "%00../", "./", "%2e/", "//", "%2f", "/%2f", "d/../", "d/..%2f", "d%2f..%2f", "\u202e../", "..%ef%bc%8f", "%uff0e%uff0e/", "~/", "..%0a/", "%20../"}
	asked, found := 0, 0
	try := func(name string) {
		asked++
		a := h.download("GET", "/api/jobs/"+id+"/artifacts/"+name, bearer, nil)
		if a.status == http.StatusMovedPermanently { // tidied: where that leads
			if u, err := url.Parse(a.header.Get("Location")); err == nil && strings.HasPrefix(u.Path, "/api/jobs/"+id+"/artifacts/") {
				a = h.download("GET", u.EscapedPath(), bearer, nil)
			}
		}
		switch {
		case strings.Contains(a.body, canary), a.status >= 500, strings.Contains(a.body, "root:"):
			t.Errorf("%q: %d %s", name, a.status, a.body)
		case a.status == 200 && a.body == "mine":
			found++
		case a.status == 200:
			t.Errorf("%q: 200 %s", name, a.body)
		}
	}
	for _, up := range ups {
		for _, target := range targets {
			for _, times := range []int{1, 3} {
				try(strings.Repeat(up, times) + target)
			}
		}
	}
	for _, exact := range []string{"d/f.txt", "d%2ff.txt", "%64/f.txt"} {
		before := found
		if try(exact); found != before+1 {
			t.Errorf("%q is not found", exact)
		}
	}
	for _, name := range []string{"D/f.txt", "d/F.txt", "d/f.txt/", "d/f.txt%00", "d/f.txt%20", "d\\f.txt", "d", "d/", "f.txt", "%00", strings.Repeat("a", 8000), strings.Repeat("a/", 3000), "."} {
		before := found
		if try(name); found != before {
			t.Errorf("%.40q is found", name)
		}
	}
	t.Logf("%d names, %d led to the artifact itself", asked, found)
}

// Of a file that the disk lost it is said that it is lost.
func TestLostArtifactsSaySo(t *testing.T) {
	t.Parallel()
	h := build(t, nil, own)
	id := h.job(own)
	bearer, _ := h.key("view", store.APIKey{})
	spoil := map[string]func(string) error{"gone": os.Remove, "cut": func(path string) error { return os.Truncate(path, 1) }}
	for name, do := range spoil {
		h.leave(id, store.Artifact{Name: name, Type: "text/plain"}, strings.NewReader("text"))
		files, err := filepath.Glob(filepath.Join(h.store.Dir(), "artifacts", id+"-*", "0"))
		if err != nil || len(files) == 0 {
			t.Fatal(files, err)
		}
		for _, file := range files {
			if err := do(file); err != nil {
				t.Fatal(err)
			}
		}
		want := fmt.Sprintf(`the file of artifact \"%s\" is missing or damaged on the server; a backup may have it`, name)
		if a := h.ask("GET", "/api/jobs/"+id+"/artifacts/"+name, "", bearer); a.status != http.StatusNotFound || !strings.Contains(a.body, want) {
			t.Errorf("%s: %v", name, a)
		}
		if err := os.RemoveAll(filepath.Dir(files[0])); err != nil {
			t.Fatal(err)
		}
	}
}

// However large a file is, little of it is in memory.
func TestLargeArtifactsAreStreamed(t *testing.T) {
	const size = 100 << 20
	h := build(t, nil, own)
	id := h.job(own)
	bearer, _ := h.key("view", store.APIKey{})
	h.leave(id, store.Artifact{Name: "big", Type: "application/octet-stream"}, io.LimitReader(zeros{}, size))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.URL+"/api/jobs/"+id+"/artifacts/big", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+bearer)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	res, err := h.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, res.Body)
	res.Body.Close()
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; err != nil || n != size || used > 8<<20 {
		t.Errorf("%d bytes, %v; %d bytes of memory", n, err, used)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
