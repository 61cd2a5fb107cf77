package simulate

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tesdiq/tesdiq/casework"
)

// Outcome is a row of the table of outcomes.
type Outcome struct {
	State   casework.State `json:"state"`
	By      string         `json:"by,omitempty"` // registers, commission
	Outcome string         `json:"outcome,omitempty"`
	Band    string         `json:"band,omitempty"`
	Cases   int            `json:"cases"`
	Days    float64        `json:"days"` // from the first step to the last, on average
	Longest float64        `json:"longest_days"`
}

// Stuck is a group of cases that are still open, and why.
type Stuck struct {
	State  casework.State `json:"state"`
	Turn   casework.Turn  `json:"turn"`
	Waits  string         `json:"waits_for"`
	Cases  int            `json:"cases"`
	Oldest time.Time      `json:"since"` // of the one that waits longest
}

// Rate is how many decisions a loop of the program made possible for each second that it took, and for each second of a processor.
type Rate struct {
	PerS   float64 `json:"per_s"`
	PerCPU float64 `json:"per_cpu_s"`
}

// Report is what was played and what is wrong with it.
type Report struct {
	Cases    int                `json:"cases"`
	Seed     uint64             `json:"seed"`
	Opened   int                `json:"opened"`
	Decided  int                `json:"decided"`
	PerS     float64            `json:"decisions_per_s"`     // over the whole year: everything that everybody did
	PerCPU   float64            `json:"decisions_per_cpu_s"` // for a second of a processor: it does not depend on what else the machine does
	Rates    map[string]Rate    `json:"rates"`               // of the program's loops
	Crashes  int                `json:"crashes"`
	Seconds  map[string]float64 `json:"seconds"`
	Did      map[string]int     `json:"did"`
	Late     map[string]int     `json:"overdue_evenings"` // overdue clocks by what was waited for, each evening counted
	Outcomes []Outcome          `json:"outcomes"`
	Open     []Stuck            `json:"open"`
	Audit    Audited            `json:"audit"`
	Wrong    []string           `json:"wrong"`
	Load     string             `json:"load"` // of the machine, when it was over
	CPUs     int                `json:"cpus"`
	Sealed   int                `json:"sealed_one_in"`
}

// Good says whether nothing is wrong.
func (r Report) Good() bool { return len(r.Wrong) == 0 }

const sqlOutcomes = `
	SELECT CASE c.kind WHEN 'assessment' THEN '' ELSE c.kind || ' ' END || c.state, CASE WHEN d.alone THEN 'registers' WHEN d.case_id IS NOT NULL THEN 'commission' ELSE '' END,
	       coalesce(r.result->>'outcome', ''), coalesce(r.result->>'band', ''), count(*),
	       avg(extract(epoch FROM s.at - c.opened_at)) / 86400, max(extract(epoch FROM s.at - c.opened_at)) / 86400
	FROM cases c
	JOIN case_steps s ON s.case_id = c.id AND s.seq = c.seq
	LEFT JOIN tseras_decisions d ON d.case_id = c.id
	LEFT JOIN LATERAL (SELECT convert_from(d.package, 'UTF8')::json->'result' AS result) r ON true
	GROUP BY 1, 2, 3, 4
	ORDER BY 1, 2, 3, 4`

// judge audits what was played and writes the report.
func (y *year) judge(ctx context.Context) (Report, error) {
	r := Report{Cases: y.Cases, Seed: y.Seed, Opened: y.did["cases opened"], Crashes: y.struck, Did: y.did, Late: y.late, Seconds: map[string]float64{}, CPUs: runtime.GOMAXPROCS(0), Sealed: y.Sealed, Wrong: []string{}}
	rows, _ := y.admin.Query(ctx, sqlOutcomes) // the error comes out of Collect
	var err error
	if r.Outcomes, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Outcome]); err != nil {
		return r, fmt.Errorf("simulate: outcomes: %w", err)
	}
	for i, o := range r.Outcomes {
		r.Outcomes[i].Days, r.Outcomes[i].Longest = round(o.Days), round(o.Longest)
		if o.State == "decided" || o.State == "appeal decided" {
			r.Decided += o.Cases
		}
	}
	open, err := Open(ctx, y.admin)
	if err != nil {
		return r, err
	}
	r.Open = stuck(open)
	for _, s := range r.Open {
		if s.Waits == "" {
			r.Wrong = append(r.Wrong, fmt.Sprintf("%d cases are open in %s and wait for nothing", s.Cases, s.State))
		}
	}
	began := y.Now()
	a, wrong, err := Audit(ctx, y.admin, y.loaded, y.say)
	if err != nil {
		return r, err
	}
	y.spent["audit"] = y.Now().Sub(began)
	y.say("")
	r.Audit, r.Wrong = a, append(r.Wrong, wrong...)
	for what, n := range y.wrong {
		r.Wrong = append(r.Wrong, fmt.Sprintf("%s (%d times)", what, n))
	}
	if r.Opened != y.Cases {
		r.Wrong = append(r.Wrong, fmt.Sprintf("%d cases were opened of %d", r.Opened, y.Cases))
	}
	slices.Sort(r.Wrong)
	for what, d := range y.spent {
		r.Seconds[what] = round(d.Seconds())
	}
	r.PerS = perSecond(r.Decided, y.spent["the year"])
	r.Rates = map[string]Rate{}
	for name, loops := range rated {
		var spent, worked time.Duration
		for _, loop := range loops {
			spent, worked = spent+y.spent[loop], worked+y.worked[loop]
		}
		r.Rates[name] = Rate{perSecond(r.Decided, spent), perSecond(r.Decided, worked)}
	}
	if n := y.did[fullTurns]; n > 0 { // a decision is two moves at least: what is laid before the members, and what they have signed
		share := float64(n) / float64(y.did["moved by the decider"])
		decided := int(share * float64(r.Decided))
		r.Rates["decide, full turns"] = Rate{perSecond(decided, y.spent[fullTurns]), perSecond(decided, y.worked[fullTurns])}
	}
	if cpu := y.spent["processors: the program and those who play"] + y.spent["processors: PostgreSQL"]; cpu > 0 {
		r.PerCPU = perSecond(r.Decided, cpu)
	}
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		r.Load = strings.Join(strings.Fields(string(text))[:3], " ")
	}
	return r, nil
}

// rated are the loops of which rates are told.
var rated = map[string][]string{"decide": {"decide"}, "draw": {"draw"}, "gather": {"gather"}, "all loops": {"decide", "draw", "gather"}, "people": {"people"}}

func perSecond(n int, d time.Duration) float64 {
	if d <= 0 {
		return 0
	}
	return round(float64(n) / d.Seconds())
}

func round(x float64) float64 { return math.Round(x*100) / 100 }

// stuck groups open cases.
func stuck(open []Waiting) (all []Stuck) {
	type key struct {
		state casework.State
		turn  casework.Turn
		waits string
	}
	groups := map[key]*Stuck{}
	for _, w := range open {
		k := key{w.State, w.Turn, w.Waits}
		if groups[k] == nil {
			groups[k] = &Stuck{State: w.State, Turn: w.Turn, Waits: w.Waits, Oldest: w.Since}
		}
		if groups[k].Cases++; w.Since.Before(groups[k].Oldest) {
			groups[k].Oldest = w.Since
		}
	}
	for _, g := range groups {
		all = append(all, *g)
	}
	slices.SortFunc(all, func(a, b Stuck) int { return strings.Compare(string(a.State)+a.Waits, string(b.State)+b.Waits) })
	return all
}

// WriteJSON writes one line for programs.
func (r Report) WriteJSON(w io.Writer) error {
	line, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("simulate: %w", err)
	}
	_, err = w.Write(append(line, '\n'))
	return err
}

// WriteTable writes the same for people.
func (r Report) WriteTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "A year of assessments: %d cases, seed %d, %d crashes\n\n", r.Cases, r.Seed, r.Crashes)
	fmt.Fprintf(t, "  ended as\tby\toutcome\tband\tcases\tdays\tlongest\n")
	for _, o := range r.Outcomes {
		fmt.Fprintf(t, "  %s\t%s\t%s\t%s\t%d\t%.1f\t%.1f\n", o.State, o.By, o.Outcome, o.Band, o.Cases, o.Days, o.Longest)
	}
	fmt.Fprintf(t, "\n  still open\tturn\twaits for\tcases\tlongest since\n")
	for _, s := range r.Open {
		fmt.Fprintf(t, "  %s\t%s\t%s\t%d\t%s\n", s.State, s.Turn, s.Waits, s.Cases, s.Oldest.Format("2006-01-02"))
	}
	fmt.Fprintf(t, "\n  overdue clocks, each evening counted\t\n")
	for _, k := range slices.Sorted(maps.Keys(r.Late)) {
		fmt.Fprintf(t, "  %s\t%d\n", k, r.Late[k])
	}
	fmt.Fprintf(t, "\n  what was done\t\n")
	for _, k := range slices.Sorted(maps.Keys(r.Did)) {
		fmt.Fprintf(t, "  %s\t%d\n", k, r.Did[k])
	}
	fmt.Fprintf(t, "\n  how long it took\t\n")
	for _, k := range slices.Sorted(maps.Keys(r.Seconds)) {
		fmt.Fprintf(t, "  %s\t%.1f s\n", k, r.Seconds[k])
	}
	fmt.Fprintf(t, "\n  decisions\t%.1f/s\tthe whole year: everything that everybody did, on %d processors, load %s\n", r.PerS, r.CPUs, r.Load)
	for _, k := range slices.Sorted(maps.Keys(r.Rates)) {
		fmt.Fprintf(t, "  %s\t%.1f/s\t%.1f for a second of a processor\n", k, r.Rates[k].PerS, r.Rates[k].PerCPU)
	}
	fmt.Fprintf(t, "  of a processor\t%.1f for a second of it\tso this machine's %d would decide %.0f/s if they did nothing else\n", r.PerCPU, r.CPUs, r.PerCPU*float64(r.CPUs))
	fmt.Fprintf(t, "  audit\t\t%d laws, %d ledger lines opened, %d packages decided again, %d rounds with %d drawings recomputed\n",
		r.Audit.Laws, r.Audit.Lines, r.Audit.Packages, r.Audit.Rounds, r.Audit.Drawings)
	if r.Good() {
		fmt.Fprintf(t, "\nNothing is wrong.\n")
	}
	for _, what := range r.Wrong {
		fmt.Fprintf(t, "\nWRONG: %s\n", what)
	}
	return t.Flush()
}
