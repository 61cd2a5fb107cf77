package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync/atomic"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework/tseras/criteria"
)

// decide measures the rules of disability assessment: findings read, decided with every reason and what would change it,
// and written in the canonical form; beside a plain reading and writing of the same bytes.
func decide(ctx context.Context, o Options) (Result, error) {
	inputs, results, err := cases(tesdiq.DateOf(o.Now()))
	if err != nil {
		return Result{}, err
	}
	var n, m atomic.Int64
	ours := func(context.Context, int) error {
		in, err := criteria.ReadInput(inputs[int(n.Add(1))%len(inputs)])
		if err != nil {
			return err
		}
		r, err := criteria.Decide(in)
		if err != nil {
			return err
		}
		if len(r.Canonical()) == 0 {
			return fmt.Errorf("an empty result")
		}
		return nil
	}
	plain := func(context.Context, int) error {
		i := int(m.Add(1)) % len(inputs)
		var in, r any
		if err := json.Unmarshal(inputs[i], &in); err != nil {
			return err
		}
		if err := json.Unmarshal(results[i], &r); err != nil {
			return err
		}
		_, err := json.Marshal(r)
		return err
	}
	a, b, err := compare(ctx, o, meter{}, side{"ours", ours}, side{"baseline", plain}, nil)
	if err != nil {
		return Result{}, err
	}
	return Result{
		Ours: a.rate(), ours: "findings read, decided with reasons and what would change it, written",
		Baseline: "encoding/json, the same findings and result read and written", BaselineRate: b.rate(), P50: a.at(0.5), P99: a.at(0.99),
		more: append(cost(a, b), [2]string{"rules", criteria.Current().Version}),
	}, nil
}

// cases are a thousand findings as commissions have them, of adults with one to three conditions, and what the rules say of them.
func cases(today tesdiq.Date) (inputs, results [][]byte, err error) {
	dice := rand.New(rand.NewPCG(1, 2))
	rules := criteria.Current()
	all := rules.Criteria(today)
	for len(inputs) < 1000 {
		in := criteria.Input{CaseOn: today.AddDays(-10), DecidedOn: today, Born: today.AddYears(-19 - dice.IntN(60)).AddDays(-dice.IntN(365))}
		for _, name := range criteria.ActivityNames {
			*in.Findings.Activities.At(name) = []criteria.Limit{criteria.NoLimit, criteria.NoLimit, criteria.LimitI, criteria.LimitII}[dice.IntN(4)]
		}
		for range 1 + dice.IntN(3) {
			k := all[dice.IntN(len(all))]
			in.Findings.Conditions = append(in.Findings.Conditions, criteria.Condition{Criterion: k.ID, Grade: 2 + dice.IntN(3)})
		}
		for years := dice.IntN(4); years > 0; years-- {
			from := today.AddYears(-years)
			in.Prior = append(in.Prior, criteria.Prior{
				From: from, Until: from.AddYears(1).AddDays(-1), Outcome: criteria.Disability, Loss: 35 + 5*dice.IntN(14), Cause: criteria.GeneralIllness,
			})
		}
		if len(rules.Check(in)) > 0 {
			continue // a criterion for children, twice the same, or without the grade
		}
		r, err := rules.Decide(in)
		if err != nil {
			return nil, nil, err
		}
		inputs, results = append(inputs, in.Canonical()), append(results, r.Canonical())
	}
	return inputs, results, nil
}
