package registry

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/tesdiq/tesdiq"
)

// Body is what an entry of some book says: a person, an examination, a contract.
type Body interface {
	// Heading is how the entry is found: without ID, version, act, reason, time and author.
	Heading() Head
	// Validate lists everything in the body that the law or the book does not allow, each problem with its field.
	Validate(c Circumstances) tesdiq.Problems
	// Follows says whether the body may be appended as the next version after before, which is of the same book.
	Follows(before Body) tesdiq.Problems
}

// Circumstances are what a body is judged by besides itself.
type Circumstances struct {
	Today tesdiq.Date // the day on which it is entered
	Born  tesdiq.Date // of the subject; none when the body is the person itself
}

// Version is one version of an object: the head and what it says.
type Version struct {
	Head Head
	Body Body
}

// Change is what somebody wants entered.
type Change struct {
	Act    Act
	Book   Book   // of an annulment; otherwise the body's
	Number string // of an annulment; otherwise the body's
	Body   Body   // nil for an annulment, which repeats what it annuls
	After  int    // the version that the author had before him, 0 for a new object; newer ones are a Conflict
	By     string // who enters it: an officer or a program, never a person of the register
	Reason string // of a correction or annulment
}

// Limits of what the author of a change writes, in letters.
const (
	MaxReason = 500
	MaxBy     = 100
)

// Heading names the object that the change is about.
func (c Change) Heading() Head {
	if c.Body != nil {
		return c.Body.Heading()
	}
	return Head{Book: c.Book, Number: c.Number}
}

// Next is the version that the change makes of an object whose latest version is before (nil: there is none yet).
// Everything that is wrong is told at once. The ID is given by the database.
func Next(before *Version, c Change, born tesdiq.Date, now time.Time) (Version, error) {
	if err := c.follows(before); err != nil {
		return Version{}, err
	}
	var ps tesdiq.Problems
	ps.Add("by", tesdiq.CheckText(c.By, MaxBy, true))
	switch {
	case c.Act == Append && c.Reason != "":
		ps.Add("reason", tesdiq.Invalid("entry.reason_unwanted"))
	case c.Act != Append:
		ps.Add("reason", tesdiq.CheckText(c.Reason, MaxReason, true))
	}
	body := c.Body
	if c.Act == Annul {
		body = before.Body
	} else {
		ps = append(ps, body.Validate(Circumstances{Today: tesdiq.DateOf(now), Born: born})...)
		if before != nil {
			ps = append(ps, c.compare(*before)...)
		}
	}
	if len(ps) > 0 {
		return Version{}, ps
	}
	h := body.Heading()
	h.Version, h.Act, h.Reason, h.EnteredBy = 1, c.Act, c.Reason, c.By
	h.EnteredAt = now.UTC().Truncate(time.Microsecond)
	if before != nil {
		h.Version = before.Head.Version + 1
		if h.EnteredAt.Before(before.Head.EnteredAt) {
			// Two machines' clocks may differ; the order of the versions may not.
			h.EnteredAt = before.Head.EnteredAt
		}
	}
	return Version{h, body}, nil
}

// follows is the part of Next that concerns the state of the object.
func (c Change) follows(before *Version) error {
	switch {
	case c.Act != Append && c.Act != Correct && c.Act != Annul:
		return tesdiq.Invalid("entry.act").In("act")
	case c.Act != Annul && c.Body == nil:
		return tesdiq.Invalid("entry.empty")
	case before == nil && (c.Act != Append || c.After > 0):
		return tesdiq.NewProblem(tesdiq.NotFound, "entry.unknown").In("number")
	case before == nil:
		return nil
	case before.Head.Act == Annul:
		return tesdiq.NewProblem(tesdiq.Conflict, "entry.annulled").In("number")
	case c.After == 0 && c.Act == Append:
		return tesdiq.NewProblem(tesdiq.Conflict, "entry.exists").In("number")
	case c.After != before.Head.Version:
		return tesdiq.NewProblem(tesdiq.Conflict, "entry.moved")
	}
	return nil
}

// compare is the part of Next that concerns what was said before.
func (c Change) compare(before Version) (ps tesdiq.Problems) {
	if c.Body.Heading().Subject != before.Head.Subject {
		// Written down for the wrong person: annul it, and enter a new one for the right person.
		ps.Add("subject", tesdiq.NewProblem(tesdiq.Conflict, "entry.subject"))
	}
	if c.Act == Append {
		return append(ps, c.Body.Follows(before.Body)...)
	}
	if c.Body == before.Body {
		ps = append(ps, tesdiq.Invalid("entry.unchanged"))
	}
	return ps
}

// Content is the canonical bytes of an entry, to which its ledger line commits: its head and what it says, as JSON with
// the fields in their declared order, moments in UTC to the microsecond.
func Content(h Head, b Body) ([]byte, error) {
	content, err := json.Marshal(struct {
		ID          EntryID     `json:"id"`
		Book        Book        `json:"book"`
		Number      string      `json:"number"`
		Version     int         `json:"version"`
		Act         Act         `json:"act"`
		Subject     tesdiq.FIN  `json:"subject"`
		Chain       string      `json:"chain"`
		EffectiveOn tesdiq.Date `json:"effective_on"`
		EnteredAt   time.Time   `json:"entered_at"`
		EnteredBy   string      `json:"entered_by"`
		Reason      string      `json:"reason"`
		Says        Body        `json:"says"`
	}{
		h.ID, h.Book, h.Number, h.Version, h.Act, h.Subject, h.Chain, h.EffectiveOn,
		h.EnteredAt.UTC().Truncate(time.Microsecond), h.EnteredBy, h.Reason, b,
	})
	if err != nil {
		return nil, fmt.Errorf("registry: content of entry %d: %w", h.ID, err)
	}
	return content, nil
}

// Standing is what became of an entry since it was written.
type Standing string

// The standings.
const (
	InForce    Standing = "in_force"   // the latest of its chain
	Superseded Standing = "superseded" // a later version, or a later object of its chain, holds instead
	Annulled   Standing = "annulled"   // its object was never right
)

// StandingOf is what became of entry id, given the heads of its whole chain in any order.
// Annulled objects count for nothing; of the others the one with the latest effective day holds, in its latest version.
func StandingOf(id EntryID, chain []Head) Standing {
	latest := Latest(chain)
	var number string
	for _, h := range chain {
		if h.ID == id {
			number = h.Number
		}
	}
	holds, found := Holding(chain)
	switch {
	case latest[number].Act == Annul:
		return Annulled
	case found && holds.ID == id:
		return InForce
	default:
		return Superseded
	}
}

// Latest is the latest version of each object, by its number.
func Latest(chain []Head) map[string]Head {
	latest := make(map[string]Head)
	for _, h := range chain {
		if h.Version > latest[h.Number].Version {
			latest[h.Number] = h
		}
	}
	return latest
}

// Holding is the entry of a chain that holds: of the objects not annulled the one with the latest effective day (of two
// on one day, the one first entered later, whichever was corrected when), in its latest version. It is false when there is none.
func Holding(chain []Head) (Head, bool) {
	first := make(map[string]EntryID)
	for _, h := range chain {
		if id, seen := first[h.Number]; !seen || h.ID < id {
			first[h.Number] = h.ID
		}
	}
	var holds Head
	for _, h := range Latest(chain) {
		if h.Act == Annul {
			continue
		}
		if d := h.EffectiveOn.Compare(holds.EffectiveOn); holds.ID == 0 || d > 0 || d == 0 && first[h.Number] > first[holds.Number] {
			holds = h
		}
	}
	return holds, holds.ID != 0
}

// AsOf keeps the entries that the book held at the moment t: what was known then, not what is known now.
func AsOf(heads []Head, t time.Time) []Head {
	var known []Head
	for _, h := range heads {
		if !h.EnteredAt.After(t) {
			known = append(known, h)
		}
	}
	return known
}

// numbering is how the numbers of a book look: a letter, the year, and so many digits.
type numbering struct {
	letter  byte
	digits  int
	pattern *regexp.Regexp
}

var numberings = map[Book]numbering{
	Examinations: {'M', 6, regexp.MustCompile(`^M-(19|20|21)\d{2}-\d{6}$`)},
	Contracts:    {'K', 7, regexp.MustCompile(`^K-(19|20|21)\d{2}-\d{7}$`)},
}

// Number writes the n-th number of a year: M-2026-117204, K-2021-0831452. The book of persons has FINs instead.
func Number(b Book, year, n int) string {
	f := numberings[b]
	return fmt.Sprintf("%c-%04d-%0*d", f.letter, year, f.digits, n)
}

// LastNumber is the highest number that a year can have.
func LastNumber(b Book, year int) string {
	return fmt.Sprintf("%c-%04d-%s", numberings[b].letter, year, strings.Repeat("9", numberings[b].digits))
}

// CheckNumber says whether s looks like a number of the book. The problem is "entry.number".
func CheckNumber(b Book, s string) error {
	f, ok := numberings[b]
	if !ok || !f.pattern.MatchString(s) {
		return tesdiq.Invalid("entry.number")
	}
	return nil
}

// NextNumber is the number after last within the year; the first one when last is empty.
// It is a Conflict, "entry.numbers_used_up", when the year has no further number.
func NextNumber(b Book, year int, last string) (string, error) {
	n := 0
	if last != "" {
		i := strings.LastIndexByte(last, '-')
		var err error
		if n, err = strconv.Atoi(last[i+1:]); err != nil {
			return "", fmt.Errorf("registry: number %q: %w", last, err)
		}
	}
	next := Number(b, year, n+1)
	if CheckNumber(b, next) != nil {
		return "", tesdiq.NewProblem(tesdiq.Conflict, "entry.numbers_used_up")
	}
	return next, nil
}
