package tserasdb_test

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework/tseras/inspection"
	"github.com/tesdiq/tesdiq/casework/tseras/inspection/inspectionweb"
	"github.com/tesdiq/tesdiq/web"
	"github.com/tesdiq/tesdiq/web/webtest"
)

// many is an inspector whose statistics are of more cases than a test plays.
type many struct{ inspectionweb.Inspector }

// Statistics of forty-two cases.
func (many) Statistics(context.Context, inspection.Period) (inspection.Statistics, error) {
	cells := func(all ...inspection.Count) (cells []inspection.Cell) {
		for _, c := range all {
			cells = append(cells, inspection.Cell{Count: c})
		}
		return cells
	}
	return inspection.Statistics{Tables: map[string][]inspection.Cell{
		"way":     cells(inspection.Count{Value: "alone", Cases: 12, Days: 12}, inspection.Count{Value: "commission", Cases: 30, Days: 300}),
		"outcome": cells(inspection.Count{Value: "disability", Cases: 32, Days: 200}, inspection.Count{Value: "not_disability", Cases: 10, Days: 112}),
		"band":    cells(inspection.Count{Value: "31-60", Cases: 8, Days: 80}, inspection.Count{Value: "61-80", Cases: 24, Days: 120}),
	}}, nil
}

// The share of cases that the registers alone decided, and those of outcomes and bands, stand as percentages in tables with a chart each.
func TestTheShareOfFullAutomationIsShown(t *testing.T) {
	w, i, by, _ := inspected(t)
	shell := webtest.Shell(t, func(c *web.Config) {
		c.Now = w.now
		c.Members = memberships{web.Organisation{ID: by.Organisation, Name: by.Office, Role: "manager", Duties: []string{"inspection"}}}
	})
	h := &inspectionweb.Web{Shell: shell, Inspector: many{i}, Calendar: tesdiq.AzerbaijanCalendar(), Now: w.now}
	w.must(h.Prepare())
	b := webtest.Open(t, shell, h.Routes)
	b.SignIn(by.FIN)
	b.Act()
	tags := regexp.MustCompile(`<[^>]*>`)
	for lang, alone := range map[tesdiq.Lang]string{tesdiq.Az: "Yalnız reyestrlər 12 28,6%", tesdiq.En: " 12 28.6%", tesdiq.Ru: " 12 28,6%"} {
		a := b.Get("/inspection/statistics?lang=" + string(lang))
		text := strings.Join(strings.Fields(strings.NewReplacer("\u00a0", "", "\u202f", "").Replace(tags.ReplaceAllString(a.Body, " "))), " ")
		if a.Status != http.StatusOK || !strings.Contains(text, alone) || strings.Count(a.Body, `<figure class="chart">`) != 3 || strings.Count(a.Body, "<table") != 3 {
			t.Errorf("%s: %d %s", lang, a.Status, text)
		}
		for _, id := range []string{"by-way", "by-outcome", "by-band"} {
			if !strings.Contains(a.Body, `id="`+id+`"`) {
				t.Errorf("%s: no %s", lang, id)
			}
		}
	}
}
