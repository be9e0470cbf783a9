package workspace

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"
)

const maxName = 128

// badName says what keeps a text from being the name of anything.
func badName(s string) string {
	switch {
	case s == "":
		return "is empty"
	case utf8.RuneCountInString(s) > maxName:
		return fmt.Sprintf("is longer than %d characters", maxName)
	case strings.TrimSpace(s) != s:
		return quote(s) + " begins or ends with a space"
	case strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) >= 0:
		return quote(s) + " has a character that cannot be seen"
	}
	return ""
}

// keys lists the keys of a map in order.
func keys[V any](m map[string]V) []string {
	list := make([]string, 0, len(m))
	for k := range m {
		list = append(list, k)
	}
	sort.Strings(list)
	return list
}

// Limits of a search for the nearest name: names beyond them get no
// suggestion, which costs nobody anything, and hostile YAML no time.
const (
	nearNames  = 2000
	nearLength = 64
	shortest   = 3 // of a name that may be the beginning of another
)

// Nearest is the known name that was probably meant by name, and "" when none
// is near: one slip in a short name, up to three in a long one. A case
// difference, or - for _, is no slip. Where none is near, it is the first that
// begins with name.
func Nearest(name string, known []string) string {
	if name == "" || len(name) > 4*nearLength || utf8.RuneCountInString(name) > nearLength {
		return ""
	}
	a := fold(name)
	best, longer, slips := "", "", max(1, min((len(a)+1)/3, 3))
	for i, k := range known {
		if i == nearNames {
			break
		}
		if k == name || k == "" || len(k) > 4*nearLength {
			continue
		}
		b := fold(k)
		if longer == "" && len(a) >= shortest && len(b) > len(a) && slices.Equal(a, b[:len(a)]) {
			longer = k
		}
		if len(b) > nearLength || len(b)-len(a) > slips || len(a)-len(b) > slips {
			continue
		}
		// A name may not be changed beyond recognition.
		if d := distance(a, b, slips); d <= slips && d < max(len(a), len(b)) && (best == "" || d < slips) {
			best, slips = k, d
		}
	}
	return cmp.Or(best, longer)
}

// suggest is the second half of a sentence about an unknown name.
func suggest(name string, known []string) string {
	if k := Nearest(name, known); k != "" {
		return "did you mean " + quote(k) + "?"
	}
	return ""
}

// fold makes alike what people take for the same.
func fold(s string) []rune {
	runes := []rune(s)
	for i, r := range runes {
		switch {
		case r >= 'A' && r <= 'Z':
			runes[i] = r + 'a' - 'A'
		case r == '-' || r == ' ':
			runes[i] = '_'
		}
	}
	return runes
}

// distance counts the slips (a letter left out, added, changed, or two
// swapped) between a and b; beyond most it only says more than most.
func distance(a, b []rune, most int) int {
	before, prev, cur := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		least := i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d := min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, before[j-2]+1)
			}
			cur[j] = d
			least = min(least, d)
		}
		if least > most {
			return most + 1
		}
		before, prev, cur = prev, cur, before
	}
	return prev[len(b)]
}
