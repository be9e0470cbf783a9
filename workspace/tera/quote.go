package tera

import "strings"

// quoting is how a value is written.
type quoting int

const (
	bare     quoting = iota + 1 // a word, or a part of one, outside of quotes
	single                      // inside '…'
	double                      // inside "…"
	dollar                      // inside $'…' of bash
	expands                     // in a here-document that the shell expands
	asIs                        // in a here-document that it does not
	comment                     // in a comment
	summed                      // in arithmetic
	fallback                    // in "${name:-…}"
)

// quote writes the script with what seen makes of its values.
func (s *script) quote(seen func(*place) string) string {
	var b strings.Builder
	b.Grow(len(s.src))
	last := 0
	for _, p := range s.places {
		b.WriteString(s.src[last:p.at])
		switch v := seen(p); p.kind {
		case bare:
			b.WriteString(singleQuote(v))
		case single:
			b.WriteString(insideSingle(v))
		case double:
			b.WriteString(insideDouble(v))
		case dollar: // nothing to escape: a single-quoted word stands between two of its kind
			b.WriteString("'" + singleQuote(v) + "$'")
		case expands:
			b.WriteString(insideHere.Replace(v))
		case fallback:
			b.WriteString(insideFallback(v))
		case asIs, comment, summed:
			b.WriteString(v)
		}
		last = p.at + len(p.mark)
	}
	b.WriteString(s.src[last:])
	return b.String()
}

func singleQuote(v string) string  { return "'" + insideSingle(v) + "'" }
func insideSingle(v string) string { return strings.ReplaceAll(v, "'", `'\''`) }

// insideDouble leaves the double quotes for everything but the plainest values.
// Escaping with backslashes would be undone where a locale's characters end in
// the byte of a backslash (Shift JIS, Big5, GBK); a single quote ends none.
func insideDouble(v string) string {
	for i := range len(v) {
		if c := v[i]; !letter(c) && !digit(c) && strings.IndexByte(" \t\n-.,:;/@%+=()<>|&#*?[]{}~^", c) < 0 {
			return `"` + singleQuote(v) + `"`
		}
	}
	return v
}

// insideHere escapes what a shell expands in a here-document.
var insideHere = strings.NewReplacer(`\`, `\\`, `$`, `\$`, "`", "\\`")

// insideFallback is for "${name:-…}", where shells disagree on quotes and on
// backslashes: all but the plainest values stand in a command of their own.
func insideFallback(v string) string {
	core := strings.TrimRight(v, "\n") // the shell takes line breaks from the end of what a command prints
	if plainest(v) {
		return v
	}
	return "$(printf %s " + singleQuote(core) + ")" + v[len(core):]
}

// plainest reports whether a text means the same to a shell wherever it stands,
// and is there at all.
func plainest(v string) bool {
	for i := range len(v) {
		if c := v[i]; !letter(c) && !digit(c) && strings.IndexByte(" -.,:/@%+=", c) < 0 {
			return false
		}
	}
	return v != ""
}
