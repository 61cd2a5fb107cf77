package criteria

import (
	"cmp"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/tesdiq/tesdiq"
)

//go:embed data
var published embed.FS

// Rules are one published version of the rules.
type Rules struct {
	Version string // "v1-" and the SHA-256 of its data

	regimes []*regime // by the day from which each holds
	tables  tables
}

// regime is what holds from one day on until another line of some table begins or ends: everything that a decision needs.
type regime struct {
	since    tesdiq.Date
	law      law
	criteria map[string]*Criterion
	listed   []*Criterion // the same, by body system and id
	causes   map[Cause]cause
	degrees  map[string][5]listed // by criterion and grade: the list of 413
	alone    map[string][]aloneRule
	params
}

// versions are all published ones, oldest first. They are read once, when they are first needed; a test reads them, so what is
// wrong with a table is found before anybody is assessed.
var versions = sync.OnceValue(func() (all []*Rules) {
	folders, err := fs.ReadDir(published, "data")
	if err != nil {
		panic(err)
	}
	for _, f := range folders {
		r, err := load(published, "data/"+f.Name(), f.Name())
		if err != nil {
			panic(err)
		}
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b *Rules) int { return cmp.Compare(a.number(), b.number()) })
	return all
})

// Current is the newest published version.
func Current() *Rules {
	all := versions()
	return all[len(all)-1]
}

// Versions are all published versions, oldest first.
func Versions() []*Rules { return slices.Clone(versions()) }

// ByVersion finds the rules by their version. The error is a Problem, "criteria.rules_unknown".
func ByVersion(version string) (*Rules, error) {
	for _, r := range versions() {
		if r.Version == version {
			return r, nil
		}
	}
	return nil, tesdiq.NewProblem(tesdiq.NotFound, "criteria.rules_unknown").With("Version", version)
}

// number is the N of vN.
func (r *Rules) number() int {
	name, _, _ := strings.Cut(r.Version, "-")
	n, err := strconv.Atoi(strings.TrimPrefix(name, "v"))
	if err != nil {
		panic("criteria: not a version: " + r.Version)
	}
	return n
}

// tableFiles are the files of a version, in the order in which its hash takes them.
var tableFiles = []string{"alone.csv", "causes.csv", "criteria.csv", "degrees.csv", "grades.csv", "laws.csv", "parameters.csv"}

// load reads one version and checks that it is whole.
func load(files fs.FS, folder, name string) (*Rules, error) {
	sum := sha256.New()
	read := func(file string) ([]map[string]string, error) {
		b, err := fs.ReadFile(files, folder+"/"+file)
		if err != nil {
			return nil, fmt.Errorf("criteria: rules: %w", err)
		}
		fmt.Fprintf(sum, "%s %d\n", file, len(b))
		sum.Write(b)
		return readTable(folder+"/"+file, b)
	}
	r := &Rules{}
	for _, file := range tableFiles {
		lines, err := read(file)
		if err != nil {
			return nil, err
		}
		for i, line := range lines {
			if err := r.tables.add(file, line); err != nil {
				return nil, fmt.Errorf("criteria: %s/%s: entry %d: %w", folder, file, i+1, err)
			}
		}
	}
	r.Version = name + "-" + hex.EncodeToString(sum.Sum(nil))
	if err := r.tables.build(r); err != nil {
		return nil, fmt.Errorf("criteria: %s: %w", folder, err)
	}
	return r, nil
}

// on is what holds on a day; nil before the first.
func (r *Rules) on(day tesdiq.Date) *regime {
	for _, g := range slices.Backward(r.regimes) {
		if !day.Before(g.since) {
			return g
		}
	}
	return nil
}

// Law is which law applies to a case of a day: "413", "187"; "" before both, and then nothing is decided.
func (r *Rules) Law(day tesdiq.Date) string {
	if g := r.on(day); g != nil && g.law.Method != groups {
		return g.law.ID
	}
	return ""
}

// Criteria are those in force for a case of a day, by body system and id.
func (r *Rules) Criteria(day tesdiq.Date) []*Criterion {
	g := r.on(day)
	if g == nil {
		return nil
	}
	return slices.Clone(g.listed)
}

// Criterion finds a criterion for a case of a day.
func (r *Rules) Criterion(day tesdiq.Date, id string) (*Criterion, bool) {
	g := r.on(day)
	if g == nil {
		return nil, false
	}
	k, ok := g.criteria[id]
	return k, ok
}

// Causes are those that a case of a day may have, best social guarantees first, each with the document that proves it.
func (r *Rules) Causes(day tesdiq.Date) (causes []Cause, documents []string) {
	g := r.on(day)
	if g == nil {
		return nil, nil
	}
	all := make([]cause, 0, len(g.causes))
	for _, c := range g.causes {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b cause) int { return cmp.Compare(a.Rank, b.Rank) })
	for _, c := range all {
		causes, documents = append(causes, c.ID), append(documents, c.Needs)
	}
	return causes, documents
}

// AssessesWork says whether the activity "work" is assessed in a case of a day: by the age on that day, so that it does not
// change while the case is open.
func (r *Rules) AssessesWork(caseOn, born tesdiq.Date) bool {
	g := r.on(caseOn)
	return g != nil && g.assessesWork(caseOn, born)
}

func (g *regime) assessesWork(caseOn, born tesdiq.Date) bool {
	return !caseOn.Before(born.AddYears(g.workAge))
}

// Check lists what is wrong with an input before it is decided, by the names of its fields in JSON.
func (r *Rules) Check(in Input) tesdiq.Problems {
	in = in.ordered()
	return in.check(r.on(in.CaseOn))
}
