package tesdiq_test

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tesdiq/tesdiq"
)

// Each line is a vector with where it was found.
func TestDaysOffByTheLabourCode(t *testing.T) {
	for _, v := range []struct{ from, to, why string }{
		{"2026-03-20", "2026-03-30", "Novruz 20–24, Ramazan 20–21 on Novruz, and a weekend in it"},
		{"2026-03-09", "2026-03-09", "8 March is a Sunday"},
		{"2026-05-27", "2026-05-31", "Qurban 27–28, of which 28 is Independence Day, then a weekend"},
		{"2025-11-08", "2025-11-11", "8 and 9 November are a weekend"},
		{"2024-11-08", "2024-11-13", "9 November is a Saturday; 12 and 13 were swapped"},
		{"2023-11-08", "2023-11-12", "10 November was swapped with the 4th"},
		{"2025-03-20", "2025-03-31", "Novruz, a weekend in it, Ramazan, and 27–28 swapped"},
		{"2017-09-01", "2017-09-04", "Qurban 1–2 September, the second a Saturday"},
		{"2022-12-31", "2023-01-04", "New Year's Eve a Saturday, New Year a Sunday: the year's turn carries over"},
		{"2026-01-20", "2026-01-20", "day of mourning"},
		{"2018-04-11", "2018-04-11", "polling day"},
		{"2026-01-01", "2026-01-04", "New Year and a weekend"},
	} {
		for d := tesdiq.MustDate(v.from); !d.After(tesdiq.MustDate(v.to)); d = d.AddDays(1) {
			if working, err := tesdiq.AzerbaijanCalendar().Working(d); err != nil || working {
				t.Errorf("%s is a working day (%v), although: %s", d, err, v.why)
			}
		}
	}
}

func TestWorkingDaysByTheLabourCode(t *testing.T) {
	for day, why := range map[string]string{
		"2026-03-19": "the day before Novruz", "2026-03-31": "the day after the long rest",
		"2026-03-10": "the day after the one for 8 March", "2026-05-26": "before Qurban", "2026-06-01": "after it",
		"2025-11-07": "before", "2025-11-12": "Constitution Day is worked",
		"2024-11-14": "after the swap", "2024-11-16": "a Saturday, swapped", "2024-11-23": "a Saturday, swapped",
		"2023-11-04": "a Saturday, swapped", "2023-11-13": "after",
		"2025-03-10": "would be the day for 8 March, swapped", "2025-04-01": "would be the day for Ramazan, swapped",
		"2017-09-05": "after Qurban", "2024-01-22": "the day of mourning on a Saturday is not carried over",
		"2019-01-21": "the day of mourning on a Sunday is not carried over",
		"2026-09-21": "20 September is festive and worked, even as a Sunday", "2024-10-18": "Independence restored: worked",
		"2025-11-17": "National Revival: worked", "2020-11-10": "8 November is a holiday only since 2021",
		"2024-09-02": "a polling day on a Sunday is not carried over",
	} {
		if working, err := tesdiq.AzerbaijanCalendar().Working(tesdiq.MustDate(day)); err != nil || !working {
			t.Errorf("%s is no working day (%v), although: %s", day, err, why)
		}
	}
}

func TestTermsInWorkingDays(t *testing.T) {
	c := tesdiq.AzerbaijanCalendar()
	for _, v := range []struct {
		from string
		n    int
		want string
	}{
		{"2026-11-02", 15, "2026-11-25"}, // without the 9th, and the 10th for the 8th, a Sunday
		{"2026-03-19", 1, "2026-03-31"},
		{"2026-03-10", 15, "2026-04-09"},
		{"2025-12-30", 1, "2026-01-05"},
		{"2024-11-15", 1, "2024-11-16"},
		{"2026-11-21", 0, "2026-11-21"},
	} {
		got, err := c.AddWorkingDays(tesdiq.MustDate(v.from), v.n)
		if err != nil || got.ISO() != v.want {
			t.Errorf("%d working days after %s: %s, %v, want %s", v.n, v.from, got.ISO(), err, v.want)
		}
	}
}

// Between undoes AddWorkingDays, and a term ends on a working day.
func TestCountingThereAndBack(t *testing.T) {
	c := tesdiq.AzerbaijanCalendar()
	rapid.Check(t, func(t *rapid.T) {
		from := tesdiq.NewDate(2016, 1, 1).AddDays(rapid.IntRange(0, 3900).Draw(t, "from"))
		n := rapid.IntRange(1, 60).Draw(t, "n")
		to, err := c.AddWorkingDays(from, n)
		if err != nil {
			t.Fatal(err)
		}
		if working, _ := c.Working(to); !working {
			t.Fatalf("%s is no working day", to)
		}
		if got, err := c.Between(from, to); err != nil || got != n {
			t.Fatalf("between %s and %s: %d, %v", from, to, got, err)
		}
		if got, err := c.Between(to, from); err != nil || got != -n {
			t.Fatalf("back: %d, %v", got, err)
		}
	})
}

func TestAYearThatNobodyKnows(t *testing.T) {
	c := tesdiq.AzerbaijanCalendar()
	unknown := tesdiq.NewProblem(tesdiq.Unavailable, "calendar.unknown")
	for _, d := range []string{"2015-12-31", "2027-01-04"} {
		if _, err := c.Working(tesdiq.MustDate(d)); !errors.Is(err, unknown) {
			t.Errorf("%s: %v", d, err)
		}
	}
	if _, err := c.AddWorkingDays(tesdiq.MustDate("2026-12-21"), 15); !errors.Is(err, unknown) {
		t.Errorf("a term that ends in 2027: %v", err)
	}
	if _, err := c.Between(tesdiq.MustDate("2026-12-21"), tesdiq.MustDate("2027-01-11")); !errors.Is(err, unknown) {
		t.Errorf("days until 2027: %v", err)
	}
	for year := 2016; year <= 2026; year++ {
		days := 0
		for d := tesdiq.NewDate(year, 1, 1); d.Year() == year; d = d.AddDays(1) {
			if working, err := c.Working(d); err != nil {
				t.Fatal(err)
			} else if working {
				days++
			}
		}
		if days < 236 || days > 250 {
			t.Errorf("%d has %d working days", year, days)
		}
	}
}

// What an administrator adds has the last word.
func TestAnAdministratorsFileAdds(t *testing.T) {
	own := "holiday;;2027-03-20;2027-03-24;Novruz;FOUND;Cabinet\nfeast;;2027-03-09;2027-03-10;Ramazan;FOUND;Cabinet\n" +
		"feast;;2027-05-16;2027-05-17;Qurban;FOUND;Cabinet\nevery;2027;01-01;01-02;Yeni il;FOUND;x\nwork;;2027-01-02;;swap;FOUND;Cabinet\noff;;2027-01-05;;swap;FOUND;Cabinet\n"
	c, err := tesdiq.ReadCalendar(strings.NewReader(own))
	if err != nil {
		t.Fatal(err)
	}
	for day, want := range map[string]bool{"2027-01-02": true, "2027-01-04": false, "2027-01-05": false, "2027-01-06": true, "2027-03-09": false} {
		if got, err := c.Working(tesdiq.MustDate(day)); err != nil || got != want {
			t.Errorf("%s: %v, %v", day, got, err)
		}
	}
	for _, bad := range []string{
		"", "holiday;;2027-03-20", "party;;2027-03-20;;x;FOUND;y", "holiday;;20-03-2027;;x;FOUND;y", "holiday;;2027-03-24;2027-03-20;x;FOUND;y",
		"holiday;;2027-03-20;;x;GUESS;y", "holiday;;2027-03-20;;x;FOUND;", "every;soon;03-20;;x;FOUND;y", "every;2016;13-20;;x;FOUND;y",
		"holiday;;2027-03-20;2028-03-20;x;FOUND;y",
	} {
		if _, err := tesdiq.ReadCalendar(strings.NewReader(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func FuzzReadCalendar(f *testing.F) {
	f.Add("every;2016;01-01;01-02;Yeni il;FOUND;x\nholiday;;2027-03-20;2027-03-24;Novruz;FOUND;Cabinet\nfeast;;2027-03-09;2027-03-10;Ramazan;FOUND;Cabinet\nfeast;;2027-05-16;2027-05-17;Qurban;FOUND;Cabinet\n")
	f.Fuzz(func(t *testing.T, s string) {
		c, err := tesdiq.ReadCalendar(strings.NewReader(s))
		if err == nil && c == nil {
			t.Error("neither a calendar nor an error")
		}
	})
}

func TestATermThatReachesIntoAYearNobodyKnows(t *testing.T) {
	for _, c := range []struct {
		from        string
		days        int
		last        string
		provisional bool
	}{
		{"2026-11-22", 10, "2026-12-04", false},
		{"2026-12-10", 14, "2026-12-30", false},
		// New Year 2027: 31 December a Thursday, 1 January a Friday, 2 January a Saturday, carried over to Monday the 4th.
		{"2026-12-10", 15, "2027-01-05", true},
		{"2026-12-30", 1, "2027-01-05", true},
	} {
		last, provisional, err := tesdiq.AzerbaijanCalendar().Term(tesdiq.MustDate(c.from), c.days)
		if err != nil || last.ISO() != c.last || provisional != c.provisional {
			t.Errorf("%d working days from %s: %s, %v, %v; want %s, %v", c.days, c.from, last.ISO(), provisional, err, c.last, c.provisional)
		}
	}
	for _, from := range []string{"2015-06-01", "2029-12-28", "2035-01-01"} {
		if _, _, err := tesdiq.AzerbaijanCalendar().Term(tesdiq.MustDate(from), 5); !errors.Is(err, tesdiq.NewProblem(tesdiq.Unavailable, "calendar.unknown")) {
			t.Errorf("a term from %s: %v", from, err)
		}
	}
}

// Left is what Term counts, also into a year whose movable holidays nobody knows yet.
func TestLeftCountsAsTermDoes(t *testing.T) {
	cal := tesdiq.AzerbaijanCalendar()
	for _, from := range []string{"2026-03-17", "2026-11-20", "2026-11-22", "2026-12-28"} {
		for n := range 30 {
			day := tesdiq.MustDate(from)
			last, _, err := cal.Term(day, n)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := cal.Left(day, last); got != n || err != nil {
				t.Errorf("%s to %s: %d, %v; want %d", day, last, got, err, n)
			}
			if got, err := cal.Left(last, day); got != -n || err != nil {
				t.Errorf("%s to %s: %d, %v; want %d", last, day, got, err, -n)
			}
		}
	}
}
