package tserasweb

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strconv"

	"github.com/go-chi/chi/v5"

	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/web"
)

//go:embed pages/draws.html
var drawsPages embed.FS

// Rounds reads what is public of the draws.
type Rounds interface {
	List(ctx context.Context, before int64, limit int) ([]tseras.RoundSummary, error)
	Round(ctx context.Context, n int64) (tseras.Round, error)
}

// Draws is the public list of draws by lot, from which everybody recomputes them. All fields are required.
type Draws struct {
	Shell  *web.Shell
	Rounds Rounds

	pages *web.Pages
}

// Prepare parses the page.
func (h *Draws) Prepare() (err error) {
	if h.pages, err = h.Shell.Pages(drawsPages); err != nil {
		return fmt.Errorf("tserasweb: %w", err)
	}
	return nil
}

// Routes registers the addresses, after Prepare.
func (h *Draws) Routes(r chi.Router) {
	r.Get("/draws", h.Shell.Do(h.list))
	r.Get("/draws/{round}.json", h.Shell.Do(h.round))
}

// pageOfRounds is how many rounds a page shows.
const pageOfRounds = 50

type roundsPage struct {
	Rounds []tseras.RoundSummary
	Older  int64 // the next page begins before this round; 0: there is none
}

func (h *Draws) list(w http.ResponseWriter, r *http.Request) error {
	before := int64(math.MaxInt64)
	if s := r.URL.Query().Get("before"); s != "" {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return casework.ErrMissing
		}
		before = n
	}
	all, err := h.Rounds.List(r.Context(), before, pageOfRounds+1)
	if err != nil {
		return err
	}
	p := roundsPage{Rounds: all}
	if len(all) > pageOfRounds {
		p.Rounds = all[:pageOfRounds]
		p.Older = p.Rounds[pageOfRounds-1].Number
	}
	return h.pages.Render(w, r, "draws.html", web.Page{Title: "tseras-draws.title", Data: p})
}

// round is what is public of a round, for programs.
func (h *Draws) round(w http.ResponseWriter, r *http.Request) error {
	n, err := strconv.ParseInt(chi.URLParam(r, "round"), 10, 64)
	if err != nil {
		return casework.ErrMissing
	}
	round, err := h.Rounds.Round(r.Context(), n)
	if err != nil {
		return err
	}
	b, err := json.Marshal(round)
	if err != nil {
		return fmt.Errorf("tserasweb: round: %w", err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="draws-%d.json"`, n))
	_, _ = w.Write(append(b, '\n')) // an error means that the client has gone
	return nil
}
