package tera

import (
	"cmp"
	"strings"
)

// same compares two values; what is not empty when they are too large for that.
func (r *run) same(a, b any, depth int) (same bool, what string) {
	if what := r.step(1); what != "" || depth > maxDeep {
		return false, "these values are too large to be compared"
	}
	if m, ok := object(a); ok {
		n, ok := object(b)
		if !ok || len(m) != len(n) {
			return false, ""
		}
		for k, v := range m {
			w, ok := n[k]
			if !ok {
				return false, ""
			}
			if same, what := r.same(v, w, depth+1); !same {
				return false, what
			}
		}
		return true, ""
	}
	switch a := a.(type) {
	case nil:
		return b == nil, ""
	case bool:
		c, ok := b.(bool)
		return ok && a == c, ""
	case string:
		c, ok := b.(string)
		return ok && a == c, r.step(len(a) >> 10)
	case []any:
		c, ok := b.([]any)
		if !ok || len(a) != len(c) {
			return false, ""
		}
		for i := range a {
			if same, what := r.same(a[i], c[i], depth+1); !same {
				return false, what
			}
		}
		return true, ""
	}
	n, ok := numberOf(a)
	m, also := numberOf(b)
	return ok && also && n.compare(m) == 0, ""
}

// holds looks for x in a text, a list or the keys of an object.
func (r *run) holds(in, x any) (found bool, what string) {
	if m, ok := object(in); ok {
		s, ok := x.(string)
		_, found = m[s]
		return ok && found, ""
	}
	switch in := in.(type) {
	case string:
		s, ok := x.(string)
		if !ok {
			return false, "a text can only hold a text, and this is " + typeName(x)
		}
		return strings.Contains(in, s), r.step(len(in) >> 8)
	case []any:
		for _, v := range in {
			if same, what := r.same(v, x, 0); same || what != "" {
				return same, what
			}
		}
		return false, ""
	}
	return false, "only a text, a list or an object can hold something, and this is " + typeName(in)
}

// kindOf groups values that can be put in an order; 0 for those that cannot.
func kindOf(v any) int {
	switch v.(type) {
	case bool:
		return 1
	case string:
		return 2
	case []any:
		return 3
	}
	if _, ok := numberOf(v); ok {
		return 4
	}
	return 0
}

// order compares two values of one kind: numbers by value, texts by alphabet,
// lists by length, false before true.
func order(a, b any) int {
	switch a := a.(type) {
	case bool:
		c, _ := b.(bool)
		switch {
		case a == c:
			return 0
		case a:
			return 1
		}
		return -1
	case string:
		c, _ := b.(string)
		return strings.Compare(a, c)
	case []any:
		c, _ := b.([]any)
		return cmp.Compare(len(a), len(c))
	}
	n, _ := numberOf(a)
	m, _ := numberOf(b)
	return n.compare(m)
}
