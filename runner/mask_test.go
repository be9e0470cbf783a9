package runner

import (
	"encoding/base64"
	"encoding/json"
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"
)

func randomSecret(r *rand.Rand) string {
	const alphabet = "abcXYZ0189-_.~ /+=&%$`\"'\\<>ø€😀\n\t!*()"
	runes := []rune(alphabet)
	var b strings.Builder
	for b.Len() < shortestSecret+r.IntN(40) {
		b.WriteRune(runes[r.IntN(len(runes))])
	}
	return "s" + strings.Trim(b.String(), "\n") + "e"
}

// encodings are what a script may do to a secret before it prints it.
var encodings = map[string]func(string) string{
	"raw":  func(v string) string { return v },
	"json": func(v string) string { b, _ := json.Marshal(v); return string(b) },
	"ascii json": func(v string) string {
		b, _ := json.Marshal(v)
		return escapeRunes(string(b), func(r rune) bool { return r > 0x7e }, `\u%04x`)
	},
	"query":         url.QueryEscape,
	"path":          url.PathEscape,
	"base64":        func(v string) string { return base64.StdEncoding.EncodeToString([]byte(v)) },
	"base64 by one": func(v string) string { return base64.StdEncoding.EncodeToString([]byte("x" + v + "yz")) },
	"base64 by two": func(v string) string { return base64.URLEncoding.EncodeToString([]byte("xy" + v + "z")) },
	"single quotes": func(v string) string { return "'" + strings.ReplaceAll(v, "'", `'\''`) + "'" },
}

// sure is the part of an encoding that must not be seen.
func sure(name, secret, encoded string) string {
	if !strings.HasPrefix(name, "base64") {
		return strings.Trim(encoded, `"'`)
	}
	return encoded[3 : len(encoded)-5]
}

// Whatever is done to a secret, and wherever the output is cut into pieces,
// it is not seen.
func TestSecretsAreHidden(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		secret := randomSecret(r)
		m := newMasker([]string{secret, "another one", "xyz"})
		for name, encode := range encodings {
			encoded := encode(secret)
			text := "before " + encoded + " after"
			for cut := range len(text) + 1 {
				var shown, held []byte
				for _, piece := range []string{text[:cut], text[cut:]} {
					held = append(held, piece...)
					n := m.settled(held)
					shown = append(shown, m.hide(held[:n])...)
					held = held[n:]
				}
				shown = append(shown, m.hide(held)...)
				if hidden := sure(name, secret, encoded); len(hidden) >= shortestSecret && strings.Contains(string(shown), hidden) {
					t.Fatalf("%s of %q cut at %d shows %q", name, secret, cut, shown)
				}
				if s := string(shown); !strings.HasPrefix(s, "before ") || !strings.HasSuffix(s, " after") {
					t.Fatalf("%s of %q cut at %d lost text: %q", name, secret, cut, shown)
				}
			}
		}
	}
}

func TestMaskLeavesTheRest(t *testing.T) {
	t.Parallel()
	m := newMasker([]string{"hunter2", "abcdef", "defghi", "pw", ""})
	for text, want := range map[string]string{
		"":                         "",
		"nothing here":             "nothing here",
		"hunter2":                  "••••••",
		"a hunter2 and a hunter2.": "a •••••• and a ••••••.",
		"hunter2 hunter2":          "•••••• ••••••",
		"abcdefghi":                "••••••",
		"hunter":                   "hunter",
		"pw is too short to hide":  "pw is too short to hide",
		"aHVudGVyMg== decoded":     "•••••• decoded",
		"\xff\xfehunter2\xff":      "\xff\xfe••••••\xff",
	} {
		if got := m.hideString(text); got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
	}
	if got := newMasker(nil).hideString("x"); got != "x" {
		t.Errorf("without secrets: %q", got)
	}
}

func TestLinesOfASecretAreHiddenOneByOne(t *testing.T) {
	t.Parallel()
	m := newMasker([]string{"-----BEGIN KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEF\n-----END KEY-----\n"})
	if got := m.hideString("> MIIEvQIBADANBg\n> kqhkiG9w0BAQEF\n"); got != "> ••••••\n> ••••••\n" {
		t.Errorf("%q", got)
	}
}

// base64 and its like break lines wherever they are full.
func TestBase64InLinesIsHidden(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	for range 200 {
		secret := randomSecret(r)
		for r.IntN(2) == 0 {
			secret += randomSecret(r)
		}
		m := newMasker([]string{secret})
		for width := 60; width <= 76; width += 4 {
			for before := range 70 {
				digits := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", before) + secret + "yyy"))
				inner := digits[(before*8+5)/6 : (before+len(secret))*8/6]
				var lines []string
				for ; len(digits) > width; digits = digits[width:] {
					lines = append(lines, digits[:width])
				}
				shown := m.hideString(strings.Join(append(lines, digits), "\n"))
				for i := 0; i+8 <= len(inner); i++ {
					if strings.Contains(shown, inner[i:i+8]) {
						t.Fatalf("%q behind %d bytes in lines of %d shows %q:\n%s", secret, before, width, inner[i:i+8], shown)
					}
				}
			}
		}
	}
}

func BenchmarkMask(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	var secrets []string
	for range 20 {
		secrets = append(secrets, randomSecret(r))
	}
	m := newMasker(secrets)
	text := []byte(strings.Repeat("2026-11-24 12:00:00 INFO a line of an ordinary log, as long as most of them are\n", 800))
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		m.settled(text)
		m.hide(text)
	}
}
