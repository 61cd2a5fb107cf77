package tseras_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework/tseras"
)

var key = tseras.DrawKey(strings.Repeat("k", tseras.MinDrawKey))

// commissions makes n commissions of five members each, of which two may lead.
func commissions(n int) []tseras.Commission {
	var all []tseras.Commission
	for c := range n {
		k := tseras.Commission{ID: fmt.Sprintf("K%02d", c+1), Districts: []tseras.District{tseras.District(fmt.Sprintf("D%02d", c+1))}}
		for m := range 5 {
			k.Members = append(k.Members, tseras.CommissionMember{
				ID: tseras.MemberID(fmt.Sprintf("%s-%d", k.ID, m+1)), FIN: tesdiq.FIN(fmt.Sprintf("%02dM%04d", c+1, m+1)), Chair: m < 2,
			})
		}
		all = append(all, k)
	}
	return all
}

func TestNobodyWhoIsBarredIsEverDrawn(t *testing.T) {
	all := commissions(6)
	b := tseras.Barred{Districts: []tseras.District{"D01", "D04"}, People: []tesdiq.FIN{"02M0001", "03M0002", "03M0003"}}
	seed := key.Seed(1)
	seen := map[string]bool{}
	for i := range 500 {
		d, err := seed.DrawPanel(1, fmt.Sprint("r", i), all, b)
		if err != nil {
			t.Fatal(err)
		}
		who := slices.Concat(d.Drawn(tseras.Chair), d.Drawn(tseras.Member))
		if len(who) != 3 || len(slices.Compact(slices.Sorted(slices.Values(who)))) != 3 {
			t.Fatalf("drawn: %v", who)
		}
		f, err := seed.DrawFurther(1, fmt.Sprint("f", i), all, b, d.Drawn(tseras.Panel)[0], 1)
		if err != nil {
			t.Fatal(err)
		}
		further := f.Drawn(tseras.Further)[0]
		if strings.HasPrefix(further, d.Drawn(tseras.Panel)[0]) {
			t.Fatalf("%s is of the commission %s itself", further, d.Drawn(tseras.Panel)[0])
		}
		for _, id := range append(who, further) {
			seen[id] = true
		}
	}
	for _, id := range []string{"K02-1", "K03-2", "K03-3", "K01-1", "K04-5"} {
		if seen[id] {
			t.Errorf("%s was drawn, and is barred", id)
		}
	}
	if len(seen) != 4*5-3 {
		t.Errorf("%d of the %d who may be drawn were, in 500 draws", len(seen), 4*5-3)
	}
}

// Among who was drawn before; where one of them may not be drawn now among their commission; where that may not among all.
func TestWhoAsksAgainIsDrawnForAmongTheSame(t *testing.T) {
	all := commissions(6)
	before := tseras.DrawnBefore{Commission: "K03", Chair: "K03-2", Members: []tseras.MemberID{"K03-1", "K03-2", "K03-5"}}
	draw := func(ref string, b tseras.Barred, all []tseras.Commission) string {
		t.Helper()
		d, err := key.Seed(1).DrawPanelAgain(1, ref, all, b, before)
		if err != nil {
			t.Fatal(err)
		}
		members := d.Drawn(tseras.Member)
		slices.Sort(members)
		return strings.Join(slices.Concat(d.Drawn(tseras.Chair), members), " ")
	}
	panels := map[string]bool{}
	for i := range 50 {
		ref := fmt.Sprint("r", i)
		if got := draw(ref, tseras.Barred{}, all); got != "K03-2 K03-1 K03-5" {
			t.Errorf("the same: %s", got)
		}
		if got := draw(ref, tseras.Barred{People: []tesdiq.FIN{"03M0005"}}, all); strings.Count(got, "K03") != 3 || strings.Contains(got, "K03-5") {
			t.Errorf("one is a relative: %s", got)
		}
		panels[draw(ref, tseras.Barred{Districts: []tseras.District{"D03"}}, all)[:3]] = true
	}
	if panels["K03"] || len(panels) != 5 {
		t.Errorf("the person moved to its district: %v", panels)
	}
	if all[2].Members[0].Chair != true || len(all[2].Members) != 5 {
		t.Error("the list of commissions was changed")
	}
}

func TestWhereNobodyMayBeDrawnTheCaseWaits(t *testing.T) {
	all := commissions(1)
	for _, b := range []tseras.Barred{
		{Districts: []tseras.District{"D01"}},
		{People: []tesdiq.FIN{"01M0001", "01M0002"}},            // nobody may lead
		{People: []tesdiq.FIN{"01M0003", "01M0004", "01M0005"}}, // two are left
	} {
		if _, err := key.Seed(1).DrawPanel(1, "r", all, b); !errors.Is(err, tseras.ErrNobody) {
			t.Errorf("%v: %v", b, err)
		}
	}
	if _, err := key.Seed(1).DrawFurther(1, "r", all, tseras.Barred{}, "K01", 1); !errors.Is(err, tseras.ErrNobody) {
		t.Errorf("a further member: %v", err)
	}
}

// A10: over 100,000 draws no commission is drawn more often than chance has it. The critical value of chi-square with 39
// degrees of freedom at p = 0.001 is 72.05; the seed is fixed, so the test cannot fail by chance.
func TestDrawsAreEven(t *testing.T) {
	const n, draws = 40, 100_000
	all := commissions(n)
	var ids []string
	for _, c := range all {
		ids = append(ids, c.ID)
	}
	count := map[string]int{}
	seed := key.Seed(7)
	for i := range draws {
		count[seed.Lots(fmt.Sprint("r", i), tseras.Panel, ids)[0]]++
	}
	chi := 0.0
	for _, id := range ids {
		chi += math.Pow(float64(count[id])-draws/n, 2) / (draws / n)
	}
	t.Logf("chi-square %.1f with %d degrees of freedom", chi, n-1)
	if chi > 72.05 {
		t.Errorf("chi-square is %.1f", chi)
	}
}

// round makes a round of n drawings, all opened.
func round(t *testing.T, n int) tseras.Round {
	t.Helper()
	seed := key.Seed(3)
	commitment := seed.Commitment(3)
	r := tseras.Round{Number: 3, Commitment: commitment[:], Seed: &seed}
	for i := range n {
		d, err := seed.DrawPanel(3, fmt.Sprint("r", i), commissions(8), tseras.Barred{Districts: []tseras.District{"D02"}})
		if err != nil {
			t.Fatal(err)
		}
		salt := []byte(fmt.Sprintf("%016d", i))
		c, err := d.Commitment(salt)
		if err != nil {
			t.Fatal(err)
		}
		r.Drawings = append(r.Drawings, tseras.Sealed{Ref: d.Ref, Commitment: c[:]})
		r.Opened = append(r.Opened, tseras.Opening{Salt: salt, Drawing: d})
	}
	return r
}

func TestARoundIsRecomputed(t *testing.T) {
	if n, err := round(t, 20).Verify(); n != 20 || err != nil {
		t.Fatalf("%d right, %v", n, err)
	}
	seal := func(r *tseras.Round, i int) {
		c, _ := r.Opened[i].Drawing.Commitment(r.Opened[i].Salt)
		r.Drawings[i].Commitment = c[:]
	}
	for what, forge := range map[string]func(*tseras.Round){
		"another seed":                   func(r *tseras.Round) { s := key.Seed(4); r.Seed = &s },
		"another round's number":         func(r *tseras.Round) { r.Number = 4 },
		"drawings without a seed":        func(r *tseras.Round) { r.Seed = nil },
		"a drawing that was not sealed":  func(r *tseras.Round) { r.Drawings = r.Drawings[1:] },
		"a drawing sealed twice":         func(r *tseras.Round) { r.Drawings[1] = r.Drawings[0] },
		"a drawing opened twice":         func(r *tseras.Round) { r.Opened[1] = r.Opened[0] },
		"another salt":                   func(r *tseras.Round) { r.Opened[0].Salt = []byte("another salt....") },
		"another commission, not sealed": func(r *tseras.Round) { r.Opened[0].Drawing.Steps[0].Drawn[0] = "K08x" },
		"another commission, sealed": func(r *tseras.Round) {
			l := &r.Opened[0].Drawing.Steps[0]
			for _, c := range l.Candidates {
				if c != l.Drawn[0] {
					l.Drawn[0] = c
					break
				}
			}
			seal(r, 0)
		},
		"a drawn one who is no candidate, sealed": func(r *tseras.Round) {
			l := &r.Opened[0].Drawing.Steps[0]
			l.Candidates = slices.DeleteFunc(l.Candidates, func(c string) bool { return c == l.Drawn[0] })
			seal(r, 0)
		},
		"a step left out, sealed": func(r *tseras.Round) { r.Opened[0].Drawing.Steps = r.Opened[0].Drawing.Steps[:2]; seal(r, 0) },
		"a candidate twice, sealed": func(r *tseras.Round) {
			l := &r.Opened[0].Drawing.Steps[2]
			l.Candidates[1] = l.Candidates[0]
			seal(r, 0)
		},
		"nobody drawn, sealed": func(r *tseras.Round) { r.Opened[0].Drawing.Steps[2].Drawn = nil; seal(r, 0) },
	} {
		r := round(t, 20)
		forge(&r)
		if _, err := r.Verify(); err == nil {
			t.Errorf("%s: not noticed", what)
		}
	}
}
