package workspace_test

import (
	"slices"
	"testing"
	"time"

	"stroem/workspace"
)

// firings are the times from after up to and including to, as text.
func firings(t testing.TB, cron, zone string, after, to time.Time) (list []string) {
	t.Helper()
	s, err := workspace.ParseSchedule(cron, zone)
	if err != nil {
		t.Fatal(err)
	}
	for at := s.Next(after); !at.IsZero() && !at.After(to); at = s.Next(at) {
		list = append(list, at.Format(time.RFC3339))
	}
	return list
}

func TestSchedule(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, cron, zone, after, to string
		want                        []string
	}{
		{"five fields", "30 2 * * *", "", "2026-01-01T02:30:00Z", "2026-01-02T02:30:00Z", []string{"2026-01-02T02:30:00Z"}},
		{"six fields", "*/20 59 23 31 12 *", "", "2025-12-31T23:59:20Z", "2026-12-31T23:59:00Z",
			[]string{"2025-12-31T23:59:40Z", "2026-12-31T23:59:00Z"}},
		{"parts of a second", "* * * * * *", "", "2026-01-01T00:00:00.9Z", "2026-01-01T00:00:02Z",
			[]string{"2026-01-01T00:00:01Z", "2026-01-01T00:00:02Z"}},
		{"names", "0 0 * jan,DEC Mon-tue", "", "2026-01-06T00:00:00Z", "2026-01-13T00:00:00Z",
			[]string{"2026-01-12T00:00:00Z", "2026-01-13T00:00:00Z"}},
		{"seven is Sunday", "0 0 * * 7", "", "2026-11-24T00:00:00Z", "2026-12-06T00:00:00Z",
			[]string{"2026-11-29T00:00:00Z", "2026-12-06T00:00:00Z"}},
		{"last day", "0 0 L 2 *", "", "2026-01-01T00:00:00Z", "2028-12-31T00:00:00Z",
			[]string{"2026-02-28T00:00:00Z", "2027-02-28T00:00:00Z", "2028-02-29T00:00:00Z"}},
		{"last Friday", "0 0 * * FRIL", "", "2026-11-01T00:00:00Z", "2026-12-31T00:00:00Z",
			[]string{"2026-11-27T00:00:00Z", "2026-12-25T00:00:00Z"}},
		{"second Tuesday", "0 0 * * 2#2", "", "2026-11-01T00:00:00Z", "2026-12-31T00:00:00Z",
			[]string{"2026-11-10T00:00:00Z", "2026-12-08T00:00:00Z"}},
		{"nearest workday", "0 0 15W 8,11 *", "", "2026-01-01T00:00:00Z", "2026-12-31T00:00:00Z",
			[]string{"2026-08-14T00:00:00Z", "2026-11-16T00:00:00Z"}},
		{"day or weekday", "0 0 13 * FRI", "", "2026-11-01T00:00:00Z", "2026-11-20T00:00:00Z",
			[]string{"2026-11-06T00:00:00Z", "2026-11-13T00:00:00Z", "2026-11-20T00:00:00Z"}},
		{"leap days", "0 0 29 2 *", "", "2096-03-01T00:00:00Z", "2104-03-01T00:00:00Z", []string{"2104-02-29T00:00:00Z"}},
		{"a word", "@daily", "Asia/Kolkata", "2026-01-01T00:00:00Z", "2026-01-01T23:00:00Z", []string{"2026-01-02T00:00:00+05:30"}},
		{"in the gap", "30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-30T12:00:00Z",
			[]string{"2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"}},
		{"several in the gap are one", "*/20 2 * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", "2026-03-29T12:00:00Z",
			[]string{"2026-03-29T03:00:00+02:00"}},
		{"in the overlap", "30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-26T12:00:00Z",
			[]string{"2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"}},
		{"hourly where an hour lacks", "0 * * * *", "America/New_York", "2026-03-08T05:30:00Z", "2026-03-08T08:00:00Z",
			[]string{"2026-03-08T01:00:00-05:00", "2026-03-08T03:00:00-04:00", "2026-03-08T04:00:00-04:00"}},
		{"hourly where an hour comes twice", "0 */1 * * *", "America/New_York", "2026-11-01T04:30:00Z", "2026-11-01T07:00:00Z",
			[]string{"2026-11-01T01:00:00-04:00", "2026-11-01T01:00:00-05:00", "2026-11-01T02:00:00-05:00"}},
		{"a gap of half an hour", "15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z", "2026-10-04T12:00:00Z",
			[]string{"2026-10-04T02:30:00+11:00"}},
		{"a lost day", "0 12 * * *", "Pacific/Apia", "2011-12-29T12:00:00Z", "2011-12-31T00:00:00Z",
			[]string{"2011-12-29T12:00:00-10:00", "2011-12-31T00:00:00+14:00", "2011-12-31T12:00:00+14:00"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := firings(t, c.cron, c.zone, moment(t, c.after), moment(t, c.to))
			if !slices.Equal(got, c.want) {
				t.Errorf("%s in %q after %s: %v, want %v", c.cron, c.zone, c.after, got, c.want)
			}
		})
	}
}

func moment(t testing.TB, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// A day that is hourly has as many firings as it has hours.
func TestScheduleFollowsTheHours(t *testing.T) {
	t.Parallel()
	for day, want := range map[string]int{"2026-03-29": 23, "2026-10-25": 25, "2026-07-01": 24} {
		berlin, err := time.LoadLocation("Europe/Berlin")
		if err != nil {
			t.Fatal(err)
		}
		start, err := time.ParseInLocation(time.DateOnly, day, berlin)
		if err != nil {
			t.Fatal(err)
		}
		if got := firings(t, "0 * * * *", "Europe/Berlin", start.Add(-1), start.AddDate(0, 0, 1).Add(-1)); len(got) != want {
			t.Errorf("%s: %d firings, want %d", day, len(got), want)
		}
	}
}

func TestScheduleMissed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ cron, zone, from, to string }{
		{"*/10 * * * * *", "UTC", "2026-01-01T00:00:00Z", "2026-01-03T10:11:12Z"},
		{"7 */3 * * *", "Europe/Berlin", "2026-03-20T00:00:00Z", "2026-11-03T00:00:00Z"},
		{"*/13 1-3 * * 1-5", "America/New_York", "2026-03-01T00:00:00Z", "2026-12-01T00:00:00Z"},
		{"30 2 * * *", "Australia/Lord_Howe", "2026-03-01T00:00:00Z", "2028-12-01T00:00:00Z"},
	} {
		s, err := workspace.ParseSchedule(c.cron, c.zone)
		if err != nil {
			t.Fatal(err)
		}
		first, to := s.Next(moment(t, c.from)), moment(t, c.to)
		var all []time.Time
		for at := first; !at.After(to); at = s.Next(at) {
			all = append(all, at)
		}
		for _, most := range []int{1, 5, 1_000_000} {
			count, newest := s.Missed(first, to, most)
			if want := all[max(0, len(all)-most):]; count != len(all) || !slices.EqualFunc(newest, want, time.Time.Equal) {
				t.Errorf("%s in %s, at most %d: %d and %v, want %d and %v", c.cron, c.zone, most, count, newest, len(all), want)
			}
		}
	}
}

// A clock that starts in 1970 and is then set right has missed 56 years.
func TestScheduleMissedForLong(t *testing.T) {
	t.Parallel()
	s, err := workspace.ParseSchedule("* * * * * *", "Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	first, to := time.Unix(10, 0), time.Unix(56*365*24*3600, 0)
	began := time.Now()
	count, newest := s.Missed(first, to, 1000)
	if want := 56*365*24*3600 - 10 + 1; count != want || len(newest) != 1000 || !newest[999].Equal(to) {
		t.Errorf("%d and %d of them, want %d", count, len(newest), want)
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("took %s", took)
	}
}

func FuzzSchedule(f *testing.F) {
	for _, cron := range []string{"* * * * *", "0 0 29 2 1", "*/7 1-5/2 L * FRI#5", "@hourly", "0 0 31W * 7-2", "? ? ? ? ? ?"} {
		f.Add(cron, int64(1_800_000_000))
	}
	f.Fuzz(func(t *testing.T, cron string, unix int64) {
		began := time.Now()
		s, err := workspace.ParseSchedule(cron, "Europe/Berlin")
		if err == nil && unix > 0 && unix < 4_000_000_000 {
			if at := s.Next(time.Unix(unix, 0)); !at.After(time.Unix(unix, 0)) {
				t.Errorf("%q: after %d comes %v", cron, unix, at)
			}
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("%q took %s", cron, took)
		}
	})
}

func BenchmarkScheduleNext(b *testing.B) {
	for _, cron := range []string{"* * * * * *", "*/5 9-17 * * 1-5", "0 0 29 2 *"} {
		b.Run(cron, func(b *testing.B) {
			s, err := workspace.ParseSchedule(cron, "Europe/Berlin")
			if err != nil {
				b.Fatal(err)
			}
			at := time.Unix(1_800_000_000, 0)
			for b.Loop() {
				s.Next(at)
			}
		})
	}
}
