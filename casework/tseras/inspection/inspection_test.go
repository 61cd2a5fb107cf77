package inspection_test

import (
	"math"
	"testing"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework/tseras/inspection"
)

// Values of the chi-square distribution's upper tail from its published table (for example NIST/SEMATECH e-Handbook, 1.3.6.7.4).
func TestChiSquareAgreesWithTheTable(t *testing.T) {
	for _, want := range []struct {
		freedom int
		x, p    float64
	}{{1, 3.841, 0.05}, {1, 6.635, 0.01}, {4, 9.488, 0.05}, {10, 18.307, 0.05}, {10, 29.588, 0.001}, {30, 43.773, 0.05}, {1, 0.0158, 0.9}} {
		// A tally whose statistic is x: all groups but one are as expected, and that one is off by sqrt(x * expected).
		const expected = 1e8
		all := make([]inspection.Tally, want.freedom+1)
		for i := range all {
			all[i] = inspection.Tally{Expected: expected, Drawn: expected}
		}
		all[0].Drawn += int(math.Round(math.Sqrt(want.x * expected)))
		x, freedom, p := inspection.ChiSquare(all)
		if freedom != want.freedom || math.Abs(x-want.x) > 0.01 || math.Abs(p-want.p) > want.p/50 {
			t.Errorf("%v: x %.4f, %d, p %.5f", want, x, freedom, p)
		}
	}
	if x, freedom, p := inspection.ChiSquare(nil); x != 0 || freedom != 0 || p != 1 {
		t.Error("of nothing something follows")
	}
	// Those who are hardly expected count together.
	few := []inspection.Tally{{Expected: 100, Drawn: 100}, {Expected: 3, Drawn: 4}, {Expected: 3, Drawn: 2}}
	if x, freedom, p := inspection.ChiSquare(few); x != 0 || freedom != 1 || p != 1 {
		t.Errorf("%v %v %v", x, freedom, p)
	}
}

func TestPeriodsAreWholeMonths(t *testing.T) {
	today := tesdiq.MustDate("2026-02-14")
	for key, want := range map[string]string{
		"": "2026-01-01 2027-01-01", "2025": "2025-01-01 2026-01-01", "2026-Q1": "2026-01-01 2026-04-01", "2025-Q2": "2025-04-01 2025-07-01",
		"2025-12": "2025-12-01 2026-01-01", "2026-02": "2026-02-01 2026-03-01", "1999": "2026-01-01 2027-01-01", "2026-02-03": "2026-01-01 2027-01-01",
	} {
		p := inspection.PeriodOf(key, inspection.Periods(today))
		if got := p.From.ISO() + " " + p.Until.ISO(); got != want {
			t.Errorf("%q: %s, want %s", key, got, want)
		}
	}
	if got := len(inspection.Periods(today)); got != 18 {
		t.Errorf("%d periods", got)
	}
}

func TestQuartersAreOver(t *testing.T) {
	for day, want := range map[string]string{"2026-02-14": "2025-Q4", "2026-03-31": "2025-Q4", "2026-04-01": "2026-Q1", "2026-12-31": "2026-Q3"} {
		today := tesdiq.MustDate(day)
		all := inspection.Quarters(today)
		for i, q := range all {
			if q.Until.After(today) || i > 0 && q.Until != all[i-1].From {
				t.Errorf("%s: %v", day, all)
			}
		}
		if all[0].Key != want || len(all) != 8 || inspection.ForStatistics(today)[0] != all[0] || inspection.PeriodOf("2026-13", inspection.ForStatistics(today)) != all[0] {
			t.Errorf("%s: %v, want %s first", day, all, want)
		}
	}
}
