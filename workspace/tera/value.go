package tera

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// lookup follows a path. Where it breaks, what says so and fix what to do.
func lookup(path []string, v Vars) (val any, what, fix string) {
	val = map[string]any(v)
	for i, name := range path {
		at := strings.Join(path[:i+1], ".")
		parent := strings.Join(path[:i], ".")
		switch in := val.(type) {
		case map[string]any:
			next, ok := in[name]
			if !ok {
				return nil, "there is no variable " + at, suggest(parent, name, in)
			}
			val = next
		case Vars:
			next, ok := in[name]
			if !ok {
				return nil, "there is no variable " + at, suggest(parent, name, in)
			}
			val = next
		case []any:
			n, err := strconv.Atoi(name)
			if err != nil || n < 0 {
				return nil, parent + " is a list and has no field " + name, "name an item by its index, from 0"
			}
			if n >= len(in) {
				return nil, fmt.Sprintf("%s has %s, so there is no %s", parent, items(len(in)), at), "indexes count from 0"
			}
			val = in[n]
		default:
			return nil, parent + " is " + typeName(val) + " and has no field " + name, "write {{ " + parent + " }}"
		}
	}
	return val, "", ""
}

func items(n int) string {
	if n == 1 {
		return "1 item"
	}
	return strconv.Itoa(n) + " items"
}

func typeName(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case string:
		return "a string"
	case []any:
		return "a list"
	case map[string]any, Vars:
		return "an object"
	}
	return "a number"
}

// suggest names the nearest known name, or lists a few when none is near.
func suggest(parent, name string, known map[string]any) string {
	prefix := ""
	if parent != "" {
		prefix = parent + "."
	}
	names := slices.Sorted(maps.Keys(known))
	best, least := "", 1+max(2, len(name)/3)
	if len(name) <= 3 {
		least = 2
	}
	for _, k := range names {
		if d := distance(strings.ToLower(name), strings.ToLower(k)); d < least {
			best, least = k, d
		}
	}
	switch {
	case best != "":
		return "did you mean " + prefix + best + "?"
	case len(names) == 0 && parent != "":
		return parent + " is empty"
	case len(names) == 0:
		return "there are no variables here"
	}
	const most = 8
	more := ""
	if len(names) > most {
		names, more = names[:most], ", …"
	}
	return "known here: " + prefix + strings.Join(names, ", "+prefix) + more
}

// distance counts the letters to add, drop or change to turn a into b.
func distance(a, b string) int {
	const far = 100
	if len(a) > far || len(b) > far {
		return far
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// show prints a value as Tera does: an object is [object], null is nothing.
func show(v any) (s, what string) {
	var b strings.Builder
	if what := showTo(&b, v); what != "" {
		return "", what
	}
	return b.String(), ""
}

func showTo(b *strings.Builder, v any) (what string) {
	switch v := v.(type) {
	case nil:
	case string:
		b.WriteString(v)
	case bool:
		b.WriteString(strconv.FormatBool(v))
	case map[string]any, Vars:
		b.WriteString("[object]")
	case []any:
		b.WriteByte('[')
		for i, e := range v {
			if i > 0 {
				b.WriteString(", ")
			}
			if what := showTo(b, e); what != "" {
				return what
			}
		}
		b.WriteByte(']')
	default:
		s, what := showNumber(v)
		b.WriteString(s)
		return what
	}
	return ""
}

// showNumber prints integers in full, and floats as Rust prints them: in full,
// without an exponent, and 1.0 as 1.
func showNumber(v any) (s, what string) {
	switch v := v.(type) {
	case int:
		return strconv.Itoa(v), ""
	case int64:
		return strconv.FormatInt(v, 10), ""
	case uint64:
		return strconv.FormatUint(v, 10), ""
	case float64:
		return showFloat(v)
	case json.Number:
		if i, err := strconv.ParseInt(string(v), 10, 64); err == nil {
			return strconv.FormatInt(i, 10), ""
		}
		if u, err := strconv.ParseUint(string(v), 10, 64); err == nil {
			return strconv.FormatUint(u, 10), ""
		}
		f, err := strconv.ParseFloat(string(v), 64)
		if err != nil {
			return "", "is not a number: " + strconv.Quote(string(v))
		}
		return showFloat(f)
	}
	return "", unknownType(v)
}

func showFloat(f float64) (s, what string) {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return "", "is a number that JSON does not have"
	}
	return strconv.FormatFloat(f, 'f', -1, 64), ""
}
