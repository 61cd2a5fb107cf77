package inspection_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework/tseras/inspection"
)

func counts(cases ...int) (all []inspection.Count) {
	for i, n := range cases {
		all = append(all, inspection.Count{Value: string(rune('a' + i)), Cases: n})
	}
	return all
}

func shown(cells []inspection.Cell) string {
	all := []string{}
	for _, c := range cells {
		if c.Rest {
			c.Value = "rest"
		}
		all = append(all, fmt.Sprint(c.Value, c.Cases))
	}
	return strings.Join(all, " ")
}

func TestSmallNumbersArePutTogether(t *testing.T) {
	for _, c := range []struct {
		cases []int
		want  string
	}{
		{nil, ""},
		{[]int{3}, ""},
		{[]int{0, 0}, ""},
		{[]int{3, 20}, ""}, // one number is all
		{[]int{5}, "a5"},
		{[]int{100, 5, 0, 7}, "a100 b5 d7"},
		{[]int{100, 4, 7, 30}, "a100 d30 rest11"},
		{[]int{100, 4, 7, 7}, "a100 rest18"},
		{[]int{100, 4, 1, 30}, "a100 rest35"},
		{[]int{5, 4, 4}, ""}, // 5 and a rest of 8 would be 4 and 4,
		{[]int{4, 4, 4, 20}, ""},
		{[]int{4, 4, 20, 4, 21}, "e21 rest32"},
		{[]int{4, 4, 4}, ""},
		{[]int{100, 1, 1, 30}, "a100 rest32"},
		{[]int{1, 1, 1, 1, 1, 9}, ""},
	} {
		if got := shown(inspection.Together(counts(c.cases...))); got != c.want {
			t.Errorf("%v: %q, want %q", c.cases, got, c.want)
		}
	}
}

// Who knows how the table is made, and how many there are in all, tries every table that would look the same: a number below the limit must
// never be the only one that is possible.
func TestNoSmallNumberFollowsFromHowATableIsMade(t *testing.T) {
	for width, most := range map[int]int{2: 40, 3: 20, 4: 12} {
		possible := map[string]int{} // by what is seen and by the value's place: a set of numbers
		var tables [][]int
		for n := range int(math.Pow(float64(most+1), float64(width))) {
			table := make([]int, width)
			for i := range table {
				table[i] = n % (most + 1)
				n /= most + 1
			}
			tables = append(tables, table)
		}
		seen := func(table []int, place int) string {
			total := 0
			for _, n := range table {
				total += n
			}
			return fmt.Sprint(total, "; ", shown(inspection.Together(counts(table...))), "; ", place)
		}
		for _, table := range tables {
			for i, n := range table {
				possible[seen(table, i)] |= 1 << n
			}
		}
		for _, table := range tables {
			for i, n := range table {
				if n == 0 || n >= inspection.Smallest {
					continue
				}
				other := possible[seen(table, i)]
				if other == 1<<n || other>>inspection.Smallest == 0 && inspection.Together(counts(table...)) != nil {
					t.Fatalf("%v is seen as %q: %d follows, or that it is small", table, seen(table, i), n)
				}
			}
		}
	}
}

// atom is people of whom the statistics can tell no more: they were decided in one month, alike in all respects.
type atom struct {
	month                                   int // of the year, from 0
	way, outcome, region, band, cause, term string
}

var (
	ways     = []string{"alone", "commission"}
	regions  = []string{"", "x", "y"}
	outcomes = []string{inspection.Disability, "child", "not_disability", "kept"}
	bands    = []string{"31-60", "61-80", "81-100"}
	causes   = []string{"general_illness", "childhood"}
	terms    = []string{"indefinite", "limited"}
)

func (a atom) value(table string) string {
	return map[string]string{"way": a.way, "outcome": a.outcome, "region": a.region, "band": a.band, "cause": a.cause, "term": a.term}[table]
}

// of says of whom a table speaks.
func (a atom) of(table string) bool {
	return a.outcome == inspection.Disability || table == "way" || table == "outcome" || table == "region"
}

var tables = map[string][]string{"way": ways, "outcome": outcomes, "region": regions, "band": bands, "cause": causes, "term": terms}

func atoms() (all []atom) {
	for month := range 12 {
		for _, way := range ways {
			for _, region := range regions {
				for _, outcome := range outcomes {
					if outcome != inspection.Disability {
						all = append(all, atom{month: month, way: way, outcome: outcome, region: region})
						continue
					}
					for _, band := range bands {
						for _, cause := range causes {
							for _, term := range terms {
								all = append(all, atom{month, way, outcome, region, band, cause, term})
							}
						}
					}
				}
			}
		}
	}
	return all
}

// attacker knows sums: each a set of atoms, of which he was told how many people it has. He computes whatever follows by adding and
// subtracting them, any number of times.
type attacker struct {
	base [][]float64 // in echelon form
	lead []int
}

// reduce takes what is known out of a sum; nothing is left of one that follows.
func (x *attacker) reduce(sum []float64) (lead int) {
	for n, row := range x.base {
		if f := sum[x.lead[n]]; math.Abs(f) > 1e-9 {
			for i := range sum {
				sum[i] -= f * row[i]
			}
		}
	}
	return slices.IndexFunc(sum, func(f float64) bool { return math.Abs(f) > 1e-9 })
}

func (x *attacker) learns(sum []float64) {
	lead := x.reduce(sum)
	if lead < 0 {
		return
	}
	f := sum[lead]
	for i := range sum {
		sum[i] /= f
	}
	x.base, x.lead = append(x.base, sum), append(x.lead, lead)
}

func vector(all []atom, in func(atom) bool) []float64 {
	v := make([]float64, len(all))
	for i, a := range all {
		if in(a) {
			v[i] = 1
		}
	}
	return v
}

// tells lets the attacker see the table of some months: each line that is shown, and the rest as everything that is not.
func (x *attacker) tells(all []atom, from, until int, table string, cells []inspection.Cell) {
	var own []string
	for _, c := range cells {
		if !c.Rest {
			own = append(own, c.Value)
		}
	}
	for _, c := range cells {
		x.learns(vector(all, func(a atom) bool {
			return a.month >= from && a.month < until && a.of(table) && (c.Rest && !slices.Contains(own, a.value(table)) || !c.Rest && a.value(table) == c.Value)
		}))
	}
}

// finds gives the first number below the limit that follows from what he knows: of any months, and any values of a table together.
func (x *attacker) finds(all []atom, people []int, periods [][2]int) string {
	for _, p := range periods {
		for table, values := range tables {
			sets := 1 << len(values)
			if table == "way" || table == "outcome" || table == "region" {
				sets-- // all together are the total, which says nothing of anybody's health
			}
			for set := 1; set < sets; set++ {
				in := func(a atom) bool {
					return a.month >= p[0] && a.month < p[1] && a.of(table) && set>>slices.Index(values, a.value(table))&1 == 1
				}
				n := 0
				for i, a := range all {
					if in(a) {
						n += people[i]
					}
				}
				if n > 0 && n < inspection.Smallest && x.reduce(vector(all, in)) < 0 {
					return fmt.Sprintf("months %v: %s %b of %v: %d", p, table, set, values, n)
				}
			}
		}
	}
	return ""
}

// count is what the database counts of some months.
func count(all []atom, people []int, from, until int) map[string][]inspection.Count {
	of := map[string][]inspection.Count{}
	for table, values := range tables {
		for _, value := range values {
			n := 0
			for i, a := range all {
				if a.month >= from && a.month < until && a.of(table) && a.value(table) == value {
					n += people[i]
				}
			}
			of[table] = append(of[table], inspection.Count{Value: value, Cases: n})
		}
	}
	return of
}

// The attacker asks for everything that may be asked, on each day of a year and after it, and computes all differences.
func TestNothingSmallFollowsFromAllThatMayBeAsked(t *testing.T) {
	all := atoms()
	var periods [][2]int // of whole months, with totals; those that may be asked for, whenever
	asked := map[[2]int]bool{}
	index := func(d tesdiq.Date) int { return (d.Year()-2026)*12 + int(d.Month()) - 1 }
	quarters := map[[2]int]bool{}
	for day := range 800 {
		today := tesdiq.MustDate("2026-01-01").AddDays(day)
		for _, p := range inspection.ForStatistics(today) {
			if m := [2]int{max(0, index(p.From)), min(12, index(p.Until))}; m[0] < m[1] {
				asked[m] = true
			}
		}
		for _, p := range inspection.Quarters(today) {
			if index(p.From) >= 0 && index(p.Until) <= 12 {
				quarters[[2]int{index(p.From), index(p.Until)}] = true
			}
		}
	}
	for p := range asked {
		periods = append(periods, p)
	}
	if len(periods) != 12+4+1 || len(quarters) != 4 {
		t.Fatalf("%v, %v", periods, quarters)
	}
	told, naive := 0, 0
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 0))
		people := make([]int, len(all))
		for range 20 + r.IntN(300) {
			people[int(float64(len(all))*math.Pow(r.Float64(), 1+float64(seed%3)))]++ // many in few, few in many
		}
		var x, other attacker
		for _, p := range periods {
			x.learns(vector(all, func(a atom) bool { return a.month >= p[0] && a.month < p[1] }))
		}
		for q := range quarters {
			for table, cells := range inspection.Publish(count(all, people, q[0], q[1])) {
				x.tells(all, q[0], q[1], table, cells)
				told += len(cells)
			}
		}
		if found := x.finds(all, people, periods); found != "" {
			t.Fatalf("seed %d: %s", seed, found)
		}
		// Had the same been shown of every period, he would find something: he can attack.
		if seed < 10 {
			for _, p := range periods {
				for table, cells := range inspection.Publish(count(all, people, p[0], p[1])) {
					other.tells(all, p[0], p[1], table, cells)
				}
			}
			if other.finds(all, people, periods) != "" {
				naive++
			}
		}
	}
	if told < 1000 || naive < 5 {
		t.Errorf("%d lines shown; of overlapping periods something was found %d times of 10", told, naive)
	}
}
