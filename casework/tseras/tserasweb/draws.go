package tserasweb

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/web"
)

//go:embed pages/draws.html
var drawsPages embed.FS

// Rounds reads what is public of the draws.
type Rounds interface {
	Drawn(ctx context.Context, before int64, limit int) ([]tseras.RoundSummary, error)
	Promised(ctx context.Context) ([]tseras.RoundSummary, error)
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
	Rounds   []tseras.RoundSummary // that were drawn
	Older    int64                 // the next page begins after this round; 0: there is none
	Promised []tseras.RoundSummary // on the first page
	Numbers  string                // of the promised ones
}

func (h *Draws) list(w http.ResponseWriter, r *http.Request) (err error) {
	var before int64
	if s := r.URL.Query().Get("before"); s != "" {
		if before, err = strconv.ParseInt(s, 10, 64); err != nil || before < 1 {
			return casework.ErrMissing
		}
	}
	var p roundsPage
	if before == 0 { // read first: a round that is drawn meanwhile stands twice, and not in no list
		if p.Promised, err = h.Rounds.Promised(r.Context()); err != nil {
			return err
		}
		p.Numbers = numbersOf(p.Promised)
	}
	if p.Rounds, err = h.Rounds.Drawn(r.Context(), before, pageOfRounds+1); err != nil {
		return err
	}
	if before != 0 && len(p.Rounds) == 0 {
		return casework.ErrMissing
	}
	if len(p.Rounds) > pageOfRounds {
		p.Rounds = p.Rounds[:pageOfRounds]
		p.Older = p.Rounds[pageOfRounds-1].Number
	}
	return h.pages.Render(w, r, "draws.html", web.Page{Title: "tseras-draws.title", Data: p})
}

// numbersOf says which rounds these are, that are in the order of their numbers: 3, 5–99.
func numbersOf(rounds []tseras.RoundSummary) string {
	var parts []string
	for i := 0; i < len(rounds); {
		end := i + 1
		for end < len(rounds) && rounds[end].Number == rounds[end-1].Number+1 {
			end++
		}
		part := strconv.FormatInt(rounds[i].Number, 10)
		if end > i+1 {
			part += "–" + strconv.FormatInt(rounds[end-1].Number, 10)
		}
		parts = append(parts, part)
		i = end
	}
	return strings.Join(parts, ", ")
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
