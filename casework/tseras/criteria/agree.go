package criteria

import (
	"maps"
	"slices"
)

// Difference is one thing that members found differently.
type Difference struct {
	Criterion string `json:"criterion,omitempty"`
	Activity  string `json:"activity,omitempty"`
}

// Agree puts together what members found separately: of each criterion the grade, and of each activity the limit, that
// more than half of them found. Where no more than half agree, a further member is needed, and the difference is named.
// Who did not find a condition has found grade 0 of it.
func Agree(members []Findings) (Findings, []Difference) {
	agreed := Findings{Conditions: []Condition{}}
	var different []Difference
	votes := map[string]map[Condition]int{}
	for _, m := range members {
		for _, c := range m.Conditions {
			if votes[c.Criterion] == nil {
				votes[c.Criterion] = map[Condition]int{}
			}
			votes[c.Criterion][c]++
		}
	}
	for _, criterion := range slices.Sorted(maps.Keys(votes)) {
		absent := len(members)
		var found Condition
		decided := false
		for c, n := range votes[criterion] {
			absent -= n
			if 2*n > len(members) {
				found, decided = c, true
			}
		}
		switch {
		case decided:
			agreed.Conditions = append(agreed.Conditions, found)
		case 2*absent <= len(members):
			different = append(different, Difference{Criterion: criterion})
		}
	}
	for i, name := range ActivityNames {
		count := map[Limit]int{}
		decided := false
		for _, m := range members {
			l := m.Activities.list()[i]
			if count[l]++; 2*count[l] > len(members) {
				*agreed.Activities.At(name), decided = l, true
			}
		}
		if !decided {
			different = append(different, Difference{Activity: name})
		}
	}
	return agreed, different
}
