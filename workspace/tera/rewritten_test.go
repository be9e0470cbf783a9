package tera_test

import (
	"testing"

	"stroem/workspace/tera"
)

// TestRewritten checks what bash reads otherwise inside of $(…), whose commands it
// writes out anew before it runs them, and what dash reads otherwise in a
// here-document. Each of these values ran, or did not arrive, before it was refused.
func TestRewritten(t *testing.T) {
	t.Parallel()
	const heading = "y=$(cat <<'EOF'\n{{ x }}\nEOF\n); printf '%s' \"$y\""
	for _, c := range []struct {
		script, value string
		dialect       tera.Dialect
	}{
		{heading, "EOF)$(touch a)", tera.Bash},
		{heading, "EOF x)\ntouch a", tera.POSIX},
		{heading, "a\x01\x01\x01", tera.POSIX},
		{"y=\"$(cat <<-EOF\n\ta\n{{ x }}\n\tEOF\n)\"", "EOF;touch a)", tera.POSIX},
		{"y=$(cat <<EOF\nEOF a)\n{{ x }}\nEOF\n)", "a", tera.POSIX},
		{"y=$(cat <<''\n{{ x }}\n\n)", "a", tera.POSIX},
		{"cat <<''\n{{ x }}\n\n", "a", tera.Bash},
		{"cat <<-EOF\n{{ x }}\tb\nEOF", "a\n", tera.POSIX},
		{"cat <<'EOF'\nEO{{ x }}\nEOF", "é", tera.POSIX},
		{"cat <<EOF\na\n{{ x }}\nEOF", "EOFé", tera.POSIX},
		{`y=$(a=({{ x }}); echo "${a[0]}")`, "a", tera.Bash},
		{`cat <(a+=(b "{{ x }}"); echo "${a[0]}")`, "a", tera.Bash},
		{`y=$(a=(\;); echo "${a[0]}"); echo {{ x }}`, "a", tera.Bash},
	} {
		if text, err := parse(t, c.script).Shell(tera.Vars{"x": c.value}, c.dialect); err == nil {
			t.Errorf("%q with %q came out as %q", c.script, c.value, text)
		}
	}
	for _, c := range []struct {
		script, value string
		dialect       tera.Dialect
	}{
		{heading, "EO)", tera.Bash},
		{heading, "日本 EOF)", tera.POSIX},
		{"cat <<'EOF'\n{{ x }}\nEOF", "EOF)\nEé", tera.Bash},
		{"(cat <<'EOF'\n{{ x }}\nEOF\n)", "EOF)", tera.POSIX},
		{"cat <<'EOF'\n{{ x }}\nEOF", "é E", tera.POSIX},
		{`a=({{ x }} \;); y=$(echo "${a[@]}")`, "'", tera.Bash},
		{`y=$(a=('b'); echo "${a[@]}" {{ x }})`, "'", tera.Bash},
	} {
		if _, err := parse(t, c.script).Shell(tera.Vars{"x": c.value}, c.dialect); err != nil {
			t.Errorf("%q with %q: %v", c.script, c.value, err)
		}
	}
}

// TestPutTogether checks values that forge a line of output only together.
func TestPutTogether(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ script, x, y string }{
		{`printf '%s' {{ x }} {{ y }}`, "O", `UTPUT: {"a": 1}`}, {`echo "{{ x }}{{ y }}"`, "OUTPUT", `: {"a": 1}`}, {`printf %s {{ x }}; echo {{ y }}`, "OUT", `PUT:`},
		{`a={{ x }}; b={{ y }}; echo "$a: $b"`, "OUTPUT", `{"a": 1}`}, {`a={{ x }}; b={{ y }}; printf '%s: %s\n' "$a" "$b"`, "a\nOUTPUT", `{"a": 1}`},
		{`a={{ x }}; b={{ y }}; echo "$a" "$b"`, "-e", `a\nOUTPUT: 1`}, {`a=({{ x }} {{ y }}); echo "${a[@]}"`, "-ne", `a\nOUTPUT: 1`}, {`a={{ x }}; echo $a # {{ y }}`, `-e a\nOUTPUT: 1`, ""}, {`a={{ x }}; echo "$a" {{ y }}`, "-e", `a\nOUTPUT: 1`},
		{`echo "${U:-{{ x }}}" {{ y }}`, "-e", `a\nOUTPUT: 1`}, {`printf "OUTPUT: "; echo {{ x }} # {{ y }}`, `{"a": 1}`, ""},
	} {
		if text, err := parse(t, c.script).Shell(tera.Vars{"x": c.x, "y": c.y, "sep": ""}, tera.Bash); err == nil {
			t.Errorf("%s came out as %s", c.script, text)
		}
		for _, fine := range []string{"T: shirts", "OUTPUT", "a: 1", `{"a": 1}`, "-el", ":"} {
			if _, err := parse(t, `a={{ x }}; echo "$a" {{ y }}`).Shell(tera.Vars{"x": fine, "y": "b"}, tera.Bash); err != nil {
				t.Errorf("%s: %v", fine, err)
			}
		}
	}
	if _, err := parse(t, "print({{ x }}, {{ y }}, sep='')").Code(tera.Vars{"x": "OUT", "y": "PUT: 1"}, tera.Python); err == nil {
		t.Error("python may put a line together")
	}
}

// TestPrototype checks the key that is none, written in quotes.
func TestPrototype(t *testing.T) {
	t.Parallel()
	for _, script := range []string{`y = {"{{ x }}": 1}`, `y = {a: 1, '{{ x }}' : {}}`} {
		if text, err := parse(t, script).Code(tera.Vars{"x": "__proto__"}, tera.JavaScript); err == nil {
			t.Errorf("%s came out as %s", script, text)
		}
		if _, err := parse(t, script).Code(tera.Vars{"x": "prototype"}, tera.TypeScript); err != nil {
			t.Errorf("%s: %v", script, err)
		}
	}
}
