package tseras

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tesdiq/tesdiq"
)

// Commissions and their members are drawn by lot, in rounds. A round's seed is committed to in public before anybody can
// know which cases it will draw for, and opened with the draw. A lot is the HMAC of the candidate's name under the
// seed: no candidate's lot depends on who the others are, so leaving somebody out does not change the order of the rest.
// What was drawn is published at once as a commitment, which hides it from the members, and opened when the case is decided
// (docs/adr/0016-cases-and-draws.md).

// Seed is what a round's lots come from.
type Seed [sha256.Size]byte

// DrawKey is the secret from which a service derives its seeds, so that none is stored before it is opened.
type DrawKey []byte

// MinDrawKey is the least length of a DrawKey in bytes.
const MinDrawKey = 32

// Seed is that of a round.
func (k DrawKey) Seed(round int64) Seed {
	if len(k) < MinDrawKey {
		panic("tseras: the key of the draw is too short")
	}
	return Seed(mac(k, "tesdiq draw seed v1", number(round)))
}

// Commitment is what is published of a seed before it is used: SHA-256 of label, round and seed.
func (s Seed) Commitment(round int64) [sha256.Size]byte {
	h := sha256.New()
	for _, part := range []string{"tesdiq draw commitment v1", number(round), string(s[:])} {
		h.Write(framed(part))
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// MarshalText writes base 64.
func (s Seed) MarshalText() ([]byte, error) {
	return []byte(base64.StdEncoding.EncodeToString(s[:])), nil
}

// UnmarshalText reads base 64.
func (s *Seed) UnmarshalText(b []byte) error {
	d, err := base64.StdEncoding.DecodeString(string(b))
	if err != nil || len(d) != len(s) {
		return errors.New("tseras: not a seed")
	}
	copy(s[:], d)
	return nil
}

// Role is what somebody is drawn for.
type Role string

// The roles.
const (
	Panel   Role = "commission" // the commission itself
	Chair   Role = "chair"
	Member  Role = "member"
	Further Role = "further" // where the members' results differ, or too few have spoken
)

// Lots orders candidates by their lots, the first drawn first. ref names the case in this draw; see Draw.
func (s Seed) Lots(ref string, role Role, candidates []string) []string {
	type lot struct {
		name string
		mac  []byte
	}
	lots := make([]lot, len(candidates))
	m := hmac.New(sha256.New, s[:])
	for i, c := range candidates {
		m.Reset()
		for _, part := range []string{"tesdiq draw lot v1", ref, string(role), c} {
			m.Write(framed(part))
		}
		lots[i] = lot{c, m.Sum(nil)}
	}
	slices.SortFunc(lots, func(a, b lot) int {
		if d := slices.Compare(a.mac, b.mac); d != 0 {
			return d
		}
		return strings.Compare(a.name, b.name)
	})
	names := make([]string, len(lots))
	for i, l := range lots {
		names[i] = l.name
	}
	return names
}

// mac is HMAC-SHA256 of parts, each preceded by its length, so that no two lists of parts give the same input.
func mac(key []byte, parts ...string) []byte {
	m := hmac.New(sha256.New, key)
	for _, p := range parts {
		m.Write(framed(p))
	}
	return m.Sum(nil)
}

func framed(part string) []byte {
	return append(binary.BigEndian.AppendUint64(nil, uint64(len(part))), part...)
}

func number(n int64) string { return fmt.Sprintf("%d", n) }

// District is a district or town, as the population register names it.
type District string

// MemberID is the public number of a member: "K07-3".
type MemberID string

// CommissionMember is somebody who may be drawn.
type CommissionMember struct {
	ID    MemberID
	FIN   tesdiq.FIN // the person, by whom he is left out, whatever his accounts
	Chair bool       // may be drawn to lead
}

// Commission is a commission (TSEK) with those of its members who may be drawn now.
type Commission struct {
	ID        string // "K07"
	Name      string // "7 saylı TSEK"
	Districts []District
	Members   []CommissionMember
}

// Barred is who must not be drawn for a case.
type Barred struct {
	Districts   []District   // the person's and the institution's
	People      []tesdiq.FIN // the person, relatives, who treated or referred him, and of an appeal the first decision's members
	Commissions []string     // of an appeal the first decision's
}

// all says whether nobody of a commission may be drawn.
func (b Barred) all(c Commission) bool {
	return slices.Contains(b.Commissions, c.ID) || slices.ContainsFunc(c.Districts, func(x District) bool { return slices.Contains(b.Districts, x) })
}

// panelSize is how many members assess a case, the chair among them. ASSUMPTION: the rules found name chair and members,
// and no number.
const panelSize = 3

// Drawing is what one draw drew, and from whom.
type Drawing struct {
	Round int64  `json:"round"`
	Ref   string `json:"ref"` // names the case in this draw and nowhere else
	Steps []Lot  `json:"steps"`
}

// Lot is one step of a drawing: who could be drawn, and who was.
type Lot struct {
	Role       Role     `json:"role"`
	Candidates []string `json:"candidates"` // sorted
	Drawn      []string `json:"drawn"`      // in the order of their lots
}

// Drawn are those whom a role drew.
func (d Drawing) Drawn(r Role) []string {
	for _, s := range d.Steps {
		if s.Role == r {
			return s.Drawn
		}
	}
	return nil
}

// ErrNobody: no commission has enough members who may be drawn. The case waits, and the inspector is told.
var ErrNobody = errors.New("tseras: nobody may be drawn")

// DrawPanel draws a commission for a case, and of its members a chair and two others.
func (s Seed) DrawPanel(round int64, ref string, all []Commission, b Barred) (Drawing, error) {
	d := Drawing{Round: round, Ref: ref}
	eligible := map[string]Commission{}
	for _, c := range all {
		if b.all(c) {
			continue
		}
		c.Members = b.without(c.Members)
		if len(c.Members) >= panelSize && slices.ContainsFunc(c.Members, func(m CommissionMember) bool { return m.Chair }) {
			eligible[c.ID] = c
		}
	}
	if len(eligible) == 0 {
		return d, ErrNobody
	}
	var ids []string
	for id := range eligible {
		ids = append(ids, id)
	}
	drawn := s.draw(&d, Panel, ids, 1)
	members := eligible[drawn[0]].Members
	var chairs, others []string
	for _, m := range members {
		if m.Chair {
			chairs = append(chairs, string(m.ID))
		}
	}
	chair := s.draw(&d, Chair, chairs, 1)[0]
	for _, m := range members {
		if string(m.ID) != chair {
			others = append(others, string(m.ID))
		}
	}
	s.draw(&d, Member, others, panelSize-1)
	return d, nil
}

// DrawFurther draws n more members for a case, from all commissions but the one that assesses it: at least one, and as many as a panel
// has at most. The lots are the same whoever of those who sit was silent: all of them are left out.
func (s Seed) DrawFurther(round int64, ref string, all []Commission, b Barred, but string, n int) (Drawing, error) {
	d := Drawing{Round: round, Ref: ref}
	var ids []string
	for _, c := range all {
		if c.ID == but || b.all(c) {
			continue
		}
		for _, m := range b.without(c.Members) {
			ids = append(ids, string(m.ID))
		}
	}
	if n = min(max(n, 1), panelSize); len(ids) < n {
		return d, ErrNobody
	}
	s.draw(&d, Further, ids, n)
	return d, nil
}

// draw adds a step to a drawing and returns who was drawn.
func (s Seed) draw(d *Drawing, r Role, candidates []string, n int) []string {
	slices.Sort(candidates)
	drawn := s.Lots(d.Ref, r, candidates)[:n]
	d.Steps = append(d.Steps, Lot{r, candidates, drawn})
	return drawn
}

func (b Barred) without(members []CommissionMember) []CommissionMember {
	return slices.DeleteFunc(slices.Clone(members), func(m CommissionMember) bool { return slices.Contains(b.People, m.FIN) })
}

// SaltSize is the length in bytes of the salt that hides a drawing until it is opened.
const SaltSize = 16

// Commitment is what is published of a drawing at once: SHA-256 of label, salt and the drawing's JSON.
func (d Drawing) Commitment(salt []byte) ([sha256.Size]byte, error) {
	text, err := json.Marshal(d)
	if err != nil {
		return [sha256.Size]byte{}, fmt.Errorf("tseras: drawing: %w", err)
	}
	h := sha256.New()
	for _, part := range []string{"tesdiq drawing v1", string(salt), string(text)} {
		h.Write(framed(part))
	}
	return [sha256.Size]byte(h.Sum(nil)), nil
}

// Round is what is public of one round of draws.
type Round struct {
	Number     int64     `json:"round"`
	Commitment []byte    `json:"commitment"` // to the seed; published before the cases were known
	Committed  Moment    `json:"committed_at"`
	Line       RoundLine `json:"line"`
	Seed       *Seed     `json:"seed,omitempty"` // nil until the round is drawn
	Drawings   []Sealed  `json:"drawings,omitempty"`
	Opened     []Opening `json:"opened,omitempty"`
}

// Sealed is a drawing as it is published with its round.
type Sealed struct {
	Ref        string `json:"ref"`
	Commitment []byte `json:"commitment"`
}

// Opening opens a drawing, once its case is decided.
type Opening struct {
	Salt    []byte  `json:"salt"`
	Drawing Drawing `json:"drawing"`
}

// Verify recomputes a round from what is public. It returns how many drawings are opened and right, or says which is wrong.
func (r Round) Verify() (opened int, err error) {
	if err := r.promised(); err != nil {
		return 0, err
	}
	if r.Seed == nil {
		if len(r.Drawings)+len(r.Opened) > 0 {
			return 0, fmt.Errorf("round %d has drawings and no seed", r.Number)
		}
		return 0, nil
	}
	if want := r.Seed.Commitment(r.Number); !hmac.Equal(want[:], r.Commitment) {
		return 0, fmt.Errorf("round %d: the seed is not the one that was committed to", r.Number)
	}
	sealed := map[string][]byte{}
	for _, s := range r.Drawings {
		if _, twice := sealed[s.Ref]; twice {
			return 0, fmt.Errorf("round %d: %s was drawn twice", r.Number, s.Ref)
		}
		sealed[s.Ref] = s.Commitment
	}
	seen := map[string]bool{}
	for _, o := range r.Opened {
		ref := o.Drawing.Ref
		switch c, err := o.Drawing.Commitment(o.Salt); {
		case err != nil:
			return opened, err
		case o.Drawing.Round != r.Number || sealed[ref] == nil || seen[ref]:
			return opened, fmt.Errorf("round %d: %s does not belong to it", r.Number, ref)
		case !hmac.Equal(c[:], sealed[ref]):
			return opened, fmt.Errorf("round %d: %s is not what was committed to", r.Number, ref)
		}
		if err := r.Seed.verify(o.Drawing); err != nil {
			return opened, fmt.Errorf("round %d: %s: %w", r.Number, ref, err)
		}
		seen[ref] = true
		opened++
	}
	return opened, nil
}

// shapes are the roles that a drawing draws, in their order, and how many for each.
var shapes = [][]Lot{
	{{Role: Panel, Drawn: make([]string, 1)}, {Role: Chair, Drawn: make([]string, 1)}, {Role: Member, Drawn: make([]string, panelSize-1)}},
	{{Role: Further, Drawn: make([]string, 1)}},
	{{Role: Further, Drawn: make([]string, 2)}},
	{{Role: Further, Drawn: make([]string, panelSize)}},
}

// verify recomputes who was drawn from the candidates that are named.
func (s Seed) verify(d Drawing) error {
	fits := func(shape []Lot) bool {
		return slices.EqualFunc(shape, d.Steps, func(want, got Lot) bool { return want.Role == got.Role && len(want.Drawn) == len(got.Drawn) })
	}
	if !slices.ContainsFunc(shapes, fits) {
		return errors.New("it has other steps than a draw has")
	}
	for _, step := range d.Steps {
		if !slices.IsSorted(step.Candidates) || len(slices.Compact(slices.Clone(step.Candidates))) != len(step.Candidates) {
			return fmt.Errorf("the candidates for %s are not in order", step.Role)
		}
		if len(step.Drawn) > len(step.Candidates) || !slices.Equal(s.Lots(d.Ref, step.Role, step.Candidates)[:len(step.Drawn)], step.Drawn) {
			return fmt.Errorf("the lots for %s draw somebody else", step.Role)
		}
	}
	return nil
}

// RoundSummary is a line of the public list of rounds.
type RoundSummary struct {
	Number    int64
	Committed time.Time
	MAC       []byte     // of the ledger line
	Opened    *time.Time // nil while the round is promised
	Drawings  int
	Shown     int // that are open
}

// Line is the beginning of the ledger line's MAC in base 64, by which it is found in the round's file.
func (s RoundSummary) Line() string { return base64.StdEncoding.EncodeToString(s.MAC)[:12] }
