// Package looking puts together the look-up without sign-in: its page, its API for call centres, and people's own switch. It reaches no
// code that signs, and no book of record but by the one question that its database role may ask.
package looking

import (
	"sync/atomic"
	"time"

	"github.com/tesdiq/tesdiq/casework/tseras/lookup"
	"github.com/tesdiq/tesdiq/casework/tseras/lookup/lookupdb"
	"github.com/tesdiq/tesdiq/casework/tseras/lookup/lookupweb"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/internal/service"
	"github.com/tesdiq/tesdiq/web"
)

// New gives the routes, as the roles tesdiq_lookup and, for the switch, tesdiq_cabinet. limits are the published ones unless others are given.
func New(h service.Host, shell *web.Shell, pools *postgres.Pools, limits *lookup.Book) (web.Routes, error) {
	if limits == nil {
		book, err := lookup.ReadBook()
		if err != nil {
			return nil, err
		}
		limits = &book
	}
	count := h.Metrics.Counter("tesdiq_lookups_tripped_total", "Questions without sign-in whose answers went to the telephone because too much was asked in vain.")
	var told atomic.Int64
	tripped := func(misses int) {
		count.Inc()
		if now, last := h.Now().Unix(), told.Load(); now-last >= int64(time.Hour/time.Second) && told.CompareAndSwap(last, now) {
			h.Log.Warn("cards are being guessed: answers go to telephones alone", "misses", misses)
		}
	}
	pages := &lookupweb.Web{Shell: shell, Limits: *limits, Address: h.PublicURL, Now: h.Now,
		Desk:     &lookupdb.DB{Pool: pools.Lookup, Limits: *limits, Now: h.Now, Rand: h.Rand, Tripped: tripped},
		Switches: lookupdb.Switches{Pool: pools.Cabinet, Now: h.Now, Rand: h.Rand}}
	if err := pages.Prepare(); err != nil {
		return nil, err
	}
	return pages.Routes, nil
}
