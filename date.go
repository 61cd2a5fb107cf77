package tesdiq

import (
	"database/sql/driver"
	"fmt"
	"time"
)

// Date is a day in the civil calendar, without a time or zone. The zero Date means "none" (an indefinite term).
type Date struct {
	year  int
	month time.Month
	day   int
}

// Baku is the time zone of the service: UTC+4 all year since 2016. It is fixed so that no machine's zone files matter.
var Baku = time.FixedZone("Asia/Baku", 4*60*60)

// NewDate makes a date; days beyond a month's end run over, as in time.Date.
func NewDate(year int, month time.Month, day int) Date {
	return dateOf(time.Date(year, month, day, 0, 0, 0, 0, time.UTC))
}

// DateOf is the day in Baku at the moment t.
func DateOf(t time.Time) Date { return dateOf(t.In(Baku)) }

func dateOf(t time.Time) Date {
	y, m, d := t.Date()
	return Date{y, m, d}
}

// ParseDate reads a date as people write it (21.11.2026) or as machines do (2026-11-21).
// The error is a Problem of kind Invalid, "date.malformed".
func ParseDate(s string) (Date, error) {
	s = squeeze(s)
	for _, layout := range []string{"2006-01-02", "2.1.2006", "2/1/2006"} {
		if t, err := time.Parse(layout, s); err == nil && t.Year() >= 1850 && t.Year() <= 2200 {
			return dateOf(t), nil
		}
	}
	return Date{}, Invalid("date.malformed")
}

// MustDate reads a date that stands in our own data, and panics if it does not parse.
func MustDate(s string) Date {
	d, err := ParseDate(s)
	if err != nil {
		panic("tesdiq: bad date " + s)
	}
	return d
}

// IsZero says whether d is "none".
func (d Date) IsZero() bool { return d == Date{} }

// Year is the calendar year.
func (d Date) Year() int { return d.year }

// Month is the calendar month.
func (d Date) Month() time.Month { return d.month }

// Day is the day of the month, from 1.
func (d Date) Day() int { return d.day }

func (d Date) utc() time.Time { return time.Date(d.year, d.month, d.day, 0, 0, 0, 0, time.UTC) }

// Weekday of d.
func (d Date) Weekday() time.Weekday { return d.utc().Weekday() }

// Start is the first moment of the day in Baku.
func (d Date) Start() time.Time { return time.Date(d.year, d.month, d.day, 0, 0, 0, 0, Baku) }

// End is the first moment after the day in Baku.
func (d Date) End() time.Time { return d.AddDays(1).Start() }

// AddDays counts calendar days.
func (d Date) AddDays(n int) Date { return dateOf(d.utc().AddDate(0, 0, n)) }

// AddMonths counts months; a day that the month does not have becomes the month's last.
func (d Date) AddMonths(n int) Date {
	first := time.Date(d.year, d.month, 1, 0, 0, 0, 0, time.UTC).AddDate(0, n, 0)
	last := first.AddDate(0, 1, -1).Day()
	return NewDate(first.Year(), first.Month(), min(d.day, last))
}

// AddYears counts years; 29 February becomes the 28th in a year that has none.
func (d Date) AddYears(n int) Date { return d.AddMonths(12 * n) }

// Compare is below 0 when d is before e, above 0 when after.
func (d Date) Compare(e Date) int { return d.utc().Compare(e.utc()) }

// Before says whether d comes before e.
func (d Date) Before(e Date) bool { return d.Compare(e) < 0 }

// After says whether d comes after e.
func (d Date) After(e Date) bool { return d.Compare(e) > 0 }

// DaysUntil counts calendar days from d to e.
func (d Date) DaysUntil(e Date) int { return int((e.utc().Unix() - d.utc().Unix()) / (24 * 60 * 60)) }

// String is dd.mm.yyyy, as people read it; empty for none.
func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return fmt.Sprintf("%02d.%02d.%04d", d.day, d.month, d.year)
}

// ISO is yyyy-mm-dd, as machines read it; empty for none.
func (d Date) ISO() string {
	if d.IsZero() {
		return ""
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.year, d.month, d.day)
}

// MarshalText writes ISO.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.ISO()), nil }

// UnmarshalText reads ISO; empty is none.
func (d *Date) UnmarshalText(b []byte) (err error) {
	if len(b) == 0 {
		*d = Date{}
		return nil
	}
	*d, err = ParseDate(string(b))
	return err
}

// Value gives the database a date, NULL for none.
func (d Date) Value() (driver.Value, error) {
	if d.IsZero() {
		return nil, nil
	}
	return d.utc(), nil
}

// Scan takes a date from the database; NULL is none.
func (d *Date) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*d = Date{}
	case time.Time:
		*d = dateOf(v)
	case string:
		return d.UnmarshalText([]byte(v))
	default:
		return fmt.Errorf("tesdiq: a date from %T", v)
	}
	return nil
}

// ClockString is dd.mm.yyyy, hh:mm in Baku: the moment as people read it.
func ClockString(t time.Time) string { return t.In(Baku).Format("02.01.2006, 15:04") }
