// Package democlock is the demonstration's clock, which everybody may put forward on a page, so that terms end while
// somebody watches. No other program has it: they take the time of the machine.
package democlock

import (
	"context"
	"embed"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/web"
)

//go:embed pages/*.html
var pageFiles embed.FS

// Path is the page's address.
const Path = "/demo/clock"

// Clock runs as fast as the real one, so much ahead of it as it was put. It is never put back: what was written would
// lie in the future.
type Clock struct {
	Real func() time.Time
	Keep func(ahead time.Duration) error // writes down how far it is ahead, for the next start
	End  tesdiq.Date                     // the last day to which it may be put: the keys sign no longer

	mu    sync.RWMutex
	ahead time.Duration
	moved []func(context.Context) error
}

// Start puts the clock to where it was kept. It comes before the clock is used.
func (c *Clock) Start(ahead time.Duration) { c.ahead = max(0, ahead) }

// Now is the time by this clock.
func (c *Clock) Now() time.Time { return c.Real().Add(c.Ahead()) }

// Ahead is how far the clock is ahead of the real one.
func (c *Clock) Ahead() time.Duration {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.ahead
}

// OnMove says what is done as soon as the clock was put forward: what else is done once in an hour or a minute of real time.
func (c *Clock) OnMove(do func(context.Context) error) { c.moved = append(c.moved, do) }

// Moved is the day by a clock that was put forward; false for one that was not.
func (c *Clock) Moved() (tesdiq.Date, bool) {
	if c.Ahead() == 0 {
		return tesdiq.Date{}, false
	}
	return tesdiq.DateOf(c.Now()), true
}

// Errors of putting the clock forward.
var (
	errBack = tesdiq.Invalid("demo.clock-back")
	errFar  = tesdiq.Invalid("demo.clock-far")
)

// Put puts the clock forward to a day, to the same time of the day, and does what OnMove said. The same day changes nothing.
func (c *Clock) Put(ctx context.Context, day tesdiq.Date) error {
	if err := c.put(day); err != nil {
		return err
	}
	var failed error
	for _, do := range c.moved {
		failed = errors.Join(failed, do(ctx))
	}
	return failed
}

func (c *Clock) put(day tesdiq.Date) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	today := tesdiq.DateOf(c.Real().Add(c.ahead))
	switch {
	case day.Before(today):
		return errBack.With("Day", today.String())
	case day.After(c.End):
		return errFar.With("Day", c.End.String())
	}
	ahead := c.ahead + time.Duration(today.DaysUntil(day))*24*time.Hour // no clock is changed in Baku, summer or winter
	if err := c.Keep(ahead); err != nil {
		return err
	}
	c.ahead = ahead
	return nil
}

// Page shows the clock and puts it forward. All fields are required.
type Page struct {
	Shell *web.Shell
	Clock *Clock

	pages *web.Pages
}

// Prepare parses the page.
func (p *Page) Prepare() (err error) {
	p.pages, err = p.Shell.Pages(pageFiles)
	return err
}

// Routes registers the page's addresses, after Prepare.
func (p *Page) Routes(r chi.Router) {
	r.Get(Path, p.Shell.Do(p.show))
	r.Post(Path, p.Shell.Do(p.put))
}

type view struct {
	Now, Real time.Time
	Ahead     bool
	End       tesdiq.Date
	Day       string // as it was typed
}

func (p *Page) show(w http.ResponseWriter, r *http.Request) error { return p.render(w, r, "", nil) }

func (p *Page) render(w http.ResponseWriter, r *http.Request, typed string, ps tesdiq.Problems) error {
	v := view{Now: p.Clock.Now(), Real: p.Clock.Real(), Ahead: p.Clock.Ahead() > 0, End: p.Clock.End, Day: typed}
	w.Header().Set("Cache-Control", "no-store")
	return p.pages.Render(w, r, "clock.html", web.Page{Title: "demo.clock.title", Data: v, Problems: ps, NoIndex: true})
}

// put (a POST) puts the clock forward. Sent again, it changes nothing: it names a day and not how many.
func (p *Page) put(w http.ResponseWriter, r *http.Request) error {
	typed := r.PostFormValue("day")
	day, err := tesdiq.ParseDate(typed)
	if err == nil {
		err = p.Clock.Put(r.Context(), day)
	}
	var wrong *tesdiq.Problem
	if errors.As(err, &wrong) && wrong.Kind == tesdiq.Refused {
		return p.render(w, r, typed, tesdiq.Problems{wrong.In("day")})
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, Path, http.StatusSeeOther)
	return nil
}
