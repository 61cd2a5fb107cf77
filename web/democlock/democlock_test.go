package democlock_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/web"
	"github.com/tesdiq/tesdiq/web/democlock"
	"github.com/tesdiq/tesdiq/web/webtest"
)

var real = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

// clock is one that may be put forward for a year.
func clock() (*democlock.Clock, *[]time.Duration) {
	kept := new([]time.Duration)
	return &democlock.Clock{
		Real: func() time.Time { return real }, End: tesdiq.MustDate("2027-11-21"),
		Keep: func(ahead time.Duration) error { *kept = append(*kept, ahead); return nil },
	}, kept
}

func TestTheClockGoesForwardAndNeverBack(t *testing.T) {
	c, kept := clock()
	var told []string
	c.OnMove(func(context.Context) error { told = append(told, c.Now().Format(time.DateOnly)); return nil })
	if day, moved := c.Moved(); moved || !c.Now().Equal(real) {
		t.Errorf("moved to %s", day)
	}
	for day, want := range map[string]error{"2026-11-21": tesdiq.Invalid("demo.clock-back"), "2027-11-22": tesdiq.Invalid("demo.clock-far")} {
		if err := c.Put(t.Context(), tesdiq.MustDate(day)); !errors.Is(err, want) {
			t.Errorf("%s: %v", day, err)
		}
	}
	for range 2 { // twice is once
		if err := c.Put(t.Context(), tesdiq.MustDate("2026-12-22")); err != nil || !c.Now().Equal(real.AddDate(0, 0, 30)) {
			t.Errorf("%s, %v", c.Now(), err)
		}
	}
	if day, moved := c.Moved(); !moved || day != tesdiq.MustDate("2026-12-22") {
		t.Errorf("%s", day)
	}
	if len(*kept) != 2 || (*kept)[1] != 30*24*time.Hour || strings.Join(told, " ") != "2026-12-22 2026-12-22" {
		t.Errorf("kept %v, told %v", *kept, told)
	}
	again, _ := clock()
	if again.Start((*kept)[1]); !again.Now().Equal(c.Now()) {
		t.Errorf("at the next start it is %s", again.Now())
	}
}

func TestWhatCannotBeKeptIsNotPut(t *testing.T) {
	c, _ := clock()
	c.Keep = func(time.Duration) error { return errors.New("the disk is full") }
	if err := c.Put(t.Context(), tesdiq.MustDate("2026-12-22")); err == nil || c.Ahead() != 0 {
		t.Errorf("%v, ahead %s", err, c.Ahead())
	}
}

func TestThePage(t *testing.T) {
	c, _ := clock()
	shell := webtest.Shell(t, func(w *web.Config) { w.Demo, w.Now, w.Moved = true, c.Now, c.Moved })
	p := &democlock.Page{Shell: shell, Clock: c}
	if err := p.Prepare(); err != nil {
		t.Fatal(err)
	}
	b := webtest.Open(t, shell, p.Routes)
	if a := b.Get(democlock.Path + "?lang=en"); a.Status != http.StatusOK || strings.Contains(a.Body, "today is") || strings.Contains(a.Body, "demo.clock") {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	for typed, want := range map[string]string{"": "Write the date as", "yesterday": "Write the date as", "21.11.2026": "never put back", "22.11.2027": "too far away"} {
		if a := b.Post(democlock.Path, url.Values{"day": {typed}}); a.Status != http.StatusUnprocessableEntity || !strings.Contains(a.Body, want) ||
			!strings.Contains(a.Body, `id="day-why"`) || !strings.Contains(a.Body, `value="`+typed+`"`) {
			t.Errorf("%q: %d %s", typed, a.Status, a.Body)
		}
	}
	if a := b.Post(democlock.Path, url.Values{"day": {"15.12.2026"}}); a.Status != http.StatusSeeOther {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	if a := b.Get(democlock.Path); !strings.Contains(a.Body, "The clock was put forward: today is 15.12.2026") || !strings.Contains(a.Body, "22.11.2026") {
		t.Errorf("%s", a.Body)
	}
}
