package tseras

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework/tseras/criteria"
)

// Recorded is what one member found.
type Recorded struct {
	Member   MemberID          `json:"member"`
	Role     Role              `json:"role"`
	Findings criteria.Findings `json:"findings"`
}

// essence is what of a result people would call the same.
type essence struct {
	outcome criteria.Outcome
	loss    int
	degree  string
	cause   criteria.Cause
	until   tesdiq.Date
}

func essenceOf(r criteria.Result) essence {
	return essence{r.Outcome, r.Loss, r.Degree, r.Cause, r.Until}
}

// Settle puts together what the members found, in the order in which they were drawn, where in is the case without findings. While no
// more than a panel has recorded, any difference between the results that the rules compute from each member's findings calls for a
// further member (false). With him what more than half found stands, and where no more than half agree, what he found who was drawn
// last: he was drawn to decide between them. ASSUMPTION: the rules found do not say how members' findings are put together.
func Settle(in criteria.Input, all []Recorded) (criteria.Findings, bool, error) {
	var found []criteria.Findings
	var first essence
	same := true
	further := -1
	for i, r := range all {
		in.Findings = r.Findings
		result, err := criteria.Decide(in)
		if err != nil {
			return criteria.Findings{}, false, err
		}
		if e := essenceOf(result); i == 0 {
			first = e
		} else if e != first {
			same = false
		}
		if r.Role == Further {
			further = i
		}
		found = append(found, r.Findings)
	}
	agreed, different := criteria.Agree(found)
	switch {
	case same && len(different) == 0:
		return agreed, true, nil
	case len(all) <= panelSize && !same:
		return criteria.Findings{}, false, nil
	}
	// By the same result with other findings, the chair's stand; by different ones, the further member's decide.
	casting := further
	if casting < 0 {
		casting = max(0, slices.IndexFunc(all, func(r Recorded) bool { return r.Role == Chair }))
	}
	for _, d := range different {
		if d.Activity != "" {
			*agreed.Activities.At(d.Activity) = *all[casting].Findings.Activities.At(d.Activity)
			continue
		}
		for _, c := range all[casting].Findings.Conditions {
			if c.Criterion == d.Criterion {
				agreed.Conditions = append(agreed.Conditions, c)
			}
		}
	}
	return agreed, true, nil
}

// Digest is what a member signs: SHA-256 of label, salt and decision package.
func Digest(salt, pack []byte) [sha256.Size]byte {
	h := sha256.New()
	for _, part := range []string{"tesdiq decision v1", string(salt), string(pack)} {
		h.Write(framed(part))
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// SignatureNonce is what the sign-in provider signs when a member signs a digest with what the chair says to the person:
// SHA-256 of label, digest and words, in base 64 for addresses. Anybody who has the token can compare.
func SignatureNonce(digest []byte, explains string) string {
	h := sha256.New()
	for _, part := range []string{"tesdiq signature v1", string(digest), explains} {
		h.Write(framed(part))
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// SignatureType is the media type of what the sign-in provider signs over a Digest.
const SignatureType = "application/jwt"

// Differs says whether the same findings gave another result last time under the same law: then the chair must say why,
// to the person, before it can be signed.
func Differs(prior []criteria.Prior, in criteria.Input, r criteria.Result) bool {
	var last *criteria.Prior
	for i, p := range prior {
		if len(p.Conditions) > 0 && (last == nil || p.From.After(last.From)) {
			last = &prior[i]
		}
	}
	if last == nil || criteria.Current().Law(last.From) != r.Law {
		return false
	}
	return sameConditions(last.Conditions, in.Findings.Conditions) && (last.Outcome != r.Outcome && r.Outcome != criteria.Kept || last.Loss != r.Loss && r.Loss > 0 || last.Cause != r.Cause && r.Cause != "")
}

// sameConditions says whether members found now what was decided on before. A decision has the cause that the rules found; who
// names none, or general illness, leaves it to them.
func sameConditions(decided, found []criteria.Condition) bool {
	if len(decided) != len(found) {
		return false
	}
	before := map[string]criteria.Condition{}
	for _, c := range decided {
		before[c.Criterion] = c
	}
	for _, c := range found {
		d, there := before[c.Criterion]
		claims := c.Cause != "" && c.Cause != criteria.GeneralIllness
		if !there || d.Grade != c.Grade || claims && d.Cause != c.Cause {
			return false
		}
	}
	return true
}

// CheckFindings lists what is wrong with a member's findings about somebody of an age group, on a day: as far as it can
// be said without knowing the person's birthday.
func CheckFindings(f criteria.Findings, age AgeGroup, on tesdiq.Date) error {
	_, err := criteria.Decide(criteria.Input{CaseOn: on, DecidedOn: on, Born: on.AddYears(-int(age)).AddDays(-1), Findings: f})
	return err
}
