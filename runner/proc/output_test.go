//go:build unix

package proc_test

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"stroem/runner/proc"
)

func TestOutputFile(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		script string
		want   string
		says   string // in the error
	}{
		"none":         {"true", "", ""},
		"empty":        {`: >"$STROEM_OUTPUT"`, "", ""},
		"written":      {`echo '{"a":1}' >"$STROEM_OUTPUT"`, "{\"a\":1}\n", ""},
		"moved there":  {`echo 1 >x; mv x "$STROEM_OUTPUT"`, "1\n", ""},
		"at the limit": {`head -c 1048576 /dev/zero | tr '\0' x >"$STROEM_OUTPUT"`, strings.Repeat("x", 1<<20), ""},
		"too much":     {`head -c 1048577 /dev/zero >"$STROEM_OUTPUT"`, "", "more than 1 MiB"},
		"symlink":      {`echo secret >x; ln -s "$PWD/x" "$STROEM_OUTPUT"`, "", "not a plain file"},
		"dangling":     {`ln -s /nowhere "$STROEM_OUTPUT"`, "", "not a plain file"},
		"fifo":         {`mkfifo "$STROEM_OUTPUT"`, "", "not a plain file"},
		"folder":       {`mkdir "$STROEM_OUTPUT"`, "", "not a plain file"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t, spec(t, c.script))
			if r := wait(t, p); r.ExitCode != 0 {
				t.Fatalf("%+v: %s", r, text(t, p, proc.Stderr))
			}
			got, err := p.Output()
			if string(got) != c.want || (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("output is %d bytes, error %v", len(got), err)
			}
			if c.want == "" && got != nil {
				t.Error("output is not nil")
			}
		})
	}
}

func TestOutputOfAnySizeIsRead(t *testing.T) {
	t.Parallel()
	s := spec(t, "echo begin")
	p := start(t, s)
	wait(t, p)
	const far = int64(5) << 30 // sparse, past what 32 bits can count
	out := s.Dir + "/out"
	if err := unix.Truncate(out, far); err != nil {
		t.Skip(err)
	}
	buf := make([]byte, 10)
	if n, err := p.Read(proc.Stdout, far-4, buf); n != 4 || err != nil {
		t.Errorf("read %d, %v", n, err)
	}
}
