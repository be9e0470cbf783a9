package tera

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// builtin is a filter, a test or a function of Tera's.
type builtin struct {
	params  []string // the arguments it knows; one that ends in ! is required
	do      func(a *arguing, in any) any
	lenient bool // a missing variable may be given to it, see use.cope
}

func (b *builtin) param(name string) int {
	return slices.IndexFunc(b.params, func(p string) bool { return strings.TrimSuffix(p, "!") == name })
}

func (b *builtin) names() []string {
	names := make([]string, len(b.params))
	for i, p := range b.params {
		names[i] = strings.TrimSuffix(p, "!")
	}
	return names
}

func takes(do func(a *arguing, in any) any, params ...string) *builtin {
	return &builtin{params: params, do: do}
}

// ofText makes a filter of a function of one text.
func ofText(do func(s string) string) *builtin {
	return takes(func(a *arguing, in any) any { return do(a.string(in)) })
}

// ofList makes a filter of what is done to a list.
func ofList(do func(a *arguing, l []any) any, params ...string) *builtin {
	return takes(func(a *arguing, in any) any {
		l, ok := in.([]any)
		if !ok {
			return a.fail(a.u.name+" takes a list, and this is "+typeName(in), "")
		}
		a.cost(64 * len(l))
		if a.err != nil {
			return nil
		}
		return do(a, l)
	}, params...)
}

// filters are those of Tera's documentation, and trim's relatives in its code.
var filters = map[string]*builtin{
	"lower": ofText(strings.ToLower), "upper": ofText(strings.ToUpper), "capitalize": ofText(capitalize), "title": ofText(title),
	"wordcount": takes(wordcount), "slugify": ofText(slugify), "addslashes": ofText(addslashes.Replace),
	"trim": ofText(strings.TrimSpace), "trim_start": ofText(trimLeft), "trim_end": ofText(trimRight),
	"trim_start_matches": takes(trimStartMatches, "pat!"), "trim_end_matches": takes(trimEndMatches, "pat!"),
	"replace": takes(replace, "from!", "to!"), "truncate": takes(truncate, "length", "end"), "indent": takes(indent, "prefix", "first", "blank", "width"),
	"linebreaksbr": ofText(lineBreaks.Replace), "spaceless": takes(spaceless), "striptags": takes(striptags),
	"escape": ofText(escapeHTML.Replace), "escape_xml": ofText(escapeXML.Replace), "safe": takes(func(_ *arguing, in any) any { return in }),
	"urlencode": takes(urlencode), "urlencode_strict": takes(urlencodeStrict), "split": takes(split, "pat!"),
	"length": takes(length), "reverse": takes(reverse), "first": ofList(firstOf), "last": ofList(lastOf), "nth": ofList(nth, "n!"),
	"join": ofList(joined, "sep"), "sort": ofList(sorted, "attribute"), "unique": ofList(unique, "attribute", "case_sensitive"),
	"slice": ofList(sliced, "start", "end"), "group_by": ofList(groupBy, "attribute!"), "filter": ofList(filteredBy, "attribute!", "value"),
	"map": ofList(mapped, "attribute!"), "concat": ofList(concatenated, "with!"), "get": takes(get, "key!", "default"),
	"pluralize": takes(pluralize, "singular", "plural"), "round": takes(round, "method", "precision"), "abs": takes(absolute),
	"filesizeformat": takes(fileSize, "binary"), "int": takes(toInt, "default", "base"), "float": takes(toFloat, "default"),
	"date": takes(date, "format", "timezone", "locale"), "json_encode": takes(jsonEncode, "pretty"), "as_str": takes(asStr),
	"default": {params: []string{"value!"}, lenient: true},
}

// tests are those of Tera's documentation; params counts their arguments.
var tests = map[string]*builtin{
	"defined": {lenient: true}, "undefined": {lenient: true},
	"odd":         takes(func(a *arguing, in any) any { return a.whole(in)%2 != 0 }),
	"even":        takes(func(a *arguing, in any) any { return a.whole(in)%2 == 0 }),
	"divisibleby": takes(divisible, "n"),
	"string":      takes(func(_ *arguing, in any) any { _, ok := in.(string); return ok }),
	"number":      takes(func(_ *arguing, in any) any { return isNumber(in) }),
	"object":      takes(func(_ *arguing, in any) any { _, ok := object(in); return ok }),
	"iterable":    takes(iterable),
	"starting_with": takes(func(a *arguing, in any) any {
		return strings.HasPrefix(a.string(in), a.text(0, ""))
	}, "start"),
	"ending_with": takes(func(a *arguing, in any) any {
		return strings.HasSuffix(a.string(in), a.text(0, ""))
	}, "end"),
	"containing": takes(containing, "what"),
	"matching":   takes(matching, "pattern"),
}

// functions are those of Tera's documentation.
var functions = map[string]*builtin{
	"range": takes(ranged, "end!", "start", "step_by"), "now": takes(now, "timestamp", "utc"), "throw": takes(throw, "message!"),
	"get_random": takes(random, "end!", "start"), "get_env": takes(getEnv, "name!", "default"),
}

// arguing is one use of a builtin. Its first error is kept, and ends the rendering
// when the builtin returns.
type arguing struct {
	r     *run
	u     *use
	given []any
	err   *Error
}

func (a *arguing) fail(what, fix string) any {
	if a.err == nil {
		a.err = a.r.fail(a.u.span, what, fix)
	}
	return nil
}

// cost counts the work on n bytes, and room the bytes that are made.
func (a *arguing) cost(n int) {
	if what := a.r.step(n >> 6); what != "" {
		a.fail(what, fixLess)
	}
}

func (a *arguing) room(n int) bool {
	if what := a.r.make(n); what != "" {
		a.fail(what, fixLess)
	}
	return a.err == nil
}

// has reports whether an argument is given.
func (a *arguing) has(i int) bool { return a.u.args[i] != nil }

// argument is what messages call an argument.
func (a *arguing) argument(i int) string {
	return "the argument " + a.u.def.names()[i] + " of " + a.u.name
}

// string is the input as a text.
func (a *arguing) string(in any) string {
	s, ok := in.(string)
	if !ok {
		a.fail(a.u.name+" takes a text, and this is "+typeName(in), "make a text of it: … | as_str")
	}
	if len(s) > maxText {
		a.fail("the text is too long for "+a.u.name, fixLess)
		return ""
	}
	return s
}

// whole is the input as a whole number.
func (a *arguing) whole(in any) int64 {
	n, ok := whole64(in)
	if !ok {
		a.fail(a.u.name+" takes a whole number, and this is "+typeName(in), "make one of it: … | int")
	}
	return n
}

func (a *arguing) text(i int, otherwise string) string {
	if !a.has(i) {
		return otherwise
	}
	s, ok := a.given[i].(string)
	if !ok {
		a.fail(a.argument(i)+" is a text, and this is "+typeName(a.given[i]), "")
	}
	return s
}

func (a *arguing) int(i int, otherwise int64) int64 {
	if !a.has(i) {
		return otherwise
	}
	n, ok := whole64(a.given[i])
	if !ok {
		a.fail(a.argument(i)+" is a whole number, and this is "+typeName(a.given[i]), "")
	}
	return n
}

func (a *arguing) bool(i int) bool {
	if !a.has(i) {
		return false
	}
	switch b := a.given[i].(type) {
	case bool:
		return b
	case string: // Tera's documentation writes case_sensitive="true"
		if b == "true" || b == "false" {
			return b == "true"
		}
	}
	a.fail(a.argument(i)+" is true or false, and this is "+typeName(a.given[i]), "")
	return false
}

func divisible(a *arguing, in any) any {
	n, by := a.whole(in), a.int(0, 0)
	if a.err == nil && by == 0 {
		return a.fail("a division by zero", "")
	}
	return a.err == nil && (by == -1 || n%by == 0)
}

func iterable(_ *arguing, in any) any {
	_, list := in.([]any)
	_, object := object(in)
	return list || object
}

func containing(a *arguing, in any) any {
	found, what := a.r.holds(in, a.given[0])
	if what != "" {
		a.fail(what, "")
	}
	return found
}

func ranged(a *arguing, _ any) any {
	end, start, by := a.int(0, 0), a.int(1, 0), a.int(2, 1)
	switch {
	case a.err != nil:
		return nil
	case by <= 0:
		return a.fail("step_by is above 0", "")
	case start > end:
		return a.fail(fmt.Sprintf("range begins at %d, behind its end at %d", start, end), "")
	}
	n := uint64(end) - uint64(start)
	n = n/uint64(by) + min(1, n%uint64(by))
	if n > maxItems {
		return a.fail(fmt.Sprintf("a range of %d numbers is too long; %d are possible", n, maxItems), fixLess)
	}
	if !a.room(item * int(n)) {
		return nil
	}
	a.cost(64 * int(n))
	list := make([]any, n)
	for i := range list {
		list[i] = start + int64(i)*by
	}
	return list
}

func throw(a *arguing, _ any) any {
	const most = 1000
	says := []rune(a.text(0, ""))
	if len(says) > most {
		says = append(says[:most], '…')
	}
	if len(says) == 0 {
		says = []rune("the template throws an error")
	}
	return a.fail(string(says), "")
}

func random(a *arguing, _ any) any {
	end, start := a.int(0, 0), a.int(1, 0)
	if a.err == nil && start >= end {
		return a.fail(fmt.Sprintf("there is no number from %d to below %d", start, end), "")
	}
	if a.err != nil {
		return nil
	}
	a.cost(1000)
	n := uint64(end) - uint64(start)
	pick := a.r.t.options.Random
	if pick == nil {
		pick = anyBelow
	}
	k := pick(n)
	if k >= n || k > math.MaxInt64 && start >= 0 {
		k = n - 1
	}
	return int64(uint64(start) + k)
}

const fixEnvName = "list the name under allow_env in the server's configuration"

func getEnv(a *arguing, _ any) any {
	name := a.text(0, "")
	look := a.r.t.options.Env
	if a.err != nil {
		return nil
	}
	if look == nil {
		return a.fail("get_env cannot see "+clip(name)+", for allow_env lists no name", fixEnvName)
	}
	v, set, err := look(name)
	switch {
	case err != nil:
		return a.fail("get_env cannot see "+clip(name)+": "+err.Error(), fixEnvName)
	case set:
		return v
	case a.has(1):
		return a.given[1]
	}
	return a.fail("the environment variable "+clip(name)+" is not set", `set it, or give a default: get_env(name="`+clip(name)+`", default="")`)
}
