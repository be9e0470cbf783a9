package workspace_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"stroem/workspace"
)

// The model of a schedule shares nothing with it: it looks at every second or
// minute that goes by, at what the clock shows then, and at the expression as
// it is written.

// patterns are looked at minute by minute.
var patterns = []string{
	"* * * * *", "*/7 * * * *", "0 * * * *", "30 * * * *", "59 * * * *", "15,45 * * * *", "10-20/5 * * * *",
	"0 */1 * * *", "0 */2 * * *", "30 */3 * * *", "15 */5 * * *", "*/20 */6 * * *", "0 */23 * * *",
	"0 0 * * *", "30 0 * * *", "0 1 * * *", "30 1 * * *", "59 1 * * *", "0 2 * * *", "15 2 * * *", "30 2 * * *", "0 3 * * *",
	"30 3 * * *", "59 23 * * *", "*/10 2 * * *", "* 1 * * *", "*/15 0-4 * * *", "0 0-23 * * *", "0 0-23/2 * * *", "5 1,2,3 * * *",
	"0 0 1 * *", "30 2 L * *", "0 12 15W * *", "30 2 * 3,10 *", "30 1 * 11 SUN", "30 2 * * 7", "15 0 * * 1-5", "0 2 * * SUNL",
	"30 1 13 * 5", "30 23 * * 6#4",
}

// fine ones are looked at second by second, near a change of the clocks.
var fine = []string{"30 30 2 * * *", "59 59 1 * * *", "*/15 0 * * * *", "1 0 0 * * *", "7 */30 1-3 * * *", "*/20 */10 */2 * * *", "59 */59 0-3 * * *"}

// expression is a cron expression in six fields.
type expression struct {
	fields  []string
	clock   [3][60]bool // the seconds, minutes and hours that match
	follows bool
}

func expressionOf(cron string) *expression {
	fields := strings.Fields(cron)
	if len(fields) == 5 {
		fields = append([]string{"0"}, fields...)
	}
	e := &expression{fields: fields, follows: fields[2][0] == '*'}
	for i := range e.clock {
		for v := range e.clock[i] {
			e.clock[i][v] = within(fields[i], v)
		}
	}
	return e
}

func (e *expression) matches(w time.Time) bool {
	hour, minute, second := w.Clock()
	if !e.clock[0][second] || !e.clock[1][minute] || !e.clock[2][hour] || !within(e.fields[4], int(w.Month())) {
		return false
	}
	day, weekday := e.day(w), e.weekday(w)
	if e.fields[3] == "*" || e.fields[5] == "*" {
		return day && weekday
	}
	return day || weekday
}

func (e *expression) day(w time.Time) bool {
	f := e.fields[3]
	if f == "L" {
		return w.AddDate(0, 0, 1).Day() == 1
	}
	if n, ok := strings.CutSuffix(f, "W"); ok { // only 15W is among the patterns
		want, _ := strconv.Atoi(n)
		switch w.Weekday() {
		case time.Saturday, time.Sunday:
			return false
		case time.Friday:
			return w.Day() == want || w.Day() == want-1
		case time.Monday:
			return w.Day() == want || w.Day() == want+1
		default:
			return w.Day() == want
		}
	}
	return within(f, w.Day())
}

func (e *expression) weekday(w time.Time) bool {
	f := strings.ReplaceAll(e.fields[5], "SUN", "0")
	today := int(w.Weekday())
	if n, ok := strings.CutSuffix(f, "L"); ok {
		return n == strconv.Itoa(today) && w.AddDate(0, 0, 7).Month() != w.Month()
	}
	if n, nth, ok := strings.Cut(f, "#"); ok {
		return n == strconv.Itoa(today) && strconv.Itoa((w.Day()+6)/7) == nth
	}
	return within(f, today) || today == 0 && within(f, 7)
}

func within(field string, v int) bool {
	for _, part := range strings.Split(field, ",") {
		span, stepText, _ := strings.Cut(part, "/")
		step := 1
		if stepText != "" {
			step, _ = strconv.Atoi(stepText)
		}
		if span == "*" {
			if v%step == 0 { // of fields from 0 on: no other pattern has a step
				return true
			}
			continue
		}
		a, b, isRange := strings.Cut(span, "-")
		from, _ := strconv.Atoi(a)
		to := from
		if isRange {
			to, _ = strconv.Atoi(b)
		}
		if v >= from && v <= to && (v-from)%step == 0 {
			return true
		}
	}
	return false
}

// watch is a stretch of time, and what the clock shows at each tick of it.
type watch struct {
	zone  *time.Location
	ticks []time.Time
	shows []time.Time
	skip  int // ticks that are only there for what came before
}

func newWatch(zone *time.Location, from, to time.Time, tick, before time.Duration) *watch {
	w := &watch{zone: zone, skip: int(before / tick)}
	for t := from.Add(-before); !t.After(to); t = t.Add(tick) {
		w.ticks = append(w.ticks, t)
		_, offset := t.In(zone).Zone()
		w.shows = append(w.shows, t.UTC().Add(time.Duration(offset)*time.Second))
	}
	return w
}

// firings are the ticks after the first at which the expression fires.
func (w *watch) firings(e *expression, tick time.Duration) (list []time.Time) {
	fire := make([]bool, len(w.ticks))
	if e.follows {
		for i, shown := range w.shows {
			fire[i] = e.matches(shown)
		}
	} else {
		// Each time that the clock has come to or passed, the first time it did.
		furthest := w.shows[0]
		for i, shown := range w.shows {
			for furthest.Before(shown) {
				furthest = furthest.Add(tick)
				fire[i] = fire[i] || e.matches(furthest)
			}
		}
	}
	for i := w.skip + 1; i < len(fire); i++ {
		if fire[i] {
			list = append(list, w.ticks[i])
		}
	}
	return list
}

// compare holds the schedules against the model.
func (w *watch) compare(t *testing.T, crons []string, tick time.Duration) {
	t.Helper()
	start, end := w.ticks[w.skip], w.ticks[len(w.ticks)-1]
	for _, cron := range crons {
		s, err := workspace.ParseSchedule(cron, w.zone.String())
		if err != nil {
			t.Fatal(err)
		}
		var got []time.Time
		for at := s.Next(start); !at.IsZero() && !at.After(end); at = s.Next(at) {
			got = append(got, at)
		}
		if want := w.firings(expressionOf(cron), tick); !slices.EqualFunc(got, want, time.Time.Equal) {
			t.Errorf("%q in %s from %s: %v, want %v", cron, w.zone, start, got, want)
		}
	}
}

// changes are the moments from 2020 to 2035 at which the zone's clocks change.
func changes(zone *time.Location) (list []time.Time) {
	for t := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC); ; {
		_, end := t.In(zone).ZoneBounds()
		if end.IsZero() || end.Year() > 2035 {
			return list
		}
		list, t = append(list, end), end
	}
}

// check compares all patterns in the day before and after each of the moments
// in the zone, and second by second near those at which its clocks change.
func check(t *testing.T, zone *time.Location, changes, others []time.Time) {
	t.Helper()
	for _, at := range changes {
		at = at.UTC().Truncate(time.Hour / 4)
		newWatch(zone, at.Add(-90*time.Minute), at.Add(2*time.Hour), time.Second, 2*time.Hour).compare(t, fine, time.Second)
	}
	for _, at := range append(others, changes...) {
		at = at.UTC().Truncate(time.Hour / 4)
		newWatch(zone, at.Add(-26*time.Hour), at.Add(26*time.Hour), time.Minute, 26*time.Hour).compare(t, patterns, time.Minute)
	}
}

// ordinary days, two in each year, one of them the end of a month and year.
func ordinary(year int) []time.Time {
	return []time.Time{time.Date(year, 2, 28, 23, 0, 0, 0, time.UTC), time.Date(year, 12, 31, 23, 0, 0, 0, time.UTC)}
}

// Some zones, two years of each: those that are changed by half an hour or by
// two, in winter, around Ramadan, at midnight, or never.
func TestScheduleWhereClocksChange(t *testing.T) {
	t.Parallel()
	for i, name := range []string{"Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca", "Europe/Dublin", "Antarctica/Troll",
		"America/New_York", "Europe/Berlin", "America/Havana", "Africa/Cairo", "Asia/Beirut", "America/Santiago", "Pacific/Chatham",
		"Asia/Kathmandu", "America/Sao_Paulo", "Asia/Tehran", "UTC"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			zone, err := time.LoadLocation(name)
			if err != nil {
				t.Fatal(err)
			}
			all := changes(zone)
			if n := len(all); n > 0 {
				all = []time.Time{all[min(n-1, 2*(i%5))], all[max(0, n-2)]}
			}
			check(t, zone, all, ordinary(2020 + i)[:1])
		})
	}
}
