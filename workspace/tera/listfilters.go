package tera

import (
	"slices"
	"strings"
)

func firstOf(_ *arguing, l []any) any {
	if len(l) == 0 {
		return ""
	}
	return l[0]
}

func lastOf(_ *arguing, l []any) any {
	if len(l) == 0 {
		return ""
	}
	return l[len(l)-1]
}

func nth(a *arguing, l []any) any {
	n := a.int(0, 0)
	switch {
	case a.err == nil && n < 0:
		return a.fail("the argument n of nth is not below 0", "")
	case n >= int64(len(l)):
		return ""
	}
	return l[max(0, n)]
}

func joined(a *arguing, l []any) any {
	sep := a.text(0, "")
	p := printer{r: a.r, left: maxText}
	for i, v := range l {
		if i > 0 {
			p.write(sep)
		}
		if p.show(v, 0); p.what != "" {
			return a.fail("the text "+p.what, p.fix)
		}
	}
	return p.b.String()
}

// attribute follows a path such as name.0 into a value.
func attribute(v any, path string) (any, bool) {
	for _, name := range strings.Split(path, ".") {
		var ok bool
		if v, ok = descend(v, name); !ok {
			return nil, false
		}
	}
	return v, true
}

// attributed returns for each item what a filter looks at: its attribute, or
// itself where none is named.
func (a *arguing) attributed(path string, v any) any {
	if path == "" {
		return v
	}
	got, ok := attribute(v, path)
	if !ok {
		a.fail("an item of the list has no attribute "+clip(path), "")
	}
	return got
}

func sorted(a *arguing, l []any) any {
	path := a.text(0, "")
	type pair struct{ by, v any }
	if !a.room(3 * item * len(l)) {
		return nil
	}
	pairs := make([]pair, len(l))
	for i, v := range l {
		by := a.attributed(path, v)
		pairs[i] = pair{by, v}
		kind := kindOf(by)
		switch {
		case a.err != nil:
			return nil
		case kind == 0:
			return a.fail("sort orders numbers, texts, lists and booleans, and this list holds "+typeName(by), "name an attribute to sort by")
		case kind != kindOf(pairs[0].by):
			return a.fail("sort orders values of one kind, and this list holds "+typeName(by)+" besides "+typeName(pairs[0].by), "")
		}
	}
	slices.SortStableFunc(pairs, func(x, y pair) int {
		s, _ := x.by.(string)
		if a.cost(64 + len(s)); a.err != nil {
			return 0
		}
		return order(x.by, y.by)
	})
	out := make([]any, len(l))
	for i := range pairs {
		out[i] = pairs[i].v
	}
	return out
}

// plainKey writes a value so that equal ones are written alike.
func (a *arguing) plainKey(v any, fold bool) string {
	switch s := v.(type) {
	case string:
		if fold {
			v = strings.ToLower(s)
		}
	default:
		if n, ok := numberOf(v); ok && !n.isInt {
			if i, ok := whole64(v); ok {
				v = i
			}
		}
	}
	p := printer{r: a.r, left: maxText}
	if p.json(v, "", 0); p.what != "" {
		a.fail("this "+p.what, p.fix)
	}
	a.room(p.b.Len())
	return p.b.String()
}

func unique(a *arguing, l []any) any {
	path, fold := a.text(0, ""), !a.bool(1)
	seen := map[string]bool{}
	out := []any{}
	for _, v := range l {
		by := v
		if path != "" {
			var ok bool
			if by, ok = attribute(v, path); !ok {
				continue
			}
		}
		k := a.plainKey(by, fold)
		if a.err != nil {
			return nil
		}
		if !seen[k] {
			seen[k] = true
			out = append(out, v)
		}
	}
	a.room(4 * item * len(out))
	return out
}

func sliced(a *arguing, l []any) any {
	n := int64(len(l))
	bound := func(i int, otherwise int64) int64 {
		at := a.int(i, otherwise)
		if at < 0 {
			at += n
		}
		return max(0, min(at, n))
	}
	start, end := bound(0, 0), bound(1, n)
	if start >= end {
		return []any{}
	}
	return l[start:end:end]
}

func groupBy(a *arguing, l []any) any {
	path := a.text(0, "")
	groups := map[string]any{}
	for _, v := range l {
		by, ok := attribute(v, path)
		if !ok || by == nil {
			continue
		}
		name, ok := by.(string)
		if !ok {
			p := printer{r: a.r, left: maxText}
			if p.show(by, 0); p.what != "" {
				return a.fail("this "+p.what, p.fix)
			}
			name = p.b.String()
		}
		if !a.room(len(name) + 4*item) {
			return nil
		}
		group, _ := groups[name].([]any)
		groups[name] = append(group, v)
	}
	return groups
}

func filteredBy(a *arguing, l []any) any {
	path := a.text(0, "")
	out := []any{}
	for _, v := range l {
		got, ok := attribute(v, path)
		if !ok || got == nil {
			continue
		}
		if a.has(1) {
			same, what := a.r.same(got, a.given[1], 0)
			if what != "" {
				return a.fail(what, fixLess)
			}
			if !same && a.given[1] != nil {
				continue
			}
		}
		out = append(out, v)
	}
	a.room(2 * item * len(out))
	return out
}

func mapped(a *arguing, l []any) any {
	path := a.text(0, "")
	out := []any{}
	for _, v := range l {
		if got, ok := attribute(v, path); ok && got != nil {
			out = append(out, got)
		}
	}
	a.room(2 * item * len(out))
	return out
}

func concatenated(a *arguing, l []any) any {
	more, ok := a.given[0].([]any)
	if !ok {
		more = []any{a.given[0]}
	}
	if !a.room(item * (len(l) + len(more))) {
		return nil
	}
	a.cost(16 * len(more))
	return slices.Concat(l, more)
}

func get(a *arguing, in any) any {
	m, ok := object(in)
	if !ok {
		return a.fail("get takes an object, and this is "+typeName(in), "")
	}
	name := a.text(0, "")
	v, ok := m[name]
	switch {
	case a.err != nil:
		return nil
	case ok:
		return v
	case a.has(1):
		return a.given[1]
	}
	return a.fail("the object has no "+clip(name), near(name, sortedKeys(m), "give a default: get(key=…, default=…)"))
}
