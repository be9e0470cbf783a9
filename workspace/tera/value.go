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

// descend goes one step of a path into a value.
func descend(in any, name string) (any, bool) {
	switch in := in.(type) {
	case map[string]any:
		v, ok := in[name]
		return v, ok
	case Vars:
		v, ok := in[name]
		return v, ok
	case *loop:
		return in.field(name)
	case []any:
		if n, err := strconv.Atoi(name); err == nil && n >= 0 && n < len(in) {
			return in[n], true
		}
	}
	return nil, false
}

// lost says why there is nothing of that name in a value, and what to do.
func lost(parent, name string, in any) (what, fix string) {
	at := dotted([]string{parent, name})
	if parent == "" {
		at = clip(name)
	}
	if l, ok := in.(*loop); ok {
		in = l.all()
	}
	if m, ok := object(in); ok {
		return "there is no variable " + at, suggest(parent, name, m)
	}
	list, ok := in.([]any)
	if !ok {
		return parent + " is " + typeName(in) + " and has no field " + clip(name), "write {{ " + parent + " }}"
	}
	if n, err := strconv.Atoi(name); err != nil || n < 0 {
		return parent + " is a list and has no field " + clip(name), "name an item by its index, from 0"
	}
	return fmt.Sprintf("%s has %s, so there is no %s", parent, items(len(list)), at), "indexes count from 0"
}

// object returns a value that is an object.
func object(v any) (map[string]any, bool) {
	switch v := v.(type) {
	case map[string]any:
		return v, true
	case Vars:
		return v, true
	}
	return nil, false
}

func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }

// truthy says what a value is in a condition.
func truthy(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case string:
		return v != ""
	case []any:
		return len(v) > 0
	}
	if m, ok := object(v); ok {
		return len(m) > 0
	}
	n, ok := numberOf(v)
	return !ok || n.float() != 0
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
	names := sortedKeys(known)
	best := nearest(name, names)
	switch {
	case best != "":
		return "did you mean " + under(parent, best) + "?"
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
	for i, n := range names {
		names[i] = under(parent, n)
	}
	return "known here: " + strings.Join(names, ", ") + more
}

func under(parent, name string) string {
	if parent == "" {
		return clip(name)
	}
	return dotted([]string{parent, name})
}

// near asks for the nearest of the known names, or else says otherwise.
func near(name string, known []string, otherwise string) string {
	slices.Sort(known)
	if best := nearest(name, known); best != "" {
		return "did you mean " + clip(best) + "?"
	}
	return otherwise
}

// nearest finds the name that was meant; it is empty where none is near.
func nearest(name string, known []string) (best string) {
	least := 1 + max(2, len(name)/3)
	if len(name) <= 3 {
		least = 2
	}
	for _, k := range known {
		if d := distance(strings.ToLower(name), strings.ToLower(k)); d < least {
			best, least = k, d
		}
	}
	return best
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

func unknownType(v any) string {
	return fmt.Sprintf("has a value of type %T, which cannot be printed", v)
}
