package workspace_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"

	"stroem/workspace"
)

// files makes a file system of alternating names and contents.
func files(pairs ...string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for i := 0; i < len(pairs); i += 2 {
		fsys[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
	}
	return fsys
}

func taskNames(w *workspace.Workspace) []string {
	var names []string
	for _, t := range w.Tasks {
		names = append(names, t.Name)
	}
	return names
}

const (
	actionsYAML = "actions: {say: {type: script, script: echo one}}\ntasks: {own: {flow: {s: {action: say}}}}\n"
	taskYAML    = "tasks: {t: {flow: {s: {action: say}}}}\n"
)

func TestReload(t *testing.T) {
	t.Parallel()
	t.Run("a file that does not parse lends what it said", func(t *testing.T) {
		t.Parallel()
		w := load(t, files("a.yaml", actionsYAML, "b.yaml", taskYAML), nil)
		first := w.Revision
		for range 3 { // it stays broken over several loads
			w = load(t, files("a.yaml", "actions: {say: [", "b.yaml", taskYAML), w)
			if got := w.Broken(); !reflect.DeepEqual(got, []string{"a.yaml"}) {
				t.Fatalf("broken: %v, %s", got, w.Err())
			}
			if got := taskNames(w); !reflect.DeepEqual(got, []string{"t"}) {
				t.Fatalf("tasks: %v", got)
			}
			if s := w.Tasks[0].Flow[0].Action.Script; s != "echo one" {
				t.Fatalf("script: %q", s)
			}
			if w.Revision == first {
				t.Fatal("the revision is that of the whole file")
			}
		}
		w = load(t, files("a.yaml", actionsYAML, "b.yaml", taskYAML), w)
		if w.Err() != "" || w.Revision != first || len(w.Tasks) != 2 {
			t.Fatalf("mended: %s, %v, revision %s and %s", w.Err(), taskNames(w), w.Revision, first)
		}
	})
	t.Run("an action that breaks lends what it was", func(t *testing.T) {
		t.Parallel()
		w := load(t, files("a.yaml", actionsYAML, "b.yaml", taskYAML), nil)
		w = load(t, files("a.yaml", "actions: {say: {type: script}, new: {type: script, script: echo}}\n", "b.yaml", taskYAML), w)
		if got := w.Broken(); !reflect.DeepEqual(got, []string{"a.yaml"}) {
			t.Fatalf("broken: %v", got)
		}
		if len(w.Tasks) != 1 || w.Tasks[0].Flow[0].Action.Script != "echo one" {
			t.Fatalf("tasks: %v", taskNames(w))
		}
	})
	t.Run("a broken action nobody has seen sound breaks its users", func(t *testing.T) {
		t.Parallel()
		w := load(t, files("a.yaml", "actions: {say: {type: script}}\n", "b.yaml", taskYAML), nil)
		if got := w.Broken(); !reflect.DeepEqual(got, []string{"a.yaml", "b.yaml"}) {
			t.Fatalf("broken: %v", got)
		}
	})
	t.Run("a name that may stand in a broken file says so", func(t *testing.T) {
		t.Parallel()
		w := load(t, files("a.yaml", "actions: [", "b.yaml", taskYAML), nil)
		if !strings.Contains(problems(w), `no action "say"; mend a.yaml first`) {
			t.Fatal(problems(w))
		}
	})
	t.Run("a changed source changes the revision and the script", func(t *testing.T) {
		t.Parallel()
		yaml := "tasks: {t: {flow: {s: {type: script, source: s.sh}}}}\n"
		w := load(t, files("a.yaml", yaml, "s.sh", "echo 1"), nil)
		v := load(t, files("a.yaml", yaml, "s.sh", "echo 2"), w)
		if v.Revision == w.Revision || v.Tasks[0].Flow[0].Action.Script != "echo 2" || w.Tasks[0].Flow[0].Action.Script != "echo 1" {
			t.Fatalf("revisions %s %s, script %q", w.Revision, v.Revision, v.Tasks[0].Flow[0].Action.Script)
		}
	})
	t.Run("what did not change says the same", func(t *testing.T) {
		t.Parallel()
		fsys := files("a.yaml", "actions: {c: {type: script, script: echo, input: {x: {type: conn}}}}\nconnection_types: {conn: {}}\ntasks: {t: {flow: {s: {action: c, input: {x: y}}}}}", "b.yaml", "tasks: 1")
		w := load(t, fsys, nil)
		again := load(t, fsys, load(t, fsys, w))
		if summary(w) != summary(again) || problems(w) != problems(again) {
			t.Fatalf("first:\n%s%s\nagain:\n%s%s", summary(w), problems(w), summary(again), problems(again))
		}
	})
}

// TestFolder loads from disk, through a root, as the server does.
func TestFolder(t *testing.T) {
	t.Parallel()
	dir, outside := t.TempDir(), t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(dir, "a.yaml"), "tasks: {t: {flow: {s: {type: script, source: link.sh}}}}\n")
	write(filepath.Join(outside, "x.yaml"), "tasks: {out: {flow: {s: {type: script, script: echo}}}}\n")
	write(filepath.Join(outside, "x.sh"), "echo secret")
	for link, to := range map[string]string{"link.yaml": "x.yaml", "link.sh": "x.sh", "linked": ""} {
		if err := os.Symlink(filepath.Join(outside, to), filepath.Join(dir, link)); err != nil {
			t.Skip(err)
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	w, err := workspace.Load(root.FS(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := w.Broken(); !reflect.DeepEqual(got, []string{"a.yaml", "link.yaml"}) || len(w.Tasks) != 0 {
		t.Fatalf("broken %v, tasks %v\n%s", got, taskNames(w), problems(w))
	}
	if strings.Contains(problems(w), "secret") {
		t.Fatal(problems(w))
	}
}

func TestLoadOfNothing(t *testing.T) {
	t.Parallel()
	if _, err := workspace.Load(os.DirFS(filepath.Join(t.TempDir(), "gone")), nil); err == nil {
		t.Fatal("a root that is not there loads")
	}
	w := load(t, fstest.MapFS{}, nil)
	if len(w.Tasks) != 0 || len(w.Problems) != 0 || len(w.Revision) < 16 {
		t.Fatalf("%+v", w)
	}
}

func TestErr(t *testing.T) {
	t.Parallel()
	w := load(t, files("a.yaml", "tasks: {a: {}, b: {}, c: {}}"), nil)
	if got, want := w.Err(), `a.yaml:1:9: task "a" has no steps; add flow: with at least one step (and 2 more errors)`; got != want {
		t.Fatalf("%s\nwant %s", got, want)
	}
	w = load(t, files("a.yaml", "tasks: {a: {retry: {max_attempts: 2}, flow: {s: {type: script, script: echo, when: x}}}}"), nil)
	if got, want := w.Tasks[0].Refusal(), `task "a" cannot run yet: a.yaml:1:13: "retry" is not supported yet (and 1 thing more)`; got != want {
		t.Fatalf("%s\nwant %s", got, want)
	}
}
