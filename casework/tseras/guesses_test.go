package tseras_test

import (
	"errors"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework/tseras"
)

func TestGuesses(t *testing.T) {
	if g := tseras.GuessesOn(tesdiq.MustDate("2015-12-31")); g != (tseras.Guesses{}) {
		t.Errorf("before the first line: %+v", g)
	}
	g := tseras.GuessesOn(tesdiq.MustDate("2026-11-22"))
	if g.Person < 1 || g.Day <= g.Person {
		t.Fatalf("%+v", g)
	}
	now := time.Date(2026, 11, 22, 19, 0, 0, 0, time.UTC) // 23:00 in Baku
	for _, c := range []struct {
		person, day int
		key         string
	}{
		{0, 0, ""}, {g.Person - 1, g.Day - 1, ""}, {g.Person, g.Person, "tseras.referral.guesses.person"}, {0, g.Day, "tseras.referral.guesses"},
	} {
		err := g.Refusal(c.person, c.day, now)
		var p *tesdiq.Problem
		switch {
		case c.key == "" && err != nil:
			t.Errorf("%d, %d: %v", c.person, c.day, err)
		case c.key != "" && (!errors.As(err, &p) || p.Kind != tesdiq.TooMany || p.Key != c.key || p.Field != "born" || p.Args["Seconds"] != 3601):
			t.Errorf("%d, %d: %+v", c.person, c.day, p)
		}
	}
}
