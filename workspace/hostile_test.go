package workspace_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"stroem/workspace"
)

const mib = 1 << 20

// hostile are files that ask for more than they are worth.
func hostile() map[string]string {
	many := func(s string) string { return strings.Repeat(s, mib/len(s)-20) }
	task := func(body string) string { return "tasks:\n  t:\n    flow:\n" + body }
	script := func(s string) string {
		return task("      s:\n        type: script\n        script: " + s)
	}
	bomb := func(levels int) string {
		var b strings.Builder
		b.WriteString("x0: &x0 [a, b]\n")
		for i := range levels {
			fmt.Fprintf(&b, "x%d: &x%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*x%d, ", i), 9), ", "))
		}
		fmt.Fprintf(&b, "%s        input: {a: *x%d}\n", script("echo\n"), levels)
		return b.String()
	}
	steps := func(n int, step func(int) string) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(step(i))
		}
		return task(b.String())
	}
	return map[string]string{
		"alias bomb":         bomb(12),
		"alias in itself":    "a: &a [*a, *a]\n" + script("echo\n") + "        input: {a: *a}\n",
		"merge in itself":    "tasks: &a\n  <<: *a\n  t: &b\n    <<: [*a, *b]\n",
		"lists in lists":     "tasks: " + many("["),
		"maps in maps":       "tasks: " + many("{a: "),
		"block depth":        many("- "),
		"block keys":         many("? "),
		"many short values":  "tasks: [" + many("a,") + "]",
		"many quoted values": "tasks: [" + many(`"a" ,`) + "]",
		"many empty pairs":   "tasks: [" + many(":,") + "]",
		"many keys":          many("a: \n"),
		"many comments":      many("a: #\n"),
		"many tags":          many("- !!str a\n"),
		"many documents":     many("---\n"),
		"many lines":         "tasks: a\n" + many(" a\n"),
		"one long line":      "tasks: " + many("a "),
		"one long key":       many("k") + ": a",
		"one long text":      `tasks: "` + many(`\x41`) + `"`,
		"unfinished quote":   "tasks: \"" + many("a\n"),
		"nothing but spaces": many(" "),
		"nothing but breaks": many("\n"),
		"long script":        script("|\n" + many("          echo hello, world\n")),
		"long templates":     script("echo " + many("{{ input.x }} ")),
		"many names":         script("|\n" + many("          echo {{ input.x }} \"$PATH\" words words words words words\n")),
		"many unknown keys": func() string {
			var b strings.Builder
			for i := range 40_000 {
				fmt.Fprintf(&b, "tasl%d: x\n", i)
			}
			return b.String()
		}(),
		"many unknown names": steps(1000, func(i int) string {
			return fmt.Sprintf("      s%d: {action: acton%d, depends_on: [t%d, u%d, v%d]}\n", i, i, i, i, i)
		}),
		"all steps wait for all": steps(200, func(i int) string {
			var deps []string
			for j := range i {
				deps = append(deps, fmt.Sprintf("s%d", j))
			}
			return fmt.Sprintf("      s%d: {type: script, script: echo, depends_on: [%s]}\n", i, strings.Join(deps, ","))
		}),
		"a long circle": steps(1000, func(i int) string {
			return fmt.Sprintf("      s%d: {type: script, script: echo, depends_on: [s%d]}\n", i, (i+1)%1000)
		}),
		"too many steps": steps(5000, func(i int) string { return fmt.Sprintf("      s%d: {action: x}\n", i) }),
		"one action in many steps": "actions:\n  x:\n    type: script\n    script: echo " + strings.Repeat("hello ", 100_000) + "\n" +
			steps(1000, func(i int) string { return fmt.Sprintf("      s%d: {action: x}\n", i) }),
		"many names in many steps": "actions:\n  x:\n    type: script\n    args:\n" + func() string {
			var b strings.Builder
			for i := range 900 {
				fmt.Fprintf(&b, "      - '{{ input.a%d }}'\n", i)
			}
			return b.String()
		}() + "    script: echo\n" + steps(1000, func(i int) string { return fmt.Sprintf("      s%d: {action: x}\n", i) }),
	}
}

// TestHostile bounds what a file can cost. It must not be parallel: it counts
// all that is allocated meanwhile.
func TestHostile(t *testing.T) { //nolint:paralleltest // see above
	for name, text := range hostile() {
		t.Run(name, func(t *testing.T) {
			if len(text) > mib {
				t.Fatalf("%d bytes would not be read at all", len(text))
			}
			fsys := fstest.MapFS{"a.yaml": &fstest.MapFile{Data: []byte(text)}}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			w, err := workspace.Load(fsys, nil)
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			if err != nil {
				t.Fatal(err)
			}
			allocated := (after.TotalAlloc - before.TotalAlloc) / mib
			runtime.GC()
			runtime.ReadMemStats(&after)
			kept := (int64(after.HeapAlloc) - int64(before.HeapAlloc)) / mib
			t.Logf("%d KiB: allocated %d MiB, kept %d MiB, %v, %s", len(text)>>10, allocated, kept, took, w.Err())
			if allocated > 160 || kept > 32 {
				t.Errorf("it allocates %d MiB and keeps %d", allocated, kept)
			}
			sound(t, w)
		})
	}
}

func TestManyFiles(t *testing.T) {
	t.Parallel()
	fsys := fstest.MapFS{}
	for i := range 1100 {
		fsys[fmt.Sprintf("d%d/a%d.yaml", i%50, i)] = &fstest.MapFile{Data: fmt.Appendf(nil, "tasks: {t%d: {flow: {s: {type: script, script: echo}}}}\n", i)}
	}
	fsys["d00/large.yaml"] = &fstest.MapFile{Data: []byte(strings.Repeat("# large\n", mib/8+1))}
	fsys["d0/1/2/3/4/5/6/7/8/9/10/deep.yaml"] = &fstest.MapFile{Data: []byte("tasks: 1")}
	w := load(t, fsys, nil)
	if len(w.Tasks) != 999 { // 1000 files, of which one is too large
		t.Errorf("%d tasks", len(w.Tasks))
	}
	if got := problems(w); !strings.Contains(got, "more than 1000 YAML files") || !strings.Contains(got, "d00/large.yaml: the file is larger than 1 MiB") || strings.Contains(got, "deep") {
		t.Error(got)
	}
}

func TestManyValues(t *testing.T) {
	t.Parallel()
	task := func(i, j int) string {
		return fmt.Sprintf("  t%d-%d: {flow: {s: {type: script, script: x}}}\n", i, j)
	}
	fsys := fstest.MapFS{}
	for i := range 100 {
		var b strings.Builder
		b.WriteString("tasks:\n")
		for j := range 500 {
			b.WriteString(task(i, j))
		}
		fsys[fmt.Sprintf("a%02d.yaml", i)] = &fstest.MapFile{Data: []byte(b.String())}
	}
	w := load(t, fsys, nil)
	if n := len(w.Tasks); n < 20_000 || n > 40_000 || !strings.Contains(w.Err(), "holds too many values") {
		t.Errorf("%d tasks, %s", n, w.Err())
	}
}

// FuzzLoad looks for YAML that makes Load panic, or say what cannot be shown.
func FuzzLoad(f *testing.F) {
	seeds, err := txtarSeeds()
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range seeds {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, first, second string) {
		if len(first)+len(second) > 1<<16 {
			t.Skip()
		}
		fsys := func(text string) fstest.MapFS {
			return files("a.yaml", text, "b.yaml", actionsYAML, "c/d.yaml", taskYAML, "x.sh", text)
		}
		w := load(t, fsys(first), nil)
		again := load(t, fsys(first), w)
		if problems(w) != problems(again) || summary(w) != summary(again) {
			t.Errorf("the second load differs:\n%s\n%s", problems(w), problems(again))
		}
		load(t, fsys(second), w)
	})
}
