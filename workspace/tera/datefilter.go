package tera

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// now returns the time in RFC 3339, or in seconds since 1970.
func now(a *arguing, _ any) any {
	clock := a.r.t.options.Now
	if clock == nil {
		clock = time.Now
	}
	t := clock()
	if a.bool(1) {
		t = t.UTC()
	}
	if a.bool(0) {
		return t.Unix()
	}
	return t.Format("2006-01-02T15:04:05.999999999-07:00")
}

// date writes a time: seconds since 1970, or RFC 3339, or a date alone.
func date(a *arguing, in any) any {
	format, zone := a.text(0, "%Y-%m-%d"), a.text(1, "")
	if a.has(2) {
		return a.fail("the argument locale of date cannot be used: names are written in English", "leave it out")
	}
	if a.cost(1000 + 256*len(format)); a.err != nil {
		return nil
	}
	t, what := timeOf(in)
	if what != "" {
		return a.fail(what, `give seconds since 1970, 2026-01-31 or 2026-01-31T12:00:00Z`)
	}
	if zone != "" {
		if a.cost(100_000); a.err != nil { // it reads a file
			return nil
		}
		loc, err := time.LoadLocation(zone)
		if err != nil || zone == "Local" {
			return a.fail("there is no time zone "+clip(zone), "name one such as Europe/Berlin or UTC")
		}
		t = t.In(loc)
	}
	if len(format) > 1000 {
		return a.fail("the format of date is too long", "")
	}
	s, what := strftime(t, format)
	if what != "" {
		return a.fail(what, "the letters are those of strftime")
	}
	return s
}

// timeOf reads a value as a time; without a zone it is in UTC.
func timeOf(in any) (t time.Time, what string) {
	const most = 250_000 * 366 * 86400 // seconds, far from where years overflow
	if s, ok := in.(string); ok {
		for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04:05.999999999", "2006-01-02T15:04", "2006-01-02"} {
			if t, err := time.Parse(layout, s); err == nil {
				return t, ""
			}
		}
		return t, strconv.Quote(clip(s)) + " is no date"
	}
	n, ok := whole64(in)
	if !ok || n > most || n < -most {
		return t, "date takes a whole number of seconds or a text, and this is " + typeName(in)
	}
	return time.Unix(n, 0).UTC(), ""
}

// strftime writes a time as chrono does. A -, a _ or a 0 after the % chooses what
// a number is filled up with.
func strftime(t time.Time, format string) (s, what string) {
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			b.WriteByte(format[i])
			continue
		}
		rest := format[i+1:]
		pad := byte(0)
		if rest != "" && strings.IndexByte("-_0", rest[0]) >= 0 {
			pad, rest = rest[0], rest[1:]
		}
		n, ok := directive(&b, t, rest, pad)
		if !ok {
			return "", "the format of date has no " + strconv.Quote(clip(format[i:min(len(format), i+3)]))
		}
		i = len(format) - len(rest) - 1 + n
	}
	return b.String(), ""
}

// composed are the directives that stand for others.
var composed = map[byte]string{
	'D': "%m/%d/%y", 'x': "%m/%d/%y", 'F': "%Y-%m-%d", 'v': "%e-%b-%Y", 'R': "%H:%M", 'T': "%H:%M:%S", 'X': "%H:%M:%S",
	'r': "%I:%M:%S %p", 'c': "%a %b %e %H:%M:%S %Y", '+': "%Y-%m-%dT%H:%M:%S%.f%:z",
}

// directive writes what the directive at the front of rest stands for, and
// returns its length.
func directive(b *strings.Builder, t time.Time, rest string, pad byte) (n int, ok bool) {
	for _, long := range []string{":::z", "::z", ":z", "#z", ".3f", ".6f", ".9f", ".f", "3f", "6f", "9f"} {
		if strings.HasPrefix(rest, long) {
			b.WriteString(longDirective(t, long))
			return len(long), true
		}
	}
	if rest == "" {
		return 0, false
	}
	c := rest[0]
	if form, ok := composed[c]; ok {
		s, _ := strftime(t, form)
		b.WriteString(s)
		return 1, true
	}
	if s, ok := worded(t, c); ok {
		b.WriteString(s)
		return 1, true
	}
	v, width, fill, ok := counted(t, c)
	if !ok {
		return 0, false
	}
	switch pad {
	case '-':
		width = 0
	case '_':
		fill = ' '
	case '0':
		fill = '0'
	}
	s := strconv.Itoa(v)
	sign := ""
	if v < 0 {
		sign, s = "-", s[1:]
	}
	if fill == '0' {
		b.WriteString(sign)
		sign = ""
	}
	b.WriteString(strings.Repeat(string(fill), max(0, width-len(s))) + sign + s)
	return 1, true
}

// longDirective writes fractions of a second and zones.
func longDirective(t time.Time, d string) string {
	switch d {
	case ":z":
		return t.Format("-07:00")
	case "::z":
		return t.Format("-07:00:00")
	case ":::z", "#z":
		return t.Format("-07")
	}
	nano := fmt.Sprintf("%09d", t.Nanosecond())
	switch d {
	case ".f":
		switch s := strings.TrimRight(nano, "0"); {
		case s == "":
			return ""
		case len(s) <= 3:
			return "." + nano[:3]
		case len(s) <= 6:
			return "." + nano[:6]
		}
		return "." + nano
	case ".3f", ".6f", ".9f":
		return "." + nano[:d[1]-'0']
	}
	return nano[:d[0]-'0']
}

// worded writes the directives that are no numbers.
func worded(t time.Time, c byte) (string, bool) {
	switch c {
	case 'B':
		return t.Month().String(), true
	case 'b', 'h':
		return t.Month().String()[:3], true
	case 'A':
		return t.Weekday().String(), true
	case 'a':
		return t.Weekday().String()[:3], true
	case 'p':
		return t.Format("PM"), true
	case 'P':
		return t.Format("pm"), true
	case 'z':
		return t.Format("-0700"), true
	case 'Z':
		return t.Format("MST"), true
	case 'n':
		return "\n", true
	case 't':
		return "\t", true
	case '%':
		return "%", true
	}
	return "", false
}

// counted returns the directives that are numbers, and how wide they are.
func counted(t time.Time, c byte) (v, width int, fill byte, ok bool) {
	isoYear, isoWeek := t.ISOWeek()
	day := t.YearDay() - 1
	sunday, monday := int(t.Weekday()), (int(t.Weekday())+6)%7
	hour12 := (t.Hour()+11)%12 + 1
	switch c {
	case 'Y':
		return t.Year(), 4, '0', true
	case 'C':
		return t.Year() / 100, 2, '0', true
	case 'y':
		return t.Year() % 100, 2, '0', true
	case 'm':
		return int(t.Month()), 2, '0', true
	case 'd':
		return t.Day(), 2, '0', true
	case 'e':
		return t.Day(), 2, ' ', true
	case 'w':
		return sunday, 1, '0', true
	case 'u':
		return monday + 1, 1, '0', true
	case 'U':
		return (day - sunday + 7) / 7, 2, '0', true
	case 'W':
		return (day - monday + 7) / 7, 2, '0', true
	case 'G':
		return isoYear, 4, '0', true
	case 'g':
		return isoYear % 100, 2, '0', true
	case 'V':
		return isoWeek, 2, '0', true
	case 'j':
		return day + 1, 3, '0', true
	case 'H':
		return t.Hour(), 2, '0', true
	case 'k':
		return t.Hour(), 2, ' ', true
	case 'I':
		return hour12, 2, '0', true
	case 'l':
		return hour12, 2, ' ', true
	case 'M':
		return t.Minute(), 2, '0', true
	case 'S':
		return t.Second(), 2, '0', true
	case 'f':
		return t.Nanosecond(), 9, '0', true
	case 's':
		return int(t.Unix()), 1, '0', true
	}
	return 0, 0, 0, false
}
