package workspace

import (
	"fmt"
	"math/bits"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/adhocore/gronx"
)

// Schedule is the times at which a cron expression fires in a time zone.
//
// Where the clocks are changed, a schedule with fixed hours fires once for each
// time it names: at the first moment at which the clock shows that time or a
// later one. So what falls into the gap fires right after it, and what comes
// twice fires the first time. A schedule whose hour is * or */n follows the
// clock: it fires at every moment that shows a time it names.
type Schedule struct {
	// A bit for each value that matches.
	second, minute, hour, month uint64

	days    []string // day and weekday as gronx reads them, in six fields
	follows bool     // the hour is * or */n
	zone    *time.Location
}

// horizon is how many years are searched for a time that fires: within it every
// date falls on every weekday that it can.
const horizon = 41

// cronField is one of the six fields of a cron expression.
type cronField struct {
	name      string
	low, high int
	names     string         // of its values, from low on
	special   *regexp.Regexp // forms of its own
}

var (
	cronFields = []cronField{
		{name: "second", high: 59},
		{name: "minute", high: 59},
		{name: "hour", high: 23},
		{name: "day", low: 1, high: 31, special: regexp.MustCompile(`^(?:L|0?[1-9]W|[12]\dW|3[01]W)$`)},
		{name: "month", low: 1, high: 12, names: "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC"},
		{name: "weekday", high: 7, names: "SUN MON TUE WED THU FRI SAT", special: regexp.MustCompile(`^[0-7](?:L|#[1-5])$`)},
	}
	cronWord = regexp.MustCompile(`[A-Z]{3}`)
	cronPart = regexp.MustCompile(`^(?:\?|(?:\*|(\d{1,2})(?:-(\d{1,2}))?)(?:/(\d{1,2}))?)$`)
)

const cronExample = `write minute hour day month weekday, such as "0 2 * * *"`

// ParseSchedule reads a cron expression of five fields, of six with the seconds
// first, or a word such as @daily, for a time zone of the IANA; "" is UTC.
func ParseSchedule(cron, timezone string) (*Schedule, error) {
	s, what, _ := parseCron(cron)
	if what != "" {
		return nil, fmt.Errorf("cron: %s", what)
	}
	zone, err := time.LoadLocation(timezone)
	if err != nil {
		return nil, fmt.Errorf("timezone %s: %w", quote(timezone), err)
	}
	s.zone = zone
	return s, nil
}

// parseCron is a schedule in UTC, or what is wrong and how to mend it.
func parseCron(text string) (s *Schedule, what, fix string) {
	fields := strings.Fields(strings.ToUpper(text))
	if strings.HasPrefix(text, "@") {
		known, err := gronx.Segments(text)
		if err != nil {
			return nil, "unknown schedule " + quote(text), "write @hourly, @daily, @weekly, @monthly, @yearly, or five fields"
		}
		fields = known
	}
	switch len(fields) {
	case 5:
		fields = append([]string{"0"}, fields...)
	case 6:
	default:
		return nil, fmt.Sprintf("%s has %d fields", quote(text), len(fields)), "write five: minute hour day month weekday, such as \"0 2 * * *\""
	}
	for i := range fields {
		if fields[i], what = cronFields[i].read(fields[i]); what != "" {
			return nil, what, cronExample
		}
	}
	s = &Schedule{second: matching(fields, 0), minute: matching(fields, 1), hour: matching(fields, 2), month: matching(fields, 4),
		days: []string{"*", "*", "*", fields[3], "*", fields[5]}, follows: strings.HasPrefix(fields[2], "*") || fields[2] == "?", zone: time.UTC}
	if s.wall(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return nil, quote(text) + " never fires: no year has such a day", "choose a day that there is"
	}
	return s, "", ""
}

// read is the field with its names as numbers, or what is wrong with it. It is
// stricter than gronx, which looks at as much of a field as a moment needs.
func (f *cronField) read(text string) (field, what string) {
	wrong := func(why string) (string, string) {
		return "", fmt.Sprintf("the %s %s %s", f.name, quote(text), why)
	}
	names := strings.Fields(f.names)
	field = cronWord.ReplaceAllStringFunc(text, func(word string) string {
		if i := slices.Index(names, word); i >= 0 {
			return strconv.Itoa(f.low + i)
		}
		return word
	})
	for _, part := range strings.Split(field, ",") {
		if f.special != nil && f.special.MatchString(part) {
			continue
		}
		m := cronPart.FindStringSubmatch(part)
		if m == nil {
			return wrong("cannot be read")
		}
		from, to := f.number(m[1], f.low), f.number(m[2], f.high)
		if from < f.low || from > f.high || to > f.high {
			return wrong(fmt.Sprintf("must be from %d to %d", f.low, f.high))
		}
		if from > to && (f.name != "weekday" || from != 7) {
			return wrong("ends before it begins")
		}
		if step := f.number(m[3], 1); step < 1 || step > f.high {
			return wrong(fmt.Sprintf("must have a step from 1 to %d", f.high))
		}
	}
	return field, ""
}

func (f *cronField) number(digits string, otherwise int) int {
	if n, err := strconv.Atoi(digits); err == nil {
		return n
	}
	return otherwise
}

// matching is the set of the values that the field at that place names.
func matching(fields []string, place int) (set uint64) {
	check := &gronx.SegmentChecker{}
	for v := cronFields[place].low; v <= cronFields[place].high; v++ {
		at := [6]int{3: 1, 4: 1}
		at[place] = v
		check.SetRef(time.Date(2000, time.Month(at[4]), at[3], at[2], at[1], at[0], 0, time.UTC))
		if due, err := check.CheckDue(fields[place], place); due && err == nil {
			set |= 1 << v
		}
	}
	return set
}

// Next is the first time after that moment at which the schedule fires, zero
// when it never does again.
func (s *Schedule) Next(after time.Time) time.Time {
	after = after.Round(0).Truncate(time.Second)
	if s.follows {
		return s.nextShown(after.Add(time.Second))
	}
	// What the clock has shown by then is past, and comes no second time.
	for w := s.wall(s.shown(after).Add(time.Second)); !w.IsZero(); w = s.wall(w.Add(time.Second)) {
		if at := s.moment(w); at.After(after) {
			return at
		}
	}
	return time.Time{}
}

// Upcoming are the first n times after that moment, or as many as there are.
func (s *Schedule) Upcoming(after time.Time, n int) []time.Time {
	list := []time.Time{}
	for t := s.Next(after); !t.IsZero() && len(list) < n; t = s.Next(t) {
		list = append(list, t)
	}
	return list
}

// nextShown is the first moment from t on at which the clock shows a time that
// the expression names.
func (s *Schedule) nextShown(t time.Time) time.Time {
	for last := t.AddDate(horizon, 0, 0); t.Before(last); {
		shown := s.shown(t)
		w := s.wall(shown)
		if w.IsZero() {
			break
		}
		at := t.Add(w.Sub(shown)).In(s.zone)
		_, end := t.In(s.zone).ZoneBounds()
		if end.IsZero() || at.Before(end) {
			return at
		}
		t = end
	}
	return time.Time{}
}

// moment is the first moment at which the clock shows w or a later time.
func (s *Schedule) moment(w time.Time) time.Time {
	t := w.Add(-24 * time.Hour).In(s.zone) // no zone is as far from UTC
	for {
		ahead := w.Sub(s.shown(t))
		if ahead <= 0 {
			return t
		}
		_, end := t.ZoneBounds()
		if at := t.Add(ahead); end.IsZero() || at.Before(end) {
			return at
		}
		t = end.In(s.zone)
	}
}

// shown is what the clock shows at t. Wall-clock times are written as if they
// were in UTC.
func (s *Schedule) shown(t time.Time) time.Time {
	_, offset := t.In(s.zone).Zone()
	return t.UTC().Add(time.Duration(offset) * time.Second)
}

// wall is the first wall-clock time from w on that the expression names.
func (s *Schedule) wall(w time.Time) time.Time {
	calendar := gronx.New()
	day := w.Truncate(24 * time.Hour)
	for last := day.AddDate(horizon, 0, 0); day.Before(last); w = day {
		if s.month>>day.Month()&1 == 0 {
			day = time.Date(day.Year(), day.Month()+1, 1, 0, 0, 0, 0, time.UTC)
			continue
		}
		calendar.C.SetRef(day)
		if due, err := calendar.SegmentsDue(s.days); due && err == nil {
			if since, ok := s.clock(w.Clock()); ok {
				return day.Add(since)
			}
		}
		day = day.AddDate(0, 0, 1)
	}
	return time.Time{}
}

// clock is the first time of a day from that one on, if there is one.
func (s *Schedule) clock(hour, minute, second int) (since time.Duration, ok bool) {
	if second = least(s.second, second); second > 59 {
		minute, second = minute+1, least(s.second, 0)
	}
	if m := least(s.minute, minute); m != minute {
		minute, second = m, least(s.second, 0)
	}
	if minute > 59 {
		hour, minute, second = hour+1, least(s.minute, 0), least(s.second, 0)
	}
	if h := least(s.hour, hour); h != hour {
		hour, minute, second = h, least(s.minute, 0), least(s.second, 0)
	}
	return time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute + time.Duration(second)*time.Second, hour <= 23
}

// least is the least value in the set that is not below from; 64 or more when
// there is none.
func least(set uint64, from int) int { return from + bits.TrailingZeros64(set>>from) }

// Missed looks at the times from first, which is one, up to and including to:
// how many they are, and the newest of them, at most that many.
func (s *Schedule) Missed(first, to time.Time, most int) (count int, newest []time.Time) {
	for t := first; !t.IsZero() && !t.After(to); t = s.Next(t) {
		n, last := s.whole(t, 24*time.Hour)
		if n == 0 || last.After(to) {
			n, last = s.whole(t, time.Hour)
		}
		if n == 0 || last.After(to) {
			n, last = 1, t
		}
		count, t = count+n, last
	}
	for back := time.Minute; ; back *= 4 {
		from, t := to.Add(-back), first
		all := !from.After(first)
		if !all {
			t = s.Next(from)
		}
		newest = nil
		for ; !t.IsZero() && !t.After(to); t = s.Next(t) {
			newest = append(newest, t)
		}
		if all || len(newest) >= most {
			return count, newest[max(0, len(newest)-most):]
		}
	}
}

// whole counts by multiplication the times of the day or hour that t is the
// first of, and says which is the last; 0 when t is not the first, or the
// clocks are changed meanwhile. A clock that was set right after years may have
// missed a billion seconds.
func (s *Schedule) whole(t time.Time, unit time.Duration) (n int, last time.Time) {
	first := time.Duration(least(s.minute, 0))*time.Minute + time.Duration(least(s.second, 0))*time.Second
	final := time.Duration(most(s.minute))*time.Minute + time.Duration(most(s.second))*time.Second
	n = bits.OnesCount64(s.second) * bits.OnesCount64(s.minute)
	if unit > time.Hour {
		first += time.Duration(least(s.hour, 0)) * time.Hour
		final += time.Duration(most(s.hour)) * time.Hour
		n *= bits.OnesCount64(s.hour)
	}
	shown := s.shown(t)
	began := t.Add(-shown.Sub(shown.Truncate(unit)))
	start, end := t.In(s.zone).ZoneBounds()
	if !began.Add(first).Equal(t) || start.After(began) || !end.IsZero() && end.Before(began.Add(unit)) {
		return 0, last
	}
	return n, began.Add(final)
}

// most is the greatest value in the set.
func most(set uint64) int { return bits.Len64(set) - 1 }
