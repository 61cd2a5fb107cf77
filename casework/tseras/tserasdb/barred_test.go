package tserasdb_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/tserasdb"
	"github.com/tesdiq/tesdiq/internal/postgres"
)

// onlyFrom closes all commissions but a new one, of three members who have nothing to do with anybody and of others, who may all lead.
func (w *world) onlyFrom(op tserasdb.Operator, id string, others ...tesdiq.FIN) (clean []string) {
	w.Helper()
	all, err := op.List(w.Context())
	w.must(err)
	for _, k := range all {
		if k.Closed == nil {
			w.must(op.Close(w.Context(), k.ID))
		}
		for _, m := range k.Members {
			if m.Ended == nil {
				w.must(op.EndMember(w.Context(), m.ID))
			}
		}
	}
	w.must(op.Add(w.Context(), tseras.Commission{ID: id, Name: id + " saylı TSEK", Districts: []tseras.District{"Uzaq"}}))
	for n := range 3 {
		others = append(others, tesdiq.FIN(fmt.Sprintf("CLEAN%s%d", id[2:], n)))
	}
	for i, fin := range others {
		number, err := op.AddMember(w.Context(), id, fin, "Həkim Nümunəvi", true)
		w.must(err)
		if i >= len(others)-3 {
			clean = append(clean, string(number))
		}
	}
	for day := 1; day <= 5; day++ {
		_, err := op.AddHours(w.Context(), tseras.Hours{Commission: id, Weekday: time.Weekday(day), Opens: 9 * 60, Closes: 11 * 60, Minutes: 30, AtATime: 1, Place: "Nümunə küçəsi"})
		w.must(err)
	}
	return clean
}

// Who acted for a person at a counter, referred him or refused to, for whatever institution and in whatever case of his, knows him: he is drawn
// neither for a later case nor for the appeal against it, wherever he sits now.
func TestWhoKnowsThePersonIsNotDrawn(t *testing.T) {
	w := newWorld(t)
	op := tserasdb.Operator{Pool: w.db.Pool(postgres.Operator), Now: w.now, Rand: w.desk.Rand}
	const clerk, refused, signs, physician = tesdiq.FIN("0CLERK1"), tesdiq.FIN("0REFUS1"), tesdiq.FIN("0S1GNS1"), tesdiq.FIN("2AB3C4D")
	fin, _ := subject("elcin")
	by := casework.Actor{Part: casework.ByClerk, FIN: clerk, Office: "Nümunə poçt şöbəsi"}
	from := w.from

	before, err := w.desk.Apply(t.Context(), fin, by, "form-1")
	w.must(err)
	w.work()
	from.Member = refused
	_, err = w.institutions().Refuse(t.Context(), from, tseras.Refusal{Case: before.Number, Reason: tseras.DidNotCome}, "signed")
	w.must(err)

	from.Member = signs
	c, err := w.desk.Refer(t.Context(), from, w.referral("elcin"), "signed")
	w.must(err)
	knows := []tesdiq.FIN{clerk, refused, signs, physician}
	clean := w.onlyFrom(op, "K21", knows...)
	w.work()
	w.work()
	w.onlyDrawnOf(c.Number, clean)
	w.decide(fin, c.Number, 3)
	first := w.expect(fin, c.Number, tseras.Decided)

	clean = w.onlyFrom(op, "K22", append(knows, "CLEAN10")...) // one of them sat for the first decision
	s := w.appealed(first)
	w.onlyDrawnOf(s.Number, clean)
}

// onlyDrawnOf expects that members were drawn for a case from among some alone.
func (w *world) onlyDrawnOf(number string, clean []string) {
	w.Helper()
	var candidates []string
	w.must(w.db.Admin.QueryRow(w.Context(), `
		SELECT array_agg(DISTINCT k ORDER BY k) FROM drawings d JOIN cases c ON c.id = d.case_id, json_array_elements(d.drawing->'steps') s, json_array_elements_text(s->'candidates') k
		WHERE c.number = $1 AND s->>'role' <> 'commission'`, number).Scan(&candidates))
	if slices.Sort(clean); !slices.Equal(candidates, clean) {
		w.Errorf("%s: %v could be drawn, want %v", number, candidates, clean)
	}
}
