package tseras_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/ledger"
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

// A10: in 100,000 draws nobody is drawn more often than chance has it, for any role: neither as a commission of 20, nor in it as chair of two or as one of the two
// others of five, nor as one, two or three further members of ten. The seed is fixed, so the test cannot fail by chance.
func TestDrawsAreEven(t *testing.T) {
	const draws = 100_000
	all := commissions(20)
	seed := key.Seed(7)
	roles := map[tseras.Role]tallies{tseras.Panel: {}, tseras.Chair: {}, tseras.Member: {}}
	for i := range draws {
		d, err := seed.DrawPanel(7, fmt.Sprint("r", i), all, tseras.Barred{})
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range d.Steps {
			roles[step.Role].add(step)
		}
	}
	roles[tseras.Panel].even(t, "commission", 1, 20)
	roles[tseras.Chair].even(t, "chair", 20, 2)    // of each commission by itself, and their sum
	roles[tseras.Member].even(t, "members", 40, 4) // the four that are left when the one or the other is chair
	for n := 1; n <= 3; n++ {
		further := tallies{}
		for i := range draws {
			d, err := seed.DrawFurther(7, fmt.Sprintf("f%d-%d", n, i), all[:4], tseras.Barred{Districts: []tseras.District{"D02"}}, "K01", n)
			if err != nil {
				t.Fatal(err)
			}
			further.add(d.Steps[0])
		}
		further.even(t, fmt.Sprintf("%d further", n), 1, 10)
	}
}

// tallies counts how often each candidate was drawn, by the list of candidates.
type tallies map[string]*tally

type tally struct {
	candidates []string
	places     int // in one draw
	draws      int
	drawn      map[string]int
}

func (all tallies) add(l tseras.Lot) {
	k := strings.Join(l.Candidates, " ")
	t := all[k]
	if t == nil {
		t = &tally{candidates: l.Candidates, places: len(l.Drawn), drawn: map[string]int{}}
		all[k] = t
	}
	t.draws++
	for _, who := range l.Drawn {
		t.drawn[who]++
	}
}

// chi is chi-square of the places that a list of n candidates was given, n-1 degrees of freedom: where k are drawn of n without putting back, the counts vary
// less than those of k draws, by (n-k)/(n-1).
func (t *tally) chi() float64 {
	n, k := float64(len(t.candidates)), float64(t.places)
	expected, chi := float64(t.draws)*k/n, 0.0
	for _, who := range t.candidates {
		chi += math.Pow(float64(t.drawn[who])-expected, 2) / expected
	}
	return chi * (n - 1) / (n - k)
}

// even says whether lists of candidates, so many and each so long, were drawn from evenly: each by itself, and all together.
func (all tallies) even(t *testing.T, what string, lists, long int) {
	t.Helper()
	if len(all) != lists {
		t.Fatalf("%s: %d lists of candidates, not %d", what, len(all), lists)
	}
	sum, freedom, worst := 0.0, 0, 0.0
	for _, one := range all {
		if len(one.candidates) != long {
			t.Fatalf("%s: drawn among %d, not %d", what, len(one.candidates), long)
		}
		chi := one.chi()
		sum, freedom, worst = sum+chi, freedom+long-1, max(worst, chi)
	}
	t.Logf("%s: chi-square %.1f with %d degrees of freedom", what, sum, freedom)
	if sum > critical(freedom, 0.001) {
		t.Errorf("%s: chi-square is %.1f with %d degrees of freedom", what, sum, freedom)
	}
	if one := critical(long-1, 0.001/float64(lists)); worst > one {
		t.Errorf("%s: chi-square of one list of %d is %.1f, more than %.1f", what, long, worst, one)
	}
}

// critical is the value that chi-square exceeds with a probability, after Wilson and Hilferty (1931), right to a hundredth of itself here: with 39 degrees of
// freedom and p = 0.001 it gives 72.0 for 72.05.
func critical(freedom int, p float64) float64 {
	v := 2 / (9 * float64(freedom))
	return float64(freedom) * math.Pow(1-v+math.Sqrt2*math.Erfinv(1-2*p)*math.Sqrt(v), 3)
}

// What is uneven is noticed: of two who lead, one who is drawn in 50.6 of a hundred draws.
func TestUnevenDrawsAreNoticed(t *testing.T) {
	if c := critical(39, 0.001); math.Abs(c-72.05) > 0.1 { // of the tables
		t.Errorf("critical value: %.2f", c)
	}
	two := &tally{candidates: []string{"K01-1", "K01-2"}, places: 1, draws: 100_000, drawn: map[string]int{"K01-1": 50_600, "K01-2": 49_400}}
	if two.chi() < critical(1, 0.001) {
		t.Errorf("chi-square %.1f", two.chi())
	}
}

// promised is what is published of a round before it is drawn.
func promised(t *testing.T, n int64, seed tseras.Seed) tseras.Round {
	t.Helper()
	commitment, at := seed.Commitment(n), time.Date(2026, 9, 1, 5, 0, 0, 250_000_000, time.UTC)
	line, err := ledger.NewLine(strings.NewReader(strings.Repeat("l", ledger.KeySize)), ledger.Round, fmt.Sprint(n), tseras.Promised(commitment[:], at))
	if err != nil {
		t.Fatal(err)
	}
	return tseras.Round{Number: n, Commitment: commitment[:], Committed: tseras.Moment(at), Line: tseras.RoundLine(line)}
}

// round makes a round of n drawings, all opened.
func round(t *testing.T, n int) tseras.Round {
	t.Helper()
	seed := key.Seed(3)
	r := promised(t, 3, seed)
	r.Seed = &seed
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
	line := func(kind ledger.Kind, object string, r *tseras.Round) tseras.RoundLine {
		l, err := ledger.NewLine(strings.NewReader(strings.Repeat("m", ledger.KeySize)), kind, object, tseras.Promised(r.Commitment, time.Time(r.Committed)))
		if err != nil {
			t.Fatal(err)
		}
		return tseras.RoundLine(l)
	}
	for what, c := range map[string]struct {
		forge func(*tseras.Round)
		says  string
	}{
		"no line":                {func(r *tseras.Round) { r.Line = tseras.RoundLine{} }, "comes without its ledger line"},
		"another round's line":   {func(r *tseras.Round) { r.Line = line(ledger.Round, "4", r) }, "the ledger line is another's"},
		"a drawing's line":       {func(r *tseras.Round) { r.Line = line(ledger.Drawing, "3", r) }, "the ledger line is another's"},
		"another key":            {func(r *tseras.Round) { r.Line.Key[0]++ }, "does not commit to this promise at this time"},
		"half a key":             {func(r *tseras.Round) { r.Line.Key = r.Line.Key[:16] }, "does not commit to this promise at this time"},
		"another MAC":            {func(r *tseras.Round) { r.Line.MAC[31]++ }, "does not commit to this promise at this time"},
		"an earlier time":        {func(r *tseras.Round) { r.Committed = tseras.Moment(time.Time(r.Committed).Add(-time.Microsecond)) }, "does not commit to this promise at this time"},
		"another promise":        {func(r *tseras.Round) { s := key.Seed(4); c := s.Commitment(3); r.Seed, r.Commitment = &s, c[:] }, "does not commit to this promise at this time"},
		"a changed promise only": {func(r *tseras.Round) { r.Seed, r.Drawings, r.Opened = nil, nil, nil; r.Commitment[0]++ }, "does not commit to this promise at this time"},
	} {
		r := round(t, 2)
		c.forge(&r)
		if _, err := r.Verify(); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", what, err)
		}
	}
	r := round(t, 2)
	if r.Line = line(ledger.Round, "3", &r); r.Line.MAC[0] == round(t, 2).Line.MAC[0] && r.Line.MAC[1] == round(t, 2).Line.MAC[1] {
		t.Error("another key gives the same line")
	}
	if _, err := r.Verify(); err != nil {
		t.Errorf("a line under another key: %v", err)
	}
	for what, forge := range map[string]func(*tseras.Round){
		"another seed":                   func(r *tseras.Round) { s := key.Seed(4); r.Seed = &s },
		"another round's number":         func(r *tseras.Round) { r.Number, r.Line.Object = 4, "4" },
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
