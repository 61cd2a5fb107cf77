package tseras_test

import (
	"testing"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework/tseras"
)

func TestNotices(t *testing.T) {
	next, until := tesdiq.MustDate("2026-11-01"), tesdiq.MustDate("2026-12-31")
	for today, want := range map[string]tseras.Notice{
		"2026-10-31": "", "2026-11-01": tseras.Invited, "2026-12-16": tseras.Invited, "2026-12-17": tseras.Reminded, "2026-12-31": tseras.Reminded,
		"2027-01-01": tseras.Ended, "2027-01-30": tseras.Ended, "2027-01-31": "",
	} {
		got, due := tseras.NoticeOn(tesdiq.MustDate(today), next, until)
		if got != want || due != (want != "") {
			t.Errorf("%s: %q, %v; want %q", today, got, due, want)
		}
	}
	if n, due := tseras.NoticeOn(tesdiq.MustDate("2036-01-01"), tesdiq.Date{}, tesdiq.Date{}); due {
		t.Errorf("without a term: %s", n)
	}
}
