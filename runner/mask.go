package runner

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"sort"
	"strings"
	"unicode/utf16"
)

const (
	// Mask stands for a secret, in Strøm's way: six bullets.
	Mask = "••••••"
	// shortestSecret is the length in bytes below which a value is no secret:
	// it would be found everywhere.
	shortestSecret = 4
)

// masker hides secret values in text, as they are and as they are commonly
// encoded. It is safe for concurrent use; a nil one hides nothing.
type masker struct {
	patterns []string            // sorted
	starts   map[uint32][]string // by their first four bytes
	hint     [1 << 13]uint64     // a bit for each hash of four bytes that begin a pattern
	// A bit for each hash of three bytes in a row within a pattern's first
	// stride+2, so that one look at three bytes says that none begins there or up
	// to stride-1 bytes before.
	near    [1 << 13]uint64
	stride  int
	longest int
}

// longestStride keeps near's bits few, so that most looks end a search.
const longestStride = 6

// newMasker hides the given values.
func newMasker(values []string) *masker {
	m := &masker{starts: map[uint32][]string{}, stride: longestStride}
	seen := map[string]bool{}
	for _, v := range values {
		if v == "true" || v == "false" || v == "null" { // words that say nothing by themselves
			continue
		}
		for _, p := range appearances(v) {
			if len(p) < shortestSecret || seen[p] {
				continue
			}
			seen[p] = true
			m.patterns = append(m.patterns, p)
			head := binary.LittleEndian.Uint32([]byte(p))
			m.starts[head] = append(m.starts[head], p)
			h := hintOf(head)
			m.hint[h>>6] |= 1 << (h & 63)
			m.longest = max(m.longest, len(p))
			m.stride = min(m.stride, len(p)-2)
		}
	}
	slices.Sort(m.patterns)
	for _, p := range m.patterns {
		for i := range m.stride {
			h := hintOf(three([]byte(p[i:])))
			m.near[h>>6] |= 1 << (h & 63)
		}
	}
	return m
}

// three is text's first three bytes.
func three(text []byte) uint32 {
	return uint32(text[0])<<8 | uint32(text[1])<<16 | uint32(text[2])<<24
}

func hintOf(head uint32) uint32 { return head * 2654435761 >> 13 }

// hide returns text with all secrets in it replaced, text itself if there are
// none. Where secrets overlap, their whole extent is replaced.
func (m *masker) hide(text []byte) []byte {
	if m == nil || len(m.patterns) == 0 {
		return text
	}
	var out []byte
	from, end := 0, -1 // of the secret that is open; end < 0: none
	done := 0          // what is in out already
	for i, n := m.find(text, 0); n > 0; i, n = m.find(text, i+1) {
		if end >= 0 && i > end {
			out = append(append(out, text[done:from]...), Mask...)
			done, end = end, -1
		}
		if end < 0 {
			from = i
		}
		end = max(end, i+n)
	}
	if end < 0 {
		if out == nil {
			return text
		}
		return append(out, text[done:]...)
	}
	out = append(append(out, text[done:from]...), Mask...)
	return append(out, text[end:]...)
}

// hideJSON hides secrets in the texts of a JSON document, which stays one.
func (m *masker) hideJSON(doc []byte) []byte {
	if m == nil || bytes.Equal(m.hide(doc), doc) {
		return doc
	}
	v, err := decode(doc)
	if err != nil {
		return doc // no JSON: there is nothing to keep valid
	}
	hidden, err := json.Marshal(m.hideWithin(v))
	if err != nil {
		return []byte(`"` + Mask + `"`)
	}
	return hidden
}

func (m *masker) hideWithin(v any) any {
	switch v := v.(type) {
	case string:
		return m.hideString(v)
	case json.Number:
		if shown := m.hideString(v.String()); shown != v.String() {
			return shown
		}
	case []any:
		for i := range v {
			v[i] = m.hideWithin(v[i])
		}
	case map[string]any:
		shown := make(map[string]any, len(v))
		for k, e := range v {
			shown[m.hideString(k)] = m.hideWithin(e)
		}
		return shown
	}
	return v
}

func (m *masker) hideString(text string) string { return string(m.hide([]byte(text))) }

// find is the first place from i on where a pattern begins, and the length of the
// longest that does; n is 0 where none does.
func (m *masker) find(text []byte, i int) (at, n int) {
	for ; i+m.stride+shortestSecret <= len(text); i += m.stride {
		if h := hintOf(binary.LittleEndian.Uint32(text[i+m.stride-1:]) << 8); m.near[h>>6]&(1<<(h&63)) == 0 {
			continue
		}
		for at := i; at < i+m.stride; at++ {
			if n := m.at(text[at:]); n > 0 {
				return at, n
			}
		}
	}
	for ; i+shortestSecret <= len(text); i++ {
		if n := m.at(text[i:]); n > 0 {
			return i, n
		}
	}
	return len(text), 0
}

// at is the length of the longest pattern that text begins with, else 0.
func (m *masker) at(text []byte) (longest int) {
	head := binary.LittleEndian.Uint32(text)
	if h := hintOf(head); m.hint[h>>6]&(1<<(h&63)) == 0 {
		return 0
	}
	for _, p := range m.starts[head] {
		if len(p) > longest && len(p) <= len(text) && string(text[:len(p)]) == p {
			longest = len(p)
		}
	}
	return longest
}

// settled is how many of text's first bytes can be shown without knowing what
// comes next: no secret begins before that point and ends behind it.
func (m *masker) settled(text []byte) int {
	if m == nil || m.longest == 0 {
		return len(text)
	}
	cut := len(text)
	for i := max(0, len(text)-m.longest+1); i < len(text); i++ {
		if m.begins(string(text[i:])) {
			cut = i
			break
		}
	}
	for i := cut - 1; i >= 0 && i > cut-m.longest; i-- { // a secret is never cut in two
		if len(text)-i >= shortestSecret && i+m.at(text[i:]) > cut {
			cut = i
		}
	}
	return cut
}

// begins reports whether a pattern goes on where text ends.
func (m *masker) begins(text string) bool {
	k := sort.SearchStrings(m.patterns, text)
	if k < len(m.patterns) && m.patterns[k] == text {
		k++
	}
	return k < len(m.patterns) && strings.HasPrefix(m.patterns[k], text)
}

// appearances are the ways in which a secret value shows up in text.
func appearances(v string) []string {
	v = strings.Trim(v, "\r\n")
	if len(v) < shortestSecret {
		return nil
	}
	all := []string{v}
	all = append(all, jsonForms(v)...)
	all = append(all, urlForms(v)...)
	all = append(all, base64Forms(v)...)
	all = append(all, shellForms(v)...)
	if lines := strings.FieldsFunc(v, func(r rune) bool { return r == '\n' || r == '\r' }); len(lines) > 1 {
		all = append(all, strings.Join(lines, "\r\n"))
		for _, line := range lines { // a log is read line by line
			all = append(all, appearances(line)...)
		}
	}
	return all
}

// jsonForms are v inside a JSON string, by encoders that escape the least,
// HTML's characters as well, or all that is not ASCII, and as our own
// templates escape it.
func jsonForms(v string) []string {
	html, _ := json.Marshal(v) // a string always encodes
	least := compact(v)
	trim := func(s string) string { return s[1 : len(s)-1] }
	var forms []string
	for _, form := range []string{trim(string(html)), trim(least), strings.ReplaceAll(trim(least), "/", `\/`)} {
		forms = append(forms, form)
		for _, digits := range []string{`\u%04x`, `\u%04X`} {
			forms = append(forms, escapeRunes(form, func(r rune) bool { return r > 0x7e }, digits))
		}
	}
	return append(forms, escapeRunes(v, func(r rune) bool { return r < 0x20 || r == '"' || r == '\\' || r == 0x7f }, `\u%04x`))
}

func escapeRunes(v string, escape func(rune) bool, format string) string {
	var b strings.Builder
	for _, r := range v {
		switch {
		case !escape(r):
			b.WriteRune(r)
		case r > 0xffff:
			hi, lo := utf16.EncodeRune(r)
			fmt.Fprintf(&b, format+format, hi, lo)
		default:
			fmt.Fprintf(&b, format, r)
		}
	}
	return b.String()
}

// urlForms are v percent-encoded, for a query, for a path, as encodeURIComponent
// does, and in full, with capital and small digits.
func urlForms(v string) []string {
	var forms []string
	for _, f := range []string{
		url.QueryEscape(v), strings.ReplaceAll(url.QueryEscape(v), "+", "%20"), url.PathEscape(v),
		percent(v, "-_.!~*'()"), percent(v, "-_.~/"), percent(v, "-_.~"), percent(v, ""),
	} {
		forms = append(forms, f, lowerDigits(f))
	}
	return forms
}

// percent encodes everything but ASCII letters, digits and the bytes of safe.
func percent(v, safe string) string {
	var b strings.Builder
	for i := range len(v) {
		c := v[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte(safe, c) >= 0 {
			b.WriteByte(c)
			continue
		}
		fmt.Fprintf(&b, "%%%02X", c)
	}
	return b.String()
}

// lowerDigits writes the digits of percent-encoded bytes small.
func lowerDigits(v string) string {
	b := []byte(v)
	for i := 0; i+2 < len(b); i++ {
		if b[i] == '%' {
			copy(b[i+1:], bytes.ToLower(b[i+1:i+3]))
			i += 2
		}
	}
	return string(b)
}

// base64Forms are the digits that v decides, wherever it begins within a group
// of three bytes, in both alphabets. What the bytes beside it decide as well is
// left out, but for the padding where nothing follows.
func base64Forms(v string) []string {
	var forms []string
	for shift := range 3 {
		data := append(make([]byte, shift), v...)
		first, last := (shift*8+5)/6, len(data)*8/6
		for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
			digits := enc.EncodeToString(data)
			forms = append(forms, digits[first:last], digits[first:], strings.TrimRight(digits[first:], "="))
			forms = append(forms, windows(digits[first:last])...)
		}
	}
	return forms
}

// windows are pieces of base64 that overlap, so that digits are found although a
// line break stands somewhere among them: base64 and openssl write lines of 76 or
// 64. Of a very long text there are fewer, and longer ones.
func windows(digits string) (pieces []string) {
	width, step := 8, 1
	if len(digits) > 4096 {
		width, step = 32, 16
	}
	for i := 0; i+width < len(digits); i += step {
		pieces = append(pieces, digits[i:i+width])
	}
	if len(digits) > width {
		pieces = append(pieces, digits[len(digits)-width:])
	}
	return pieces
}

// shellForms are v inside the quotes of a shell, and as printf %q and set -x
// show it.
func shellForms(v string) []string {
	double := strings.NewReplacer(`\`, `\\`, `$`, `\$`, "`", "\\`", `"`, `\"`)
	var bare strings.Builder
	for i := range len(v) {
		if c := v[i]; c < 0x80 && !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("_-./:@%+,=", c) >= 0) {
			bare.WriteByte('\\')
		}
		bare.WriteByte(v[i])
	}
	return []string{
		strings.ReplaceAll(v, `'`, `'\''`), strings.ReplaceAll(v, `'`, `'"'"'`), double.Replace(v), bare.String(),
		strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`, "\t", `\t`, "\r", `\r`).Replace(v),
	}
}
