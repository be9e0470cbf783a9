//go:build unix

package runner_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"stroem/runner"
	"stroem/store"
)

// kept are the job's artifacts with what they hold.
func (r *rig) kept(job store.Job) (list []store.Artifact, texts map[string]string) {
	r.t.Helper()
	err := r.st.View(context.Background(), func(tx *store.Tx) (err error) {
		list, err = tx.Artifacts(job.Seq)
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	texts = map[string]string{}
	for i := range list {
		f, err := r.st.OpenArtifact(&list[i])
		if err != nil {
			r.t.Fatal(err)
		}
		text, err := io.ReadAll(f)
		f.Close()
		if err != nil {
			r.t.Fatal(err)
		}
		texts[list[i].Name] = string(text)
	}
	return list, texts
}

// onDisk lists what lies in the folder of artifacts: nothing but files.
func (r *rig) onDisk() (list []string) {
	r.t.Helper()
	root := filepath.Join(r.st.Dir(), "artifacts")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case os.IsNotExist(err):
			return nil
		case err == nil && !d.IsDir() && d.Name() != ".lock":
			list = append(list, path)
			if !d.Type().IsRegular() {
				r.t.Errorf("%s is %v", path, d.Type())
			}
		}
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return list
}

func TestArtifactsOfASuccessfulStepAreKept(t *testing.T) {
	t.Parallel()
	r := newRig(t, `
tasks:
  t:
    flow:
      a:
        type: script
        script: |
          cd "$ARTIFACTS_DIR"
          mkdir -p reports/html empty
          echo all is well > reports/summary.txt
          echo '<script>' > reports/html/index.html
          printf '\211PNG\r\n\032\n' > picture
          : > nothing
          echo first > same
          ln -s reports/summary.txt link; ln -s / rootdir; ln -s gone dangling
          mkfifo fifo
      b: {type: script, script: 'echo second > "$ARTIFACTS_DIR/same"', depends_on: [a]}
      c: {type: script, script: 'echo half > "$ARTIFACTS_DIR/half"; exit 3', depends_on: [b]}
`)
	job := r.submit("t", nil)
	if res := r.wait(job); res.steps["b"].Status != store.Completed || res.steps["c"].Status != store.Failed {
		t.Fatalf("%+v", res.steps)
	}
	r.halt()
	list, texts := r.kept(job)
	if diff := cmp.Diff(map[string]string{"reports/summary.txt": "all is well\n", "reports/html/index.html": "<script>\n",
		"picture": "\x89PNG\r\n\x1a\n", "nothing": "", "same": "second\n"}, texts); diff != "" {
		t.Error(diff)
	}
	var shown []string
	for _, a := range list {
		shown = append(shown, fmt.Sprint(a.Name, " ", a.Step, " ", a.Type, " ", a.Size))
	}
	if diff := cmp.Diff([]string{"nothing a text/plain; charset=utf-8 0", "picture a image/png 8", "reports/html/index.html a text/html; charset=utf-8 9",
		"reports/summary.txt a text/plain; charset=utf-8 12", "same b text/plain; charset=utf-8 7"}, shown); diff != "" {
		t.Error(diff)
	}
	if got := r.onDisk(); len(got) != len(list) {
		t.Errorf("on disk: %q", got)
	}
}

// make is a line of sh that makes a file of any name, given in octal.
func makeFile(name string) string {
	var octal strings.Builder
	for _, b := range []byte(name) {
		fmt.Fprintf(&octal, `\%03o`, b)
	}
	return fmt.Sprintf(`n=$(printf '%s'); mkdir -p -- "$ARTIFACTS_DIR/$(dirname -- "./$n")"; echo x > "$ARTIFACTS_DIR/$n"`, octal.String())
}

// Names of all kinds are kept to the byte, or fail the step with a sentence,
// and none of them is ever a path.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	var fine, bad []string
	for _, s := range []string{"%2e%2e%2f", "%2F", "..", "...", "%00", "~", "$HOME", "`id`", "-rf", "con", "NUL.txt", "a:b", "C:", "x\"y", "x'y",
		"<b>", "é", "e\u0301", "日本", "ß", "İ", "ﬁ", "*", "?", "[a]", ";", "|", "&", "#", " ", "a b", "{{ x }}", "..%5c", "%c0%ae", "\\", "a\\b", "\U0001f600"} {
		for _, form := range []string{"x%s", "%sx", "d/%sx", "y%s/f", ".%s.x"} {
			fine = append(fine, fmt.Sprintf(form, s))
		}
	}
	for _, s := range []string{"\n", "\r", "\t", "\x1b[31m", "\x7f", "\x01", "\xff", "\xc3\x28", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc0\xae", "\u202e", "\u200b",
		"\u2028", "\u0085", "\u00ad", "\ufeff", "\ue000"} {
		for _, form := range []string{"x%sx", "d/x%sx", "x%sx/f", "..%sx"} {
			bad = append(bad, fmt.Sprintf(form, s))
		}
	}
	bad = append(bad, `..\x`, `x\..`, `x\..\..\y`, `d/..\x`, `..\..\..\etc\passwd`, `\..\x`, strings.Repeat("d/", 520)+"x")
	var yaml strings.Builder
	yaml.WriteString("tasks:\n")
	task := func(name string, lines ...string) {
		fmt.Fprintf(&yaml, "  %s:\n    flow:\n      s:\n        type: script\n        interpreter: sh\n        script: |\n%s", name,
			indent(strings.Join(append([]string{"set -e"}, lines...), "\n"), 10))
	}
	var lines []string
	slices.Sort(fine)
	fine = slices.Compact(fine)
	for _, name := range fine {
		lines = append(lines, makeFile(name))
	}
	task("fine", lines...)
	for i, name := range bad {
		task(fmt.Sprint("bad", i), makeFile("good"), makeFile(name))
	}
	r := newRig(t, yaml.String())
	good := r.submit("fine", nil)
	var jobs []store.Job
	for i := range bad {
		jobs = append(jobs, r.submit(fmt.Sprint("bad", i), nil))
	}
	if s := r.wait(good).steps["s"]; s.Status != store.Completed {
		t.Fatalf("%s: %s", s.Status, s.Error)
	}
	_, texts := r.kept(good)
	if got := slices.Sorted(maps.Keys(texts)); !slices.Equal(got, fine) {
		t.Error(cmp.Diff(fine, got))
	}
	for i, job := range jobs {
		s := r.wait(job).steps["s"]
		if _, texts := r.kept(job); s.Status != store.Failed || !strings.Contains(s.Error, "rtifact") && !strings.Contains(s.Error, "ARTIFACTS_DIR") || len(texts) > 0 {
			t.Errorf("%q: %s %q, kept %q", bad[i], s.Status, s.Error, texts)
		}
	}
	r.halt()
	if got := r.onDisk(); len(got) != len(fine) {
		t.Errorf("%d files on disk, want %d", len(got), len(fine))
	}
	t.Logf("%d names kept, %d refused", len(fine), len(bad))
}

// A name that tells a secret is not kept, and the refusal does not tell it
// either, however long and odd the rest of the name.
func TestNoArtifactIsNamedAfterASecret(t *testing.T) {
	t.Parallel()
	const secret, ours = `hunter2"the/é-secret`, "open-sesame-42"
	names := map[string]string{
		"plain":   `x-$KEY.txt`,
		"folders": `in/$TOKEN.d/file`,
		"encoded": `$(printf '%s' "$KEY" | base64)`,
		"long":    `$(printf '%0187d' 0)-$TOKEN`,
		"odd":     "$(printf '\\033')$TOKEN",
		"deep":    `$(printf '%0187d' 0)-$TOKEN/$(printf '%0250d/' 0 0 0 0)d`,
	}
	var yaml strings.Builder
	fmt.Fprintf(&yaml, "secrets: {token: %q}\ntasks:\n", secret)
	for task, name := range names {
		fmt.Fprintf(&yaml, "  %s: {input: {key: {type: string, secret: true}}, flow: {s: {type: script, env: {TOKEN: %q, KEY: %q}, script: %q}}}\n", task,
			"{{ secret.token }}", "{{ input.key }}", `f="$ARTIFACTS_DIR/`+name+`"; mkdir -p "$(dirname "$f")"; : > "$f"`)
	}
	r := newRig(t, yaml.String())
	for task := range names {
		res := r.run(task, map[string]any{"key": ours})
		s := res.steps["s"]
		if s.Status != store.Failed || task != "deep" && !strings.Contains(s.Error, "its name has a secret in it; give it another") {
			t.Errorf("%s: %s %s", task, s.Status, s.Error)
		}
		if strings.Contains(s.Error, "hunter2") || strings.Contains(s.Error, "sesame") {
			t.Errorf("%s: the refusal tells it: %s", task, s.Error)
		}
		if list, _ := r.kept(res.Job); len(list) > 0 {
			t.Errorf("%s: kept %v", task, list)
		}
	}
	r.halt()
	if files := append(r.leaks("hunter2"), r.leaks(ours)...); len(files) > 0 {
		t.Errorf("found in %v", files)
	}
}

// No link, and nothing that is put in the place of the folder, leads to what
// lies outside of it.
func TestNoTreeEscapes(t *testing.T) {
	t.Parallel()
	outside := t.TempDir()
	const canary = "canary-5b1c"
	for _, name := range []string{"secret", "dir/secret"} {
		path := filepath.Join(outside, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(canary), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var links []string
	for i, target := range []string{outside, outside + "/secret", outside + "/dir", "/", "/etc", "/etc/passwd", "/proc/self/root", "/proc/self/environ", "/dev/zero",
		"..", "../..", "../../..", "../script", "../secrets.json", "../input.json", ".", "./.", "../artifacts", "loop", "../../../stroem.db"} {
		for j, where := range []string{"l", "d/l", "d/d/d/l", "'l l'", "l.txt", "-l"} {
			links = append(links, fmt.Sprintf(`mkdir -p "$ARTIFACTS_DIR/$(dirname -- ./%[3]s)"; ln -s '%[1]s' "$ARTIFACTS_DIR/"%[3]s%[2]d`, target, i*10+j, where))
		}
	}
	var yaml strings.Builder
	fmt.Fprintf(&yaml, "tasks:\n  links: {flow: {s: {type: script, script: %q}}}\n", strings.Join(append(links,
		`cd "$ARTIFACTS_DIR"`, "ln -s loop loop", "echo fine > kept", "ln kept linked", "ln "+outside+"/secret hard || true"), "\n"))
	swaps := []string{
		`ln -s OUT "$ARTIFACTS_DIR"`, `ln -s . "$ARTIFACTS_DIR"`, `ln -s .. "$ARTIFACTS_DIR"`, `ln -s / "$ARTIFACTS_DIR"`, `mkfifo "$ARTIFACTS_DIR"`,
		`echo x > "$ARTIFACTS_DIR"`, `cd "$ARTIFACTS_DIR/.." && mv "$PWD" "$PWD.x" && ln -s OUT "$PWD"; mkdir -p OUT/artifacts; cp OUT/secret OUT/artifacts/`,
	}
	for i, swap := range swaps {
		fmt.Fprintf(&yaml, "  swap%d: {flow: {s: {type: script, script: %q}}}\n", i, "rmdir \"$ARTIFACTS_DIR\" && "+strings.ReplaceAll(swap, "OUT", outside))
	}
	fmt.Fprintf(&yaml, "  away: {flow: {s: {type: script, script: %q}}}\n", `rmdir "$ARTIFACTS_DIR"`)
	r := newRig(t, yaml.String())
	job := r.submit("links", nil)
	if s := r.wait(job).steps["s"]; s.Status != store.Completed {
		t.Fatalf("%s: %s", s.Status, s.Error)
	}
	// A hard link is a file of its own from here on: it can be had where cp can.
	if _, texts := r.kept(job); texts["kept"] != "fine\n" || texts["linked"] != "fine\n" || texts["hard"] != canary || len(texts) != 3 {
		t.Errorf("kept: %q", texts)
	}
	if err := os.WriteFile(filepath.Join(outside, "secret"), []byte("changed"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, texts := r.kept(job); texts["hard"] != canary {
		t.Errorf("a hard link changed: %q", texts["hard"])
	}
	for i := range swaps {
		job := r.submit(fmt.Sprint("swap", i), nil)
		s := r.wait(job).steps["s"]
		if _, texts := r.kept(job); len(texts) > 0 || i < len(swaps)-1 && s.Status != store.Failed {
			t.Errorf("%s: %s %q, kept %q", swaps[i], s.Status, s.Error, texts)
		}
	}
	if job := r.submit("away", nil); r.wait(job).steps["s"].Status != store.Completed {
		t.Error("a step without the folder failed")
	}
	r.halt()
	if got := r.onDisk(); len(got) != 3 {
		t.Errorf("on disk: %q", got)
	}
	t.Logf("%d links, %d other trees", len(links), len(swaps)+1)
}

func TestCapsFailTheStep(t *testing.T) {
	t.Parallel()
	r := newRig(t, `
tasks:
  file: {flow: {s: {type: script, script: 'head -c 101 /dev/zero > "$ARTIFACTS_DIR/big.bin"'}}}
  most: {flow: {s: {type: script, script: 'head -c 100 /dev/zero > "$ARTIFACTS_DIR/big.bin"'}}}
  job: {flow: {s: {type: script, script: 'for i in 1 2 3; do head -c 100 /dev/zero > "$ARTIFACTS_DIR/$i"; done'}}}
  together:
    flow:
      a: {type: script, script: 'for i in 1 2; do head -c 100 /dev/zero > "$ARTIFACTS_DIR/$i"; done'}
      again: {type: script, script: 'for i in 1 2; do head -c 90 /dev/zero > "$ARTIFACTS_DIR/$i"; done', depends_on: [a]}
      over: {type: script, script: 'head -c 71 /dev/zero > "$ARTIFACTS_DIR/over"', depends_on: [again]}
  count: {flow: {s: {type: script, script: 'cd "$ARTIFACTS_DIR"; i=0; while [ $i -lt 1001 ]; do : > $i; i=$((i+1)); done'}}}
  entries: {flow: {s: {type: script, script: 'cd "$ARTIFACTS_DIR"; i=0; while [ $i -lt 5001 ]; do : > $i; i=$((i+1)); done'}}}
`)
	r.halt()
	r.change = func(rn *runner.Runner) { rn.MaxArtifact, rn.MaxArtifacts = 100, 250 }
	r.start()
	for task, want := range map[string]string{
		"file":     `artifact "big.bin" has 101 bytes, more than artifact_storage.max_file_bytes allows, which is 100`,
		"job":      `with artifact "3" (100 bytes) the job's artifacts have 300 bytes, more than artifact_storage.max_job_bytes allows, which is 250`,
		"together": `with artifact "over" (71 bytes) the job's artifacts have 251 bytes, more than artifact_storage.max_job_bytes allows, which is 250`,
		"count":    `with artifact "999" the job has more than 1000 artifacts; pack them into an archive`,
		"entries":  `there are more than 5000 files and folders in $ARTIFACTS_DIR; pack them into an archive`,
		"most":     "",
	} {
		res := r.wait(r.submit(task, nil))
		var errs []string
		for _, s := range res.steps {
			if s.Error != "" {
				errs = append(errs, s.Error)
			}
		}
		if got := strings.Join(errs, ""); got != want {
			t.Errorf("%s: %s", task, got)
		}
		if list, _ := r.kept(res.Job); len(list) != map[string]int{"together": 2, "most": 1}[task] {
			t.Errorf("%s: %d are kept", task, len(list))
		}
	}
	r.halt()
	if got := r.onDisk(); len(got) != 3 {
		t.Errorf("on disk: %q", got)
	}
}

// Steps that end at once share the bound of their job: one of them fails.
func TestStepsShareTheBoundOfTheirJob(t *testing.T) {
	t.Parallel()
	r := newRig(t, "tasks:\n  t:\n    flow:\n"+strings.Join([]string{
		`      a: {type: script, script: 'head -c 100 /dev/zero > "$ARTIFACTS_DIR/a"'}`,
		`      b: {type: script, script: 'head -c 100 /dev/zero > "$ARTIFACTS_DIR/b"'}`,
		`      c: {type: script, script: 'head -c 100 /dev/zero > "$ARTIFACTS_DIR/c"'}`}, "\n")+"\n")
	r.halt()
	r.change = func(rn *runner.Runner) { rn.MaxArtifacts = 250 }
	r.start()
	for range 10 {
		res := r.wait(r.submit("t", nil))
		failed := 0
		for _, s := range res.steps {
			if s.Status == store.Failed {
				failed++
			}
		}
		if list, _ := r.kept(res.Job); failed != 1 || len(list) != 2 {
			t.Errorf("%d failed, %d kept", failed, len(list))
		}
	}
	r.halt()
	if got := r.onDisk(); len(got) != 20 {
		t.Errorf("%d files on disk", len(got))
	}
}

// What a step leaves running cannot change what is kept.
func TestWhatIsKeptStaysAsItWas(t *testing.T) {
	t.Parallel()
	at := t.TempDir()
	r := newRig(t, one(`
cd "$ARTIFACTS_DIR"
echo fine > report
exec 3>>report
{ read x < `+at+`/gate; echo late >&3; ln -s /etc/passwd link; echo done > `+at+`/done; } > /dev/null 2>&1 &
`))
	if err := syscall.Mkfifo(filepath.Join(at, "gate"), 0o600); err != nil {
		t.Fatal(err)
	}
	res := r.run("t", nil)
	open(t, filepath.Join(at, "gate"))
	await(t, filepath.Join(at, "done"), 1)
	if _, texts := r.kept(res.Job); !maps.Equal(texts, map[string]string{"report": "fine\n"}) {
		t.Errorf("kept: %q", texts)
	}
	if got := r.onDisk(); len(got) != 1 {
		t.Errorf("on disk: %q", got)
	}
}

// What goes away again while the rest is copied was not left, and fails nothing.
func TestWhatGoesAwayIsNotKept(t *testing.T) {
	t.Parallel()
	r := newRig(t, one(`
cd "$ARTIFACTS_DIR"
i=100; while [ $i -lt 200 ]; do : > "f$i"; i=$((i+1)); done
: > z; mkdir zz; : > zz/z
attempt=${PWD%/*}
{ i=0; until [ -e "${attempt%/*/*}/artifacts/${attempt##*/}/0" ] || [ $i -gt 1000 ]; do i=$((i+1)); sleep 0.01; done; rm -r z zz; } > /dev/null 2>&1 &
`))
	res := r.run("t", nil)
	if s := res.steps["s"]; s.Status != store.Completed {
		t.Fatalf("%s: %s", s.Status, s.Error)
	}
	list, texts := r.kept(res.Job)
	if len(texts) < 100 {
		t.Errorf("%d are kept", len(texts))
	}
	t.Logf("%d of 102 are kept", len(texts))
	if got := r.onDisk(); len(got) != len(list) {
		t.Errorf("on disk: %q", got)
	}
}

// A server that is killed at any moment leaves all of it to be done again, or
// nothing.
func TestArtifactsAfterACrash(t *testing.T) {
	t.Parallel()
	for name, left := range map[string]func(*rig, string){
		"before the copy": func(*rig, string) {},
		"in the copy": func(r *rig, attempt string) {
			_, err := r.st.NewArtifacts(attempt)
			if err == nil {
				err = os.WriteFile(filepath.Join(r.st.Dir(), "artifacts", attempt, "0"), []byte("hal"), 0o600)
			}
			if err != nil {
				r.t.Fatal(err)
			}
		},
		"before the commit": func(r *rig, attempt string) {
			if err := os.CopyFS(filepath.Join(r.st.Dir(), "artifacts", attempt), os.DirFS(filepath.Join(r.st.Dir(), "steps", attempt, "artifacts"))); err != nil {
				r.t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gate := filepath.Join(t.TempDir(), "gate")
			if err := syscall.Mkfifo(gate, 0o600); err != nil {
				t.Fatal(err)
			}
			r := newRig(t, one(`echo ready; read x < `+gate+`; echo whole > "$ARTIFACTS_DIR/a"; mkdir "$ARTIFACTS_DIR/d"; echo too > "$ARTIFACTS_DIR/d/b"`))
			job := r.submit("t", nil)
			attempt := r.until(job.ID, func(res result) bool { return len(res.log) == 1 }).steps["s"].Attempt
			r.halt() // the step goes on
			open(t, gate)
			awaitRecord(t, filepath.Join(r.st.Dir(), "steps", attempt, "state"), "exit 0")
			left(r, attempt)
			if err := r.st.SweepArtifacts(t.Context()); err != nil { // of the next server; it leaves what may be wanted
				t.Fatal(err)
			}
			r.start()
			r.wait(job)
			r.halt()
			if _, texts := r.kept(job); !maps.Equal(texts, map[string]string{"a": "whole\n", "d/b": "too\n"}) {
				t.Errorf("kept: %q", texts)
			}
			if got := r.onDisk(); len(got) != 2 {
				t.Errorf("on disk: %q", got)
			}
		})
	}
}

// What a machine that restarted has of files that were not synced, nobody
// knows: they are not kept as if they were whole.
func TestArtifactsAfterAReboot(t *testing.T) {
	t.Parallel()
	for script, want := range map[string]store.Status{`echo x > "$ARTIFACTS_DIR/a"`: store.Failed, "true": store.Completed} {
		gate := filepath.Join(t.TempDir(), "gate")
		if err := syscall.Mkfifo(gate, 0o600); err != nil {
			t.Fatal(err)
		}
		r := newRig(t, one("echo ready; read x < "+gate+"\n"+script))
		job := r.submit("t", nil)
		run := r.until(job.ID, func(res result) bool { return len(res.log) == 1 }).steps["s"]
		r.halt()
		open(t, gate)
		awaitRecord(t, filepath.Join(r.st.Dir(), "steps", run.Attempt, "state"), "exit 0")
		r.setBoot(run, "another boot")
		r.start()
		s := r.wait(job).steps["s"]
		if _, texts := r.kept(job); s.Status != want || len(texts) > 0 || want == store.Failed && !strings.Contains(s.Error, "restarted before the step's artifacts were safe") {
			t.Errorf("%s: %s %q, kept %q", script, s.Status, s.Error, texts)
		}
	}
}

// A disk that takes no artifacts delays the end of their step, and does not
// lose what it did. A cancel is heeded meanwhile.
func TestArtifactsWaitForTheDisk(t *testing.T) {
	t.Parallel()
	r := newRig(t, one(`echo x > "$ARTIFACTS_DIR/a"`))
	r.halt() // its sweep has ended
	inTheWay := filepath.Join(r.st.Dir(), "artifacts")
	if err := errors.Join(os.RemoveAll(inTheWay), os.WriteFile(inTheWay, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	r.start()
	job, other := r.submit("t", nil), r.submit("t", nil)
	for _, j := range []store.Job{job, other} {
		run := r.until(j.ID, func(res result) bool { return res.steps["s"].Status == store.Running }).steps["s"]
		awaitRecord(t, filepath.Join(r.st.Dir(), "steps", run.Attempt, "state"), "exit 0")
	}
	if err := r.rn.Cancel(t.Context(), other.ID); err != nil {
		t.Fatal(err)
	}
	if s := r.wait(other).steps["s"]; s.Status != store.Cancelled {
		t.Errorf("the cancelled step is %s: %s", s.Status, s.Error)
	}
	if s := r.read(job.ID).steps["s"]; s.Status != store.Running {
		t.Errorf("the step is %s: %s", s.Status, s.Error)
	}
	if err := os.Remove(inTheWay); err != nil {
		t.Fatal(err)
	}
	if s := r.wait(job).steps["s"]; s.Status != store.Completed {
		t.Errorf("the step is %s: %s", s.Status, s.Error)
	}
	if _, texts := r.kept(job); texts["a"] != "x\n" {
		t.Errorf("kept: %q", texts)
	}
}

// Files whose step was committed as another's end, or never, go at the start.
func TestStartSweepsFilesWithoutRows(t *testing.T) {
	t.Parallel()
	r := newRig(t, one(`echo x > "$ARTIFACTS_DIR/a"`))
	job := r.submit("t", nil)
	r.wait(job)
	r.halt()
	for _, attempt := range []string{"left-over", filepath.Base(filepath.Dir(r.onDisk()[0]))} {
		path := filepath.Join(r.st.Dir(), "artifacts", attempt, "7")
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r.start()
	deadline := time.After(10 * time.Second)
	for len(r.onDisk()) != 1 {
		select {
		case <-deadline:
			t.Fatalf("on disk: %q", r.onDisk())
		case <-time.After(5 * time.Millisecond):
		}
	}
	if _, texts := r.kept(job); texts["a"] != "x\n" {
		t.Errorf("kept: %q", texts)
	}
}

// A cancelled job keeps what its steps left before, and nothing of the one that
// was cancelled.
func TestACancelledStepLeavesNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t, `
tasks:
  t:
    flow:
      a: {type: script, script: 'echo x > "$ARTIFACTS_DIR/a"'}
      b: {type: script, script: 'echo x > "$ARTIFACTS_DIR/b"; echo ready; trap "exit 0" TERM; sleep 100 & wait', depends_on: [a]}
`)
	job := r.submit("t", nil)
	r.until(job.ID, func(res result) bool { return len(res.log) == 1 })
	if err := r.rn.Cancel(t.Context(), job.ID); err != nil {
		t.Fatal(err)
	}
	r.wait(job)
	if _, texts := r.kept(job); !maps.Equal(texts, map[string]string{"a": "x\n"}) {
		t.Errorf("kept: %q", texts)
	}
}
