package tera

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

var (
	addslashes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `'`, `\'`)
	lineBreaks = strings.NewReplacer("\r\n", "<br>", "\n", "<br>")
	escapeHTML = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#x27;", "/", "&#x2F;")
	escapeXML  = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&apos;")
	tagPattern = regexp.MustCompile(`(?s)<!--.*?-->|<[^>]*>`)
	gapPattern = regexp.MustCompile(`>\s+<`)
)

func striptags(a *arguing, in any) any { return a.without(in, tagPattern, "") }
func spaceless(a *arguing, in any) any { return a.without(in, gapPattern, "><") }

// without puts something else where a text matches.
func (a *arguing) without(in any, pattern *regexp.Regexp, with string) any {
	s := a.string(in)
	if a.cost(8 * len(s)); a.err != nil {
		return nil
	}
	return pattern.ReplaceAllString(s, with)
}

func capitalize(s string) string {
	_, n := utf8.DecodeRuneInString(s)
	return strings.ToUpper(s[:n]) + strings.ToLower(s[n:])
}

// title writes each word with a capital; a word is letters, digits, _ and '.
func title(s string) string {
	var b strings.Builder
	inside := false
	for _, c := range s {
		switch word := unicode.IsLetter(c) || unicode.IsDigit(c) || unicode.IsMark(c) || c == '_' || c == '\''; {
		case word && inside:
			b.WriteString(strings.ToLower(string(c)))
		case word:
			b.WriteString(strings.ToUpper(string(c)))
			inside = c != '\''
		default:
			b.WriteRune(c)
			inside = false
		}
	}
	return b.String()
}

func wordcount(a *arguing, in any) any {
	n, inside := int64(0), false
	for _, c := range a.string(in) {
		space := unicode.IsSpace(c)
		if !space && !inside {
			n++
		}
		inside = !space
	}
	return n
}

// plainLetters writes the letters of Europe in ASCII: what stands before each = is
// written as what stands behind it.
const plainLetters = "àáâãåāăą=a ä=a æ=ae çćĉċč=c ďđð=d èéêëēĕėęě=e ĝğġģ=g ĥħ=h ìíîïĩīĭįı=i ĵ=j ķ=k ĺļľŀł=l ñńņňŉŋ=n òóôõöøōŏő=o œ=oe ŕŗř=r śŝşšș=s ß=ss ţťŧț=t þ=th ùúûüũūŭůűų=u ŵ=w ýÿŷ=y źżž=z"

var inASCII = func() map[rune]string {
	m := map[rune]string{}
	for _, group := range strings.Fields(plainLetters) {
		from, to, _ := strings.Cut(group, "=")
		for _, c := range from {
			m[c] = to
		}
	}
	return m
}()

func slugify(s string) string {
	var b strings.Builder
	gap := false
	for _, c := range strings.ToLower(s) {
		t := string(c)
		if c >= utf8.RuneSelf {
			if unicode.IsMark(c) {
				continue
			}
			t = inASCII[c]
		}
		if len(t) == 0 || len(t) == 1 && !digit(t[0]) && (t[0] < 'a' || t[0] > 'z') {
			gap = true
			continue
		}
		if gap && b.Len() > 0 {
			b.WriteByte('-')
		}
		gap = false
		b.WriteString(t)
	}
	return b.String()
}

func trimStartMatches(a *arguing, in any) any {
	s, pat := a.string(in), a.text(0, "")
	for pat != "" && strings.HasPrefix(s, pat) {
		s = s[len(pat):]
	}
	return s
}

func trimEndMatches(a *arguing, in any) any {
	s, pat := a.string(in), a.text(0, "")
	for pat != "" && strings.HasSuffix(s, pat) {
		s = s[:len(s)-len(pat)]
	}
	return s
}

func replace(a *arguing, in any) any {
	s, from, to := a.string(in), a.text(0, ""), a.text(1, "")
	n := strings.Count(s, from)
	if a.err != nil || n > 0 && len(to) > maxText/n || !a.room(len(s)+n*len(to)) {
		return a.fail("the text grows too long", fixLess)
	}
	return strings.ReplaceAll(s, from, to)
}

// truncate counts what is seen as one character.
func truncate(a *arguing, in any) any {
	s, n, end := a.string(in), a.int(0, 255), a.text(1, "…")
	if a.err == nil && n < 0 {
		return a.fail("the argument length of truncate is not below 0", "")
	}
	cut := len(s)
	joined, flag := true, false
	for i, c := range s {
		regional := c >= 0x1F1E6 && c <= 0x1F1FF
		modifier := unicode.IsMark(c) || c == 0x200D || c >= 0x1F3FB && c <= 0x1F3FF || regional && flag
		flag = regional && !flag
		if i == 0 || !modifier && !joined {
			if n == 0 {
				cut = i
				break
			}
			n--
		}
		joined = c == 0x200D
	}
	if cut == len(s) {
		return s
	}
	return s[:cut] + end
}

func indent(a *arguing, in any) any {
	s, prefix := a.string(in), a.text(0, "    ")
	if width := a.int(3, -1); width >= 0 {
		if a.has(0) {
			return a.fail("indent takes either prefix or width", "")
		}
		if width > maxText || !a.room(int(width)) {
			return a.fail("the text grows too long", fixLess)
		}
		prefix = strings.Repeat(" ", int(width))
	}
	lines := 1 + strings.Count(s, "\n")
	if a.err != nil || len(prefix) > maxText/lines || !a.room(len(s)+lines*len(prefix)) {
		return a.fail("the text grows too long", fixLess)
	}
	first, blank := a.bool(1), a.bool(2)
	var b strings.Builder
	i := 0
	for line := range strings.Lines(s) {
		empty := strings.TrimRight(line, "\r\n") == ""
		if (i > 0 || first) && (!empty || blank) {
			b.WriteString(prefix)
		}
		b.WriteString(line)
		i++
	}
	return b.String()
}

// percent encodes all bytes of a text but letters, digits and those that are kept.
func percent(s, kept string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; digit(c) || letter(c) && c != '_' || strings.IndexByte(kept, c) >= 0 {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}

func urlencode(a *arguing, in any) any       { return percent(a.string(in), "-._~/") }
func urlencodeStrict(a *arguing, in any) any { return percent(a.string(in), "") }

func split(a *arguing, in any) any {
	s, pat := a.string(in), a.text(0, "")
	n := strings.Count(s, pat) + 1
	if a.err != nil || n > maxItems || !a.room(item*n) {
		return a.fail("the text falls into too many parts", fixLess)
	}
	parts := strings.Split(s, pat)
	if pat == "" { // as Rust does it: there is an empty part on either side
		parts = append(append([]string{""}, parts...), "")
	}
	list := make([]any, len(parts))
	for i, part := range parts {
		list[i] = part
	}
	return list
}

func length(a *arguing, in any) any {
	if m, ok := object(in); ok {
		return int64(len(m))
	}
	switch in := in.(type) {
	case []any:
		return int64(len(in))
	case string:
		return int64(utf8.RuneCountInString(in))
	}
	return a.fail("length takes a text, a list or an object, and this is "+typeName(in), "")
}

func reverse(a *arguing, in any) any {
	switch in := in.(type) {
	case []any:
		if !a.room(item * len(in)) {
			return nil
		}
		out := slices.Clone(in)
		slices.Reverse(out)
		return out
	case string:
		if !a.room(4 * len(in)) {
			return nil
		}
		out := []rune(in)
		slices.Reverse(out)
		return string(out)
	}
	return a.fail("reverse takes a text or a list, and this is "+typeName(in), "")
}

func asStr(a *arguing, in any) any {
	p := printer{r: a.r, left: maxText}
	if p.show(in, 0); p.what != "" {
		return a.fail("this "+p.what, p.fix)
	}
	return p.b.String()
}

func jsonEncode(a *arguing, in any) any {
	p := printer{r: a.r, left: maxText}
	indent := ""
	if a.bool(0) {
		indent = "\n"
	}
	if p.json(in, indent, 0); p.what != "" {
		return a.fail("this "+p.what, p.fix)
	}
	return p.b.String()
}
