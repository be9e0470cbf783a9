package workspace_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"

	"stroem/workspace"
)

var update = flag.Bool("update", false, "rewrite the expected results in testdata")

// TestWorkspaces loads each archive of testdata and compares what comes out
// with its files "tasks" and "problems". To add a case, write the YAML and run
// go test ./workspace -run Workspaces -update.
func TestWorkspaces(t *testing.T) {
	t.Parallel()
	archives, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	for _, name := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			fsys := fstest.MapFS{}
			want := map[string]string{}
			var kept []txtar.File
			for _, f := range archive.Files {
				if f.Name == "tasks" || f.Name == "problems" {
					want[f.Name] = string(f.Data)
					continue
				}
				kept = append(kept, f)
				fsys[f.Name] = &fstest.MapFile{Data: f.Data}
			}
			w := load(t, fsys, nil)
			got := map[string]string{"tasks": summary(w), "problems": problems(w)}
			if *update {
				archive.Files = append(kept, txtar.File{Name: "tasks", Data: []byte(got["tasks"])},
					txtar.File{Name: "problems", Data: []byte(got["problems"])})
				if err := os.WriteFile(name, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			for _, k := range []string{"tasks", "problems"} {
				if got[k] != want[k] {
					t.Errorf("%s:\n%s\nwant:\n%s", k, got[k], want[k])
				}
			}
		})
	}
}

// load loads a workspace and checks what must hold of every one.
func load(t testing.TB, fsys fstest.MapFS, last *workspace.Workspace) *workspace.Workspace {
	t.Helper()
	w, err := workspace.Load(fsys, last)
	if err != nil {
		t.Fatal(err)
	}
	sound(t, w)
	return w
}

// sound checks what must hold of every workspace, however broken.
func sound(t testing.TB, w *workspace.Workspace) {
	t.Helper()
	broken := map[string]bool{}
	for _, f := range w.Broken() {
		broken[f] = true
	}
	if (w.Err() == "") != (len(broken) == 0) {
		t.Errorf("Err %q with broken %v", w.Err(), w.Broken())
	}
	for _, p := range w.Problems {
		if p.What == "" || p.File == "" || strings.ContainsAny(p.String(), "\n\x00") || len(p.String()) > 2000 {
			t.Errorf("a problem that cannot be shown: %q", p)
		}
	}
	for _, task := range w.Tasks {
		if broken[task.File] {
			t.Errorf("task %q of the broken file %s is listed", task.Name, task.File)
		}
		done := map[string]bool{}
		for _, s := range task.Flow {
			for _, d := range s.DependsOn {
				if !done[d] {
					t.Errorf("task %q: step %q stands before %q, on which it depends", task.Name, s.Name, d)
				}
			}
			done[s.Name] = true
		}
		if len(task.Refusals) == 0 {
			for _, s := range task.Flow {
				if s.Action.Script == "" && (s.Action.Type != workspace.Approval || s.Action.Message == "") {
					t.Errorf("task %q: step %q runs nothing", task.Name, s.Name)
				}
			}
		}
	}
	roundTrip(t, w)
}

// roundTrip checks that a workspace is the same after JSON.
func roundTrip(t testing.TB, w *workspace.Workspace) {
	t.Helper()
	for _, list := range []any{&w.Tasks, &w.Actions, &w.Triggers} {
		data, err := json.Marshal(list)
		if err != nil {
			t.Fatal(err)
		}
		back := reflect.New(reflect.TypeOf(list).Elem())
		if err := json.Unmarshal(data, back.Interface()); err != nil {
			t.Fatal(err)
		}
		again, err := json.Marshal(back.Interface())
		if err != nil {
			t.Fatal(err)
		}
		if string(data) != string(again) {
			t.Errorf("JSON changes by a round trip:\n%s\n%s", data, again)
		}
		if len(data) < 1<<16 && !alike(reflect.ValueOf(list).Elem().Interface(), back.Elem().Interface()) {
			t.Errorf("values change by a round trip of JSON: %s", data)
		}
	}
}

// alike compares by type and value, an empty list being no list.
func alike(a, b any) bool { return fmt.Sprintf("%#v", flat(a)) == fmt.Sprintf("%#v", flat(b)) }

// flat writes tasks, actions and triggers without pointers.
func flat(list any) any {
	var out []any
	v := reflect.ValueOf(list)
	for i := range v.Len() {
		switch x := v.Index(i).Interface().(type) {
		case *workspace.Task:
			for _, f := range x.Input {
				out = append(out, f.Name, f.Default)
			}
			for _, s := range x.Flow {
				out = append(out, s.Name, s.Input)
			}
		case *workspace.Action:
			for _, f := range x.Input {
				out = append(out, f.Name, f.Default)
			}
		case *workspace.Trigger:
			out = append(out, x.Name, x.Input)
		}
	}
	return out
}

func problems(w *workspace.Workspace) string {
	var b strings.Builder
	for _, p := range w.Problems {
		if p.Warning {
			b.WriteString("warning: ")
		}
		b.WriteString(p.String() + "\n")
	}
	return b.String()
}

// summary writes tasks as people would tell them.
func summary(w *workspace.Workspace) string {
	var b strings.Builder
	js := func(v any) string {
		data, err := json.Marshal(v)
		if err != nil {
			return err.Error()
		}
		return string(data)
	}
	for _, t := range w.Tasks {
		fmt.Fprintf(&b, "task %s in %s", t.Name, t.File)
		for _, x := range [][2]string{{"folder", t.Folder}, {"title", t.Title}, {"description", t.Description}} {
			if x[1] != "" {
				fmt.Fprintf(&b, " %s %q", x[0], x[1])
			}
		}
		b.WriteString("\n")
		for _, f := range t.Input {
			fmt.Fprintf(&b, "  input %s\n", js(f))
		}
		for _, s := range t.Flow {
			fmt.Fprintf(&b, "  step %s", s.Name)
			if len(s.DependsOn) > 0 {
				fmt.Fprintf(&b, " after %s", strings.Join(s.DependsOn, ", "))
			}
			if s.ContinueOnFailure {
				b.WriteString(" even after failure")
			}
			if s.Input != nil {
				fmt.Fprintf(&b, " with %s", js(s.Input))
			}
			fmt.Fprintf(&b, "\n    action %s type %q", s.Action.Name, s.Action.Type)
			a := s.Action
			for _, x := range []struct {
				name string
				v    any
			}{{"interpreter", a.Interpreter}, {"args", a.Args}, {"env", a.Env}, {"workdir", a.Workdir}, {"source", a.Source}, {"message", a.Message}, {"input", a.Input}, {"output", a.Output}} {
				if !reflect.ValueOf(x.v).IsZero() {
					fmt.Fprintf(&b, " %s %s", x.name, js(x.v))
				}
			}
			fmt.Fprintf(&b, "\n    script at %s: %.300q\n", a.ScriptAt, a.Script)
		}
		for _, r := range t.Refusals {
			fmt.Fprintf(&b, "  refused: %s: %s\n", r.Pos(), r.What)
		}
	}
	for _, t := range w.Triggers {
		fmt.Fprintf(&b, "trigger %s type %s starts %s\n", t.Name, t.Type, t.Task)
	}
	return b.String()
}

// txtarSeeds are all YAML files of testdata.
func txtarSeeds() ([]string, error) {
	archives, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		return nil, err
	}
	var seeds []string
	for _, name := range archives {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			return nil, err
		}
		for _, f := range archive.Files {
			if f.Name != "tasks" && f.Name != "problems" {
				seeds = append(seeds, string(f.Data))
			}
		}
	}
	return seeds, nil
}
