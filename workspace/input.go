package workspace

import (
	"encoding/json"
	"fmt"
	"math"
	"sort"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// maxInput bounds an input as JSON.
const maxInput = 1 << 20

// InputError is everything that is wrong with an input, so that whoever gave
// it can mend it in one go.
type InputError struct {
	Faults []Fault `json:"faults"`
}

// Fault is what is wrong with one field: What goes on where its name ends, as
// in `input "msg" has a line break at character 12; declare it type: text`.
type Fault struct {
	Name string `json:"name"` // "" for the input as a whole
	What string `json:"what"`
}

// Error is one readable sentence.
func (e *InputError) Error() string {
	parts := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		parts[i] = f.String()
	}
	return strings.Join(parts, ". ")
}

// String is the fault with the name of its field.
func (f Fault) String() string {
	if f.Name == "" {
		return "the input " + f.What
	}
	return "input " + quote(f.Name) + " " + f.What
}

// Check reads the input of a task: raw as encoding/json gives it, with or
// without UseNumber. What it returns holds every declared field: the value in
// its declared type (text as string, integer as int64, number as int64 or
// float64, boolean as bool, several as []any of strings), else the default,
// else nil, so that a template may name any of them. The error is an
// [*InputError] with all faults, or nil.
func (f Fields) Check(raw map[string]any) (map[string]any, error) {
	return f.read(raw, false)
}

// Fill is [Fields.Check] for the input of an action, to which a step may give
// more than the action declares: those values are kept as they are.
func (f Fields) Fill(raw map[string]any) (map[string]any, error) {
	return f.read(raw, true)
}

func (f Fields) read(raw map[string]any, more bool) (map[string]any, error) {
	var faults []Fault
	out := make(map[string]any, len(f))
	for i := range f {
		field := &f[i]
		v, what := field.given(raw[field.Name])
		if what != "" {
			faults = append(faults, Fault{field.Name, what})
		}
		out[field.Name] = v
	}
	var extra []string
	for name := range raw {
		if _, ok := out[name]; !ok {
			extra = append(extra, name)
		}
	}
	sort.Strings(extra)
	for _, name := range extra {
		if more {
			out[name] = raw[name]
		} else {
			faults = append(faults, f.unknown(name, len(faults)))
		}
	}
	if n := len(faults); n > maxFaults {
		faults = append(faults[:maxFaults:maxFaults], Fault{"", fmt.Sprintf("has %d more faults", n-maxFaults)})
	}
	if len(faults) == 0 && size(raw) > maxInput {
		faults = append(faults, Fault{"", "is larger than 1 MiB; pass large data as a file"})
	}
	if len(faults) > 0 {
		return nil, &InputError{Faults: faults}
	}
	return out, nil
}

// maxFaults bounds what is said of one input.
const maxFaults = 50

// unknown is the fault of a name that is not declared. nth bounds the work.
func (f Fields) unknown(name string, nth int) Fault {
	what := "is not known"
	switch fix := ""; {
	case len(f) == 0:
		what += "; no input is taken here"
	case nth < maxFaults:
		if fix = suggest(name, f.Names()); fix != "" {
			what += "; " + fix
			break
		}
		fallthrough
	default:
		names := f.Names()
		if len(names) > 10 {
			names = append(names[:10:10], "…")
		}
		what += "; known are " + cut(strings.Join(names, ", "))
	}
	return Fault{name, what}
}

// size is how large an input is as JSON, roughly and without writing it.
func size(v any) int {
	switch v := v.(type) {
	case string:
		return len(v) + 2
	case json.Number:
		return len(v)
	case []any:
		n := 2
		for _, e := range v {
			n += size(e) + 1
		}
		return n
	case map[string]any:
		n := 2
		for k, e := range v {
			n += len(k) + 4 + size(e)
		}
		return n
	}
	return 8
}

// given is the value of a field: what was given, else its default. A null
// counts as not given.
func (f *Field) given(v any) (any, string) {
	if v != nil {
		return f.check(v)
	}
	if f.Default != nil {
		return f.Default, ""
	}
	if f.Required {
		return nil, "is missing"
	}
	return nil, ""
}

// check reads a value in the field's type; what says what is wrong with it.
func (f *Field) check(v any) (value any, what string) {
	if !f.Multiple {
		return f.single(v)
	}
	list, ok := v.([]any)
	if !ok {
		if texts, is := v.([]string); is {
			for _, s := range texts {
				list = append(list, s)
			}
		} else {
			return nil, "must be a list of strings, not " + shown(v)
		}
	}
	out := make([]any, len(list))
	for i, e := range list {
		if out[i], what = f.single(e); what != "" {
			return nil, fmt.Sprintf("%s (entry %d)", what, i+1)
		}
	}
	return out, ""
}

func (f *Field) single(v any) (any, string) {
	switch f.Type {
	case "string", "text":
		s, ok := v.(string)
		if !ok {
			return nil, "must be a string, not " + shown(v)
		}
		if what := badText(f.Type, s); what != "" {
			return nil, what
		}
		if len(f.Options) > 0 && !f.AllowCustom && !contains(f.Options, s) {
			return nil, fmt.Sprintf("must be %s, not %s", f.choice(), quote(s))
		}
		return s, ""
	case "integer":
		return integerOf(v)
	case "number":
		return numberOf(v)
	case "boolean":
		switch s, isText := v.(string); {
		case isText && s == "true":
			return true, ""
		case isText && s == "false":
			return false, ""
		}
		if b, ok := v.(bool); ok {
			return b, ""
		}
		return nil, "must be true or false, not " + shown(v)
	case "date":
		return timeOf(v, "2006-01-02", "a date such as 2026-07-31")
	case "datetime":
		return timeOf(v, "2006-01-02T15:04", "a date and time such as 2026-07-31T14:30")
	}
	return v, "" // a connection: its task is refused before its input matters
}

// choice names the options, not all of very many.
func (f *Field) choice() string {
	var names []string
	for i, o := range f.Options {
		if i == 10 {
			return strings.Join(names, ", ") + fmt.Sprintf(" or one of %d more", len(f.Options)-10)
		}
		names = append(names, quote(o))
	}
	return either(names...)
}

// badText says what keeps a text from being a value of type string or text.
func badText(kind, s string) string {
	if !utf8.ValidString(s) {
		return "is not UTF-8 text"
	}
	n := 0
	for _, r := range s {
		n++
		switch {
		case r == 0:
			return fmt.Sprintf("has a NUL at character %d", n)
		case kind == "text" || r == '\t' || !unicode.IsControl(r):
		case r == '\n' || r == '\r':
			return fmt.Sprintf("has a line break at character %d; declare it type: text", n)
		default:
			return fmt.Sprintf("has a control character (U+%04X) at character %d; declare it type: text", r, n)
		}
	}
	return ""
}

// integerOf accepts a number without a fraction, and a text that is one: a
// template gives every number as text.
func integerOf(v any) (any, string) {
	s := ""
	switch v := v.(type) {
	case int64:
		return v, ""
	case int:
		return int64(v), ""
	case float64:
		if v != math.Trunc(v) || math.Abs(v) >= 1<<63 {
			return nil, "must be an integer, not " + shown(v)
		}
		return int64(v), ""
	case json.Number:
		s = v.String()
	case string:
		s = v
	default:
		return nil, "must be an integer, not " + shown(v)
	}
	i, err := strconv.ParseInt(s, 10, 64)
	if err == nil {
		return i, ""
	}
	if _, isText := v.(string); !isText {
		// 1.0 and 1e3 are integers to JSON.
		if f, err := strconv.ParseFloat(s, 64); err == nil && f == math.Trunc(f) && math.Abs(f) < 1<<53 {
			return int64(f), ""
		}
	}
	if digits := strings.TrimPrefix(s, "-"); digits != "" && strings.Trim(digits, "0123456789") == "" {
		return nil, "is too large for an integer"
	}
	return nil, "must be an integer, not " + shown(v)
}

// numberOf accepts a number, and a text that is one in JSON's way of writing.
func numberOf(v any) (any, string) {
	switch n := v.(type) {
	case int64:
		return n, ""
	case int:
		return int64(n), ""
	case float64:
		if math.IsInf(n, 0) || math.IsNaN(n) {
			return nil, "must be a number that JSON knows"
		}
		if n == math.Trunc(n) && math.Abs(n) < 1<<53 {
			return int64(n), ""
		}
		return n, ""
	case json.Number:
		if out, err := number(n); err == nil {
			return out, ""
		}
		return nil, "is too large for a number"
	case string:
		if n != "" && strings.Trim(n, "0123456789+-.eE") == "" {
			if out, err := number(json.Number(n)); err == nil {
				return out, ""
			}
		}
	}
	return nil, "must be a number, not " + shown(v)
}

func timeOf(v any, layout, example string) (any, string) {
	s, ok := v.(string)
	if ok {
		if t, err := time.Parse(layout, s); err == nil && t.Format(layout) == s {
			return s, ""
		}
	}
	return nil, "must be " + example + ", not " + shown(v)
}

// shown names a value of a wrong type.
func shown(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return "the text " + quote(v)
	case bool:
		return strconv.FormatBool(v)
	case []any, []string:
		return "a list"
	case map[string]any:
		return "an object"
	case float64:
		return "the number " + strconv.FormatFloat(v, 'f', -1, 64)
	}
	return cut(fmt.Sprintf("the number %v", v))
}

func contains(list []string, s string) bool {
	for _, e := range list {
		if e == s {
			return true
		}
	}
	return false
}

// ParseValue reads what stands after name= on a command line, in the type that
// the field declares. Several values are a JSON list, or stand between commas.
func (f Fields) ParseValue(name, text string) (any, error) {
	field := f.Find(name)
	if field == nil {
		return nil, &InputError{Faults: []Fault{f.unknown(name, 0)}}
	}
	var v any = text
	if field.Multiple {
		list := []any{}
		switch {
		case strings.HasPrefix(strings.TrimSpace(text), "["):
			if err := decode([]byte(text), &list); err != nil {
				return nil, &InputError{Faults: []Fault{{name, "must be a JSON list, or values with commas between them"}}}
			}
		case text != "":
			for _, s := range strings.Split(text, ",") {
				list = append(list, s)
			}
		}
		v = list
	}
	if !isInputType(field.Type) {
		return text, nil
	}
	out, what := field.check(v)
	if what != "" {
		return nil, &InputError{Faults: []Fault{{name, what}}}
	}
	return out, nil
}
